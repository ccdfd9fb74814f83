"""Classroom layers: dense, activations, dropout, batch norm, pooling, as objects."""

import numpy as np

from .case import BESIDE, RIGHT, WRONG, case
from .evidence import Evidence, normal, of_layer


class FullyConnected:
    def __init__(self, fan_in, fan_out):
        rng = np.random.default_rng(31)
        self.params = {"W": rng.normal(0, 0.4, (fan_in, fan_out)), "b": rng.normal(0, 0.1, fan_out)}
        self.grads = {}

    def forward(self, inputs):
        self.inputs = inputs
        return np.dot(inputs, self.params["W"]) + self.params["b"]

    def backward(self, dout):
        self.grads["W"] = np.dot(self.inputs.T, dout)
        self.grads["b"] = np.sum(dout, axis=0)
        return np.dot(dout, self.params["W"].T)


def connected(layer, n=8):
    x = normal(32, n, layer.params["W"].shape[0])
    dy = normal(99, n, layer.params["W"].shape[1])

    def gradients():
        layer.forward(x)
        dx = layer.backward(dy.copy())
        return [dx, layer.grads["W"], layer.grads["b"]]

    places = [x, layer.params["W"], layer.params["b"]]
    return (layer,), {"x": x}, Evidence(lambda: (layer.forward(x) * dy).sum(), gradients, places)


@case(RIGHT)
def bl_connected():
    return connected(FullyConnected(4, 3))


@case(RIGHT)
def bl_connected_square():
    return connected(FullyConnected(4, 4), n=4)


@case(RIGHT)
def bl_connected_einsum():
    class Einsum(FullyConnected):
        def backward(self, dout):
            self.grads = {"W": np.einsum("ni,no->io", self.inputs, dout), "b": dout.sum(0)}
            return np.einsum("no,io->ni", dout, self.params["W"])

    return connected(Einsum(3, 5))


@case(WRONG, "transposed")
def bl_connected_dW_other_way_round():
    class Bad(FullyConnected):
        def backward(self, dout):
            dx = super().backward(dout)
            self.grads["W"] = np.dot(dout.T, self.inputs)
            return dx

    return connected(Bad(5, 5))


@case(WRONG, "mean-for-sum")
def bl_connected_db_mean():
    class Bad(FullyConnected):
        def backward(self, dout):
            dx = super().backward(dout)
            self.grads["b"] = np.mean(dout, axis=0)
            return dx

    return connected(Bad(4, 3))


@case(WRONG, "bias-axis")
def bl_connected_db_unsummed():
    class Bad(FullyConnected):
        def backward(self, dout):
            dx = super().backward(dout)
            self.grads["b"] = dout
            return dx

    return connected(Bad(4, 3))


@case(WRONG, "updated-first")
def bl_connected_steps_then_dx():
    class Bad(FullyConnected):
        def backward(self, dout, lr=0.1):
            self.grads["W"] = np.dot(self.inputs.T, dout)
            self.grads["b"] = np.sum(dout, axis=0)
            self.params["W"] -= lr * self.grads["W"]
            self.params["b"] -= lr * self.grads["b"]
            return np.dot(dout, self.params["W"].T)

    return connected(Bad(4, 3))


@case(WRONG, "accumulated")
def bl_connected_plus_equals():
    class Bad(FullyConnected):
        def backward(self, dout):
            self.grads["W"] = self.grads.get("W", 0) + self.inputs.T @ dout
            self.grads["b"] = self.grads.get("b", 0) + dout.sum(axis=0)
            return dout @ self.params["W"].T

    return connected(Bad(3, 2))


@case(WRONG, "factor")
def bl_connected_negative_dW():
    class Bad(FullyConnected):
        def backward(self, dout):
            dx = super().backward(dout)
            self.grads["W"] = -self.grads["W"]
            return dx

    return connected(Bad(4, 3))


