"""Pooling: one number for a whole patch, so that images become smaller and small shifts matter less."""

from __future__ import annotations

import numpy as np

from chainrule.errors import ConfigurationError
from chainrule.layers.layer import Array, Cache, Layer, Shape
from chainrule.layers.patches import (
    Pair,
    Window,
    both,
    check_images,
    col2im,
    fit_window,
    im2col,
    padding_or_word,
    whole_or_pair,
)


class MaxPool2D(Layer):
    """The largest value of each patch, for every channel by itself.

    Shapes      x (N, H, W, C)    y (N, H_out, W_out, C)    cache: x, y
    Forward     each y is the largest x of its patch; padding is never the largest
    Backward    dx: each dy goes to the x that was the largest, to the first of them in reading order if several were
                (as in PyTorch), and is added where patches overlap
    Arguments   size     of the patch: a whole number or a pair (default 2)
                stride   pixels from one patch to the next: a whole number or a pair (default None: the size)
                padding  around the image: "valid" for none, "same" for ceil(H / stride) rows of y, a whole number or a
                         pair, less than the size (default "valid")
    Raises      ShapeError when built for images smaller than the patch, or in another layout than (N, H, W, C)
    Source      Ranzato, Huang, Boureau, LeCun 2007, CVPR

    >>> MaxPool2D(2)(np.array([[1.0, 5.0, 2.0, 0.0], [3.0, 4.0, 7.0, 7.0]]).reshape(1, 2, 4, 1))[0, :, :, 0]
    array([[5., 7.]])
    """

    def __init__(
        self, size: int | Pair = 2, *, stride: int | Pair | None = None, padding: str | int | Pair = "valid"
    ) -> None:
        self.size, self.stride, self.padding = _checked("MaxPool2D", size, stride, padding)

    def build(self, in_shape: Shape, rng: np.random.Generator) -> Shape:
        return (*_window(self, in_shape).places(*in_shape[:2]), in_shape[-1])

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        window = _window(self, x.shape[1:])
        patches = im2col(x, window, fill=-np.inf)
        y = patches[:, :, :, 0, 0].copy()
        for r, s in np.ndindex(window.size):
            np.maximum(y, patches[:, :, :, r, s], out=y)
        return y, (x, y)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        x, y = cache
        window = _window(self, x.shape[1:])
        patches = im2col(x, window, fill=-np.inf)
        dP = np.empty((*window.size, *y.shape), dy.dtype)
        unclaimed = np.ones(y.shape, np.bool_)
        for r, s in np.ndindex(window.size):
            largest = (patches[:, :, :, r, s] == y) & unclaimed  # y is this entry of its patch, and of no earlier one
            unclaimed &= ~largest
            np.multiply(dy, largest, out=dP[r, s])
        return col2im(dP.transpose(2, 3, 4, 0, 1, 5), x.shape, window)


class AvgPool2D(Layer):
    """The mean of each patch, for every channel by itself.

    Shapes      x (N, H, W, C)    y (N, H_out, W_out, C)    cache: the shape of x
    Forward     each y is the mean of the x in its patch; padding does not count, as in Keras (PyTorch counts it unless
                count_include_pad=False)
    Backward    dx: each dy, divided by the number of x in its patch, is added to all of them
    Arguments   size     of the patch: a whole number or a pair (default 2)
                stride   pixels from one patch to the next: a whole number or a pair (default None: the size)
                padding  around the image: "valid" for none, "same" for ceil(H / stride) rows of y, a whole number or a
                         pair, less than the size (default "valid")
    Raises      ShapeError when built for images smaller than the patch, or in another layout than (N, H, W, C)
    Source      LeCun and others 1989, NIPS 2, 396-404 (there with a weight for each channel)

    >>> AvgPool2D(2)(np.array([[1.0, 5.0, 2.0, 0.0], [2.0, 4.0, 7.0, 7.0]]).reshape(1, 2, 4, 1))[0, :, :, 0]
    array([[3., 4.]])
    """

    def __init__(
        self, size: int | Pair = 2, *, stride: int | Pair | None = None, padding: str | int | Pair = "valid"
    ) -> None:
        self.size, self.stride, self.padding = _checked("AvgPool2D", size, stride, padding)

    def build(self, in_shape: Shape, rng: np.random.Generator) -> Shape:
        return (*_window(self, in_shape).places(*in_shape[:2]), in_shape[-1])

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        window = _window(self, x.shape[1:])
        patches = im2col(x, window)
        y = patches[:, :, :, 0, 0].copy()
        for r, s in list(np.ndindex(window.size))[1:]:
            y += patches[:, :, :, r, s]
        y /= _counts(x.shape, window, x.dtype)
        return y, (x.shape,)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        (shape,) = cache
        window = _window(self, shape[1:])
        share = dy / _counts(shape, window, dy.dtype)  # y = sum of the patch / its count
        N, H_out, W_out, C = dy.shape
        dP = np.broadcast_to(share[:, :, :, None, None], (N, H_out, W_out, *window.size, C))
        return col2im(dP, shape, window)


class GlobalAvgPool2D(Layer):
    """The mean of each channel over the whole image: one row of features, whatever the size of the image.

    Shapes      x (N, H, W, C)    y (N, C)    cache: the shape of x
    Forward     each y is the mean of its channel over the H * W pixels
    Backward    dx: each dy / (H * W), for every pixel
    Raises      ShapeError when built for anything but (N, H, W, C)
    Source      Lin, Chen, Yan 2014, arXiv:1312.4400

    >>> GlobalAvgPool2D()(np.array([[1.0, 2.0], [3.0, 6.0]]).reshape(1, 2, 2, 1))
    array([[3.]])
    """

    def build(self, in_shape: Shape, rng: np.random.Generator) -> Shape:
        check_images(self.title(), in_shape)
        return in_shape[-1:]

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        check_images(self.title(), x.shape[1:])
        return x.mean(axis=(1, 2)), (x.shape,)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        ((N, H, W, C),) = cache
        return np.broadcast_to((dy / (H * W))[:, None, None], (N, H, W, C)).copy()  # y = sum of x / (H W)


def _checked(
    owner: str, size: int | Pair, stride: int | Pair | None, padding: str | int | Pair
) -> tuple[int | Pair, int | Pair | None, str | int | Pair]:
    """The arguments of a pooling layer, if every patch then holds at least one pixel."""
    size, padding = whole_or_pair(owner, "size", size, 1), padding_or_word(owner, padding)
    stride = None if stride is None else whole_or_pair(owner, "stride", stride, 1)
    if not isinstance(padding, str) and any(p >= s for p, s in zip(both(padding), both(size), strict=True)):
        raise ConfigurationError(
            f"{owner}: padding={padding} must be less than size={size}: a patch of padding alone has no value."
        )
    return size, stride, padding


def _window(layer: MaxPool2D | AvgPool2D, in_shape: Shape) -> Window:
    stride = layer.size if layer.stride is None else layer.stride
    return fit_window(layer.title(), in_shape, layer.size, stride, layer.padding)


def _counts(shape: Shape, window: Window, dtype: object) -> Array:
    """How many pixels each patch holds, padding not counted: (H_out, W_out, 1)."""
    ones = np.ones((1, *shape[1:3], 1), dtype)  # type: ignore[call-overload]
    return im2col(ones, window).sum(axis=(0, 3, 4, 5))[..., None]
