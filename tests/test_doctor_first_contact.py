"""What new users met in their first hour: nothing unseen may be called right, and every sentence must help."""

import re

import numpy as np
import pytest

import chainrule as cr

X = np.random.default_rng(0).normal(size=(7, 5))
Y = np.array([0, 1, 2, 0, 1, 2, 0])


class Linear:
    def __init__(self, inputs=5, outputs=3):
        self.W, self.b = np.random.default_rng(1).normal(size=(inputs, outputs)), np.zeros(outputs)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b


def keeping(how):
    """A linear layer that leaves five times dW, and a mean for db, where `how` puts them."""

    class Keeping(Linear):
        def backward(self, dy):
            how(self, self.x.T @ dy * 5, dy.mean(axis=0))
            return dy @ self.W.T

    return Keeping()


def in_a_dict(self, dW, db):
    self.grads = {"W": dW, "b": db}


def in_another_dict(self, dW, db):
    self.gradients = {"dW": dW, "db": db}


def by_g(self, dW, db):
    self.gW, self.gb = dW, db


def by_delta(self, dW, db):
    self.delta_w, self.delta_b = dW, db


def nowhere(self, dW, db):
    del dW, db


@pytest.mark.parametrize("how", [in_a_dict, in_another_dict, by_g, by_delta])
def test_gradients_are_found_wherever_they_are_left(how):
    report = cr.doctor.gradients(keeping(how), x=X, show=False)
    assert report.verdict == "wrong"
    assert [(row.name, row.cause) for row in report.rows if row.cause] == [("W", "factor"), ("b", "mean-for-sum")]


def test_weights_without_a_gradient_are_not_passed_over():
    report = cr.doctor.gradients(keeping(nowhere), x=X, show=False)
    assert (report.verdict, report.causes) == ("wrong", ["no-gradients"])
    assert "forward depends on W, b" in str(report)


def slope(f):
    def backward(dy, cache):
        return dy * f(cache)

    return backward


@pytest.mark.parametrize(
    ("forward", "backward", "x"),
    [
        (lambda x: (np.log(x), x), slope(lambda x: x), -abs(X)),
        (lambda x: (np.sqrt(x), x), slope(lambda x: 99.0), X),
    ],
)
def test_what_gives_nan_is_not_right(forward, backward, x):
    report = cr.doctor.gradients(forward, backward, x=x, show=False)
    assert not report.passed
    assert report.causes == ["not-compared"]
    assert "nan or infinite" in str(report)


def test_a_function_that_raises_is_told_even_without_its_backward():
    report = cr.doctor.gradients(lambda x: x @ np.ones((3, 3)), x=X, show=False)
    assert report.causes == ["raised"]


def test_a_loss_that_gives_nan_is_not_right():
    report = cr.doctor.gradients(
        lambda p, y: -np.mean(y * np.log(p)), lambda p, y: -y / p, x=X[:, :3], y=np.eye(3)[Y], show=False
    )
    assert not report.passed


class Network(Linear):
    def backward(self, dy):
        self.dW, self.db = self.x.T @ dy, dy.sum(axis=0)


class NoBackward:
    def forward(self, x):
        return x


def cross_entropy(scores, y):
    return -np.log(cr.softmax(scores)[np.arange(len(y)), y]).mean()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: cr.doctor.gradients(Network(), x=np.full((7, 5), np.nan)), "35 that are nan or infinite"),
        (lambda: cr.doctor.gradients(Network(), x=np.zeros((0, 5))), r"received shape \(0, 5\)"),
        (lambda: cr.doctor.gradients(Network(), x=X, y=Y, loss="cross_entopy"), "Did you mean 'cross_entropy'"),
        (lambda: cr.doctor.gradients(Network(), x=X, y=Y, loss=5), "loss must be a function"),
        (lambda: cr.doctor.gradients(Network(), x=X, loss=cross_entropy), "a loss was given but no targets: pass y="),
        (lambda: cr.doctor.gradients(np.tanh, x=X), "tanh has no backward"),
        (lambda: cr.doctor.gradients(NoBackward(), x=X), "NoBackward, which has no backward"),
    ],
)
def test_what_is_missing_is_asked_for(call, said):
    with pytest.raises(cr.ConfigurationError, match=said):
        call()


def test_a_loss_may_be_one_of_the_librarys():
    report = cr.doctor.gradients(Network(), x=X, y=Y, loss="cross_entropy", show=False)
    assert report.passed, str(report)


class Untransposed(Linear):
    def backward(self, dy):
        self.dW, self.db = self.x.T @ dy, dy.sum(axis=0)
        return dy @ self.W


class CallsNumPy(Linear):
    def backward(self, dy):
        return np.mean(dy, axis=5)


@pytest.mark.parametrize(
    ("layer", "line", "advice"),
    [
        (Untransposed, "return dy @ self.W    # dy is (7, 3), self.W is (5, 3)", "compare the shapes in this line"),
        (CallsNumPy, "return np.mean(dy, axis=5)    # dy is (7, 3)", "run it by hand"),
    ],
)
def test_what_backward_raised_is_shown_with_its_own_line(layer, line, advice):
    report = cr.doctor.gradients(layer(), x=X, show=False)
    ((cause, evidence, write),) = report.notes
    assert cause == "raised"
    assert re.fullmatch(rf"test_doctor_first_contact.py:\d+: {re.escape(line)}", evidence.splitlines()[-1]), evidence
    assert write.startswith(advice)
    assert f"\n    test_doctor_first_contact.py:{evidence.splitlines()[-1].split(':')[1]}" in str(report)


