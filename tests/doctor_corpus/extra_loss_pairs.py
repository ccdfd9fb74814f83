"""Losses in many wordings: hinge, Huber, KL, sums and halves, log-softmax, temperatures, integer targets."""

import numpy as np

from .case import BESIDE, RIGHT, WRONG, case
from .evidence import Evidence, labels, normal, one_hot


def pair(loss, gradient, outputs, y):
    evidence = Evidence(lambda: loss(outputs, y), lambda: [gradient(outputs, y)], [outputs], kept=[y])
    return (loss, gradient), {"x": outputs, "y": y}, evidence


def hinge(scores, y):
    margins = np.maximum(0, scores - scores[np.arange(len(y)), y][:, None] + 1)
    margins[np.arange(len(y)), y] = 0
    return margins.sum() / len(y)


def hinge_gradient(scores, y):
    n = len(y)
    d = (scores - scores[np.arange(n), y][:, None] + 1 > 0).astype(float)
    d[np.arange(n), y] = 0
    d[np.arange(n), y] = -d.sum(axis=1)
    return d / n


@case(RIGHT)
def svm_loss():
    return pair(hinge, hinge_gradient, normal(1, 7, 5), labels(2, 7, 5))


@case(WRONG, "forgot-n")
def svm_loss_without_its_n():
    return pair(hinge, lambda s, y: hinge_gradient(s, y) * len(y), normal(1, 7, 5), labels(2, 7, 5))


@case(WRONG, "unknown")
def svm_loss_forgets_the_right_class():
    def gradient(scores, y):
        d = hinge_gradient(scores, y)
        d[np.arange(len(y)), y] = 0
        return d

    return pair(hinge, gradient, normal(1, 7, 5), labels(2, 7, 5))


def huber(y_pred, y_true, delta=0.7):
    e = y_pred - y_true
    return np.where(abs(e) <= delta, 0.5 * e**2, delta * (abs(e) - 0.5 * delta)).mean()


@case(RIGHT)
def huber_loss():
    def huber_grad(y_pred, y_true, delta=0.7):
        return np.clip(y_pred - y_true, -delta, delta) / y_true.size

    return pair(huber, huber_grad, normal(3, 7, 2), normal(4, 7, 2))


@case(WRONG, "factor")
def huber_loss_turned_round():
    def huber_grad(y_pred, y_true, delta=0.7):
        return np.clip(y_true - y_pred, -delta, delta) / y_true.size

    return pair(huber, huber_grad, normal(3, 7, 2), normal(4, 7, 2))


@case(RIGHT)
def log_cosh():
    return pair(
        lambda a, t: np.log(np.cosh(a - t)).sum(), lambda a, t: np.tanh(a - t), normal(5, 7, 1), normal(6, 7, 1)
    )


@case(RIGHT)
def mean_absolute_error_of_vectors():
    return pair(
        lambda pred, target: np.abs(pred - target).mean(),
        lambda pred, target: np.sign(pred - target) / len(pred),
        normal(7, 11),
        normal(8, 11),
    )


@case(WRONG, "missing-derivative")
def mean_absolute_error_with_the_gradient_of_squares():
    return pair(
        lambda pred, target: np.abs(pred - target).mean(),
        lambda pred, target: (pred - target) / len(pred),
        normal(7, 11),
        normal(8, 11),
    )


def log_softmax(z):
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def nll(logits, target):
    return -log_softmax(logits)[np.arange(len(target)), target].mean()


@case(RIGHT)
def nll_of_log_softmax():
    def grad(logits, target):
        return (np.exp(log_softmax(logits)) - np.eye(logits.shape[1])[target]) / len(target)

    return pair(nll, grad, normal(9, 7, 3), labels(10, 7, 3))


@case(WRONG, "softmax-axis")
def nll_with_exponentials_over_the_sum_of_all():
    def grad(logits, target):
        e = np.exp(logits)
        return (e / np.sum(e) - np.eye(logits.shape[1])[target]) / len(target)

    return pair(nll, grad, normal(9, 7, 3), labels(10, 7, 3))


@case(WRONG, "labels")
def nll_takes_one_off_in_every_row():
    def grad(logits, target):
        d = np.exp(log_softmax(logits))
        d[:, target] -= 1
        return d / len(target)

    return pair(nll, grad, normal(9, 5, 5), labels(10, 5, 5))


@case(WRONG, "labels")
def nll_forgets_its_targets():
    return pair(nll, lambda z, t: np.exp(log_softmax(z)) / len(t), normal(9, 7, 3), labels(10, 7, 3))


