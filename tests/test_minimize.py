"""L-BFGS reaches minima that walks around them do not, moves nothing that it should not, and can be broken off."""

import sys
import warnings

import numpy as np
import pytest

import chainrule as cr
from chainrule.border import BATCH
from chainrule.minimizing import Objective

pytest.importorskip("scipy")

rng = np.random.default_rng(0)
X = rng.standard_normal((300, 5))
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] * X[:, 2] > 0)


class Square:
    """A penalty as the optimizers' L2 has it."""

    def __init__(self, strength):
        self.strength = strength

    def add(self, w, g):
        g += self.strength * w
        return self.strength / 2 * float(w @ w)


def classifier(dtype="float64", **options):
    return cr.MLP([5, 8, 3], "tanh", seed=1, dtype=dtype, **options)


@pytest.mark.parametrize(("iterations", "close"), [(5, 1e-12), (20, 1e-9), (2000, 1e-6)])
def test_from_the_same_start_it_comes_where_scikit_learn_comes(iterations, close):
    neural = pytest.importorskip("sklearn.neural_network")
    network, alpha = classifier(), 0.3
    start = network.copy()

    class SameStart(neural.MLPClassifier):
        def _init_coef(self, fan_in, fan_out, dtype):
            layer = start.layers[{5: 0, 8: 2}[fan_in]]
            return layer.W.copy(), layer.b.copy()

    theirs = SameStart((8,), "tanh", solver="lbfgs", alpha=alpha, max_iter=iterations, tol=1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of not having converged in 5 iterations
        theirs.fit(X, Y)
    penalty = Square(alpha / len(X))
    ours = cr.minimize(network, X, Y, "cross_entropy", penalty=penalty, max_iterations=iterations, tolerance=1e-6)
    assert ours.loss + ours.penalty <= theirs.loss_ + close
    if iterations < 100:
        assert ours.loss + ours.penalty == pytest.approx(theirs.loss_, abs=close)
        assert ours.iterations == theirs.n_iter_ == iterations
        np.testing.assert_allclose(network.layers[0].W, theirs.coefs_[0], atol=1e-4)
    else:
        assert ours.converged


def test_xor_is_solved_to_the_last_digits():
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1.0], [1.0], [0.0]])
    network = cr.MLP([2, 3, 1], "tanh", seed=1, dtype="float64")
    result = cr.minimize(network, x, y, "squared_error", tolerance=1e-9)
    assert result.converged
    assert result.loss < 1e-15
    np.testing.assert_allclose(network(x), y, atol=1e-7)


def test_the_bowl_is_learned_to_four_digits():
    bowl = cr.datasets.surface()
    network = cr.MLP([2, 10, 1], "tanh", output="identity", initializer="glorot", dtype="float64")
    cr.minimize(network, *bowl.train, "squared_error", max_iterations=2000, tolerance=1e-7)
    x, y = bowl.test
    assert 1 - ((network(x) - y) ** 2).sum() / ((y - y.mean()) ** 2).sum() > 0.99999


def test_a_straight_line_ends_at_the_least_squares():
    network = cr.Network(cr.Linear(5, 2), dtype="float64")
    targets = rng.standard_normal((300, 2))
    result = cr.minimize(network, X, targets, "squared_error", tolerance=1e-10)
    exact, *_ = np.linalg.lstsq(np.column_stack([X, np.ones(300)]), targets, rcond=None)
    assert result.converged
    np.testing.assert_allclose(np.vstack([network.layers[0].W, network.layers[0].b]), exact, atol=1e-8)


def test_the_result_tells_what_was_done():
    network = classifier()
    result = cr.minimize(network, X, Y, "cross_entropy", penalty=Square(0.01), max_iterations=7)
    assert (result.iterations, result.converged) == (7, False)
    assert result.evaluations >= 8
    assert "LIMIT" in result.message.upper()
    assert len(result.losses) == 8
    assert (np.diff(result.losses) < 0).all()
    weights = [network.layers[i].W for i in (0, 2)]
    assert result.penalty == pytest.approx(0.005 * sum((w**2).sum() for w in weights), rel=1e-12)
    assert result.loss == pytest.approx(network.evaluate(X, Y, "cross_entropy")["loss"], rel=1e-12)
    assert result.losses[-1] == result.loss + result.penalty


def test_batches_within_make_no_difference():
    x, y = np.tile(X, (9, 1)), np.tile(Y, 9)
    assert len(x) % BATCH
    assert len(x) > 2 * BATCH
    values = [Objective(classifier(), *data, cr.CrossEntropy(), ()) for data in ((x, y), (X, Y))]
    (loss, gradient), (expected, expected_gradient) = (objective(objective.start) for objective in values)
    assert loss == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(gradient, expected_gradient, atol=1e-15)


