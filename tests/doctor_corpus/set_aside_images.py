"""Signals and pictures: 1-D convolution, windows as rows of a matrix, pooling by loops; two norms."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, normal


class Filter:
    """One kernel slid over rows of length T: cross-correlation, or a true convolution if `flipped`."""

    def __init__(self, width=3, flipped=False):
        self.k = normal(501, width)
        self.flipped = flipped

    def forward(self, x):
        self.x = x
        k = self.k[::-1] if self.flipped else self.k
        return np.stack([np.correlate(row, k, mode="valid") for row in x])

    def backward(self, dy):
        dk = sum(np.correlate(row, d, mode="valid") for row, d in zip(self.x, dy, strict=True))
        self.dk = dk[::-1] if self.flipped else dk
        return self.spread(dy)

    def spread(self, dy):
        k = self.k[::-1] if self.flipped else self.k
        return np.stack([np.convolve(d, k, mode="full") for d in dy])


def signal(layer, x, *names):
    dy = normal(502, *layer.forward(x.copy()).shape)

    def gradients():
        layer.forward(x)
        return [layer.backward(dy.copy()), *(getattr(layer, "d" + name) for name in names)]

    places = [x, *((layer, name) for name in names)]
    return (layer,), {"x": x}, Evidence(lambda: np.vdot(layer.forward(x), dy), gradients, places)


@case(RIGHT)
def filter_by_correlation():
    return signal(Filter(), normal(503, 5, 11), "k")


@case(RIGHT)
def filter_by_true_convolution():
    return signal(Filter(flipped=True), normal(503, 3, 7), "k")


@case(WRONG, "kernel-flip")
def filter_sends_back_by_correlation():
    class Faulty(Filter):
        def spread(self, dy):
            return np.stack([np.correlate(d, self.k, mode="full") for d in dy])

    return signal(Faulty(), normal(503, 5, 11), "k")


class ConvAsMatrix:
    """im2col, stride 2, padding 1; images (N, C, H, W), weights (F, C k k)."""

    def __init__(self, channels=2, filters=3, k=3):
        self.k, self.stride, self.pad = k, 2, 1
        self.w = normal(504, filters, channels * k * k)
        self.b = normal(505, filters)

    def positions(self, length):
        return range(0, length + 2 * self.pad - self.k + 1, self.stride)

    def forward(self, x):
        self.shape, p, k = x.shape, self.pad, self.k
        big = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        N, _, H, W = x.shape
        self.columns = np.stack(
            [big[:, :, i : i + k, j : j + k].reshape(N, -1) for i in self.positions(H) for j in self.positions(W)], 1
        )
        out = self.columns @ self.w.T + self.b
        return out.transpose(0, 2, 1).reshape(N, len(self.w), len(self.positions(H)), -1)

    def bias_gradient(self, dout):
        return dout.sum(axis=(0, 2, 3))

    def kernel(self):
        return self.w

    def backward(self, dout):
        N, C, H, W = self.shape
        k, p = self.k, self.pad
        flat = dout.reshape(N, len(self.w), -1)
        self.dw = np.tensordot(flat, self.columns, axes=([0, 2], [0, 1]))
        self.db = self.bias_gradient(dout)
        dcolumns = (flat.transpose(0, 2, 1) @ self.kernel()).reshape(N, -1, C, k, k)
        big = np.zeros((N, C, H + 2 * p, W + 2 * p))
        for place, (i, j) in enumerate((i, j) for i in self.positions(H) for j in self.positions(W)):
            big[:, :, i : i + k, j : j + k] += dcolumns[:, place]
        return big[:, :, p:-p, p:-p]


def pictures():
    return normal(506, 2, 2, 5, 7)


@case(RIGHT)
def convolution_as_a_matrix_product():
    return signal(ConvAsMatrix(), pictures(), "w", "b")


@case(WRONG, "kernel-flip")
def convolution_as_a_matrix_product_with_its_kernel_turned():
    class Faulty(ConvAsMatrix):
        def kernel(self):
            return np.rot90(self.w.reshape(3, 2, 3, 3), 2, axes=(2, 3)).reshape(3, -1)

    return signal(Faulty(), pictures(), "w", "b")


@case(WRONG, "mean-for-sum")
def convolution_bias_by_the_mean_over_positions():
    class Faulty(ConvAsMatrix):
        def bias_gradient(self, dout):
            return dout.mean(axis=(0, 2, 3))

    return signal(Faulty(), pictures(), "w", "b")


class MaxPoolByLoops:
    """Images (N, H, W, C), windows of 2 x 2."""

    def forward(self, x):
        self.x = x
        n, h, w, c = x.shape
        out = np.empty((n, h // 2, w // 2, c))
        for i in range(h // 2):
            for j in range(w // 2):
                out[:, i, j] = x[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max(axis=(1, 2))
        self.out = out
        return out

    def backward(self, dout):
        dx = np.zeros_like(self.x)
        for i in range(dout.shape[1]):
            for j in range(dout.shape[2]):
                rows, cols = slice(2 * i, 2 * i + 2), slice(2 * j, 2 * j + 2)
                hit = self.x[:, rows, cols] == self.out[:, i : i + 1, j : j + 1]
                dx[:, rows, cols] = self.share(hit) * dout[:, i : i + 1, j : j + 1]
        return dx

    def share(self, hit):
        return hit / hit.sum(axis=(1, 2), keepdims=True)


def coarse():
    return np.round(normal(507, 2, 4, 6, 3))  # whole numbers, so that some windows hold their maximum twice


@case(RIGHT)
def pooling_shares_the_gradient_among_equals():
    return signal(MaxPoolByLoops(), coarse())


@case(WRONG, "ties")
def pooling_pays_every_equal_in_full():
    class Faulty(MaxPoolByLoops):
        def share(self, hit):
            return hit

    return signal(Faulty(), coarse())


class MaxOverTime:
    def forward(self, x):
        self.x = x
        return np.amax(x, axis=1)

    def backward(self, dy):
        return (self.x == self.x.max(axis=1, keepdims=True)).astype(float) * dy[:, None]


@case(RIGHT)
def largest_over_time_where_all_differ():
    return signal(MaxOverTime(), normal(508, 3, 7, 2))


@case(WRONG, "ties")
def largest_over_time_with_repeated_frames():
    x = normal(508, 3, 7, 2)
    x[:, 4:] = x[:, :3]
    return signal(MaxOverTime(), x)


@case(RIGHT)
def mean_over_positions():
    class GlobalAverage:
        def forward(self, x):
            self.shape = x.shape
            return x.mean(axis=(2, 3))

        def backward(self, dy):
            return np.broadcast_to(dy[:, :, None, None], self.shape) / (self.shape[2] * self.shape[3])

    return signal(GlobalAverage(), pictures())


# Norms ----------------------------------------------------------------------------------------------------------------


class MapNorm:
    """Batch norm of each channel over examples and positions; the moving averages are no parameters."""

    def __init__(self, channels):
        self.g, self.b = normal(511, channels) + 2, normal(512, channels)
        self.moving_mean, self.moving_var = np.zeros(channels), np.ones(channels)

    def forward(self, x, mode="train"):
        axes, wide = (0, 2, 3), (slice(None), None, None)
        mu, var = x.mean(axes), x.var(axes)
        if mode == "train":
            self.moving_mean += 0.1 * (mu - self.moving_mean)
            self.moving_var += 0.1 * (var - self.moving_var)
        else:
            mu, var = self.moving_mean, self.moving_var
        self.sigma = np.sqrt(var + 1e-4)[wide]
        self.centred = x - mu[wide]
        return self.g[wide] * self.centred / self.sigma + self.b[wide]

    def backward(self, dy):
        axes, wide = (0, 2, 3), (slice(None), None, None)
        m = dy.size // dy.shape[1]
        self.dg = (dy * self.centred / self.sigma).sum(axes)
        self.db = dy.sum(axes)
        d = dy * self.g[wide]
        dvar = (-0.5 * d * self.centred / self.sigma**3).sum(axes, keepdims=True)
        dmu = self.through_mean(d)
        return d / self.sigma + dvar * 2 * self.centred / m + dmu / m

    def through_mean(self, d):
        return (-d / self.sigma).sum((0, 2, 3), keepdims=True)


@case(RIGHT)
def map_norm_with_moving_averages():
    return signal(MapNorm(2), pictures(), "g", "b")


@case(WRONG, "norm-terms")
def map_norm_without_the_way_through_the_mean():
    class Faulty(MapNorm):
        def through_mean(self, d):
            return 0.0

    return signal(Faulty(2), pictures(), "g", "b")


class RMSNorm:
    def __init__(self, width):
        self.gain = normal(513, width) + 1

    def forward(self, x):
        self.r = np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-6)
        self.n = x / self.r
        return self.n * self.gain

    def backward(self, dy):
        self.dgain = np.einsum("nd,nd->d", dy, self.n)
        dn = dy * self.gain
        return (dn - self.n * np.mean(dn * self.n, axis=-1, keepdims=True)) / self.r


@case(RIGHT)
def rms_norm():
    return signal(RMSNorm(5), normal(514, 7, 5), "gain")


@case(WRONG, "norm-terms")
def rms_norm_takes_its_root_for_a_constant():
    class Faulty(RMSNorm):
        def backward(self, dy):
            super().backward(dy)
            return dy * self.gain / self.r

    return signal(Faulty(5), normal(514, 7, 5), "gain")
