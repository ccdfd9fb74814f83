"""The picture of a benchmark: a bar for each contender at each work, and how time grows with the network."""

import math

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from contenders import TABLE
from race import milliseconds

COLORS = dict(zip([contender.name for contender in TABLE], plt.get_cmap("tab20").colors, strict=False))
COLORS["chainrule"] = "black"  # to be found at a glance


def draw(report, file):
    """Medians at each contender's best thread count, in ms; both axes of the curves are logarithmic."""
    races = [race for race in report["works"] if race["tables"]]
    bars = [race for race in races if not race["axis"]]
    axes = list(dict.fromkeys(race["axis"] for race in races if race["axis"]))
    count = len(bars) + len(axes)
    if not count:
        return
    columns = min(3, count)
    lines = math.ceil(count / columns)
    figure, panels = plt.subplots(lines, columns, figsize=(5.2 * columns, 3.4 * lines), squeeze=False)
    for panel in panels.flat[count:]:
        panel.axis("off")
    for panel, race in zip(panels.flat, bars, strict=False):
        draw_bars(panel, race)
    for panel, axis in zip(panels.flat[len(bars) :], axes, strict=False):
        draw_curves(panel, axis, [race for race in races if race["axis"] == axis])
    figure.tight_layout()
    figure.savefig(file, dpi=120)
    plt.close(figure)


def draw_bars(panel, race):
    rows = race["tables"]["best thread count"][::-1]
    times = [1e3 * row["median"] for row in rows]
    names = [row["contender"] for row in rows]
    panel.barh(names, times, color=[COLORS[name] for name in names])
    for i, time in enumerate(times):
        panel.text(time, i, f" {milliseconds(time / 1e3)}", va="center", fontsize=7)
    panel.margins(x=0.15)
    panel.tick_params(labelsize=7)
    panel.set_title(race["work"], fontsize=9)
    panel.set_xlabel(f"ms, {race['turn']}", fontsize=8)


def draw_curves(panel, axis, races):
    curves = {}
    for race in races:
        for row in race["tables"]["best thread count"]:
            curves.setdefault(row["contender"], []).append((race["value"], 1e3 * row["median"]))
    for name, points in curves.items():
        panel.plot(*zip(*points, strict=True), "o-", color=COLORS[name], label=name, linewidth=1.2, markersize=3)
    panel.set_xscale("log", base=2)
    panel.set_yscale("log")
    panel.tick_params(which="both", labelsize=7)
    panel.set_title(f"how time grows with {axis}, one thread", fontsize=9)
    panel.set_xlabel(axis, fontsize=8)
    panel.set_ylabel(f"ms, {races[0]['turn']}", fontsize=8)
    panel.legend(fontsize=6)
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter("{x:g}")
    panel.yaxis.set_minor_formatter("{x:g}")