@case(WRONG, "wrong-input")
def bl_connected_dW_from_own_output():
    class Bad(FullyConnected):
        def forward(self, inputs):
            self.inputs = super().forward(inputs)
            return self.inputs

    return connected(Bad(4, 4))


@case(WRONG, "input-gradient")
def bl_connected_returns_nothing():
    class Bad(FullyConnected):
        def backward(self, dout):
            super().backward(dout)

    return connected(Bad(4, 3))


class Activation:
    def forward(self, x):
        self.x = x
        self.out = self.f(x)
        return self.out

    def backward(self, dout):
        return dout * self.df()


def activation(f, df):
    layer = type("Act", (Activation,), {"f": lambda self, x: f(x), "df": lambda self: df(self.x, self.out)})()
    x = normal(33, 6, 4) * 1.5
    return (layer,), {"x": x}, of_layer(layer, x)


def sig(z):
    return 1 / (1 + np.exp(-z))


@case(RIGHT)
def bl_sigmoid():
    return activation(sig, lambda x, out: out * (1 - out))


@case(RIGHT)
def bl_tanh():
    return activation(np.tanh, lambda x, out: 1 - np.square(out))


@case(RIGHT)
def bl_leaky():
    return activation(lambda x: np.where(x > 0, x, 0.01 * x), lambda x, out: np.where(x > 0, 1, 0.01))


@case(RIGHT)
def bl_elu():
    return activation(lambda x: np.where(x > 0, x, np.exp(x) - 1), lambda x, out: np.where(x > 0, 1, out + 1))


@case(RIGHT)
def bl_softplus():
    return activation(lambda x: np.log(1 + np.exp(x)), lambda x, out: sig(x))


@case(WRONG, "at-input")
def bl_sigmoid_x_one_minus_x():
    return activation(sig, lambda x, out: x * (1 - x))


@case(WRONG, "at-output")
def bl_sigmoid_of_sigmoid():
    return activation(sig, lambda x, out: sig(out) * (1 - sig(out)))


@case(WRONG, "at-input")
def bl_tanh_one_minus_x_squared():
    return activation(np.tanh, lambda x, out: 1 - x**2)


@case(WRONG, "missing-derivative")
def bl_sigmoid_passes_through():
    return activation(sig, lambda x, out: 1)


@case(WRONG, "extra-derivative")
def bl_sigmoid_slope_squared():
    return activation(sig, lambda x, out: (out * (1 - out)) ** 2)


@case(WRONG, "wrong-mask")
def bl_relu_mask_flipped():
    return activation(lambda x: np.maximum(x, 0), lambda x, out: x <= 0)


class Softmax:
    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        return self.p

    def backward(self, dout):
        return self.p * (dout - (dout * self.p).sum(axis=1, keepdims=True))


def softmax(layer):
    x = normal(34, 6, 4)
    return (layer,), {"x": x}, of_layer(layer, x)


@case(RIGHT)
def bl_softmax():
    return softmax(Softmax())


@case(RIGHT)
def bl_softmax_jacobian_loop():
    class Loop(Softmax):
        def backward(self, dout):
            dx = np.zeros_like(dout)
            for i, (p, d) in enumerate(zip(self.p, dout, strict=True)):
                dx[i] = (np.diag(p) - np.outer(p, p)) @ d
            return dx

    return softmax(Loop())


@case(WRONG, "softmax-diagonal")
def bl_softmax_like_sigmoid():
    class Bad(Softmax):
        def backward(self, dout):
            return dout * self.p * (1 - self.p)

    return softmax(Bad())


@case(WRONG, "softmax-axis")
def bl_softmax_sum_down_columns():
    class Bad(Softmax):
        def backward(self, dout):
            return self.p * (dout - (dout * self.p).sum(axis=0, keepdims=True))

    return softmax(Bad())


class Dropout:
    def __init__(self, p_drop=0.4):
        self.p_drop = p_drop

    def forward(self, x, training=True):
        if not training:
            return x
        self.mask = (np.random.rand(*x.shape) > self.p_drop) / (1 - self.p_drop)
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


