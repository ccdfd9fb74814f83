"""One class as a chapter of a book ends with it: params in a dict, predict, loss(x, t), gradient(x, t)."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, labels, normal, one_hot


def sigmoid(x):
    return 1.0 / (1 + np.exp(-x))


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
