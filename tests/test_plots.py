"""Every picture is drawn, and says what it should: in texts, marks and limits, not in pixels."""

import io
import sys

import matplotlib
import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

import chainrule as cr
from chainrule import plots
from chainrule.errors import ConfigurationError, MissingExtraError, ShapeError
from chainrule.metrics import confusion_matrix

matplotlib.use("Agg")
import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def digits():
    return cr.datasets.mnist().test


@pytest.fixture(scope="module")
def taught(digits):
    """A trainer that has seen enough to be right often, not always."""
    network = cr.MLP([784, 16, 10], scale=1 / 255, class_names=[f"<{k}>" for k in range(10)])
    trainer = cr.Trainer(network, "cross_entropy", cr.SGD(0.1))
    trainer.fit(digits.x[:1000], digits.y[:1000], epochs=2, validation=(digits.x[1000:1200], digits.y[1000:1200]))
    return trainer


def new_ax():
    return Figure(figsize=(5, 4)).subplots()


def texts(ax):
    return [text.get_text() for text in ax.texts]


def pixels(ax):
    file = io.BytesIO()
    ax.figure.savefig(file, format="png")
    file.seek(0)
    return matplotlib.image.imread(file)


DRAWINGS = {
    "history": lambda trainer, x, y, **ax: plots.history(trainer.history, **ax),
    "digits": lambda trainer, x, y, **ax: plots.digits(x[:12], y[:12], **ax),
    "predictions": lambda trainer, x, y, **ax: plots.predictions(trainer.network, x[:10], y[:10], **ax),
    "features": lambda trainer, x, y, **ax: plots.features(trainer.network, **ax),
    "confusion": lambda trainer, x, y, **ax: plots.confusion(trainer.network, x, y, **ax),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_draws_on_a_new_figure_and_leaves_the_settings_alone(name, taught, digits):
    before = dict(matplotlib.rcParams)
    drawn = np.ravel(DRAWINGS[name](taught, *digits))
    assert len(plt.get_fignums()) == 1
    assert pixels(drawn[0]).std() > 0.05
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("name", DRAWINGS)
def test_draws_where_it_is_told_and_opens_nothing(name, taught, digits):
    if name == "history":
        given = Figure().subplots(1, 2)
        drawn = DRAWINGS[name](taught, *digits, axes=given)
    else:
        given = new_ax()
        drawn = DRAWINGS[name](taught, *digits, ax=given)
    assert drawn is given
    assert not plt.get_fignums()


@pytest.mark.parametrize("name", DRAWINGS)
def test_without_matplotlib_the_error_gives_the_pip_line(name, taught, digits, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'chainrule\[cli\]'"):
        DRAWINGS[name](taught, *digits)


def test_history_has_both_curves_in_both_panels_and_the_line_at_95(taught):
    left, right = plots.history(taught.history)
    assert [line.get_label() for line in left.get_lines()] == ["train", "validation"]
    assert right.get_lines()[0].get_ydata().tolist() == [100 * value for value in taught.history["accuracy"]]
    assert 95 in [line.get_ydata()[0] for line in right.get_lines()]
    assert texts(right) == ["95 %"]


def test_history_of_a_regression_has_no_accuracy_and_one_without_an_epoch_nothing():
    history = cr.History()
    with pytest.raises(ConfigurationError, match="no epoch is finished"):
        plots.history(history)
    history.add_epoch({"epoch": 1, "loss": 0.5})
    left, right = plots.history(history)
    pixels(left)
    assert len(left.get_lines()) == 1
    assert not right.get_visible()


def test_digits_come_in_all_shapes(digits):
    for images in (digits.x[:3], digits.x[:3].reshape(3, 28, 28), digits.x[:3].reshape(3, 28, 28, 1).tolist()):
        ax = plots.digits(images, ["a", "b", "c"], ax=new_ax())
        assert texts(ax) == ["a", "b", "c"]
        assert (ax.images[1].get_array() == digits.x[1].reshape(28, 28)).all()
    assert plots.digits(np.zeros((2, 6)), image_shape=(2, 3), ax=new_ax()).images[0].get_array().shape == (2, 3)


def test_a_wrong_prediction_is_marked_by_a_cross_and_by_words(taught, digits):
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


def test_predictions_without_labels_judge_nothing(taught, digits):
    ax = plots.predictions(taught.network, digits.x[:2], ax=new_ax())
    assert {line.get_color() for line in ax.get_lines()} == {plots.canvas.GREY}
    assert len(texts(ax)) == 2


def test_nothing_is_said_to_be_certain(digits):
    network = cr.MLP([784, 2], output="softmax")
    network.layers[0].b = [50.0, -50.0]
    assert texts(plots.predictions(network, 0 * digits.x[:1], ax=new_ax())) == ["0  (>99.9 %)"]


def test_features_share_one_symmetric_scale(taught):
    ax = plots.features(taught.network, count=6)
    W = taught.network.layers[1].W
    assert len(ax.images) == 6
    assert {image.get_clim() for image in ax.images} == {(-np.abs(W[:, :6]).max(), np.abs(W[:, :6]).max())}
    assert (ax.images[2].get_array() == W[:, 2].reshape(28, 28)).all()
    assert len(plots.features(np.zeros((9, 2)), ax=new_ax()).images) == 2  # fewer than asked for; all zero


def test_confusion_writes_every_count_but_zero_and_colours_only_mistakes(taught, digits):
    y, predicted = digits.y, taught.network.predict(digits.x)
    matrix = confusion_matrix(y, predicted)
    ax = plots.confusion(matrix, ax=new_ax())
    counts = [f"{count:,}" for count in matrix.ravel() if count]
    shares = [f"{100 * matrix[k, k] / matrix[k].sum():.1f} %" for k in range(10)]
    assert texts(ax) == ["right", *counts, *shares]
    assert np.isnan(np.diag(ax.images[0].get_array().filled(np.nan))).all()
    assert ax.get_title() == f"{(y == predicted).sum():,} of 10,000 right"
    assert texts(plots.confusion(taught.network, digits.x, y, ax=new_ax())) == texts(ax)
    assert [label.get_text() for label in ax.get_yticklabels()] == [str(k) for k in range(10)]


def test_confusion_of_many_classes_has_no_numbers_and_of_none_wrong_no_division():
    assert texts(plots.confusion(np.ones((30, 30), int), ax=new_ax())) == []
    ax = plots.confusion(np.diag([3, 0]), class_names=["a long name", "b"], ax=new_ax())
    pixels(ax)
    assert texts(ax) == ["right", "3", "100.0 %"]


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
        (lambda network: plots.confusion(network), ConfigurationError, r"confusion\(network, x, y\)"),
        (lambda network: plots.confusion(np.zeros((2, 3))), ShapeError, r"\(K, K\), received \(2, 3\)"),
        (lambda network: plots.confusion(np.zeros((2, 2)), class_names="abc"), ShapeError, "2 class names, received 3"),
    ],
)
def test_what_cannot_be_drawn(draw, error, text, taught):
    with pytest.raises(error, match=text):
        draw(taught.network)
    assert not plt.get_fignums()
