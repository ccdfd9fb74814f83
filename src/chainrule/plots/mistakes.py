"""What a classifier takes for what: the counts of all its answers, and its most frequent mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from chainrule import metrics
from chainrule.errors import ConfigurationError, DataError, ShapeError
from chainrule.layers.layer import Array
from chainrule.network import Network
from chainrule.plots.canvas import GREY, ORANGE, PALE, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CLASSES = 20  # whose counts can still be read in a confusion matrix


def confusion(
    counts: Network | npt.ArrayLike,
    x: npt.ArrayLike | None = None,
    y: npt.ArrayLike | None = None,
    *,
    class_names: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """How often each true class (row) was answered with each class (column), and the share answered right beside it.

    Only mistakes are coloured: beside a thousand right answers twenty wrong ones would not show.

    Shapes      counts (K, K), as of `metrics.confusion_matrix`; or a network, with x (N, ...) and y (N,)
    Arguments   class_names  None: those of the network, or 0 to K - 1 (default)
                ax           None: a new figure (default)
    Raises      ShapeError if the counts are not square; ConfigurationError for a network without x and y;
                MissingExtraError without matplotlib
    """
    matrix, names = _counted("confusion", counts, x, y, class_names)
    K = len(matrix)
    mistakes = np.where(np.eye(K, dtype=bool), np.nan, matrix)
    most = float(np.nanmax(mistakes, initial=1))
    ax = new_axes(6.6, 5.8)[0] if ax is None else ax
    ax.set_facecolor(PALE)  # shows through on the diagonal
    ax.imshow(mistakes, cmap="Oranges", vmin=0, vmax=most)
    if K <= MOST_CLASSES:
        size = min(10, 110 / K)
        ax.text(K - 0.35, -0.75, "right", ha="left", va="center", color=GREY, fontsize=size)
        for i, j in np.argwhere(matrix).tolist():
            color = "white" if mistakes[i, j] > 0.6 * most else "black"
            ax.text(j, i, f"{matrix[i, j]:,}", ha="center", va="center", color=color, fontsize=size)
        for i in np.flatnonzero(matrix.sum(axis=1)).tolist():
            share = f"{100 * matrix[i, i] / matrix[i].sum():.1f} %"
            ax.text(K - 0.35, i, share, ha="left", va="center", color=GREY, fontsize=size)
        slanted = 45 if max(map(len, names)) > 3 else 0
        ax.set_xticks(range(K), names, rotation=slanted, ha="right" if slanted else "center")
        ax.set_yticks(range(K), names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("predicted")
    ax.set_ylabel("true")
    ax.set_title(f"{matrix.trace():,} of {matrix.sum():,} right")
    return ax


def most_confused(
    counts: Network | npt.ArrayLike,
    x: npt.ArrayLike | None = None,
    y: npt.ArrayLike | None = None,
    *,
    k: int = 10,
    class_names: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The k most frequent mistakes as bars, each with its count: what it was, and what was answered.

    Shapes      counts (K, K), as of `metrics.confusion_matrix`; or a network, with x (N, ...) and y (N,)
    Arguments   k            how many kinds of mistakes, fewer if there are fewer (default 10)
                class_names  None: those of the network, or 0 to K - 1 (default)
                ax           None: a new figure (default)
    Raises      ShapeError if the counts are not square; ConfigurationError for a network without x and y;
                MissingExtraError without matplotlib
    """
    matrix, names = _counted("most_confused", counts, x, y, class_names)
    true, predicted = np.nonzero(matrix)
    times = matrix[true, predicted]
    worst = metrics.most_confused(np.repeat(true, times), np.repeat(predicted, times), k)
    ax = new_axes(5.5, 0.8 + 0.3 * max(3, len(worst)))[0] if ax is None else ax
    bars = ax.barh(range(len(worst)), [mistake.times for mistake in worst], color=ORANGE, height=0.7)
    ax.bar_label(bars, [f"{mistake.times:,}" for mistake in worst], padding=3)
    ax.set_yticks(range(len(worst)), [f"{names[m.true]}, taken for {names[m.predicted]}" for m in worst])
    ax.set_ylim(max(3, len(worst)) - 0.5, -0.5)
    ax.margins(x=0.1)
    ax.set_xticks([])
    ax.tick_params(length=0)
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    ax.set_title(f"The {len(worst)} most frequent mistakes" if worst else "No mistakes")
    return ax


def _counted(
    name: str,
    counts: Network | npt.ArrayLike,
    x: npt.ArrayLike | None,
    y: npt.ArrayLike | None,
    class_names: Sequence[str] | None,
) -> tuple[Array, list[str]]:
    """The confusion matrix, counted if need be, and the names of its classes."""
    if isinstance(counts, Network):
        if x is None or y is None:
            raise ConfigurationError(f"plots.{name}: a network needs data to be wrong about: {name}(network, x, y).")
        class_names = class_names or counts.class_names
        counts = metrics.confusion_matrix(y, counts.predict(x), max(2, counts.out_shapes[-1][-1]))
    matrix = np.asarray(counts)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ShapeError(f"plots.{name}: expected counts of shape (K, K), received {matrix.shape}.")
    names = [str(name) for name in class_names or range(len(matrix))]
    if len(names) != len(matrix):
        raise ShapeError(f"plots.{name}: expected {len(matrix)} class names, received {len(names)}.")
    if matrix.dtype.kind not in "biu":
        raise DataError(f"plots.{name}: expected whole numbers, counts, received {matrix.dtype}. Shares count nothing.")
    return matrix, names
