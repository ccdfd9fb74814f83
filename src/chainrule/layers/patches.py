"""Patches: what a window sees of an image from each of its places, and the way back. Convolution and pooling need both.

`im2col` reads every patch, `col2im` adds every patch back to where it was read: one is the adjoint of the other, which
is all that a backward pass through them needs to know. A pixel under several windows is read several times, so its
gradient is the sum over them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from chainrule.configurable import number
from chainrule.errors import ConfigurationError, ShapeError
from chainrule.layers.layer import Array, Shape

Pair = tuple[int, int]


class Window(NamedTuple):
    """A window of R x S pixels that moves over an image.

    >>> Window((3, 3), stride=(2, 2), padding=((1, 1), (1, 1))).places(7, 9)
    (4, 5)
    """

    size: Pair
    stride: Pair = (1, 1)  # pixels from one place to the next
    dilation: Pair = (1, 1)  # pixels from one entry of the window to the next
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0))  # rows above and below the image, columns left and right of it

    @property
    def span(self) -> Pair:
        """Pixels from the window's first entry to its last, both counted."""
        (R, S), (d_h, d_w) = self.size, self.dilation
        return (R - 1) * d_h + 1, (S - 1) * d_w + 1

    def places(self, H: int, W: int) -> Pair:
        """How many places it takes from top to bottom, and from left to right."""
        rows, columns = (
            (length + sum(padding) - span) // stride + 1
            for length, padding, span, stride in zip((H, W), self.padding, self.span, self.stride, strict=True)
        )
        return rows, columns


def im2col(x: Array, window: Window, fill: float = 0.0) -> Array:
    """Every patch that the window sees: patches[n, i, j, r, s, c] is under entry (r, s) of the window at place (i, j).

    The patches overlap, and this is a view that copies none of them. Reshaped to one row a patch it becomes the patch
    matrix, and each pixel is in it as often as the window sees it.

    Shapes      x (N, H, W, C)    patches (N, H_out, W_out, R, S, C)
    Arguments   fill: the value of the padding around the image (default 0)

    >>> x = np.arange(9).reshape(1, 3, 3, 1)
    >>> x[0, :, :, 0]
    array([[0, 1, 2],
           [3, 4, 5],
           [6, 7, 8]])
    >>> im2col(x, Window((2, 2))).reshape(4, 4)
    array([[0, 1, 3, 4],
           [1, 2, 4, 5],
           [3, 4, 6, 7],
           [4, 5, 7, 8]])
    """
    N, H, W, C = x.shape
    (top, bottom), (left, right) = window.padding
    if top or bottom or left or right:
        padded = np.full((N, top + H + bottom, left + W + right, C), fill, x.dtype)
        padded[:, top : top + H, left : left + W] = x
        x = padded
    patches = sliding_window_view(x, window.span, axis=(1, 2))  # (N, places down, places across, C, span, span)
    (s_h, s_w), (d_h, d_w) = window.stride, window.dilation
    return patches[:, ::s_h, ::s_w, :, ::d_h, ::d_w].transpose(0, 1, 2, 4, 5, 3)


def col2im(patches: Array, shape: Shape, window: Window) -> Array:
    """Adds every patch to the place it was read from: the adjoint of im2col, <im2col(x), p> = <x, col2im(p)>.

    One entry (r, s) of the window at a time: its pixels in all patches are the image seen through a grid, so the
    scatter-add is R * S sums of whole arrays. What belongs to the padding is dropped.

    Shapes      patches (N, H_out, W_out, R, S, C)    x (N, H, W, C), which is the shape to give

    >>> ones = np.ones((1, 2, 2, 2, 2, 1))
    >>> col2im(ones, (1, 3, 3, 1), Window((2, 2)))[0, :, :, 0]
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    """
    N, H, W, C = shape
    _, H_out, W_out, R, S, _ = patches.shape
    (top, bottom), (left, right) = window.padding
    (s_h, s_w), (d_h, d_w) = window.stride, window.dilation
    x = np.zeros((N, top + H + bottom, left + W + right, C), patches.dtype)
    for r, s in np.ndindex(R, S):
        down, across = slice(r * d_h, r * d_h + s_h * H_out, s_h), slice(s * d_w, s * d_w + s_w * W_out, s_w)
        x[:, down, across] += patches[:, :, :, r, s]
    return x[:, top : top + H, left : left + W]


# What a user says of a window, and whether it fits --------------------------------------------------------------------


def whole_or_pair(owner: str, name: str, value: Any, least: int) -> Any:
    """`value`, a whole number for both directions or a pair (down, across)."""
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise ConfigurationError(
                f"{owner}: {name} must be a whole number or a pair of them, (down, across), received {value!r}."
            )
        return tuple(whole_or_pair(owner, name, item, least) for item in value)
    return number(owner, name, value, f"[{least}, inf)", whole=True)


def padding_or_word(owner: str, value: Any) -> Any:
    """`value`, "valid", "same", a whole number or a pair."""
    if isinstance(value, str):
        if value not in ("valid", "same"):
            raise ConfigurationError(
                f"{owner}: padding must be 'valid' (none), 'same' (as many outputs as inputs at stride 1), a whole "
                f"number or a pair (down, across), received {value!r}."
            )
        return value
    return whole_or_pair(owner, "padding", value, 0)


def both(value: Any) -> Pair:
    """A whole number as a pair."""
    return (value, value) if isinstance(value, int) else value


def check_images(title: str, in_shape: Shape) -> None:
    """Raise ShapeError unless the shape of an example has rows, columns and channels."""
    if len(in_shape) == 3:
        return
    advice = {
        1: "Rows of numbers become images by a layer in front, such as Reshape(28, 28, 1).",
        2: "The axis of the channels is missing: give x[..., None], which has one channel.",
    }.get(len(in_shape), "Reshape x.")
    raise ShapeError(
        f"{title}: expected images of shape (N, H, W, C), received (N, {', '.join(map(str, in_shape))}). {advice}"
    )


def fit_window(title: str, in_shape: Shape, size: Any, stride: Any, padding: Any, dilation: Any = 1) -> Window:
    """The window for images of this shape, padding in pixels; ShapeError if it has no place in them.

    "same" gives ceil(H / stride) places; an odd row of padding goes below, and an odd column to the right.
    """
    check_images(title, in_shape)
    window = Window(both(size), both(stride), both(dilation))
    lengths = in_shape[:2]
    if padding == "same":
        each = []
        for length, step, span in zip(lengths, window.stride, window.span, strict=True):
            missing = max(0, (-(-length // step) - 1) * step + span - length)
            each.append((missing // 2, missing - missing // 2))
        window = window._replace(padding=(each[0], each[1]))
    elif padding != "valid":
        down, across = both(padding)
        window = window._replace(padding=((down, down), (across, across)))
    out = window.places(*lengths)
    if min(out) < 1:
        H, W = lengths
        around = "" if padding in ("valid", "same") else f" with padding {padding}"
        spread = "" if window.dilation == (1, 1) else f", spread over {window.span[0]} x {window.span[1]},"
        advice = "Choose a smaller window, padding='same', or fewer layers before it that shrink the image."
        if H in (1, 3, 4) and in_shape[2] == W > 4:
            advice = f"These look like images with the channels first: give x.transpose(0, 2, 3, 1). Or: {advice}"
        raise ShapeError(
            f"{title}: a window of {window.size[0]} x {window.size[1]} pixels{spread} does not fit into images of "
            f"{H} x {W}{around}: the output would be {max(0, out[0])} x "
            f"{max(0, out[1])}. {advice}"
        )
    return window
