"""Losses as `__call__`-free classes with a stored difference, as pairs, and as one function; several reductions."""

import numpy as np

from .case import BESIDE, RIGHT, WRONG, case
from .evidence import Evidence, labels, normal, one_hot


def log_softmax(s):
    s = s - s.max(1, keepdims=True)
    return s - np.log(np.exp(s).sum(1, keepdims=True))


def stored(criterion, prediction, target):
    """forward(prediction, target) keeps what the argument-free backward needs."""

    def gradients():
        criterion.forward(prediction, target)
        return [criterion.backward()]

    evidence = Evidence(lambda: criterion.forward(prediction, target), gradients, [prediction], kept=[target])
    return (criterion,), {"x": prediction, "y": target}, evidence


def both(function, prediction, target):
    evidence = Evidence(
        lambda: function(prediction, target)[0], lambda: [function(prediction, target)[1]], [prediction], kept=[target]
    )
    return (function,), {"x": prediction, "y": target}, evidence


def two(f, g, prediction, target):
    evidence = Evidence(lambda: f(prediction, target), lambda: [g(prediction, target)], [prediction], kept=[target])
    return (f, g), {"x": prediction, "y": target}, evidence


class SquaredError:
    reduction = "rows"

    def forward(self, prediction, target):
        self.difference = prediction - target
        squares = self.difference**2
        return {"rows": squares.sum(1).mean(), "all": squares.mean(), "sum": squares.sum()}[self.reduction]

    def backward(self):
        n, k = self.difference.shape
        return 2 * self.difference / {"rows": n, "all": n * k, "sum": 1}[self.reduction]


def squared_error(reduction, kind=SquaredError):
    criterion = kind()
    criterion.reduction = reduction
    return stored(criterion, normal(301, 5, 3), normal(302, 5, 3))


@case(RIGHT)
def squared_error_mean_of_rows():
    return squared_error("rows")


@case(RIGHT)
def squared_error_sum():
    return squared_error("sum")


@case(WRONG, "forgot-n")
def squared_error_of_all_entries_without_its_count():
    class Faulty(SquaredError):
        def backward(self):
            return 2 * self.difference

    return squared_error("all", Faulty)


@case(WRONG, "twice-n")
def squared_error_sum_divided_though_nobody_asked():
    class Faulty(SquaredError):
        def backward(self):
            return super().backward() / len(self.difference)

    return squared_error("sum", Faulty)


@case(WRONG, "factor")
def squared_error_target_minus_prediction():
    class Faulty(SquaredError):
        def backward(self):
            return -super().backward()

    return squared_error("rows", Faulty)


@case(RIGHT)
def huber_with_errors_on_both_sides_of_delta():
    def huber(prediction, target, delta=0.8):
        e = prediction - target
        small = np.abs(e) <= delta
        loss = np.where(small, e**2 / 2, delta * (np.abs(e) - delta / 2))
        return loss.mean(), np.where(small, e, delta * np.sign(e)) / e.size

    return both(huber, normal(303, 7, 2), normal(304, 7, 2))


@case(RIGHT)
def mean_absolute_error():
    def mae(y_hat, y):
        return np.abs(y_hat - y).mean()

    def mae_grad(y_hat, y):
        return np.sign(y_hat - y) / y_hat.size

    return two(mae, mae_grad, normal(305, 13), normal(306, 13))


# Classes --------------------------------------------------------------------------------------------------------------


def nll(scores, y):
    return -log_softmax(scores)[np.arange(y.size), y].mean()


def nll_gradient(scores, y):
    g = np.exp(log_softmax(scores))
    g[np.arange(y.size), y] -= 1.0
    return g / y.size


@case(RIGHT)
def nll_of_scores_far_from_zero():
    return two(nll, nll_gradient, 30 * normal(311, 11, 5), labels(312, 11, 5))


@case(RIGHT)
def nll_square():
    return two(nll, nll_gradient, normal(311, 3, 3), labels(312, 3, 3))


@case(WRONG, "twice-n")
def nll_divided_in_the_rows_and_at_the_end():
    def gradient(scores, y):
        g = np.exp(log_softmax(scores)) / len(y)
        for i in range(len(y)):
            g[i, y[i]] -= 1 / len(y)
        return g / len(y)

    return two(nll, gradient, normal(313, 11, 3), labels(314, 11, 3))


