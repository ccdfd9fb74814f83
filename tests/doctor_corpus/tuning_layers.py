"""Layers as objects that keep what backward needs in `self.cache`, `self.x` or a mask of their own."""

import numpy as np

from .case import BESIDE, RIGHT, WRONG, case
from .evidence import normal, of_layer


class Linear:
    def __init__(self, n_in, n_out, seed=0):
        self.W = normal(seed, n_in, n_out) * np.sqrt(2 / n_in)
        self.b = np.zeros(n_out)
        self.cache = {}
        self.dW = None
        self.db = None

    def forward(self, X):
        self.cache["X"] = X
        return X @ self.W + self.b

    def backward(self, dZ):
        X = self.cache["X"]
        self.dW = X.T @ dZ
        self.db = np.sum(dZ, axis=0)
        return dZ @ self.W.T


class ReLU:
    def __init__(self):
        self.cache = {}

    def forward(self, Z):
        self.cache["Z"] = Z
        return np.maximum(0, Z)

    def backward(self, dA):
        return dA * (self.cache["Z"] > 0).astype(float)


def linear(layer, n=7, seed=1):
    x = normal(seed, n, layer.W.shape[0])
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db")


@case(RIGHT)
def linear_with_cache():
    return linear(Linear(5, 3))


@case(RIGHT)
def linear_with_cache_square():
    return linear(Linear(6, 6), n=6)


@case(RIGHT)
def linear_with_large_weights():
    layer = Linear(5, 3)
    layer.W *= 40
    return linear(layer)


@case(RIGHT)
def relu_with_cache_and_zeros_in_x():
    x = normal(2, 7, 5)
    x[::2, 1] = 0
    layer = ReLU()
    return (layer,), {"x": x}, of_layer(layer, x)


@case(WRONG, "transposed")
def linear_dx_with_W_for_its_transpose():
    class Wrong(Linear):
        def backward(self, dZ):
            super().backward(dZ)
            return dZ @ self.W

    return linear(Wrong(6, 6), n=6)


@case(WRONG, "bias-axis")
def linear_db_summed_along_the_features():
    class Wrong(Linear):
        def backward(self, dZ):
            dX = super().backward(dZ)
            self.db = np.sum(dZ, axis=1)
            return dX

    return linear(Wrong(4, 4), n=4)


@case(WRONG, "bias-axis")
def linear_db_is_one_number():
    class Wrong(Linear):
        def backward(self, dZ):
            dX = super().backward(dZ)
            self.db = np.sum(dZ)
            return dX

    return linear(Wrong(5, 3))


@case(WRONG, "accumulated")
def linear_adds_to_dW_for_ever():
    class Wrong(Linear):
        def __init__(self, n_in, n_out):
            super().__init__(n_in, n_out)
            self.dW = np.zeros_like(self.W)
            self.db = np.zeros_like(self.b)

        def backward(self, dZ):
            self.dW += self.cache["X"].T @ dZ
            self.db += dZ.sum(axis=0)
            return dZ @ self.W.T

    return linear(Wrong(5, 2))


@case(WRONG, "raised")
def linear_forgot_to_keep_x():
    class Wrong(Linear):
        def forward(self, X):
            return X @ self.W + self.b

    return linear(Wrong(5, 3))


@case(WRONG, "input-gradient")
def linear_returns_zeros_for_dx():
    class Wrong(Linear):
        def backward(self, dZ):
            super().backward(dZ)
            return np.zeros_like(self.cache["X"])

    return linear(Wrong(5, 3))


@case(WRONG, "input-gradient")
def linear_averages_dx_alone():
    class Wrong(Linear):
        def backward(self, dZ):
            return super().backward(dZ) / dZ.shape[0]

    return linear(Wrong(3, 5))


