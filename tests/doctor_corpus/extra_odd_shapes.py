"""Shapes and kinds that trip a clumsy check: one example, float32, integers, flat outputs, sequences."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, labels, normal, of_layer, of_pair


class Linear:
    def __init__(self, n_in, n_out, dtype=float):
        self.W = normal(1, n_in, n_out).astype(dtype)
        self.b = normal(2, n_out).astype(dtype)
        self.dW = np.zeros_like(self.W)
        self.db = np.zeros_like(self.b)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW[...] = self.x.T @ dy
        self.db[...] = dy.sum(axis=0)
        return dy @ self.W.T


@case(RIGHT)
def linear_in_float32():
    layer, x = Linear(5, 3, np.float32), normal(3, 7, 5).astype(np.float32)
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db", h=0.03, tolerance=1e-2)


@case(WRONG, "bias-axis")
def linear_in_float32_sums_over_axis_1():
    class Wrong(Linear):
        def backward(self, dy):
            dx = super().backward(dy)
            self.db = dy.sum(axis=1)
            return dx

    layer, x = Wrong(5, 7, np.float32), normal(3, 7, 5).astype(np.float32)
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db", h=0.03, tolerance=1e-2)


@case(RIGHT)
def linear_of_one_example():
    layer, x = Linear(5, 3), normal(4, 1, 5)
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db")


@case(RIGHT)
def linear_to_one_output():
    layer, x = Linear(5, 1), normal(4, 7, 5)
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db")


@case(RIGHT)
def linear_from_one_feature_to_one_output():
    layer, x = Linear(1, 1), normal(4, 7, 1)
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db")


@case(RIGHT)
def linear_of_integers():
    layer = Linear(5, 3)
    x = np.random.default_rng(5).integers(-3, 4, (7, 5))
    dy = normal(6, 7, 3)

    def gradients():
        layer.forward(x)
        layer.backward(dy)
        return [layer.dW, layer.db]

    return (layer,), {"x": x}, Evidence(lambda: (layer.forward(x) * dy).sum(), gradients, [layer.W, layer.b])


@case(RIGHT)
def linear_over_a_sequence():
    class TimeLinear:
        def __init__(self):
            self.W, self.b = normal(7, 5, 3), normal(8, 3)

        def forward(self, x):
            self.x = x
            return np.einsum("ntd,dk->ntk", x, self.W) + self.b

        def backward(self, dy):
            self.dW = np.einsum("ntd,ntk->dk", self.x, dy)
            self.db = dy.sum(axis=(0, 1))
            return np.einsum("ntk,dk->ntd", dy, self.W)

    layer, x = TimeLinear(), normal(9, 2, 3, 5)
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db")


@case(WRONG, "bias-axis")
def linear_over_a_sequence_sums_its_bias_over_examples_alone():
    class TimeLinear:
        def __init__(self):
            self.W, self.b = normal(7, 5, 3), normal(8, 3)

        def forward(self, x):
            self.x = x
            return x @ self.W + self.b

        def backward(self, dy):
            self.dW = np.einsum("ntd,ntk->dk", self.x, dy)
            self.db = dy.sum(axis=0)
            return dy @ self.W.T

    layer, x = TimeLinear(), normal(9, 2, 3, 5)
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db")


class Logistic:
    """Logistic regression: flat weights, a float for the bias, outputs of shape (N,)."""

    def __init__(self, d=5):
        self.w, self.b = normal(11, d), 0.2

    def forward(self, X):
        self.X = X
        return 1 / (1 + np.exp(-(X.dot(self.w) + self.b)))

    def loss(self, y_hat, y):
        return -(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat)).mean()

    def backward(self, y_hat, y):
        error = self.error(y_hat, y)
        return {"dw": self.X.T.dot(error) / len(y), "db": error.mean()}

    def error(self, y_hat, y):
        return y_hat - y


def logistic(net, n=7):
    X, y = normal(12, n, net.w.size), labels(13, n, 2).astype(float)

    def gradients():
        grads = net.backward(net.forward(X), y)
        return [grads["dw"], grads["db"]]

    places = [net.w, (net, "b")]
    return (net,), {"x": X, "y": y}, Evidence(lambda: net.loss(net.forward(X), y), gradients, places, kept=[X, y])


@case(RIGHT)
def logistic_regression():
    return logistic(Logistic())


@case(RIGHT)
def logistic_regression_of_one_feature():
    return logistic(Logistic(1))


@case(WRONG, "extra-derivative")
def logistic_regression_with_its_slope():
    class Wrong(Logistic):
        def error(self, y_hat, y):
            return (y_hat - y) * y_hat * (1 - y_hat)

    return logistic(Wrong())


@case(WRONG, "factor")
def logistic_regression_with_y_minus_y_hat():
    class Wrong(Logistic):
        def error(self, y_hat, y):
            return y - y_hat

    return logistic(Wrong())


@case(WRONG, ("forgot-n", "mean-for-sum"))
def logistic_regression_sums_its_weights_and_averages_its_bias():
    class Wrong(Logistic):
        def backward(self, y_hat, y):
            grads = super().backward(y_hat, y)
            return grads | {"dw": grads["dw"] * len(y)}

    return logistic(Wrong())


@case(WRONG, "penalty")
def logistic_regression_decays_in_the_gradient_alone():
    class Wrong(Logistic):
        def backward(self, y_hat, y):
            grads = super().backward(y_hat, y)
            return grads | {"dw": grads["dw"] + 0.1 * self.w}

    return logistic(Wrong())


# Functions with parameters that do not move ---------------------------------------------------------------------------


@case(RIGHT)
def linear_without_bias():
    def linear(x, W):
        return x @ W, (x, W)

    def linear_back(g, cache):
        x, W = cache
        return g @ W.T, x.T @ g

    x, W = normal(21, 7, 5), normal(22, 5, 3)
    return (linear, linear_back), {"x": x, "parameters": {"W": W}}, of_pair(linear, linear_back, x, W)


@case(RIGHT)
def gradients_of_a_function_of_arrays():
    A, v = normal(23, 5, 5), normal(24, 5)

    def f():
        return v @ A @ v

    gradients = {"A": np.outer(v, v), "v": (A + A.T) @ v}
    evidence = Evidence(f, lambda: list(gradients.values()), [A, v])
    return (f,), {"parameters": {"A": A, "v": v}, "analytic": gradients}, evidence


@case(WRONG, ("transposed", "unknown"))
def gradients_of_a_function_of_arrays_forget_one_half():
    A, v = normal(23, 5, 5), normal(24, 5)

    def f():
        return v @ A @ v

    gradients = {"A": np.outer(v, v), "v": 2 * A @ v}
    evidence = Evidence(f, lambda: list(gradients.values()), [A, v])
    return (f,), {"parameters": {"A": A, "v": v}, "analytic": gradients}, evidence


@case(RIGHT)
def prelu_with_one_learned_leak():
    class PReLU:
        def __init__(self):
            self.alpha = 0.25

        def forward(self, x):
            self.x = x
            return np.where(x > 0, x, self.alpha * x)

        def backward(self, dy):
            self.dalpha = float(np.sum(dy * np.minimum(self.x, 0)))
            return dy * np.where(self.x > 0, 1, self.alpha)

    layer, x = PReLU(), normal(25, 7, 5)
    return (layer,), {"x": x}, of_layer(layer, x, "alpha dalpha")


@case(RIGHT)
def bilinear_layer_by_example():
    class Loop:
        """One example after the other, as it is first written."""

        def __init__(self):
            self.W, self.b = normal(26, 3, 5), normal(27, 3)

        def forward(self, X):
            self.X = X
            return np.array([np.maximum(self.W @ x + self.b, 0) for x in X])

        def backward(self, dY):
            self.dW, self.db, dX = np.zeros_like(self.W), np.zeros_like(self.b), np.zeros_like(self.X)
            for i, (x, dy) in enumerate(zip(self.X, dY)):
                dz = dy * (self.W @ x + self.b > 0)
                self.dW += np.outer(dz, x)
                self.db += dz
                dX[i] = self.W.T @ dz
            return dX

    layer, x = Loop(), normal(28, 7, 5)
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db")


@case(WRONG, ("bias-axis", "mean-for-sum", "unknown"))
def loop_over_examples_keeps_the_last_alone():
    class Loop:
        def __init__(self):
            self.W, self.b = normal(26, 3, 5), normal(27, 3)

        def forward(self, X):
            self.X = X
            return X @ self.W.T + self.b

        def backward(self, dY):
            for x, dy in zip(self.X, dY):
                self.dW, self.db = np.outer(dy, x), dy.copy()
            return dY @ self.W

    layer, x = Loop(), normal(28, 7, 5)
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db")
