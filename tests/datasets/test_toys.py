"""The toy sets: shapes, labels, geometry, seeds and noise."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.datasets import and_gate, circles, moons, spirals, surface, xor

CLASSES = [and_gate, xor, circles, moons, spirals]


@pytest.mark.parametrize("make", [*CLASSES, surface])
def test_the_same_seed_gives_the_same_points_and_another_seed_others(make):
    first, again, other = make(40, noise=0.1, seed=1), make(40, noise=0.1, seed=1), make(40, noise=0.1, seed=2)
    np.testing.assert_array_equal(first.train.x, again.train.x)
    assert not np.array_equal(first.train.x, other.train.x)
    assert first.train.x.shape == (40, 2)


@pytest.mark.parametrize("make", CLASSES)
def test_two_classes_of_equal_size(make):
    data = make(40)
    assert data.class_names == ("0", "1")
    assert data.train.y.dtype == np.int64
    share = 0.25 if make is and_gate else 0.5
    assert data.train.y.mean() == data.test.y.mean() == share


@pytest.mark.parametrize("make", [circles, moons, spirals])
def test_train_and_test_are_drawn_apart(make):
    data = make(50)
    assert not set(map(tuple, data.train.x)) & set(map(tuple, data.test.x))


@pytest.mark.parametrize("make", [*CLASSES, surface])
def test_the_global_generator_is_left_alone(make):
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    make(8, noise=0.1)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_gates_are_what_logic_says():
    for make, rule in ((and_gate, np.logical_and), (xor, np.logical_xor)):
        x, y = make().train
        np.testing.assert_array_equal(y, rule(x[:, 0], x[:, 1]))
        np.testing.assert_array_equal(make(12, noise=0.2).test.x, x)


def test_circles_lie_on_their_radii():
    x, y = circles(100, noise=0).train
    np.testing.assert_allclose(np.hypot(*x.T), np.where(y == 0, 1.0, 0.5))


def test_spiral_arms_are_each_others_reflection_through_the_centre():
    x, y = spirals(2000, noise=0).train
    radius, angle = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
    phase = (angle - 2 * np.pi * 1.5 * radius - np.pi * y) % (2 * np.pi)
    assert np.minimum(phase, 2 * np.pi - phase).max() < 1e-9


def test_moons_do_not_touch_without_noise():
    x, y = moons(400, noise=0).train
    distance = np.linalg.norm(x[y == 0][:, None] - x[y == 1][None], axis=-1)
    assert distance.min() > 0.2


def test_surface_is_the_bowl_and_its_test_set_a_clean_grid():
    data = surface(30, noise=0.1)
    assert data.train.y.shape == (30, 1)
    assert np.abs(data.train.y[:, 0] - (data.train.x**2).sum(axis=1)).max() > 0.05
    np.testing.assert_allclose(data.test.y[:, 0], (data.test.x**2).sum(axis=1))
    assert data.test.x.shape == (2500, 2)
    assert data.validation is None


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: xor(6), "multiple of 4"),
        (lambda: circles(1), r"n must be a whole number in \[2, inf\)"),
        (lambda: moons(noise=-1), r"noise must be a number in \[0, inf\)"),
        (lambda: spirals(turns=0), "turns"),
        (lambda: surface(seed=-1), "seed"),
    ],
)
def test_bad_arguments_are_named(call, text):
    with pytest.raises(cr.ConfigurationError, match=text):
        call()