def dropout(layer):
    x = normal(35, 12, 6)
    return (layer,), {"x": x}, of_layer(layer, x, prepare=lambda: np.random.seed(5))


@case(RIGHT)
def bl_dropout():
    return dropout(Dropout())


@case(WRONG, "dropout-scale")
def bl_dropout_mask_unscaled_backwards():
    class Bad(Dropout):
        def backward(self, dout):
            return dout * (self.mask > 0)

    return dropout(Bad())


@case(WRONG, "dropout-scale")
def bl_dropout_fresh_mask_backwards():
    class Bad(Dropout):
        def backward(self, dout):
            return dout * (np.random.rand(*dout.shape) > self.p_drop) / (1 - self.p_drop)

    return dropout(Bad())


class BatchNorm:
    def __init__(self, d):
        self.gamma = 1 + 0.3 * normal(36, d)
        self.beta = normal(37, d)

    def forward(self, x):
        self.std = np.sqrt(x.var(axis=0) + 1e-5)
        self.xhat = (x - x.mean(axis=0)) / self.std
        return self.gamma * self.xhat + self.beta

    def backward(self, dout):
        self.dgamma = (dout * self.xhat).sum(axis=0)
        self.dbeta = dout.sum(axis=0)
        g = dout * self.gamma
        return (g - g.mean(axis=0) - self.xhat * (g * self.xhat).mean(axis=0)) / self.std


def norm(layer):
    x = 2 * normal(38, 9, 4) + 1
    return (layer,), {"x": x}, of_layer(layer, x, "gamma dgamma", "beta dbeta")


@case(RIGHT)
def bl_batchnorm():
    return norm(BatchNorm(4))


@case(WRONG, "norm-terms")
def bl_batchnorm_statistics_constant():
    class Bad(BatchNorm):
        def backward(self, dout):
            super().backward(dout)
            return dout * self.gamma / self.std

    return norm(Bad(4))


@case(WRONG, "norm-terms")
def bl_batchnorm_without_variance_path():
    class Bad(BatchNorm):
        def backward(self, dout):
            super().backward(dout)
            g = dout * self.gamma
            return (g - g.mean(axis=0)) / self.std

    return norm(Bad(4))


class MaxPool:
    def forward(self, x):
        n, c, h, w = x.shape
        self.shape = x.shape
        win = x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, h // 2, w // 2, 4)
        self.win, self.arg = win, win.argmax(axis=-1)
        return win.max(axis=-1)

    def choose(self):
        return np.eye(4)[self.arg]

    def backward(self, dout):
        n, c, h, w = self.shape
        d = (self.choose() * dout[..., None]).reshape(n, c, h // 2, w // 2, 2, 2)
        return d.transpose(0, 1, 2, 4, 3, 5).reshape(self.shape)


def pool(layer):
    x = np.random.default_rng(39).permutation(64).reshape(2, 2, 4, 4) / 10
    x[0, 0, :2, :2] = 3.0
    return (layer,), {"x": x}, of_layer(layer, x)


@case(RIGHT)
def bl_maxpool():
    return pool(MaxPool())


@case(WRONG, "ties")
def bl_maxpool_equality_mask():
    class Bad(MaxPool):
        def choose(self):
            return self.win == self.win.max(axis=-1, keepdims=True)

    return pool(Bad())


@case(BESIDE, "beside-loss")
def bl_connected_means_for_itself():
    class Own(FullyConnected):
        def backward(self, dout):
            m = len(dout)
            self.grads = {"W": self.inputs.T @ dout / m, "b": dout.sum(axis=0) / m}
            return dout @ self.params["W"].T

    args, kwargs, alone = connected(Own(4, 2))
    both = Evidence(lambda: alone.value() / 8, lambda: alone.gradients()[1:], alone.places[1:])
    return args, kwargs, alone, both
