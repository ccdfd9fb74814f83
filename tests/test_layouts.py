"""Memory layout is no argument: whatever way the same numbers lie in memory, results are the same and stay unwritten.

hypothesis draws shapes, dtypes and layouts, the same ones in every run. Where nothing is summed the results are the
same to the bit; sums may be taken in another order, and then differ by 4 spacings of floats at most, norm-wise.
"""

import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.lib.stride_tricks import as_strided

import chainrule as cr
from test_contract import CASES, make
from test_losses import CASES as LOSSES, K, make as make_loss

settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
repeatable = settings.get_profile("repeatable")

# Layouts --------------------------------------------------------------------------------------------------------------


def unaligned(x):
    raw = np.zeros(x.nbytes + 1, np.uint8)
    odd = raw[1:].view(x.dtype).reshape(x.shape)
    odd[...] = x
    assert x.dtype.itemsize == 1 or not odd.flags.aligned
    return odd


def strided(x):
    """Every second row and every third column of something larger."""
    wide = np.full((2 * x.shape[0], *x.shape[1:-1], 3 * x.shape[-1]) if x.ndim > 1 else 2 * len(x), 77, x.dtype)
    odd = wide[::2, ..., ::3] if x.ndim > 1 else wide[::2]
    odd[...] = x
    return odd


def on_disk(x):
    with tempfile.TemporaryDirectory() as folder:
        x.tofile(Path(folder, "x"))
        return np.memmap(Path(folder, "x"), x.dtype, "r", shape=x.shape)  # stays readable when its name is gone


LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "axes turned": lambda x: np.ascontiguousarray(np.moveaxis(x, 0, -1)).transpose(x.ndim - 1, *range(x.ndim - 1)),
    "strided": strided,
    "negative strides": lambda x: np.flip(np.flip(x).copy()),
    "byte-swapped": lambda x: x.astype(x.dtype.newbyteorder()),
    "unaligned": unaligned,
    "memory-mapped": on_disk,
    "no strides": lambda x: as_strided(np.ascontiguousarray(x[:1]), x.shape, (0, *np.ascontiguousarray(x).strides[1:])),
}
layouts = st.sampled_from(sorted(LAYOUTS))


def laid_out(layout, x):
    """The numbers in this layout, read-only, and the same numbers plainly."""
    odd = LAYOUTS[layout](x)
    if odd.flags.writeable:
        odd.flags.writeable = False
    return odd, np.array(odd, odd.dtype.newbyteorder("="), order="C")


def agree(ours, plain, exact, came_in=0.0):
    """To the bit, or to 4 spacings of the numbers; of those that came in where they are larger, for sums cancel."""
    assert ours.shape == plain.shape
    if exact:
        np.testing.assert_array_equal(ours, plain)
    else:
        most = max(np.linalg.norm(plain), np.linalg.norm(came_in))
        assert np.linalg.norm(ours - plain) <= 4 * np.finfo(plain.dtype).eps * most


# Layers and losses ----------------------------------------------------------------------------------------------------

SUMS = ("Linear", "Softmax", "Norm", "Conv2D", "Avg")  # the layers that add numbers up


@st.composite
def batches(draw, case):
    """Some rows for the layer, with as many axes and of such sizes as it takes."""
    sizes = st.integers(3 if "Norm" in case else 1, 7)  # of two numbers a norm makes -1 and 1, and dx is all rounding
    shape = CASES[case]
    if make(case).any_shape:
        shape = tuple(draw(st.lists(sizes, min_size=1, max_size=3)))
    elif "Reshape" not in case:
        sizes = st.integers(3, 7) if "2D" in case else sizes  # the window must fit
        shape = (*(draw(sizes) for _ in shape[:-1]), shape[-1])
    n = draw(st.integers(2, 9))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    return np.random.default_rng(draw(st.integers(0, 99))).standard_normal((n, *shape)).astype(dtype)


@pytest.mark.parametrize("case", CASES, ids=str.strip)
@pytest.mark.parametrize("train", [True, False])
def test_layers(case, train):
    exact = not any(name in case for name in SUMS)

    @settings(repeatable, max_examples=15)
    @given(x=batches(case), layout=layouts, layout_of_dy=layouts)
    def check(x, layout, layout_of_dy):
        network = cr.Network(make(case), in_shape=x.shape[1:], dtype=x.dtype, seed=3)
        (layer,) = network.layers
        if layout == "no strides" and train and "BatchNorm" in case:
            layout = "strided"  # equal rows have no variance: what is left of them is rounding, many times enlarged
        odd, plain = laid_out(layout, x)
        y, cache = layer.forward(odd, train, np.random.default_rng(0))
        expected, expected_cache = layer.forward(plain, train, np.random.default_rng(0))
        agree(y, expected, exact, plain)
        np.testing.assert_array_equal(odd, plain)
        dy, plain_dy = laid_out(layout_of_dy, np.random.default_rng(1).standard_normal(y.shape).astype(x.dtype))
        dx, grads = layer.backward(dy.copy(order="K"), cache), network.grads.copy()
        expected_dx = layer.backward(plain_dy, expected_cache)
        agree(dx, expected_dx, exact, plain_dy)
        agree(grads, network.grads, exact, plain_dy)
        np.testing.assert_array_equal(odd, plain)

    check()


