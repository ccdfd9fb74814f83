"""Grids of images: the data, what a network answers to them, and what its first layer looks for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chainrule.configurable import number
from chainrule.errors import ConfigurationError, ShapeError
from chainrule.layers import Conv2D, Linear
from chainrule.layers.layer import Array
from chainrule.network import Network
from chainrule.plots.canvas import GREEN, GREY, RED, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GAP = 0.08  # between the images of a grid; an image is 1 wide
LINE = 0.19  # height of a line of text below an image


def digits(
    images: npt.ArrayLike,
    labels: Sequence[Any] | Array | None = None,
    *,
    image_shape: tuple[int, int] | None = None,
    columns: int = 10,
    ax: Axes | None = None,
) -> Axes:
    """A grid of images, ink on paper, each with its label below.

    Shapes      images (N, H * W), (N, H, W) or (N, H, W, 1)    labels (N,)
    Arguments   labels       anything that can be written, or None (default)
                image_shape  (H, W); None: square (default)
                columns      of the grid (default 10)
                ax           None: a new figure (default)
    Raises      ShapeError if the images are not of that shape; MissingExtraError without matplotlib
    """
    pictures = _pictures(images, image_shape)
    texts = None if labels is None else _one_each("labels", labels, pictures)
    ax, corners = _grid(pictures, columns, 0 if texts is None else 1, ax, cmap="gray_r")
    if texts is not None:
        for (left, bottom), text in zip(corners, texts, strict=True):
            _below(ax, left, bottom, 0, str(text))
    return ax


def predictions(
    network: Network,
    x: npt.ArrayLike,
    y: npt.ArrayLike | None = None,
    *,
    image_shape: tuple[int, int] | None = None,
    columns: int = 5,
    ax: Axes | None = None,
) -> Axes:
    """Images with the network's answer and its confidence in it; with y, also whether it is right.

    A right answer has a green frame; a wrong one a red frame, a cross, and the true label in words.

    Shapes      x (N, H * W) or (N, H, W, 1), as the network takes it    y (N,)
    Arguments   network      that gives each image one of K classes
                image_shape  (H, W); None: square (default)
                columns      of the grid (default 5)
                ax           None: a new figure (default)
    Raises      ShapeError if the images are not of that shape; MissingExtraError without matplotlib
    """
    pictures = _pictures(x, image_shape)
    probabilities = network.predict_proba(x)
    names = network.class_names or range(probabilities.shape[1])
    truth = None if y is None else _one_each("y", y, pictures)
    ax, corners = _grid(pictures, columns, 1 if y is None else 2, ax, cmap="gray_r")
    for i, (left, bottom) in enumerate(corners):
        answer = int(probabilities[i].argmax())
        wrong = truth is not None and answer != truth[i]
        color = GREY if truth is None else RED if wrong else GREEN
        top = bottom - pictures.shape[1] / pictures.shape[2]
        ax.plot([left, left, left + 1, left + 1, left], [bottom, top, top, bottom, bottom], color=color, linewidth=2)
        percent = f"{100 * probabilities[i, answer]:.1f}".replace("100.0", ">99.9")
        text = f"{names[answer]}  ({percent} %)"
        _below(ax, left, bottom, 0, text, RED if wrong else "black")
        if truth is not None and wrong:
            ax.plot(left + 0.9, top + 0.1, "x", color=RED, markersize=8, markeredgewidth=2)
            _below(ax, left, bottom, 1, f"true {names[int(truth[i])]}", RED)
    return ax


def features(
    weights: Network | npt.ArrayLike,
    *,
    count: int = 32,
    image_shape: tuple[int, int] | None = None,
    columns: int = 8,
    ax: Axes | None = None,
) -> Axes:
    """What the units or filters of the first layer look for: weights as images, red for more ink, blue for less.

    All images share one colour scale, symmetric about zero, so that white is zero and strength can be compared.

    Shapes      weights (H * W, units), a column for each unit, or kernels (R, S, C, F): C images for each filter
    Arguments   weights      a network, whose first Linear or Conv2D layer is shown, or an array
                count        how many units or filters, the first ones (default 32)
                image_shape  (H, W) of a unit's weights; None: square (default)
                columns      of the grid (default 8)
                ax           None: a new figure (default)
    Raises      ConfigurationError if the network has neither; ShapeError if the weights are not images;
                MissingExtraError without matplotlib
    """
    W = _first_weights(weights) if isinstance(weights, Network) else np.asarray(weights)
    shown = W[..., : number("plots.features", "count", count, "[1, inf)", whole=True)]
    if W.ndim == 4:
        pictures, what = shown.transpose(3, 2, 0, 1).reshape(-1, *W.shape[:2]), "filters"
    else:
        pictures, what = _pictures(shown.T, image_shape), "units"
    ax = _signed(pictures, columns, ax, "weight")
    ax.set_title(f"What {shown.shape[-1]} of the {W.shape[-1]} {what} of the first layer look for")
    return ax


def feature_maps(network: Network, x: npt.ArrayLike, *, columns: int = 8, ax: Axes | None = None) -> Axes:
    """What each filter of the first convolution finds in one image: its output, red above zero, blue below.

    Shapes      x: one example as the network takes it, (H * W,) or (H, W, C), or a batch of one
    Arguments   network  whose layers, not those inside another layer, have a Conv2D among them
                columns  of the grid (default 8)
                ax       None: a new figure (default)
    Raises      ConfigurationError if there is none; ShapeError if x is no such example; MissingExtraError without
                matplotlib
    """
    example = np.asarray(x)
    y = network.enter(example if len(example) == 1 else example[None]).astype(network.dtype)
    for layer in network.layers:
        y = layer(y)
        if isinstance(layer, Conv2D):
            break
    else:
        raise ConfigurationError("plots.feature_maps: the network has no Conv2D layer, whose output could be shown.")
    ax = _signed(y[0].transpose(2, 0, 1), columns, ax, "output")
    ax.set_title(f"What the {y.shape[-1]} filters of {layer.title()} find")
    return ax


# Grids of images --------------------------------------------------------------------------------------------------


def _pictures(images: npt.ArrayLike, image_shape: tuple[int, int] | None) -> Array:
    """The images as (N, H, W), whatever they came as."""
    array = np.asarray(images)
    if array.ndim == 4 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim == 2:
        side = math.isqrt(array.shape[1])
        shape = image_shape or (side, side)
        if math.prod(shape) == array.shape[1]:
            array = array.reshape(-1, *shape)
    if array.ndim != 3 or not array.size or (image_shape and array.shape[1:] != tuple(image_shape)):
        wanted = f"{image_shape[0]} x {image_shape[1]}" if image_shape else "square"
        raise ShapeError(
            f"plots: expected {wanted} images as (N, H * W), (N, H, W) or (N, H, W, 1), received {np.shape(images)}. "
            "Say image_shape=(H, W) if they are not square; a single image is images[None]."
        )
    return array


def _grid(
    pictures: Array, columns: int, lines: int, ax: Axes | None, **colors: Any
) -> tuple[Axes, list[tuple[float, float]]]:
    """Draw the images side by side, with room for lines of text below each; the lower left corner of each."""
    columns = min(number("plots", "columns", columns, "[1, inf)", whole=True), len(pictures))
    height = pictures.shape[1] / pictures.shape[2]
    pitch = height + GAP + lines * LINE
    rows = math.ceil(len(pictures) / columns)
    if ax is None:
        scale = min(1.3, 9 / columns)
        ax = new_axes(scale * columns * (1 + GAP) + 0.5, scale * rows * pitch + 0.5)[0]
    colors = {"vmin": pictures.min(), "vmax": pictures.max()} | colors
    corners = []
    for i, picture in enumerate(pictures):
        left, bottom = i % columns * (1 + GAP), i // columns * pitch + height
        ax.imshow(picture, extent=(left, left + 1, bottom, bottom - height), interpolation="nearest", **colors)
        corners.append((left, bottom))
    ax.set_xlim(-GAP / 2, columns * (1 + GAP) - GAP / 2)
    ax.set_ylim(rows * pitch - GAP / 2, -GAP / 2)
    ax.set_axis_off()
    return ax, corners


def _signed(pictures: Array, columns: int, ax: Axes | None, label: str) -> Axes:
    """A grid in red and blue, with one scale for all, on which white is zero."""
    limit = float(np.abs(pictures).max()) or 1.0
    ax, _ = _grid(pictures, columns, 0, ax, cmap="RdBu_r", vmin=-limit, vmax=limit)
    bar = ax.figure.colorbar(ax.images[0], ax=ax, shrink=0.8, label=label)
    bar.outline.set_visible(False)
    return ax


def _below(ax: Axes, left: float, bottom: float, line: int, text: str, color: str = "black") -> None:
    ax.text(left + 0.5, bottom + 0.05 + line * LINE, text, ha="center", va="top", color=color)


def _one_each(name: str, values: npt.ArrayLike, pictures: Array) -> Array:
    array = np.asarray(values)
    if array.shape != (len(pictures),):
        raise ShapeError(f"plots: expected {name} of shape ({len(pictures)},), one an image, received {array.shape}.")
    return array


def _first_weights(network: Network) -> Array:
    for layer in (inner for top in network.layers for inner in top.walk()):
        if isinstance(layer, (Linear, Conv2D)):
            return layer.W
    raise ConfigurationError("plots.features: the network has no Linear or Conv2D layer, whose weights could be shown.")
