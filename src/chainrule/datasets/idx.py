"""Reads and writes IDX, the format of MNIST, so that a damaged or lying file is named before it costs memory or trust.

The whole format, every number big-endian:

    bytes 0, 1      zero
    byte  2         the type of an item, one of TYPES
    byte  3         the number of dimensions
    4 bytes each    the dimensions, unsigned
    the rest        the items, the last dimension running fastest

A file may be gzipped; its first bytes tell, not its name, for browsers unpack files and keep the name, or the reverse.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.datasets.dataset import Array
from chainrule.errors import DataError, DataFileError

TYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
GZIP_MAGIC = b"\x1f\x8b"
CONTENTS = {1: "labels", 3: "images"}
IMPOSTORS = {
    b"<": "an HTML page (a download that failed: open it to read why)",
    b"PK": "a zip archive (unpack it first)",
    b"\x93NUMPY": "a NumPy file (use numpy.load)",
    GZIP_MAGIC: "a gzip file inside a gzip file (unpack it once)",
    b"version https://git-lfs": "a Git LFS pointer (run git lfs pull)",
}

GZIP_LARGEST_RATIO = 1032  # deflate spends at least 2 bits on a run of 258 bytes
MOST_DIMENSIONS = 32  # what NumPy 1 can hold
BLOCK = 1 << 18


def read_idx(path: str | os.PathLike[str], *, expected_dims: int | None = None) -> Array:
    """The array in an IDX file, gzipped or not, in the machine's own byte order.

    Memory grows with what the file really holds, never with what its header says: the sizes are compared in exact
    arithmetic first, and no more is unpacked than the header speaks of, and a small buffer to see that nothing follows.

    Shapes: as the header says; MNIST's images are (N, H, W) and its labels (N,).

    Arguments:
        path: the file. Its name does not matter.
        expected_dims: the number of dimensions the array must have: 3 for images, 1 for labels, None for any.

    Raises:
        DataFileError: the file is missing, empty, truncated, damaged, something else than IDX, or holds more, less or
            other things than its header or ``expected_dims`` says.

    Source: "The IDX file format", on the MNIST page of Y. LeCun, C. Cortes and C. Burges.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_idx(f"{folder}/labels.gz", np.array([5, 0, 4], "uint8"))
    ...     read_idx(f"{folder}/labels.gz", expected_dims=1)
    array([5, 0, 4], dtype=uint8)
    """
    path = Path(path)
    with _faults_named(path), path.open("rb") as file:
        on_disk = os.fstat(file.fileno()).st_size
        if on_disk == 0:
            raise DataFileError(f"{path}: is empty (0 bytes), expected an IDX file. Delete it and fetch it again.")
        zipped = file.peek(2)[:2] == GZIP_MAGIC
        stream = gzip.GzipFile(fileobj=file) if zipped else file
        dtype, shape = _read_header(stream, path, expected_dims)

        promised = math.prod(shape) * dtype.itemsize
        room = on_disk * (GZIP_LARGEST_RATIO if zipped else 1) - 4 - 4 * len(shape)
        if promised > room or (promised < room and not zipped):
            raise _disagreement(path, dtype, shape, f"{'at most ' if zipped else ''}{room:,} bytes")
        data = bytearray()
        with suppress(EOFError):
            while len(data) < promised and (block := stream.read1(min(BLOCK, promised - len(data)))):
                data += block
        if len(data) < promised:
            raise _disagreement(path, dtype, shape, f"{len(data):,} bytes")
        if stream.read(1):
            raise _disagreement(path, dtype, shape, "more")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def write_idx(path: str | os.PathLike[str], array: npt.ArrayLike) -> None:
    """Write an array as an IDX file, gzipped if the name ends in .gz, so that `read_idx` and `mnist(folder)` read it.

    Arguments:
        path: the file to write; what was there before is replaced.
        array: at least one item and one dimension, of type uint8, int8, int16, int32, float32 or float64.

    Raises:
        DataError: an array that IDX cannot hold.

    >>> write_idx("labels.gz", np.array([5, 0, 4], "int64"))
    Traceback (most recent call last):
    chainrule.errors.DataError: IDX holds uint8, int8, int16, int32, float32, float64, received int64.
    Convert it: array.astype('int32').
    """
    array = np.asarray(array)
    code = next((code for code, dtype in TYPES.items() if dtype == array.dtype.newbyteorder(">")), None)
    if code is None:
        known = ", ".join(dtype.newbyteorder("=").name for dtype in TYPES.values())
        raise DataError(f"IDX holds {known}, received {array.dtype}. Convert it: array.astype('int32').")
    if array.size == 0 or not 1 <= array.ndim <= MOST_DIMENSIONS:
        raise DataError(f"IDX holds at least one item in 1 to {MOST_DIMENSIONS} dimensions, received {array.shape}.")
    content = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape) + array.astype(TYPES[code]).tobytes()
    path = Path(path)
    path.write_bytes(gzip.compress(content, compresslevel=6, mtime=0) if path.suffix == ".gz" else content)


def _read_header(
    stream: BufferedReader | gzip.GzipFile, path: Path, expected_dims: int | None
) -> tuple[np.dtype[Any], tuple[int, ...]]:
    start = stream.peek(64)[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    magic = stream.read(4)
    if magic[:2] != b"\0\0":
        what = next((name for begin, name in IMPOSTORS.items() if start.startswith(begin)), "something else")
        raise DataFileError(
            f"{path}: expected an IDX file, which begins with the bytes 00 00, received "
            f"{magic.hex(' ') or 'nothing'}: it is {what}."
        )
    if len(magic) < 4:
        raise EOFError
    code, dims = magic[2:]
    if code not in TYPES:
        known = ", ".join(f"0x{code:02X} {dtype.newbyteorder('=')}" for code, dtype in TYPES.items())
        raise DataFileError(
            f"{path}: expected a type code of IDX ({known}), received 0x{code:02X}. "
            "The file is damaged or not IDX: fetch it again."
        )
    if expected_dims is not None and dims != expected_dims:
        raise DataFileError(
            f"{path}: expected {_contents(code, expected_dims)}, received {_contents(code, dims)}. "
            "Are two files swapped or misnamed?"
        )
    if not 1 <= dims <= MOST_DIMENSIONS:
        raise DataFileError(
            f"{path}: expected 1 to {MOST_DIMENSIONS} dimensions, received {dims}. The file is damaged: fetch it again."
        )
    sizes = stream.read(4 * dims)
    if len(sizes) < 4 * dims:
        raise EOFError
    shape = struct.unpack(f">{dims}I", sizes)
    if 0 in shape:
        raise DataFileError(f"{path}: holds no items: its header says {_times(shape)}. Fetch it again.")
    return TYPES[code], shape


def _contents(code: int, dims: int) -> str:
    plural = "" if dims == 1 else "s"
    return f"{CONTENTS.get(dims, 'an array')} ({dims} dimension{plural}, magic 0x{code << 8 | dims:08X})"


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _disagreement(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...], held: str) -> DataFileError:
    promised = math.prod(shape) * dtype.itemsize
    return DataFileError(
        f"{path}: its header says {_times(shape)} items of {dtype.newbyteorder('=')}, that is {promised:,} bytes, but "
        f"the file holds {held}. It was cut short or added to, or its header is wrong: delete it and fetch it again."
    )


@contextmanager
def _faults_named(path: Path) -> Iterator[None]:
    """Whatever the system or gzip raises becomes one DataFileError that names the file and the way out."""
    try:
        if path.is_dir():
            raise DataFileError(f"{path}: is a folder, expected an IDX file. Name a file inside it.")
        if path.exists() and not path.is_file():
            raise DataFileError(f"{path}: is a device or a pipe, expected an IDX file. Save the data to a file first.")
        yield
    except DataFileError:
        raise
    except FileNotFoundError as fault:
        raise DataFileError(f"{path}: there is no such file, expected an IDX file. Check the path.") from fault
    except EOFError as fault:
        raise DataFileError(f"{path}: ends early, before its end mark. Delete it and fetch it again.") from fault
    except (gzip.BadGzipFile, zlib.error) as fault:
        trailing = str(fault).startswith("Not a gzipped file")
        what = "something follows its gzip data" if trailing else f"its gzip data are damaged ({fault})"
        raise DataFileError(f"{path}: {what}. Delete it and fetch it again.") from fault
    except OSError as fault:
        raise DataFileError(f"{path}: cannot be read ({fault.strerror or fault}). Check its permissions.") from fault
