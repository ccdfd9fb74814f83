"""Fashion-MNIST comes whole and right or not at all, from a server on this machine that does all that servers do."""

import errno
import hashlib
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from chainrule.datasets import download, fashion_mnist, read_idx, write_idx
from chainrule.datasets.download import RemoteFile, fetch
from chainrule.errors import ConfigurationError, DataFileError, MissingExtraError
from faulty_server import FAULTS, serving

module = sys.modules["chainrule.datasets.fashion_mnist"]
posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

SUFFICE = {  # what gets there with no other mirror: so many requests for a file
    "good": 1,
    "slow": 1,
    "without_parts": 1,
    "breaking_off_once": 2,
    "changing": 3,
    "giving_parts_of_unknown_length": 1,
    "labelling": 1,
    "in_chunks": 1,
    "redirecting": 2,
    "redirecting_with_an_endless_page": 2,
}
REFUSED = {  # what does not, and what is said of it
    "breaking_off": r"the connection broke off, 6 times",
    "breaking_off_in_chunks": r"the connection broke off, 6 times",
    "always_breaking_off_at_the_same_place": r"the connection broke off",
    "falling_silent": r"silent for 0\.2 s, 6 times",
    "never_answering": r"silent for 0\.2 s",
    "lying": r"other bytes than those with sha256 [0-9a-f]{64}",
    "giving_a_page": r"14 bytes of text/html, expected 4\d,\d{3}",
    "giving_a_page_of_no_length": r"14 of 4\d,\d{3} bytes",
    "never_ending": r"more than 4\d,\d{3} bytes",
    "giving_another_part": r"206 Partial Content",
    "redirecting_to_itself": r"it redirects without end",
    "missing": r"404 Not Found",
    "broken": r"500 Internal Server Error",
}
SILENT = {"falling_silent", "never_answering"}
NOWHERE = "http://127.0.0.1:9/"  # the port that throws everything away, where nobody listens


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    """Four small files in the place of the real ones, too random to be packed tighter."""
    folder = tmp_path_factory.mktemp("clothes")
    rng = np.random.default_rng(0)
    for part, rows in (("train", 60), ("t10k", 20)):
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", rng.integers(0, 256, (rows, 28, 28)).astype("uint8"))
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", (np.arange(rows) % 10).astype("uint8"))
    return {file.name: (folder / file.name).read_bytes() for file in module.FILES}


@pytest.fixture
def files(contents, monkeypatch):
    files = tuple(
        RemoteFile(name, len(content), hashlib.sha256(content).hexdigest()) for name, content in contents.items()
    )
    monkeypatch.setattr(module, "FILES", files)
    return files


@pytest.fixture
def server(contents, files, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(contents) as server:
        yield server


@pytest.fixture
def call(server, tmp_path, monkeypatch):
    """fashion_mnist with these mirrors; it keeps its files in `folder`."""

    def call(*mirrors):
        addresses = [mirror if ":" in mirror else server.mirror(mirror) for mirror in mirrors]
        monkeypatch.setattr(module, "MIRRORS", addresses)
        if SILENT & {*mirrors}:  # the others may take their time on a machine that is busy
            monkeypatch.setattr(download, "SILENCE", 0.2)
        return fashion_mnist(folder, validation=10)

    folder = tmp_path / "made" / "clothes"
    call.folder = folder
    return call


def begin(folder, file, content):
    folder.mkdir(parents=True)
    (folder / f"{file.name}.part").write_bytes(content)


def holds_all(folder, contents):
    return {name: (folder / name).read_bytes() for name in contents} == contents and not list(folder.glob("*.part"))


# What is pinned -------------------------------------------------------------------------------------------------------


def test_the_files_are_the_published_ones():
    """The sizes sum to what the data set's page tells (30 MB); the names are those of MNIST."""
    assert [file.name.removesuffix(".gz") for file in module.FILES] == list(module.NAMES)
    assert sum(file.size for file in module.FILES) == 30_878_645
    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in module.FILES)
    assert len({file.sha256 for file in module.FILES}) == 4
    assert all(mirror.endswith("/") for mirror in module.MIRRORS)


