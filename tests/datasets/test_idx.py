"""IDX files, good and bad: what is written comes back, and whatever is wrong with a file is named, cheaply."""

from __future__ import annotations

import gzip
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from chainrule.datasets import read_idx, write_idx
from chainrule.errors import DataError, DataFileError

DTYPES = ("uint8", "int8", "int16", "int32", "float32", "float64")
CODES = (0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E)


def header(*shape: int, code: int = 0x08) -> bytes:
    return struct.pack(f">HBB{len(shape)}I", 0, code, len(shape), *shape)


IMAGES = header(10, 4, 3) + bytes(range(120))
ZIPPED = gzip.compress(IMAGES, mtime=0)
INCOMPRESSIBLE = np.random.default_rng(0).bytes(5000)
LONG_ZIPPED = gzip.compress(header(5000) + INCOMPRESSIBLE, mtime=0)


def flipped(content: bytes, at: int) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 0xFF
    return bytes(changed)


@pytest.mark.parametrize("name", ["a-idx3-ubyte", "a-idx3-ubyte.gz", "a.txt"])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(("dtype", "code"), list(zip(DTYPES, CODES, strict=True)))
def test_reads_every_type_by_content_not_by_name(tmp_path, dtype, code, zipped, name):
    values = np.array([[0, 1, 2], [100, 126, 127]], dtype) if dtype[0] != "f" else np.array([[0.5, -2, 1e30]], dtype)
    content = header(*values.shape, code=code) + values.astype(values.dtype.newbyteorder(">")).tobytes()
    (tmp_path / name).write_bytes(gzip.compress(content) if zipped else content)
    array = read_idx(tmp_path / name)
    assert array.dtype == np.dtype(dtype)
    assert array.dtype.isnative
    assert array.flags.c_contiguous
    assert array.flags.writeable
    np.testing.assert_array_equal(array, values)


def test_big_endian_numbers_are_read_as_such(tmp_path):
    (tmp_path / "a").write_bytes(bytes.fromhex("00000b01 00000002 0102 fffe"))
    assert read_idx(tmp_path / "a").tolist() == [258, -2]


def test_two_gzip_members_are_one_file_as_gzip_defines(tmp_path):
    (tmp_path / "a").write_bytes(gzip.compress(IMAGES[:50]) + gzip.compress(IMAGES[50:]))
    assert read_idx(tmp_path / "a").tobytes() == IMAGES[16:]


shapes = hnp.array_shapes(max_dims=4, max_side=5)
arrays = st.sampled_from(DTYPES).flatmap(lambda dtype: hnp.arrays(dtype, shapes))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(array=arrays, suffix=st.sampled_from(["", ".gz"]))
def test_what_is_written_is_read(tmp_path_factory, array, suffix):
    path = tmp_path_factory.getbasetemp() / f"round-trip{suffix}"
    write_idx(path, array)
    assert (path.read_bytes()[:2] == b"\x1f\x8b") == (suffix == ".gz")
    back = read_idx(path, expected_dims=array.ndim)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_writing_takes_any_memory_layout_and_byte_order(tmp_path):
    array = np.arange(24, dtype=">i4").reshape(4, 6).T[::2]
    write_idx(tmp_path / "a", array)
    np.testing.assert_array_equal(read_idx(tmp_path / "a"), array)


def test_writing_twice_gives_the_same_bytes(tmp_path):
    for name in ("a.gz", "b.gz"):
        write_idx(tmp_path / name, np.arange(9, dtype="uint8"))
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.zeros(3, "int64"), r"received int64\. Convert it: array\.astype\('int32'\)"),
        (np.array(["5"]), r"received <U1"),
        (np.array([None]), r"received object"),
        (np.zeros((0, 3), "uint8"), r"at least one item .* received \(0, 3\)"),
        (np.uint8(3), r"1 to 32 dimensions, received \(\)"),
    ],
)
def test_writing_refuses_what_cannot_be_read_back(tmp_path, array, text):
    with pytest.raises(DataError, match=text):
        write_idx(tmp_path / "a", array)
    assert not (tmp_path / "a").exists()


