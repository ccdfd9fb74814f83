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
        (lambda network: plots.features(network, count=0), ConfigurationError, "count"),
        (lambda network: plots.features(cr.Network(cr.ReLU())), ConfigurationError, "no Linear layer"),
    ],
)
def test_what_cannot_be_drawn(draw, error, text, taught):
    with pytest.raises(error, match=text):
        draw(taught.network)
    assert not plt.get_fignums()
