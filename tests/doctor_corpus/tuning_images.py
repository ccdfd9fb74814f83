"""Images as (N, C, H, W) with loops and as (N, H, W, C) with windows: convolution, pooling; and normalisation."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .case import RIGHT, WRONG, case
from .evidence import Evidence, normal, of_layer, of_pair


def conv_forward(x, w, b):
    N, _, H, W = x.shape
    F, _, k, _ = w.shape
    out = np.zeros((N, F, H - k + 1, W - k + 1))
    for n in range(N):
        for f in range(F):
            for i in range(H - k + 1):
                for j in range(W - k + 1):
                    out[n, f, i, j] = np.sum(x[n, :, i : i + k, j : j + k] * w[f]) + b[f]
    return out, (x, w, b)


def conv_backward(dout, cache):
    x, w, _ = cache
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    N, F, H, W = dout.shape
    k = w.shape[2]
    for n in range(N):
        for f in range(F):
            for i in range(H):
                for j in range(W):
                    dx[n, :, i : i + k, j : j + k] += w[f] * dout[n, f, i, j]
                    dw[f] += x[n, :, i : i + k, j : j + k] * dout[n, f, i, j]
    return dx, dw, dout.sum(axis=(0, 2, 3))


def conv(backward):
    x, w, b = normal(1, 2, 2, 5, 4), normal(2, 3, 2, 2, 2), normal(3, 3)
    evidence = of_pair(conv_forward, backward, x, w, b)
    return (conv_forward, backward), {"x": x, "parameters": {"w": w, "b": b}}, evidence


@case(RIGHT)
def conv_with_loops():
    return conv(conv_backward)


@case(WRONG, "kernel-flip")
def conv_dx_with_the_kernel_turned():
    def backward(dout, cache):
        x, w, b = cache
        dx, _, _ = conv_backward(dout, (x, w[:, :, ::-1, ::-1], b))
        return dx, *conv_backward(dout, cache)[1:]

    return conv(backward)


class Conv2D:
    """One window view for all positions; images (N, H, W, C)."""

    def __init__(self, k, channels, filters):
        self.k = k
        self.W = normal(4, k, k, channels, filters)
        self.b = normal(5, filters)

    def forward(self, x):
        self.windows = sliding_window_view(x, (self.k, self.k), axis=(1, 2))  # (N, H', W', C, k, k)
        return np.einsum("nhwcij,ijcf->nhwf", self.windows, self.W) + self.b

    def turned(self):
        return self.W[::-1, ::-1]

    def backward(self, dout):
        self.dW = np.einsum("nhwcij,nhwf->ijcf", self.windows, dout)
        self.db = dout.sum(axis=(0, 1, 2))
        p = self.k - 1
        padded = np.pad(dout, ((0, 0), (p, p), (p, p), (0, 0)))
        windows = sliding_window_view(padded, (self.k, self.k), axis=(1, 2))
        return np.einsum("nhwfij,ijcf->nhwc", windows, self.turned())


def conv_layer(layer):
    x = normal(6, 2, 5, 4, 2)
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db")


@case(RIGHT)
def conv_channels_last():
    return conv_layer(Conv2D(2, 2, 3))


@case(WRONG, "kernel-flip")
def conv_channels_last_without_turning_the_kernel():
    class Wrong(Conv2D):
        def turned(self):
            return self.W

    return conv_layer(Wrong(3, 2, 2))


def max_pool_forward(x):
    N, C, H, W = x.shape
    tiles = x.reshape(N, C, H // 2, 2, W // 2, 2)
    return tiles.max(axis=3).max(axis=4), (x, tiles)


def max_pool_backward_to_the_first(dout, cache):
    x, _ = cache
    dx = np.zeros_like(x)
    N, C, H, W = dout.shape
    for n in range(N):
        for c in range(C):
            for i in range(H):
                for j in range(W):
                    window = x[n, c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
                    a, b = np.unravel_index(window.argmax(), window.shape)
                    dx[n, c, 2 * i + a, 2 * j + b] = dout[n, c, i, j]
    return dx


def max_pool(backward, relu):
    x = normal(7, 2, 3, 4, 6)
    x = np.maximum(x, 0) if relu else x  # behind a ReLU, windows of nothing but zeros are common
    return (max_pool_forward, backward), {"x": x}, of_pair(max_pool_forward, backward, x)


@case(RIGHT)
def max_pool_gives_the_first_of_equals_all():
    return max_pool(max_pool_backward_to_the_first, relu=True)


@case(RIGHT)
def max_pool_by_comparison_where_nothing_is_equal():
    def backward(dout, cache):
        x, tiles = cache
        largest = tiles == tiles.max(axis=(3, 5), keepdims=True)
        return (largest * dout[:, :, :, None, :, None]).reshape(x.shape)

    return max_pool(backward, relu=False)


@case(WRONG, "ties")
def max_pool_gives_all_equals_all():
    def backward(dout, cache):
        x, tiles = cache
        largest = tiles == tiles.max(axis=(3, 5), keepdims=True)
        return (largest * dout[:, :, :, None, :, None]).reshape(x.shape)

    return max_pool(backward, relu=True)


@case(WRONG, "ties")
def largest_feature_of_a_row_by_comparison():
    class RowMax:
        def forward(self, x):
            self.x = x
            self.m = x.max(axis=1, keepdims=True)
            return self.m

        def backward(self, dout):
            return np.where(self.x == self.m, dout, 0.0)

    layer, x = RowMax(), np.array([[2.0, 1, 2], [0, -1, -2], [3, 3, 3], [1, 4, 2], [5, 5, 0]])
    return (layer,), {"x": x}, of_layer(layer, x)


# Normalisation --------------------------------------------------------------------------------------------------------


def batchnorm_forward(x, gamma, beta):
    mean, var = x.mean(axis=0), x.var(axis=0)
    std = np.sqrt(var + 1e-5)
    xhat = (x - mean) / std
    return gamma * xhat + beta, (xhat, std, gamma)


def batchnorm_backward(dout, cache):
    xhat, std, gamma = cache
    dxhat = dout * gamma
    dx = (dxhat - dxhat.mean(axis=0) - xhat * (dxhat * xhat).mean(axis=0)) / std
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def batchnorm(backward):
    x, gamma, beta = normal(11, 7, 5), normal(12, 5), normal(13, 5)
    evidence = of_pair(batchnorm_forward, backward, x, gamma, beta)
    return (batchnorm_forward, backward), {"x": x, "parameters": {"gamma": gamma, "beta": beta}}, evidence


@case(RIGHT)
def batchnorm_in_three_terms():
    return batchnorm(batchnorm_backward)


@case(WRONG, "norm-terms")
def batchnorm_takes_mean_and_variance_for_constants():
    def backward(dout, cache):
        xhat, std, gamma = cache
        return dout * gamma / std, (dout * xhat).sum(axis=0), dout.sum(axis=0)

    return batchnorm(backward)


@case(WRONG, "mean-for-sum")
def batchnorm_dgamma_is_a_mean():
    def backward(dout, cache):
        dx, _, dbeta = batchnorm_backward(dout, cache)
        return dx, np.mean(dout * cache[0], axis=0), dbeta

    return batchnorm(backward)


class LayerNorm:
    def __init__(self, features):
        self.params = {"gamma": normal(14, features), "beta": np.zeros(features)}
        self.grads = {}

    def forward(self, x):
        mu = x.mean(axis=-1, keepdims=True)
        self.inv = 1 / np.sqrt(((x - mu) ** 2).mean(axis=-1, keepdims=True) + 1e-6)
        self.xhat = (x - mu) * self.inv
        return self.params["gamma"] * self.xhat + self.params["beta"]

    def backward(self, dy):
        self.grads["gamma"] = (dy * self.xhat).sum(axis=0)
        self.grads["beta"] = dy.sum(axis=0)
        g = dy * self.params["gamma"]
        return self.inv * (g - g.mean(axis=-1, keepdims=True) - self.xhat * self.through_variance(g))

    def through_variance(self, g):
        return (g * self.xhat).mean(axis=-1, keepdims=True)


def layer_norm(layer):
    x = normal(15, 7, 5)
    dy = normal(16, 7, 5)

    def gradients():
        layer.forward(x)
        return [layer.backward(dy), layer.grads["gamma"], layer.grads["beta"]]

    places = [x, (layer.params, "gamma"), (layer.params, "beta")]
    return (layer,), {"x": x}, Evidence(lambda: (layer.forward(x) * dy).sum(), gradients, places)


@case(RIGHT)
def layer_norm_with_params_and_grads():
    return layer_norm(LayerNorm(5))


@case(WRONG, "norm-terms")
def layer_norm_without_the_path_through_the_variance():
    class Wrong(LayerNorm):
        def through_variance(self, g):
            return 0

    return layer_norm(Wrong(5))


@case(RIGHT)
def batch_norm_object_with_running_means():
    class BatchNorm:
        def __init__(self, dim):
            self.gamma, self.beta = np.ones(dim), np.zeros(dim)
            self.running_mean, self.running_var = np.zeros(dim), np.ones(dim)
            self.dgamma = self.dbeta = None

        def forward(self, x, train=True):
            if not train:
                return self.gamma * (x - self.running_mean) / np.sqrt(self.running_var + 1e-5) + self.beta
            out, self.cache = batchnorm_forward(x, self.gamma, self.beta)
            self.running_mean = 0.9 * self.running_mean + 0.1 * x.mean(axis=0)
            self.running_var = 0.9 * self.running_var + 0.1 * x.var(axis=0)
            return out

        def backward(self, dout):
            dx, self.dgamma, self.dbeta = batchnorm_backward(dout, self.cache)
            return dx

    layer, x = BatchNorm(5), normal(17, 7, 5)
    return (layer,), {"x": x}, of_layer(layer, x, "gamma dgamma", "beta dbeta")
