"""Whole networks with examples in columns, and deep ones with their gradients as attributes beside a loss object."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, labels, normal


class TwoLayerColumns:
    """tanh, then a softmax down each column; `cost(A, Y)` is its own."""

    def __init__(self, n_x, n_h, n_y, seed=400):
        rng = np.random.default_rng(seed)
        self.params = {}
        for name, rows, cols in (("1", n_h, n_x), ("2", n_y, n_h)):
            self.params["W" + name] = rng.uniform(-1, 1, (rows, cols))
            self.params["b" + name] = rng.uniform(-1, 1, (rows, 1))

    def softmax(self, Z):
        E = np.exp(Z - Z.max())
        return E / E.sum(axis=0, keepdims=True)

    def forward(self, X):
        P = self.params
        self.X = X
        self.Z1 = P["W1"] @ X + P["b1"]
        self.A1 = np.tanh(self.Z1)
        self.A2 = self.softmax(P["W2"] @ self.A1 + P["b2"])
        return self.A2

    def cost(self, A, Y):
        return -np.mean(np.sum(Y * np.log(A), axis=0))

    def slope(self):
        return 1 - self.A1**2

    def inputs(self):
        return self.X, self.A1

    def backward(self, X, Y):
        first, second = self.inputs()
        m = Y.shape[1]
        dZ2 = (self.A2 - Y) / m
        dZ1 = np.dot(self.params["W2"].T, dZ2) * self.slope()
        return {
            "dW2": np.dot(dZ2, second.T),
            "db2": dZ2.sum(axis=1, keepdims=True),
            "dW1": np.dot(dZ1, first.T),
            "db1": dZ1.sum(axis=1, keepdims=True),
        }


def columns(net, m=11):
    n_x, n_y = net.params["W1"].shape[1], net.params["W2"].shape[0]
    X, Y = normal(401, n_x, m), np.eye(n_y)[labels(402, m, n_y)].T

    def gradients():
        net.forward(X)
        grads = net.backward(X, Y)
        return [grads["d" + name] for name in net.params]

    places = [(net.params, name) for name in net.params]
    return (net,), {"x": X, "y": Y}, Evidence(lambda: net.cost(net.forward(X), Y), gradients, places, kept=[X, Y])


@case(RIGHT)
def two_layers_in_columns():
    return columns(TwoLayerColumns(3, 5, 2))


@case(RIGHT)
def two_layers_in_columns_square():
    return columns(TwoLayerColumns(5, 5, 5), m=5)


@case(WRONG, "softmax-axis")
def two_layers_in_columns_with_softmax_along_the_examples():
    class Faulty(TwoLayerColumns):
        def softmax(self, Z):
            E = np.exp(Z)
            return E / np.sum(E, axis=1, keepdims=True)

    return columns(Faulty(2, 5, 3), m=7)


@case(WRONG, "forgot-n")
def two_layers_in_columns_with_m_in_the_last_layer_only():
    class Faulty(TwoLayerColumns):
        def backward(self, X, Y):
            grads = super().backward(X, Y)
            return grads | {"dW1": grads["dW1"] * Y.shape[1], "db1": grads["db1"] * Y.shape[1]}

    return columns(Faulty(3, 5, 2), m=13)


@case(WRONG, "wrong-input")
def two_layers_in_columns_take_a_layers_output_for_its_input():
    class Faulty(TwoLayerColumns):
        def inputs(self):
            return self.A1, self.A1

    return columns(Faulty(5, 5, 2), m=7)


@case(WRONG, "wrong-input")
def two_layers_in_columns_take_z_for_a():
    class Faulty(TwoLayerColumns):
        def inputs(self):
            return self.X, self.Z1

    return columns(Faulty(2, 7, 3))


@case(WRONG, "at-output")
def two_layers_in_columns_with_tanh_prime_of_a():
    class Faulty(TwoLayerColumns):
        def slope(self):
            return 1 - np.tanh(self.A1) ** 2

    return columns(Faulty(3, 7, 2))


@case(WRONG, "transposed")
def two_layers_in_columns_with_W2_for_its_transpose():
    class Faulty(TwoLayerColumns):
        def backward(self, X, Y):
            grads = super().backward(X, Y)
            d = self.params["W2"] @ ((self.A2 - Y) / Y.shape[1]) * self.slope()
            return grads | {"dW1": d @ X.T, "db1": d.sum(axis=1, keepdims=True)}

    return columns(Faulty(3, 3, 3), m=3)


@case(WRONG, "penalty")
def two_layers_in_columns_shrink_without_a_penalty_in_the_cost():
    class Faulty(TwoLayerColumns):
        def backward(self, X, Y):
            grads = super().backward(X, Y)
            return {name: g + 0.05 * self.params[name[1:]] * (name[1] == "W") for name, g in grads.items()}

    return columns(Faulty(3, 5, 2))


class Decayed(TwoLayerColumns):
    share = 1 / 2  # of lambda, since the square brings a two

    def cost(self, A, Y):
        squares = sum(np.sum(p * p) for name, p in self.params.items() if name[0] == "W")
        return super().cost(A, Y) + self.share * 0.4 * squares / Y.shape[1]

    def backward(self, X, Y):
        grads = super().backward(X, Y)
        for name in ("W1", "W2"):
            grads["d" + name] = grads["d" + name] + 0.4 * self.params[name] / Y.shape[1]
        return grads


@case(RIGHT)
def two_layers_in_columns_with_weight_decay():
    return columns(Decayed(3, 5, 2))


@case(WRONG, "penalty")
def two_layers_in_columns_with_half_of_the_decay():
    class Faulty(Decayed):
        share = 1

    return columns(Faulty(3, 5, 2))


# Deep, gradients as attributes, fed by a loss object ------------------------------------------------------------------


class DeepRegressor:
    """ReLU, ReLU, and a linear output; weights (in, out); W1_grad and its like are attributes."""

    def __init__(self, *widths, seed=410):
        self.depth = len(widths) - 1
        for i in range(self.depth):
            setattr(self, f"W{i + 1}", normal(seed + i, widths[i], widths[i + 1]) / np.sqrt(widths[i]))
            setattr(self, f"b{i + 1}", 0.3 * normal(seed + 20 + i, widths[i + 1]))

    def forward(self, x):
        self.h = [x]
        for i in range(1, self.depth + 1):
            x = x @ getattr(self, f"W{i}") + getattr(self, f"b{i}")
            x = np.where(x > 0, x, 0) if i < self.depth else x
            self.h.append(x)
        return x

    def gate(self, d, i):
        return d * (self.h[i] > 0)

    def store(self, name, gradient):
        setattr(self, name + "_grad", gradient)

    def backward(self, dout):
        for i in range(self.depth, 0, -1):
            if i < self.depth:
                dout = self.gate(dout, i)
            self.store(f"W{i}", self.h[i - 1].T @ dout)
            self.store(f"b{i}", dout.sum(axis=0))
            dout = dout @ getattr(self, f"W{i}").T
        return dout


class MeanSquared:
    def forward(self, output, target):
        return np.mean((output - target) ** 2)

    def backward(self, output, target):
        return (output - target) * (2 / output.size)


def deep(net, n=7, frozen=()):
    x, loss = normal(420, n, net.W1.shape[0]), MeanSquared()
    y = normal(421, n, getattr(net, f"W{net.depth}").shape[1])
    names = [f"{kind}{i + 1}" for i in range(net.depth) for kind in "Wb" if f"{kind}{i + 1}" not in frozen]

    def gradients():
        out = net.forward(x)
        return [net.backward(loss.backward(out, y)), *(getattr(net, name + "_grad") for name in names)]

    places = [x, *((net, name) for name in names)]
    evidence = Evidence(lambda: loss.forward(net.forward(x), y), gradients, places, kept=[y])
    return (net,), {"x": x, "y": y, "loss": loss}, evidence


@case(RIGHT)
def deep_regressor():
    return deep(DeepRegressor(3, 7, 5, 2))


@case(RIGHT)
def deep_regressor_of_one_feature_and_one_output():
    return deep(DeepRegressor(1, 5, 5, 1), n=13)


@case(RIGHT)
def deep_regressor_learns_its_last_layer_only():
    class LastOnly(DeepRegressor):
        def backward(self, dout):
            self.store("W3", self.h[2].T @ dout)
            self.store("b3", dout.sum(axis=0))
            for i in (2, 1):
                dout = self.gate(dout @ getattr(self, f"W{i + 1}").T, i)
            return dout @ self.W1.T

    return deep(LastOnly(3, 7, 5, 2), frozen=("W1", "b1", "W2", "b2"))


@case(WRONG, "wrong-mask")
def deep_regressor_gates_with_the_layer_before():
    class Faulty(DeepRegressor):
        def gate(self, d, i):
            return d * (self.h[max(i - 1, 1)] > 0)

    return deep(Faulty(2, 5, 5, 3))


@case(WRONG, "missing-derivative")
def deep_regressor_gates_the_first_hidden_layer_only():
    class Faulty(DeepRegressor):
        def gate(self, d, i):
            return d * (self.h[i] > 0) if i == 1 else d

    return deep(Faulty(3, 5, 7, 2))


@case(WRONG, "accumulated")
def deep_regressor_never_clears_its_gradients():
    class Faulty(DeepRegressor):
        def store(self, name, gradient):
            super().store(name, getattr(self, name + "_grad", 0) + gradient)

    return deep(Faulty(3, 5, 7, 2))


@case(WRONG, "bias-axis")
def deep_regressor_sums_every_bias_to_one_number():
    class Faulty(DeepRegressor):
        def store(self, name, gradient):
            super().store(name, gradient.sum() * np.ones_like(gradient) if name[0] == "b" else gradient)

    return deep(Faulty(3, 5, 2))


@case(WRONG, "mean-for-sum")
def deep_regressor_takes_the_mean_for_its_biases():
    class Faulty(DeepRegressor):
        def store(self, name, gradient):
            super().store(name, gradient / len(self.h[0]) if name[0] == "b" else gradient)

    return deep(Faulty(3, 5, 2), n=11)
