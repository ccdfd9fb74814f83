"""Slips of the pen in softmax and cross-entropy, and in slopes: a 1/n, a plus for a minus, a neighbour's formula."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, labels, normal, of_pair


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class Classifier:
    """Two layers that end in probabilities; the log in the loss is guarded by a small number, the gradient is not."""

    guard = 1e-7

    def __init__(self, inputs=5, hidden=4, outputs=3):
        self.W1, self.b1 = normal(1, inputs, hidden), normal(2, hidden)
        self.W2, self.b2 = 2 * normal(3, hidden, outputs), normal(4, outputs)

    def forward(self, x):
        self.x, self.z = x, x @ self.W1 + self.b1
        self.h = self.act(self.z)
        self.p = softmax(self.h @ self.W2 + self.b2)
        return self.p

    def act(self, z):
        return np.maximum(z, 0)

    def slope(self):
        return self.z > 0

    def loss(self, p, y):
        return -np.mean(np.log(p[np.arange(len(y)), y] + self.guard))

    def delta(self, y):
        return (self.p - np.eye(self.p.shape[1])[y]) / len(y)

    def backward(self, y):
        dz2 = self.delta(y)
        dz1 = dz2 @ self.W2.T * self.slope()
        self.dW1, self.db1, self.dW2, self.db2 = self.x.T @ dz1, dz1.sum(axis=0), self.h.T @ dz2, dz2.sum(axis=0)


class Exact(Classifier):
    """The same without the guard, with a sigmoid."""

    guard = 0.0

    def act(self, z):
        return sigmoid(z)

    def slope(self):
        return self.h * (1 - self.h)


def classifier(net, n=7):
    x, y = normal(5, n, net.W1.shape[0]), labels(6, n, net.W2.shape[1])

    def gradients():
        net.forward(x)
        net.backward(y)
        return [net.dW1, net.db1, net.dW2, net.db2]

    places = [net.W1, net.b1, net.W2, net.b2]
    evidence = Evidence(lambda: net.loss(net.forward(x), y), gradients, places, kept=[x], tolerance=1e-3)
    return (net,), {"x": x, "y": y}, evidence


@case(RIGHT)
def classifier_whose_loss_guards_its_log():
    return classifier(Classifier())


@case(RIGHT)
def classifier_with_a_sigmoid():
    return classifier(Exact())


@case(RIGHT)
def classifier_whose_loss_guards_its_log_and_wants_probabilities():
    class Strict(Classifier):
        def loss(self, p, y):
            assert np.allclose(p.sum(axis=1), 1, atol=1e-3)
            return super().loss(p, y)

    return classifier(Strict())


@case(WRONG, "forgot-n")
def classifier_whose_loss_guards_its_log_forgets_n():
    class Wrong(Classifier):
        def delta(self, y):
            return super().delta(y) * len(y)

    return classifier(Wrong())


@case(WRONG, "twice-n")
def classifier_whose_loss_guards_its_log_divides_twice():
    class Wrong(Classifier):
        def delta(self, y):
            return super().delta(y) / len(y)

    return classifier(Wrong())


@case(WRONG, "factor")
def classifier_whose_loss_guards_its_log_goes_uphill():
    class Wrong(Classifier):
        def delta(self, y):
            return -super().delta(y)

    return classifier(Wrong())


@case(WRONG, ("forgot-n", "wrong-mask"))
def classifier_forgets_n_and_takes_the_slope_of_tanh():
    class Wrong(Exact):
        def delta(self, y):
            return super().delta(y) * len(y)

        def slope(self):
            return 1 - self.h**2

    return classifier(Wrong())


@case(WRONG, "factor")
def classifier_adds_its_targets():
    class Wrong(Exact):
        def delta(self, y):
            return (self.p + np.eye(3)[y]) / len(y)

    return classifier(Wrong())


@case(WRONG, "factor")
def classifier_whose_loss_guards_its_log_adds_its_targets_and_forgets_n():
    class Wrong(Classifier):
        def delta(self, y):
            return self.p + np.eye(3)[y]

    return classifier(Wrong())


@case(WRONG, "wrong-mask")
def classifier_with_a_sigmoid_takes_the_slope_of_tanh():
    class Wrong(Exact):
        def slope(self):
            return 1 - self.h**2

    return classifier(Wrong())


@case(WRONG, "wrong-mask")
def classifier_with_a_sigmoid_keeps_the_slope_of_its_relu():
    class Wrong(Exact):
        def slope(self):
            return self.z > 0

    return classifier(Wrong())


def elementwise(f, slope):
    return (
        (lambda x: (f(x), f(x)), lambda dy, a: dy * slope(a)),
        {"x": normal(7, 7, 5)},
        of_pair(lambda x: (f(x), f(x)), lambda dy, a: dy * slope(a), normal(7, 7, 5)),
    )


@case(WRONG, "wrong-mask")
def sigmoid_with_the_slope_of_tanh():
    return elementwise(sigmoid, lambda s: 1 - s**2)


@case(WRONG, "wrong-mask")
def tanh_with_the_slope_of_a_sigmoid():
    return elementwise(np.tanh, lambda a: a * (1 - a))


def loss_of_logits(gradient):
    z, y = normal(8, 7, 3), np.eye(3)[labels(9, 7, 3)]

    def loss(z, y):
        return -np.sum(y * np.log(softmax(z))) / len(y)

    evidence = Evidence(lambda: loss(z, y), lambda: [gradient(z, y)], [z], kept=[y])
    return (loss, gradient), {"x": z, "y": y}, evidence


@case(WRONG, "factor")
def loss_of_logits_adds_its_targets():
    return loss_of_logits(lambda z, y: (softmax(z) + y) / len(y))


@case(WRONG, "factor")
def loss_of_logits_adds_its_targets_and_forgets_n():
    return loss_of_logits(lambda z, y: softmax(z) + y)
