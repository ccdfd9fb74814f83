"""Layers that hold layers: names, chance, running state and gradients find their way in and out."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.layers.layer import Layer

N = 7


class InPlace(Layer):
    """tanh, whose backward reuses the memory of dy, as the contract allows."""

    any_shape = True

    def forward(self, x, train=False, rng=None):
        y = np.tanh(x)
        return y, (y,)

    def backward(self, dy, cache, need_dx=True):
        (y,) = cache
        dy *= 1 - y * y
        return dy


class Recorded(Layer):
    """Notes what it is asked for. With a parameter, it learns."""

    def __init__(self, learns=False):
        self.learns = learns
        self.asked = []
        self.parameter_names = ("gain",) if learns else ()

    def build(self, in_shape, rng):
        if self.learns:
            self.gain = np.ones(1)
        return in_shape

    def forward(self, x, train=False, rng=None):
        return x, ()

    def backward(self, dy, cache, need_dx=True):
        self.asked.append(need_dx)
        return dy if need_dx else None


def batch(*shape, seed=2):
    return np.random.default_rng(seed).standard_normal((N, *shape))


# Gradients fan out ----------------------------------------------------------------------------------------------------

REUSING = {
    "chain": lambda: cr.Chain(InPlace(), InPlace()),
    "residual": lambda: cr.Residual(InPlace()),
    "residual in residual": lambda: cr.Residual(cr.Residual(InPlace()), InPlace()),
    "branches": lambda: cr.Concatenate(InPlace(), cr.Identity(), InPlace()),
    "one branch": lambda: cr.Concatenate(InPlace()),
    "branches of residuals": lambda: cr.Concatenate(cr.Residual(InPlace()), cr.Chain(cr.Linear(5, 3), InPlace())),
}


@pytest.mark.parametrize("make", REUSING.values(), ids=REUSING)
def test_layers_inside_may_reuse_the_memory_of_dy(make):
    report = cr.check_gradients(make(), batch(5), show=False)
    assert report.passed, report


def test_a_residual_that_does_not_copy_dy_is_found_out(monkeypatch):
    layer, x, dy = cr.Residual(InPlace()), batch(5), batch(5, seed=3)
    _, cache = layer.forward(x)
    right = layer.backward(dy.copy(), cache)

    def without_copy(self, dy, cache, need_dx=True):
        return dy + self.inside.backward(dy, cache)

    monkeypatch.setattr(cr.Residual, "backward", without_copy)
    wrong = layer.backward(dy.copy(), cache)
    assert 0.2 < np.linalg.norm(wrong - right) / np.linalg.norm(right) < 1
    assert not cr.check_gradients(cr.Residual(InPlace()), x, show=False).passed


@pytest.mark.parametrize("outer", [cr.Chain, cr.Residual])
def test_nobody_below_the_first_layer_that_learns_is_asked(outer):
    below, first, second = Recorded(), Recorded(learns=True), Recorded(learns=True)
    network = cr.Network(outer(below, cr.Chain(first, second)), in_shape=(5,))
    y, caches = network.forward(batch(5))
    assert network.backward(y, caches) is None
    assert (below.asked, first.asked, second.asked) == ([], [False], [True])
    network.backward(y, caches, need_dx=True)
    assert (below.asked, first.asked, second.asked) == ([True], [False, True], [True, True])


def test_a_chain_in_a_network_trains_as_its_layers_would():
    x, y = batch(5), np.arange(N) % 3
    runs = []
    for wrap in (lambda *layers: (cr.Chain(*layers),), lambda *layers: layers):
        layers = wrap(cr.Linear(5, 6), cr.BatchNorm(), cr.GELU(), cr.Dropout(0.3), cr.Linear(6, 3))
        trainer = cr.Trainer(cr.Network(*layers), "cross_entropy", "adam", batch_size=4)
        losses = [step.loss for step in trainer.steps(x, y, epochs=5)]
        runs.append((losses, trainer.network.params.tobytes(), trainer.network.state.tobytes()))
    assert runs[0] == runs[1]


def test_a_container_of_layers_that_learn_nothing_hands_on_no_gradient_in_vain():
    layer = cr.Residual(InPlace())
    _, cache = layer.forward(batch(5))
    assert layer.backward(batch(5), cache, need_dx=False) is None


# What the network sees ------------------------------------------------------------------------------------------------


@pytest.fixture
def network():
    return cr.Network(
        cr.Residual(cr.Linear(4, 4), cr.BatchNorm(), cr.Dropout(0.5)),
        cr.Concatenate(cr.Identity(), cr.Chain(cr.Linear(4, 3), cr.Tanh())),
        cr.Linear(7, 2),
        output="softmax",
    )


def test_layers_inside_are_named_by_their_places(network):
    assert [row.name for row in network.parameters] == [
        "0.0.W", "1.1.0.W", "2.W", "0.0.b", "0.1.gamma", "0.1.beta", "1.1.0.b", "2.b",
    ]  # fmt: skip
    assert [row.name for row in network.states] == ["0.1.running_mean", "0.1.running_variance"]
    assert network.layers[1].branches[1].layers[0].title() == "Linear #1.1.0"


def test_freezing_by_a_nested_name_leaves_the_rest_to_learn(network):
    network.freeze("0", "1.1.0.W")
    before = {row.name: network.params[row.slice].copy() for row in network.parameters}
    cr.Trainer(network, "cross_entropy", "sgd", batch_size=N).fit(batch(4), np.arange(N) % 2, epochs=3)
    moved = {row.name for row in network.parameters if not np.array_equal(network.params[row.slice], before[row.name])}
    assert moved == {"1.1.0.b", "2.W", "2.b"}


def test_the_summary_counts_what_lies_inside(network):
    lines = network.summary().splitlines()
    assert [line.split()[-1] for line in lines[2:5]] == ["28", "15", "16"]
    assert "1  Concatenate(Identity(), Chain(Linear(4, 3), Tanh()))" in lines[3] and "(N, 7)" in lines[3]
    assert "total 59 parameters; 8 numbers of running state" in lines[-1]


def test_the_trace_keeps_gradients_of_what_lies_inside(network):
    rows = network.trace(batch(4), np.arange(N) % 2, "cross_entropy")
    assert [list(row.gradients) for row in rows] == [
        ["0.0.W", "0.0.b", "0.1.gamma", "0.1.beta"], ["1.1.0.W", "1.1.0.b"], ["2.W", "2.b"],
    ]  # fmt: skip
    assert all(np.any(gradient) for row in rows for gradient in row.gradients.values())


def test_chance_and_running_state_inside_belong_to_training(network):
    assert network.draws
    x, before = batch(4), network.state.copy()
    np.testing.assert_array_equal(network(x), network(x))
    cr.Trainer(network, "cross_entropy", "sgd", batch_size=N).fit(x, np.arange(N) % 2)
    assert not np.array_equal(network.state, before)


def test_a_batch_too_small_for_a_layer_inside_is_refused(network):
    trainer = cr.Trainer(network, "cross_entropy", "sgd", batch_size=N - 1)
    with pytest.raises(cr.ConfigurationError, match="BatchNorm needs 2"):
        trainer.fit(batch(4), np.arange(N) % 2)


@pytest.mark.parametrize(
    "front",
    [
        lambda: cr.Chain(cr.Rescale(2.0), cr.Standardize()),
        lambda: cr.Residual(cr.Rescale(2.0), cr.Standardize()),
        lambda: cr.Concatenate(cr.Chain(cr.Rescale(2.0), cr.Standardize()), cr.Identity()),
    ],
)
def test_statistics_of_the_inputs_are_taken_inside_too(front):
    network = cr.Network(front(), cr.Linear(out_features=2), in_shape=(4,), output="softmax")
    x = 3 + batch(4)
    cr.Trainer(network, "cross_entropy", "sgd", batch_size=N).fit(x, np.arange(N) % 2)
    (standardize,) = (layer for layer in network.layers[0].walk() if isinstance(layer, cr.Standardize))
    np.testing.assert_allclose(standardize.mean, 2 * x.mean(axis=0), rtol=1e-6)


def test_statistics_of_the_inputs_cannot_be_taken_beside_layers_that_learn():
    with pytest.raises(cr.ConfigurationError, match="and inside none"):
        cr.Network(cr.Chain(cr.Standardize(), cr.Linear(4, 2)))


@pytest.mark.parametrize(
    "first",
    [
        cr.Chain(cr.Dropout(0.1), cr.Linear(4, 3)),
        cr.Residual(cr.ReLU(), cr.Linear(4, 4)),
        cr.Concatenate(cr.Identity(), cr.Chain(cr.Linear(4, 2))),
        cr.Residual(cr.ReLU()),
        cr.Chain(cr.BatchNorm(), cr.Residual(cr.Tanh())),
    ],
    ids=repr,
)
def test_a_width_that_is_said_inside_is_known(first):
    network = cr.Network(first.clone(), cr.Residual(cr.Linear(4, 4)) if first.any_shape else cr.Identity())
    assert network.in_shape == (4,)


# What does not go together --------------------------------------------------------------------------------------------

MISTAKES = {
    "Residual(Linear(5, 3))": r"Residual #0: x of shape \(5,\) and f\(x\) of shape \(3,\)",
    "Residual(Reshape(1, 5))": r"x of shape \(5,\) and f\(x\) of shape \(1, 5\)",
    "Chain(Identity(), Residual(Linear(5, 3)))": r"Residual #0\.1: x of shape",
    "Concatenate(Identity(), Reshape(1, 5))": r"Concatenate #0: the branches give shapes \(5,\), \(1, 5\)",
    "Concatenate(Reshape(5, 1), Reshape(1, 5))": r"give shapes \(5, 1\), \(1, 5\)",
    "Reshape(2, 3)": r"Reshape #0: 5 entries of shape \(5,\) do not fill \(2, 3\)",
    "Reshape(2, -1)": r"5 entries of shape \(5,\) do not fill \(2, -1\)",
    "Reshape(7, -1)": r"5 entries of shape \(5,\) do not fill \(7, -1\)",
    "Chain(Linear(5, 3), Linear(4, 2))": r"Linear #0\.1 \(4 -> 2\): expected x of shape \(N, 4\)",
}


@pytest.mark.parametrize("code", MISTAKES)
def test_shapes_that_do_not_fit_are_refused_at_build(code):
    with pytest.raises(cr.ShapeError, match=MISTAKES[code]):
        cr.Network(eval(code, dict(vars(cr))), in_shape=(5,))


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (-1, -1), (-2,), (2.0,), ((2, 3),), (True,), ("2",)], ids=str)
def test_a_shape_that_cannot_be_is_refused(shape):
    with pytest.raises(cr.ConfigurationError, match=r"^Reshape: "):
        cr.Reshape(*shape)


@pytest.mark.parametrize("container", [cr.Chain, cr.Residual, cr.Concatenate])
@pytest.mark.parametrize("inner", [(), (5,), ([cr.ReLU()],), (cr.ReLU,), (cr.ReLU(), None)], ids=repr)
def test_a_container_takes_layers_one_by_one(container, inner):
    with pytest.raises(cr.ConfigurationError, match=f"^{container.__name__}: expected layers one by one"):
        container(*inner)


def test_one_layer_in_two_branches_is_refused():
    one = cr.Linear(5, 3)
    with pytest.raises(cr.ConfigurationError, match="stands in two places"):
        cr.Network(cr.Concatenate(one, cr.Chain(one)))


def test_a_copy_has_layers_of_its_own():
    layer = cr.Concatenate(cr.Residual(cr.Linear(5, 5)), cr.Identity())
    assert not {id(inner) for inner in layer.walk()} & {id(inner) for inner in layer.clone().walk()}
