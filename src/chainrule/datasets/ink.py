"""What on a picture is ink and what is paper, in any light; and which of the ink is the drawing, and which is dirt.

A picture is an array (H, W) of brightness from 0 to 1. It is looked at in a small copy, in which the grain of a camera
has averaged out; a drawing that is small on its page is then looked at again, closely.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chainrule.errors import DataError
from chainrule.layers.layer import Array

LOOK = 256  # pixels: the longer side of the copy that ink is searched in
SHADE = 32  # and of the one that the light on the paper is measured in, too coarse for grain
WIDEST_STROKE = 1 / 3  # of the longer side: what is wider than this is paper in another light, not ink
FAINTEST = 0.06  # share of the paper's light that ink must swallow
CLEAREST = 6  # standard deviations of the paper between paper and ink; noise alone, cut in two, reaches 4 to 5.5
SPECK = 0.04  # of the area of the largest blob: what is smaller is dirt
NEAR = 0.2  # of the size of the largest blob: what is nearer belongs to the same digit, such as the bar of a 5
SMALL = 1 / 4  # of the picture: a drawing that is smaller deserves a closer look


class Box(NamedTuple):
    """Rows from `top` up to `bottom`, columns from `left` up to `right`."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def size(self) -> int:
        """The longer side."""
        return max(self.bottom - self.top, self.right - self.left)


class Drawing(NamedTuple):
    """The ink of one drawing, cut out with a margin of one pixel in which its edge fades, and where it stood."""

    ink: Array  # (h + 2, w + 2), 0 paper to 1 ink
    place: Array  # top, bottom, left, right, as shares of the picture's height and width


def find_drawing(picture: Array) -> Drawing:
    """The one drawing on a picture, dark on light or light on dark.

    Raises      DataError if there is none, or more than one
    """
    drawing = _look(picture)
    H, W = picture.shape
    rows, columns = drawing.place[:2] * H, drawing.place[2:] * W
    size = max(np.ptp(rows), np.ptp(columns))
    if max(H, W) <= LOOK or size > SMALL * max(H, W):
        return drawing
    top, left = (max(0, int(low - size / 2)) for low in (rows[0], columns[0]))
    closer = picture[top : int(rows[1] + size / 2) + 1, left : int(columns[1] + size / 2) + 1]
    ink, place = _look(closer)
    return Drawing(ink, (place * np.repeat(closer.shape, 2) + [top, top, left, left]) / [H, H, W, W])


def resized(picture: Array, shape: tuple[int, int]) -> Array:
    """The picture in another number of pixels: area averages when it shrinks, bilinear when it grows."""
    if picture.shape == shape:
        return picture
    down, across = (overlaps(n, m, n / m, n / 2) for n, m in zip(picture.shape, shape, strict=True))
    return down @ picture @ across.T


def overlaps(n: int, m: int, step: float, middle: float) -> Array:
    """How much of each of n pixels lies in each of m others, `step` times as wide, with their middle at `middle`.

    No window is narrower than one pixel, so that what is enlarged is interpolated, and a shift by a fraction of a
    pixel is the bilinear one. Rows sum to 1, but for those that reach beyond the n pixels; (m, n).

    >>> overlaps(4, 2, 2.0, 2.0)
    array([[0.5, 0.5, 0. , 0. ],
           [0. , 0. , 0.5, 0.5]])
    """
    width = max(1.0, step)
    centre = middle + (np.arange(m)[:, None] + 0.5 - m / 2) * step
    if step < 1:
        centre = np.clip(centre, 0.5, n - 0.5) if abs(m * step - n) < 1e-9 else centre
    left, pixel = centre - width / 2, np.arange(n)
    inside: Array = np.minimum(left + width, pixel + 1) - np.maximum(left, pixel)
    return inside.clip(0) / width


def largest_near(picture: Array, reach: int) -> Array:
    """The largest value in the square that reaches so far from each pixel; doubling the window each time."""
    wide = 2 * reach + 1
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (reach, reach)
        picture = np.pad(picture, padding, constant_values=picture.min()).swapaxes(0, axis)
        have = 1
        while have < wide:
            more = min(have, wide - have)
            picture = np.maximum(picture[:-more], picture[more:])
            have += more
        picture = picture.swapaxes(0, axis)
    return picture


# Ink and paper ----------------------------------------------------------------------------------------------------


def _look(picture: Array) -> Drawing:
    small = resized(picture, _shrunk(picture.shape, LOOK))
    ink = _swallowed(1 - small if _light_on_dark(small) else small)
    smooth = _smoothed(ink)
    threshold = _between_two_heaps(smooth)
    wet = smooth > threshold
    if not wet.any() or wet.all():
        raise DataError("no ink found: the picture is blank")
    contrast = smooth[wet].mean() - smooth[~wet].mean()
    if contrast < max(FAINTEST, CLEAREST * smooth[~wet].std()):
        raise DataError("no ink found: nothing stands out from the paper")

    drawing, box = _main_drawing(_blobs(wet))
    low, high = threshold / 2, np.median(ink[drawing])
    level = ((ink - low) / (high - low)).clip(0, 1) * largest_near(drawing, 1)
    level = np.pad(level, 1)[box.top : box.bottom + 2, box.left : box.right + 2]
    return Drawing(level, np.array(box) / np.repeat(small.shape, 2))


def _shrunk(shape: tuple[int, ...], longest: int) -> tuple[int, int]:
    scale = min(1.0, longest / max(shape))
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def _smoothed(picture: Array) -> Array:
    """Means over 3 x 3 pixels, against grain; a picture so small that it has strokes of 2 pixels stays as it is."""
    if max(picture.shape) < SHADE:
        return picture
    padded = np.pad(picture, 1, mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9


def _light_on_dark(picture: Array) -> bool:
    """Ink is rare: without the slow changes of light, brightness has its long tail on the ink's side."""
    small = resized(picture, _shrunk(picture.shape, SHADE))
    y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in small.shape), indexing="ij")
    terms = np.stack([x**0, x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)
    rest = small.ravel() - terms @ np.linalg.lstsq(terms, small.ravel(), rcond=None)[0]
    return bool((rest**3).mean() > 0)


def _swallowed(picture: Array) -> Array:
    """Which share of the paper's light each pixel swallows: shadows and lamps cancel out.

    The paper is the closing of the picture (the largest value nearby, then the smallest of those nearby): dark things
    narrower than the window vanish, all others stay as they are.
    """
    small = resized(picture, _shrunk(picture.shape, SHADE))
    small = _smoothed(small) if max(picture.shape) > SHADE else small
    reach = max(1, round(max(small.shape) * WIDEST_STROKE / 2))
    # Odd reflection continues a slope of light beyond the edge; without it the darker edge would be taken for ink.
    paper = np.pad(small, 2 * reach, mode="reflect" if min(small.shape) > 1 else "edge", **_ODD(small))
    paper = -largest_near(-largest_near(paper, reach), reach)[2 * reach : -2 * reach, 2 * reach : -2 * reach]
    return (1 - picture / resized(paper, picture.shape).clip(0.05)).clip(0)
