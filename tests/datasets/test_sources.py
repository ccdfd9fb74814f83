"""Rows that memory may not hold: whatever they come from, training is the same, to the bit, and little is held."""

import copy
import pickle
import subprocess
import sys
import textwrap
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import chainrule as cr
from chainrule.datasets import Source

ROOT = Path(__file__).parents[2]
N, D, BLOCK, WINDOW = 213, 5, 16, 3
rng = np.random.default_rng(0)
X = rng.standard_normal((N, D)).astype("float32")
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


class Rows:
    """The least that can be asked: a length, and slices from one row to a later one. Writes down what was read."""

    def __init__(self, rows):
        self.rows, self.read = rows, []

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, rows):
        assert isinstance(rows, slice) and rows.step is None and 0 <= rows.start < rows.stop <= len(self.rows)
        self.read.append((rows.start, rows.stop))
        return self.rows[rows.start : rows.stop]


class Memory:
    """A source that is not a Source: all that the core asks for, over an array. The order is borrowed."""

    def __init__(self, x, like):
        self.x, self.shape, self.dtype, self.order = x, x.shape, x.dtype, like.order

    def __getitem__(self, rows):
        return self.x[rows]

    def take(self, rows, axis=0):
        return self.x.take(rows, axis)


def small(rows=X, block=BLOCK, window=WINDOW):
    return Source(rows, block=block, window=window)


def on_disk(folder, x=X):
    path = folder / "x.dat"
    x.tofile(path)
    return np.memmap(path, x.dtype, "r", shape=x.shape)


def in_h5(folder, x=X, **options):
    h5py = pytest.importorskip("h5py")
    return h5py.File(folder / "x.h5", "w").create_dataset("x", data=x, **options)


KINDS = {
    "array": lambda folder: X,
    "list": lambda folder: Rows(list(X)),
    "memmap": on_disk,
    "h5py": in_h5,
    "h5py in chunks": lambda folder: in_h5(folder, chunks=(BLOCK, 2), compression="gzip"),
    "own class": lambda folder: Rows(X),
}


@pytest.fixture(params=KINDS)
def source(request, tmp_path):
    rows = KINDS[request.param](tmp_path)
    yield small(rows)
    if request.param.startswith("h5py"):
        rows.file.close()


def trainer(**options):
    layers = cr.Standardize(), cr.Linear(D, 7), cr.BatchNorm(), cr.ReLU(), cr.Dropout(0.3), cr.Linear(7, 3)
    optimizer = cr.SGD(cr.OneCycle(0.2), momentum=0.9)
    options = {"batch_size": 10, "seed": 3} | options
    return cr.Trainer(cr.Network(*layers, seed=1), "cross_entropy", optimizer, **options)


def outcome(trained):
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in trained.history]
    return trained.network.params.tobytes(), trained.network.state.tobytes(), trained.history.steps, rows


def fitted(x, epochs=3, trained=None, **options):
    trained = trained or trainer()
    trained.fit(x, Y, epochs, **options)
    return outcome(trained)


# The rows -------------------------------------------------------------------------------------------------------------

sizes = st.integers(1, 60)


@given(n=sizes, block=sizes, window=st.integers(1, 8), batch=sizes, seed=st.integers(0, 99))
@settings(deadline=None, max_examples=300, derandomize=True)
def test_an_epoch_has_every_row_once_and_reads_every_block_once(n, block, window, batch, seed):
    x = np.arange(2 * n).reshape(n, 2)
    rows = Rows(x)
    source = small(rows, block, window)
    rows.read.clear()
    order = source.order(np.random.default_rng(seed))
    np.testing.assert_array_equal(np.sort(order), np.arange(n))
    for start in range(0, n, batch):
        some = order[start : start + batch]
        np.testing.assert_array_equal(source.take(some), x[some])
    assert sorted(rows.read) == [(start, min(start + block, n)) for start in range(0, n, block)]


