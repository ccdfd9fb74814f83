"""Losses as objects, as pairs of functions and as one function that returns both."""

import numpy as np

from .case import BESIDE, RIGHT, WRONG, case
from .evidence import Evidence, labels, normal, one_hot


def softmax(z):
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def pair(loss, gradient, outputs, y):
    evidence = Evidence(lambda: loss(outputs, y), lambda: [gradient(outputs, y)], [outputs], kept=[y])
    return (loss, gradient), {"x": outputs, "y": y}, evidence


def regression(loss, gradient, shape=(8, 3)):
    return pair(loss, gradient, normal(401, *shape), normal(402, *shape))


def mse(y_pred, y_true):
    return np.mean((y_pred - y_true) ** 2)


def half_mse(y_pred, y_true):
    return 0.5 * np.sum((y_pred - y_true) ** 2) / len(y_true)


def sum_of_squares(y_pred, y_true):
    return np.sum((y_pred - y_true) ** 2)


@case(RIGHT)
def blind_mse():
    return regression(mse, lambda y_pred, y_true: 2 * (y_pred - y_true) / y_true.size)


@case(RIGHT)
def blind_half_mse():
    return regression(half_mse, lambda y_pred, y_true: (y_pred - y_true) / len(y_true))


@case(RIGHT)
def blind_sum_of_squares():
    return regression(sum_of_squares, lambda y_pred, y_true: -2 * (y_true - y_pred), shape=(6, 1))


@case(RIGHT)
def blind_mean_absolute_error():
    def mae(y_pred, y_true):
        return np.abs(y_pred - y_true).mean()

    return regression(mae, lambda y_pred, y_true: np.sign(y_pred - y_true) / y_pred.size)


@case(WRONG, "forgot-n")
def blind_mse_gradient_is_not_averaged():
    return regression(mse, lambda y_pred, y_true: 2 * (y_pred - y_true))


@case(WRONG, "forgot-n")
def blind_half_mse_gradient_is_not_averaged():
    return regression(half_mse, lambda y_pred, y_true: y_pred - y_true, shape=(9, 1))


@case(WRONG, "twice-n")
def blind_sum_of_squares_gradient_is_averaged():
    return regression(sum_of_squares, lambda y_pred, y_true: 2 * (y_pred - y_true) / len(y_true), shape=(7, 1))


@case(WRONG, "factor")
def blind_mse_gradient_without_two():
    return regression(mse, lambda y_pred, y_true: (y_pred - y_true) / y_pred.size)


@case(WRONG, "factor")
def blind_mse_gradient_points_uphill():
    return regression(mse, lambda y_pred, y_true: 2 * (y_true - y_pred) / y_pred.size, shape=(5, 2))


def on_object(loss, outputs, y, given=False):
    def gradients():
        loss.forward(outputs, y)
        return [loss.backward(outputs, y) if given else loss.backward()]

    evidence = Evidence(lambda: loss.forward(outputs, y), gradients, [outputs], kept=[y])
    return (loss,), {"x": outputs, "y": y}, evidence


def classes(loss, n=8, k=4, hot=False, **options):
    y = labels(403, n, k)
    return on_object(loss, normal(404, n, k), one_hot(y, k) if hot else y, **options)


class CrossEntropyLoss:
    """Logits and integer labels."""

    def forward(self, logits, y):
        self.probs, self.y = softmax(logits), y
        return -np.mean(np.log(self.probs[np.arange(len(y)), y]))

    def backward(self):
        grad = self.probs.copy()
        grad[np.arange(len(self.y)), self.y] -= 1
        return grad / len(self.y)


@case(RIGHT)
def blind_cross_entropy_of_labels():
    return classes(CrossEntropyLoss())


@case(WRONG, "forgot-n")
def blind_cross_entropy_forgets_its_mean():
    class Wrong(CrossEntropyLoss):
        def backward(self):
            return super().backward() * len(self.y)

    return classes(Wrong())


@case(WRONG, "twice-n")
def blind_cross_entropy_divides_twice():
    class Wrong(CrossEntropyLoss):
        def backward(self):
            return super().backward() / len(self.y)

    return classes(Wrong(), n=9, k=3)


@case(WRONG, "labels")
def blind_cross_entropy_subtracts_the_labels_themselves():
    class Wrong(CrossEntropyLoss):
        def backward(self):
            return (self.probs - self.y.reshape(-1, 1)) / len(self.y)

    return classes(Wrong())


