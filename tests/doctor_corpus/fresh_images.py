"""Convolution and pooling with plain loops, and norms over the batch and over the features."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import normal, of_layer, of_pair


class Conv2D:
    """x (N, C, H, W), filters (F, C, k, k), with padding."""

    def __init__(self, channels, filters, k=3, pad=1):
        self.W, self.b = normal(501, filters, channels, k, k) * 0.5, normal(502, filters)
        self.k, self.pad = k, pad

    def forward(self, x):
        p, k = self.pad, self.k
        self.x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        N, _, H, W = self.x.shape
        out = np.zeros((N, len(self.b), H - k + 1, W - k + 1))
        for i in range(H - k + 1):
            for j in range(W - k + 1):
                patch = self.x[:, :, i : i + k, j : j + k]
                out[:, :, i, j] = np.tensordot(patch, self.W, axes=([1, 2, 3], [1, 2, 3])) + self.b
        return out

    def kernel(self):
        return self.W

    def backward(self, dout):
        p, k = self.pad, self.k
        dx, self.dW, self.db = np.zeros_like(self.x), np.zeros_like(self.W), dout.sum(axis=(0, 2, 3))
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                d = dout[:, :, i, j]
                self.dW += np.tensordot(d, self.x[:, :, i : i + k, j : j + k], axes=(0, 0))
                dx[:, :, i : i + k, j : j + k] += np.tensordot(d, self.kernel(), axes=(1, 0))
        return dx[:, :, p : dx.shape[2] - p, p : dx.shape[3] - p]


def conv(layer, shape=(2, 2, 4, 4)):
    x = normal(503, *shape)
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db")


@case(RIGHT)
def blind_conv():
    return conv(Conv2D(2, 3))


@case(RIGHT)
def blind_conv_without_padding():
    return conv(Conv2D(1, 2, k=2, pad=0), (3, 1, 4, 5))


@case(WRONG, "kernel-flip")
def blind_conv_turns_its_kernel_while_scattering():
    class Wrong(Conv2D):
        def kernel(self):
            return self.W[:, :, ::-1, ::-1]

    return conv(Wrong(2, 3))


@case(WRONG, "bias-axis")
def blind_conv_bias_keeps_one_axis_too_many():
    class Wrong(Conv2D):
        def backward(self, dout):
            dx = super().backward(dout)
            self.db = dout.sum(axis=(0, 2))
            return dx

    return conv(Wrong(2, 3))


@case(WRONG, "input-gradient")
def blind_conv_gives_the_padded_dx():
    class Wrong(Conv2D):
        def backward(self, dout):
            dx = super().backward(dout)
            p = self.pad
            return np.pad(dx, ((0, 0), (0, 0), (p, p), (p, p)))

    return conv(Wrong(2, 3))


def correlate(x, k):
    H, W = x.shape[0] - k.shape[0] + 1, x.shape[1] - k.shape[1] + 1
    return np.array([[np.sum(x[i : i + k.shape[0], j : j + k.shape[1]] * k) for j in range(W)] for i in range(H)])


def one_channel_forward(x, w):
    return correlate(x, w), (x, w)


def one_channel(flip):
    def backward(dout, cache):
        x, w = cache
        p, q = w.shape[0] - 1, w.shape[1] - 1
        wide = np.pad(dout, ((p, p), (q, q)))
        return correlate(wide, np.flip(w) if flip else w), correlate(x, dout)

    x, w = normal(504, 6, 5), normal(505, 3, 3)
    return (
        (one_channel_forward, backward),
        {"x": x, "parameters": {"w": w}},
        of_pair(one_channel_forward, backward, x, w),
    )


@case(RIGHT)
def blind_one_channel_full_convolution():
    return one_channel(flip=True)


@case(WRONG, "kernel-flip")
def blind_one_channel_without_turning():
    return one_channel(flip=False)


class MaxPool:
    """Windows of 2 by 2, side by side."""

    def forward(self, x):
        N, C, H, W = x.shape
        self.windows = x.reshape(N, C, H // 2, 2, W // 2, 2)
        self.out = self.windows.max(axis=(3, 5))
        return self.out

    def backward(self, dout):
        N, C, H, _, W, _ = self.windows.shape
        flat = self.windows.transpose(0, 1, 2, 4, 3, 5).reshape(N, C, H, W, 4)
        mask = np.eye(4)[flat.argmax(axis=-1)] * dout[..., None]
        return mask.reshape(N, C, H, W, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(N, C, 2 * H, 2 * W)


def pool(layer, tied=False):
    x = normal(506, 2, 2, 4, 4)
    x = np.round(x * 0.8) if tied else x
    return (layer,), {"x": x}, of_layer(layer, x)


class PoolOfMasks(MaxPool):
    def backward(self, dout):
        mask = self.windows == self.out[:, :, :, None, :, None]
        N, C, H, _, W, _ = mask.shape
        return (mask * dout[:, :, :, None, :, None]).reshape(N, C, 2 * H, 2 * W)


@case(RIGHT)
def blind_pool():
    return pool(MaxPool())


@case(RIGHT)
def blind_pool_by_masks_without_ties():
    return pool(PoolOfMasks())


@case(WRONG, "ties")
def blind_pool_by_masks_with_ties():
    return pool(PoolOfMasks(), tied=True)


@case(WRONG, "ties")
def blind_max_of_rows_with_ties():
    class RowMax:
        def forward(self, x):
            self.x, self.out = x, x.max(axis=1, keepdims=True)
            return self.out

        def backward(self, dout):
            return (self.x == self.out) * dout

    layer, x = RowMax(), np.maximum(0, normal(507, 6, 5)) * np.array([[1], [0], [1], [0], [1], [0]])
    return (layer,), {"x": x}, of_layer(layer, x)


@case(WRONG, ("factor", "forgot-n"))
def blind_average_pool_forgets_its_quarter():
    class AvgPool:
        def forward(self, x):
            N, C, H, W = x.shape
            return x.reshape(N, C, H // 2, 2, W // 2, 2).mean(axis=(3, 5))

        def backward(self, dout):
            return dout.repeat(2, axis=2).repeat(2, axis=3)

    return pool(AvgPool())


# Norms ----------------------------------------------------------------------------------------------------------------


def norm_forward(axis):
    def forward(x, gamma, beta):
        mu = x.mean(axis=axis, keepdims=True)
        std = np.sqrt(x.var(axis=axis, keepdims=True) + 1e-5)
        xhat = (x - mu) / std
        return gamma * xhat + beta, (xhat, std, gamma)

    return forward


def norm(axis, through):
    def backward(dout, cache):
        xhat, std, gamma = cache
        return through(dout * gamma, xhat, std), np.sum(dout * xhat, axis=0), np.sum(dout, axis=0)

    forward = norm_forward(axis)
    x, gamma, beta = 2 * normal(511, 9, 4) + 1, normal(512, 4), normal(513, 4)
    kwargs = {"x": x, "parameters": {"gamma": gamma, "beta": beta}}
    return (forward, backward), kwargs, of_pair(forward, backward, x, gamma, beta)


def whole(axis):
    def through(d, xhat, std):
        return (d - d.mean(axis=axis, keepdims=True) - xhat * (d * xhat).mean(axis=axis, keepdims=True)) / std

    return through


@case(RIGHT)
def blind_batchnorm_functions():
    return norm(0, whole(0))


@case(RIGHT)
def blind_layernorm_functions():
    return norm(1, whole(1))


@case(WRONG, "norm-terms")
def blind_batchnorm_only_divides_by_std():
    return norm(0, lambda d, xhat, std: d / std)


@case(WRONG, "norm-terms")
def blind_batchnorm_leaves_out_the_mean():
    return norm(0, lambda d, xhat, std: (d - xhat * np.mean(d * xhat, axis=0)) / std)


@case(WRONG, "norm-terms")
def blind_layernorm_leaves_out_the_variance():
    return norm(1, lambda d, xhat, std: (d - d.mean(axis=1, keepdims=True)) / std)


@case(WRONG, "mean-for-sum")
def blind_batchnorm_averages_dbeta():
    right = norm(0, whole(0))
    forward, inner = right[0]

    def backward(dout, cache):
        dx, dgamma, _ = inner(dout, cache)
        return dx, dgamma, dout.mean(axis=0)

    x, p = right[1]["x"], right[1]["parameters"]
    return (forward, backward), right[1], of_pair(forward, backward, x, p["gamma"], p["beta"])