def test_it_looks_as_mnist_does(call, contents):
    clothes = call("good")
    images = read_idx(call.folder / "train-images-idx3-ubyte.gz")
    np.testing.assert_array_equal(clothes.train.x, images[:50].reshape(50, 784))
    np.testing.assert_array_equal(clothes.validation.y, np.arange(50, 60) % 10)
    assert clothes.test.x.shape == (20, 784)
    assert clothes.class_names[0] == "T-shirt/top"
    assert clothes.class_names[9] == "Ankle boot"
    assert len(clothes.class_names) == 10
    assert clothes.image_shape == (28, 28)
    split = fashion_mnist(call.folder, validation=0.5, random_split=30, seed=3)
    assert [len(part.x) for part in (split.train, split.validation, split.test)] == [25, 25, 30]
    with pytest.raises(ConfigurationError, match="fashion_mnist: validation=80: expected rows from 0 to 59"):
        fashion_mnist(call.folder, validation=80)


# One mirror -----------------------------------------------------------------------------------------------------------


def test_every_fault_of_the_server_stands_in_a_table():
    assert {*SUFFICE, *REFUSED} == set(FAULTS)
    assert not {*SUFFICE} & {*REFUSED}


@pytest.mark.parametrize("kind", SUFFICE)
def test_a_mirror_that_is_odd_but_right_suffices(kind, call, contents, server):
    call(kind)
    assert holds_all(call.folder, contents)
    assert len(server.requests) == SUFFICE[kind] * 4
    server.requests.clear()
    call(kind)
    assert server.requests == [], "what is there is not fetched again"


@pytest.mark.parametrize("kind", REFUSED)
def test_a_mirror_that_is_wrong_is_named_with_what_was_wrong(kind, call, server):
    with pytest.raises(DataFileError, match=re.escape(server.mirror(kind)) + ": " + REFUSED[kind]):
        call(kind)
    assert not list(call.folder.glob("*.gz"))


@pytest.mark.parametrize("kind", REFUSED)
def test_the_next_mirror_is_asked_and_goes_on_with_what_is_there(kind, call, contents, server):
    call(kind, "good")
    assert holds_all(call.folder, contents)
    name = server.requests[0][1]
    first = [request for request in server.requests if request[1] == name]
    assert first[-1][0] == "good"
    if kind in ("breaking_off", "always_breaking_off_at_the_same_place", "falling_silent"):
        assert first[-1][2] is not None, "it asks for the rest alone"
    others = {request[0] for request in server.requests if request[1] != name}
    assert others == {"good"}, "a mirror that failed is not waited for again"


def test_the_page_of_a_redirection_is_not_read(call, server):
    """requests reads it to its end, however far that is."""
    server.read_to_the_end = False
    call("redirecting_with_an_endless_page")
    assert not server.read_to_the_end


# A part ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*SUFFICE])
def test_a_part_is_finished(kind, call, contents, files, server):
    begin(call.folder, files[0], contents[files[0].name][:30_000])
    call(kind)
    assert holds_all(call.folder, contents)
    assert server.requests[0] == (kind, files[0].name, "bytes=30000-")


@pytest.mark.parametrize("kind", REFUSED)
def test_a_mirror_that_is_wrong_does_not_cost_a_part(kind, call, contents, files, server):
    begin(call.folder, files[0], contents[files[0].name][:30_000])
    call(kind, "good")
    assert holds_all(call.folder, contents)
    asked = [int(asked[6:-1]) for kind, name, asked in server.requests if name == files[0].name and asked]
    assert min(asked) >= 30_000


@pytest.mark.parametrize(
    ("part", "requests"),
    [
        (lambda content: content, 0),
        (lambda content: content + b"more", 1),
        (lambda content: bytes(len(content)), 1),
        (lambda content: bytes(1000), 2),
        (lambda content: b"", 1),
    ],
    ids=["whole", "too long", "wrong", "wrong at its beginning", "empty"],
)
def test_a_part_is_believed_only_if_the_whole_is_right(part, requests, call, contents, files, server):
    begin(call.folder, files[0], part(contents[files[0].name]))
    call("good")
    assert holds_all(call.folder, contents)
    assert [request[1] for request in server.requests].count(files[0].name) == requests


# No mirror ------------------------------------------------------------------------------------------------------------


def test_without_a_network_it_says_what_to_put_where(call, contents, files):
    begin(call.folder, files[0], bytes(1000))
    with pytest.raises(DataFileError) as error:
        call(NOWHERE)
    assert str(error.value) == (
        f"""Fashion-MNIST: train-images-idx3-ubyte.gz could not be fetched.
  {NOWHERE}: cannot be reached
Connect to the internet and try again, from byte 1,000 of {files[0].size:,} on. Or put these, not unpacked,
  train-images-idx3-ubyte.gz
  train-labels-idx1-ubyte.gz
  t10k-images-idx3-ubyte.gz
  t10k-labels-idx1-ubyte.gz
from {NOWHERE} into {call.folder}
or into a folder that you name: --data DIR on the command line, folder=DIR in Python."""
    )
    for name, content in contents.items():
        (call.folder / name).write_bytes(content)
    assert len(call(NOWHERE).test.x) == 20