@case(WRONG, "labels")
def blind_cross_entropy_indexes_with_one_hot():
    class Wrong(CrossEntropyLoss):
        def forward(self, logits, y):
            self.probs, self.y = softmax(logits), y
            return -np.sum(y * np.log(self.probs)) / len(y)

        def backward(self):
            grad = self.probs.copy()
            grad[range(len(self.y)), self.y.astype(int)] -= 1
            return grad / len(self.y)

    return classes(Wrong(), hot=True)


@case(WRONG, "softmax-axis")
def blind_cross_entropy_backward_takes_softmax_down_the_batch():
    class Wrong(CrossEntropyLoss):
        def forward(self, logits, y):
            self.logits = logits
            return super().forward(logits, y)

        def backward(self):
            e = np.exp(self.logits)
            grad = e / np.sum(e, axis=0)
            grad[np.arange(len(self.y)), self.y] -= 1
            return grad / len(self.y)

    return classes(Wrong())


class CategoricalCrossentropy:
    """Probabilities and one-hot targets."""

    def forward(self, y_pred, y_true):
        return -np.sum(y_true * np.log(y_pred)) / y_pred.shape[0]

    def backward(self, y_pred, y_true):
        return -y_true / y_pred / y_pred.shape[0]


def probabilities(loss, n=8, k=4):
    return on_object(loss, softmax(normal(405, n, k)), one_hot(labels(406, n, k), k), given=True)


@case(RIGHT)
def blind_categorical_crossentropy():
    return probabilities(CategoricalCrossentropy())


@case(BESIDE, "beside-loss")
def blind_categorical_crossentropy_answers_for_the_softmax():
    class Through(CategoricalCrossentropy):
        def backward(self, y_pred, y_true):
            return (y_pred - y_true) / len(y_pred)

    args, kwargs, alone = probabilities(Through())
    loss, y, z = args[0], kwargs["y"], normal(407, 8, 4)
    together = Evidence(lambda: loss.forward(softmax(z), y), lambda: [loss.backward(softmax(z), y)], [z])
    return args, kwargs, alone, together


class BinaryCrossEntropy:
    def forward(self, p, y):
        self.p, self.y = p, y
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    def backward(self):
        return (self.p - self.y) / (self.p * (1 - self.p)) / self.y.size


def binary(loss):
    return on_object(loss, 1 / (1 + np.exp(-normal(408, 9, 1))), labels(409, 9, 2).reshape(9, 1) * 1.0)


@case(RIGHT)
def blind_binary_cross_entropy():
    return binary(BinaryCrossEntropy())


@case(WRONG, "forgot-n")
def blind_binary_cross_entropy_is_not_averaged():
    class Wrong(BinaryCrossEntropy):
        def backward(self):
            return -self.y / self.p + (1 - self.y) / (1 - self.p)

    return binary(Wrong())


def both(function, x, y):
    evidence = Evidence(lambda: function(x, y)[0], lambda: [function(x, y)[1]], [x], kept=[y])
    return (function,), {"x": x, "y": y}, evidence


@case(RIGHT)
def blind_svm_loss_returns_both():
    def svm_loss(x, y):
        rows = np.arange(len(y))
        margins = np.maximum(0, x - x[rows, y][:, None] + 1)
        margins[rows, y] = 0
        dx = (margins > 0).astype(float)
        dx[rows, y] = -dx.sum(axis=1)
        return margins.sum() / len(y), dx / len(y)

    return both(svm_loss, normal(411, 7, 4), labels(412, 7, 4))


@case(RIGHT)
def blind_softmax_loss_returns_both():
    def softmax_loss(x, y):
        p = softmax(x)
        dx = (p - one_hot(y, x.shape[1])) / len(y)
        return -np.log(p[np.arange(len(y)), y]).mean(), dx

    return both(softmax_loss, normal(413, 6, 6), labels(414, 6, 6))


@case(WRONG, "unknown")
def blind_svm_loss_leaves_out_the_true_class():
    def svm_loss(x, y):
        rows = np.arange(len(y))
        margins = np.maximum(0, x - x[rows, y][:, None] + 1)
        margins[rows, y] = 0
        return margins.sum() / len(y), (margins > 0) / len(y)

    return both(svm_loss, normal(411, 7, 4), labels(412, 7, 4))


@case(WRONG, "extra-derivative")
def blind_sigmoid_loss_on_logits_multiplies_the_slope_in():
    def bce_with_logits(z, y):
        p = 1 / (1 + np.exp(-z))
        loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
        return loss, (p - y) * p * (1 - p) / y.size

    return both(bce_with_logits, normal(415, 9, 1), labels(416, 9, 2).reshape(9, 1) * 1.0)
