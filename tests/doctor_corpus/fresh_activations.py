"""Activations and dropout as objects: masks kept or lost, slopes as methods, softmax by itself."""

import numpy as np

from .case import BESIDE, RIGHT, WRONG, case
from .evidence import Differ, Evidence, labels, normal, of_layer, one_hot


def simple(layer, seed=301, shape=(8, 5), **options):
    x = normal(seed, *shape)
    return (layer,), {"x": x}, of_layer(layer, x, **options)


class LeakyReLU:
    def __init__(self, alpha=0.2):
        self.alpha = alpha

    def forward(self, x):
        self.cache = x
        return np.where(x > 0, x, self.alpha * x)

    def backward(self, dout):
        return dout * np.where(self.cache > 0, 1, self.alpha)


@case(RIGHT)
def blind_leaky_relu():
    return simple(LeakyReLU())


@case(RIGHT)
def blind_elu():
    class ELU:
        def forward(self, x):
            self.x = x
            return np.where(x > 0, x, np.exp(x) - 1)

        def backward(self, dout):
            return np.where(self.x > 0, dout, dout * np.exp(self.x))

    return simple(ELU(), seed=302)


@case(WRONG, "wrong-mask")
def blind_relu_keeps_its_first_mask():
    class Wrong:
        mask = None

        def forward(self, x):
            if self.mask is None:
                self.mask = x > 0
            return np.maximum(0, x)

        def backward(self, dout):
            return dout * self.mask

    layer = Wrong()
    layer.forward(normal(303, 8, 5))  # the batch before
    return simple(layer)


class Sigmoid:
    def forward(self, x):
        self.y = 1 / (1 + np.exp(-x))
        return self.y

    def backward(self, dy):
        return dy * self.y * (1 - self.y)


@case(RIGHT)
def blind_sigmoid_object():
    return simple(Sigmoid(), shape=(5, 5))


@case(WRONG, "factor")
def blind_sigmoid_with_its_sign_turned():
    class Wrong(Sigmoid):
        def backward(self, dy):
            return dy * self.y * (self.y - 1)

    return simple(Wrong())


@case(WRONG, "extra-derivative")
def blind_sigmoid_multiplies_twice():
    class Wrong(Sigmoid):
        def backward(self, dy):
            slope = self.y * (1 - self.y)
            dy = dy * slope
            return dy * slope

    return simple(Wrong())


@case(WRONG, "overwritten")
def blind_relu_clips_the_callers_x():
    class Wrong:
        def forward(self, x):
            self.positive = x > 0
            x[x < 0] = 0
            return x

        def backward(self, dout):
            return dout * self.positive

    layer, x, dy = Wrong(), normal(301, 8, 5), normal(99, 8, 5)

    def gradients():
        layer.forward(x)
        return [layer.backward(dy)]

    return (layer,), {"x": x.copy()}, Evidence(lambda: (layer.forward(x) * dy).sum(), gradients, [x])


class SlopeTanh:
    """Activation with its derivative beside it: backward gives f'(x)."""

    def forward(self, x):
        return np.tanh(x)

    def backward(self, x):
        return 1 - np.tanh(x) ** 2


def slope(layer):
    x = normal(311, 6, 4)
    return (layer,), {"x": x}, Evidence(lambda: layer.forward(x).sum(), lambda: [layer.backward(x)], [x])


@case(RIGHT)
def blind_slope_object():
    return slope(SlopeTanh())


@case(WRONG, "at-input")
def blind_slope_object_takes_x_for_tanh():
    class Wrong(SlopeTanh):
        def backward(self, x):
            return 1 - x**2

    return slope(Wrong())


class Softmax:
    def forward(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        self.p = e / e.sum(axis=-1, keepdims=True)
        return self.p

    def backward(self, grad):
        out = np.empty_like(grad)
        for i, (p, g) in enumerate(zip(self.p, grad)):
            out[i] = (np.diag(p) - np.outer(p, p)) @ g
        return out


@case(RIGHT)
def blind_softmax_row_by_row():
    return simple(Softmax(), shape=(6, 4))


@case(WRONG, "softmax-diagonal")
def blind_softmax_like_a_sigmoid():
    class Wrong(Softmax):
        def backward(self, grad):
            return grad * self.p * (1 - self.p)

    return simple(Wrong(), shape=(6, 4))


@case(WRONG, "softmax-diagonal")
def blind_softmax_keeps_the_diagonal_of_its_jacobian():
    class Wrong(Softmax):
        def backward(self, grad):
            return np.array([np.diag(np.diag(p) - np.outer(p, p)) * g for p, g in zip(self.p, grad)])

    return simple(Wrong(), seed=304, shape=(7, 3))


@case(WRONG, "softmax-axis")
def blind_softmax_backward_sums_over_axis_0():
    class Wrong(Softmax):
        def backward(self, grad):
            return self.p * (grad - np.sum(grad * self.p, axis=0, keepdims=True))

    return simple(Wrong(), shape=(6, 4))


@case(BESIDE, "beside-loss")
def blind_softmax_leaves_its_slope_to_the_loss():
    class Through(Softmax):
        def backward(self, grad):
            return grad

    layer, x = Through(), normal(305, 6, 4)
    y = one_hot(labels(306, 6, 4), 4)

    def gradients():
        return [layer.backward((layer.forward(x) - y) / len(y))]

    together = Evidence(lambda: -np.mean(np.log((layer.forward(x) * y).sum(axis=1))), gradients, [x])
    return (layer,), {"x": x}, of_layer(layer, x), together


# Dropout --------------------------------------------------------------------------------------------------------------


class Dropout:
    def __init__(self, p=0.4):
        self.p = p

    def forward(self, x, training=True):
        if not training:
            return x
        self.mask = (np.random.rand(*x.shape) > self.p) / (1 - self.p)
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


def reseed():
    np.random.seed(12)


@case(RIGHT)
def blind_dropout():
    return simple(Dropout(), prepare=reseed)


@case(WRONG, "dropout-scale")
def blind_dropout_backward_forgets_to_rescale():
    class Wrong(Dropout):
        def backward(self, dout):
            return dout * (self.mask > 0)

    return simple(Wrong(), prepare=reseed)


@case(WRONG, "dropout-scale")
def blind_dropout_draws_again_on_the_way_back():
    class Wrong(Dropout):
        def backward(self, dout):
            return dout * (np.random.rand(*dout.shape) > self.p) / (1 - self.p)

    return simple(Wrong(), prepare=reseed)


@case(WRONG, "dropout-scale")
def blind_dropout_never_makes_up_for_what_it_drops():
    class Wrong(Dropout):
        def forward(self, x, training=True):
            if not training:
                return x
            self.mask = np.random.rand(*x.shape) > self.p
            return x * self.mask

    layer, x = Wrong(), np.abs(normal(307, 8, 5)) + 1

    def average():
        reseed()
        return np.mean([layer.forward(x).mean() for _ in range(200)])

    return (layer,), {"x": x}, Differ(lambda: layer.forward(x, training=False).mean(), average)
