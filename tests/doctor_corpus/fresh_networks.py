"""Whole networks with dicts of gradients: rows and columns, a loss of their own or one beside them."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, labels, normal, one_hot


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def network(net, X, y, value, **kwargs):
    """`net.params` W1, b1 ... and backward(X, y) -> {"dW1": ...}."""

    def gradients():
        net.forward(X)
        grads = net.backward(X, y)
        return [grads["d" + name] for name in net.params]

    places = [(net.params, name) for name in net.params]
    return (net,), {"x": X, "y": y, **kwargs}, Evidence(lambda: value(net), gradients, places, kept=[X, y])


class Classifier:
    """Two hidden ReLU layers, softmax, cross-entropy, an L2 penalty."""

    def __init__(self, sizes=(4, 6, 5, 3), reg=0.0):
        self.reg = reg
        self.params = {}
        for i, (n_in, n_out) in enumerate(zip(sizes[:-1], sizes[1:]), start=1):
            self.params[f"W{i}"] = normal(600 + i, n_in, n_out) * 0.7
            self.params[f"b{i}"] = normal(610 + i, n_out) * 0.3

    def forward(self, X):
        p = self.params
        self.z1 = X @ p["W1"] + p["b1"]
        self.h1 = np.maximum(0, self.z1)
        self.z2 = self.h1 @ p["W2"] + p["b2"]
        self.h2 = np.maximum(0, self.z2)
        self.probs = softmax(self.h2 @ p["W3"] + p["b3"])
        return self.probs

    def loss(self, probs, y):
        data = -np.log(probs[np.arange(len(y)), y]).mean()
        return data + self.penalty()

    def penalty(self):
        return 0.5 * self.reg * sum(np.sum(self.params[w] ** 2) for w in ("W1", "W2", "W3"))

    def output_delta(self, y):
        delta = self.probs.copy()
        delta[np.arange(len(y)), y] -= 1
        return delta / len(y)

    def mask2(self):
        return self.z2 > 0

    def mask1(self):
        return self.z1 > 0

    def inputs(self, X):
        return X, self.h1, self.h2

    def decay(self, name):
        return self.reg * self.params[name]

    def backward(self, X, y):
        p, grads = self.params, {}
        a0, a1, a2 = self.inputs(X)
        d3 = self.output_delta(y)
        d2 = (d3 @ p["W3"].T) * self.mask2()
        d1 = (d2 @ p["W2"].T) * self.mask1()
        for i, (a, d) in enumerate(((a0, d1), (a1, d2), (a2, d3)), start=1):
            grads[f"dW{i}"] = a.T @ d + self.decay(f"W{i}")
            grads[f"db{i}"] = d.sum(axis=0)
        return grads


def classifier(kind=Classifier, n=10, **options):
    net = kind(**options)
    X, y = normal(621, n, net.params["W1"].shape[0]), labels(622, n, 3)
    return network(net, X, y, lambda net: net.loss(net.forward(X), y))


@case(RIGHT)
def blind_classifier():
    return classifier()


@case(RIGHT)
def blind_classifier_with_its_penalty():
    return classifier(reg=0.3)


@case(RIGHT)
def blind_classifier_square():
    return classifier(sizes=(5, 5, 5, 3), n=5)


@case(WRONG, "penalty")
def blind_classifier_forgets_its_penalty():
    class Wrong(Classifier):
        def decay(self, name):
            return 0

    return classifier(Wrong, reg=0.3)


@case(WRONG, "penalty")
def blind_classifier_penalty_is_twice_as_steep():
    class Wrong(Classifier):
        def decay(self, name):
            return 2 * self.reg * self.params[name]

    return classifier(Wrong, reg=0.3)


@case(WRONG, "penalty")
def blind_classifier_decays_what_the_loss_does_not_know():
    class Wrong(Classifier):
        def penalty(self):
            return 0

    return classifier(Wrong, reg=0.3)


@case(WRONG, "wrong-mask")
def blind_classifier_takes_the_mask_of_the_layer_above():
    class Wrong(Classifier):
        def mask1(self):
            return self.z2 > 0

    return classifier(Wrong, sizes=(4, 6, 6, 3))


@case(WRONG, "wrong-input")
def blind_classifier_takes_z_for_its_activation():
    class Wrong(Classifier):
        def inputs(self, X):
            return X, self.z1, self.z2

    return classifier(Wrong)


@case(WRONG, "missing-derivative")
def blind_classifier_forgets_one_mask():
    class Wrong(Classifier):
        def mask1(self):
            return 1

    return classifier(Wrong)


@case(WRONG, "forgot-n")
def blind_classifier_forgets_the_mean():
    class Wrong(Classifier):
        def output_delta(self, y):
            return super().output_delta(y) * len(y)

    return classifier(Wrong)


@case(WRONG, "twice-n")
def blind_classifier_divides_again_at_the_end():
    class Wrong(Classifier):
        def backward(self, X, y):
            return {name: g / len(X) for name, g in super().backward(X, y).items()}

    return classifier(Wrong, n=9)


@case(WRONG, "raised")
def blind_classifier_misspells_a_key():
    class Wrong(Classifier):
        def decay(self, name):
            return self.reg * self.params[name.lower()]

    return classifier(Wrong, reg=0.1)


# Sigmoids and squares -------------------------------------------------------------------------------------------------


def mse(output, y):
    return np.mean((output - y) ** 2)


class Regressor:
    """One hidden sigmoid layer, a sigmoid at the end; the loss stands beside it."""

    def __init__(self, n_in=3, n_hidden=5, n_out=2):
        self.params = {
            "W1": normal(631, n_in, n_hidden),
            "b1": normal(632, 1, n_hidden),
            "W2": normal(633, n_hidden, n_out),
            "b2": normal(634, 1, n_out),
        }

    def forward(self, X):
        self.z1 = X @ self.params["W1"] + self.params["b1"]
        self.a1 = sigmoid(self.z1)
        self.z2 = self.a1 @ self.params["W2"] + self.params["b2"]
        self.a2 = sigmoid(self.z2)
        return self.a2

    def slope1(self):
        return self.a1 * (1 - self.a1)

    def slope2(self):
        return self.a2 * (1 - self.a2)

    def backward(self, X, y):
        delta2 = 2 * (self.a2 - y) / y.size * self.slope2()
        delta1 = delta2 @ self.params["W2"].T * self.slope1()
        return {
            "dW1": X.T @ delta1,
            "db1": delta1.sum(axis=0, keepdims=True),
            "dW2": self.a1.T @ delta2,
            "db2": delta2.sum(axis=0, keepdims=True),
        }


def regressor(kind=Regressor, n=8, *sizes):
    net = kind(*sizes)
    X, y = normal(635, n, len(net.params["W1"])), sigmoid(normal(636, n, net.params["b2"].size))
    return network(net, X, y, lambda net: mse(net.forward(X), y), loss=mse)


@case(RIGHT)
def blind_regressor():
    return regressor()


@case(RIGHT)
def blind_regressor_of_one_output():
    return regressor(Regressor, 4, 2, 4, 1)


@case(WRONG, "missing-derivative")
def blind_regressor_without_the_last_slope():
    class Wrong(Regressor):
        def slope2(self):
            return 1

    return regressor(Wrong)


@case(WRONG, "at-output")
def blind_regressor_sigmoid_prime_of_a():
    class Wrong(Regressor):
        def slope1(self):
            return sigmoid(self.a1) * (1 - sigmoid(self.a1))

    return regressor(Wrong)


@case(WRONG, "at-input")
def blind_regressor_z_times_one_minus_z():
    class Wrong(Regressor):
        def slope1(self):
            return self.z1 * (1 - self.z1)

    return regressor(Wrong)


@case(WRONG, "wrong-input")
def blind_regressor_dw2_from_z1():
    class Wrong(Regressor):
        def backward(self, X, y):
            grads = super().backward(X, y)
            delta2 = 2 * (self.a2 - y) / y.size * self.slope2()
            grads["dW2"] = self.z1.T @ delta2
            return grads

    return regressor(Wrong)


@case(WRONG, "forgot-n")
def blind_regressor_delta_is_a_plain_error():
    class Wrong(Regressor):
        def backward(self, X, y):
            return {name: g * y.size for name, g in super().backward(X, y).items()}

    return regressor(Wrong, 7, 3, 5, 1)


@case(WRONG, "labels")
def blind_classifier_handed_one_hot_rows():
    args, kwargs, _ = classifier()
    y = one_hot(kwargs["y"], 3).astype(int)
    X = kwargs["x"]
    return network(args[0], X, y, lambda net: net.loss(net.forward(X), y))