@case(WRONG, "softmax-axis")
def nll_gradient_with_shares_of_the_whole_batch():
    def gradient(scores, y):
        g = np.exp(scores - scores.max())
        g /= g.sum()
        g[np.arange(y.size), y] -= 1.0
        return g / y.size

    return two(nll, gradient, normal(315, 7, 3), labels(316, 7, 3))


@case(WRONG, "labels")
def nll_gradient_compares_scores_with_label_numbers():
    def gradient(scores, y):
        return (np.exp(log_softmax(scores)) - y.reshape(-1, 1)) / y.size

    return two(nll, gradient, normal(317, 7, 5), labels(318, 7, 5))


def soft_cross_entropy(scores, t):
    return -(t * log_softmax(scores)).sum() / len(t)


@case(RIGHT)
def cross_entropy_with_soft_targets():
    t = np.random.default_rng(319).dirichlet(np.ones(4), 7)
    return two(soft_cross_entropy, lambda scores, t: (np.exp(log_softmax(scores)) - t) / len(t), normal(320, 7, 4), t)


@case(WRONG, "labels")
def cross_entropy_for_one_hot_is_given_integers():
    def gradient(scores, t):
        return (np.exp(log_softmax(scores)) - np.eye(scores.shape[1])[t]) / len(t)

    return two(soft_cross_entropy, gradient, normal(321, 5, 5), labels(322, 5, 5))


@case(WRONG, "overwritten")
def cross_entropy_subtracts_its_maximum_in_place():
    def criterion(scores, y):
        scores -= scores.max(axis=1, keepdims=True)
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        return -np.log(p[np.arange(len(y)), y]).sum(), p - one_hot(y, scores.shape[1])

    return both(criterion, normal(323, 7, 3), labels(324, 7, 3))


@case(WRONG, "overwritten")
def cross_entropy_smooths_the_targets_it_was_given():
    class Smoothing:
        def forward(self, scores, t):
            t *= 0.9
            t += 0.1 / t.shape[1]
            self.p, self.t = np.exp(log_softmax(scores)), t
            return -(t * np.log(self.p)).sum(axis=1).mean()

        def backward(self):
            return (self.p - self.t) / len(self.t)

    return stored(Smoothing(), normal(325, 7, 3), one_hot(labels(326, 7, 3), 3).astype(float))


@case(BESIDE, "beside-loss")
def cross_entropy_of_probabilities_answers_for_the_logits():
    class OfProbabilities:
        def forward(self, p, y):
            self.p, self.y = p, y
            return -np.log((p * y).sum(1)).mean()

        def backward(self):
            return (self.p - self.y) / len(self.y)

    criterion, scores, y = OfProbabilities(), normal(327, 7, 3), one_hot(labels(328, 7, 3), 3)
    args, kwargs, alone = stored(criterion, np.exp(log_softmax(scores)), y)

    def gradients():
        criterion.forward(np.exp(log_softmax(scores)), y)
        return [criterion.backward()]

    together = Evidence(lambda: criterion.forward(np.exp(log_softmax(scores)), y), gradients, [scores])
    return args, kwargs, alone, together


@case(WRONG, "softmax-diagonal")
def brier_score_through_a_diagonal():
    def brier(scores, y):
        p = np.exp(log_softmax(scores))
        e = p - one_hot(y, p.shape[1])
        return (e**2).sum(1).mean(), 2 * e * (p - p**2) / len(y)

    return both(brier, normal(329, 11, 3), labels(330, 11, 3))


# Yes or no ------------------------------------------------------------------------------------------------------------


class Binary:
    def forward(self, z, t):
        self.p, self.t = 1 / (1 + np.exp(-z)), t
        return np.sum(np.logaddexp(0, z) - t * z)

    def backward(self):
        return self.p - self.t


@case(RIGHT)
def binary_of_logits_summed():
    return stored(Binary(), normal(331, 13, 1), labels(332, 13, 2)[:, None])


@case(WRONG, "extra-derivative")
def binary_of_logits_with_the_logistic_slope():
    class Faulty(Binary):
        def backward(self):
            return (self.p - self.t) * (self.p * (1 - self.p))

    return stored(Faulty(), normal(331, 13, 1), labels(332, 13, 2)[:, None])


@case(RIGHT)
def multilabel_of_logits_mean_of_all():
    def loss(z, t):
        p = 1 / (1 + np.exp(-z))
        return -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)), (p - t) / t.size

    return both(loss, normal(333, 7, 5), (normal(334, 7, 5) > 0).astype(int))
