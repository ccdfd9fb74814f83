"""Layers as a well-known Japanese book writes them: `Affine`, a mask in place, `params` and `grads`, `train_flg`."""

import numpy as np

from .case import BESIDE, RIGHT, WRONG, case
from .evidence import Differ, Evidence, labels, normal, of_layer, one_hot


class Relu:
    def __init__(self):
        self.mask = None

    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0
        return dout


class Sigmoid:
    def __init__(self):
        self.out = None

    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, dout):
        return dout * (1.0 - self.out) * self.out


class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b
        self.x = self.shape = self.dW = self.db = None

    def forward(self, x):
        self.shape = x.shape
        self.x = x.reshape(x.shape[0], -1)
        return np.dot(self.x, self.W) + self.b

    def backward(self, dout):
        dx = np.dot(dout, self.W.T)
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return dx.reshape(*self.shape)


class Dropout:
    """Without rescaling in training; what is used later is rescaled instead."""

    def __init__(self, ratio=0.4):
        self.dropout_ratio = ratio
        self.mask = None

    def forward(self, x, train_flg=True):
        if train_flg:
            self.mask = np.random.rand(*x.shape) > self.dropout_ratio
            return x * self.mask
        return x * (1.0 - self.dropout_ratio)

    def backward(self, dout):
        return dout * self.mask


def simple(layer, seed=11, shape=(7, 5), **options):
    x = normal(seed, *shape)
    return (layer,), {"x": x}, of_layer(layer, x, **options)


def reseed():
    np.random.seed(4)


@case(RIGHT)
def book_relu_writes_into_dout():
    return simple(Relu())


@case(RIGHT)
def book_sigmoid():
    return simple(Sigmoid())


@case(RIGHT)
def book_affine_on_images():
    layer, x = Affine(normal(1, 12, 3), normal(2, 3)), normal(3, 5, 3, 2, 2)
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db")


@case(RIGHT)
def book_dropout_with_the_global_generator():
    return simple(Dropout(), prepare=reseed)


@case(WRONG, "dropout-scale")
def book_dropout_is_never_rescaled():
    class Wrong(Dropout):
        def forward(self, x, train_flg=True):
            return super().forward(x) if train_flg else x

    layer, x = Wrong(0.5), np.abs(normal(12, 7, 5)) + 1

    def average():
        reseed()
        return np.mean([layer.forward(x).mean() for _ in range(200)])

    return (layer,), {"x": x}, Differ(lambda: layer.forward(x, train_flg=False).mean(), average)


@case(WRONG, "dropout-scale")
def inverted_dropout_forgets_keep_on_the_way_back():
    class Wrong:
        def __init__(self, keep=0.7):
            self.keep = keep
            self.rng = np.random.default_rng(3)

        def forward(self, x, training=True):
            if not training:
                return x
            self.mask = self.rng.random(x.shape) < self.keep
            return x * self.mask / self.keep

        def backward(self, dout):
            return dout * self.mask

    layer = Wrong()

    def again():
        layer.rng = np.random.default_rng(3)

    return simple(layer, prepare=again)


@case(RIGHT)
def inverted_dropout_with_its_own_generator():
    class InvertedDropout:
        def __init__(self, p, seed):
            self.p = p
            self.rng = np.random.RandomState(seed)

        def forward(self, x, training=True):
            self.mask = (self.rng.rand(*x.shape) > self.p) / (1 - self.p) if training else np.ones_like(x)
            return x * self.mask

        def backward(self, dout):
            return dout * self.mask

    layer = InvertedDropout(0.3, 8)

    def again():
        layer.rng = np.random.RandomState(8)

    return simple(layer, prepare=again)


@case(WRONG, "at-input")
def book_sigmoid_keeps_x_and_uses_the_formula_of_out():
    class Wrong(Sigmoid):
        def forward(self, x):
            self.out = x
            return 1 / (1 + np.exp(-x))

    return simple(Wrong())


@case(WRONG, "at-output")
def sigmoid_prime_called_with_the_activation():
    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    def sigmoid_prime(z):
        return sigmoid(z) * (1 - sigmoid(z))

    class Wrong:
        def forward(self, z):
            self.a = sigmoid(z)
            return self.a

        def backward(self, da):
            return da * sigmoid_prime(self.a)

    return simple(Wrong())


class SoftmaxWithLoss:
    def forward(self, x, t):
        self.t = t
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / e.sum(axis=1, keepdims=True)
        return -np.sum(t * np.log(self.y + 1e-12)) / len(t)

    def backward(self, dout=1):
        return dout * (self.y - self.t) / self.t.shape[0]


@case(RIGHT)
def book_softmax_with_loss():
    loss, x, t = SoftmaxWithLoss(), normal(13, 7, 3), one_hot(labels(14, 7, 3), 3)

    def gradients():
        loss.forward(x, t)
        return [loss.backward()]

    return (loss,), {"x": x, "y": t}, Evidence(lambda: loss.forward(x, t), gradients, [x], kept=[t])


class Softmax:
    def forward(self, x):
        e = np.exp(x - np.max(x, axis=1, keepdims=True))
        self.out = e / np.sum(e, axis=1, keepdims=True)
        return self.out

    def backward(self, dout):
        dx = self.out * dout
        return dx - self.out * dx.sum(axis=1, keepdims=True)


@case(RIGHT)
def softmax_with_its_whole_jacobian():
    return simple(Softmax())


@case(WRONG, "softmax-axis")
def softmax_backward_sums_down_the_batch():
    class Wrong(Softmax):
        def backward(self, dout):
            dx = self.out * dout
            return dx - self.out * dx.sum(axis=0)

    return simple(Wrong())


@case(WRONG, "softmax-diagonal")
def softmax_with_p_times_one_minus_p():
    class Wrong(Softmax):
        def backward(self, dout):
            return dout * self.out * (1 - self.out)

    return simple(Wrong())


@case(BESIDE, "beside-loss")
def softmax_hands_dout_through():
    class Through(Softmax):
        def backward(self, dout):
            return dout  # p - y was taken in the loss already

    args, kwargs, alone = simple(Through())
    layer, x = args[0], kwargs["x"]
    t = one_hot(labels(15, 7, 5), 5)

    def gradients():
        p = layer.forward(x)
        return [layer.backward((p - t) / len(t))]

    together = Evidence(lambda: -(t * np.log(layer.forward(x))).sum() / len(t), gradients, [x])
    return args, kwargs, alone, together


@case(WRONG, ("cache-overwritten", "wrong-mask"))
def one_relu_object_for_both_hidden_layers():
    class TwoReluBlock:
        def __init__(self):
            self.first = Affine(normal(21, 4, 4), normal(22, 4))
            self.second = Affine(normal(23, 4, 4), normal(24, 4))
            self.relu = Relu()

        def forward(self, x):
            h = self.relu.forward(self.first.forward(x))
            return self.relu.forward(self.second.forward(h))

        def backward(self, dout):
            dout = self.second.backward(self.relu.backward(dout))
            return self.first.backward(self.relu.backward(dout))

    block = TwoReluBlock()
    x = normal(25, 7, 4)
    evidence = of_layer(block, x)
    places = [(layer, name) for layer in (block.first, block.second) for name in ("W", "b")]
    run = evidence.gradients

    def gradients():
        return [*run(), block.first.dW, block.first.db, block.second.dW, block.second.db]

    evidence.gradients, evidence.places = gradients, [x, *places]
    return (block,), {"x": x}, evidence
