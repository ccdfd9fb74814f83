"""Steps in time, embeddings, residuals, gates, norms with gains, dropout in three wordings, layers used twice."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Differ, Evidence, normal, of_layer, of_pair


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


# Norms of rows --------------------------------------------------------------------------------------------------------


def norm_forward(x, gain, shift):
    mu = x.mean(-1, keepdims=True)
    centred = x - mu
    inv = 1 / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-8)
    return centred * inv * gain + shift, (centred, inv, gain)


def norm_backward(dout, cache, mean_term=True):
    centred, inv, gain = cache
    d = dout * gain
    dvar = (-0.5 * d * centred * inv**3).sum(-1, keepdims=True)
    dmu = (-d * inv).sum(-1, keepdims=True)
    D = d.shape[-1]
    dx = d * inv + 2 * dvar * centred / D + (dmu / D if mean_term else 0)
    return dx, (dout * centred * inv).sum(0), dout.sum(0)


def norm(backward):
    arrays = [normal(14, 7, 5), normal(15, 5), normal(16, 5)]
    given = {"x": arrays[0], "parameters": {"gain": arrays[1], "shift": arrays[2]}}
    return (norm_forward, backward), given, of_pair(norm_forward, backward, *arrays)


@case(RIGHT)
def layer_norm_in_long_form():
    return norm(norm_backward)


@case(WRONG, "norm-terms")
def layer_norm_in_long_form_without_dmu():
    return norm(lambda dout, cache: norm_backward(dout, cache, mean_term=False))


@case(WRONG, "norm-terms")
def layer_norm_dgain_without_the_spread():
    def backward(dout, cache):
        dx, _, dshift = norm_backward(dout, cache)
        return dx, (dout * cache[0]).sum(0), dshift

    return norm(backward)


@case(WRONG, "bias-axis")
def layer_norm_dshift_over_the_features():
    def backward(dout, cache):
        dx, dgain, _ = norm_backward(dout, cache)
        return dx, dgain, dout.sum(1)

    return norm(backward)


@case(WRONG, "norm-terms")
def layer_norm_leaves_out_its_gain():
    def backward(dout, cache):
        centred, inv, gain = cache
        return norm_backward(dout, (centred, inv, np.ones_like(gain)))

    return norm(backward)


# Dropout --------------------------------------------------------------------------------------------------------------


class Dropout:
    def __init__(self, p=0.4):
        self.p = p
        self.rng = np.random.RandomState(0)

    def forward(self, x, is_training=True):
        if not is_training:
            return x
        self.mask = (self.rng.random_sample(x.shape) >= self.p) / (1 - self.p)
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


def dropout(layer):
    x = normal(17, 7, 5)
    reset = layer.rng.get_state()
    evidence = of_layer(layer, x, prepare=lambda: layer.rng.set_state(reset))
    layer.rng.set_state(reset)
    return (layer,), {"x": x}, evidence


@case(RIGHT)
def dropout_with_a_random_state():
    return dropout(Dropout())


@case(WRONG, "dropout-scale")
def dropout_with_a_random_state_forgets_its_mask():
    class Wrong(Dropout):
        def backward(self, grad):
            return grad / (1 - self.p)

    return dropout(Wrong())


@case(WRONG, "dropout-scale")
def dropout_multiplies_by_keep_on_the_way_back():
    class Wrong(Dropout):
        def backward(self, grad):
            return grad * (self.mask > 0) * (1 - self.p)

    return dropout(Wrong())


@case(WRONG, "dropout-scale")
def dropout_draws_a_new_mask_on_the_way_back():
    class Wrong(Dropout):
        def backward(self, grad):
            return grad * (self.rng.random_sample(grad.shape) >= self.p) / (1 - self.p)

    return dropout(Wrong())


@case(WRONG, "dropout-scale")
def dropout_with_a_random_state_never_rescales():
    class Wrong(Dropout):
        def forward(self, x, is_training=True):
            if not is_training:
                return x
            self.mask = self.rng.random_sample(x.shape) >= self.p
            return x * self.mask

    layer, x = Wrong(0.5), np.abs(normal(18, 7, 5)) + 1
    average = Differ(lambda: x.mean(), lambda: np.mean([layer.forward(x).mean() for _ in range(200)]))
    return (layer,), {"x": x}, average
