"""Whole networks in one class, W1, b1, W2, b2 as attributes: backward gives a dictionary."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, labels, normal, one_hot


def relu_derivative(z):
    return (z > 0).astype(float)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy_loss(probs, y):
    return -np.log(probs[np.arange(len(y)), y] + 1e-10).mean()


class NeuralNetwork:
    def __init__(self, input_dim, hidden_dim, output_dim, seed=0):
        self.W1 = normal(seed, input_dim, hidden_dim) * np.sqrt(2 / input_dim)
        self.b1 = 0.1 * normal(seed + 1, hidden_dim)
        self.W2 = normal(seed + 2, hidden_dim, output_dim) * np.sqrt(2 / hidden_dim)
        self.b2 = np.zeros(output_dim)

    def forward(self, X):
        self.X = X
        self.z1 = X @ self.W1 + self.b1
        self.a1 = np.maximum(0, self.z1)
        self.z2 = self.a1 @ self.W2 + self.b2
        self.probs = softmax(self.z2)
        return self.probs

    def backward(self, y):
        n = len(y)
        dz2 = self.probs.copy()
        dz2[np.arange(n), y] -= 1
        dz2 /= n
        return self.rest(dz2)

    def rest(self, dz2):
        dW2 = self.a1.T @ dz2
        db2 = dz2.sum(axis=0)
        dz1 = (dz2 @ self.W2.T) * relu_derivative(self.z1)
        return {"W1": self.X.T @ dz1, "b1": dz1.sum(axis=0), "W2": dW2, "b2": db2}


def of_network(net, X, y, loss, back=None, names="W1 b1 W2 b2", given=False):
    """`back(net)` runs backward after forward; the gradients are found under the name or under d and the name."""
    names = names.split()
    kwargs = {"loss": loss} if given else {}

    def gradients():
        net.forward(X)
        grads = back(net) if back else net.backward(y)
        return [grads.get(name, grads.get("d" + name)) for name in names]

    evidence = Evidence(lambda: loss(net.forward(X), y), gradients, [(net, name) for name in names], kept=[X, y])
    return (net,), {"x": X, "y": y, **kwargs}, evidence


def classifier(net, n=7, **kwargs):
    D, K = net.W1.shape[0], net.W2.shape[1]
    X, y = normal(9, n, D), labels(8, n, K)
    return of_network(net, X, y, cross_entropy_loss, given=True, **kwargs)


@case(RIGHT)
def notebook_network():
    return classifier(NeuralNetwork(5, 11, 3))


@case(RIGHT)
def notebook_network_square():
    return classifier(NeuralNetwork(5, 5, 5), n=5)


@case(RIGHT)
def notebook_network_gives_its_gradients_in_odd_order():
    class Odd(NeuralNetwork):
        def backward(self, y):
            return dict(sorted(super().backward(y).items(), reverse=True))

    return classifier(Odd(3, 5, 2))


@case(RIGHT)
def notebook_network_with_a_frozen_first_layer():
    class Frozen(NeuralNetwork):
        def backward(self, y):
            grads = super().backward(y)
            return {"W2": grads["W2"], "b2": grads["b2"]}

    return classifier(Frozen(5, 7, 3), n=11, names="W2 b2")


@case(WRONG, "forgot-n")
def notebook_network_does_not_average():
    class Wrong(NeuralNetwork):
        def backward(self, y):
            dz2 = self.probs.copy()
            dz2[np.arange(len(y)), y] -= 1
            return self.rest(dz2)

    return classifier(Wrong(5, 11, 3))


@case(WRONG, "twice-n")
def notebook_network_averages_in_dz_and_in_dW():
    class Wrong(NeuralNetwork):
        def backward(self, y):
            return {name: grad / len(y) for name, grad in super().backward(y).items()}

    return classifier(Wrong(5, 11, 3))


@case(WRONG, "wrong-input")
def notebook_network_dW2_from_z1():
    class Wrong(NeuralNetwork):
        def rest(self, dz2):
            return {**super().rest(dz2), "W2": self.z1.T @ dz2}

    return classifier(Wrong(5, 11, 3))


@case(WRONG, "wrong-input")
def notebook_network_dW2_from_X():
    class Wrong(NeuralNetwork):
        def rest(self, dz2):
            return {**super().rest(dz2), "W2": self.X.T @ dz2}

    return classifier(Wrong(5, 5, 3))


@case(WRONG, "transposed")
def notebook_network_dW2_is_transposed():
    class Wrong(NeuralNetwork):
        def rest(self, dz2):
            return {**super().rest(dz2), "W2": dz2.T @ self.a1}

    return classifier(Wrong(3, 5, 5), n=5)


@case(WRONG, "missing-derivative")
def notebook_network_goes_back_past_its_relu():
    class Wrong(NeuralNetwork):
        def rest(self, dz2):
            dz1 = dz2 @ self.W2.T
            return {**super().rest(dz2), "W1": self.X.T @ dz1, "b1": dz1.sum(axis=0)}

    return classifier(Wrong(5, 11, 3))


# One-hot targets; each array averaged by itself; the loss is a method that takes (y_true, y_pred) ---------------------


class GuideNetwork(NeuralNetwork):
    def forward(self, X):
        probs = super().forward(X)
        self.cache = {"X": X, "z1": self.z1, "a1": self.a1, "a2": probs}
        return probs

    def compute_loss(self, y_true, y_pred):
        y_pred = np.clip(y_pred, 1e-15, 1 - 1e-15)
        return -np.sum(y_true * np.log(y_pred)) / y_true.shape[0]

    def backward(self, y_true):
        m = y_true.shape[0]
        X, z1, a1, a2 = (self.cache[name] for name in ("X", "z1", "a1", "a2"))
        dz2 = a2 - y_true
        dz1 = dz2 @ self.W2.T * (z1 > 0)
        return {
            "dW1": (X.T @ dz1) / m,
            "db1": np.mean(dz1, axis=0, keepdims=True),
            "dW2": (a1.T @ dz2) / m,
            "db2": np.mean(dz2, axis=0, keepdims=True),
        }


def guide(net, n=7):
    X, y = normal(19, n, net.W1.shape[0]), one_hot(labels(18, n, net.W2.shape[1]), net.W2.shape[1])
    return of_network(net, X, y, lambda p, y: net.compute_loss(y, p))


@case(RIGHT)
def guide_network_averages_array_by_array():
    return guide(GuideNetwork(5, 7, 3, seed=10))


@case(WRONG, ("forgot-n", "mean-for-sum"))
def guide_network_sums_db1():
    class Wrong(GuideNetwork):
        def backward(self, y_true):
            grads = super().backward(y_true)
            return {**grads, "db1": grads["db1"] * len(y_true)}

    return guide(Wrong(5, 11, 3, seed=10))