def test_the_gradient_is_that_of_the_value():
    network = classifier()
    network.freeze("0.b")
    objective = Objective(network, X, Y, cr.CrossEntropy(), (Square(0.3), Square(0.1)))
    direction = rng.standard_normal(objective.start.shape)
    ends = [objective(objective.start + h * direction)[0] for h in (-1e-5, 1e-5)]
    assert (ends[1] - ends[0]) / 2e-5 == pytest.approx(objective(objective.start)[1] @ direction, rel=1e-7)


def test_frozen_parameters_stay_and_the_others_move():
    network = classifier()
    network.freeze("0", "2.b")
    before = network.copy()
    cr.minimize(network, X, Y, "cross_entropy", penalty=Square(0.1), max_iterations=10)
    for row in network.parameters:
        same = np.array_equal(network.params[row.slice], before.params[row.slice])
        assert same == (not row.trainable), row.name
    network.freeze()
    with pytest.raises(cr.ConfigurationError, match="no parameter is trainable"):
        cr.minimize(network, X, Y, "cross_entropy")


def test_a_float32_network_holds_the_rounded_minimum():
    single, double = classifier("float32"), classifier("float32").astype("float64")
    results = [cr.minimize(n, X, Y, "cross_entropy", penalty=Square(0.01)) for n in (single, double)]
    assert results[0].losses == results[1].losses
    assert single.params.dtype == np.float32
    np.testing.assert_array_equal(single.params, double.params.astype("float32"))


def test_the_task_is_that_of_the_loss_and_the_network_is_built_and_adapted():
    network = cr.Network(cr.Standardize(), cr.Linear(out_features=3))
    assert cr.minimize(network, 10 * X + 3, Y, "cross_entropy").converged
    assert network.output == "softmax"
    np.testing.assert_allclose(network.layers[0].mean, (10 * X + 3).mean(axis=0), rtol=1e-5)


def test_ctrl_c_leaves_the_best_point_so_far(monkeypatch):
    network, whole = classifier(), classifier()
    result = cr.minimize(whole, X, Y, "cross_entropy", max_iterations=12)
    calls, compute = iter(range(1000)), cr.CrossEntropy.compute

    def interrupted(*arguments):
        if next(calls) == 9:
            raise KeyboardInterrupt
        return compute(*arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(cr.CrossEntropy, "compute", interrupted)
        cr.minimize(network, X, Y, "cross_entropy")
    assert network.evaluate(X, Y, "cross_entropy")["loss"] in [
        pytest.approx(loss, rel=1e-12) for loss in result.losses[4:]
    ]


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (cr.Dropout(0.25), r"Dropout\(0.25\) draws chance at every step, so that the loss is not a function"),
        (cr.BatchNorm(), r"BatchNorm\(\) computes with statistics of its batch"),
    ],
)
def test_layers_without_a_fixed_loss_are_refused(layer, text):
    network = cr.Network(cr.Linear(5, 4), layer, cr.Linear(4, 3))
    before = network.params.copy()
    with pytest.raises(cr.ConfigurationError, match=text):
        cr.minimize(network, X, Y, "cross_entropy")
    np.testing.assert_array_equal(network.params, before)
    assert network.output is None


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"max_iterations": 0}, r"minimize: max_iterations must be a whole number in \[1, inf\)"),
        ({"tolerance": -1}, "minimize: tolerance"),
        ({"penalty": 0.1}, r"penalty must be an object such as L2\(1e-4\)"),
        ({"loss": "cross_entrpy"}, "Did you mean 'cross_entropy'"),
        ({"x": X[:, :4]}, "expected x of shape"),
        ({"y": Y + 0.5}, "labels"),
    ],
)
def test_arguments_that_make_no_sense(options, text):
    arguments = {"x": X, "y": Y, "loss": "cross_entropy"} | options
    with pytest.raises(cr.ChainruleError, match=text):
        cr.minimize(classifier(), **arguments)


def test_a_start_without_a_loss_is_refused():
    network = cr.Network(cr.Linear(5, 3), dtype="float64")
    network.params[...] = 1e308
    with pytest.raises(cr.DivergenceError, match=r"where it starts. Start from smaller weights"):
        cr.minimize(network, 100 * X, rng.standard_normal((300, 3)), "squared_error")
    assert (network.params == 1e308).all()


def test_without_scipy_the_pip_line_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(cr.MissingExtraError, match=r"minimize needs SciPy: pip install 'chainrule\[scipy\]'"):
        cr.minimize(classifier(), X, Y, "cross_entropy")
