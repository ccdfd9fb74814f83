"""Classroom losses: objects with forward and backward, pairs of functions, one function with both."""

import numpy as np

from .case import BESIDE, RIGHT, WRONG, case
from .evidence import Evidence, labels, normal, one_hot


def rows_softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def probabilities(seed, n, k):
    return rows_softmax(normal(seed, n, k))


def judged(loss, x, y):
    def gradients():
        loss.forward(x, y)
        return [loss.backward()]

    return (loss,), {"x": x, "y": y}, Evidence(lambda: loss.forward(x, y), gradients, [x])


def paired(value, slope, x, y):
    return (value, slope), {"x": x, "y": y}, Evidence(lambda: value(x, y), lambda: [slope(x, y)], [x])


def both(function, x, y):
    return (function,), {"x": x, "y": y}, Evidence(lambda: function(x, y)[0], lambda: [function(x, y)[1]], [x])


class SquaredError:
    def forward(self, pred, target):
        self.diff = pred - target
        return np.mean(self.diff**2)

    def backward(self):
        return 2 * self.diff / self.diff.size


def squared(loss):
    return judged(loss, normal(51, 6, 3), normal(52, 6, 3))


@case(RIGHT)
def bl_mse():
    return squared(SquaredError())


@case(RIGHT)
def bl_mse_half_per_example():
    class Half(SquaredError):
        def forward(self, pred, target):
            self.diff = pred - target
            return 0.5 * np.sum(self.diff**2) / len(pred)

        def backward(self):
            return self.diff / len(self.diff)

    return squared(Half())


@case(WRONG, "forgot-n")
def bl_mse_mean_but_sum_slope():
    class Bad(SquaredError):
        def backward(self):
            return 2 * self.diff

    return squared(Bad())


@case(WRONG, "forgot-n")
def bl_mse_divided_by_examples_only():
    class Bad(SquaredError):
        def backward(self):
            return 2 * self.diff / len(self.diff)

    return squared(Bad())


@case(WRONG, "factor")
def bl_mse_no_two():
    class Bad(SquaredError):
        def backward(self):
            return self.diff / self.diff.size

    return squared(Bad())


@case(WRONG, "factor")
def bl_mse_target_minus_pred():
    class Bad(SquaredError):
        def backward(self):
            return -2 * self.diff / self.diff.size

    return squared(Bad())


@case(WRONG, "twice-n")
def bl_sum_of_squares_divided():
    class Bad(SquaredError):
        def forward(self, pred, target):
            self.diff = pred - target
            return np.sum(self.diff**2)

        def backward(self):
            return 2 * self.diff / len(self.diff)

    return squared(Bad())


class SoftmaxCE:
    def forward(self, scores, t):
        self.p, self.t = rows_softmax(scores), t
        return -np.mean(np.log(self.p[np.arange(len(t)), t]))

    def backward(self):
        dx = self.p.copy()
        dx[np.arange(len(self.t)), self.t] -= 1
        return dx / len(self.t)


def entropy(loss):
    return judged(loss, normal(53, 8, 4), labels(54, 8, 4))


@case(RIGHT)
def bl_softmax_ce_labels():
    return entropy(SoftmaxCE())


@case(RIGHT)
def bl_softmax_ce_one_hot():
    class Hot:
        def forward(self, scores, t):
            self.p, self.t = rows_softmax(scores), t
            return -np.sum(t * np.log(self.p)) / t.shape[0]

        def backward(self):
            return (self.p - self.t) / self.t.shape[0]

    return judged(Hot(), normal(55, 7, 3), one_hot(labels(56, 7, 3), 3))


@case(WRONG, "forgot-n")
def bl_softmax_ce_undivided():
    class Bad(SoftmaxCE):
        def backward(self):
            return super().backward() * len(self.t)

    return entropy(Bad())


@case(WRONG, "twice-n")
def bl_softmax_ce_divided_again():
    class Bad(SoftmaxCE):
        def backward(self):
            return super().backward() / len(self.t)

    return entropy(Bad())