@given(n=sizes, block=sizes, window=st.integers(1, 8), data=st.data())
@settings(deadline=None, max_examples=300, derandomize=True)
def test_any_rows_in_any_order(n, block, window, data):
    x = np.arange(2 * n).reshape(n, 2)
    source = small(x, block, window)
    for some in data.draw(st.lists(st.lists(st.integers(0, n - 1)), max_size=4)):
        taken = source.take(some)
        assert taken.dtype == x.dtype
        np.testing.assert_array_equal(taken, x[np.array(some, int)])
    start, stop = data.draw(st.tuples(st.none() | st.integers(-70, 70), st.none() | st.integers(-70, 70)))
    np.testing.assert_array_equal(source[start:stop], x[start:stop])


def test_a_source_looks_like_its_rows(source):
    assert (len(source), source.shape, source.dtype) == (N, X.shape, X.dtype)
    np.testing.assert_array_equal(np.asarray(source), X)
    assert np.asarray(source, "float64").dtype == "float64"


@pytest.mark.parametrize("rows", [-1, N, 2 * N])
def test_rows_that_are_not_there(rows):
    with pytest.raises(IndexError, match=f"rows from 0 to {N - 1}, received {rows}"):
        small().take([rows])
    with pytest.raises(TypeError, match=r"a slice such as source\[0:100\]"):
        small()[rows]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda source: pickle.loads(pickle.dumps(source))])
def test_a_copy_reads_the_same_rows_for_itself(copied):
    source = small()
    source.take([3])
    other = copied(source)
    assert (repr(other), other.block, other.window) == (repr(source), BLOCK, WINDOW)
    np.testing.assert_array_equal(other[:], X)
    assert fitted(other) == fitted(source)


def test_a_deep_copy_shares_the_file(tmp_path):
    source = small(on_disk(tmp_path))
    assert copy.deepcopy(source).rows is source.rows


@pytest.mark.parametrize(("block", "expected"), [(1, 16), (16, 16), (17, 32), (500, N)])
def test_a_block_is_made_of_whole_chunks(tmp_path, block, expected):
    rows = in_h5(tmp_path, chunks=(16, 2))
    assert small(rows, block).block == expected
    rows.file.close()


def test_what_is_handed_out_is_not_what_is_held():
    source = small()
    source[0:4][:] = 7
    source.take([1])[:] = 7
    np.testing.assert_array_equal(source[:], X)


# Training -------------------------------------------------------------------------------------------------------------


def test_the_weights_are_the_same_to_the_bit_whatever_the_rows_come_from(source):
    validation = small(X[:50]), Y[:50]
    expected = fitted(Memory(X, small()), validation=(X[:50], Y[:50]))
    assert fitted(source, validation=validation) == expected
    assert fitted(X, validation=(X[:50], Y[:50])) != expected  # or the order would not matter here


@pytest.mark.parametrize("cut", [1, 11, 21, 22, 23, 40])
def test_interrupted_in_an_epoch_and_resumed_elsewhere(cut):
    whole = fitted(small())
    first, second = trainer(), trainer()
    steps = first.steps(small(), Y, 3)
    for _ in range(cut):
        next(steps)
    steps.close()
    second.history = first.history
    second.restore(first.state())
    assert fitted(small(), 3 - second.epoch, second) == whole


def test_what_is_held_does_not_matter():
    source = small()

    class Look(cr.Callback):
        def on_step(self, trained, step):
            trained.network.accuracy(source, Y)

    assert fitted(source, trained=trainer(callbacks=[Look()])) == fitted(small())


def test_rows_of_weight_0_are_left_out():
    weights = np.arange(N) % 3
    steps = list(trainer().steps(small(), Y, 2, sample_weight=weights))
    for epoch in (1, 2):
        rows = np.concatenate([step.rows for step in steps if step.epoch == epoch])
        np.testing.assert_array_equal(np.sort(rows), np.flatnonzero(weights))
    shuffled = [np.concatenate([step.rows for step in steps if step.epoch == epoch]) for epoch in (1, 2)]
    assert not np.array_equal(*shuffled)
    assert fitted(small(), sample_weight=weights) == fitted(Memory(X, small()), sample_weight=weights)


