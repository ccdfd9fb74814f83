"""The picture that everybody has of a network: circles for units, lines for weights."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from chainrule.configurable import number
from chainrule.errors import ConfigurationError, NotBuiltError
from chainrule.layers import Linear
from chainrule.layers.layer import Array, Layer
from chainrule.network import Network
from chainrule.plots.canvas import BLUE, GREY, RED, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RADIUS = 0.16  # of a circle; two columns are PITCH apart, two circles 0.5
PITCH = 1.9
DASHES = (0, (4, 1.2))
THICKEST = 3.5  # points: the line of the largest weight of its layer


class Column(NamedTuple):
    """The units of one layer, as far as they are drawn."""

    x: float
    units: Array  # the numbers of those drawn
    y: Array  # their heights
    width: int  # how many there are
    layers: list[Layer]  # the layers that this column is the output of


def network_diagram(network: Network, *, most: int = 8, ax: Axes | None = None) -> Axes:
    """A network of Linear layers and activations as circles and lines.

    A line is a weight: red (solid) for more than 0, blue (dashed) for less, the thicker the larger, each layer by its
    own scale. Of a wide layer the first and last units are drawn, with the number of all of them.

    Arguments   most  units drawn of one layer, at most (default 8)
                ax    None: a new figure (default)
    Raises      NotBuiltError for a network without weights; ConfigurationError if it is no plain chain of layers on
                rows of numbers; MissingExtraError without matplotlib
    """
    most = number("plots.network_diagram", "most", most, "[2, inf)", whole=True)
    columns = _columns(network, most)
    tallest = max(float(np.ptp(column.y)) for column in columns)
    if ax is None:
        ax = new_axes(1.1 + 1.45 * (len(columns) - 1) + 0.9, 1.3 + 0.72 * (tallest + 0.5))[0]
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Circle

    for left, right in itertools.pairwise(columns):
        W = next(layer.W for layer in right.layers if isinstance(layer, Linear))
        drawn = W[np.ix_(left.units, right.units)].ravel()
        strength = np.abs(drawn) / (np.abs(drawn).max() or 1)
        lines = LineCollection(
            [((left.x, a), (right.x, b)) for a in left.y for b in right.y],
            colors=[RED if weight > 0 else BLUE for weight in drawn],
            linestyles=["-" if weight > 0 else DASHES for weight in drawn],
            linewidths=THICKEST * strength,
            alpha=(0.1 + 0.9 * strength).tolist(),
            zorder=1,
        )
        ax.add_collection(lines)
    floor = -tallest / 2 - 0.32
    for column in columns:
        for y in column.y:
            ax.add_patch(Circle((column.x, y), RADIUS, facecolor="white", edgecolor="black", linewidth=1.3, zorder=2))
        if len(column.units) < column.width:
            middle = len(column.y) // 2
            gap = (column.y[middle - 1] + column.y[middle]) / 2
            for y, text in ((gap + 0.24, "⋮"), (gap, f"{column.width:,}"), (gap - 0.24, "⋮")):
                paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
                ax.text(column.x, y, text, ha="center", va="center", bbox=paper, zorder=3)
        titles = [*(() if column.x else ("input",)), *(layer.title() for layer in column.layers)]
        ax.text(column.x, floor, "\n".join([*titles, f"(N, {column.width:,})"]), ha="center", va="top", color=GREY)
    names = network.class_names or ()
    for unit, y in zip(columns[-1].units, columns[-1].y, strict=True):
        if len(names) == columns[-1].width:
            ax.text(columns[-1].x + 1.6 * RADIUS, y, names[unit], va="center")
    ax.legend(
        handles=[
            ax.plot([], [], color=RED, label="weight > 0")[0],
            ax.plot([], [], color=BLUE, linestyle=DASHES, label="weight < 0")[0],
        ],
        frameon=False,
        loc="upper center",
        ncols=2,
    )
    ax.set_xlim(-0.75, columns[-1].x + 0.75)
    ax.set_ylim(floor - 0.9, tallest / 2 + 0.75)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def _columns(network: Network, most: int) -> list[Column]:
    """The input, then a column for each Linear layer with the layers that follow it."""
    if not network.out_shapes or network.in_shape is None:
        raise NotBuiltError("plots.network_diagram: the network is not built and has no weights yet: fit it first.")
    inside: list[tuple[int, list[Layer]]] = [(network.in_shape[-1], [])]
    for layer, shape in zip(network.layers, network.out_shapes, strict=True):
        if isinstance(layer, Linear):
            inside.append((shape[-1], [layer]))
        elif len(shape) == 1 and shape == (inside[-1][0],) and not layer.children():
            inside[-1][1].append(layer)
        else:
            raise ConfigurationError(
                f"plots.network_diagram: {layer.title()} is neither Linear nor keeps the width of a row of numbers, so "
                "circles and lines would lie. network.summary() shows every network."
            )
    if len(inside) < 2 or len(network.in_shape) != 1:
        raise ConfigurationError("plots.network_diagram: expected Linear layers on rows of numbers. Try summary().")
    return [_column(PITCH * i, width, layers, most) for i, (width, layers) in enumerate(inside)]


def _column(x: float, width: int, layers: list[Layer], most: int) -> Column:
    units = np.arange(width)
    if width > most:
        units = np.concatenate([units[: most // 2], units[width - most // 2 :]])
    places = np.arange(len(units)) + (np.arange(len(units)) >= len(units) // 2) * (width > most)
    y = 0.5 * (places.mean() - places)
    return Column(x, units, y - (y.max() + y.min()) / 2, width, layers)
