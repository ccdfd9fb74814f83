"""Gradients, outputs and weights are shown as they are: by numbers computed here in another way."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb

import chainrule as cr
from chainrule import plots
from chainrule.errors import ConfigurationError, NotBuiltError


def curves(ax):
    return {line.get_label(): line.get_ydata() for line in ax.get_lines()}


# gradient_flow --------------------------------------------------------------------------------------------------------


def test_gradient_flow_shows_the_mean_size_of_each_layer_s_gradient(new_ax):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((16, 3)), rng.integers(0, 2, 16)
    network = cr.Network(cr.Linear(3, 5), cr.BatchNorm(), cr.Tanh(), cr.Linear(5, 2), output="softmax")
    drawn = curves(ax := plots.gradient_flow(network, x, y, "cross_entropy", ax=new_ax()))
    network.trace(x, y, "cross_entropy")
    first, norm, _, last = network.layers
    means = [np.abs(first.dW).mean(), np.nan, np.abs(last.dW).mean()]
    np.testing.assert_allclose(drawn["gradient of the weights"], means, rtol=1e-6)
    ratios = [means[0] / np.abs(first.W).mean(), np.nan, means[2] / np.abs(last.W).mean()]
    np.testing.assert_allclose(drawn["gradient / weight"], ratios, rtol=1e-6)
    biases = [np.abs(first.db).mean(), np.abs([norm.dgamma, norm.dbeta]).mean(), np.abs(last.db).mean()]
    np.testing.assert_allclose(drawn["gradient of biases and gains"], biases, rtol=1e-6)
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels == ["Linear #0\n3 → 5", "BatchNorm #1\n5", "Linear #3\n5 → 2"]
    assert (ax.get_yscale(), ax.get_ylabel()) == ("log", "mean absolute value")


def test_gradient_flow_names_the_channels_of_a_convolution(new_ax):
    network = cr.Network(cr.Conv2D(2, 3, 2), cr.GlobalAvgPool2D(), in_shape=(4, 4, 2), output="softmax")
    ax = plots.gradient_flow(network, np.ones((2, 4, 4, 2)), [0, 2], "cross_entropy", ax=new_ax())
    assert [label.get_text() for label in ax.get_xticklabels()] == ["Conv2D #0\n2 → 3"]


def test_a_gradient_of_zero_is_written_for_it_has_no_place_on_the_scale(new_ax, texts):
    network = cr.Network(cr.Linear(2, 3), cr.ReLU(), cr.Linear(3, 1), output="identity")
    network.layers[0].b = [-99.0] * 3  # dead
    ax = plots.gradient_flow(network, np.ones((4, 2)), np.ones((4, 1)), "squared_error", ax=new_ax())
    ax.figure.canvas.draw()
    assert texts(ax) == ["gradient 0", "gradient 0"]
    network.params[...] = 0  # no ratio either
    plots.gradient_flow(network, np.ones((4, 2)), np.ones((4, 1)), "squared_error", ax=new_ax())


def test_a_gradient_that_is_no_number_is_written_too(new_ax, texts):
    network = cr.Network(cr.Linear(1, 1), output="identity")
    with np.errstate(over="ignore", invalid="ignore"):
        ax = plots.gradient_flow(network, np.full((4, 1), 1e30), np.full((4, 1), -1e30), "squared_error", ax=new_ax())
    assert texts(ax) == ["not finite"]


# activation_histograms ------------------------------------------------------------------------------------------------


def test_values_that_differ_by_rounding_alone_are_one_bar():
    """There is no room for forty bars between two neighbouring numbers."""
    network = cr.Network(cr.Linear(1, 1), output="identity", dtype="float64")
    network.layers[0].W = [[1.0]]
    (ax,) = plots.activation_histograms(network, [[1.0], [np.nextafter(1.0, 2.0)]])
    assert sorted(bar.get_height() for bar in ax.patches)[-2:] in ([0, 2], [1, 1])


def test_dead_and_saturated_units_are_counted():
    network = cr.Network(cr.Rescale(2.0), cr.Linear(2, 4), cr.ReLU(), cr.Linear(4, 3), cr.Tanh(), cr.Linear(3, 1))
    x = np.random.default_rng(0).uniform(0.1, 1, (50, 2))
    network.layers[1].W, network.layers[1].b = np.ones((2, 4)), [0, 0, 0, -99.0]
    network.layers[3].W, network.layers[3].b = np.zeros((4, 3)), [9.0, -9.0, 0.5]
    panels = plots.activation_histograms(network, x)
    assert [ax.get_title() for ax in panels] == ["Linear #1", "ReLU #2", "Linear #3", "Tanh #4", "Linear #5"]
    notes = [ax.get_xlabel() for ax in panels]
    assert notes[0] == notes[2] == ""
    assert notes[1] == "25 % zeros\n1 of 4 units dead"
    assert notes[3] == "67 % of the values saturated\n2 of 3 units saturated"
    drawn = [sum(bar.get_height() for bar in ax.patches) for ax in panels]
    assert drawn == [200, 150, 150, 150, 50]  # all values but the many zeros


def test_outputs_that_are_no_numbers_are_named_and_images_are_counted_by_channel(new_ax):
    network = cr.Network(cr.Linear(1, 2), cr.Sigmoid(), output="sigmoid")
    network.layers[0].b = [np.nan, 0.0]
    panels = plots.activation_histograms(network, np.zeros((5, 1)), axes=new_ax(nrows=1, ncols=2))
    assert (
        panels[0].get_xlabel()
        == "50 % zeros\n1 of 2 units dead\n50 % of the values not finite\n1 of 2 units not finite"
    )
    images = cr.Network(cr.ReLU(), in_shape=(4, 4, 3))
    (ax,) = plots.activation_histograms(images, np.full((2, 4, 4, 3), [-1.0, 1, 2]), axes=[new_ax()])
    assert ax.get_xlabel() == "33 % zeros\n1 of 3 units dead"


# network_diagram ------------------------------------------------------------------------------------------------------


def test_a_line_is_a_weight(new_ax):
    network = cr.Network(cr.Linear(2, 2), cr.Tanh(), cr.Linear(2, 1))
    network.layers[0].W = [[4.0, -2.0], [0.0, 1.0]]
    ax = plots.network_diagram(network, ax=new_ax())
    first, second = [lines for lines in ax.collections if isinstance(lines, LineCollection)]
    widths = np.array(first.get_linewidths())
    np.testing.assert_allclose(widths / widths.max(), [1, 0.5, 0, 0.25])
    assert [tuple(color[:3]) for color in first.get_colors()[:2]] == [
        to_rgb(plots.canvas.RED),
        to_rgb(plots.canvas.BLUE),
    ]
    assert first.get_linestyles()[0] != first.get_linestyles()[1]  # the sign is not told by colour alone
    assert len(second.get_segments()) == 2
    assert len(ax.patches) == 5  # circles
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["weight > 0", "weight < 0"]


def test_wide_layers_are_shortened_and_say_how_wide_they_are(new_ax, texts):
    network = cr.MLP([784, 128, 3], scale=1 / 255, class_names=list("abc"))
    ax = plots.network_diagram(network, most=6, ax=new_ax())
    assert len(ax.patches) == 6 + 6 + 3
    below = ["input\nRescale #0\n(N, 784)", "Linear #1\nReLU #2\n(N, 128)", "Linear #3\n(N, 3)"]
    assert texts(ax) == ["⋮", "784", "⋮", below[0], "⋮", "128", "⋮", below[1], below[2], "a", "b", "c"]


@pytest.mark.parametrize(
    ("draw", "error", "text"),
    [
        (
            lambda x: plots.gradient_flow(cr.Network(cr.ReLU(), in_shape=(2,)), x, x, "mse"),
            ConfigurationError,
            "learns",
        ),
        (lambda x: plots.gradient_flow(cr.MLP([2, 2]), x, x, "mze"), ConfigurationError, "loss 'mze' is unknown"),
        (lambda x: plots.gradient_flow(cr.Network(cr.ReLU()), x, x, "mse"), NotBuiltError, "not built"),
        (
            lambda x: plots.activation_histograms(cr.MLP([2, 3, 2]), x, axes=[0]),
            ConfigurationError,
            "3 axes.*received 1",
        ),
        (lambda x: plots.network_diagram(cr.Network(cr.ReLU())), NotBuiltError, "no weights yet"),
        (lambda x: plots.network_diagram(cr.Network(cr.ReLU(), in_shape=(2,))), ConfigurationError, "Linear layers"),
        (lambda x: plots.network_diagram(cr.MLP([2, 2]), most=1), ConfigurationError, "most"),
        (
            lambda x: plots.network_diagram(cr.Network(cr.Flatten(), cr.Linear(4, 2), in_shape=(2, 2))),
            ConfigurationError,
            r"Flatten #0 is neither .* network.summary\(\)",
        ),
    ],
)
def test_what_has_no_insides_to_show(draw, error, text):
    with pytest.raises(error, match=text):
        draw(np.zeros((4, 2)))
    assert not plt.get_fignums()
