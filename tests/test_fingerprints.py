"""Data have the same fingerprint when they are the same numbers, and the difference is named when they are not."""

import tracemalloc

import numpy as np
import pytest

import chainrule as cr
from chainrule import checkpoints, fingerprints

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((1000, 7)), rng.integers(0, 10, 1000)
ONE = checkpoints.fingerprint(X, Y)


class Source:
    """The least that data may be: it has a length and gives slices of rows."""

    def __init__(self, array):
        self.array, self.longest = array, 0

    def __len__(self):
        return len(self.array)

    def __getitem__(self, rows):
        assert isinstance(rows, slice) and rows.step is None
        self.longest = max(self.longest, rows.stop - rows.start)
        return self.array[rows]


def on_disk(folder):
    np.save(folder / "x.npy", X)
    return np.load(folder / "x.npy", mmap_mode="r")


SAME = {
    "a copy": lambda _: X.copy(),
    "a list": lambda _: X.tolist(),
    "Fortran order": lambda _: np.asfortranarray(X),
    "every other row of twice as many": lambda _: np.repeat(X, 2, axis=0)[::2],
    "big-endian": lambda _: X.astype(">f8"),
    "a file on disk": on_disk,
    "a source of slices": lambda _: Source(X),
    "a table": lambda _: pytest.importorskip("pandas").DataFrame(X, index=np.arange(1000)[::-1]),
    "a sparse matrix": lambda _: pytest.importorskip("scipy.sparse").csr_array(X),
}


@pytest.mark.parametrize("make", SAME.values(), ids=SAME)
@pytest.mark.parametrize("chunk", [fingerprints.CHUNK, 500])
def test_the_same_numbers_have_the_same_fingerprint(make, chunk, tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprints, "CHUNK", chunk)
    assert checkpoints.fingerprint(make(tmp_path), Y) == ONE


def test_it_is_dtype_shape_and_sha256_of_the_numbers():
    import hashlib

    x, y = (hashlib.sha256(array.tobytes()).hexdigest() for array in (X, Y))
    assert f"x float64 (1000, 7) {x}; y int64 (1000,) {y}" == ONE


def moved(array):
    array = array.copy()
    array.ravel()[-1] += 1
    return array


@pytest.mark.parametrize(
    ("x", "y", "faults"),
    [
        (X, Y, []),
        (moved(X), Y, ["x float64 (1000, 7) has other contents"]),
        (X, moved(Y), ["y int64 (1000,) has other contents"]),
        (X[:-1], Y[:-1], ["x float64 (999, 7) was x float64 (1000, 7)", "y int64 (999,) was y int64 (1000,)"]),
        (X.astype("f4"), Y, ["x float32 (1000, 7) was x float64 (1000, 7)"]),
        (X.reshape(1000, 7, 1), Y, ["x float64 (1000, 7, 1) was x float64 (1000, 7)"]),
        (X[:0], Y, ["x float64 (0, 7) was x float64 (1000, 7)"]),
        (X[::-1], Y, ["x float64 (1000, 7) has other contents"]),
    ],
)
def test_differences_are_named(x, y, faults):
    assert fingerprints.differences(ONE, checkpoints.fingerprint(x, y)) == faults


@pytest.mark.parametrize(
    "x", [["a", "b"], np.array(["a"]), np.array([None, {}]), np.zeros(2, "M8[s]"), np.ones(2) * 1j]
)
def test_only_numbers_have_a_fingerprint(x):
    with pytest.raises(cr.DataError, match="x: "):
        checkpoints.fingerprint(x, Y)


def test_large_data_are_read_in_slices():
    source = Source(np.zeros((100, 200_000)))
    tracemalloc.start()
    try:
        checkpoints.fingerprint(source, Y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert source.longest < 10
    assert peak < 2 * fingerprints.CHUNK