@pytest.mark.parametrize(
    ("variable", "value", "mirror", "says"),
    [
        ("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem", "https://127.0.0.1:9/", r"CA certificate bundle.*/nowhere/ca\.pem"),
        (
            "HTTP_PROXY",
            "socks5://127.0.0.1:9",
            "http://clothes.invalid/",
            r"(Missing dependencies for SOCKS support|cannot be reached)",
        ),
        ("HTTP_PROXY", "http:///", "http://clothes.invalid/", r"[Pp]roxy"),
        ("HTTP_PROXY", "http://127.0.0.1:9", "http://clothes.invalid/", r"the proxy cannot be reached"),
    ],
    ids=["certificates", "SOCKS", "no proxy's address", "no proxy"],
)
def test_a_wrong_setting_of_the_institute_is_told_and_the_next_mirror_asked(
    variable, value, mirror, says, call, contents, monkeypatch
):
    monkeypatch.setenv(variable, value)
    monkeypatch.delenv(variable.lower(), raising=False)
    with pytest.raises(DataFileError, match=rf"could not be fetched\.\n  {mirror}: .*{says}"):
        call(mirror)
    call(mirror, "good")
    assert holds_all(call.folder, contents)


def test_what_was_put_there_needs_no_extra_and_is_not_written_to(call, contents, monkeypatch):
    call.folder.mkdir(parents=True)
    for name, content in contents.items():
        (call.folder / name).write_bytes(content)
    for package in ("requests", "filelock", "platformdirs"):
        monkeypatch.setitem(sys.modules, package, None)
    before = {path: path.stat().st_mtime_ns for path in (call.folder, *call.folder.iterdir())}
    assert len(call(NOWHERE).test.x) == 20
    assert {path: path.stat().st_mtime_ns for path in (call.folder, *call.folder.iterdir())} == before


@pytest.mark.parametrize("package", ["requests", "filelock", "platformdirs"])
def test_a_missing_package_is_named_with_the_line_that_installs_it(package, call, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delenv("CHAINRULE_DATA", raising=False)
    with pytest.raises(
        MissingExtraError, match=rf"needs {package}: pip install 'chainrule\[data\]' \(in a clone: '\.\[data\]'\)"
    ):
        fashion_mnist() if package == "platformdirs" else call("good")


# The folder -----------------------------------------------------------------------------------------------------------


def test_the_folder_is_the_users_or_the_systems(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("CHAINRULE_DATA", "~/data")
    if os.name == "posix":
        assert module.usual_folder() == tmp_path / "data"
    monkeypatch.delenv("CHAINRULE_DATA")
    assert module.usual_folder().name in ("chainrule", "Cache")
    if sys.platform == "linux":
        assert module.usual_folder() == tmp_path / "xdg" / "chainrule"
    with pytest.raises(ConfigurationError, match="folder=5: expected a path"):
        fashion_mnist(5)


@posix
def test_the_folder_of_nobody_is_refused(monkeypatch):
    monkeypatch.setenv("CHAINRULE_DATA", "~no such user/data")
    with pytest.raises(
        ConfigurationError, match=r"CHAINRULE_DATA='~no such user/data': the home folder is not known\."
    ):
        fashion_mnist()


def test_a_data_set_has_a_folder_of_its_own(server, contents, tmp_path, monkeypatch):
    monkeypatch.setenv("CHAINRULE_DATA", str(tmp_path))
    monkeypatch.setattr(module, "MIRRORS", [server.mirror("good")])
    fashion_mnist(validation=0)
    assert holds_all(tmp_path / "fashion-mnist", contents)


def test_a_file_of_another_data_set_is_left_alone(call, contents, server):
    """MNIST's files have the same names."""
    call.folder.mkdir(parents=True)
    (call.folder / "t10k-labels-idx1-ubyte.gz").write_bytes(b"precious")
    with pytest.raises(DataFileError, match=r"t10k-labels-idx1-ubyte\.gz: expected the file of Fashion-MNIST \(sha256"):
        call("good")
    with pytest.raises(DataFileError, match="Move it away"):  # "Delete it" might cost somebody's own images
        call("good")
    assert (call.folder / "t10k-labels-idx1-ubyte.gz").read_bytes() == b"precious"
    assert server.requests == []


def test_a_folder_that_cannot_be_written_to_is_not_blamed_on_the_network(call, contents, monkeypatch, tmp_path):
    (tmp_path / "made").write_text("a file")
    with pytest.raises(DataFileError, match=r"cannot be written into .*clothes \(.+\)\. Make room there or choose"):
        call("good")
    (tmp_path / "made").unlink()

    def full(*given):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(download, "move_into_place", full)
        with pytest.raises(DataFileError, match=r"\(No space left on device\).*CHAINRULE_DATA.*is kept"):
            call("good")
    call("good")
    assert holds_all(call.folder, contents)


@posix
def test_others_may_read_the_files_if_the_umask_lets_them(call):
    before = os.umask(0o022)
    try:
        call("good")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in call.folder.glob("*.gz")} == {0o644}


# Processes ------------------------------------------------------------------------------------------------------------

ELSEWHERE = """
import sys
from pathlib import Path
from chainrule.datasets.download import RemoteFile, fetch

files = [RemoteFile(name, int(size), sha256) for name, size, sha256 in zip(*[iter(sys.argv[3:])] * 3)]
fetch("Fashion-MNIST", files, [sys.argv[1]], Path(sys.argv[2]))
"""


def elsewhere(mirror, folder, files):
    """The same in a process of its own, where Ctrl-C is heard."""
    table = [str(value) for file in files for value in (file.name, file.size, file.sha256)]
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", ELSEWHERE, mirror, str(folder), *table],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        preexec_fn=(lambda: signal.signal(signal.SIGINT, signal.default_int_handler)) if os.name == "posix" else None,
    )


