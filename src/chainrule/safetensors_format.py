"""The safetensors format under a seal: named arrays and a few words in one file, checked before it is believed.

    8 bytes   the length of the header, little-endian
    header    JSON: "__metadata__" holds the words; every tensor has its dtype, its shape and its place in the data
    data      the tensors, little-endian, last axis fastest, one behind the other without a gap

Any safetensors reader opens such a file. The format itself has no checksum, so one of the words is the seal: "sha256",
taken over the whole file with its own 64 digits set to zero. We write the format ourselves because the base install is
NumPy alone, because a reader must refuse before it allocates, and because the safetensors package (0.8.0) stores wrong
numbers for arrays that are not contiguous (its issue 825). In the tests it reads our files, and we read its.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from reprlib import Repr
from typing import Any, BinaryIO, NamedTuple

import numpy as np

import chainrule
from chainrule.atomic_write import write_atomically
from chainrule.errors import CheckpointError
from chainrule.layers.layer import Array, Shape

FORMAT, FORMAT_VERSION = "chainrule", 1
DTYPES: dict[str, np.dtype[Any]] = {
    code: np.dtype(kind)
    for code, kind in {"F32": "<f4", "F64": "<f8", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "?"}.items()
}
LONGEST_HEADER = 16 << 20  # bytes; ours have a few thousand
MOST_DIMENSIONS = 32  # what NumPy 1 can hold
UNSEALED = "0" * 64

_REPR = Repr()  # cuts long things short: a name in a hostile file may have millions of letters
_REPR.maxstring = 100
brief = _REPR.repr

COPY = "Build the same network here and copy the arrays in: layer.W = array."
IMPOSTORS = {  # how other files begin, what they are, and the way out
    rb"\x80[\x02-\x05]|c[\w.]+\n[\w.]+\n": "a pickle, which can run any program when it is opened, so chainrule never "
    "reads one. Where it came from, save the network with cr.save, or its arrays as safetensors.",
    rb"PK\x03\x04.*data\.pkl": "a PyTorch file: a pickle, which can run any program, so chainrule never reads one. "
    "Build the same network here and copy the weights in: layer.W = linear.weight.detach().numpy().T.",
    rb"PK\x03\x04.*\.npy": f"a NumPy archive (.npz). {COPY}",
    rb"PK\x03\x04": f"a zip archive, perhaps a .keras file. {COPY}",
    rb"\x93NUMPY": f"a NumPy array (.npy). {COPY}",
    rb"\x89HDF": f"an HDF5 file, perhaps of Keras (.h5). {COPY}",
    rb"\x08[\x01-\x20][\x12\x1a\x2a\x32\x3a\x42]": f"an ONNX file. {COPY}",
    rb"\x1f\x8b": "a gzip file. Unpack it first.",
    rb"version https://git-lfs": "a Git LFS pointer. Run git lfs pull.",
    rb"(?i)\s*<(!doctype|html|\?xml)": "an HTML page: a download that failed. Open it to read why.",
    rb"\0+\Z": "nothing but zeros: a write or a download that did not finish. Fetch it again.",
    rb"[\t\n\r -~]+\Z": "text. Name the file that cr.save wrote.",
}


class Place(NamedTuple):
    """Where a tensor lies in the data, and what it is."""

    begin: int
    end: int
    dtype: np.dtype[Any]
    shape: Shape


def write(path: str | os.PathLike[str], tensors: Mapping[str, Array], words: Mapping[str, str]) -> None:
    """Write arrays of the DTYPES, none of them empty, and words under a seal. The same contents give the same bytes.

    Raises      CheckpointError, without the path in its message, with the old file as it was
    """
    entries, pieces, end = {}, [], 0
    for name, array in tensors.items():
        dtype = array.dtype.newbyteorder("<")
        piece = array.astype(dtype, copy=False).ravel()  # C order, whatever order the array has
        pieces.append(piece.data.cast("B"))
        code = next(code for code, known in DTYPES.items() if known == dtype)
        entries[name] = {"dtype": code, "shape": array.shape, "data_offsets": [end, end + piece.nbytes]}
        end += piece.nbytes
    metadata = {"format": FORMAT, "format_version": str(FORMAT_VERSION), "chainrule_version": chainrule.__version__}
    metadata |= words
    unsealed = _header(metadata | {"sha256": UNSEALED}, entries)
    header = _header(metadata | {"sha256": _sha256([unsealed, *pieces])}, entries)
    with _faults_named("written"):
        if len(header) > LONGEST_HEADER:
            raise CheckpointError(f"would have a header of {len(header):,} bytes, and none longer is ever read.")
        if os.path.isdir(path):
            raise CheckpointError("is a folder. Name a file inside it, such as model.safetensors.")
        write_atomically(path, [header, *pieces])


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, str]]:
    """The tensors (read-only, in little-endian order) and the words of a file whose seal holds.

    Memory is taken for the data only when every size and place has been found right, and never more than the file has.

    Raises      CheckpointError, without the path in its message, for everything that is not such a file
    """
    with _faults_named("read"):
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise CheckpointError(
                "is a folder, expected a model file. Name a file inside it, such as model.safetensors."
            )
        if not stat.S_ISREG(mode):
            raise CheckpointError("is a device or a pipe, expected a model file. Save the model to a file first.")
        with open(path, "rb") as file:
            return _read(file, os.fstat(file.fileno()).st_size)


def strict_json(text: str) -> Any:
    """JSON without what Python adds to it or lets pass: no NaN, no Infinity, no key twice, no bottomless nesting."""
    try:
        return json.loads(text, object_pairs_hook=_each_once, parse_constant=_refuse_constant)
    except RecursionError:
        raise CheckpointError("its JSON is nested too deeply. The file is damaged or hostile.") from None
    except ValueError as fault:
        raise CheckpointError(f"its JSON cannot be read ({str(fault)[:200]}). The file is damaged.") from fault


def _read(file: BinaryIO, size: int) -> tuple[dict[str, Array], dict[str, str]]:
    start = file.read(256)
    length = int.from_bytes(start[:8], "little")
    if size < 8 or start[8:9] != b"{" or length > min(LONGEST_HEADER, size - 8):
        raise CheckpointError(_what_else(start, size, length))
    file.seek(8)
    header = file.read(length)
    try:
        entries = strict_json(header.decode("utf-8"))
    except UnicodeDecodeError as fault:
        raise CheckpointError(f"its header is not UTF-8 ({fault.reason}). The file is damaged.") from fault
    metadata = entries.pop("__metadata__", {})
    _check_ours(metadata, entries)

    room = size - 8 - length
    places = {name: _place(name, entry, room) for name, entry in entries.items()}
    _check_tiling(places, room)

    data = file.read(room)
    seal = metadata.get("sha256", "")
    if not re.fullmatch("[0-9a-f]{64}", seal):
        raise CheckpointError("its seal (sha256) is missing. The file is damaged.")
    unsealed = header.replace(seal.encode("ascii"), UNSEALED.encode("ascii"))
    if len(data) != room or _sha256([start[:8], unsealed, data]) != seal:
        raise CheckpointError(
            "its seal is broken: the bytes are not those that were saved (SHA-256 differs). The file was damaged or "
            "changed: copy it again from where it came."
        )
    tensors = {
        name: np.frombuffer(data, place.dtype, math.prod(place.shape), place.begin).reshape(place.shape)
        for name, place in places.items()
    }
    for name, array in tensors.items():
        if array.dtype == bool and array.view(np.uint8).max() > 1:
            raise CheckpointError(f"its tensor {brief(name)} must be of 0 and 1. The file is damaged.")
    return tensors, metadata


def _check_ours(metadata: Any, entries: dict[str, Any]) -> None:
    if not isinstance(metadata, dict) or not all(isinstance(word, str) for word in metadata.values()):
        raise CheckpointError("its __metadata__ must be text by name. The file is damaged.")
    if metadata.get("format") != FORMAT:
        names = ", ".join(brief(name) for name in list(entries)[:5]) + (", ..." if len(entries) > 5 else "")
        raise CheckpointError(
            f"is a safetensors file that holds the tensors {names or '(none)'} but no chainrule architecture. {COPY}"
        )
    version = metadata.get("format_version", "")
    if re.fullmatch("[1-9][0-9]{0,8}", version) and int(version) > FORMAT_VERSION:
        raise CheckpointError(
            f"was written by chainrule {brief(metadata.get('chainrule_version'))} (format {version}), and this is "
            f"chainrule {chainrule.__version__} (format {FORMAT_VERSION}). Upgrade: pip install --upgrade chainrule."
        )
    if version != str(FORMAT_VERSION):
        raise CheckpointError(f"has the unknown format version {brief(version)}. The file is damaged.")


def _place(name: str, entry: Any, room: int) -> Place:
    """An entry of the header, if it is one: in Python's whole numbers, where nothing can overflow."""
    try:
        dtype, shape, (begin, end) = DTYPES[entry["dtype"]], entry["shape"], entry["data_offsets"]
        right = (
            len(entry) == 3
            and isinstance(shape, list)
            and len(shape) <= MOST_DIMENSIONS
            and all(type(width) is int and 1 <= width <= room for width in shape)
            and all(type(place) is int and 0 <= place <= room for place in (begin, end))
            and math.prod(shape) * dtype.itemsize == end - begin
        )
    except (KeyError, TypeError, ValueError):
        right = False
    if not right:
        raise CheckpointError(
            f"its header says of tensor {brief(name)}: {brief(entry)}, expected a dtype ({', '.join(DTYPES)}), a "
            f"shape, and data_offsets of just that size within the {room:,} bytes of data. The file is damaged."
        )
    return Place(begin, end, dtype, tuple(shape))


