"""A web server on this machine that breaks off, falls silent, lies and refuses, each under an address of its own."""

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FAULTS = {}


def fault(behave):
    """What the server does below /NAME/, given the handler, the file's bytes and the first byte asked for."""
    FAULTS[behave.__name__] = behave
    return behave


@fault
def good(to, content, start):
    to.begin(content, start)
    to.wfile.write(content[start:])


@fault
def slow(to, content, start):
    to.begin(content, start)
    for at in range(start, len(content), 4096):
        to.wfile.write(content[at : at + 4096])
        time.sleep(0.02)


@fault
def without_parts(to, content, start):
    to.begin(content)
    to.wfile.write(content)


@fault
def breaking_off(to, content, start):
    to.begin(content, start)
    to.wfile.write(content[start : (start + len(content)) // 2])


@fault
def breaking_off_once(to, content, start):
    (good if start else breaking_off)(to, content, start)


@fault
def always_breaking_off_at_the_same_place(to, content, start):
    to.begin(content)
    to.wfile.write(content[: len(content) // 2])


@fault
def falling_silent(to, content, start):
    breaking_off(to, content, start)
    to.wait()


@fault
def never_answering(to, content, start):
    to.wait()


@fault
def lying(to, content, start):
    to.begin(content, start)
    to.wfile.write(bytes(255 - byte for byte in content[start:]))


@fault
def changing(to, content, start):
    """The first part is of an older version."""
    if start or to.asked_before():
        good(to, content, start)
    else:
        to.begin(content)
        to.wfile.write(bytes(len(content) // 2))


@fault
def giving_a_page(to, content, start):
    to.answer(200, **{"Content-Type": "text/html", "Content-Length": "14"})
    to.wfile.write(b"<p>Log in.</p>")


@fault
def giving_a_page_of_no_length(to, content, start):
    to.answer(200)
    to.wfile.write(b"<p>Log in.</p>")


@fault
def never_ending(to, content, start):
    to.answer(200)
    while not to.server.closing.is_set():
        to.wfile.write(bytes(10_000))


@fault
def giving_another_part(to, content, start):
    to.answer(206, **{"Content-Range": f"bytes 7-{len(content) - 1}/{len(content)}"})
    to.wfile.write(content[7:])


@fault
def giving_parts_of_unknown_length(to, content, start):
    to.answer(206 if start else 200, **{"Content-Range": f"bytes {start}-{len(content) - 1}/*"})
    to.wfile.write(content[start:])


@fault
def labelling(to, content, start):
    to.begin(content, start, **{"Content-Encoding": "gzip"})
    to.wfile.write(content[start:])


@fault
def in_chunks(to, content, start):
    to.begin_chunks(content, start)
    for at in range(start, len(content), 5000):
        block = content[at : at + 5000]
        to.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))
    to.wfile.write(b"0\r\n\r\n")


@fault
def breaking_off_in_chunks(to, content, start):
    to.begin_chunks(content, start)
    block = content[start : (start + len(content)) // 2]
    to.wfile.write(b"%x\r\n%s" % (len(block) + 1, block))


@fault
def redirecting(to, content, start):
    to.answer(302, Location=to.path.replace("redirecting", "good"))


@fault
def redirecting_with_an_endless_page(to, content, start):
    to.answer(302, Location=to.path.replace("redirecting_with_an_endless_page", "good"))
    for _ in range(2000):  # 20 MB: nobody's memory is to suffer if it is read
        to.wfile.write(bytes(10_000))
    to.server.read_to_the_end = True


@fault
def redirecting_to_itself(to, content, start):
    to.answer(302, Location=to.path)


@fault
def missing(to, content, start):
    to.answer(404)


@fault
def broken(to, content, start):
    to.answer(500)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        _, kind, name = self.path.split("/")
        asked = self.headers["Range"]
        self.server.requests.append((kind, name, asked))
        FAULTS[kind](self, self.server.files[name], int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0)

    def begin(self, content, start=0, **headers):
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.answer(206 if start else 200, **headers | {"Content-Length": str(len(content) - start)})

    def begin_chunks(self, content, start):
        self.protocol_version = "HTTP/1.1"
        told = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
        self.answer(206 if start else 200, **told | {"Transfer-Encoding": "chunked", "Connection": "close"})

    def answer(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def wait(self):
        self.wfile.flush()
        self.server.closing.wait(30)

    def asked_before(self):
        _, kind, name = self.path.split("/")
        return [request[:2] for request in self.server.requests].count((kind, name)) > 1

    def log_message(self, *about):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.requests, self.closing = files, [], threading.Event()

    def mirror(self, kind):
        return f"http://127.0.0.1:{self.server_port}/{kind}/"

    def handle_error(self, request, address):
        """Whoever asked has gone away."""


@contextmanager
def serving(files):
    """The server, with {name: bytes}, and a note of every request: (kind, name, Range)."""
    with Server(files) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()