@case(BESIDE, "beside-loss")
def linear_averages_dW_and_db_itself():
    class Averaging(Linear):
        def backward(self, dZ):
            X = self.cache["X"]
            batch_size = X.shape[0]
            self.dW = X.T @ dZ / batch_size
            self.db = np.mean(dZ, axis=0)
            return dZ @ self.W.T

    args, kwargs, alone = linear(Averaging(5, 3))
    together = of_layer(args[0], kwargs["x"], "W dW", "b db")
    together.places = together.places[1:]  # a loss that sums in backward and averages in forward: dx stays a sum
    mean, both = together.value, together.gradients
    together.value = lambda: mean() / len(kwargs["x"])
    together.gradients = lambda: both()[1:]
    return args, kwargs, alone, together


@case(WRONG, "overwritten")
def linear_shifts_x_where_it_stands():
    class Wrong(Linear):
        def forward(self, X):
            X -= 0.5
            return super().forward(X)

    return linear(Wrong(5, 3))


@case(WRONG, "wrong-mask")
def relu_keeps_its_first_mask():
    class Wrong(ReLU):
        mask = None

        def forward(self, Z):
            if self.mask is None:
                self.mask = Z > 0
            return np.maximum(0, Z)

        def backward(self, dA):
            return dA * self.mask

    layer, x = Wrong(), normal(4, 7, 5)
    layer.forward(normal(3, 7, 5))  # an earlier batch
    return (layer,), {"x": x}, of_layer(layer, x)


class Dense:
    """Weights stand (out, in), the activation is part of the layer, backward gives a tuple."""

    def __init__(self, inputs, units, seed=5):
        self.weights = normal(seed, units, inputs) / np.sqrt(inputs)
        self.bias = normal(seed + 1, 1, units)

    def forward(self, x):
        self.x = x
        self.a = np.tanh(x @ self.weights.T + self.bias)
        return self.a

    def slope(self):
        return 1 - self.a**2

    def backward(self, grad):
        dz = grad * self.slope()
        return dz @ self.weights, dz.T @ self.x, dz.sum(axis=0, keepdims=True)


def dense(layer, n=7):
    x = normal(7, n, layer.weights.shape[1])
    evidence = of_layer(layer, x)
    evidence.places = [x, (layer, "weights"), (layer, "bias")]

    dy = normal(99, *layer.forward(x).shape)

    def gradients():
        layer.forward(x)
        return layer.backward(dy)

    evidence.gradients = gradients
    return (layer,), {"x": x}, evidence


@case(RIGHT)
def dense_tanh_out_in():
    return dense(Dense(5, 3))


@case(RIGHT)
def dense_tanh_out_in_square():
    return dense(Dense(5, 5), n=5)


@case(WRONG, "missing-derivative")
def dense_tanh_without_its_slope():
    class Wrong(Dense):
        def slope(self):
            return 1

    return dense(Wrong(5, 3))


@case(WRONG, "extra-derivative")
def dense_tanh_with_its_slope_twice():
    class Wrong(Dense):
        def backward(self, grad):
            grad = grad * self.slope()
            return super().backward(grad)

    return dense(Wrong(5, 3))


@case(WRONG, "at-output")
def dense_tanh_slope_formula_of_z_given_a():
    class Wrong(Dense):
        def slope(self):
            return 1 - np.tanh(self.a) ** 2

    return dense(Wrong(5, 3))


@case(WRONG, "transposed")
def dense_dW_stands_in_out():
    class Wrong(Dense):
        def backward(self, grad):
            dx, dW, db = super().backward(grad)
            return dx, dW.T, db

    return dense(Wrong(5, 3))


@case(WRONG, "factor")
def dense_tanh_slope_with_a_two():
    class Wrong(Dense):
        def slope(self):
            return 2 * (1 - self.a**2)

    return dense(Wrong(5, 3))


@case(WRONG, "input-gradient")
def dense_gives_none_for_dx():
    class Wrong(Dense):
        def backward(self, grad):
            _, dW, db = super().backward(grad)
            return None, dW, db

    return dense(Wrong(2, 3))
