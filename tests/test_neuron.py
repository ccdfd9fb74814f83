"""One neuron, and why a column of them is a Linear layer with an activation behind it."""

import numpy as np
import pytest

import chainrule as cr

D, K, N = 3, 5, 7
ACTIVATIONS = {name: cls for name, cls in cr.layers.ACTIVATIONS.items() if name != "softmax"}


def column(activation):
    """K neurons, and the network that holds the same numbers."""
    neurons = [cr.Neuron(D, activation, bias=0.1 * k, seed=k) for k in range(K)]
    network = cr.Network(cr.Linear(D, K), ACTIVATIONS[activation](), dtype="float64")
    network.layers[0].W = np.stack([neuron.w for neuron in neurons], axis=1)
    network.layers[0].b = [neuron.b for neuron in neurons]
    return neurons, network


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_column_of_neurons_is_a_linear_layer(activation):
    rng = np.random.default_rng(0)
    x, da = 3 * rng.standard_normal((N, D)), rng.standard_normal((N, K))
    neurons, network = column(activation)
    linear = network.layers[0]
    outputs, caches = network.forward(x)
    dx = network.backward(da, caches, need_dx=True)
    total = np.zeros_like(x)
    for k, neuron in enumerate(neurons):
        a, cache = neuron.forward(x)
        np.testing.assert_allclose(a, outputs[:, k], rtol=1e-13)
        total += neuron.backward(da[:, k], cache)
        np.testing.assert_allclose(neuron.dw, linear.dW[:, k], rtol=1e-12)
        assert neuron.db == pytest.approx(linear.db[k], rel=1e-12)
        neuron.step(0.3)
    np.testing.assert_allclose(total, dx, rtol=1e-12)  # what reaches an input is the sum over all it feeds
    cr.SGD(0.3).step(network.params, network.grads)
    for k, neuron in enumerate(neurons):
        np.testing.assert_allclose(neuron.w, linear.W[:, k], rtol=1e-12)
        assert neuron.b == pytest.approx(linear.b[k], rel=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_one_example_is_a_batch_of_one(activation):
    one, batch = (cr.Neuron(D, activation, seed=1) for _ in range(2))
    x = np.array([0.5, -2.0, 1.0])
    a, cache = one.forward(x)
    b, batch_cache = batch.forward(x[None])
    assert np.shape(a) == () and b.shape == (1,) and a == b[0]
    dx, batch_dx = one.backward(0.7, cache), batch.backward([0.7], batch_cache)
    assert dx.shape == (D,) and batch_dx.shape == (1, D)
    np.testing.assert_array_equal(dx, batch_dx[0])
    np.testing.assert_array_equal(one.dw, batch.dw)
    assert one.db == batch.db and one.dw.shape == (D,)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gradient_is_the_numerical_one(activation):
    rng = np.random.default_rng(3)
    x, da, neuron, h = rng.standard_normal((N, D)), rng.standard_normal(N), cr.Neuron(D, activation, bias=0.2), 1e-6
    dx = neuron.backward(da, neuron.forward(x)[1])

    def slope(array, i):
        kept, ends = array[i], []
        for move in (h, -h):
            array[i] = kept + move
            ends.append(da @ neuron(x))
        array[i] = kept
        return (ends[0] - ends[1]) / (2 * h)

    np.testing.assert_allclose(neuron.dw, [slope(neuron.w, i) for i in range(D)], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(dx.ravel(), [slope(x, i) for i in np.ndindex(N, D)], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("name", "y"), [("AND", [0, 0, 0, 1]), ("OR", [0, 1, 1, 1]), ("NAND", [1, 1, 1, 0])])
def test_it_learns_what_a_line_can_separate(name, y):
    x, y, neuron = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array(y), cr.Neuron(2)
    for _ in range(2000):
        a, cache = neuron.forward(x)
        neuron.backward(2 * (a - y) / len(y), cache)
        neuron.step(1.0)
    np.testing.assert_array_equal(neuron(x) > 0.5, y)


def test_xor_is_beyond_one_neuron():
    x, y, neuron = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0]), cr.Neuron(2)
    for _ in range(2000):
        a, cache = neuron.forward(x)
        neuron.backward(2 * (a - y) / len(y), cache)
        neuron.step(1.0)
    np.testing.assert_allclose(neuron(x), 0.5, atol=1e-6)