# What is wrong with the file: its bytes, and the text that must name it.
BAD = {
    "empty": (b"", r"is empty \(0 bytes\)"),
    "empty inside gzip": (gzip.compress(b""), r"which begins with the bytes 00 00, received nothing"),
    "one byte": (b"\0", r"which begins with the bytes 00 00, received 00"),
    "three bytes": (b"\0\0\x08", r"ends early.*fetch it again"),
    "header cut": (IMAGES[:9], r"ends early.*fetch it again"),
    "header cut inside gzip": (gzip.compress(IMAGES[:9]), r"ends early.*fetch it again"),
    "data cut": (IMAGES[:-1], r"says 10 x 4 x 3 items of uint8, that is 120 bytes, but the file holds 119 bytes"),
    "data cut inside gzip": (gzip.compress(IMAGES[:-1]), r"that is 120 bytes, but the file holds 119 bytes"),
    "gzip cut in its header": (ZIPPED[:5], r"ends early.*fetch it again"),
    "gzip cut in the data": (LONG_ZIPPED[:3000], r"that is 5,000 bytes, but the file holds 2,\d\d\d bytes"),
    "gzip cut before the checksum": (ZIPPED[:-8], r"ends early, before its end mark"),
    "gzip cut in the checksum": (ZIPPED[:-3], r"ends early, before its end mark"),
    "gzip checksum wrong": (flipped(ZIPPED, -8), r"gzip data are damaged \(CRC check failed"),
    "gzip length wrong": (flipped(ZIPPED, -4), r"gzip data are damaged \(Incorrect length"),
    "gzip data wrong": (flipped(ZIPPED, 10), r"gzip data are damaged"),
    "gzip method wrong": (flipped(ZIPPED, 2), r"gzip data are damaged \(Unknown compression method"),
    "garbage after gzip": (ZIPPED + b"garbage", r"something follows its gzip data"),
    "second member after gzip": (ZIPPED + gzip.compress(b"x"), r"that is 120 bytes, but the file holds more"),
    "garbage after data": (IMAGES + b"x", r"that is 120 bytes, but the file holds 121 bytes.*added to"),
    "garbage after data inside gzip": (gzip.compress(IMAGES + b"x"), r"that is 120 bytes, but the file holds more"),
    "says 60000, has 10": (header(60000, 28, 28) + bytes(7840), r"says 60000 x 28 x 28 .* 47,040,000 .* 7,840 bytes"),
    "gzip says 60000, has 10": (
        gzip.compress(header(60000) + INCOMPRESSIBLE[:100]),
        r"says 60000 items .* 60,000 bytes, but the file holds 100 bytes",
    ),
    "memory bomb": (header(2**32 - 1, 2**32 - 1) + bytes(9), r"18,446,744,065,119,617,025 .* holds 9 bytes"),
    "memory bomb inside gzip": (gzip.compress(header(2**32 - 1, 2**32 - 1)), r"holds at most \d\d,\d\d\d bytes"),
    "255 dimensions of 2^32 - 1": (header(*[2**32 - 1] * 255), r"expected 1 to 32 dimensions, received 255"),
    "no dimensions": (header(), r"expected 1 to 32 dimensions, received 0"),
    "no images": (header(0, 28, 28), r"holds no items: its header says 0 x 28 x 28"),
    "no columns": (header(2**32 - 1, 28, 0), r"holds no items: its header says 4294967295 x 28 x 0"),
    "unknown type": (header(3, code=0x0A) + b"abc", r"received 0x0A"),
    "unknown type tells the known": (header(3, code=0) + b"abc", r"0x08 uint8, .*0x0D float32, 0x0E float64\)"),
    "little-endian header": (struct.pack("<4I", 0x803, 1, 1, 1) + b"x", r"received 03 08 00 00: it is something else"),
    "HTML": (b"<!DOCTYPE html><html>404</html>", r"it is an HTML page"),
    "HTML after blank lines": (b"\n \r\n<html>", r"received 0a 20 0d 0a: it is an HTML page"),
    "HTML after a byte order mark": (b"\xef\xbb\xbf<html>", r"it is an HTML page"),
    "HTML inside gzip": (gzip.compress(b"<html>404</html>"), r"it is an HTML page"),
    "zip": (b"PK\x03\x04...", r"it is a zip archive \(unpack it first\)"),
    "npy": (b"\x93NUMPY\x01\0", r"it is a NumPy file \(use numpy.load\)"),
    "gzip inside gzip": (gzip.compress(ZIPPED), r"it is a gzip file inside a gzip file"),
    "Git LFS pointer": (b"version https://git-lfs.github.com/spec/v1", r"it is a Git LFS pointer"),
    "random bytes": (INCOMPRESSIBLE, r"it is something else"),
}


