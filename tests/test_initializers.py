"""Starting weights: the right variance, the right fan, the right tails, a signal that lives through twenty layers."""

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.initializers import INITIALIZERS

VARIANCES = {cr.He: 2 / 200, cr.Glorot: 2 / 500, cr.LeCun: 1 / 200}  # fan_in 200, fan_out 300


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
@pytest.mark.parametrize("rule", VARIANCES, ids=lambda rule: rule.__name__)
def test_variance_and_distribution(rule, distribution):
    weights, variance = rule(distribution)(np.random.default_rng(0), (200, 300)), VARIANCES[rule]
    assert weights.dtype == np.float64 and weights.shape == (200, 300)
    assert rule().variance(200, 300) == pytest.approx(variance, rel=1e-15)
    assert weights.var() == pytest.approx(variance, rel=0.02)
    assert abs(weights.mean()) < 4 * math.sqrt(variance / weights.size)
    kurtosis = (weights**4).mean() / weights.var() ** 2
    assert kurtosis == pytest.approx({"normal": 3, "uniform": 9 / 5}[distribution], rel=0.03)
    if distribution == "uniform":
        limit = math.sqrt(3 * variance)
        assert 0.999 * limit < np.abs(weights).max() <= limit


def test_a_kernel_counts_its_receptive_field():
    weights = cr.He()(np.random.default_rng(0), (3, 5, 7, 400))  # rows, columns, channels in, channels out
    assert weights.var() == pytest.approx(2 / (3 * 5 * 7), rel=0.02)
    weights = cr.Glorot()(np.random.default_rng(0), (3, 5, 7, 400))
    assert weights.var() == pytest.approx(2 / (3 * 5 * (7 + 400)), rel=0.02)


def test_normal_ignores_the_widths():
    for shape in ((2, 20_000), (20_000, 2)):
        assert cr.Normal(0.3)(np.random.default_rng(0), shape).std() == pytest.approx(0.3, rel=0.02)
    assert not cr.Normal(0)(np.random.default_rng(0), (3, 3)).any()


def test_names():
    assert cr.Xavier is cr.Glorot
    assert INITIALIZERS["xavier"] is cr.Glorot
    for name, rule in INITIALIZERS.items():
        by_name = cr.Network(cr.Linear(5, 3, initializer=name))
        np.testing.assert_array_equal(by_name.params, cr.Network(cr.Linear(5, 3, initializer=rule())).params)


def test_the_generator_alone_decides():
    first, again, other = (cr.He()(np.random.default_rng(seed), (4, 5)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("rule", [cr.He("uniform"), cr.Glorot(), cr.LeCun("uniform"), cr.Normal(0.5)], ids=repr)
def test_round_trip(rule):
    assert eval(repr(rule), vars(cr)).config() == rule.clone().config() == rule.config()


@pytest.mark.parametrize(
    ("activation", "low", "high"), [("relu", 0.3, 3), ("leaky_relu", 0.3, 3), ("tanh", 0.1, 1), ("identity", 0.3, 3)]
)
def test_the_default_keeps_the_signal_alive_through_twenty_layers(activation, low, high):
    network = cr.MLP([300] * 21, activation)
    x = np.random.default_rng(1).standard_normal((200, 300))
    size = math.sqrt(float((network(x) ** 2).mean()))
    assert low < size < high


def test_the_gradient_lives_too():
    network = cr.MLP([300] * 21)
    outputs, caches = network.forward(np.random.default_rng(1).standard_normal((200, 300)).astype(np.float32))
    dy = np.random.default_rng(2).standard_normal(outputs.shape).astype(np.float32)
    dx = network.backward(dy, caches, need_dx=True)
    assert 0.2 < dx.std() / dy.std() < 5


def test_mlp_chooses_by_its_activation():
    for activation, name in {"relu": "he", "leaky_relu": "he", "tanh": "glorot", "sigmoid": "glorot"}.items():
        network = cr.MLP([4, 5, 3], activation)
        assert [layer.initializer for layer in network.layers[::2]] == [name, name]
    assert cr.MLP([4, 3], initializer="lecun", bias=0.5).layers[0].initializer == "lecun"
    np.testing.assert_array_equal(cr.MLP([4, 3], bias=0.5).layers[0].b, 0.5)


@pytest.mark.parametrize("make", [lambda: cr.He("normel"), lambda: cr.Normal(-1), lambda: cr.Normal(math.nan)])
def test_refused(make):
    with pytest.raises(cr.ConfigurationError, match=r"normal|std must be"):
        make()


def test_a_misspelt_name_is_refused_where_it_is_written():
    with pytest.raises(cr.ConfigurationError, match="Did you mean 'he'"):
        cr.Linear(4, 3, initializer="hee")