def _check_tiling(places: Mapping[str, Place], room: int) -> None:
    end = 0
    for name, place in sorted(places.items(), key=lambda item: item[1].begin):
        if place.begin != end:
            fault = "overlaps" if place.begin < end else "leaves a hole behind"
            raise CheckpointError(f"its tensor {brief(name)} {fault} the one before it. The file is damaged.")
        end = place.end
    if end != room:
        raise CheckpointError(
            f"its header speaks of {end:,} bytes of data, but the file holds {room:,}. It was cut short or added to: "
            "copy it again from where it came."
        )


def _what_else(start: bytes, size: int, length: int) -> str:
    expected = "expected a model file (.safetensors, written by cr.save)"
    if size == 0:
        return f"is empty (0 bytes), {expected}. Save the network again."
    if size < 8 or (start[8:9] in (b"", b"{") and size - 8 < length <= LONGEST_HEADER):
        return f"ends within its header after {size:,} bytes, {expected}. It was cut short: copy it again."
    for pattern, what in IMPOSTORS.items():
        if re.match(pattern, start, re.DOTALL):
            return f"{expected}, but it is {what}"
    return f"{expected}, but its first bytes are {start[:8].hex(' ')}: something else, or damaged. Check the path."


@contextmanager
def _faults_named(done: str) -> Iterator[None]:
    """Whatever the system says becomes one CheckpointError with the way out."""
    try:
        yield
    except CheckpointError:
        raise
    except MemoryError as fault:
        raise CheckpointError("is too large for the memory of this machine.") from fault
    except FileNotFoundError as fault:
        what = "file" if done == "read" else "folder to write it into"
        raise CheckpointError(f"there is no such {what}. Check the path.") from fault
    except (OSError, ValueError) as fault:  # ValueError: a path with a NUL in it
        advice = "" if done == "read" else "What was there before is untouched. Make room, or check "
        reason = getattr(fault, "strerror", None) or fault
        raise CheckpointError(
            f"cannot be {done} ({reason}). {advice or 'Check '}the path and its permissions."
        ) from fault


def _header(metadata: Mapping[str, str], entries: Mapping[str, Any]) -> bytes:
    text = json.dumps({"__metadata__": metadata, **entries}, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 8)  # so that the data begin at a multiple of 8
    return len(text).to_bytes(8, "little") + text


def _sha256(pieces: Iterable[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("a key stands there twice")
    return entries


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
