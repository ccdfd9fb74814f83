"""A network is a function, to be seen: an activation, a boundary in the plane, a surface in space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from chainrule import border, tasks
from chainrule.configurable import by_name, number
from chainrule.errors import ConfigurationError, ShapeError
from chainrule.layers import ACTIVATIONS, Layer
from chainrule.layers.layer import Array
from chainrule.metrics import r2
from chainrule.network import Network
from chainrule.plots.canvas import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    given_axes,
    new_axes,
    quiet_frame,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CLASS_COLORS = (BLUE, ORANGE, GREEN, PURPLE, SKY, GREY, "black")
MARKERS = "os^DvP<*"  # one more than colours, so that 56 classes are told apart
DEPTH = 0.5  # of a region's colour where the answer is surest, so that the points on it still stand out
MARGIN = 0.15  # around the data, as a share of its extent
KINK = 0.05  # a slope that changes by more over a hundredth has jumped


@overload
def activation(which: str | Layer, *, ax: Axes | None = None) -> Axes: ...


@overload
def activation(
    which: list[str | Layer] | list[str] | tuple[str | Layer, ...], *, ax: Sequence[Axes] | None = None
) -> list[Axes]: ...


def activation(which: Any, *, ax: Any = None) -> Any:
    """An activation and its slope in one panel, for z from -4 to 4; a list gives a panel for each.

    The slope is what the layer's own `backward` answers to dy = 1. Where it jumps, the kink is marked: the filled dot
    is the slope that is taken there.

    Arguments   which  name, such as "relu", or layer, such as LeakyReLU(0.1); or a list of these
                ax     the Axes, as many as there are activations; None: a new figure (default)
    Raises      ConfigurationError for what is no function of one number; MissingExtraError without matplotlib
    """
    several = isinstance(which, (list, tuple))
    layers = [by_name("activation", one, ACTIVATIONS, Layer) for one in (which if several else [which])]
    if not layers:
        raise ConfigurationError("plots.activation: the list is empty. Known: " + ", ".join(ACTIVATIONS) + ".")
    z = np.arange(-400, 401) / 100  # 0 is one of them
    curves = [_value_and_slope(layer, z) for layer in layers]
    if ax is None:
        columns = min(3, len(layers))
        ax = new_axes(4 * columns, 3.2 * -(-len(layers) // columns), len(layers), columns)
    else:
        ax = given_axes("activation", ax if several else [ax], len(layers))
    for panel, layer, (y, slope) in zip(ax, layers, curves, strict=True):
        panel.axhline(0, color=GREY, linewidth=0.8)
        panel.axvline(0, color=GREY, linewidth=0.8)
        panel.plot(z, y, color=BLUE, linewidth=2.5, label="value")
        jumps = np.flatnonzero(np.abs(np.diff(slope)) > KINK)
        broken = np.insert(slope, jumps + 1, np.nan)
        panel.plot(np.insert(z, jumps + 1, np.nan), broken, "--", color=ORANGE, linewidth=2.5, label="slope")
        for i in jumps.tolist():  # the grid ends in the kink, the next point lies behind it
            panel.plot(z[i], slope[i + 1], "o", color=ORANGE, markerfacecolor="white", markersize=8)
            panel.plot(z[i], slope[i], "o", color=ORANGE, markersize=8)
            text = f"kink: {slope[i]:g} is taken"
            panel.annotate(text, (z[i], slope[i]), (-9, 6), textcoords="offset points", ha="right")
        panel.set_title(repr(layer))
        panel.set_xlabel("z")
        panel.margins(y=0.12)
        panel.legend(frameon=False, loc="upper left")
        quiet_frame(panel)
    return ax if several else ax[0]


def decision_boundary(
    network: Network, x: npt.ArrayLike, y: npt.ArrayLike, *, resolution: int = 200, ax: Axes | None = None
) -> Axes:
    """What a classifier answers everywhere in the plane, with the data on it.

    Each class has a colour and a marker of its own. The paler the ground, the less sure the answer; the dark line is
    where two classes are equally probable. A point that is answered wrong is crossed out.

    Shapes      x (N, 2)    y as the network's loss takes them, for instance labels (N,)
    Arguments   network     with output softmax, or sigmoid with 1 column
                resolution  how many points to ask for along each side (default 200)
                ax          None: a new figure (default)
    Raises      ShapeError if there are not two features; ConfigurationError if the network is no such classifier;
                MissingExtraError without matplotlib
    """
    points, right, labels = _judged(network, x, y)
    n = number("plots.decision_boundary", "resolution", resolution, "[2, inf)", whole=True)
    low, high = points.min(axis=0), points.max(axis=0)
    margin = MARGIN * np.where(high > low, high - low, 1)
    low, high = low - margin, high + margin
    x1, x2 = np.meshgrid(*(np.linspace(low[i], high[i], n) for i in (0, 1)))
    probabilities = network.predict_proba(np.stack([x1.ravel(), x2.ravel()], axis=1))
    K = probabilities.shape[1]
    names = network.class_names if network.class_names and len(network.class_names) == K else range(K)

    ax = new_axes(5.6, 4.4)[0] if ax is None else ax
    from matplotlib.colors import to_rgb

    colors = [CLASS_COLORS[k % len(CLASS_COLORS)] for k in range(K)]
    sure = (probabilities.max(axis=1) - 1 / K) / (1 - 1 / K)  # 0 where all are equally probable, 1 where one is certain
    inks = np.array([to_rgb(color) for color in colors])[probabilities.argmax(axis=1)]
    ground = 1 - DEPTH * sure[:, None] * (1 - inks)
    extent = (low[0], high[0], low[1], high[1])
    ax.imshow(ground.reshape(n, n, 3).clip(0, 1), origin="lower", extent=extent, aspect="auto")
    for k in range(1, K):  # the boundary of class 0 is drawn by its neighbours
        lead = (probabilities[:, k] - np.delete(probabilities, k, axis=1).max(axis=1)).reshape(n, n)
        if lead.min() < 0 < lead.max():
            ax.contour(x1, x2, lead, levels=[0], colors="#222222", linewidths=1.5)
    for k in range(K):
        of_class = points[labels == k]
        look: dict[str, Any] = {
            "color": colors[k],
            "markeredgecolor": "white",
            "markeredgewidth": 0.7,
            "markersize": 6.5,
        }
        ax.plot(*of_class.T, MARKERS[k % len(MARKERS)], label=f"{names[k]}", **look)
    if not right.all():
        wrong = points[~right]
        ax.plot(*wrong.T, "x", color="white", markersize=9, markeredgewidth=4)
        ax.plot(*wrong.T, "x", color="black", markersize=8, markeredgewidth=2, label=f"wrong ({len(wrong):,})")
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1), handletextpad=0.2)
    ax.set_xlabel("$x_1$")
    ax.set_ylabel("$x_2$")
    ax.set_title(f"{right.sum():,} of {len(right):,} right")
    return ax


def surface(
    network: Network,
    truth: Callable[[Array, Array], Array] | tuple[npt.ArrayLike, npt.ArrayLike],
    *,
    low: float = -1.0,
    high: float = 1.0,
    axes: Sequence[Axes] | None = None,
) -> list[Any]:
    """A learned function of two numbers beside the true one, in 3-D, with one height scale and one colour scale.

    Shapes      the network takes (N, 2) and gives (N, 1)
    Arguments   truth  f(x1, x2), asked on a grid from low to high; or the data itself, x (N, 2) and y (N,) or (N, 1)
                low, high  of both inputs (default -1 and 1); of no account for data
                axes   two Axes of projection "3d"; None: a new figure (default)
    Raises      ShapeError if the network or the data are of another shape; ConfigurationError for flat axes;
                MissingExtraError without matplotlib

    R2 = 1 - sum of (y - learned)^2 / sum of (y - mean of y)^2, over the points shown.
    """
    if callable(truth):
        x1, x2 = (side.ravel() for side in np.meshgrid(*[np.linspace(low, high, 41)] * 2))
        x, y = np.stack([x1, x2], axis=1), truth(x1, x2)
    else:
        x, y = truth  # type: ignore[assignment]
    x, y = border.as_array(x), border.as_array(y, "truth").ravel()
    learned = network.predict(x) if network.output == "exp" else network(x)
    if x.ndim != 2 or x.shape[1] != 2 or learned.shape != (len(x), 1) or len(y) != len(x):
        raise ShapeError(
            f"plots.surface: expected x of shape (N, 2), one y and one output for each, received x {x.shape}, y "
            f"{y.shape} and outputs {learned.shape}. A surface is one number over two."
        )
    heights = {"true": y, "learned": learned[:, 0]}
    fit = f" ($R^2$ = {r2(y, heights['learned']):.4f})" if np.ptp(y) else ""
    bottom, top = (float(end(list(heights.values()))) for end in (np.min, np.max))

    panels = new_axes(9, 4, panels=2, projection="3d") if axes is None else given_axes("surface", axes, 2)
    if not all(hasattr(ax, "plot_trisurf") for ax in panels):
        raise ConfigurationError("plots.surface needs 3-D axes: plt.subplots(1, 2, subplot_kw={'projection': '3d'}).")
    for ax, (title, height) in zip(panels, heights.items(), strict=True):
        drawn = ax.plot_trisurf(*x.T, height, cmap="viridis", vmin=bottom, vmax=top, linewidth=0, antialiased=False)
        ax.set_zlim(bottom, top)
        ax.set_title(title + (fit if title == "learned" else ""))
        ax.set_xlabel("$x_1$")
        ax.set_ylabel("$x_2$")
        ax.locator_params(nbins=5)
    panels[0].figure.colorbar(drawn, ax=panels, shrink=0.6, pad=0.08, label="y")
    return panels


def _value_and_slope(layer: Layer, z: Array) -> tuple[Array, Array]:
    """f(z) and f'(z) of a layer that treats every number alike."""
    column, cache = layer.forward(z[:, None])
    if layer.parameter_names or not np.array_equal(column[:, 0], layer(z[None])[0]):
        raise ConfigurationError(
            f"plots.activation: {layer!r} is no function of one number, so it has no curve. Use 'sigmoid', 'tanh', "
            "'relu', 'leaky_relu', 'identity' or a layer of your own that takes every number by itself."
        )
    slope = layer.backward(np.ones_like(column), cache)
    assert slope is not None
    return column[:, 0], slope[:, 0]


def _judged(network: Network, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Array, Array, Array]:
    """The points (N, 2), which of them are answered right, and their labels (N,)."""
    points = border.as_array(x)
    if points.ndim == 2 and points.shape[1] != 2:
        raise ShapeError(
            f"plots.decision_boundary: expected x of shape (N, 2), received {points.shape}: a plane has two axes. "
            "Train a network on two of the columns, for instance x[:, [0, 1]], and draw that one."
        )
    network.predict_proba(points[:1])  # an error for what is no classifier
    answers = network.predict(points)
    if answers.ndim != 1:
        raise ConfigurationError(
            f"plots.decision_boundary: the network answers {answers.shape[1]} questions at once, and each has a "
            "boundary of its own. It takes one question: output='softmax', or output='sigmoid' with one column."
        )
    targets = tasks.check_targets(network.output, y, (len(points), *network.out_shapes[-1]))
    border.check_rows(points, targets)
    one_hot = targets.ndim == 2 and targets.shape[1] > 1
    labels = targets.argmax(axis=1) if one_hot else targets.ravel().round().astype(int)
    return points, answers == labels, labels
