"""How training went, epoch by epoch, and how it would have gone with other settings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chainrule.configurable import number
from chainrule.errors import ConfigurationError
from chainrule.history import History
from chainrule.plots.canvas import BLUE, GREY, ORANGE, RED, new_axes, quiet_frame, warn_below

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from chainrule.range_testing import RangeTest


def history(history: History, *, goal: float | None = 0.95, axes: Sequence[Axes] | None = None) -> Sequence[Axes]:
    """Two panels: the loss of each epoch, and, for a classifier, the accuracies with a line at the goal.

    Training values are means over the epoch while the weights moved; validation is measured after it. That is why
    validation can be the better one at first.

    Arguments   history  of a Trainer, with at least one epoch
                goal     an accuracy in 0..1 (default 0.95, what digits are expected to reach); None: no line
                axes     two Axes; None: a new figure (default)
    Raises      ConfigurationError if no epoch is finished, or for a goal outside of 0..1; MissingExtraError without
                matplotlib
    """
    if not len(history):
        raise ConfigurationError("plots.history: no epoch is finished yet, so there is nothing to draw. Train first.")
    if goal is not None:
        goal = 100 * number("plots.history", "goal", goal, "[0, 1]")
    left, right = axes = new_axes(9, 3.6, panels=2) if axes is None else axes
    for ax, column, factor in ((left, "loss", 1), (right, "accuracy", 100)):
        curves = (("train", column, ORANGE, "o--"), ("validation", f"validation_{column}", BLUE, "s-"))
        for label, name, color, style in curves:
            if name in history.columns:
                values = [math.nan if value is None else factor * value for value in history[name]]
                shown = 5 if len(history) <= 40 else 0  # markers of a thousand epochs would be a band
                ax.plot(history["epoch"], values, style, color=color, label=label, markersize=shown)
        ax.set_xlabel("epoch")
        ax.locator_params(axis="x", integer=True)
        ax.set_xlim(history["epoch"][0] - 0.3, history["epoch"][-1] + 0.3)
        quiet_frame(ax)
    left.set_title("Loss")
    left.set_ylim(bottom=0)
    left.legend(frameon=False)
    right.set_title("Accuracy (%)")
    if goal is not None:
        right.axhline(goal, color=GREY, linestyle=":")
        right.annotate(f"{goal:g} %", (0.01, goal), xycoords=right.get_yaxis_transform(), va="bottom", color=GREY)
    right.set_ylim(top=100)
    right.set_visible("accuracy" in history.columns)  # a regression has none
    return axes


def learning_rates(
    results: Mapping[Any, npt.ArrayLike], *, setting: str = "learning rate", ax: Axes | None = None
) -> Axes:
    """What a setting does to the accuracy: the mean over several seeds, with its standard deviation as error bars.

    Every run is a small grey dot, so that one lucky seed is seen for what it is. NaN stands for a run that diverged:
    it is counted below, not averaged. Numbers have their places on an axis, logarithmic unless one is 0 or negative;
    names, and numbers of very different size with a 0 among them, stand side by side.

    Shapes      results {value: accuracies of its runs}, accuracies in 0..1; values are all numbers, or all names
    Arguments   setting  what the values are, for instance "hidden units" (default "learning rate")
                ax       None: a new figure (default)
    Raises      ConfigurationError if there is nothing to draw, or an accuracy outside of 0..1; MissingExtraError
                without matplotlib

    The deviation is that of the sample, divided by n - 1; a single run has none.
    """
    where = "plots.learning_rates"
    if not isinstance(results, Mapping) or not results:
        raise ConfigurationError(
            f"{where}: expected {{value: accuracies}} such as {{0.1: [0.97, 0.96]}}, received {results!r}."
        )
    named = all(isinstance(value, str) for value in results)
    values = list(results) if named else sorted(number(where, "a value", value, "(-inf, inf)") for value in results)
    labels = values if named else [f"{value:g}" for value in values]
    above = [] if named else [value for value in values if value > 0]
    even = named or (0 in values and len(above) > 1 and above[-1] > 10 * above[0])
    places = list(range(len(values))) if even else values
    runs = [100 * np.atleast_1d(np.asarray(results[value], np.float64)).ravel() for value in values]
    for value, label, percents in zip(values, labels, runs, strict=True):
        if not percents.size or np.any((percents < 0) | (percents > 100)):
            raise ConfigurationError(
                f"{where}: expected accuracies from 0 to 1 for {label}, received {results[value]!r}."
            )
    good = [percents[np.isfinite(percents)] for percents in runs]
    means = np.array([math.nan if not len(percents) else percents.mean() for percents in good])
    spread = np.array([0.0 if len(percents) < 2 else percents.std(ddof=1) for percents in good])

    ax = new_axes(6, 4)[0] if ax is None else ax
    from matplotlib.transforms import offset_copy

    figure: Any = ax.figure
    beside = offset_copy(ax.transData, figure, x=9, units="points")  # where the error bar does not hide them
    for place, percents in zip(places, good, strict=True):
        ax.plot([place] * len(percents), percents, "o", color=GREY, markersize=3.5, alpha=0.6, transform=beside)
        ax.update_datalim([(place, percent) for percent in percents])  # so that none lies outside of the picture
    style = "o" if named else "o-"  # nothing lies between two names
    ax.errorbar(places, means, spread, fmt=style, color=BLUE, capsize=5, linewidth=1.5, markersize=7)
    for place, percents, kept in zip(places, runs, good, strict=True):
        if len(kept) < len(percents):
            warn_below(ax, place, f"{len(percents) - len(kept)} of {len(percents)}\ndiverged")
    if np.isfinite(means).any():
        best = int(np.nanargmax(means))
        deviation = f" ± {spread[best]:.2f}" if len(good[best]) > 1 else ""
        ax.set_title(f"Best: {setting} {labels[best]}, {means[best]:.2f}{deviation} %")
    low, high = places[0], places[-1]  # a value of which every run diverged has no point, but must be in sight
    if even:
        ax.set_xlim(low - 0.5, high + 0.5)
    else:
        ax.set_xscale("log" if low > 0 else "linear")
        room = (high / low) ** 0.08 if low > 0 else 0.08 * (high - low)
        if high > low:
            ax.set_xlim(*((low / room, high * room) if low > 0 else (low - room, high + room)))
    ax.set_xticks(places, labels)
    ax.set_xticks([], minor=True)
    ax.set_xlabel(setting)
    ax.set_ylabel("validation accuracy (%)")
    quiet_frame(ax)
    return ax


def range_test(result: RangeTest, *, ax: Axes | None = None) -> Axes:
    """The loss against the rising learning rate, with the suggested rate marked, and where the loss got out of hand.

    Arguments   result  of cr.range_test
                ax      None: a new figure (default)
    Raises      MissingExtraError without matplotlib
    """
    ax = new_axes(6, 4)[0] if ax is None else ax
    ax.plot(result.rates, result.losses, ".", color=GREY, alpha=0.4, markersize=5, label="each step")
    ax.plot(result.rates, result.smoothed, color=BLUE, linewidth=2, label="smoothed")
    ax.set_xscale("log")
    low, start = float(result.losses.min()), float(result.smoothed[0])
    room = abs(start - low) or 1.0
    ax.set_ylim(low - 0.1 * room, start + 0.5 * room)  # the fall is of interest, not how high it flies afterwards
    marks = [(result.suggestion, 0.93, ORANGE, f"suggested: {result.suggestion:.2g} ")]
    if result.diverges is not None:
        marks.append((result.diverges, 0.03, RED, "diverges "))
    for rate, height, color, text in marks:
        ax.axvline(rate, color=color, linestyle="--")
        ax.annotate(text, (rate, height), xycoords=ax.get_xaxis_transform(), color=color, ha="right")
    ax.set_xlabel("learning rate")
    ax.set_ylabel("loss")
    ax.legend(frameon=False, loc="lower left")
    quiet_frame(ax)
    return ax