def test_before_the_first_step_little_is_read():
    rows = Rows(1000 * np.ones((5000, D), "float32"))
    source = small(rows, 100, 4)
    trained = cr.Trainer(cr.MLP([D, 3]), "cross_entropy")
    with pytest.warns(cr.ChainruleWarning, match="x reaches 1000, and nothing scales it"):
        trained.steps(source, np.zeros(5000, int))
    assert sum(stop - start for start, stop in rows.read) <= 1101  # a thousand rows to warn, a block for the layers


# Use ------------------------------------------------------------------------------------------------------------------

MANY = np.random.default_rng(1).standard_normal((2345, D)).astype("float32")
LABELS = np.arange(len(MANY)) % 3
NETWORK = cr.Network(cr.Linear(D, 3), output="softmax", seed=2)


@pytest.mark.parametrize(
    "use",
    [
        NETWORK,
        NETWORK.predict,
        NETWORK.predict_proba,
        lambda x: NETWORK.accuracy(x, LABELS),
        lambda x: NETWORK.evaluate(x, LABELS, "cross_entropy"),
        lambda x: NETWORK.trace(x, LABELS, "cross_entropy")[0].gradients["0.W"],
        lambda x: cr.check_gradients(NETWORK, x, LABELS, "cross_entropy", show=False).passed,
    ],
    ids=["outputs", "predict", "predict_proba", "accuracy", "evaluate", "trace", "check_gradients"],
)
def test_a_network_answers_as_for_an_array(use):
    np.testing.assert_equal(use(small(MANY, 100, 4)), use(MANY))


