"""A file is the new one or still the old one, never half of each: whatever stops the writing, down to a power cut."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def write_atomically(path: str | os.PathLike[str], pieces: Iterable[bytes | memoryview]) -> None:
    """Put the pieces, one behind the other, where `path` says; what was there before is replaced in one instant.

    They go into a new file beside it first, `.name.pid.random.tmp`, which is forced onto the disk and then takes the
    name. If anything fails it is removed again. A symbolic link stays one: what it points to is replaced.

    Raises      OSError as the system gives it, with the old file as it was

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(f"{folder}/a", [b"chain", b"rule"])
    ...     Path(folder, "a").read_bytes(), os.listdir(folder)
    (b'chainrule', ['a'])
    """
    target = Path(os.path.realpath(path))
    name = target.name[:50]  # a name may be as long as the system allows, and this one is longer
    temporary = target.with_name(f".{name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    try:
        with open(temporary, "xb") as file:
            for piece in pieces:
                file.write(piece)
        move_into_place(temporary, target)
    except BaseException:  # Ctrl-C too leaves nothing behind
        with suppress(OSError):
            temporary.unlink()
        raise


def move_into_place(written: Path, target: Path) -> None:
    """Give a file that is complete the name of `target`, in the same folder, in place of what had it before."""
    with open(written, "rb+") as file:
        os.fsync(file.fileno())  # without it the name can reach the disk before the bytes do
    os.replace(written, target)
    with suppress(OSError):  # Windows cannot open a folder, some network disks cannot sync one
        _sync_folder(target.parent)


def remove_orphans(folder: Path, name: str) -> None:
    """Remove what killed processes left of files whose names match the pattern `name`; never what a live one writes."""
    for path in folder.iterdir():
        match = re.fullmatch(rf"\.(?:{name})\.(?P<pid>[1-9]\d*)\.[0-9a-f]{{8}}\.tmp", path.name)
        if match and not _is_alive(int(match["pid"])):
            with suppress(OSError):
                path.unlink()


def _is_alive(pid: int) -> bool:
    if os.name == "nt":
        return True  # on Windows, asking would end the process
    try:
        os.kill(pid, 0)  # signal 0 only asks
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # somebody else's
    return True


def _sync_folder(folder: Path) -> None:
    """Force the new name onto the disk: it is kept in the folder, not in the file."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
