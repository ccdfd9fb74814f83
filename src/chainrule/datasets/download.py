"""Fetches files whose bytes are known beforehand from the first mirror that has them, and goes on where it broke off.

A file is known by its size and SHA-256, so no server has to be trusted, and what one server has begun another may
finish. It grows as NAME.part and gets its name when it is whole and right; a part stays for the next call.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.atomic_write import move_into_place
from chainrule.errors import DataFileError, MissingExtraError
from chainrule.terminal import BETWEEN_REFRESHES, live_line, say

if TYPE_CHECKING:
    from requests import Response, Session

CONNECTING, SILENCE = 10.0, 20.0  # seconds that a server may let us wait for a connection, and for the next bytes
FRESH_STARTS = 5  # so often a mirror that breaks off, but gives something each time, is asked for the rest
BLOCK = 1 << 16


@dataclass(frozen=True)
class RemoteFile:
    """A file as it must be."""

    name: str
    size: int  # in bytes
    sha256: str


class Unusable(Exception):
    """What a mirror sends is not what was asked for."""


def fetch(what: str, files: Sequence[RemoteFile], mirrors: Sequence[str], folder: Path) -> None:
    """See that the folder holds all the files; those that are there and right cost no request.

    Two processes may do so at once: the second waits for the first, and finds the files there.

    Arguments   what     the name of the data set, for messages
                mirrors  addresses in front of the files' names, in the order in which they are asked
    Raises      DataFileError: a file of that name that is another one (it is left alone); no mirror has the file, or
                there is no network; the folder cannot be written to. MissingExtraError
    """
    try:
        if not _missing(what, files, folder):
            return
        with _alone_in(folder), _session(what) as session:
            missing = _missing(what, files, folder)
            if missing:
                with _told(what, missing, folder) as tell:
                    _fetch_all(what, missing, list(mirrors), folder, session, tell)
    except DataFileError:
        raise
    except OSError as error:
        raise DataFileError(
            f"{what}: cannot be written into {folder} ({error.strerror or error}). Make room there or choose another "
            "folder: the environment variable CHAINRULE_DATA names it. What has been fetched so far is kept."
        ) from error


def _missing(what: str, files: Sequence[RemoteFile], folder: Path) -> list[RemoteFile]:
    for file in files:
        path = folder / file.name
        if path.exists() and not _is_right(path, file):
            raise DataFileError(
                f"{path}: expected the file of {what} (sha256 {file.sha256}), received another one, or a damaged one. "
                "Move it away, and it is fetched again, or name another folder."
            )
    return [file for file in files if not (folder / file.name).exists()]


def _is_right(path: Path, file: RemoteFile) -> bool:
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == file.sha256
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read ({error.strerror}). Check its permissions.") from error


def _fetch_all(
    what: str,
    missing: list[RemoteFile],
    mirrors: list[str],
    folder: Path,
    session: Session,
    tell: Callable[[], None],
) -> None:
    for file in missing:
        faults = []
        for mirror in list(mirrors):
            fault = _fetch_from(mirror + file.name, file, folder, session, tell)
            if fault is None:
                mirrors.remove(mirror)
                mirrors.insert(0, mirror)  # the next file is asked for where this one was got
                break
            faults.append(f"  {mirror}: {fault}")
        else:
            kept = _size(folder / f"{file.name}.part")
            from_there = f", from byte {kept:,} of {file.size:,} on" if kept else ""
            lines = [
                f"{what}: {file.name} could not be fetched.",
                *faults,
                f"Connect to the internet and try again{from_there}. Or put these, not unpacked,",
                *(f"  {file.name}" for file in missing),
                f"from {mirrors[0]} into {folder}",
                "or into a folder that you name: --data DIR on the command line, folder=DIR in Python.",
            ]
            raise DataFileError("\n".join(lines))


def _fetch_from(url: str, file: RemoteFile, folder: Path, session: Session, tell: Callable[[], None]) -> str | None:
    """Get the file, or the rest of it, from one address; None, or what was wrong with what came."""
    from requests import RequestException
    from urllib3.exceptions import HTTPError

    part, starts = folder / f"{file.name}.part", 0
    while True:
        begun = _size(part)
        try:
            if begun < file.size:
                _append(url, part, file, session, tell)
            if _is_right(part, file):
                move_into_place(part, folder / file.name)
                return None
            part.unlink()
            fault = f"other bytes than those with sha256 {file.sha256}"
            if not begun:
                return fault
        except (RequestException, HTTPError) as error:
            fault = _in_words(error)
            if _size(part) <= begun:
                return fault
        except Unusable as error:
            return str(error)
        starts += 1
        if starts > FRESH_STARTS:
            return f"{fault}, {starts} times"


def _append(url: str, part: Path, file: RemoteFile, session: Session, tell: Callable[[], None]) -> None:
    """One request: for the whole file, or for what the part lacks."""
    begun = _size(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={begun}-"} if begun else {})
    with _answer(session, url, headers) as response:
        place = _where_it_begins(response, begun, file)
        with part.open("ab") as output:
            # A .gz file is often labelled as gzip encoding of something else: decoded, it would be another file.
            # read1 gives what has come; read and requests' own iter_content wait for a whole block, and lose it.
            while block := response.raw.read1(BLOCK, decode_content=False):
                new = block[max(0, begun - place) :]
                place += len(block)
                if place > file.size:
                    raise Unusable(f"more than {file.size:,} bytes")
                output.write(new)
                output.flush()
                tell()
    if place < file.size:
        raise Unusable(f"{place:,} of {file.size:,} bytes")


def _answer(session: Session, url: str, headers: dict[str, str]) -> Response:
    from requests import RequestException

    try:
        return session.get(url, headers=headers, stream=True, timeout=(CONNECTING, SILENCE))
    except RequestException:
        raise
    except OSError as error:  # REQUESTS_CA_BUNDLE names a file that is not there
        raise Unusable(str(error)) from error


def _where_it_begins(response: Response, asked: int, file: RemoteFile) -> int:
    """The place in the file of the first byte that is sent; Unusable if it is of another file."""
    if response.status_code == 200:
        told = response.headers.get("Content-Length")
        if told is not None and told != str(file.size):
            kind = response.headers.get("Content-Type", "no type")
            raise Unusable(f"{told} bytes of {kind}, expected {file.size:,}")
        return 0  # even if less was asked for: not every server knows parts
    if response.status_code == 206 and asked:
        told = response.headers.get("Content-Range", "no range")
        if not re.fullmatch(rf"bytes {asked}-\d+/({file.size}|\*)", told):
            raise Unusable(f"the part {told}, expected bytes {asked}-{file.size - 1}/{file.size}")
        return asked
    raise Unusable(f"{response.status_code} {response.reason}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _in_words(error: Exception) -> str:
    """What the network did; its libraries' own messages tell of their insides, but for a wrong address of a proxy."""
    from requests import exceptions
    from urllib3.exceptions import ReadTimeoutError

    words: dict[Any, str] = {
        exceptions.SSLError: "its certificate is not to be trusted",
        exceptions.ProxyError: "the proxy cannot be reached",
        exceptions.ConnectTimeout: f"no connection in {CONNECTING:g} s",
        exceptions.Timeout: f"silent for {SILENCE:g} s",
        ReadTimeoutError: f"silent for {SILENCE:g} s",
        exceptions.TooManyRedirects: "it redirects without end",
        exceptions.ConnectionError: "cannot be reached",
    }
    other = str(error) if isinstance(error, ValueError) else "the connection broke off"
    return next((text for kind, text in words.items() if isinstance(error, kind)), other)


