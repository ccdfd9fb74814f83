"""Code as it is asked about in forums: two weights and no bias, updates in backprop, loops over examples."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, normal


def sigmoid(x):
    return 1.0 / (1 + np.exp(-x))


def sigmoid_derivative(x):
    return x * (1.0 - x)


class NeuralNetwork:
    """weights1 and weights2, no biases; the loss is the sum of squares; gradients are left as d_weights."""

    def __init__(self, n_in=3, n_hidden=4, n_out=1):
        self.weights1 = normal(1, n_in, n_hidden)
        self.weights2 = normal(2, n_hidden, n_out)

    def feedforward(self, x):
        self.input = x
        self.layer1 = sigmoid(np.dot(x, self.weights1))
        self.output = sigmoid(np.dot(self.layer1, self.weights2))
        return self.output

    def loss(self, output, y):
        return np.sum((y - output) ** 2)

    def backprop(self, x, y):
        self.feedforward(x)
        delta = -2 * (y - self.output) * sigmoid_derivative(self.output)
        self.d_weights2 = np.dot(self.layer1.T, delta)
        self.d_weights1 = np.dot(x.T, self.below(delta))

    def below(self, delta):
        return np.dot(delta, self.weights2.T) * sigmoid_derivative(self.layer1)


def forum(net, n=7):
    X, y = normal(3, n, net.weights1.shape[0]), sigmoid(normal(4, n, net.weights2.shape[1]))

    def gradients():
        net.backprop(X, y)
        return [net.d_weights1, net.d_weights2]

    evidence = Evidence(lambda: net.loss(net.feedforward(X), y), gradients, [net.weights1, net.weights2], kept=[X, y])
    return (net,), {"x": X, "y": y}, evidence


@case(RIGHT)
def forum_network():
    return forum(NeuralNetwork())


@case(RIGHT)
def forum_network_square():
    return forum(NeuralNetwork(4, 4, 4), n=4)


@case(WRONG, "at-input")
def forum_network_applies_a_sigmoid_derivative_of_outputs_to_sums():
    class Wrong(NeuralNetwork):
        def below(self, delta):
            return np.dot(delta, self.weights2.T) * sigmoid_derivative(np.dot(self.input, self.weights1))

    return forum(Wrong())


@case(WRONG, "factor")
def forum_network_with_the_error_turned_round():
    class Wrong(NeuralNetwork):
        def backprop(self, x, y):
            super().backprop(x, y)
            self.d_weights1, self.d_weights2 = -self.d_weights1, -self.d_weights2

    return forum(Wrong())


@case(WRONG, "factor")
def forum_network_forgets_a_two_in_the_first_layer():
    class Wrong(NeuralNetwork):
        def backprop(self, x, y):
            super().backprop(x, y)
            self.d_weights1 = self.d_weights1 / 2

    return forum(Wrong())


@case(WRONG, "missing-derivative")
def forum_network_without_the_slope_of_its_output():
    class Wrong(NeuralNetwork):
        def backprop(self, x, y):
            self.feedforward(x)
            delta = -2 * (y - self.output)
            self.d_weights2 = np.dot(self.layer1.T, delta)
            self.d_weights1 = np.dot(x.T, self.below(delta))

    return forum(Wrong())


@case(WRONG, "transposed")
def forum_network_goes_back_through_weights2_itself():
    class Wrong(NeuralNetwork):
        def below(self, delta):
            return np.dot(delta, self.weights2) * sigmoid_derivative(self.layer1)

    return forum(Wrong(3, 4, 4))


@case(WRONG, "wrong-input")
def forum_network_makes_d_weights1_from_layer1():
    class Wrong(NeuralNetwork):
        def backprop(self, x, y):
            super().backprop(x, y)
            delta = -2 * (y - self.output) * sigmoid_derivative(self.output)
            self.d_weights1 = np.dot(self.layer1.T, self.below(delta))

    return forum(Wrong(4, 4, 2))


# Functions that return the gradients in a row -------------------------------------------------------------------------


def forward(x, w1, b1, w2, b2):
    z1 = np.dot(x, w1) + b1
    a1 = np.where(z1 > 0, z1, 0.01 * z1)
    return np.dot(a1, w2) + b2, (x, z1, a1, w2)


def backward(dy, cache):
    x, z1, a1, w2 = cache
    dz1 = np.dot(dy, w2.T) * np.where(z1 > 0, 1, 0.01)
    return np.dot(x.T, dz1), dz1.sum(0), np.dot(a1.T, dy), dy.sum(0)


def mse(out, y):
    return ((out - y) ** 2).mean()


def in_a_row(back, loss_gradient, n=7, sizes=(3, 4, 2)):
    x, y = normal(21, n, sizes[0]), normal(22, n, sizes[2])
    params = {
        "w1": normal(23, sizes[0], sizes[1]),
        "b1": normal(24, sizes[1]),
        "w2": normal(25, sizes[1], sizes[2]),
        "b2": normal(26, sizes[2]),
    }

    def gradients():
        out, cache = forward(x, **params)
        return back(loss_gradient(out, y), cache)

    evidence = Evidence(lambda: mse(forward(x, **params)[0], y), gradients, list(params.values()), kept=[x, y])
    return (forward, back), {"x": x, "y": y, "parameters": params, "loss": (mse, loss_gradient)}, evidence


def mse_gradient(out, y):
    return 2 * (out - y) / out.size


@case(RIGHT)
def gradients_in_a_row():
    return in_a_row(backward, mse_gradient)


@case(WRONG, ("forgot-n", "factor"))
def gradients_in_a_row_of_a_loss_that_forgets_its_outputs():
    return in_a_row(backward, lambda out, y: 2 * (out - y) / len(y))


@case(WRONG, "missing-derivative")
def gradients_in_a_row_without_the_leak():
    def back(dy, cache):
        x, _z1, a1, w2 = cache
        dz1 = np.dot(dy, w2.T)
        return np.dot(x.T, dz1), dz1.sum(0), np.dot(a1.T, dy), dy.sum(0)

    return in_a_row(back, mse_gradient)


@case(WRONG, "wrong-input")
def gradients_in_a_row_with_z1_for_a1():
    def back(dy, cache):
        dw1, db1, _, db2 = backward(dy, cache)
        return dw1, db1, np.dot(cache[1].T, dy), db2

    return in_a_row(back, mse_gradient)


@case(WRONG, "bias-axis")
def gradients_in_a_row_with_one_number_for_b2():
    def back(dy, cache):
        return *backward(dy, cache)[:3], dy.sum()

    return in_a_row(back, mse_gradient)


@case(WRONG, "updated-first")
def gradients_in_a_row_after_a_step():
    def back(dy, cache):
        _x, _z1, a1, w2 = cache
        dw2 = np.dot(a1.T, dy)
        w2 -= 0.5 * dw2
        dw1, db1, _, db2 = backward(dy, cache)
        return dw1, db1, dw2, db2

    return in_a_row(back, mse_gradient)
