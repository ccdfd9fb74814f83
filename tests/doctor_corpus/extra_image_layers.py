"""Convolutions with stride and padding, pooling of all kinds, norms of images; NCHW and NHWC."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import normal, of_layer, of_pair


def conv_forward(x, w, b, stride=2, pad=1):
    """By loops over the windows; x (N, C, H, W), w (F, C, k, k)."""
    N, _C, H, W = x.shape
    F, _, k, _ = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    Ho, Wo = (H + 2 * pad - k) // stride + 1, (W + 2 * pad - k) // stride + 1
    out = np.zeros((N, F, Ho, Wo))
    for i in range(Ho):
        for j in range(Wo):
            window = xp[:, :, i * stride : i * stride + k, j * stride : j * stride + k]
            out[:, :, i, j] = np.tensordot(window, w, axes=([1, 2, 3], [1, 2, 3])) + b
    return out, (x, w, b, stride, pad)


def conv_backward(dout, cache, kernel=lambda w: w, window_of=lambda window: window):
    x, w, _b, stride, pad = cache
    k = w.shape[2]
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dxp, dw = np.zeros_like(xp), np.zeros_like(w)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows, columns = slice(i * stride, i * stride + k), slice(j * stride, j * stride + k)
            d = dout[:, :, i, j]
            dw += np.tensordot(d, window_of(xp[:, :, rows, columns]), axes=([0], [0]))
            dxp[:, :, rows, columns] += np.tensordot(d, kernel(w), axes=([1], [0]))
    dx = dxp[:, :, pad : pad + x.shape[2], pad : pad + x.shape[3]]
    return dx, dw, dout.sum(axis=(0, 2, 3))


def conv(backward=conv_backward):
    x, w, b = normal(1, 2, 2, 5, 5), normal(2, 3, 2, 3, 3), normal(3, 3)
    evidence = of_pair(conv_forward, backward, x, w, b)
    return (conv_forward, backward), {"x": x, "parameters": {"w": w, "b": b}}, evidence


@case(RIGHT)
def conv_with_stride_and_padding():
    return conv()


@case(WRONG, "kernel-flip")
def conv_with_stride_turns_its_kernel():
    return conv(lambda dout, cache: conv_backward(dout, cache, kernel=lambda w: w[..., ::-1, ::-1]))


@case(WRONG, "kernel-flip")
def conv_with_stride_turns_the_windows_for_dw():
    return conv(lambda dout, cache: conv_backward(dout, cache, window_of=lambda x: x[..., ::-1, ::-1]))


@case(WRONG, "transposed")
def conv_with_stride_swaps_rows_and_columns_of_its_kernel():
    return conv(lambda dout, cache: conv_backward(dout, cache, kernel=lambda w: w.swapaxes(2, 3)))


@case(WRONG, "bias-axis")
def conv_db_summed_over_images_alone():
    def backward(dout, cache):
        dx, dw, _ = conv_backward(dout, cache)
        return dx, dw, dout.sum(axis=0)

    return conv(backward)


@case(WRONG, "mean-for-sum")
def conv_db_is_a_mean():
    def backward(dout, cache):
        dx, dw, _ = conv_backward(dout, cache)
        return dx, dw, dout.mean(axis=(0, 2, 3))

    return conv(backward)


@case(WRONG, "input-gradient")
def conv_gives_its_padding_back():
    def backward(dout, cache):
        dx, dw, db = conv_backward(dout, cache)
        return np.pad(dx, ((0, 0), (0, 0), (1, 1), (1, 1))), dw, db

    return conv(backward)


class Conv1D:
    """y[t] = sum_i w[i] x[t + i], one channel."""

    def __init__(self, k):
        self.w, self.b = normal(4, k), 0.3

    def forward(self, x):
        self.x = x
        k = len(self.w)
        return sum(self.w[i] * x[:, i : x.shape[1] - k + 1 + i] for i in range(k)) + self.b

    def kernel(self):
        return self.w

    def backward(self, dy):
        T, k, w = dy.shape[1], len(self.w), self.kernel()
        self.dw = np.array([(dy * self.x[:, i : i + T]).sum() for i in range(k)])
        self.db = float(dy.sum())
        dx = np.zeros_like(self.x)
        for i in range(k):
            dx[:, i : i + T] += w[i] * dy
        return dx


def conv1d(layer):
    x = normal(5, 3, 7)
    return (layer,), {"x": x}, of_layer(layer, x, "w dw", "b db")


@case(RIGHT)
def conv_of_a_signal():
    return conv1d(Conv1D(3))


@case(WRONG, "kernel-flip")
def conv_of_a_signal_turned():
    class Wrong(Conv1D):
        def kernel(self):
            return self.w[::-1]

    return conv1d(Wrong(3))


# Pooling --------------------------------------------------------------------------------------------------------------


class AvgPool:
    def __init__(self, size=2):
        self.size = size

    def forward(self, x):
        N, C, H, W = x.shape
        s = self.size
        self.shape = x.shape
        return x.reshape(N, C, H // s, s, W // s, s).mean(axis=(3, 5))

    def share(self):
        return self.size**2

    def backward(self, dout):
        s = self.size
        return dout.repeat(s, axis=2).repeat(s, axis=3) / self.share()


def pool(layer, shape=(2, 2, 4, 6)):
    x = normal(6, *shape)
    return (layer,), {"x": x}, of_layer(layer, x)


@case(RIGHT)
def average_pool():
    return pool(AvgPool())


@case(WRONG, "factor")
def average_pool_does_not_share():
    class Wrong(AvgPool):
        def share(self):
            return 1

    return pool(Wrong())


@case(RIGHT)
def global_average_pool():
    class GlobalAverage:
        def forward(self, x):
            self.shape = x.shape
            return x.mean(axis=(1, 2))

        def backward(self, dy):
            return np.ones(self.shape) * dy[:, None, None, :] / (self.shape[1] * self.shape[2])

    return pool(GlobalAverage(), (3, 4, 5, 2))


class OverlappingMax:
    """Windows of 3 with stride 2, NHWC."""

    def forward(self, x):
        self.x = x
        N, H, W, C = x.shape
        out = np.zeros((N, (H - 3) // 2 + 1, (W - 3) // 2 + 1, C))
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                out[:, i, j] = x[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3].max(axis=(1, 2))
        return out

    def put(self, target, values):
        target += values

    def backward(self, dy):
        dx = np.zeros_like(self.x)
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                rows, columns = slice(2 * i, 2 * i + 3), slice(2 * j, 2 * j + 3)
                window = self.x[:, rows, columns]
                mask = window == window.max(axis=(1, 2), keepdims=True)
                self.put(dx[:, rows, columns], mask * dy[:, i : i + 1, j : j + 1])
        return dx


@case(RIGHT)
def overlapping_max_pool():
    return pool(OverlappingMax(), (2, 5, 7, 2))


@case(WRONG, "ties")
def overlapping_max_pool_of_counts():
    layer = OverlappingMax()
    x = np.random.default_rng(7).integers(0, 3, (2, 5, 5, 1)).astype(float)
    return (layer,), {"x": x}, of_layer(layer, x)


@case(WRONG, "ties")
def max_over_time_by_comparison():
    class MaxOverTime:
        def forward(self, x):
            self.x, self.y = x, x.max(axis=1)
            return self.y

        def backward(self, dy):
            return (self.x == self.y[:, None]) * dy[:, None]

    layer, x = MaxOverTime(), np.maximum(normal(8, 3, 4, 5) - 1, 0)
    return (layer,), {"x": x}, of_layer(layer, x)
