"""Losses: objects, pairs of functions, one function that gives (loss, gradient)."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, labels, normal, one_hot


def of_object(loss, outputs, y, bare=False):
    def gradients():
        loss.forward(outputs, y)
        return [loss.backward() if bare else loss.backward(outputs, y)]

    return (loss,), {"x": outputs, "y": y}, Evidence(lambda: loss.forward(outputs, y), gradients, [outputs], kept=[y])


def of_functions(loss, gradient, outputs, y):
    evidence = Evidence(lambda: loss(outputs, y), lambda: [gradient(outputs, y)], [outputs], kept=[y])
    return (loss, gradient), {"x": outputs, "y": y}, evidence


def of_one_function(loss, outputs, y):
    evidence = Evidence(lambda: loss(outputs, y)[0], lambda: [loss(outputs, y)[1]], [outputs], kept=[y])
    return (loss,), {"x": outputs, "y": y}, evidence


# Squared error --------------------------------------------------------------------------------------------------------


@case(RIGHT)
def mse_object_over_all_entries():
    class MSE:
        def forward(self, y_pred, y):
            return np.mean((y_pred - y) ** 2)

        def backward(self, y_pred, y):
            return 2 * (y_pred - y) / y.size

    return of_object(MSE(), normal(1, 7, 3), normal(2, 7, 3))


@case(WRONG, "forgot-n")
def mse_object_is_a_mean_without_n():
    class MSE:
        def forward(self, y_pred, y):
            return np.mean((y_pred - y) ** 2)

        def backward(self, y_pred, y):
            return 2 * (y_pred - y)

    return of_object(MSE(), normal(1, 7, 1), normal(2, 7, 1))


@case(RIGHT)
def half_squared_error_summed():
    def sum_squared_error(y, t):
        return 0.5 * np.sum((y - t) ** 2)

    def sum_squared_error_gradient(y, t):
        return y - t

    return of_functions(sum_squared_error, sum_squared_error_gradient, normal(3, 7, 3), normal(4, 7, 3))


@case(RIGHT)
def half_mse_over_the_rows():
    def half_mse(out, target):
        n = out.shape[0]
        return np.sum((out - target) ** 2) / (2 * n), (out - target) / n

    return of_one_function(half_mse, normal(5, 7, 3), normal(6, 7, 3))


@case(WRONG, "factor")
def mse_forgets_the_two_of_its_square():
    def mse(out, target):
        n = out.shape[0]
        return np.sum((out - target) ** 2) / n, (out - target) / n

    return of_one_function(mse, normal(5, 7, 3), normal(6, 7, 3))


@case(WRONG, "twice-n")
def mse_mean_of_a_mean():
    def mse(y, t):
        return np.mean((y - t) ** 2)

    def mse_gradient(y, t):
        difference = 2 * (y - t) / y.size
        return difference / len(y)

    return of_functions(mse, mse_gradient, normal(7, 11, 2), normal(8, 11, 2))


# Cross-entropy --------------------------------------------------------------------------------------------------------


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class CrossEntropyWithLogits:
    def forward(self, logits, y):
        self.y = y
        self.probs = softmax(logits)
        return -np.log(self.probs[np.arange(len(y)), y]).mean()

    def backward(self):
        grad = self.probs.copy()
        grad[np.arange(len(self.y)), self.y] -= 1
        return grad / len(self.y)


@case(RIGHT)
def cross_entropy_with_integer_labels():
    return of_object(CrossEntropyWithLogits(), normal(11, 7, 3), labels(12, 7, 3), bare=True)


@case(RIGHT)
def cross_entropy_square():
    return of_object(CrossEntropyWithLogits(), normal(11, 5, 5), labels(12, 5, 5), bare=True)


@case(RIGHT)
def cross_entropy_summed():
    def softmax_loss(scores, y):
        probs = softmax(scores)
        loss = -np.sum(np.log(probs[range(len(y)), y]))
        dscores = probs
        dscores[range(len(y)), y] -= 1
        return loss, dscores

    return of_one_function(softmax_loss, normal(13, 7, 3), labels(14, 7, 3))


@case(RIGHT)
def label_smoothing():
    class Smoothed:
        def __init__(self, eps=0.1):
            self.eps = eps

        def soft(self, logits, y):
            k = logits.shape[1]
            return np.eye(k)[y] * (1 - self.eps) + self.eps / k

        def forward(self, logits, y):
            return -(self.soft(logits, y) * np.log(softmax(logits))).sum(axis=1).mean()

        def backward(self, logits, y):
            return (softmax(logits) - self.soft(logits, y)) / len(logits)

    return of_object(Smoothed(), normal(15, 7, 3), labels(16, 7, 3))


@case(WRONG, "softmax-axis")
def cross_entropy_with_softmax_down_the_batch():
    class Wrong(CrossEntropyWithLogits):
        def forward(self, logits, y):
            super().forward(logits, y)
            e = np.exp(logits - logits.max())
            self.probs = e / e.sum(axis=0)
            return -np.log(self.probs[np.arange(len(y)), y]).mean()

    return of_object(Wrong(), normal(11, 7, 3), labels(12, 7, 3), bare=True)


@case(WRONG, "labels")
def cross_entropy_indexes_with_one_hot():
    return of_object(CrossEntropyWithLogits(), normal(11, 7, 3), one_hot(labels(12, 7, 3), 3).astype(int), bare=True)


@case(WRONG, "labels")
def cross_entropy_subtracts_integer_labels():
    class Wrong(CrossEntropyWithLogits):
        def backward(self):
            return (self.probs - self.y) / len(self.y)

    return of_object(Wrong(), normal(17, 5, 5), labels(18, 5, 5), bare=True)


@case(WRONG, "overwritten")
def cross_entropy_writes_into_the_probabilities_it_was_given():
    def cross_entropy(p, y):
        return -np.mean(np.log(p[np.arange(len(y)), y]))

    def cross_entropy_gradient(p, y):
        rows = np.arange(len(y))
        p[rows, y] = -1 / (len(y) * p[rows, y])
        p[p > 0] = 0
        return p

    return of_functions(cross_entropy, cross_entropy_gradient, softmax(normal(19, 7, 3)), labels(20, 7, 3))


@case(WRONG, "unknown")
def cross_entropy_clips_its_gradient():
    class Wrong(CrossEntropyWithLogits):
        def backward(self):
            return np.clip(super().backward(), -0.05, 0.05)

    return of_object(Wrong(), normal(11, 7, 3), labels(12, 7, 3), bare=True)


# Binary cross-entropy -------------------------------------------------------------------------------------------------


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def bce_with_logits(z, y):
    p = sigmoid(z)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


@case(RIGHT)
def bce_of_logits():
    def gradient(z, y):
        return (sigmoid(z) - y) / y.size

    return of_functions(bce_with_logits, gradient, normal(21, 11, 1), labels(22, 11, 2).reshape(-1, 1))


@case(RIGHT)
def bce_of_probabilities():
    class BinaryCrossEntropy:
        def forward(self, p, y):
            return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

        def backward(self, p, y):
            return (p - y) / (p * (1 - p)) / p.size

    return of_object(BinaryCrossEntropy(), sigmoid(normal(23, 11, 1)), labels(24, 11, 2).reshape(-1, 1))


@case(WRONG, "extra-derivative")
def bce_of_logits_takes_the_sigmoid_slope_too():
    def gradient(z, y):
        p = sigmoid(z)
        return (p - y) * p * (1 - p) / y.size

    return of_functions(bce_with_logits, gradient, normal(21, 11, 1), labels(22, 11, 2).reshape(-1, 1))


@case(WRONG, "softmax-diagonal")
def squared_error_after_softmax_by_p_times_one_minus_p():
    def loss(z, y):
        p = softmax(z)
        return np.sum((p - y) ** 2) / len(y), 2 * (p - y) * p * (1 - p) / len(y)

    return of_one_function(loss, normal(25, 7, 3), one_hot(labels(26, 7, 3), 3))
