"""One training step worked by hand, every number of it, so that a reader can check the library with a pencil.

All numbers are fractions over powers of two, which floats hold exactly: the asserts say ==, not nearly.

    x (2, 2) --Linear 2 -> 2--> z --ReLU--> h --Linear 2 -> 1--> y,    loss = mean of (y - t)^2
"""

import numpy as np
import pytest

import chainrule as cr

X = np.array([[1.0, 2.0], [-1.0, 1.0]])  # two examples, two features
T = np.array([[1.0], [0.75]])


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


@pytest.fixture(params=["float64", "float32"])
def network(request):
    network = cr.Network(cr.Linear(2, 2), cr.ReLU(), cr.Linear(2, 1), dtype=request.param)
    first, _, second = network.layers
    first.W, first.b = [[0.5, -1.0], [0.25, 0.25]], [0.0, 0.25]
    second.W, second.b = [[1.0], [-0.5]], [0.5]
    return network


def same(array, expected):
    np.testing.assert_array_equal(array, np.array(expected), strict=False)
    assert np.shape(array) == np.shape(expected)


def test_forward_and_backward_by_hand(network):
    linear1, relu, linear2 = network.trace(X, T, cr.SquaredError())

    # Forward
    # z = x W1 + b1          row 0:  1*1/2 + 2*1/4 + 0 = 1           1*(-1) + 2*1/4 + 1/4 = -1/4
    #                        row 1: -1*1/2 + 1*1/4 + 0 = -1/4       -1*(-1) + 1*1/4 + 1/4 = 3/2
    same(linear1.y, [[1, -1 / 4], [-1 / 4, 3 / 2]])
    # h = max(0, z)
    same(relu.y, [[1, 0], [0, 3 / 2]])
    # y = h W2 + b2          row 0:  1*1 + 0*(-1/2) + 1/2 = 3/2
    #                        row 1:  0*1 + 3/2*(-1/2) + 1/2 = -1/4
    same(linear2.y, [[3 / 2], [-1 / 4]])

    # Loss: ((3/2 - 1)^2 + (-1/4 - 3/4)^2) / 2 = (1/4 + 1) / 2 = 5/8
    loss, dy = cr.SquaredError()(linear2.y, T)
    assert loss == 5 / 8
    # dL/dy = 2 (y - t) / N = y - t for N = 2
    same(dy, [[1 / 2], [-1]])
    same(linear2.dy, [[1 / 2], [-1]])

    # Backward through y = h W2 + b2
    # dW2 = h^T dy:          1*1/2 + 0*(-1) = 1/2        0*1/2 + 3/2*(-1) = -3/2
    same(linear2.gradients["2.W"], [[1 / 2], [-3 / 2]])
    # db2 = sum of dy:       1/2 - 1
    same(linear2.gradients["2.b"], [-1 / 2])
    # dh = dy W2^T:          row 0: 1/2*1, 1/2*(-1/2)    row 1: -1*1, -1*(-1/2)
    same(linear2.dx, [[1 / 2, -1 / 4], [-1, 1 / 2]])
    same(relu.dy, [[1 / 2, -1 / 4], [-1, 1 / 2]])

    # Backward through h = max(0, z): the gradient passes where z > 0
    same(relu.dx, [[1 / 2, 0], [0, 1 / 2]])
    same(linear1.dy, [[1 / 2, 0], [0, 1 / 2]])
    assert relu.gradients == {}

    # Backward through z = x W1 + b1
    # dW1 = x^T dz:          1*1/2 + -1*0 = 1/2          1*0 + -1*1/2 = -1/2
    #                        2*1/2 + 1*0 = 1             2*0 + 1*1/2 = 1/2
    same(linear1.gradients["0.W"], [[1 / 2, -1 / 2], [1, 1 / 2]])
    # db1 = sum of dz
    same(linear1.gradients["0.b"], [1 / 2, 1 / 2])
    # dx = dz W1^T:          row 0: 1/2*1/2, 1/2*1/4     row 1: 1/2*(-1), 1/2*1/4
    same(linear1.dx, [[1 / 4, 1 / 8], [-1 / 2, 1 / 8]])


def test_the_step_by_hand(network):
    trainer = cr.Trainer(network, cr.SquaredError(), cr.SGD(0.5), batch_size=2)
    (step,) = trainer.steps(X, T)
    assert step.loss == 5 / 8
    first, _, second = network.layers
    # w = w - 1/2 dw
    same(first.W, [[1 / 2 - 1 / 4, -1 + 1 / 4], [1 / 4 - 1 / 2, 1 / 4 - 1 / 4]])
    same(first.b, [0 - 1 / 4, 1 / 4 - 1 / 4])
    same(second.W, [[1 - 1 / 4], [-1 / 2 + 3 / 4]])
    same(second.b, [1 / 2 + 1 / 4])

    # Afterwards:            row 0: z = (-1/2, -3/4), h = (0, 0),   y = 3/4,                 y - t = -1/4
    #                        row 1: z = (-3/4, 3/4),  h = (0, 3/4), y = 3/16 + 3/4 = 15/16,  y - t = 3/16
    same(network(X), [[3 / 4], [15 / 16]])
    # loss = (16/256 + 9/256) / 2 = 25/512, down from 320/512
    assert network.evaluate(X, T, cr.SquaredError()) == {"loss": 25 / 512}


def test_a_classifier_that_knows_nothing_by_hand():
    """All weights 0: every class has probability 1/2, and the gradient is (p - q) / N."""
    network = cr.Network(cr.Linear(2, 2), dtype="float64")
    network.params[...] = 0
    (linear,) = network.trace(X, [0, 1], cr.CrossEntropy())
    assert cr.CrossEntropy()(linear.y, [0, 1])[0] == pytest.approx(np.log(2), rel=1e-15)
    # dz = ((1/2, 1/2) - (1, 0)) / 2    and    ((1/2, 1/2) - (0, 1)) / 2
    same(linear.dy, [[-1 / 4, 1 / 4], [1 / 4, -1 / 4]])
    # dW = x^T dz:           1*(-1/4) + -1*1/4 = -1/2    1*1/4 + -1*(-1/4) = 1/2
    #                        2*(-1/4) + 1*1/4 = -1/4     2*1/4 + 1*(-1/4) = 1/4
    same(linear.gradients["0.W"], [[-1 / 2, 1 / 2], [-1 / 4, 1 / 4]])
    same(linear.gradients["0.b"], [0, 0])
