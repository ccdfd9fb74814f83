"""Classroom networks with two layers: gradients in a dict, examples in rows or in Ng's columns."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, labels, normal, one_hot


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class TwoLayer:
    def __init__(self, d=4, h=5, k=3):
        self.params = {
            "W1": normal(71, d, h) * 0.6,
            "b1": normal(72, h) * 0.2,
            "W2": normal(73, h, k) * 0.6,
            "b2": normal(74, k) * 0.2,
        }

    def forward(self, X):
        p = self.params
        self.z1 = X @ p["W1"] + p["b1"]
        self.a1 = np.maximum(0, self.z1)
        s = self.a1 @ p["W2"] + p["b2"]
        e = np.exp(s - s.max(axis=1, keepdims=True))
        self.probs = e / e.sum(axis=1, keepdims=True)
        return self.probs

    def loss(self, outputs, y):
        return -np.log(outputs[np.arange(len(y)), y]).mean()

    def delta(self, y):
        d = self.probs.copy()
        d[np.arange(len(y)), y] -= 1
        return d / len(y)

    def slope(self):
        return self.z1 > 0

    def backward(self, X, y):
        d2 = self.delta(y)
        d1 = (d2 @ self.params["W2"].T) * self.slope()
        return {"dW1": X.T @ d1, "db1": d1.sum(axis=0), "dW2": self.a1.T @ d2, "db2": d2.sum(axis=0)}


NAMES = ("W1", "b1", "W2", "b2")


def whole(net, X, y):
    def gradients():
        net.forward(X)
        answer = net.backward(X, y)
        return [answer["d" + name] for name in NAMES]

    places = [net.params[name] for name in NAMES]
    evidence = Evidence(lambda: net.loss(net.forward(X), y), gradients, places, kept=[X])
    return (net,), {"x": X, "y": y}, evidence


def rows(net, n=8):
    return whole(net, normal(75, n, len(net.params["W1"])), labels(76, n, net.params["W2"].shape[1]))


@case(RIGHT)
def bl_two_layer():
    return rows(TwoLayer())


@case(RIGHT)
def bl_two_layer_all_equal_sizes():
    return rows(TwoLayer(4, 4, 4), n=4)


@case(RIGHT)
def bl_two_layer_l2():
    class Decay(TwoLayer):
        def loss(self, outputs, y):
            penalty = sum(np.sum(self.params[w] ** 2) for w in ("W1", "W2"))
            return super().loss(outputs, y) + 0.5 * 0.1 * penalty

        def backward(self, X, y):
            grads = super().backward(X, y)
            for w in ("W1", "W2"):
                grads["d" + w] += 0.1 * self.params[w]
            return grads

    return rows(Decay())


@case(WRONG, "penalty")
def bl_two_layer_l2_left_out():
    class Bad(TwoLayer):
        def loss(self, outputs, y):
            penalty = np.sum(self.params["W1"] ** 2) + np.sum(self.params["W2"] ** 2)
            return super().loss(outputs, y) + 0.5 * 0.1 * penalty

    return rows(Bad())


@case(WRONG, "penalty")
def bl_two_layer_l2_without_its_half():
    class Bad(TwoLayer):
        def loss(self, outputs, y):
            penalty = np.sum(self.params["W1"] ** 2) + np.sum(self.params["W2"] ** 2)
            return super().loss(outputs, y) + 0.2 * penalty

        def backward(self, X, y):
            grads = super().backward(X, y)
            grads["dW1"] += 0.2 * self.params["W1"]
            grads["dW2"] += 0.2 * self.params["W2"]
            return grads

    return rows(Bad())


@case(WRONG, "missing-derivative")
def bl_two_layer_no_relu_slope():
    class Bad(TwoLayer):
        def slope(self):
            return 1

    return rows(Bad())


@case(WRONG, "forgot-n")
def bl_two_layer_undivided():
    class Bad(TwoLayer):
        def delta(self, y):
            return super().delta(y) * len(y)

    return rows(Bad())


@case(WRONG, "twice-n")
def bl_two_layer_divides_delta_and_gradients():
    class Bad(TwoLayer):
        def backward(self, X, y):
            return {name: g / len(X) for name, g in super().backward(X, y).items()}

    return rows(Bad())


@case(WRONG, "wrong-input")
def bl_two_layer_dW2_from_z1():
    class Bad(TwoLayer):
        def backward(self, X, y):
            grads = super().backward(X, y)
            grads["dW2"] = self.z1.T @ self.delta(y)
            return grads

    return rows(Bad())


@case(WRONG, "transposed")
def bl_two_layer_W2_as_it_stands():
    class Bad(TwoLayer):
        def backward(self, X, y):
            grads = super().backward(X, y)
            d1 = (self.delta(y) @ self.params["W2"]) * self.slope()
            grads["dW1"], grads["db1"] = X.T @ d1, d1.sum(axis=0)
            return grads

    return rows(Bad(4, 5, 5))


@case(WRONG, "mean-for-sum")
def bl_two_layer_db2_mean():
    class Bad(TwoLayer):
        def backward(self, X, y):
            grads = super().backward(X, y)
            grads["db2"] = self.delta(y).mean(axis=0)
            return grads

    return rows(Bad())


class SigmoidMse(TwoLayer):
    def forward(self, X):
        p = self.params
        self.a1 = sigmoid(X @ p["W1"] + p["b1"])
        self.a2 = sigmoid(self.a1 @ p["W2"] + p["b2"])
        return self.a2

    def loss(self, outputs, y):
        return 0.5 * np.sum((outputs - y) ** 2)

    def delta(self, y):
        return (self.a2 - y) * self.a2 * (1 - self.a2)

    def slope(self):
        return self.a1 * (1 - self.a1)


def xor(net):
    X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    return whole(net, X, np.array([[0.0], [1], [1], [0]]))


@case(RIGHT)
def bl_xor():
    return xor(SigmoidMse(2, 3, 1))


@case(WRONG, "missing-derivative")
def bl_xor_output_slope_missing():
    class Bad(SigmoidMse):
        def delta(self, y):
            return self.a2 - y

    return xor(Bad(2, 3, 1))


@case(WRONG, "at-output")
def bl_xor_sigmoid_prime_of_activation():
    class Bad(SigmoidMse):
        def slope(self):
            s = sigmoid(self.a1)
            return s * (1 - s)

    return xor(Bad(2, 3, 1))


@case(WRONG, "factor")
def bl_xor_y_minus_out():
    class Bad(SigmoidMse):
        def delta(self, y):
            return (y - self.a2) * self.a2 * (1 - self.a2)

    return xor(Bad(2, 3, 1))


class Columns:
    def __init__(self, n_x=3, n_h=4, n_y=1):
        self.params = {
            "W1": normal(81, n_h, n_x) * 0.5,
            "b1": np.zeros((n_h, 1)),
            "W2": normal(82, n_y, n_h) * 0.5,
            "b2": np.zeros((n_y, 1)),
        }

    def forward(self, X):
        p = self.params
        self.A1 = np.tanh(p["W1"] @ X + p["b1"])
        self.A2 = sigmoid(p["W2"] @ self.A1 + p["b2"])
        return self.A2

    def loss(self, A2, Y):
        return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / Y.shape[1]

    def dZ2(self, Y):
        return self.A2 - Y

    def slope(self):
        return 1 - np.power(self.A1, 2)

    def backward(self, X, Y):
        m = X.shape[1]
        dZ2 = self.dZ2(Y)
        dZ1 = (self.params["W2"].T @ dZ2) * self.slope()
        return {
            "dW1": dZ1 @ X.T / m,
            "db1": np.sum(dZ1, axis=1, keepdims=True) / m,
            "dW2": dZ2 @ self.A1.T / m,
            "db2": np.sum(dZ2, axis=1, keepdims=True) / m,
        }


def columns(net, m=10):
    Y = (normal(84, 1, m) > 0).astype(float)
    return whole(net, normal(83, 3, m), Y)


@case(RIGHT)
def bl_planar():
    return columns(Columns())


@case(WRONG, "forgot-n")
def bl_planar_db_undivided():
    class Bad(Columns):
        def backward(self, X, Y):
            grads = super().backward(X, Y)
            return {name: g * X.shape[1] if name[1] == "b" else g for name, g in grads.items()}

    return columns(Bad())


@case(WRONG, "bias-axis")
def bl_planar_db1_one_number():
    class Bad(Columns):
        def backward(self, X, Y):
            grads = super().backward(X, Y)
            grads["db1"] = np.sum(grads["db1"])
            return grads

    return columns(Bad())


@case(WRONG, "extra-derivative")
def bl_planar_sigmoid_slope_again():
    class Bad(Columns):
        def dZ2(self, Y):
            return (self.A2 - Y) * self.A2 * (1 - self.A2)

    return columns(Bad())


@case(WRONG, "wrong-mask")
def bl_planar_hidden_slope_as_sigmoid_of_output():
    class Bad(Columns):
        def slope(self):
            return 1 - np.power(self.A2, 2)

    return columns(Bad())


@case(RIGHT)
def bl_columns_softmax():
    class Multi(Columns):
        def forward(self, X):
            p = self.params
            self.A1 = np.tanh(p["W1"] @ X + p["b1"])
            Z2 = p["W2"] @ self.A1 + p["b2"]
            e = np.exp(Z2 - Z2.max(axis=0, keepdims=True))
            self.A2 = e / e.sum(axis=0, keepdims=True)
            return self.A2

        def loss(self, A2, Y):
            return -np.sum(Y * np.log(A2)) / Y.shape[1]

    return whole(Multi(3, 4, 3), normal(85, 3, 9), one_hot(labels(86, 9, 3), 3).T.copy())
