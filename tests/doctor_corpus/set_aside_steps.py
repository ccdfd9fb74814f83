"""Layers that take their step inside backward, parts that are used twice, dropout."""

from copy import deepcopy

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, normal


class Dense:
    """One example as a column; backward(output_gradient, learning_rate) steps at once."""

    def __init__(self, input_size, output_size):
        self.weights = normal(601, output_size, input_size)
        self.bias = normal(602, output_size, 1)

    def forward(self, input):
        self.input = input
        return np.dot(self.weights, self.input) + self.bias

    def backward(self, output_gradient, learning_rate):
        weights_gradient = np.dot(output_gradient, self.input.T)
        input_gradient = np.dot(self.weights.T, output_gradient)
        self.weights -= learning_rate * weights_gradient
        self.bias -= learning_rate * output_gradient
        return input_gradient


def stepping(layer):
    x = normal(603, layer.weights.shape[1], 1)
    dy = normal(604, layer.weights.shape[0], 1)

    def gradients():
        after = deepcopy(layer)
        after.forward(x)
        dx = after.backward(dy, 0.01)
        return [dx, (layer.weights - after.weights) / 0.01, (layer.bias - after.bias) / 0.01]

    places = [x, (layer, "weights"), (layer, "bias")]
    return (layer,), {"x": x}, Evidence(lambda: np.vdot(layer.forward(x), dy), gradients, places)


@case(RIGHT)
def column_layer_steps_inside_backward():
    return stepping(Dense(5, 3))


@case(WRONG, "updated-first")
def column_layer_goes_back_through_the_new_weights():
    class Faulty(Dense):
        def backward(self, output_gradient, learning_rate):
            self.weights -= learning_rate * np.dot(output_gradient, self.input.T)
            self.bias -= learning_rate * output_gradient
            return np.dot(self.weights.T, output_gradient)

    return stepping(Faulty(3, 2))


class OneHidden:
    """sigmoid, then a linear output; half squares summed over all."""

    def __init__(self):
        self.V, self.c = normal(605, 3, 7), normal(606, 7)
        self.U, self.d = normal(607, 7, 2), normal(608, 2)

    def forward(self, X):
        self.H = 1 / (1 + np.exp(-(X @ self.V + self.c)))
        self.O = self.H @ self.U + self.d
        return self.O

    def loss(self, outputs, y):
        return 0.5 * np.square(outputs - y).sum()

    def backward(self, X, y, lr=0.05):
        e = self.O - y
        back = (e @ self.U.T) * self.H * (1 - self.H)
        self.U -= lr * self.H.T @ e
        self.d -= lr * e.sum(0)
        self.V -= lr * X.T @ back
        self.c -= lr * back.sum(0)


def one_hidden(net):
    X, y = normal(609, 11, 3), normal(610, 11, 2)

    def gradients():
        after = deepcopy(net)
        after.forward(X)
        after.backward(X, y, lr=0.05)
        return [(getattr(net, name) - getattr(after, name)) / 0.05 for name in "VcUd"]

    places = [(net, name) for name in "VcUd"]
    return (net,), {"x": X, "y": y}, Evidence(lambda: net.loss(net.forward(X), y), gradients, places, kept=[X, y])


@case(RIGHT)
def one_hidden_layer_steps_in_place():
    return one_hidden(OneHidden())


@case(WRONG, "updated-first")
def one_hidden_layer_steps_from_the_top_down():
    class Faulty(OneHidden):
        def backward(self, X, y, lr=0.05):
            e = self.O - y
            self.U -= lr * self.H.T @ e
            self.d -= lr * e.sum(0)
            back = e @ self.U.T * self.H * (1 - self.H)
            self.V -= lr * X.T @ back
            self.c -= lr * back.sum(0)

    return one_hidden(Faulty())


# One part, two uses ---------------------------------------------------------------------------------------------------


class Cell:
    def __init__(self, width):
        self.R = normal(611, width, width) * 0.7

    def forward(self, h):
        self.h = h
        self.s = np.tanh(h @ self.R)
        return self.s

    def backward(self, ds):
        da = ds * (1 - self.s**2)
        self.dR = self.h.T @ da
        return da @ self.R.T


class Unrolled:
    def __init__(self, *cells):
        self.cells = cells

    def forward(self, x):
        for cell in self.cells:
            x = cell.forward(x)
        return x

    def backward(self, dy):
        for cell in reversed(self.cells):
            dy = cell.backward(dy)
        return dy


def unrolled(*cells):
    net, x, dy = Unrolled(*cells), normal(612, 7, 3), normal(613, 7, 3)
    different = list(dict.fromkeys(cells))

    def gradients():
        net.forward(x)
        return [net.backward(dy), *(cell.dR for cell in different)]

    places = [x, *((cell, "R") for cell in different)]
    return (net,), {"x": x}, Evidence(lambda: (net.forward(x) * dy).sum(), gradients, places)


@case(RIGHT)
def two_cells_in_a_row():
    return unrolled(Cell(3), Cell(3))


@case(WRONG, "cache-overwritten")
def one_cell_for_two_times():
    cell = Cell(3)
    return unrolled(cell, cell)


@case(WRONG, ("cache-overwritten", "wrong-mask"))
def two_hidden_layers_keep_z_under_one_name():
    memory = {}

    def softplus(z):
        memory["z"] = z
        return np.log1p(np.exp(z))

    def forward(x, W1, W2):
        return softplus(softplus(x @ W1) @ W2)

    def backward(dy, x, W1, W2):
        def back(d):
            return d / (1 + np.exp(-memory["z"]))

        hidden = np.log1p(np.exp(x @ W1))
        d2 = back(dy)
        d1 = back(d2 @ W2.T)
        return d1 @ W1.T, x.T @ d1, hidden.T @ d2

    x, W1, W2, dy = normal(614, 7, 3), normal(615, 3, 5), normal(616, 5, 5), normal(617, 7, 5)

    def gradients():
        forward(x, W1, W2)
        return backward(dy, x, W1, W2)

    evidence = Evidence(lambda: (forward(x, W1, W2) * dy).sum(), gradients, [x, W1, W2])
    return (forward, backward), {"x": x, "parameters": {"W1": W1, "W2": W2}}, evidence


# Dropout --------------------------------------------------------------------------------------------------------------


class Drop:
    def __init__(self, rate, seed=5):
        self.rate, self.rng = rate, np.random.default_rng(seed)

    def draw(self, shape):
        return self.rng.binomial(1, 1 - self.rate, shape) / (1 - self.rate)

    def forward(self, x, is_training=True):
        self.noise = self.draw(x.shape) if is_training else 1.0
        return x * self.noise

    def backward(self, dy):
        return dy * self.noise


def dropped(layer):
    x, dy = normal(618, 11, 5), normal(619, 11, 5)

    def run():
        layer.rng = np.random.default_rng(5)
        return layer.forward(x)

    def gradients():
        run()
        return [layer.backward(dy)]

    return (layer,), {"x": x}, Evidence(lambda: (run() * dy).sum(), gradients, [x])


@case(RIGHT)
def drop_with_its_generator():
    return dropped(Drop(0.3))


@case(WRONG, "dropout-scale")
def drop_draws_again_on_the_way_back():
    class Faulty(Drop):
        def backward(self, dy):
            return dy * self.draw(dy.shape)

    return dropped(Faulty(0.4))


@case(WRONG, "dropout-scale")
def drop_divides_by_keep_twice_on_the_way_back():
    class Faulty(Drop):
        def backward(self, dy):
            return super().backward(dy) / (1 - self.rate)

    return dropped(Faulty(0.4))
