"""Other names for the same things: output_gradient and learning_rate, dL_dW, weights_gradient, activate and prime."""

from dataclasses import dataclass, field

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, normal, of_layer


class Dense:
    """One column at a time; backward(output_gradient, learning_rate) updates and returns the input's gradient."""

    def __init__(self, input_size, output_size):
        self.weights = normal(1, output_size, input_size)
        self.bias = normal(2, output_size, 1)

    def forward(self, input):
        self.input = input
        return np.dot(self.weights, self.input) + self.bias

    def backward(self, output_gradient, learning_rate):
        weights_gradient = np.dot(output_gradient, self.input.T)
        input_gradient = np.dot(self.weights.T, output_gradient)
        self.weights -= learning_rate * weights_gradient
        self.bias -= learning_rate * output_gradient
        return input_gradient


def stepping(layer, rate=0.01):
    x, dy = normal(3, 5, 1), normal(4, 3, 1)
    if layer.weights.shape[0] != 3:
        dy = normal(4, layer.weights.shape[0], 1)

    def gradients():
        layer.forward(x)
        before = layer.weights.copy(), layer.bias.copy()
        dx = layer.backward(dy, rate)
        after = layer.weights.copy(), layer.bias.copy()
        layer.weights[...], layer.bias[...] = before
        return [dx, *((b - a) / rate for b, a in zip(before, after))]

    evidence = Evidence(lambda: (layer.forward(x) * dy).sum(), gradients, [x, layer.weights, layer.bias])
    return (layer,), {"x": x, "examples": "columns"}, evidence


@case(RIGHT)
def dense_that_takes_a_learning_rate():
    return stepping(Dense(5, 3))


@case(WRONG, "updated-first")
def dense_that_takes_a_learning_rate_updates_before_it_goes_back():
    class Wrong(Dense):
        def backward(self, output_gradient, learning_rate):
            self.weights -= learning_rate * np.dot(output_gradient, self.input.T)
            self.bias -= learning_rate * output_gradient
            return np.dot(self.weights.T, output_gradient)

    return stepping(Wrong(5, 3))


@case(WRONG, "transposed")
def dense_that_takes_a_learning_rate_goes_back_through_its_weights():
    class Wrong(Dense):
        def backward(self, output_gradient, learning_rate):
            super().backward(output_gradient, 0 * learning_rate)
            input_gradient = np.dot(self.weights, output_gradient)
            super().backward(output_gradient, learning_rate)
            return input_gradient

    return stepping(Wrong(5, 5))


@case(WRONG, "factor")
def dense_that_takes_a_learning_rate_goes_uphill():
    class Wrong(Dense):
        def backward(self, output_gradient, learning_rate):
            return super().backward(output_gradient, -learning_rate)

    return stepping(Wrong(5, 3))


class Activation:
    """activate(z) and prime(z), neither of which keeps anything."""

    def activate(self, z):
        return 1 / (1 + np.exp(-z))

    def prime(self, z):
        return self.activate(z) * (1 - self.activate(z))


def activation(thing):
    z = normal(5, 7, 5)
    return (
        (thing.activate, thing.prime),
        {"x": z},
        Evidence(lambda: thing.activate(z).sum(), lambda: [thing.prime(z)], [z]),
    )


@case(RIGHT)
def activation_with_two_methods():
    return activation(Activation())


@case(WRONG, "at-input")
def activation_with_two_methods_s_times_one_minus_s_of_z():
    class Wrong(Activation):
        def prime(self, z):
            return z * (1 - z)

    return activation(Wrong())


@case(RIGHT)
def activation_object_with_activate_and_prime():
    thing, z = Activation(), normal(5, 7, 5)
    return (thing,), {"x": z}, Evidence(lambda: thing.activate(z).sum(), lambda: [thing.prime(z)], [z])


# Gradients by many names ----------------------------------------------------------------------------------------------


class Named:
    """Gradients as dL_dW and dL_db."""

    def __init__(self):
        self.W, self.b = normal(6, 5, 3), normal(7, 3)

    def forward(self, X):
        self.X = X
        return np.tanh(X @ self.W + self.b)

    def backward(self, dL_dy):
        y = self.forward(self.X)
        dL_dz = dL_dy * self.slope(y)
        self.dL_dW = self.X.T @ dL_dz
        self.dL_db = dL_dz.sum(axis=0)
        return dL_dz @ self.W.T

    def slope(self, y):
        return 1 - y * y


@case(RIGHT)
def gradients_called_dL_dW():
    layer, x = Named(), normal(8, 7, 5)
    return (layer,), {"x": x}, of_layer(layer, x, "W dL_dW", "b dL_db")


@case(WRONG, "factor")
def gradients_called_dL_dW_with_a_two():
    class Wrong(Named):
        def slope(self, y):
            return 2 * (1 - y * y)

    layer, x = Wrong(), normal(8, 7, 5)
    return (layer,), {"x": x}, of_layer(layer, x, "W dL_dW", "b dL_db")


@case(RIGHT)
def gradients_called_weights_gradient():
    class Layer:
        def __init__(self):
            self.weights, self.biases = normal(6, 5, 3), normal(7, 1, 3)

        def forward_pass(self, inputs):
            self.last_inputs = inputs
            return inputs @ self.weights + self.biases

        def backward_pass(self, upstream):
            self.weights_gradient = self.last_inputs.T @ upstream
            self.biases_gradient = upstream.sum(axis=0, keepdims=True)
            return upstream @ self.weights.T

    layer, x, dy = Layer(), normal(8, 7, 5), normal(9, 7, 3)

    def gradients():
        layer.forward_pass(x)
        return [layer.backward_pass(dy), layer.weights_gradient, layer.biases_gradient]

    places = [x, layer.weights, layer.biases]
    return (layer,), {"x": x}, Evidence(lambda: (layer.forward_pass(x) * dy).sum(), gradients, places)


@dataclass
class DataLayer:
    """A dataclass, whose gradients lie in a dict."""

    W: np.ndarray = field(default_factory=lambda: normal(10, 5, 3))
    b: np.ndarray = field(default_factory=lambda: normal(11, 3))
    grads: dict = field(default_factory=dict)

    def forward(self, x):
        return x @ self.W + self.b, {"input": x}

    def backward(self, d_out, ctx):
        self.grads["W"] = ctx["input"].T @ d_out
        self.grads["b"] = d_out.sum(0)
        return d_out @ self.W.T


@case(RIGHT)
def dataclass_layer():
    layer, x, dy = DataLayer(), normal(12, 7, 5), normal(13, 7, 3)

    def gradients():
        return [layer.backward(dy, layer.forward(x)[1]), layer.grads["W"], layer.grads["b"]]

    return (layer,), {"x": x}, Evidence(lambda: (layer.forward(x)[0] * dy).sum(), gradients, [x, layer.W, layer.b])
