"""Networks of three layers with dictionaries everywhere: penalties, momentum, updates within backward, shared parts."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, labels, normal


def softmax(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


class ThreeLayerNet:
    """params["W1"] ... params["b3"]; loss(X, y) gives (loss, grads), as an assignment wants it."""

    reg = 0.0

    def __init__(self, D=5, H1=6, H2=4, C=3):
        dims = [D, H1, H2, C]
        self.params = {}
        for i in (1, 2, 3):
            self.params[f"W{i}"] = 0.7 * normal(i, dims[i - 1], dims[i])
            self.params[f"b{i}"] = 0.1 * normal(10 + i, dims[i])

    def loss(self, X, y):
        W1, b1, W2, b2, W3, b3 = (self.params[k] for k in ("W1", "b1", "W2", "b2", "W3", "b3"))
        z1 = X.dot(W1) + b1
        h1 = np.maximum(z1, 0)
        z2 = h1.dot(W2) + b2
        h2 = np.maximum(z2, 0)
        probs = softmax(h2.dot(W3) + b3)
        loss = -np.log(probs[np.arange(len(y)), y]).mean()
        loss += 0.5 * self.reg * sum(np.sum(W * W) for W in (W1, W2, W3))
        grads = self.backprop(X, y, probs, z1, h1, z2, h2)
        for i in (1, 2, 3):
            grads[f"W{i}"] = grads[f"W{i}"] + self.decay(self.params[f"W{i}"])
        return loss, grads

    def decay(self, W):
        return self.reg * W

    def backprop(self, X, y, probs, z1, h1, z2, h2):
        p = self.params
        d3 = probs.copy()
        d3[np.arange(len(y)), y] -= 1
        d3 /= len(y)
        d2 = d3.dot(p["W3"].T) * self.mask2(z1, h1, z2, h2)
        d1 = d2.dot(p["W2"].T) * self.mask1(z1, h1, z2, h2)
        grads = {"W3": h2.T.dot(d3), "b3": d3.sum(0), "W2": h1.T.dot(d2), "b2": d2.sum(0)}
        return grads | {"W1": X.T.dot(d1), "b1": d1.sum(0)}

    def mask2(self, z1, h1, z2, h2):
        return z2 > 0

    def mask1(self, z1, h1, z2, h2):
        return z1 > 0


def assignment(net, n=7):
    X, y = normal(21, n, net.params["W1"].shape[0]), labels(22, n, net.params["b3"].size)
    names = list(net.params)
    evidence = Evidence(
        lambda: net.loss(X, y)[0],
        lambda: [net.loss(X, y)[1][name] for name in names],
        list(net.params.values()),
        kept=[X, y],
    )
    return (net,), {"x": X, "y": y}, evidence


@case(RIGHT)
def assignment_of_three_layers():
    return assignment(ThreeLayerNet())


@case(RIGHT)
def assignment_of_three_layers_regularized():
    net = ThreeLayerNet()
    net.reg = 0.3
    return assignment(net)


@case(RIGHT)
def assignment_of_three_layers_all_of_one_width():
    return assignment(ThreeLayerNet(4, 4, 4, 4), n=4)


@case(WRONG, "penalty")
def assignment_decays_twice_as_much():
    class Wrong(ThreeLayerNet):
        reg = 0.3

        def decay(self, W):
            return 2 * self.reg * W

    return assignment(Wrong())


@case(WRONG, "penalty")
def assignment_forgets_to_decay():
    class Wrong(ThreeLayerNet):
        reg = 0.2

        def decay(self, W):
            return 0

    return assignment(Wrong())


@case(WRONG, "penalty")
def assignment_decays_by_the_sign():
    class Wrong(ThreeLayerNet):
        reg = 0.2

        def decay(self, W):
            return self.reg * np.sign(W)

    return assignment(Wrong())


@case(WRONG, "penalty")
def assignment_divides_its_penalty_by_n_in_the_gradient_alone():
    class Wrong(ThreeLayerNet):
        reg = 0.2

        def decay(self, W):
            return self.reg / 7 * W

    return assignment(Wrong())


@case(WRONG, "wrong-mask")
def assignment_takes_one_mask_for_both():
    class Wrong(ThreeLayerNet):
        def mask1(self, z1, h1, z2, h2):
            return z2 > 0

    return assignment(Wrong(5, 4, 4, 3))


@case(WRONG, "missing-derivative")
def assignment_forgets_the_mask_of_the_second_layer():
    class Wrong(ThreeLayerNet):
        def mask2(self, z1, h1, z2, h2):
            return 1

    return assignment(Wrong())


@case(WRONG, "at-input")
def assignment_multiplies_by_the_activations():
    class Wrong(ThreeLayerNet):
        def mask2(self, z1, h1, z2, h2):
            return h2

    return assignment(Wrong())


@case(WRONG, "wrong-input")
def assignment_makes_W2_with_h2():
    class Wrong(ThreeLayerNet):
        def backprop(self, X, y, probs, z1, h1, z2, h2):
            grads = super().backprop(X, y, probs, z1, h1, z2, h2)
            d3 = (probs - np.eye(3)[y]) / len(y)
            return grads | {"W2": h2.T.dot(d3.dot(self.params["W3"].T) * (z2 > 0))}

    return assignment(Wrong(5, 4, 4, 3))


@case(WRONG, "forgot-n")
def assignment_forgets_to_divide():
    class Wrong(ThreeLayerNet):
        def backprop(self, X, y, *rest):
            return {k: g * len(y) for k, g in super().backprop(X, y, *rest).items()}

    return assignment(Wrong())


@case(WRONG, "unknown")
def assignment_clips_its_gradients():
    class Wrong(ThreeLayerNet):
        def backprop(self, *given):
            return {k: np.clip(g, -0.02, 0.02) for k, g in super().backprop(*given).items()}

    return assignment(Wrong())


@case(WRONG, ("wrong-input", "unknown"))
def assignment_takes_the_masked_input_for_W1():
    class Wrong(ThreeLayerNet):
        def backprop(self, X, y, *rest):
            return super().backprop(np.maximum(X, 0), y, *rest)

    return assignment(Wrong())


# Updates within backward ----------------------------------------------------------------------------------------------


class OnlineNet:
    """Trains while it goes back; tanh, linear output, half of the squares."""

    def __init__(self, learning_rate=0.1):
        self.learning_rate = learning_rate
        self.w1, self.b1 = normal(31, 3, 5), normal(32, 5)
        self.w2, self.b2 = normal(33, 5, 2), normal(34, 2)

    def forward(self, x):
        self.x = x
        self.h = np.tanh(x @ self.w1 + self.b1)
        return self.h @ self.w2 + self.b2

    def compute_loss(self, out, y):
        return 0.5 * np.sum((out - y) ** 2) / len(y)

    def backward(self, x, y):
        out = self.forward(x)
        d2 = (out - y) / len(y)
        d1 = (d2 @ self.w2.T) * (1 - self.h**2)
        self.step(self.w2, self.h.T @ d2)
        self.step(self.b2, d2.sum(axis=0))
        self.step(self.w1, x.T @ d1)
        self.step(self.b1, d1.sum(axis=0))

    def step(self, parameter, gradient):
        parameter -= self.learning_rate * gradient


def online(net):
    X, Y = normal(35, 7, 3), normal(36, 7, 2)
    places = [net.w1, net.b1, net.w2, net.b2]

    def gradients():
        before = [p.copy() for p in places]
        net.backward(X, Y)
        after = [p.copy() for p in places]
        for place, value in zip(places, before):
            place[...] = value
        return [(a - b) / net.learning_rate for a, b in zip(before, after)]

    evidence = Evidence(lambda: net.compute_loss(net.forward(X), Y), gradients, places, kept=[X, Y])
    return (net,), {"x": X, "y": Y}, evidence


@case(RIGHT)
def online_network():
    return online(OnlineNet())


@case(WRONG, "updated-first")
def online_network_updates_w2_before_d1():
    class Wrong(OnlineNet):
        def backward(self, x, y):
            out = self.forward(x)
            d2 = (out - y) / len(y)
            self.step(self.w2, self.h.T @ d2)
            self.step(self.b2, d2.sum(axis=0))
            d1 = (d2 @ self.w2.T) * (1 - self.h**2)
            self.step(self.w1, x.T @ d1)
            self.step(self.b1, d1.sum(axis=0))

    return online(Wrong())


@case(WRONG, "factor")
def online_network_climbs():
    class Wrong(OnlineNet):
        def step(self, parameter, gradient):
            parameter += self.learning_rate * gradient

    return online(Wrong())


@case(WRONG, "missing-derivative")
def online_network_without_the_slope_of_tanh():
    class Wrong(OnlineNet):
        def backward(self, x, y):
            d2 = (self.forward(x) - y) / len(y)
            d1 = d2 @ self.w2.T
            for p, g in ((self.w2, self.h.T @ d2), (self.b2, d2.sum(0)), (self.w1, x.T @ d1), (self.b1, d1.sum(0))):
                self.step(p, g)

    return online(Wrong())
