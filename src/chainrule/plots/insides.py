"""What goes on inside while a network learns: how strong the gradient is in each layer, and what the units give."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chainrule.errors import ConfigurationError
from chainrule.layers import Sigmoid, Tanh
from chainrule.layers.layer import Array, Layer
from chainrule.losses import Loss
from chainrule.network import Network
from chainrule.plots.canvas import BLUE, GREEN, GREY, ORANGE, given_axes, new_axes, quiet_frame, warn_below

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ENDS: dict[type[Layer], tuple[float, float]] = {Sigmoid: (0, 1), Tanh: (-1, 1)}  # where an activation saturates
NEAR = 0.025  # as a share of the way between the ends: the slope there is below a tenth of its greatest
FEW = 0.02  # a share not worth a word; more exact zeros than that would hide all else behind one bar


def gradient_flow(
    network: Network, x: npt.ArrayLike, y: npt.ArrayLike, loss: Loss | str, *, ax: Axes | None = None
) -> Axes:
    """How large the gradient is in each layer, on a logarithmic scale, from one pass over x.

    Values that fall from right to left, layer by layer, vanish; values that grow explode. The ratio compares the
    gradient with the weights it is to move: times the learning rate it is the relative size of a step of plain SGD,
    for which 0.001 is a common rule of thumb.

    Shapes      x (N, ...), y as the loss takes it; a few hundred rows are enough
    Arguments   loss  a Loss or its name
                ax    None: a new figure (default)
    Raises      ConfigurationError if nothing can be learned; MissingExtraError without matplotlib

    Sizes are means of absolute values, of weights (what decays) and of biases and gains (the rest) apart. Where a mean
    is 0, or no finite number, no mark can stand: it is written at the bottom. The network's `grads` stay as they are.
    """
    kept = network.grads.copy()
    try:
        gradients = {name: g for row in network.trace(x, y, loss) for name, g in row.gradients.items()}
    finally:
        network.grads[...] = kept
    layers = [inner for top in network.layers for inner in top.walk() if inner.parameter_names]
    if not layers:
        raise ConfigurationError("plots.gradient_flow: no layer of this network learns, so there is no gradient.")

    def sizes(decays: bool, relative: bool = False) -> list[float]:
        """One mean for each layer; NaN for a layer without such parameters."""
        means = []
        for layer in layers:
            rows = [row for row in network.parameters if row.layer is layer and row.decays == decays]
            size = _mean_size([gradients[row.name] for row in rows])
            weight = _mean_size([network.params[row.slice] for row in rows]) if relative else 1
            means.append(size / weight if weight else math.nan)
        return means

    series: list[tuple[str, list[float], dict[str, Any]]] = [
        ("gradient of the weights", sizes(True), {"marker": "o", "color": BLUE, "linestyle": "-"}),
        ("gradient of biases and gains", sizes(False), {"marker": "s", "color": GREEN, "linestyle": ":"}),
        ("gradient / weight", sizes(True, True), {"marker": "D", "color": ORANGE, "linestyle": "--"}),
    ]
    ax = new_axes(max(5.0, 1.6 + 1.5 * len(layers)), 4)[0] if ax is None else ax
    ax.set_yscale("log")
    for label, values, look in series:
        shown = np.where(np.isfinite(values) & (np.array(values) > 0), values, np.nan)
        if np.isfinite(shown).any():
            ax.plot(range(len(layers)), shown, label=label, markersize=8, linewidth=1.8, **look)
    for i, (layer, size) in enumerate(zip(layers, series[0][1], strict=True)):
        if layer.decay_names and not 0 < size < math.inf:
            warn_below(ax, i, "gradient 0" if size == 0 else "not finite")
    ax.set_xticks(range(len(layers)), [f"{layer.title()}\n{_widths(layer)}".strip() for layer in layers])
    ax.set_xlim(-0.4, len(layers) - 0.6)
    ax.margins(y=0.12)
    ax.set_ylabel("mean absolute value")
    ax.set_title("Gradient flow")
    ax.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, columnspacing=1.2)
    quiet_frame(ax)
    return ax


def activation_histograms(network: Network, x: npt.ArrayLike, *, axes: Sequence[Axes] | None = None) -> list[Axes]:
    """What each layer gives for x, a panel for each layer, and how many of its units say nothing.

    A unit is dead if it is 0 for every row of x: behind a ReLU it then learns nothing any more. A unit is saturated if
    it stays, for every row, at the flat ends of its sigmoid or tanh, the outer 2.5 % of the range. Exact zeros are
    written, not drawn, when there are many: one bar would hide all the others.

    Shapes      x (N, ...); a few hundred rows are enough
    Arguments   network  trained or not
                axes     one for each layer from the first that learns on; None: a new figure (default)
    Raises      NotBuiltError for a network without weights; ConfigurationError for too few axes;
                MissingExtraError without matplotlib
    """
    outputs: list[tuple[Layer, Array]] = []
    y = network.enter(x).astype(network.dtype)
    for layer in network.layers:
        y, _ = layer.forward(y)
        outputs.append((layer, y))
    shown = outputs[network.first_learning :] or outputs  # what comes before is the data, rescaled
    if axes is None:
        columns = min(3, len(shown))
        panels = new_axes(3.6 * columns, 2.5 * -(-len(shown) // columns) + 0.3, len(shown), columns)
    else:
        panels = given_axes("activation_histograms", axes, len(shown))
    for ax, (layer, y) in zip(panels, shown, strict=True):
        units = y.reshape(-1, y.shape[-1])
        zeros = float((units == 0).mean())
        values = units[units != 0] if zeros > FEW else units.ravel()
        values = values[np.isfinite(values)]
        ax.hist(values, bins=40, range=_room_for_bars(values), color=BLUE)
        ax.axvline(0, color=GREY, linewidth=0.8)
        notes = [f"{100 * zeros:.0f} % zeros"] if zeros > FEW else []
        for state, where in _troubles(layer, units).items():
            if where.mean() > FEW and state != "dead":
                notes.append(f"{100 * where.mean():.0f} % of the values {state}")
            if n := int(where.all(axis=0).sum()):
                notes.append(f"{n:,} of {units.shape[1]:,} units {state}")
        ax.set_title(layer.title())
        ax.set_xlabel("\n".join(notes))
        ax.set_yticks([])
        ax.spines[["top", "right", "left"]].set_visible(False)
    return panels


def _troubles(layer: Layer, units: Array) -> dict[str, Array]:
    """Where the outputs (N, D) of a layer are such that nothing is learned from them."""
    troubles = {"dead": units == 0, "not finite": ~np.isfinite(units)}
    if type(layer) in ENDS:
        low, high = ENDS[type(layer)]
        edge = NEAR * (high - low)
        troubles["saturated"] = (units < low + edge) | (units > high - edge)
    return troubles


def _room_for_bars(values: Array) -> tuple[float, float] | None:
    """Values that differ by rounding alone leave no room for bars between them: such a range is widened."""
    low, high = float(values.min(initial=math.inf)), float(values.max(initial=-math.inf))
    middle, least = (low + high) / 2, 1e-3 * max(abs(low), abs(high))
    return None if high - low > least or not values.size else (middle - least, middle + least)


def _mean_size(arrays: Sequence[Array]) -> float:
    """The mean of all absolute values; NaN if there are none."""
    count = sum(array.size for array in arrays)
    return float(sum(np.abs(array, dtype=np.float64).sum() for array in arrays) / count) if count else math.nan


def _widths(layer: Layer) -> str:
    arrays = [getattr(layer, name) for name in layer.parameter_names]
    return " → ".join(map(str, max(arrays, key=np.ndim).shape[-2:]))  # of a kernel the channels
