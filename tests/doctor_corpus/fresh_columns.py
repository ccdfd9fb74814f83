"""Networks whose examples stand in columns, with lists of weights or attributes, and a perceptron of scalars."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, labels, normal


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class ColumnNetwork:
    """tanh, then a sigmoid; cross-entropy over m columns; gradients in a dict."""

    def __init__(self, n_x=3, n_h=4):
        self.W1, self.b1 = normal(701, n_h, n_x), normal(702, n_h, 1)
        self.W2, self.b2 = normal(703, 1, n_h), normal(704, 1, 1)

    def forward(self, X):
        self.Z1 = self.W1 @ X + self.b1
        self.A1 = np.tanh(self.Z1)
        self.A2 = sigmoid(self.W2 @ self.A1 + self.b2)
        return self.A2

    def compute_loss(self, A2, Y):
        m = Y.shape[1]
        return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m

    def hidden(self, dZ2):
        return (self.W2.T @ dZ2) * (1 - self.A1**2)

    def backward(self, X, Y):
        m = X.shape[1]
        dZ2 = self.A2 - Y
        dZ1 = self.hidden(dZ2)
        return {
            "dW1": dZ1 @ X.T / m,
            "db1": np.sum(dZ1, axis=1, keepdims=True) / m,
            "dW2": dZ2 @ self.A1.T / m,
            "db2": np.sum(dZ2, axis=1, keepdims=True) / m,
        }


def columns(kind=ColumnNetwork, m=9, *sizes):
    net = kind(*sizes)
    X, Y = normal(705, net.W1.shape[1], m), labels(706, m, 2).reshape(1, m) * 1.0
    names = ("W1", "b1", "W2", "b2")

    def gradients():
        net.forward(X)
        grads = net.backward(X, Y)
        return [grads["d" + name] for name in names]

    places = [(net, name) for name in names]
    evidence = Evidence(lambda: net.compute_loss(net.forward(X), Y), gradients, places, kept=[X, Y])
    return (net,), {"x": X, "y": Y, "examples": "columns"}, evidence


@case(RIGHT)
def blind_column_network():
    return columns()


@case(RIGHT)
def blind_column_network_square():
    return columns(ColumnNetwork, 4, 4, 4)


@case(WRONG, ("forgot-n", "mean-for-sum"))
def blind_column_network_db_lacks_its_mean():
    class Wrong(ColumnNetwork):
        def backward(self, X, Y):
            grads = super().backward(X, Y)
            return {**grads, "db1": grads["db1"] * X.shape[1], "db2": grads["db2"] * X.shape[1]}

    return columns(Wrong)


@case(WRONG, "extra-derivative")
def blind_column_network_multiplies_a_minus_y_by_the_slope():
    class Wrong(ColumnNetwork):
        def backward(self, X, Y):
            m = X.shape[1]
            dZ2 = (self.A2 - Y) * self.A2 * (1 - self.A2)
            dZ1 = self.hidden(dZ2)
            return {
                "dW1": dZ1 @ X.T / m,
                "db1": dZ1.sum(axis=1, keepdims=True) / m,
                "dW2": dZ2 @ self.A1.T / m,
                "db2": dZ2.sum(axis=1, keepdims=True) / m,
            }

    return columns(Wrong)


@case(WRONG, "bias-axis")
def blind_column_network_sums_db_without_an_axis():
    class Wrong(ColumnNetwork):
        def backward(self, X, Y):
            dZ1 = self.hidden(self.A2 - Y)
            return {**super().backward(X, Y), "db1": np.sum(dZ1) / X.shape[1]}

    return columns(Wrong)


@case(WRONG, "at-input")
def blind_column_network_one_minus_z_squared():
    class Wrong(ColumnNetwork):
        def hidden(self, dZ2):
            return (self.W2.T @ dZ2) * (1 - self.Z1**2)

    return columns(Wrong)


class ListNetwork:
    """A list of weights, ReLU between them, none at the end; half squares over the rows."""

    def __init__(self, sizes=(3, 6, 5, 2)):
        pairs = list(zip(sizes[:-1], sizes[1:]))
        self.weights = [normal(711 + i, *pair) for i, pair in enumerate(pairs)]
        self.biases = [normal(721 + i, pair[1]) for i, pair in enumerate(pairs)]

    def forward(self, X):
        self.zs, self.activations = [], [X]
        for i, (W, b) in enumerate(zip(self.weights, self.biases)):
            self.zs.append(self.activations[-1] @ W + b)
            last = i == len(self.weights) - 1
            self.activations.append(self.zs[-1] if last else np.maximum(0, self.zs[-1]))
        return self.activations[-1]

    def loss(self, output, y):
        return np.sum((output - y) ** 2) / (2 * len(y))

    def mask(self, i):
        return self.zs[i - 1] > 0

    def back(self, i):
        return self.weights[i].T

    def backward(self, X, y):
        delta = (self.activations[-1] - y) / len(y)
        self.dweights, self.dbiases = [None] * len(self.weights), [None] * len(self.weights)
        for i in range(len(self.weights) - 1, -1, -1):
            self.dweights[i] = self.activations[i].T @ delta
            self.dbiases[i] = delta.sum(axis=0)
            if i:
                delta = (delta @ self.back(i)) * self.mask(i)


def lists(kind=ListNetwork, n=8, **options):
    net = kind(**options)
    X, y = normal(731, n, len(net.weights[0])), normal(732, n, net.biases[-1].size)

    def gradients():
        net.forward(X)
        net.backward(X, y)
        return [*net.dweights, *net.dbiases]

    evidence = Evidence(lambda: net.loss(net.forward(X), y), gradients, [*net.weights, *net.biases], kept=[X, y])
    return (net,), {"x": X, "y": y}, evidence


@case(RIGHT)
def blind_lists():
    return lists()


@case(WRONG, "transposed")
def blind_lists_square_pass_back_through_w():
    class Wrong(ListNetwork):
        def back(self, i):
            return self.weights[i]

    return lists(Wrong, sizes=(4, 4, 4, 4))


@case(WRONG, "wrong-mask")
def blind_lists_mask_one_layer_too_early():
    class Wrong(ListNetwork):
        def mask(self, i):
            return self.zs[max(i - 2, 0)] > 0

    return lists(Wrong, sizes=(3, 6, 6, 2))


@case(WRONG, "overwritten")
def blind_lists_subtract_into_the_callers_y():
    class Wrong(ListNetwork):
        def backward(self, X, y):
            super().backward(X, y)
            y -= self.activations[-1]

    return lists(Wrong)


class Neuron:
    """One sigmoid neuron with a float for its bias."""

    def __init__(self, n):
        self.w, self.b = normal(741, n), 0.3

    def forward(self, x):
        self.x = x
        self.out = sigmoid(x @ self.w + self.b)
        return self.out

    def backward(self, dout):
        dz = dout * self.out * (1 - self.out)
        self.dw, self.db = self.x.T @ dz, self.sum(dz)
        return np.outer(dz, self.w)

    def sum(self, dz):
        return dz.sum()


def neuron(kind):
    neuron, x, dout = kind(4), normal(742, 7, 4), normal(743, 7)

    def gradients():
        neuron.forward(x)
        return [neuron.backward(dout), neuron.dw, neuron.db]

    places = [x, (neuron, "w"), (neuron, "b")]
    return (neuron,), {"x": x}, Evidence(lambda: (neuron.forward(x) * dout).sum(), gradients, places)


@case(RIGHT)
def blind_neuron():
    return neuron(Neuron)


@case(WRONG, "mean-for-sum")
def blind_neuron_averages_db():
    class Wrong(Neuron):
        def sum(self, dz):
            return dz.mean()

    return neuron(Wrong)


def ridge(gradient):
    """The arrays stand outside; the loss and its gradient read them."""
    X, t = normal(751, 10, 3), normal(752, 10)
    w, b = normal(753, 3), np.array([0.2])

    def cost():
        return 0.5 * np.mean((X @ w + b - t) ** 2) + 0.2 * np.sum(w**2)

    def both():
        error = X @ w + b - t
        return {"w": gradient(X, error, w), "b": np.array([error.mean()])}

    evidence = Evidence(cost, lambda: list(both().values()), [w, b])
    return (cost,), {"parameters": {"w": w, "b": b}, "analytic": both()}, evidence


@case(RIGHT)
def blind_ridge_arrays():
    return ridge(lambda X, error, w: X.T @ error / len(X) + 0.4 * w)


@case(WRONG, "penalty")
def blind_ridge_arrays_half_the_penalty():
    return ridge(lambda X, error, w: X.T @ error / len(X) + 0.2 * w)
