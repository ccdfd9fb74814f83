"""What the tests of the pictures share: axes that pyplot knows nothing of, and networks with something to show."""

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

import chainrule as cr

matplotlib.use("Agg")
import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def new_ax():
    return lambda **how: Figure(figsize=(5, 4)).subplots(**how)


@pytest.fixture
def texts():
    return lambda ax: [text.get_text() for text in ax.texts]


@pytest.fixture(scope="session")
def digits():
    return cr.datasets.mnist().test


@pytest.fixture(scope="session")
def taught(digits):
    """A trainer that has seen enough to be right often, not always."""
    network = cr.MLP([784, 16, 10], scale=1 / 255, class_names=[f"<{k}>" for k in range(10)])
    trainer = cr.Trainer(network, "cross_entropy", cr.SGD(0.1))
    trainer.fit(digits.x[:1000], digits.y[:1000], epochs=2, validation=(digits.x[1000:1200], digits.y[1000:1200]))
    return trainer


@pytest.fixture(scope="session")
def left_or_right():
    """A classifier of the plane that needs no training: class 1 where x1 > 0.5. As softmax, and as one sigmoid."""
    softmax = cr.Network(cr.Linear(2, 2), output="softmax", class_names=["left", "right"])
    softmax.layers[0].W, softmax.layers[0].b = [[-4.0, 4.0], [0.0, 0.0]], [2.0, -2.0]
    sigmoid = cr.Network(cr.Linear(2, 1), output="sigmoid", class_names=["left", "right"])
    sigmoid.layers[0].W, sigmoid.layers[0].b = [[8.0], [0.0]], [-4.0]
    return {"softmax": softmax, "sigmoid": sigmoid}


@pytest.fixture(scope="session")
def corners():
    return np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
