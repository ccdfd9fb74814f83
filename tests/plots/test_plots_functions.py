"""Curves, boundaries and surfaces are those of the network, and what cannot be one is refused."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

import chainrule as cr
from chainrule import plots
from chainrule.errors import ConfigurationError, LabelError, NotBuiltError, ShapeError
from chainrule.layers import ACTIVATIONS

CURVES = [name for name in ACTIVATIONS if name != "softmax"]


def curves(ax):
    return {line.get_label(): line for line in ax.get_lines() if not line.get_label().startswith("_")}


# activation -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CURVES)
def test_the_activation_and_its_slope_are_the_plain_functions(name, new_ax):
    drawn = curves(plots.activation(name, ax=new_ax()))
    z = drawn["value"].get_xdata()
    assert (z[0], z[-1]) == (-4, 4) and 0 in z
    np.testing.assert_allclose(drawn["value"].get_ydata(), getattr(cr, name)(z))
    at, slope = drawn["slope"].get_data()
    np.testing.assert_allclose(slope[~np.isnan(slope)], getattr(cr, f"{name}_slope")(z))
    assert np.isnan(at).sum() == ("relu" in name)  # the broken line of a kink


@pytest.mark.parametrize(("layer", "taken"), [(cr.ReLU(), "0"), (cr.LeakyReLU(0.25), "0.25"), (cr.ELU(0.25), "0.25")])
def test_a_kink_is_marked_and_says_which_slope_is_taken(layer, taken, new_ax, texts):
    ax = plots.activation(layer, ax=new_ax())
    assert texts(ax) == [f"kink: {taken} is taken"]
    ends = [(line.get_ydata()[0], line.get_markerfacecolor()) for line in ax.get_lines() if line.get_marker() == "o"]
    assert ends == [(1, "white"), (float(taken), plots.canvas.ORANGE)]
    assert (ax.get_title(), ax.get_xlabel()) == (repr(layer), "z")


def test_several_activations_are_small_multiples():
    panels = plots.activation([*CURVES, cr.LeakyReLU(0.3)])
    assert len(panels) == len(CURVES) + 1 and len(plt.get_fignums()) == 1
    assert panels[-1].get_title() == "LeakyReLU(0.3)"
    given = Figure().subplots(2, 2)
    assert plots.activation(("relu", "tanh"), ax=given) == list(given.flat)[:2]


# decision_boundary ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_the_ground_is_the_answer_and_its_probability(output, left_or_right, corners, new_ax):
    ax = plots.decision_boundary(left_or_right[output], corners, [0, 0, 1, 1], resolution=41, ax=new_ax())
    (ground,) = ax.images
    left, right, bottom, top = ground.get_extent()
    assert left < 0 and right > 1 and bottom < 0 and top > 1  # a margin around the data
    colours = ground.get_array()
    assert colours.shape == (41, 41, 3)
    blue, orange = colours[20, 0], colours[20, -1]
    assert blue[2] > blue[0] and orange[0] > orange[2]
    assert colours[20, 20].min() > 0.98  # nobody knows on the boundary
    paths = [path for collection in ax.collections for path in collection.get_paths() if len(path.vertices)]
    np.testing.assert_allclose(np.concatenate([path.vertices for path in paths])[:, 0], 0.5, atol=1e-6)
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == ("4 of 4 right", "$x_1$", "$x_2$")


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_classes_differ_by_marker_and_mistakes_are_crossed_out(output, left_or_right, corners, new_ax):
    ax = plots.decision_boundary(left_or_right[output], corners, [0, 1, 1, 1], ax=new_ax())
    drawn = curves(ax)
    assert list(drawn) == ["left", "right", "wrong (1)"]
    assert len({line.get_marker() for line in drawn.values()}) == 3
    assert drawn["wrong (1)"].get_xydata().tolist() == [[0, 1]]
    assert len(drawn["right"].get_xdata()) == 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(drawn)
    assert ax.get_title() == "3 of 4 right"


def test_targets_are_read_as_the_loss_reads_them(left_or_right, corners, new_ax):
    for output, y in (("softmax", np.eye(2)[[0, 1, 1, 1]]), ("sigmoid", [[0.0], [1.0], [1.0], [1.0]])):
        assert plots.decision_boundary(left_or_right[output], corners, y, ax=new_ax()).get_title() == "3 of 4 right"


def test_many_classes_one_class_in_sight_and_a_single_point(new_ax):
    x = np.random.default_rng(0).standard_normal((60, 2))
    ax = plots.decision_boundary(cr.MLP([2, 8, 30], output="softmax", seed=1), x, np.arange(60) % 30, ax=new_ax())
    looks = {(line.get_marker(), line.get_color()) for line in curves(ax).values()}
    assert len(looks) == 31
    sure = cr.Network(cr.Linear(2, 2), output="softmax")
    sure.layers[0].W, sure.layers[0].b = np.zeros((2, 2)), [5.0, -5.0]
    ax = plots.decision_boundary(sure, [[1.0, 1.0]], [0], ax=new_ax())
    ax.figure.canvas.draw()
    assert not ax.collections  # no boundary, and no warning about it


# surface --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plane():
    """A network that is x1 + 2 x2."""
    network = cr.Network(cr.Linear(2, 1), output="identity")
    network.layers[0].W = [[1.0], [2.0]]
    return network


def test_the_surface_stands_beside_the_true_one_on_the_same_scales(plane):
    true, learned = plots.surface(plane, lambda x1, x2: 2 * x1 + 4 * x2, low=-1, high=1)
    assert (true.get_title(), learned.get_title()) == ("true", "learned ($R^2$ = 0.7500)")
    assert true.get_zlim() == learned.get_zlim() == (-6, 6)
    assert {ax.collections[0].get_clim() for ax in (true, learned)} == {(-6, 6)}
    assert (true.get_xlabel(), true.get_ylabel()) == ("$x_1$", "$x_2$")
    assert len(true.figure.axes) == 3  # one colour bar for both


def test_the_surface_of_a_network_of_log_rates_is_that_of_its_rates(plane):
    config = plane.config() | {"output": "exp"}
    rates = cr.Network(*(layer.clone() for layer in config.pop("layers")), **config)
    rates.params[...] = plane.params
    learned = plots.surface(rates, lambda x1, x2: np.exp(x1 + 2 * x2))[1]
    assert learned.get_title() == "learned ($R^2$ = 1.0000)"


def test_a_surface_over_data(plane):
    x, y = np.random.default_rng(0).random((20, 2)), np.full((20, 1), 1.0)
    true, learned = plots.surface(plane, (x, y))
    assert true.name == learned.name == "3d"
    assert learned.get_title() == "learned"  # a constant leaves nothing to explain


@pytest.mark.parametrize(
    ("draw", "error", "text"),
    [
        (lambda net, x: plots.activation("rellu"), ConfigurationError, "Did you mean 'relu'"),
        (lambda net, x: plots.activation([]), ConfigurationError, "the list is empty"),
        (lambda net, x: plots.activation("softmax"), ConfigurationError, "no function of one number"),
        (lambda net, x: plots.activation(["relu", "tanh"], ax=[1]), ConfigurationError, "2 axes.* received 1"),
        (
            lambda net, x: plots.decision_boundary(cr.MLP([3, 2], output="softmax"), np.zeros((4, 3)), [0] * 4),
            ShapeError,
            r"\(N, 2\), received \(4, 3\).*x\[:, \[0, 1\]\]",
        ),
        (lambda net, x: plots.decision_boundary(cr.MLP([3, 2]), x, [0] * 4), ShapeError, "expects 3"),
        (lambda net, x: plots.decision_boundary(net, x, [0, 1]), ValueError, "2"),
        (lambda net, x: plots.decision_boundary(net, x, [0, 1, 2, 3]), LabelError, "labels must be 0..1"),
        (lambda net, x: plots.decision_boundary(net, x, [0] * 4, resolution=1), ConfigurationError, "resolution"),
        (lambda net, x: plots.decision_boundary(cr.MLP([2, 2]), x, [0] * 4), ConfigurationError, "know its task"),
        (
            lambda net, x: plots.decision_boundary(cr.MLP([2, 1], output="identity"), x, [0] * 4),
            ConfigurationError,
            "needs a classifier",
        ),
        (
            lambda net, x: plots.decision_boundary(cr.MLP([2, 3], output="sigmoid"), x, np.zeros((4, 3))),
            ConfigurationError,
            "3 questions at once",
        ),
        (lambda net, x: plots.decision_boundary(cr.Network(cr.ReLU()), x, [0] * 4), NotBuiltError, "not built"),
        (lambda net, x: plots.surface(net, lambda a, b: a), ShapeError, r"outputs \(1681, 2\)"),
        (lambda net, x: plots.surface(cr.MLP([2, 1]), (x, [1, 2])), ShapeError, r"y \(2,\)"),
        (
            lambda net, x: plots.surface(cr.MLP([2, 1]), lambda a, b: a, axes=Figure().subplots(1, 2)),
            ConfigurationError,
            "'projection': '3d'",
        ),
    ],
)
def test_what_is_no_curve_boundary_or_surface(draw, error, text, left_or_right, corners):
    with pytest.raises(error, match=text):
        draw(left_or_right["softmax"], corners)
    assert not plt.get_fignums()
