"""What a clumsy check would accuse: float32, columns, one feature, sums that are cleared first, work in place."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, labels, normal, of_layer


class FloatLinear:
    def __init__(self, seed=1):
        self.W = (normal(seed, 5, 3) * 0.5).astype(np.float32)
        self.b = np.zeros(3, dtype=np.float32)

    def forward(self, x):
        self.x = x.astype(np.float32)
        return self.x @ self.W + self.b

    def backward(self, dy):
        dy = dy.astype(np.float32)
        self.dW = self.x.T @ dy
        self.db = dy.sum(axis=0)
        return dy @ self.W.T


@case(RIGHT)
def float32_linear_that_casts_its_input():
    layer, x = FloatLinear(), normal(2, 7, 5).astype(np.float32)
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db", h=0.03, tolerance=1e-2)


class AccumulatingLinear:
    def __init__(self):
        self.W, self.b = normal(3, 5, 3), np.zeros(3)
        self.zero_grad()

    def zero_grad(self):
        self.grad_W, self.grad_b = np.zeros((5, 3)), np.zeros(3)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad_output):
        self.grad_W += self.x.T @ grad_output
        self.grad_b += grad_output.sum(axis=0)
        return grad_output @ self.W.T


@case(RIGHT)
def linear_adds_up_and_has_zero_grad():
    layer, x = AccumulatingLinear(), normal(4, 7, 5)
    evidence = of_layer(layer, x, "W grad_W", "b grad_b", prepare=layer.zero_grad)
    return (layer,), {"x": x}, evidence


class Perceptron:
    """One feature, one output, floats for parameters."""

    def __init__(self, w=0.7, b=-0.2):
        self.w, self.b = w, b

    def forward(self, x):
        self.x = x
        self.a = 1 / (1 + np.exp(-(self.w * x + self.b)))
        return self.a

    def backward(self, da):
        dz = da * self.a * (1 - self.a)
        self.dw = np.sum(dz * self.x)
        self.db = np.sum(dz)
        return dz * self.w


@case(RIGHT)
def perceptron_of_one_feature_with_float_parameters():
    layer, x = Perceptron(), normal(5, 11, 1)
    return (layer,), {"x": x}, of_layer(layer, x, "w dw", "b db")


@case(WRONG, "missing-derivative")
def perceptron_of_one_feature_without_its_slope():
    class Wrong(Perceptron):
        def backward(self, da):
            self.dw = np.sum(da * self.x)
            self.db = np.sum(da)
            return da * self.w

    layer, x = Wrong(), normal(5, 11, 1)
    return (layer,), {"x": x}, of_layer(layer, x, "w dw", "b db")


# Columns --------------------------------------------------------------------------------------------------------------


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def initialize_parameters(n_x, n_h, n_y):
    return {
        "W1": normal(11, n_h, n_x),
        "b1": np.zeros((n_h, 1)),
        "W2": normal(12, n_y, n_h),
        "b2": np.zeros((n_y, 1)),
    }


def forward_propagation(X, parameters):
    W1, b1, W2, b2 = (parameters[name] for name in ("W1", "b1", "W2", "b2"))
    A1 = np.tanh(W1 @ X + b1)
    A2 = sigmoid(W2 @ A1 + b2)
    return A2, {"A1": A1, "A2": A2}


def compute_cost(A2, Y):
    m = Y.shape[1]
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m


def backward_propagation(parameters, cache, X, Y):
    m = X.shape[1]
    A1, A2 = cache["A1"], cache["A2"]
    dZ2 = A2 - Y
    dZ1 = parameters["W2"].T @ dZ2 * (1 - np.power(A1, 2))
    return {
        "dW1": dZ1 @ X.T / m,
        "db1": np.sum(dZ1, axis=1, keepdims=True) / m,
        "dW2": dZ2 @ A1.T / m,
        "db2": np.sum(dZ2, axis=1, keepdims=True) / m,
    }


def planar(backward, m=11):
    X, Y, p = normal(13, 2, m), labels(14, m, 2).reshape(1, m), initialize_parameters(2, 5, 1)

    def gradients():
        grads = backward(p, forward_propagation(X, p)[1], X, Y)
        return [grads["d" + name] for name in p]

    evidence = Evidence(lambda: compute_cost(forward_propagation(X, p)[0], Y), gradients, list(p.values()), kept=[X, Y])
    return (forward_propagation, backward), {"x": X, "y": Y, "parameters": p, "loss": compute_cost}, evidence


@case(RIGHT)
def columns_network_of_functions():
    return planar(backward_propagation)


@case(WRONG, "bias-axis")
def columns_network_sums_db1_along_the_units():
    def backward(parameters, cache, X, Y):
        grads = backward_propagation(parameters, cache, X, Y)
        dZ1 = parameters["W2"].T @ (cache["A2"] - Y) * (1 - cache["A1"] ** 2)
        return {**grads, "db1": np.sum(dZ1, axis=0, keepdims=True) / X.shape[1]}

    return planar(backward)


class ColumnsSoftmax:
    """A softmax classifier whose examples are columns."""

    def __init__(self):
        self.W, self.b = normal(15, 3, 5), normal(16, 3, 1)

    def forward(self, X):
        self.X = X
        Z = self.W @ X + self.b
        E = np.exp(Z - Z.max(axis=0))
        self.A = E / E.sum(axis=0)
        return self.A

    def compute_loss(self, A, Y):
        return -np.sum(Y * np.log(A)) / Y.shape[1]

    def backward(self, Y):
        dZ = (self.A - Y) / Y.shape[1]
        return {"dW": dZ @ self.X.T, "db": dZ.sum(axis=1, keepdims=True)}


@case(RIGHT)
def columns_softmax_classifier():
    net, X, Y = ColumnsSoftmax(), normal(17, 5, 7), np.eye(3)[:, labels(18, 7, 3)]

    def gradients():
        net.forward(X)
        return list(net.backward(Y).values())

    evidence = Evidence(lambda: net.compute_loss(net.forward(X), Y), gradients, [net.W, net.b], kept=[X, Y])
    return (net,), {"x": X, "y": Y}, evidence


@case(RIGHT)
def columns_linear_square():
    class Columns:
        def __init__(self, n):
            self.W, self.b = normal(19, n, n), normal(20, n, 1)

        def forward(self, A):
            self.A = A
            return np.dot(self.W, A) + self.b

        def backward(self, dZ):
            self.dW = np.dot(dZ, self.A.T)
            self.db = np.sum(dZ, axis=1, keepdims=True)
            return np.dot(self.W.T, dZ)

    layer, x = Columns(5), normal(21, 5, 5)
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db")


@case(RIGHT)
def elu_in_place():
    class ELU:
        def forward(self, x):
            self.out = x.copy()
            negative = x < 0
            self.out[negative] = np.exp(x[negative]) - 1
            return self.out

        def backward(self, dout):
            dout *= np.where(self.out < 0, self.out + 1, 1)
            return dout

    layer, x = ELU(), normal(22, 7, 5)
    return (layer,), {"x": x}, of_layer(layer, x)


@case(RIGHT)
def cross_entropy_of_probabilities_by_one_hot():
    class CategoricalCrossEntropy:
        def forward(self, p, y):
            return -np.sum(y * np.log(p)) / len(y)

        def backward(self, p, y):
            return -y / p / len(y)

    loss, y = CategoricalCrossEntropy(), np.eye(3)[labels(23, 7, 3)]
    p = sigmoid(normal(24, 7, 3))
    p /= p.sum(axis=1, keepdims=True)
    evidence = Evidence(lambda: loss.forward(p, y), lambda: [loss.backward(p, y)], [p], kept=[y])
    return (loss,), {"x": p, "y": y}, evidence
