"""Functions from inputs and targets straight to the loss, parameters among the arguments; and slopes as objects."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, labels, normal


def two_layer_loss(x, y, W1, b1, W2, b2):
    n = x.shape[0]
    hidden = np.maximum(0, x @ W1 + b1)
    scores = hidden @ W2 + b2
    exp_scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    probs = exp_scores / exp_scores.sum(axis=1, keepdims=True)
    loss = -np.log(probs[np.arange(n), y]).mean()
    return loss, (x, y, hidden, probs, W2)


def two_layer_gradients(cache):
    x, y, hidden, probs, W2 = cache
    n = x.shape[0]
    dscores = probs.copy()
    dscores[np.arange(n), y] -= 1
    dscores /= n
    dhidden = dscores @ W2.T
    dhidden[hidden <= 0] = 0
    return {
        "dW2": hidden.T @ dscores,
        "db2": dscores.sum(axis=0),
        "dW1": x.T @ dhidden,
        "db1": dhidden.sum(axis=0),
    }


def two_layers(backward):
    x, y = normal(1, 7, 5), labels(2, 7, 3)
    p = {"W1": normal(3, 5, 11), "b1": normal(4, 11), "W2": normal(5, 11, 3), "b2": normal(6, 3)}

    def gradients():
        grads = backward(two_layer_loss(x, y, **p)[1])
        return [grads["d" + name] for name in p]

    evidence = Evidence(lambda: two_layer_loss(x, y, **p)[0], gradients, list(p.values()), kept=[x, y])
    return (two_layer_loss, backward), {"x": x, "y": y, "parameters": p}, evidence


@case(RIGHT)
def loss_function_of_two_layers():
    return two_layers(two_layer_gradients)


@case(WRONG, ("forgot-n", "mean-for-sum"))
def loss_function_of_two_layers_with_n_times_db1():
    def backward(cache):
        grads = two_layer_gradients(cache)
        return {**grads, "db1": grads["db1"] * len(cache[0])}

    return two_layers(backward)


@case(WRONG, "raised")
def loss_function_of_two_layers_asks_for_what_is_not_there():
    def backward(cache):
        return {"dW2": cache["hidden"].T @ cache["dscores"]}

    return two_layers(backward)


def linear_loss(x, y, W, b):
    return np.mean((x @ W + b - y) ** 2)


def linear_loss_backward(x, y, W, b):
    error = 2 * (x @ W + b - y) / y.size
    return error @ W.T, x.T @ error, error.sum(axis=0)


def linear_regression(backward):
    x, y, W, b = normal(7, 11, 3), normal(8, 11, 2), normal(9, 3, 2), normal(10, 2)
    evidence = Evidence(lambda: linear_loss(x, y, W, b), lambda: backward(x, y, W, b), [x, W, b], kept=[y])
    return (linear_loss, backward), {"x": x, "y": y, "parameters": {"W": W, "b": b}}, evidence


@case(RIGHT)
def loss_function_of_a_linear_layer():
    return linear_regression(linear_loss_backward)


@case(WRONG, "factor")
def loss_function_of_a_linear_layer_without_the_two():
    def backward(x, y, W, b):
        return tuple(g / 2 for g in linear_loss_backward(x, y, W, b))

    return linear_regression(backward)


# Slopes as objects ----------------------------------------------------------------------------------------------------


def slope(activation, given):
    x = normal(11, 7, 5)
    evidence = Evidence(lambda: activation.forward(x).sum(), lambda: [activation.backward(given(x))], [x])
    return (activation,), {"x": x}, evidence


@case(RIGHT)
def slope_object_tanh_of_its_input():
    class Tanh:
        def forward(self, z):
            return np.tanh(z)

        def backward(self, z):
            return 1 - np.tanh(z) ** 2

    return slope(Tanh(), lambda x: x)


@case(RIGHT)
def slope_object_tanh_of_its_output():
    class Tanh:
        def forward(self, x):
            return np.tanh(x)

        def backward(self, a):
            return 1 - a**2

    return slope(Tanh(), np.tanh)


@case(WRONG, "at-input")
def slope_object_sigmoid_without_calling_forward():
    class Sigmoid:
        def forward(self, x):
            return 1 / (1 + np.exp(-x))

        def backward(self, x):
            return x * (1 - x)

    return slope(Sigmoid(), lambda x: x)


@case(WRONG, "factor")
def slope_object_square_without_the_two():
    class Square:
        def forward(self, x):
            return x**2

        def backward(self, x):
            return x

    return slope(Square(), lambda x: x)
