"""Code as it is asked about in forums: two weights and no bias, updates in backprop, loops over examples, errors as y - out."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, labels, normal, one_hot


def sigmoid(x):
    return 1.0 / (1 + np.exp(-x))


def sigmoid_derivative(x):
    return x * (1.0 - x)


class NeuralNetwork:
    """weights1 and weights2, no biases; the loss is the sum of squares; gradients are left as d_weights."""

    def __init__(self, n_in=3, n_hidden=4, n_out=1):
        self.weights1 = normal(1, n_in, n_hidden)
        self.weights2 = normal(2, n_hidden, n_out)

    def feedforward(self, x):
        self.input = x
        self.layer1 = sigmoid(np.dot(x, self.weights1))
        self.output = sigmoid(np.dot(self.layer1, self.weights2))
        return self.output

    def loss(self, output, y):
        return np.sum((y - output) ** 2)

    def backprop(self, x, y):
        self.feedforward(x)
        delta = -2 * (y - self.output) * sigmoid_derivative(self.output)
        self.d_weights2 = np.dot(self.layer1.T, delta)
        self.d_weights1 = np.dot(x.T, self.below(delta))

    def below(self, delta):
        return np.dot(delta, self.weights2.T) * sigmoid_derivative(self.layer1)


def forum(net, n=7):
    X, y = normal(3, n, net.weights1.shape[0]), sigmoid(normal(4, n, net.weights2.shape[1]))

    def gradients():
        net.backprop(X, y)
        return [net.d_weights1, net.d_weights2]

    evidence = Evidence(lambda: net.loss(net.feedforward(X), y), gradients, [net.weights1, net.weights2], kept=[X, y])
    return (net,), {"x": X, "y": y}, evidence


@case(RIGHT)
def forum_network():
    return forum(NeuralNetwork())


@case(RIGHT)
def forum_network_square():
    return forum(NeuralNetwork(4, 4, 4), n=4)


@case(WRONG, "at-input")
def forum_network_applies_a_sigmoid_derivative_of_outputs_to_sums():
    class Wrong(NeuralNetwork):
        def below(self, delta):
            return np.dot(delta, self.weights2.T) * sigmoid_derivative(np.dot(self.input, self.weights1))

    return forum(Wrong())


@case(WRONG, "factor")
def forum_network_with_the_error_turned_round():
    class Wrong(NeuralNetwork):
        def backprop(self, x, y):
            super().backprop(x, y)
            self.d_weights1, self.d_weights2 = -self.d_weights1, -self.d_weights2

    return forum(Wrong())


@case(WRONG, "factor")
def forum_network_forgets_a_two_in_the_first_layer():
    class Wrong(NeuralNetwork):
        def backprop(self, x, y):
            super().backprop(x, y)
            self.d_weights1 = self.d_weights1 / 2

    return forum(Wrong())


@case(WRONG, "missing-derivative")
def forum_network_without_the_slope_of_its_output():
    class Wrong(NeuralNetwork):
        def backprop(self, x, y):
            self.feedforward(x)
            delta = -2 * (y - self.output)
            self.d_weights2 = np.dot(self.layer1.T, delta)
            self.d_weights1 = np.dot(x.T, self.below(delta))

    return forum(Wrong())


@case(WRONG, "transposed")
def forum_network_goes_back_through_weights2_itself():
    class Wrong(NeuralNetwork):
        def below(self, delta):
            return np.dot(delta, self.weights2) * sigmoid_derivative(self.layer1)

    return forum(Wrong(3, 4, 4))


@case(WRONG, "wrong-input")
def forum_network_makes_d_weights1_from_layer1():
    class Wrong(NeuralNetwork):
        def backprop(self, x, y):
            super().backprop(x, y)
            delta = -2 * (y - self.output) * sigmoid_derivative(self.output)
            self.d_weights1 = np.dot(self.layer1.T, self.below(delta))

    return forum(Wrong(4, 4, 2))


# One class per book chapter: predict, loss, gradient ------------------------------------------------------------------


def softmax(a):
    e = np.exp(a - a.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class TwoLayerNet:
    def __init__(self, n_in=5, n_hidden=4, n_out=3):
        self.params = {
            "W1": normal(11, n_in, n_hidden),
            "b1": normal(12, n_hidden),
            "W2": normal(13, n_hidden, n_out),
            "b2": normal(14, n_out),
        }

    def predict(self, x):
        p = self.params
        return softmax(sigmoid(x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"])

    def loss(self, x, t):
        y = self.predict(x)
        return -np.sum(t * np.log(y + 1e-7)) / x.shape[0]

    def gradient(self, x, t):
        p = self.params
        z1 = sigmoid(x @ p["W1"] + p["b1"])
        y = softmax(z1 @ p["W2"] + p["b2"])
        dy = self.output_gradient(y, t)
        dz1 = dy @ p["W2"].T * z1 * (1 - z1)
        return {"W1": x.T @ dz1, "b1": dz1.sum(axis=0), "W2": z1.T @ dy, "b2": dy.sum(axis=0)}

    def output_gradient(self, y, t):
        return (y - t) / len(y)


def chapter(net, n=7):
    x, t = (
        normal(15, n, net.params["W1"].shape[0]),
        one_hot(labels(17, n, net.params["b2"].size), net.params["b2"].size),
    )
    names = list(net.params)
    evidence = Evidence(
        lambda: net.loss(x, t),
        lambda: [net.gradient(x, t)[name] for name in names],
        list(net.params.values()),
        kept=[x, t],
        tolerance=1e-3,  # the loss guards its log by 1e-7
    )
    return (net,), {"x": x, "y": t}, evidence


@case(RIGHT)
def chapter_network():
    return chapter(TwoLayerNet())


@case(RIGHT)
def chapter_network_of_two_rows():
    return chapter(TwoLayerNet(2, 2, 2), n=2)


@case(WRONG, "extra-derivative")
def chapter_network_with_y_times_one_minus_y():
    class Wrong(TwoLayerNet):
        def output_gradient(self, y, t):
            return (y - t) * y * (1 - y) / len(y)

    return chapter(Wrong())


@case(WRONG, "forgot-n")
def chapter_network_without_its_batch_size():
    class Wrong(TwoLayerNet):
        def output_gradient(self, y, t):
            return y - t

    return chapter(Wrong())


@case(WRONG, "twice-n")
def chapter_network_divides_by_all_entries():
    class Wrong(TwoLayerNet):
        def gradient(self, x, t):
            return {name: g / len(x) for name, g in super().gradient(x, t).items()}

    return chapter(Wrong())


@case(WRONG, ("labels", "unknown"))
def chapter_network_turns_its_targets():
    class Wrong(TwoLayerNet):
        def output_gradient(self, y, t):
            return (y - t.T) / len(y)

    return chapter(Wrong(5, 4, 5), n=5)


@case(WRONG, "mean-for-sum")
def chapter_network_averages_its_biases():
    class Wrong(TwoLayerNet):
        def gradient(self, x, t):
            grads = super().gradient(x, t)
            return grads | {"b1": grads["b1"] / len(x), "b2": grads["b2"] / len(x)}

    return chapter(Wrong())


# Functions that return the gradients in a row -------------------------------------------------------------------------


def forward(x, w1, b1, w2, b2):
    z1 = np.dot(x, w1) + b1
    a1 = np.where(z1 > 0, z1, 0.01 * z1)
    return np.dot(a1, w2) + b2, (x, z1, a1, w2)


def backward(dy, cache):
    x, z1, a1, w2 = cache
    dz1 = np.dot(dy, w2.T) * np.where(z1 > 0, 1, 0.01)
    return np.dot(x.T, dz1), dz1.sum(0), np.dot(a1.T, dy), dy.sum(0)


def mse(out, y):
    return ((out - y) ** 2).mean()


def in_a_row(back, loss_gradient, n=7, sizes=(3, 4, 2)):
    x, y = normal(21, n, sizes[0]), normal(22, n, sizes[2])
    params = {
        "w1": normal(23, sizes[0], sizes[1]),
        "b1": normal(24, sizes[1]),
        "w2": normal(25, sizes[1], sizes[2]),
        "b2": normal(26, sizes[2]),
    }

    def gradients():
        out, cache = forward(x, **params)
        return back(loss_gradient(out, y), cache)

    evidence = Evidence(lambda: mse(forward(x, **params)[0], y), gradients, list(params.values()), kept=[x, y])
    return (forward, back), {"x": x, "y": y, "parameters": params, "loss": (mse, loss_gradient)}, evidence


def mse_gradient(out, y):
    return 2 * (out - y) / out.size


@case(RIGHT)
def gradients_in_a_row():
    return in_a_row(backward, mse_gradient)


@case(WRONG, ("forgot-n", "factor"))
def gradients_in_a_row_of_a_loss_that_forgets_its_outputs():
    return in_a_row(backward, lambda out, y: 2 * (out - y) / len(y))


@case(WRONG, "missing-derivative")
def gradients_in_a_row_without_the_leak():
    def back(dy, cache):
        x, z1, a1, w2 = cache
        dz1 = np.dot(dy, w2.T)
        return np.dot(x.T, dz1), dz1.sum(0), np.dot(a1.T, dy), dy.sum(0)

    return in_a_row(back, mse_gradient)


@case(WRONG, "wrong-input")
def gradients_in_a_row_with_z1_for_a1():
    def back(dy, cache):
        dw1, db1, _, db2 = backward(dy, cache)
        return dw1, db1, np.dot(cache[1].T, dy), db2

    return in_a_row(back, mse_gradient)


@case(WRONG, "bias-axis")
def gradients_in_a_row_with_one_number_for_b2():
    def back(dy, cache):
        return *backward(dy, cache)[:3], dy.sum()

    return in_a_row(back, mse_gradient)


@case(WRONG, "updated-first")
def gradients_in_a_row_after_a_step():
    def back(dy, cache):
        x, z1, a1, w2 = cache
        dw2 = np.dot(a1.T, dy)
        w2 -= 0.5 * dw2
        dw1, db1, _, db2 = backward(dy, cache)
        return dw1, db1, dw2, db2

    return in_a_row(back, mse_gradient)
