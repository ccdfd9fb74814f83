"""What holds for every picture: it is drawn where it is told or on a new figure, is not blank, and leaves no traces."""

import inspect
import io
import subprocess
import sys

import matplotlib.image
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

import chainrule as cr
from chainrule import plots
from chainrule.errors import MissingExtraError

DRAWINGS = {
    "history": lambda trainer, x, y, **ax: plots.history(trainer.history, **ax),
    "learning_rates": lambda trainer, x, y, **ax: plots.learning_rates({0.1: [0.9, 0.8], 1: [0.5, np.nan]}, **ax),
    "range_test": lambda trainer, x, y, **ax: plots.range_test(cr.range_test(trainer, x[:999], y[:999]), **ax),
    "digits": lambda trainer, x, y, **ax: plots.digits(x[:12], y[:12], **ax),
    "predictions": lambda trainer, x, y, **ax: plots.predictions(trainer.network, x[:10], y[:10], **ax),
    "features": lambda trainer, x, y, **ax: plots.features(trainer.network, **ax),
    "feature_maps": lambda trainer, x, y, **ax: plots.feature_maps(filters(), x[0], **ax),
    "confusion": lambda trainer, x, y, **ax: plots.confusion(trainer.network, x[:999], y[:999], **ax),
    "most_confused": lambda trainer, x, y, **ax: plots.most_confused(trainer.network, x[:999], y[:999], **ax),
    "activation": lambda trainer, x, y, **ax: plots.activation("relu", **ax),
    "decision_boundary": lambda trainer, x, y, **ax: plots.decision_boundary(plane(), *xor(), **ax),
    "surface": lambda trainer, x, y, **ax: plots.surface(bowl(), lambda x1, x2: x1 * x2, **ax),
    "gradient_flow": lambda trainer, x, y, **ax: plots.gradient_flow(
        trainer.network, x[:32], y[:32], "cross_entropy", **ax
    ),
    "activation_histograms": lambda trainer, x, y, **ax: plots.activation_histograms(trainer.network, x[:99], **ax),
    "network_diagram": lambda trainer, x, y, **ax: plots.network_diagram(trainer.network, **ax),
}
PANELS = {"history": 2, "surface": 2, "activation_histograms": 3}  # where `axes` takes the place of `ax`


def plane():
    return cr.MLP([2, 4, 2], output="softmax")


def xor():
    return cr.datasets.xor().train


def filters():
    return cr.Network(cr.Reshape(28, 28, 1), cr.Conv2D(1, 8, 5), in_shape=(784,), output="identity")


def bowl():
    return cr.MLP([2, 4, 1], "tanh", output="identity")


def pixels(ax):
    file = io.BytesIO()
    ax.figure.savefig(file, format="png")
    file.seek(0)
    return matplotlib.image.imread(file)


def test_every_picture_is_here():
    public = {name for name, thing in vars(plots).items() if inspect.isfunction(thing)}
    assert set(DRAWINGS) == public


@pytest.mark.parametrize("name", DRAWINGS)
def test_draws_on_a_new_figure_and_leaves_everything_else_alone(name, taught, digits):
    settings = dict(matplotlib.rcParams)
    learned, gradients = taught.network.params.copy(), taught.network.grads.copy()
    drawn = np.ravel(DRAWINGS[name](taught, *digits))
    assert len(drawn) == PANELS.get(name, 1)
    assert len(plt.get_fignums()) == 1
    assert pixels(drawn[0]).std() > 0.05
    assert dict(matplotlib.rcParams) == settings
    assert (taught.network.params == learned).all() and (taught.network.grads == gradients).all()


@pytest.mark.parametrize("name", DRAWINGS)
def test_draws_where_it_is_told_and_opens_nothing(name, taught, digits):
    projection = {"projection": "3d"} if name == "surface" else {}
    given = Figure(figsize=(9, 4)).subplots(1, PANELS.get(name, 1), squeeze=False, subplot_kw=projection)[0]
    if name in PANELS:
        drawn = DRAWINGS[name](taught, *digits, axes=given)
    else:
        drawn = [DRAWINGS[name](taught, *digits, ax=given[0])]
    assert all(ax is where for ax, where in zip(drawn, given, strict=True))
    assert all(pixels(ax).std() > 0.05 for ax in drawn)
    assert not plt.get_fignums()


@pytest.mark.parametrize("name", DRAWINGS)
def test_without_matplotlib_the_error_gives_the_pip_line(name, taught, digits, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'chainrule\[cli\]'"):
        DRAWINGS[name](taught, *digits)


@pytest.mark.parametrize("name", DRAWINGS)
def test_says_how_it_is_used(name):
    doc = inspect.cleandoc(getattr(plots, name).__doc__)
    assert "Raises      " in doc and "MissingExtraError" in doc
    assert all(argument in doc for argument in inspect.signature(getattr(plots, name)).parameters)


WITHOUT_PYPLOT = """
import sys
import numpy as np
import chainrule as cr
from matplotlib.figure import Figure

x, y = cr.datasets.xor().train
network = cr.MLP([2, 4, 2], output="softmax")
one, two = Figure().subplots(), Figure().subplots(1, 2, subplot_kw={"projection": "3d"})
cr.plots.decision_boundary(network, x, y, ax=one)
cr.plots.learning_rates({0.1: [0.5, 0.6]}, ax=Figure().subplots())
cr.plots.activation("tanh", ax=Figure().subplots())
cr.plots.network_diagram(network, ax=Figure().subplots())
cr.plots.gradient_flow(network, x, y, "cross_entropy", ax=Figure().subplots())
cr.plots.activation_histograms(network, x, axes=Figure().subplots(1, 3))
cr.plots.most_confused(network, x, y, ax=Figure().subplots())
cr.plots.surface(cr.MLP([2, 3, 1]), (np.random.default_rng(0).random((9, 2)), np.arange(9)), axes=two)
assert "matplotlib.pyplot" not in sys.modules
"""


def test_on_given_axes_pyplot_is_not_even_imported():
    answer = subprocess.run([sys.executable, "-W", "error", "-c", WITHOUT_PYPLOT], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