def test_two_processes_at_once_fetch_each_file_once(server, contents, files, tmp_path):
    processes = [elsewhere(server.mirror("slow"), tmp_path, files) for _ in range(2)]
    said = [process.communicate(timeout=30) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert holds_all(tmp_path, contents)
    assert sorted(server.requests) == sorted(("slow", file.name, None) for file in files)


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "9"])
def test_a_process_that_was_ended_leaves_a_part_to_go_on_with(number, server, contents, files, tmp_path):
    process = elsewhere(server.mirror("slow"), tmp_path, files)
    part, deadline = tmp_path / f"{files[0].name}.part", time.monotonic() + 20
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode != 0
    left = part.stat().st_size
    assert 0 < left < files[0].size
    server.requests.clear()
    fetch("Fashion-MNIST", files, [server.mirror("good")], tmp_path)
    assert server.requests[0] == ("good", files[0].name, f"bytes={left}-")
    assert holds_all(tmp_path, contents)


# What is shown --------------------------------------------------------------------------------------------------------


class Line:
    """In the place of the moving line."""

    task_ids = [0]

    def __init__(self):
        self.seen, self.stopped = [], False

    def update(self, task, *, completed, description, refresh):
        self.seen.append(completed)
        self.description = description

    def stop(self):
        self.stopped = True


def test_it_says_once_what_it_fetches_and_shows_how_far_it_is(call, files, monkeypatch, capsys):
    line = Line()
    monkeypatch.setattr(download, "live_line", lambda total: line)
    monkeypatch.setattr(download, "BETWEEN_REFRESHES", 0)
    call("breaking_off_once")
    call("good")
    total = sum(file.size for file in files)
    assert capsys.readouterr().out == f"fetching Fashion-MNIST: 4 files, {total / 1e6:.1f} MB, into {call.folder}\n"
    assert line.seen == sorted(line.seen)
    assert line.seen[0] < line.seen[-1] <= total
    assert re.fullmatch(r"Fashion-MNIST  0\.\d of 0\.1 MB", line.description)
    assert line.stopped


def test_the_line_is_taken_away_when_nothing_comes(call, monkeypatch):
    line = Line()
    monkeypatch.setattr(download, "live_line", lambda total: line)
    with pytest.raises(DataFileError):
        call("missing")
    assert line.stopped


def test_a_waiting_process_says_what_it_waits_for(call, contents, tmp_path, monkeypatch, capsys):
    from filelock import FileLock

    call.folder.mkdir(parents=True)
    lock = FileLock(call.folder / ".lock")
    lock.acquire()

    def said(text):
        lines.append(text)
        if text.startswith("waiting"):
            lock.release()

    lines = []
    monkeypatch.setattr(download, "say", said)
    call("good")
    assert lines[0] == f"waiting for another process that fetches into {call.folder}"
    assert holds_all(call.folder, contents)
