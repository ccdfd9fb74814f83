"""Layer norm in its long form, batch norm and instance norm of images."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import normal, of_layer, of_pair


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


# Images ---------------------------------------------------------------------------------------------------------------


class SpatialNorm:
    """Batch norm of (N, C, H, W): one mean and one variance for each channel."""

    axes = (0, 2, 3)

    def __init__(self, C):
        self.gamma, self.beta = normal(9, 1, C, 1, 1) + 2, np.zeros((1, C, 1, 1))
        self.dgamma = self.dbeta = None

    def forward(self, x):
        mean = x.mean(axis=self.axes, keepdims=True)
        self.std = np.sqrt(x.var(axis=self.axes, keepdims=True) + 1e-5)
        self.xhat = (x - mean) / self.std
        return self.gamma * self.xhat + self.beta

    def through(self, d):
        along = (d * self.xhat).mean(axis=self.axes, keepdims=True)
        return (d - d.mean(axis=self.axes, keepdims=True) - self.xhat * along) / self.std

    def backward(self, dy):
        self.dgamma = (dy * self.xhat).sum(axis=(0, 2, 3), keepdims=True)
        self.dbeta = dy.sum(axis=(0, 2, 3), keepdims=True)
        return self.through(dy * self.gamma)


def spatial(layer):
    x = normal(10, 3, 2, 4, 5)
    return (layer,), {"x": x}, of_layer(layer, x, "gamma dgamma", "beta dbeta")


@case(RIGHT)
def spatial_batch_norm():
    return spatial(SpatialNorm(2))


@case(RIGHT)
def instance_norm():
    layer = SpatialNorm(2)
    layer.axes = (2, 3)
    return spatial(layer)


@case(WRONG, "norm-terms")
def spatial_batch_norm_without_the_mean_s_term():
    class Wrong(SpatialNorm):
        def through(self, d):
            return (d - self.xhat * (d * self.xhat).mean(axis=self.axes, keepdims=True)) / self.std

    return spatial(Wrong(2))


@case(WRONG, "norm-terms")
def instance_norm_averages_over_the_batch_too():
    class Wrong(SpatialNorm):
        axes = (2, 3)

        def through(self, d):
            mean, along = (a.mean(axis=(0, 2, 3), keepdims=True) for a in (d, d * self.xhat))
            return (d - mean - self.xhat * along) / self.std

    return spatial(Wrong(2))