@case(WRONG, "labels")
def bl_softmax_ce_minus_label_column():
    class Bad(SoftmaxCE):
        def backward(self):
            return (self.p - self.t[:, None]) / len(self.t)

    return entropy(Bad())


@case(WRONG, "softmax-axis")
def bl_softmax_ce_other_axis_in_slope():
    class Bad(SoftmaxCE):
        def forward(self, scores, t):
            value = super().forward(scores, t)
            e = np.exp(scores)
            self.p = e / e.sum(axis=0)
            return value

    return entropy(Bad())


@case(WRONG, "extra-derivative")
def bl_softmax_ce_with_slope_again():
    class Bad(SoftmaxCE):
        def backward(self):
            return super().backward() * self.p * (1 - self.p)

    return entropy(Bad())


@case(BESIDE, "beside-loss")
def bl_ce_of_probabilities_gives_p_minus_y():
    class Short:
        def forward(self, p, t):
            self.p, self.t = p, t
            return -np.sum(t * np.log(p)) / len(t)

        def backward(self):
            return (self.p - self.t) / len(self.t)

    loss, t = Short(), one_hot(labels(57, 6, 3), 3)
    args, kwargs, alone = judged(loss, probabilities(58, 6, 3), t)
    z = normal(58, 6, 3)

    def gradients():
        loss.forward(rows_softmax(z), t)
        return [loss.backward()]

    return args, kwargs, alone, Evidence(lambda: loss.forward(rows_softmax(z), t), gradients, [z])


def binary():
    y = (normal(60, 9, 1) > 0).astype(float)
    return 1 / (1 + np.exp(-normal(59, 9, 1))), y


def bce(a, y):
    return -np.mean(y * np.log(a) + (1 - y) * np.log(1 - a))


@case(RIGHT)
def bl_bce():
    def bce_grad(a, y):
        return (a - y) / (a * (1 - a)) / a.size

    return paired(bce, bce_grad, *binary())


@case(WRONG, "forgot-n")
def bl_bce_ng_undivided():
    def bce_grad(a, y):
        return -(y / a) + (1 - y) / (1 - a)

    return paired(bce, bce_grad, *binary())


@case(WRONG, "factor")
def bl_bce_sign():
    def bce_grad(a, y):
        return (y / a - (1 - y) / (1 - a)) / len(y)

    return paired(bce, bce_grad, *binary())


@case(RIGHT)
def bl_bce_logits():
    def loss(z, y):
        return np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))

    def loss_grad(z, y):
        return (1 / (1 + np.exp(-z)) - y) / len(y)

    return paired(loss, loss_grad, normal(61, 9, 1), binary()[1])


@case(RIGHT)
def bl_mae():
    def mae(p, t):
        return np.abs(p - t).mean()

    def mae_prime(p, t):
        return np.sign(p - t) / p.size

    return paired(mae, mae_prime, normal(62, 5, 2), normal(63, 5, 2))


@case(RIGHT)
def bl_svm_loss():
    def svm_loss(x, y):
        n = len(y)
        margins = np.maximum(0, x - x[np.arange(n), y][:, None] + 1)
        margins[np.arange(n), y] = 0
        dx = (margins > 0).astype(float)
        dx[np.arange(n), y] -= dx.sum(axis=1)
        return margins.sum() / n, dx / n

    return both(svm_loss, normal(64, 7, 4), labels(65, 7, 4))


@case(RIGHT)
def bl_softmax_loss_both():
    def softmax_loss(x, y):
        n = x.shape[0]
        shifted = x - x.max(axis=1, keepdims=True)
        logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        dx = np.exp(logp)
        dx[np.arange(n), y] -= 1
        return -logp[np.arange(n), y].mean(), dx / n

    return both(softmax_loss, normal(66, 7, 5), labels(67, 7, 5))


@case(WRONG, "forgot-n")
def bl_softmax_loss_both_undivided():
    def softmax_loss(x, y):
        n = x.shape[0]
        p = rows_softmax(x)
        loss = -np.log(p[range(n), y]).sum() / n
        p[range(n), y] -= 1
        return loss, p

    return both(softmax_loss, normal(66, 7, 5), labels(67, 7, 5))