@case(WRONG, "missing-derivative")
def nll_takes_the_targets_off_the_logits():
    return pair(nll, lambda z, t: (z - one_hot(t, 3)) / len(t), normal(9, 7, 3), labels(10, 7, 3))


@case(WRONG, ("twice-n", "factor"))
def nll_divides_by_the_number_of_entries():
    def grad(logits, target):
        return (np.exp(log_softmax(logits)) - one_hot(target, 3)) / logits.size

    return pair(nll, grad, normal(9, 7, 3), labels(10, 7, 3))


@case(WRONG, "factor")
def nll_with_a_temperature_in_the_loss_alone():
    T = 2.0
    return pair(
        lambda z, t: nll(z / T, t),
        lambda z, t: (np.exp(log_softmax(z / T)) - one_hot(t, 3)) / len(t),
        normal(9, 7, 3),
        labels(10, 7, 3),
    )


@case(RIGHT)
def kl_divergence_of_distributions():
    def kl(q, p):
        return np.sum(p * np.log(p / q)) / len(p)

    p, q = (np.exp(log_softmax(normal(s, 7, 3))) for s in (11, 12))
    return pair(kl, lambda q, p: -p / q / len(p), q, p)


@case(RIGHT)
def squared_error_of_integer_targets():
    return pair(
        lambda a, y: 0.5 * ((a - y) ** 2).sum(axis=1).mean(),
        lambda a, y: (a - y) / a.shape[0],
        normal(13, 7, 3),
        one_hot(labels(14, 7, 3), 3).astype(int),
    )


@case(WRONG, "forgot-n")
def rmse_like_mean_whose_gradient_sums():
    class MeanSquaredError:
        def __call__(self, prediction, target):
            self.difference = prediction - target
            return (self.difference**2).mean()

        def backward(self):
            return 2 * self.difference

    loss, a, y = MeanSquaredError(), normal(15, 7, 2), normal(16, 7, 2)

    def gradients():
        loss(a, y)
        return [loss.backward()]

    return (loss,), {"x": a, "y": y}, Evidence(lambda: loss(a, y), gradients, [a], kept=[y])


@case(BESIDE, "beside-loss")
def cross_entropy_of_probabilities_gives_p_minus_y():
    class CrossEntropy:
        def loss(self, p, y):
            return -np.sum(y * np.log(p + 1e-12)) / len(y)

        def gradient(self, p, y):
            return (p - y) / len(y)

    ce, y, z = CrossEntropy(), one_hot(labels(17, 7, 3), 3), normal(18, 7, 3)
    p = np.exp(log_softmax(z))
    alone = Evidence(lambda: ce.loss(p, y), lambda: [ce.gradient(p, y)], [p], kept=[y])
    together = Evidence(
        lambda: ce.loss(np.exp(log_softmax(z)), y), lambda: [ce.gradient(np.exp(log_softmax(z)), y)], [z], kept=[y]
    )
    return (ce.loss, ce.gradient), {"x": p, "y": y}, alone, together


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def bce(p, y):
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


@case(WRONG, "factor")
def bce_with_its_sign_turned():
    return pair(
        bce,
        lambda p, y: (y / p - (1 - y) / (1 - p)) / y.size,
        sigmoid(normal(19, 7, 1)),
        labels(20, 7, 2).reshape(-1, 1),
    )


@case(WRONG, ("missing-derivative", "unknown"))
def bce_forgets_the_negatives():
    return pair(bce, lambda p, y: -(y / p) / y.size, sigmoid(normal(19, 7, 1)), labels(20, 7, 2).reshape(-1, 1))


@case(WRONG, "labels")
def outputs_in_a_column_against_a_flat_target():
    return pair(lambda a, y: ((a - y) ** 2).mean(), lambda a, y: 2 * (a - y) / a.size, normal(21, 7, 1), normal(22, 7))


@case(RIGHT)
def weighted_bce_with_logits_in_the_stable_form():
    def loss(z, y, w=3.0):
        return np.mean((1 + (w - 1) * y) * np.logaddexp(0, -z) + (1 - y) * z)

    def gradient(z, y, w=3.0):
        return (-(1 + (w - 1) * y) * (1 - sigmoid(z)) + (1 - y)) / z.size

    return pair(loss, gradient, normal(23, 7, 1), labels(24, 7, 2).reshape(-1, 1).astype(float))