def test_many_threads_may_use_one_source():
    source, expected = small(MANY, 7, 2), NETWORK(MANY)
    answers = [None] * 4

    def answer(i):
        answers[i] = np.concatenate([NETWORK(source[start : start + 50]) for start in range(0, len(MANY), 50)])

    threads = [threading.Thread(target=answer, args=(i,)) for i in range(len(answers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in answers:
        np.testing.assert_allclose(each, expected, rtol=1e-5, atol=1e-6)


def test_a_minimum_is_that_of_an_array():
    pytest.importorskip("scipy")
    networks = [cr.Network(cr.Linear(D, 3), dtype="float64") for _ in range(2)]
    for network, x in zip(networks, (MANY, small(MANY, 100, 4)), strict=True):
        cr.minimize(network, x, LABELS, "cross_entropy", penalty=cr.L2(0.1))
    np.testing.assert_array_equal(networks[1].params, networks[0].params)


@pytest.mark.parametrize("wrap", [np.asarray, small], ids=["array", "source"])
def test_statistics_are_those_of_all_rows_and_need_no_copy_of_them(wrap):
    x = np.random.default_rng(2).integers(0, 200, (100_000, 8)).astype(np.uint8)
    x[:50_000, 0] //= 4  # the pieces differ
    inside = cr.Chain(cr.Rescale(0.5), cr.Standardize(), cr.Standardize())
    network = cr.Network(cr.Concatenate(inside, cr.Identity()), in_shape=(8,), dtype="float64")
    first, second = inside.layers[1:]
    rows = wrap(x)
    tracemalloc.start()
    network.adapt(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < x.nbytes  # in float64 they would be eight times as many
    np.testing.assert_allclose(first.mean, x.mean(axis=0) / 2, rtol=1e-12)
    np.testing.assert_allclose(first.deviation, x.std(axis=0) / 2, rtol=1e-12)
    np.testing.assert_allclose([second.mean, second.deviation - 1], 0, atol=1e-12)  # of what reaches it
    assert first.rows_seen == second.rows_seen == len(x)


LIMITED = """
    import resource, sys
    import numpy as np
    import chainrule as cr

    path, n = sys.argv[1], 200_000
    mapped = np.memmap(path, "uint8", "r", shape=(n, 784))

    class FromFile:
        def __init__(self, n):
            self.n = n

        def __len__(self):
            return self.n

        def __getitem__(self, rows):
            count = (rows.stop - rows.start) * 784
            return np.fromfile(path, "uint8", count, offset=rows.start * 784).reshape(-1, 784)

    rows = {"memmap": lambda n: mapped[:n], "own class": FromFile}[sys.argv[2]]
    y = np.arange(n) % 10
    trainer = cr.Trainer(cr.MLP([784, 10], scale=1 / 255), "cross_entropy", batch_size=256)
    trainer.network(np.zeros((1000, 784)))  # the matrix product takes its memory at the first use
    used = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmData")) << 10
    resource.setrlimit(resource.RLIMIT_DATA, (used + (40 << 20),) * 2)
    source, held_out = cr.datasets.Source(rows(n)), cr.datasets.Source(rows(10_000), window=8)
    trainer.fit(source, y, validation=(held_out, y[:10_000]))
    try:
        np.array(mapped)
    except MemoryError:
        print(f"{trainer.history['validation_accuracy'][0]:.3f}")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is one of Linux")
@pytest.mark.parametrize("kind", ["memmap", "own class"])
def test_a_file_of_150_megabytes_is_trained_on_within_40(tmp_path, kind):
    path, rows = tmp_path / "x.dat", np.zeros((10, 784), np.uint8)
    rows[np.arange(10), np.arange(10)] = 255  # pixel k is lit in an image of class k
    with open(path, "wb") as file:
        for _ in range(200):
            file.write(np.tile(rows, (100, 1)).tobytes())
    answer = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LIMITED), str(path), kind], capture_output=True, text=True
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == "1.000\n"  # and the whole file did not fit


# What can go wrong ----------------------------------------------------------------------------------------------------


def with_bad(value, row=150, column=2):
    x = X.copy()
    x[row, column] = value
    return small(x)


@pytest.mark.parametrize(("value", "name"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
@pytest.mark.parametrize(
    "use",
    [
        lambda bad: trainer().fit(bad, Y),
        lambda bad: cr.Trainer(cr.MLP([D, 3]), "cross_entropy").fit(bad, Y),
        lambda bad: trainer().steps(X, Y, validation=(bad, Y)),
        lambda bad: cr.MLP([D, 3], output="softmax").predict(bad),
    ],
    ids=["statistics", "fit", "validation", "predict"],
)
def test_a_bad_value_is_found_and_its_row_named(use, value, name):
    with pytest.raises(cr.DataError, match=f"Input source contains {name}, first in row 150, column 2"):
        use(with_bad(value))


def test_a_value_too_large_for_the_network_is_found_in_its_batch():
    """An activation may squash the infinity that it becomes, so that no loss would tell."""
    x = X.astype("float64")
    x[150, 2] = 1e60
    tanh = cr.Trainer(cr.Network(cr.Rescale(1.0), cr.Tanh(), cr.Linear(D, 3)), "cross_entropy")
    with pytest.raises(
        cr.DataError, match=r"Input x contains 1e\+60, too large for float32, first in row 150, column 2"
    ):
        tanh.fit(small(x), Y)
    cr.Trainer(cr.Network(cr.Rescale(1.0), cr.Tanh(), cr.Linear(D, 3), dtype="float64"), "cross_entropy").fit(
        small(x), Y
    )


def test_validation_too_large_for_the_network_is_found_before_any_work_is_lost():
    x = X.astype("float64")
    x[150, 2] = 1e60
    with pytest.raises(cr.DataError, match=r"validation x contains 1e\+60, too large for float32, first in row 150"):
        trainer().steps(X, Y, validation=(small(x), Y))


@pytest.mark.parametrize(
    ("rows", "error", "text"),
    [
        (np.empty((0, D)), cr.DataError, r"Found array with 0 sample\(s\)"),
        (iter(X), cr.DataError, "a length and slices, such as an np.memmap, received"),
        (7, cr.DataError, "received int"),
        (np.array([["a"]]), cr.DataError, "expected numbers, received text"),
        (X * 1j, cr.DataError, "Complex data not supported"),
        (np.ma.masked_less(X, 0), cr.DataError, "masked"),
    ],
    ids=["empty", "generator", "number", "text", "complex", "masked"],
)
def test_what_cannot_be_a_source(rows, error, text):
    with pytest.raises(error, match=text):
        Source(rows)


def test_a_sparse_matrix_is_no_source():
    with pytest.raises(cr.DataError, match="What memory holds needs no Source"):
        Source(pytest.importorskip("scipy.sparse").csr_array(X))


@pytest.mark.parametrize("options", [{"block": 0}, {"block": 2.5}, {"window": 0}, {"window": "8"}])
def test_options_that_make_no_sense(options):
    with pytest.raises(cr.ConfigurationError, match=r"Source: \w+ must be a whole number in \[1, inf\)"):
        Source(X, **options)


@pytest.mark.parametrize(
    ("x", "y", "error", "text"),
    [
        (X, Y[:-1], cr.DataError, rf"inconsistent numbers of samples: \[{N}, {N - 1}\]"),
        (X[:, :4], Y, cr.ShapeError, r"expected x of shape \(N, 5\), received \(213, 4\). x has 4 features"),
        (X[:, 0], Y, cr.ShapeError, "Expected 2D array, got 1D array"),
        (X.reshape(N, D, 1), Y, cr.ShapeError, r"The sizes agree: use x.reshape\(len\(x\), 5\)"),
        (X[:, :0], Y, cr.DataError, r"0 feature\(s\)"),
        (X, Y + 1, cr.LabelError, "labels must be 0..2 for 3 outputs"),
    ],
    ids=["wrong length", "wrong width", "one axis", "axis too many", "no features", "labels"],
)
def test_a_source_that_does_not_fit(x, y, error, text):
    with pytest.raises(error, match=text):
        trainer().steps(small(x), y)


def test_the_rows_have_become_fewer():
    rows = Rows(list(X))
    source = small(rows)
    del rows.rows[100:]
    with pytest.raises(cr.DataFileError, match="expected 213 rows, as there were at first, received 100"):
        fitted(source)


@pytest.mark.parametrize(
    ("change", "received"),
    [
        (lambda some: some[:, :4], r"float32 \(16, 4\)"),
        (lambda some: some.astype("float64"), r"float64 \(16, 5\)"),
        (lambda some: some[:7], r"float32 \(7, 5\)"),
    ],
    ids=["width", "type", "length"],
)
def test_the_rows_have_become_others(change, received):
    class Changed(Rows):
        def __getitem__(self, rows):
            return change(super().__getitem__(rows))

    source = small()
    source.rows = Changed(X)
    with pytest.raises(cr.DataFileError, match=rf"expected float32 \(16, 5\) in \[16:32\].*received {received}"):
        source[16:32]


def test_a_mapped_file_was_cut_short_in_the_middle_of_an_epoch(tmp_path):
    """To touch the rows that are gone would end the process, with no error to catch."""
    source, trained = small(on_disk(tmp_path)), cr.Trainer(cr.MLP([D, 3]), "cross_entropy", batch_size=10)
    with pytest.raises(cr.DataFileError, match="expected a file of 4,260 bytes, as there were at first, received 8"):
        for step in trained.steps(source, Y):
            if step.index == 2:
                with open(tmp_path / "x.dat", "r+b") as file:
                    file.truncate(8)
    assert 2 <= trained.step < 22
    assert np.isfinite(trained.network.params).all()


# The page -------------------------------------------------------------------------------------------------------------


def test_the_page_runs(tmp_path, monkeypatch, capsys):
    pytest.importorskip("h5py")
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs/bigger-than-memory.md").read_text(encoding="utf-8")
    names = {}
    for block in page.split("```python\n")[1:]:
        exec(block.split("```")[0], names)
    accuracy, *_ = capsys.readouterr().out.splitlines()
    assert float(accuracy) > 0.9