def test_a_gradient_of_another_shape_is_told_both_shapes():
    class OverTheRows(Linear):
        def backward(self, dy):
            self.dW, self.db = self.x.T @ dy, dy.sum(axis=1)
            return dy @ self.W.T

    assert "db (3,): wrong, has the shape (7,), expected (3,)" in str(
        cr.doctor.gradients(OverTheRows(), x=X, show=False)
    )


class EndsInSoftmax(Linear):
    """Its backward is that of softmax and cross-entropy together, as most networks' is."""

    def forward(self, x):
        self.p = cr.softmax(super().forward(x))
        return self.p

    def backward(self, y):
        dz = (self.p - np.eye(3)[y]) / len(y)
        self.dW, self.db = self.x.T @ dz, dz.sum(axis=0)


@pytest.mark.parametrize("loss", ["cross_entropy", cr.CrossEntropy(), cr.CrossEntropy(from_probabilities=True)])
@pytest.mark.parametrize("x", [X, X * 20], ids=["doubtful", "sure"])
def test_the_librarys_cross_entropy_reads_probabilities_where_the_network_gives_them(loss, x):
    report = cr.doctor.gradients(EndsInSoftmax(), x=x, y=Y, loss=loss, show=False)
    assert report.passed, str(report)
    told = getattr(loss, "from_probabilities", False)
    assert ("CrossEntropy(from_probabilities=True), as every row" in report.seen) is not told


def test_the_upstream_gradient_left_out_has_a_name():
    report = cr.doctor.gradients(lambda x: (np.tanh(x), x), lambda dy, cache: 1 - np.tanh(cache) ** 2, x=X, show=False)
    assert report.causes == ["upstream"]


class Dense(Linear):
    """A layer with an activation; each of the three may be handed another dz."""

    def __init__(self, *of_ones):
        super().__init__()
        self.of_ones = of_ones

    def forward(self, x):
        self.a = np.tanh(super().forward(x))
        return self.a

    def backward(self, dy):
        dz = {name: np.ones_like(dy) if name in self.of_ones else dy * (1 - self.a**2) for name in ("W", "b", "x")}
        if "z" in self.of_ones:
            dz = dict.fromkeys(dz, 1 - self.a**2)
        self.dW, self.db = self.x.T @ dz["W"], dz["b"].sum(axis=0)
        return dz["x"] @ self.W.T


@pytest.mark.parametrize("of_ones", ["", "W", "b", "x", "Wb", "Wbx", "z"])
def test_where_ones_stand_for_the_upstream_gradient_it_is_said(of_ones):
    report = cr.doctor.gradients(Dense(*of_ones), x=X, show=False)
    wrong = "Wbx" if of_ones == "z" else of_ones
    assert {row.name: row.cause for row in report.rows if row.cause} == dict.fromkeys(wrong, "upstream"), str(report)


@pytest.mark.parametrize(
    ("dW", "said", "cause"),
    [
        (None, "missing", "no-gradients"),
        (np.full((5, 3), np.nan), "15 of 15 values are nan or infinite", "raised"),
        (np.diag([np.inf] * 5)[:, :3], "3 of 15 values are nan or infinite", "raised"),
        (np.zeros((5, 3)), "0 throughout", "missing-derivative"),
    ],
    ids=["missing", "nan", "inf", "zero"],
)
def test_a_gradient_that_has_no_size_to_be_off_by_is_told_in_words(dW, said, cause):
    def backward(dy, W):
        return {"dx": dy @ W.T, "dW": dW, "db": dy.sum(axis=0)}

    parameters = {"W": Linear().W, "b": np.zeros(3)}
    report = cr.doctor.gradients(lambda x, W, b: (x @ W + b, W), backward, x=X, parameters=parameters, show=False)
    assert f"dW (5, 3): wrong, {said}\n" in str(report)
    assert report.causes == [cause]


def test_a_gradient_where_0_is_right_is_not_measured_by_it():
    report = cr.doctor.gradients(lambda x: (0 * x, x), lambda dy, x: dy, x=X, show=False)
    assert "dx (7, 5): wrong, should be 0 throughout\n" in str(report)


@pytest.mark.parametrize(("n", "on_top"), [(7, ""), (1, "; and a factor of 7 on top")], ids=["divided", "not divided"])
def test_beside_another_mistake_a_factor_is_told_only_where_there_is_one(n, on_top):
    report = cr.doctor.gradients(
        cross_entropy, lambda z, y: (cr.softmax(z) + np.eye(3)[y]) / n, x=X[:, :3], y=Y, show=False
    )
    (row,) = report.rows
    assert row.evidence == "the targets have the wrong sign: p + y stands where p - y belongs" + on_top


FORMULAS = {"tanh": np.tanh, "sigmoid": cr.sigmoid, "ReLU": cr.relu, "softplus": cr.softplus, "SiLU": cr.silu}


@pytest.mark.parametrize("name", FORMULAS)
def test_the_line_to_write_is_right_as_it_stands(name):
    """Copied and run, it gives the derivative: brackets and all."""
    f = FORMULAS[name]
    report = cr.doctor.gradients(lambda x: (f(x), x), lambda dy, cache: dy, x=X, show=False)
    (write,) = re.findall(r"write: dz = (.*)", str(report))
    z, da = X, np.random.default_rng(2).normal(size=X.shape)
    names = {"np": np, "z": z, "a": f(z), "da": da, "s": cr.sigmoid(z)}
    h = 1e-6
    right = da * (f(z + h) - f(z - h)) / (2 * h)
    np.testing.assert_allclose(eval(write.split(", where")[0], names), right, rtol=1e-6, atol=1e-8)