def _session(what: str) -> Session:
    try:
        import requests
    except ImportError:
        raise MissingExtraError(f"Downloading {what}", "requests", "data") from None
    session = requests.Session()
    session.hooks["response"] = [_leave_unread]
    return session


def _leave_unread(response: Response, **options: Any) -> None:
    """Close a redirection: requests would read the page that comes with it into memory, to its end if it has one."""
    if response.is_redirect:
        response.close()


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Make the folder, and keep other processes from fetching into it."""
    try:
        from filelock import FileLock, Timeout
    except ImportError:
        raise MissingExtraError("Downloading", "filelock", "data") from None
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        say(f"waiting for another process that fetches into {folder}")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _told(what: str, missing: Sequence[RemoteFile], folder: Path) -> Iterator[Callable[[], None]]:
    """Say what is fetched; gives a function that shows on a terminal how far it is."""
    total = sum(file.size for file in missing)
    say(f"fetching {what}: {len(missing)} files, {total / 1e6:.1f} MB, into {folder}")
    line, next_refresh = live_line(total), 0.0

    def tell() -> None:
        nonlocal next_refresh
        if line is None or time.perf_counter() < next_refresh:
            return
        done = sum(_size(folder / file.name) or _size(folder / f"{file.name}.part") for file in missing)
        text = f"{what}  {done / 1e6:.1f} of {total / 1e6:.1f} MB"
        line.update(line.task_ids[0], completed=done, description=text, refresh=True)
        next_refresh = time.perf_counter() + BETWEEN_REFRESHES

    try:
        tell()
        yield tell
    finally:
        if line is not None:
            line.stop()