def test_start_and_seed():
    assert np.array_equal(cr.Neuron(4, seed=1).w, cr.Neuron(4, seed=1).w)
    assert not np.array_equal(cr.Neuron(4, seed=1).w, cr.Neuron(4, seed=2).w)
    assert cr.Neuron(10_000).w.std() == pytest.approx(0.1, rel=0.05)
    assert (cr.Neuron(4).b, cr.Neuron(4, bias=2).b) == (0.0, 2.0)


def test_weights_set_by_hand_may_be_a_list():
    neuron = cr.Neuron(2)
    neuron.w, neuron.b = [10, 10], -5
    assert repr(neuron) == "Neuron(2, Sigmoid()): w = [10 10], b = -5.000"


def test_forward_keeps_nothing_and_backward_does_not_move_the_weights():
    neuron = cr.Neuron(D)
    w = neuron.w.copy()
    first, other = (neuron.forward(np.full((2, D), value))[1] for value in (1.0, -1.0))
    neuron.backward(np.ones(2), first)
    dw = neuron.dw.copy()
    neuron.backward(np.ones(2), other)
    neuron.backward(np.ones(2), first)
    np.testing.assert_array_equal(neuron.dw, dw)
    np.testing.assert_array_equal(neuron.w, w)


def row(code, error, *texts):
    return pytest.param(code, error, texts, id=code)


@pytest.mark.parametrize(
    ("code", "error", "texts"),
    [
        row("cr.Neuron(2)([1, 2, 3])", cr.ShapeError, "(N, 2) or (2,)", "(3,)"),
        row("cr.Neuron(2)(np.zeros((2, 2, 2)))", cr.ShapeError, "(2, 2, 2)"),
        row("cr.Neuron(2)(None)", cr.DataError, "received None"),
        row("cr.Neuron(0)", cr.ConfigurationError, "inputs", "[1, inf)"),
        row("cr.Neuron(2, 'sigmod')", cr.ConfigurationError, "Did you mean 'sigmoid'?"),
        row("cr.Neuron(2, 'softmax')", cr.ConfigurationError, "Softmax() is no function of one number", "'sigmoid'"),
        row("cr.Neuron(2, cr.Sigmoid)", cr.ConfigurationError, "Sigmoid", "Add brackets"),
        row("cr.Neuron(2, cr.Linear(2, 2))", cr.ConfigurationError, "Linear(2, 2) is no function of one number"),
        row("cr.Neuron(2, seed=-1)", cr.ConfigurationError, "seed"),
        row("cr.Neuron(2)(['a', 'b'])", cr.DataError, "number"),
        row("cr.Neuron(2)([[1, 2], [1]])", cr.DataError, "row 1 has 1"),
        row("cr.Neuron(2)([np.nan, 1])", cr.DataError, "NaN", "column 0"),
        row(
            "cr.Neuron(2).backward(np.ones(3), cr.Neuron(2).forward(np.ones((2, 2)))[1])", cr.ShapeError, "(2,)", "(3,)"
        ),
        row(
            "cr.Neuron(2).backward(np.ones((4, 1)), cr.Neuron(2).forward(np.ones((4, 2)))[1])",
            cr.ShapeError,
            "(4, 1)",
            "(4,)",
        ),
    ],
)
def test_refused(code, error, texts):
    with pytest.raises(Exception) as caught:
        eval(code)
    assert isinstance(caught.value, error), repr(caught.value)
    assert [text for text in texts if text not in str(caught.value)] == []


def test_it_prints_what_it_has_learned():
    neuron = cr.Neuron(2, "tanh", bias=0.5)
    neuron.w = np.array([0.25, -3.0])
    assert repr(neuron) == "Neuron(2, Tanh()): w = [ 0.25 -3.  ], b = 0.500"