@pytest.mark.parametrize("case", LOSSES, ids=str.strip)
def test_losses(case):
    @settings(repeatable, max_examples=15)
    @given(
        n=st.integers(1, 9),
        dtype=st.sampled_from(["float32", "float64"]),
        seed=st.integers(0, 99),
        places=st.tuples(layouts, layouts, layouts),
    )
    def check(n, dtype, seed, places):
        rng = np.random.default_rng(seed)
        z = rng.standard_normal((n, K)).astype(dtype)
        z = cr.softmax(z) if "from_probabilities" in case else np.exp(z) if "log_input=False" in case else z
        targets = np.resize(LOSSES[case], (n, *LOSSES[case].shape[1:]))
        weights = rng.integers(1, 4, n).astype(dtype)
        given_, plain = zip(*map(laid_out, places, (z, targets, weights)), strict=True)
        loss, gradient = make_loss(case)(*given_)
        expected, expected_gradient = make_loss(case)(*plain)
        agree(np.array(loss), np.array(expected, dtype), exact=False)
        agree(gradient, expected_gradient, exact="Cross" not in case)
        for odd, same in zip(given_, plain, strict=True):
            np.testing.assert_array_equal(odd, same)

    check()


# Networks and training ------------------------------------------------------------------------------------------------

KINDS = ["float16", "float32", "float64", "longdouble", "bool", "uint8", "int8", "int64"]


@st.composite
def examples(draw):
    """Rows of any kind of numbers, and labels of any kind of integers."""
    n, seed = draw(st.integers(3, 40)), draw(st.integers(0, 99))
    rng = np.random.default_rng(seed)
    x = np.clip(np.round(2 * rng.standard_normal((n, 5)) + 2), 0, 5)  # the same in every kind, but for bool
    return x.astype(draw(st.sampled_from(KINDS))), rng.integers(0, 3, n).astype(draw(st.sampled_from(KINDS[5:])))


@settings(repeatable, max_examples=40)
@given(examples(), layouts, st.sampled_from(["float32", "float64"]))
def test_a_network_in_use(xy, layout, dtype):
    network = cr.Network(
        *(cr.Linear(5, 7), cr.BatchNorm(), cr.GELU(), cr.Residual(cr.LayerNorm(), cr.Linear(7, 7)), cr.Linear(7, 3)),
        output="softmax",
        dtype=dtype,
    )
    odd, plain = laid_out(layout, xy[0])
    agree(network(odd), network(plain), exact=False)
    agree(network.predict_proba(odd), network.predict_proba(plain), exact=False)
    agree(network(odd), network(plain.astype(dtype)), exact=False)
    np.testing.assert_array_equal(odd, plain)


@pytest.mark.filterwarnings("ignore:x is float128")
@settings(repeatable, max_examples=30)
@given(examples(), layouts, layouts, layouts, st.integers(2, 16))
def test_training_to_the_bit(xy, layout, layout_of_y, layout_of_weights, batch_size):
    """A batch is gathered into memory of its own, so not even a sum sees how the data lay."""
    (x, plain_x), (y, plain_y) = laid_out(layout, xy[0]), laid_out(layout_of_y, xy[1])
    weights, plain_weights = laid_out(layout_of_weights, np.arange(len(x)) % 3 + 1.0)
    ends = []
    for data, labels, counts in ((x, y, weights), (plain_x, plain_y, plain_weights)):
        network = cr.Network(cr.Rescale(0.5), cr.Linear(5, 7), cr.LayerNorm(), cr.Dropout(0.2), cr.Linear(7, 3))
        trainer = cr.Trainer(network, "cross_entropy", cr.SGD(0.1, momentum=0.9), batch_size=batch_size)
        history = trainer.fit(data, labels, 2, validation=(data, labels), sample_weight=counts)
        ends.append((network.params.tobytes(), history["loss"]))
    assert ends[0] == ends[1]
    for odd, same in ((x, plain_x), (y, plain_y), (weights, plain_weights)):
        np.testing.assert_array_equal(odd, same)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_step_copies_the_rows_of_its_batch_alone(layout):
    x = LAYOUTS[layout](np.zeros((20_000, 20), np.float32))
    y = LAYOUTS[layout](np.zeros((20_000, 1), np.float32))
    network = cr.MLP([20, 1])
    steps = cr.Trainer(network, "mse", batch_size=8).steps(x, y, epochs=1)
    next(steps)
    tracemalloc.start()
    try:
        next(steps)
        assert tracemalloc.get_traced_memory()[1] < y.nbytes / 2
    finally:
        tracemalloc.stop()
