"""What every picture starts from: colours that every eye tells apart, and new axes where none are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chainrule.errors import ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colours of Okabe and Ito, and a red of Tol: every kind of colour vision keeps them apart.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#CC3311"
PURPLE, SKY = "#CC79A7", "#56B4E9"
GREY, PALE = "#6B6B6B", "#EEEEEE"


def new_axes(width: float, height: float, panels: int = 1, columns: int | None = None, **projection: Any) -> list[Any]:
    """Axes of a new pyplot figure, so many inches wide and high, side by side or in rows of so many columns."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise MissingExtraError("Plotting", "matplotlib", "cli") from None
    columns = min(columns or panels, panels)
    rows = -(-panels // columns)
    figure = plt.figure(figsize=(width, height), layout="constrained")
    return [figure.add_subplot(rows, columns, i + 1, **projection) for i in range(panels)]


def given_axes(name: str, axes: Sequence[Axes], panels: int) -> list[Any]:
    """The axes that a caller brought, if they are as many as the picture has panels."""
    given = list(getattr(axes, "flat", axes))  # also the array of plt.subplots(2, 3)
    if len(given) < panels:
        raise ConfigurationError(f"plots.{name}: expected {panels} axes, one for each panel, received {len(given)}.")
    return given[:panels]


def warn_below(ax: Axes, x: float, text: str) -> None:
    """Red words at the bottom, for a value that has no place on the scale."""
    ax.annotate(text, (x, 0.02), xycoords=("data", "axes fraction"), ha="center", va="bottom", color=RED)


def quiet_frame(ax: Axes) -> None:
    """Only the two spines that carry a scale, and a pale grid behind the curves."""
    ax.grid(axis="y", color=PALE)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
