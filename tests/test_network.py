"""The network in use: forwards, backwards, traced, in batches, in threads, with sparse input, and as a table."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import chainrule as cr
from chainrule.layers.layer import Layer
from small_network import CE, X, Y, make, rng

# The chain rule -------------------------------------------------------------------------------------------------------


def test_trace_is_forward_and_backward():
    network = make()
    network.state += 0.3
    outputs, caches = network.forward(X)
    loss_gradient = CE(outputs, Y)[1]
    dx = network.backward(loss_gradient.copy(), caches, need_dx=True)
    grads = network.grads.copy()
    rows = network.trace(X, Y, CE)
    assert [row.layer for row in rows] == list(network.layers)
    np.testing.assert_array_equal(rows[0].x, X)
    np.testing.assert_array_equal(rows[-1].y, outputs)
    np.testing.assert_array_equal(rows[-1].dy, loss_gradient)
    np.testing.assert_array_equal(rows[0].dx, dx)
    np.testing.assert_array_equal(rows[0].y, rows[1].x)
    np.testing.assert_array_equal(rows[1].dx, rows[0].dy)
    np.testing.assert_array_equal(network.grads, grads)
    assert [list(row.gradients) for row in rows] == [["0.0.W", "0.0.b", "0.1.gamma", "0.1.beta"], ["1.W", "1.b"]]
    for parameter in network.parameters:
        gradient = rows[int(parameter.name[0])].gradients[parameter.name]
        np.testing.assert_array_equal(gradient.ravel(), grads[parameter.slice])
        assert not np.shares_memory(gradient, network.grads)
    assert not any(np.shares_memory(row.dx, later.dy) for row, later in zip(rows, rows, strict=True))


class Greedy(Layer):
    """It reuses the memory of dy, as the contract allows."""

    any_shape = True

    def forward(self, x, train=False, rng=None):
        return x * 2, ()

    def backward(self, dy, cache, need_dx=True):
        dy *= 2
        return dy


def test_trace_copies_dy_at_each_layer():
    rows = cr.Network(cr.Linear(4, 3), Greedy(), Greedy(), dtype="float64").trace(X, Y, CE)
    np.testing.assert_array_equal(rows[1].dy, 2 * rows[2].dy)
    np.testing.assert_array_equal(rows[0].dy, 4 * rows[2].dy)


def test_a_trace_holds_what_is_inside_containers():
    network = cr.Network(cr.Residual(cr.Linear(4, 4), cr.Residual(Greedy())), cr.Linear(4, 3), dtype="float64")
    (residual, _) = network.trace(X, Y, CE)
    linear, inner = residual.inner
    (greedy,) = inner.inner
    assert [row.layer.path for row in (linear, inner, greedy)] == ["0.0", "0.1", "0.1.0"]
    np.testing.assert_array_equal(linear.x, X)
    np.testing.assert_array_equal(greedy.y, 2 * linear.y)
    np.testing.assert_array_equal(residual.y, X + inner.y)
    np.testing.assert_array_equal(inner.dy, residual.dy)
    np.testing.assert_array_equal(linear.dy, inner.dy + 2 * greedy.dy)
    np.testing.assert_array_equal(residual.dx, residual.dy + linear.dx)
    np.testing.assert_array_equal(linear.gradients["0.0.W"], residual.gradients["0.0.W"])
    assert not any({"forward", "backward"} & set(vars(inner)) for layer in network.layers for inner in layer.walk())


def test_a_trace_can_be_one_of_training_and_needs_no_loss():
    network = cr.Network(cr.Dropout(0.5), cr.Linear(4, 3), dtype="float64")
    expected, _ = network.forward(X, True, np.random.default_rng(3))
    rows = network.trace(X, train=True, seed=3)
    np.testing.assert_array_equal(rows[-1].y, expected)
    assert not any(row.dy.any() or row.dx.any() for row in rows)
    assert not network.grads.any()


def test_a_trace_hears_its_own_thread_alone():
    network = cr.Network(cr.Linear(4, 3), Meanwhile := type("Meanwhile", (Greedy,), {})(), dtype="float64")

    def backward(dy, cache, need_dx=True):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(network, np.zeros((2, 4))).result()
        return dy

    vars(Meanwhile)["backward"] = backward
    rows = network.trace(X, Y, CE)
    np.testing.assert_array_equal(rows[0].x, X)
    assert rows[0].dx.shape == X.shape


def test_a_trace_names_the_layer_that_hands_nothing_back():
    class Forgetful(Greedy):
        def backward(self, dy, cache, need_dx=True):
            dy *= 2

    network = cr.Network(cr.Linear(4, 3), Forgetful(), dtype="float64")
    with pytest.raises(cr.GradientError, match="Forgetful #1: backward gave None, expected dL/dx"):
        network.trace(X, Y, CE)


def test_need_dx():
    class Watch(Greedy):
        def backward(self, dy, cache, need_dx=True):
            seen.append(need_dx)
            return 2 * dy

    seen = []
    network = cr.Network(Watch(), cr.Linear(4, 5), Watch(), cr.Linear(5, 3), in_shape=(4,), dtype="float64")
    outputs, caches = network.forward(X)
    dy = rng.standard_normal(outputs.shape)
    assert network.backward(dy, caches) is None
    assert seen == [True]  # the layer between the two that learn, and nothing in front of them
    grads, dx = network.grads.copy(), network.backward(dy, caches, need_dx=True)
    assert seen == [True, True, True] and dx.shape == X.shape
    np.testing.assert_array_equal(network.grads, grads)


def test_without_parameters_there_is_nothing_to_walk_back_for():
    network = cr.Network(cr.ReLU(), in_shape=(4,), dtype="float64")
    outputs, caches = network.forward(X)
    assert network.backward(outputs, caches) is None
    np.testing.assert_array_equal(network.backward(outputs, caches, need_dx=True), outputs)


# Use ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 999, 1000, 1001, 2345])
def test_batched_inference_is_one_by_one(n):
    network, x = make(), np.random.default_rng(1).standard_normal((n, 4))
    some = np.unique([0, n // 2, n - 1, min(n - 1, 999), min(n - 1, 1000)])
    outputs = network(x)
    assert outputs.shape == (n, 3) and outputs.flags.owndata
    np.testing.assert_allclose(outputs[some], [network(x[i : i + 1])[0] for i in some], rtol=1e-12)
    np.testing.assert_array_equal(network.predict(x), outputs.argmax(axis=1))
    assert network.accuracy(x, network.predict(x)) == 1.0


def test_eight_threads_predict_what_one_does():
    network = make()
    inputs = [np.random.default_rng(seed).standard_normal((1500, 4)) for seed in range(8)]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(3):
            for together, alone in zip(threads.map(network, inputs), map(network, inputs), strict=True):
                np.testing.assert_allclose(together, alone, rtol=1e-12, atol=1e-13)
            for together, alone in zip(threads.map(network.predict, inputs), map(network.predict, inputs), strict=True):
                np.testing.assert_array_equal(together, alone)


def test_sparse_input_for_a_first_linear():
    sparse = pytest.importorskip("scipy.sparse")
    x = np.where(np.random.default_rng(1).random(X.shape) < 0.5, X, 0)
    network = cr.Network(cr.Linear(4, 5), cr.Tanh(), cr.Linear(5, 3), dtype="float64", output="softmax")
    dense, caches = network.forward(x)
    network.backward(CE(dense, Y)[1], caches)
    grads = network.grads.copy()
    for kind in (sparse.csr_array, sparse.csc_matrix, sparse.coo_array):
        np.testing.assert_allclose(network(kind(x)), dense, rtol=1e-12)
        outputs, caches = network.forward(kind(x).tocsr())
        network.grads[:] = np.nan
        network.backward(CE(outputs, Y)[1], caches)
        np.testing.assert_allclose(network.grads, grads, rtol=1e-11, atol=1e-14)
        assert network.accuracy(kind(x), Y) == network.accuracy(x, Y)
    many = np.tile(x, (100, 1))
    np.testing.assert_allclose(network(sparse.csr_array(many)), network(many), rtol=1e-12)


# How it prints --------------------------------------------------------------------------------------------------------


def test_summary_of_the_digits_network():
    assert cr.MLP([784, 128, 10], scale=1 / 255).summary() == (
        "layer                            output shape  parameters\n"
        "---------------------------------------------------------\n"
        "0  Rescale(0.00392156862745098)  (N, 784)               0\n"
        "1  Linear(784, 128)              (N, 128)         100,480\n"
        "2  ReLU()                        (N, 128)               0\n"
        "3  Linear(128, 10)               (N, 10)            1,290\n"
        "---------------------------------------------------------\n"
        "total 101,770 parameters (float32)"
    )


def test_summary_counts_containers_frozen_parameters_and_state():
    network = make()
    network.freeze("0.0")
    assert [line.split()[-1] for line in network.summary().splitlines()[2:4]] == ["35", "18"]
    assert network.summary().endswith("total 53 parameters, 25 of them frozen; 10 numbers of running state (float64)")
    assert "not built" in cr.Network(cr.Linear(out_features=3)).summary()


def test_html_is_escaped():
    class Sly(Greedy):
        def __init__(self, note):
            self.note = note

    html = cr.Network(cr.Linear(4, 3), Sly("<script>alert('x')</script>&"))._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html and "&amp;" in html
    assert html.count("<tr>") == 3 and "total 15 parameters" in html


def test_large_images_are_taken_in_smaller_pieces():
    sizes = []

    class Grow(cr.Layer):
        def build(self, in_shape, rng):
            return (256, 256, 32)

        def forward(self, x, train=False, rng=None):
            sizes.append(len(x))
            return np.zeros((len(x), 256, 256, 32), x.dtype), ()

    network = cr.Network(Grow(), cr.Flatten(), in_shape=(2,), output="identity")
    network(np.zeros((1, 2)))
    cr.Network(Grow(), cr.Conv2D(32, 1), cr.GlobalAvgPool2D(), in_shape=(2,), output="identity")(np.zeros((20, 2)))
    assert sizes == [1, 8, 8, 4]