@pytest.mark.parametrize(("content", "text"), list(BAD.values()), ids=list(BAD))
def test_a_bad_file_is_named(tmp_path, content, text):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(DataFileError, match=text) as caught:
        read_idx(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert isinstance(caught.value, OSError)


@pytest.mark.parametrize(
    ("shape", "expected", "text"),
    [
        (
            (3,),
            3,
            r"expected images \(3 dimensions, magic 0x00000803\), received labels \(1 dimension, magic 0x00000801",
        ),
        ((3, 1, 1), 1, r"expected labels \(1 dimension, magic 0x00000801\), received images \(3 dimensions"),
        ((3, 1), 1, r"received an array \(2 dimensions, magic 0x00000802\)\. Are two files swapped or misnamed\?"),
    ],
)
def test_another_kind_of_file_is_named(tmp_path, shape, expected, text):
    write_idx(tmp_path / "a", np.zeros(shape, "uint8"))
    with pytest.raises(DataFileError, match=text):
        read_idx(tmp_path / "a", expected_dims=expected)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataFileError, match=r"nowhere: there is no such file.*Check the path"):
        read_idx(str(tmp_path / "nowhere"))


def test_a_folder_is_named(tmp_path):
    with pytest.raises(DataFileError, match=r"is a folder, expected an IDX file"):
        read_idx(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes in the file system are of Unix")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataFileError, match=r"is a device or a pipe"):
        read_idx(tmp_path / "pipe")


def test_a_forbidden_file_is_named(tmp_path, monkeypatch):
    def forbid(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    write_idx(tmp_path / "a", np.zeros(3, "uint8"))
    monkeypatch.setattr(Path, "open", forbid)
    with pytest.raises(DataFileError, match=r"a: cannot be read \(Permission denied\)\. Check its permissions"):
        read_idx(tmp_path / "a")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(header(2**32 - 1, 2**32 - 1) + bytes(100), id="raw header"),
        pytest.param(gzip.compress(header(2**32 - 1, 2**32 - 1) + bytes(100)), id="gzipped header"),
        pytest.param(gzip.compress(header(10) + bytes(2 * 10**8), compresslevel=1), id="gzip that unpacks to 200 MB"),
        pytest.param(gzip.compress(header(10**6) + INCOMPRESSIBLE), id="promise the ratio of gzip would allow"),
    ],
)
def test_a_bomb_costs_no_memory(tmp_path, content):
    path = tmp_path / "bomb"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(DataFileError):
            read_idx(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("whole", [IMAGES, ZIPPED], ids=["raw", "gzipped"])
def test_a_file_cut_anywhere_is_refused(tmp_path, whole):
    path = tmp_path / "cut"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DataFileError):
            read_idx(path)


@pytest.mark.parametrize("whole", [IMAGES, ZIPPED], ids=["raw", "gzipped"])
def test_no_changed_byte_raises_anything_else(tmp_path, whole):
    path = tmp_path / "changed"
    for at in range(min(len(whole), 40)):
        for value in (0, 1, 2, 4, 9, 0x7F, 0x80, 0xFF):
            path.write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
            try:
                read_idx(path)
            except DataFileError as error:
                assert str(path) in str(error)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(
    start=st.sampled_from([b"", b"\0\0", b"\0\0\x08", b"\0\0\x0d\x01", b"\x1f\x8b", b"\x1f\x8b\x08\0"]),
    rest=st.binary(max_size=40),
    zipped=st.booleans(),
)
def test_no_bytes_raise_anything_else(tmp_path_factory, start, rest, zipped):
    path = tmp_path_factory.getbasetemp() / "any-bytes"
    path.write_bytes(gzip.compress(start + rest) if zipped else start + rest)
    try:
        read_idx(path)
    except DataFileError as error:
        assert str(path) in str(error)
