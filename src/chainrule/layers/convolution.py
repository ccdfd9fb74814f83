"""Convolution: one small set of weights looks at every patch of an image, and im2col makes it a matrix product."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from chainrule.configurable import by_name, number
from chainrule.errors import ConfigurationError, ShapeError
from chainrule.initializers import INITIALIZERS, Initializer
from chainrule.layers.layer import Array, Cache, Layer, Shape
from chainrule.layers.patches import Pair, Window, col2im, fit_window, im2col, padding_or_word, whole_or_pair

BLOCK = 1 << 19  # numbers in the patches and outputs of a few images, 2 MB in float32: docs/decisions/0020


class Conv2D(Layer):
    """Each output pixel is a weighted sum over one patch of the input, with the same weights for every patch.

    A Linear layer on patches: it finds a pattern wherever it is, and has few weights. The kernel is not flipped (the
    field's convolution is what mathematics calls a cross-correlation).

    Shapes      x (N, H, W, C)    W (R, S, C / groups, F)    b (F,)    y (N, H_out, W_out, F)    cache: x
                H_out = floor((H + padding above and below - dilation * (R - 1) - 1) / stride) + 1; W_out likewise
    Forward     each row of the matrix P is one patch of x (im2col):    y = P W + b
    Backward    dW = P^T dy      db = sum of dy over all pixels
                dx: the patches dP = dy W^T, each added where it was read (col2im)
    Arguments   in_channels   C, or None to take it from the layer before
                out_channels  F
                kernel_size   R and S: a whole number or a pair (default 3)
                stride        pixels from one patch to the next: a whole number or a pair (default 1)
                padding       zeros around the image: "valid" for none, "same" for ceil(H / stride) rows of y (an odd
                              row of zeros goes below), a whole number or a pair (default "valid")
                dilation      pixels from one weight to the next: a whole number or a pair (default 1)
                groups        parts of the channels that do not see each other, first part to first part (default 1)
                initializer   of W: an Initializer or its name (default "he"); its fan-in is R * S * C / groups
                bias          starting value of every entry of b (default 0)
    Raises      ShapeError when built for images smaller than the window, of other channels, or in another layout
    Source      LeCun and others 1989, Neural Computation 1, 541-551; im2col: Chellapilla, Puri, Simard 2006, IWFHR

    >>> layer = Conv2D(1, 1, (1, 2))
    >>> layer.build((2, 3, 1), np.random.default_rng(0))
    (2, 2, 1)
    >>> layer.W = [[[[-1.0]], [[1.0]]]]  # right minus left: an edge
    >>> layer(np.array([[1.0, 1.0, 5.0], [2.0, 4.0, 4.0]]).reshape(1, 2, 3, 1))[0, :, :, 0]
    array([[0., 4.],
           [2., 0.]])
    """

    parameter_names = ("W", "b")
    decay_names = ("W",)

    W: Array
    b: Array
    dW: Array
    db: Array

    def __init__(
        self,
        in_channels: int | None = None,
        out_channels: int | None = None,
        kernel_size: int | Pair = 3,
        *,
        stride: int | Pair = 1,
        padding: str | int | Pair = "valid",
        dilation: int | Pair = 1,
        groups: int = 1,
        initializer: Initializer | str = "he",
        bias: float = 0.0,
    ) -> None:
        if in_channels is not None:
            in_channels = number("Conv2D", "in_channels", in_channels, "[1, inf)", whole=True)
        if out_channels is None:
            raise ConfigurationError("Conv2D: say both numbers of channels, Conv2D(1, 32), or Conv2D(out_channels=32).")
        self.in_channels = in_channels
        self.out_channels = number("Conv2D", "out_channels", out_channels, "[1, inf)", whole=True)
        self.kernel_size = whole_or_pair("Conv2D", "kernel_size", kernel_size, 1)
        self.stride = whole_or_pair("Conv2D", "stride", stride, 1)
        self.padding = padding_or_word("Conv2D", padding)
        self.dilation = whole_or_pair("Conv2D", "dilation", dilation, 1)
        self.groups = number("Conv2D", "groups", groups, "[1, inf)", whole=True)
        if self.out_channels % self.groups or (in_channels or 0) % self.groups:
            raise ConfigurationError(
                f"Conv2D: in_channels={in_channels} and out_channels={out_channels} must both be multiples of "
                f"groups={groups}."
            )
        by_name("initializer", initializer, INITIALIZERS, Initializer)  # a misspelt name is found here, not at build
        self.initializer = initializer
        self.bias = number("Conv2D", "bias", bias, "(-inf, inf)")

    def build(self, in_shape: Shape, rng: np.random.Generator) -> Shape:
        window, C, F = self.window(in_shape), in_shape[-1], self.out_channels
        if C % self.groups:
            raise ShapeError(
                f"{self.title()}: {C} channels cannot be parted into {self.groups} groups of one size. Choose a number "
                "of groups that divides them."
            )
        shape = (*window.size, C // self.groups, F)
        self.W = by_name("initializer", self.initializer, INITIALIZERS, Initializer)(rng, shape)
        self.b = np.full(F, float(self.bias))
        return (*window.places(*in_shape[:2]), F)

    def window(self, in_shape: Shape) -> Window:
        """The window for images of this shape; ShapeError if they do not fit this layer."""
        C = self.in_channels
        if C is not None and len(in_shape) == 3 and in_shape[-1] != C:
            advice = (
                "These look like images with the channels first: give x.transpose(0, 2, 3, 1)."
                if in_shape[0] == C and (C in (1, 3, 4) or in_shape[1] == in_shape[2])
                else f"The layer before gives {in_shape[-1]} channels: change it or this layer's in_channels."
            )
            raise ShapeError(
                f"{self.title()} ({C} -> {self.out_channels}): expected images of shape (N, H, W, {C}), received "
                f"(N, {', '.join(map(str, in_shape))}). {advice}"
            )
        return fit_window(self.title(), in_shape, self.kernel_size, self.stride, self.padding, self.dilation)

    def forward(self, x: Array, train: bool = False, rng: np.random.Generator | None = None) -> tuple[Array, Cache]:
        y = correlate(x, self.W, self.window(x.shape[1:]), self.groups, self.b)
        return y, (x,)

    def backward(self, dy: Array, cache: Cache, need_dx: bool = True) -> Array | None:
        (x,) = cache
        window, F = self.window(x.shape[1:]), self.out_channels
        dW, db = by_group(self.dW.reshape(-1, F), self.groups), self.db
        dW[...], db[...] = 0, 0
        for images in blocks(x.shape, window, dy.shape):
            P, rows = patch_matrix(x[images], window, self.groups), dy[images].reshape(-1, F)
            dW += P.swapaxes(1, 2) @ by_group(rows, self.groups)  # y = P W + b  =>  dL/dW = P^T dy
            db += np.ones(len(rows), dy.dtype) @ rows  # b is added to every pixel; a product is faster than sum()
        return scatter(dy, self.W, x.shape, window, self.groups) if need_dx else None


def correlate(x: Array, W: Array, window: Window, groups: int = 1, b: Array | None = None) -> Array:
    """The kernel laid on every patch: y = P W + b, a few images at a time."""
    F = W.shape[-1]
    y = np.empty((len(x), *window.places(*x.shape[1:3]), F), x.dtype)
    matrix = by_group(W.reshape(-1, F), groups)
    for images in blocks(x.shape, window, y.shape):
        P, rows = patch_matrix(x[images], window, groups), y[images].reshape(-1, F)
        np.matmul(P, matrix, out=by_group(rows, groups))
        if b is not None:
            rows += b
    return y


def scatter(dy: Array, W: Array, shape: Shape, window: Window, groups: int = 1) -> Array:
    """The adjoint of correlate: dx = col2im(dP) with dP = dy W^T, a few images at a time.

    At stride 1 a pixel of x gathers what R * S pixels of dy send it, and the kernel meets them in the opposite order: a
    correlation again, with W turned by half a turn. It copies R * S * F numbers for each pixel of x, where col2im makes
    R * S * C for each pixel of dy and adds them; measured, it is faster up to twice as many (docs/decisions/0020).
    """
    (R, S, _, F), C, G = W.shape, shape[-1], groups
    kernel = W.reshape(R, S, C // G, G, F // G)
    frame = [(span - 1 - a, span - 1 - b) for span, (a, b) in zip(window.span, window.padding, strict=True)]
    copies, sums = math.prod(shape[:3]) * F, math.prod(dy.shape[:3]) * C
    if window.stride == (1, 1) and min(*frame[0], *frame[1]) >= 0 and copies <= 2 * sums:
        turned = kernel[::-1, ::-1].transpose(0, 1, 4, 3, 2).reshape(R, S, F // G, C)
        return correlate(dy, turned, window._replace(padding=(frame[0], frame[1])), G)
    W_T = kernel.transpose(0, 1, 3, 4, 2)  # one for each (r, s) and group: dP lies in memory as col2im reads it
    dx = np.empty(shape, dy.dtype)
    for images in blocks(shape, window, dy.shape):
        dP = by_group(dy[images].reshape(-1, F), G) @ W_T  # (R, S, G, pixels of y, C / G)
        dP = dP.reshape(R, S, G, -1, *dy.shape[1:3], C // G).transpose(3, 4, 5, 0, 1, 2, 6)
        dx[images] = col2im(dP.reshape(*dP.shape[:5], C), dx[images].shape, window)
    return dx


def by_group(matrix: Array, groups: int) -> Array:
    """(M, F) as (groups, M, F / groups), a view."""
    return matrix.reshape(len(matrix), groups, -1).swapaxes(0, 1)


def blocks(shape: Shape, window: Window, out_shape: Shape) -> Iterator[slice]:
    """A few images at a time: the patches of all would leave the processor's cache before they are used."""
    (N, H_out, W_out, F), (R, S), C = out_shape, window.size, shape[-1]
    step = max(1, BLOCK // (H_out * W_out * (R * S * C + F)))
    return (slice(i, i + step) for i in range(0, N, step))


def patch_matrix(x: Array, window: Window, groups: int) -> Array:
    """One row a patch, for each group: P (groups, N * H_out * W_out, R * S * C / groups).

    Memory is copied fastest in long runs: along a row of the window, S * C numbers, or along a row of the output.
    """
    patches = im2col(x, window)
    N, H_out, W_out, R, S, C = patches.shape
    G, M = groups, N * H_out * W_out
    patches = patches.reshape(N, H_out, W_out, R, S, G, C // G)
    if W_out > S * C // G:
        return patches.transpose(5, 3, 4, 6, 0, 1, 2).reshape(G, -1, M).swapaxes(1, 2)
    return patches.transpose(5, 0, 1, 2, 3, 4, 6).reshape(G, M, -1)
