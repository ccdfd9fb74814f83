"""Who checks the checker: wrong backwards of every common kind must be rejected, right ones never."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.layers.layer import Layer


class Affine(Layer):
    """Linear and tanh in one, whose backward can be broken in one named way."""

    parameter_names = ("W", "b")

    def __init__(self, mistake=""):
        self.mistake = mistake

    def build(self, in_shape, rng):
        self.W = rng.standard_normal((in_shape[0], in_shape[0]))
        self.b = rng.standard_normal(in_shape[0])
        return in_shape

    def forward(self, x, train=False, rng=None):
        y = np.tanh(x @ self.W + self.b)
        return y, (x, y)

    def backward(self, dy, cache, need_dx=True):
        x, y = cache
        dz = dy * (1 - y * y)
        if self.mistake == "activation slope forgotten":
            dz = dy
        if self.mistake == "slope taken at the output":
            dz = dy * (1 - np.tanh(y) ** 2)
        if self.mistake == "stale mask":
            dz = dy * (1 - y[::-1] ** 2)
        self.dW = x.T @ dz
        self.db = dz.sum(axis=0)
        dx = dz @ self.W.T
        if self.mistake == "dW zeroed":
            self.dW = np.zeros_like(self.W)
        if self.mistake == "dW scaled":
            self.dW = 2 * self.dW
        if self.mistake == "dW transposed":
            self.dW = self.dW.T.copy()
        if self.mistake == "dW slightly off in one entry":
            self.dW[1, 2] *= 1 + 1e-6
        if self.mistake == "sign":
            self.dW = -self.dW
        if self.mistake == "mean instead of sum":
            self.db = dz.mean(axis=0)
        if self.mistake == "bias summed over nothing":
            self.db = dz[0]
        if self.mistake == "divided by n":
            self.dW = self.dW / len(x)
        if self.mistake == "dx without W transposed":
            dx = dz @ self.W
        if self.mistake == "dx zeroed":
            dx = np.zeros_like(x)
        return dx


MISTAKES = [
    "activation slope forgotten",
    "slope taken at the output",
    "stale mask",
    "dW zeroed",
    "dW scaled",
    "dW transposed",
    "dW slightly off in one entry",
    "sign",
    "mean instead of sum",
    "bias summed over nothing",
    "divided by n",
    "dx without W transposed",
    "dx zeroed",
]


class Fanned(Layer):
    """y = x + x^2 by way of two branches; the second overwrites the dy of the first if it is not copied."""

    def __init__(self, copies=True):
        self.copies = copies

    def forward(self, x, train=False, rng=None):
        return x + x * x, (x,)

    def backward(self, dy, cache, need_dx=True):
        (x,) = cache
        branch = dy.copy() if self.copies else dy
        branch *= 2 * x
        return dy + branch


class LazySoftmax(Layer):
    """A softmax whose backward returns a multiple of the truth: zero or seven times, both pass with upstream ones."""

    def __init__(self, factor=0.0):
        self.factor = factor

    def forward(self, x, train=False, rng=None):
        y = cr.softmax(x)
        return y, (y,)

    def backward(self, dy, cache, need_dx=True):
        (y,) = cache
        return self.factor * y * (dy - (dy * y).sum(axis=-1, keepdims=True))


def x_of(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_the_right_one_passes():
    assert cr.check_gradients(Affine(), x_of(7, 3), show=False).passed
    assert cr.check_gradients(Fanned(), x_of(7, 3), show=False).passed
    assert cr.check_gradients(LazySoftmax(1.0), x_of(7, 3), show=False).passed


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("shape", [(7, 3), (5, 5)], ids=["odd", "square"])
def test_planted_mistakes_are_rejected(mistake, shape):
    report = cr.check_gradients(Affine(mistake), x_of(*shape), show=False)
    assert not report.passed
    assert "FAILED" in str(report)
    with pytest.raises(cr.GradientError, match="WRONG"):
        report.raise_if_wrong()


@pytest.mark.parametrize("factor", [0.0, 7.0])
def test_a_softmax_that_only_ones_would_pass_is_rejected(factor):
    assert not cr.check_gradients(LazySoftmax(factor), x_of(7, 3), show=False).passed


def test_a_missing_copy_is_rejected():
    assert not cr.check_gradients(Fanned(copies=False), x_of(7, 3), show=False).passed


def test_the_report_names_the_array_that_is_wrong():
    report = cr.check_gradients(Affine("mean instead of sum"), x_of(7, 3), show=False)
    assert {row.name: row.passed for row in report.rows} == {"x": True, "0.W": True, "0.b": False}
    assert len(report.worst) == 5
    assert report.worst[0].name == "0.b"
    assert report.worst[0].analytic / report.worst[0].numerical == pytest.approx(1 / 7)


def test_a_wrong_loss_is_rejected():
    class Unaveraged(cr.Loss):
        def check(self, targets, shape):
            return np.asarray(targets)

        def compute(self, outputs, targets, weights, total):
            return float(np.mean((outputs - targets) ** 2)), 2 * (outputs - targets)

    report = cr.check_gradients(Unaveraged(), x_of(7, 1), x_of(7, 1, seed=1), show=False)
    assert not report.passed
    assert report.worst[0].analytic / report.worst[0].numerical == pytest.approx(7)


def test_large_arrays_are_sampled_and_still_proven():
    network = cr.MLP([97, 53, 5], seed=1)
    x, y = x_of(11, 97), np.random.default_rng(1).integers(0, 5, 11)
    report = cr.check_gradients(network, x, y, cr.CrossEntropy(), show=False)
    assert report.passed, report
    assert len(report.rows[1].entries) < 97 * 53


@pytest.mark.parametrize("seed", range(5))
def test_one_wrong_block_in_a_large_array_is_found_by_the_random_directions(seed):
    class OneColumnWrong(Layer):
        parameter_names = ("W",)

        def build(self, in_shape, rng):
            self.W = rng.standard_normal((in_shape[0], 61))
            return (61,)

        def forward(self, x, train=False, rng=None):
            return x @ self.W, (x,)

        def backward(self, dy, cache, need_dx=True):
            self.dW = cache[0].T @ dy
            self.dW[:, 17] = 0
            return dy @ self.W.T

    assert not cr.check_gradients(OneColumnWrong(), x_of(7, 101, seed=seed), seed=seed, show=False).passed


def test_kinks_are_set_aside_and_counted():
    x = np.array([[0.0, 1e-4, -1e-4, 1.0, -1.0, 0.5, 2.0, -3.0, 1.5, 0.7, 0.9, -0.8, 3.0, 1.1, 2.2]])
    row = cr.check_gradients(cr.ReLU(), x, show=False).rows[0]
    assert (row.set_aside, len(row.entries), row.passed) == (3, 12, True)


def test_more_than_a_fifth_at_kinks_proves_nothing():
    assert not cr.check_gradients(cr.ReLU(), np.zeros((3, 5)), show=False).passed


def test_a_gradient_that_is_zero_by_nature_passes():
    """A bias before BatchNorm moves nothing: rounding noise must not be taken for an error."""
    network = cr.Network(cr.Linear(3, 5), cr.BatchNorm(), cr.Tanh(), cr.Linear(5, 2))
    report = cr.check_gradients(network, x_of(11, 3), np.arange(11) % 2, cr.CrossEntropy(), show=False)
    assert report.passed, report


def test_dropout_repeats_its_mask():
    network = cr.Network(cr.Linear(5, 7), cr.Dropout(0.5), cr.Sigmoid(), cr.Linear(7, 2))
    assert cr.check_gradients(network, x_of(11, 5), show=False).passed


def test_the_subject_is_left_as_it_was(capsys):
    network = cr.MLP([3, 5, 2])
    params, grads, x = network.params.copy(), network.grads.copy(), x_of(7, 3)
    kept = x.copy()
    cr.check_gradients(network, x)
    np.testing.assert_array_equal(network.params, params)
    np.testing.assert_array_equal(network.grads, grads)
    np.testing.assert_array_equal(x, kept)
    printed = capsys.readouterr().out
    assert "PASSED" in printed
    assert "five worst" in printed


def test_a_built_layer_is_checked_with_its_own_arrays():
    layer = cr.Linear(3, 2)
    layer.build((3,), np.random.default_rng(0))
    layer.W = np.full((3, 2), 7.0)
    report = cr.check_gradients(layer, x_of(5, 3), show=False)
    upstream = np.random.default_rng((0, 1)).standard_normal((5, 2))
    analytic = {entry.index: entry.analytic for entry in report.rows[0].entries}
    assert analytic[(0, 0)] == pytest.approx(7 * upstream[0].sum())


def test_other_subjects_are_refused():
    with pytest.raises(cr.ConfigurationError, match="expected a layer, a network or a loss"):
        cr.check_gradients(np.tanh, x_of(2, 2))


def test_a_network_that_is_sure_and_right_passes():
    """Its loss is nearly 0, a small difference of large numbers: that rounding must not be taken for an error."""
    network = cr.MLP([3, 7, 5], seed=2)
    x = x_of(11, 3)
    network.layers[-1].W *= 300
    y = network(x).argmax(axis=1)
    assert network.evaluate(x, y, cr.CrossEntropy())["loss"] < 0.01
    report = cr.check_gradients(network, x, y, cr.CrossEntropy(), show=False)
    assert report.passed, report


def test_the_report_says_which_layer_to_look_at():
    network = cr.Network(cr.Linear(3, 5), Affine("activation slope forgotten"), cr.Linear(5, 2))
    text = str(cr.check_gradients(network, x_of(7, 3), show=False))
    assert "wrong up to layer 1, right from layer 2 on: look at the backward of layer 1" in text

    class Halved(Layer):
        any_shape = True

        def forward(self, x, train=False, rng=None):
            return x, ()

        def backward(self, dy, cache, need_dx=True):
            return dy / 2

    network = cr.Network(cr.Linear(3, 5), Halved(), cr.Linear(5, 2))
    report = cr.check_gradients(network, x_of(7, 3), show=False)
    assert "right from layer 2 on: look at the backward of layers 0 to 1" in str(report)
    assert repr(report) == str(report)


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "used"), [(64, None), (200, "on the first"), (1000, "on the first")])
def test_a_large_batch_of_digits_is_no_reason_to_call_a_right_network_wrong(rows, used):
    """The more rows, the more of them lie at a kink of some unit: fewer are taken, and the report says so."""
    digits = cr.datasets.mnist().train
    network = cr.MLP([784, 32, 10], scale=1 / 255, seed=0)
    report = cr.check_gradients(network, digits.x[:rows], digits.y[:rows], "cross_entropy", show=False)
    assert report.passed, str(report)
    assert used is None or used in str(report)


def test_kinks_alone_make_the_check_unsure_and_blame_nobody():
    x = np.array([[1e-4], [2e-4]])  # within reach of the ReLU's kink, whatever the rows
    report = cr.check_gradients(cr.ReLU(), x, show=False)
    assert not report.passed
    assert report.unsure
    assert "UNSURE, too many kinks" in str(report)
    assert "WRONG" not in str(report)
    assert "look at the backward" not in str(report)
