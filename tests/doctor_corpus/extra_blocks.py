"""Steps in time, embeddings, residuals, gates."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, normal, of_layer, of_pair


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x @ Wx + prev_h @ Wh + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


def rnn_step_backward(dnext_h, cache, slope=lambda h: 1 - h**2):
    x, prev_h, Wx, Wh, next_h = cache
    dz = dnext_h * slope(next_h)
    return dz @ Wx.T, dz @ Wh.T, x.T @ dz, prev_h.T @ dz, dz.sum(axis=0)


def rnn_step(backward, N=5, D=3, H=4):
    arrays = [normal(1, N, D), normal(2, N, H), normal(3, D, H), normal(4, H, H), normal(5, H)]
    names = ("prev_h", "Wx", "Wh", "b")
    given = {"x": arrays[0], "parameters": dict(zip(names, arrays[1:]))}
    return (rnn_step_forward, backward), given, of_pair(rnn_step_forward, backward, *arrays)


@case(RIGHT)
def recurrent_step():
    return rnn_step(rnn_step_backward)


@case(RIGHT)
def recurrent_step_square():
    return rnn_step(rnn_step_backward, 4, 4, 4)


@case(WRONG, "transposed")
def recurrent_step_goes_back_through_Wh_itself():
    def backward(dnext_h, cache):
        dx, _, dWx, dWh, db = rnn_step_backward(dnext_h, cache)
        return dx, dnext_h * (1 - cache[4] ** 2) @ cache[3], dWx, dWh, db

    return rnn_step(backward)


@case(WRONG, "missing-derivative")
def recurrent_step_without_the_slope_of_tanh():
    return rnn_step(lambda d, cache: rnn_step_backward(d, cache, slope=np.ones_like))


@case(WRONG, "wrong-input")
def recurrent_step_makes_dWh_from_the_next_state():
    def backward(dnext_h, cache):
        dx, dprev, dWx, _, db = rnn_step_backward(dnext_h, cache)
        return dx, dprev, dWx, cache[4].T @ (dnext_h * (1 - cache[4] ** 2)), db

    return rnn_step(backward)


# Embeddings, residuals, gates -----------------------------------------------------------------------------------------


class Embedding:
    def __init__(self, words=5, size=3):
        self.W = normal(6, words, size)

    def forward(self, idx):
        self.idx = idx
        return self.W[idx]

    def backward(self, dout):
        self.dW = np.zeros_like(self.W)
        np.add.at(self.dW, self.idx, dout)


def embedding(layer):
    idx = np.array([0, 3, 3, 1, 4, 3])
    dy = normal(7, 6, 3)

    def gradients():
        layer.forward(idx)
        layer.backward(dy)
        return [layer.dW]

    return (layer,), {"x": idx}, Evidence(lambda: (layer.forward(idx) * dy).sum(), gradients, [layer.W])


@case(RIGHT)
def embedding_with_repeated_words():
    return embedding(Embedding())


@case(WRONG, "unknown")
def embedding_keeps_the_last_of_repeated_words():
    class Wrong(Embedding):
        def backward(self, dout):
            self.dW = np.zeros_like(self.W)
            self.dW[self.idx] += dout

    return embedding(Wrong())


class Residual:
    """y = x + tanh(x W)."""

    def __init__(self, d=4):
        self.W = normal(8, d, d)

    def forward(self, x):
        self.x, self.h = x, np.tanh(x @ self.W)
        return x + self.h

    def backward(self, dy):
        dz = dy * (1 - self.h**2)
        self.dW = self.x.T @ dz
        return dy + dz @ self.W.T


def residual(layer):
    x = normal(9, 7, 4)
    return (layer,), {"x": x}, of_layer(layer, x, "W dW")


@case(RIGHT)
def residual_block():
    return residual(Residual())


@case(WRONG, ("unknown", "input-gradient"))
def residual_block_forgets_its_shortcut():
    class Wrong(Residual):
        def backward(self, dy):
            return super().backward(dy) - dy

    return residual(Wrong())


@case(WRONG, "transposed")
def residual_block_with_dW_turned():
    class Wrong(Residual):
        def backward(self, dy):
            dx = super().backward(dy)
            self.dW = self.dW.T
            return dx

    return residual(Wrong())


@case(RIGHT)
def gated_unit_of_two_matrices():
    class Gate:
        def __init__(self):
            self.params = {"Wg": normal(10, 5, 3), "Wv": normal(11, 5, 3)}
            self.grads = {}

        def forward(self, x):
            self.x, self.v = x, x @ self.params["Wv"]
            self.g = 1 / (1 + np.exp(-x @ self.params["Wg"]))
            return self.g * self.v

        def backward(self, dout):
            dg, dv = dout * self.v * self.g * (1 - self.g), dout * self.g
            self.grads["Wg"], self.grads["Wv"] = self.x.T @ dg, self.x.T @ dv
            return dg @ self.params["Wg"].T + dv @ self.params["Wv"].T

    layer, x, dy = Gate(), normal(12, 7, 5), normal(13, 7, 3)

    def gradients():
        layer.forward(x)
        return [layer.backward(dy), layer.grads["Wg"], layer.grads["Wv"]]

    return (layer,), {"x": x}, Evidence(lambda: (layer.forward(x) * dy).sum(), gradients, [x, *layer.params.values()])
