"""Images say what they should: in texts, marks and limits, not in pixels."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import chainrule as cr
from chainrule import plots
from chainrule.errors import ConfigurationError, ShapeError


def test_digits_come_in_all_shapes(digits, new_ax, texts):
    for images in (digits.x[:3], digits.x[:3].reshape(3, 28, 28), digits.x[:3].reshape(3, 28, 28, 1).tolist()):
        ax = plots.digits(images, ["a", "b", "c"], ax=new_ax())
        assert texts(ax) == ["a", "b", "c"]
        assert (ax.images[1].get_array() == digits.x[1].reshape(28, 28)).all()
    assert plots.digits(np.zeros((2, 6)), image_shape=(2, 3), ax=new_ax()).images[0].get_array().shape == (2, 3)


def test_a_wrong_prediction_is_marked_by_a_cross_and_by_words(taught, digits, new_ax, texts):
    network, x = taught.network, digits.x[:10]
    answers = network.predict(x)
    truth = answers.copy()
    truth[3] = (truth[3] + 1) % 10
    ax = plots.predictions(network, x, truth, ax=new_ax())
    assert [line.get_marker() for line in ax.get_lines()].count("x") == 1
    assert [text for text in texts(ax) if text.startswith("true")] == [f"true <{truth[3]}>"]
    confidence = 100 * network.predict_proba(x)[0].max()
    assert texts(ax)[0] == f"<{answers[0]}>  ({confidence:.1f} %)"
    frames = [line.get_color() for line in ax.get_lines() if line.get_marker() != "x"]
    assert frames.count(plots.canvas.GREEN) == 9
    assert frames.count(plots.canvas.RED) == 1


def test_predictions_without_labels_judge_nothing(taught, digits, new_ax, texts):
    ax = plots.predictions(taught.network, digits.x[:2], ax=new_ax())
    assert {line.get_color() for line in ax.get_lines()} == {plots.canvas.GREY}
    assert len(texts(ax)) == 2


def test_nothing_is_said_to_be_certain(digits, new_ax, texts):
    network = cr.MLP([784, 2], output="softmax")
    network.layers[0].b = [50.0, -50.0]
    assert texts(plots.predictions(network, 0 * digits.x[:1], ax=new_ax())) == ["0  (>99.9 %)"]


def test_features_share_one_symmetric_scale(taught, new_ax):
    ax = plots.features(taught.network, count=6)
    W = taught.network.layers[1].W
    assert len(ax.images) == 6
    assert {image.get_clim() for image in ax.images} == {(-np.abs(W[:, :6]).max(), np.abs(W[:, :6]).max())}
    assert (ax.images[2].get_array() == W[:, 2].reshape(28, 28)).all()
    assert len(plots.features(np.zeros((9, 2)), ax=new_ax()).images) == 2  # fewer than asked for; all zero


def test_features_of_a_convolution_are_its_kernels(new_ax):
    layers = cr.Reshape(6, 6, 2), cr.Conv2D(2, 5, (3, 2)), cr.Flatten(), cr.Linear(None, 2)
    network = cr.Network(*layers, in_shape=(72,))
    W = network.layers[1].W
    ax = plots.features(network, image_shape=(6, 6), count=4, ax=new_ax())
    assert ax.get_title() == "What 4 of the 5 filters of the first layer look for"
    assert len(ax.images) == 4 * 2  # filter by filter, its two channels side by side
    assert (ax.images[3].get_array() == W[:, :, 1, 1]).all()
    assert len(plots.features(W, ax=new_ax()).images) == 5 * 2


def test_feature_maps_are_the_output_of_the_first_convolution(digits, new_ax):
    layers = cr.Rescale(1 / 255), cr.Reshape(28, 28, 1), cr.Conv2D(1, 3, 5), cr.Conv2D(3, 2), cr.Flatten()
    network = cr.Network(*layers, cr.Linear(None, 2), in_shape=(784,))
    ax = plots.feature_maps(network, digits.x[4], ax=new_ax())
    _, reshape, convolution, *_ = network.layers
    y = convolution(reshape(digits.x[4:5].astype(np.float32) / 255))
    assert ax.get_title() == "What the 3 filters of Conv2D #2 find"
    np.testing.assert_allclose(
        [image.get_array() for image in ax.images], y[0].transpose(2, 0, 1), rtol=1e-5, atol=1e-6
    )
    assert len(plots.feature_maps(network, digits.x[4:5], ax=new_ax()).images) == 3  # a batch of one
    assert {image.get_clim() for image in ax.images} == {(-ax.images[0].norm.vmax, ax.images[0].norm.vmax)}


@pytest.mark.parametrize(
    ("draw", "error", "text"),
    [
        (lambda network: plots.digits(np.zeros((2, 785))), ShapeError, r"square images .* received \(2, 785\)"),
        (lambda network: plots.digits(np.zeros(784)), ShapeError, r"images\[None\]"),
        (lambda network: plots.digits(np.zeros((0, 784))), ShapeError, r"received \(0, 784\)"),
        (lambda network: plots.digits(np.zeros((2, 4, 4)), image_shape=(2, 8)), ShapeError, "expected 2 x 8 images"),
        (lambda network: plots.digits(np.zeros((2, 4)), [1]), ShapeError, r"labels of shape \(2,\)"),
        (lambda network: plots.digits(np.zeros((2, 4)), columns=0), ConfigurationError, "columns"),
        (lambda network: plots.predictions(network, np.zeros((2, 784)), [1]), ShapeError, r"y of shape \(2,\)"),
        (lambda network: plots.features(np.zeros((5, 3))), ShapeError, "square"),
        (lambda network: plots.features(np.zeros(784)), ShapeError, "square images"),
        (lambda network: plots.features(network, count=0), ConfigurationError, "count"),
        (lambda network: plots.features(cr.Network(cr.ReLU())), ConfigurationError, "no Linear or Conv2D layer"),
        (lambda network: plots.feature_maps(network, np.zeros(784)), ConfigurationError, "no Conv2D layer"),
        (lambda network: plots.feature_maps(network, np.zeros((2, 784))), ShapeError, r"received \(1, 2, 784\)"),
    ],
)
def test_what_cannot_be_drawn(draw, error, text, taught):
    with pytest.raises(error, match=text):
        draw(taught.network)
    assert not plt.get_fignums()
