"""What on a picture is ink and what is paper, in any light; and which of the ink is the drawing, and which is dirt.

A picture is an array (H, W) of brightness from 0 to 1. It is looked at in a small copy, in which the grain of a camera
has averaged out; a drawing that is small on its page is then looked at again, closely.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chainrule.errors import DataError
from chainrule.layers.layer import Array

LOOK = 512  # pixels: the longer side of the copy that ink is searched in
SHADE = 32  # and of the one that the light on the paper is measured in, too coarse for grain
WIDEST_STROKE = 1 / 3  # of the longer side: what is wider than this is paper in another light, not ink
FAINTEST = 0.06  # share of the paper's light that ink must swallow
CLEAREST = 6.5  # standard deviations of the paper between paper and ink; noise alone, cut in two, reaches 3 to 6
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
    """The picture in another number of pixels: area averages where it shrinks, bilinear where it grows."""
    if picture.shape == shape:
        return picture
    down, across = (overlaps(n, m, n / m, n / 2) for n, m in zip(picture.shape, shape, strict=True))
    return (down / down.sum(axis=1, keepdims=True)) @ picture @ (across / across.sum(axis=1, keepdims=True)).T


def overlaps(n: int, m: int, step: float, middle: float) -> Array:
    """How much of each of n pixels lies in each of m others, `step` times as wide, with their middle at `middle`.

    No window is narrower than one pixel, so that what is enlarged is interpolated, and a shift by a fraction of a
    pixel is the bilinear one.

    Shapes      (m, n); rows sum to 1, but for windows that reach beyond the n pixels

    >>> overlaps(4, 2, 2.0, 2.0)
    array([[0.5, 0.5, 0. , 0. ],
           [0. , 0. , 0.5, 0.5]])
    """
    width = max(1.0, step)
    left = middle + (np.arange(m)[:, None] + 0.5 - m / 2) * step - width / 2
    pixel = np.arange(n)
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
    smooth = _smoothed(ink) if max(ink.shape) > 2 * SHADE else ink  # strokes of 2 pixels would be lost
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
    """Means over 3 x 3 pixels, against grain."""
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
    small = _smoothed(resized(picture, _shrunk(picture.shape, SHADE)))
    reach = max(1, round(max(small.shape) * WIDEST_STROKE / 2))
    # Odd reflection continues a slope of light beyond the edge; without it the darker edge would be taken for ink.
    paper = np.pad(small, 2 * reach, mode="reflect", reflect_type="odd")
    paper = -largest_near(-largest_near(paper, reach), reach)[2 * reach : -2 * reach, 2 * reach : -2 * reach]
    return (1 - picture / resized(paper, picture.shape).clip(0.05)).clip(0)


def _between_two_heaps(values: Array) -> float:
    """The threshold that cuts values from 0 to 1 in two heaps as far apart as can be (Otsu 1979)."""
    counts, edges = np.histogram(values, 256, (0, 1))
    middles = (edges[:-1] + edges[1:]) / 2
    below, sum_below = counts.cumsum()[:-1], (counts * middles).cumsum()[:-1]
    above, sum_above = counts.sum() - below, (counts * middles).sum() - sum_below
    apart = below * above * (sum_below / below.clip(1) - sum_above / above.clip(1)) ** 2
    return float(edges[apart.argmax() + 1])


# The drawing among the ink ----------------------------------------------------------------------------------------


def _blobs(wet: Array) -> Array:
    """A number for each stretch of ink that hangs together, corners included, the same on all its pixels; 0 elsewhere.

    Every pixel takes the largest number around it, and then the one at the place that this number names: a jump along
    the stroke that becomes longer each time.
    """
    numbers = np.where(wet, np.arange(1, wet.size + 1).reshape(wet.shape), 0)
    while True:
        spread = largest_near(numbers, 1) * wet
        spread = np.append(0, spread)[spread]
        if (spread == numbers).all():
            return numbers
        numbers = spread


def _main_drawing(blobs: Array) -> tuple[Array, Box]:
    """The pixels of the largest blob and of those that belong to it."""
    names, areas = np.unique(blobs[blobs > 0], return_counts=True)
    large = areas >= SPECK * areas.max()
    boxes = {name: _box(blobs == name) for name in names[large][np.argsort(-areas[large], kind="stable")]}
    # What runs off the picture is the table, a shadow or a neighbour, unless there is nothing else.
    boxes = {name: box for name, box in boxes.items() if not _touches_edge(box, blobs)} or boxes
    (main, frame), *others = boxes.items()
    parts, digits = [main], 1
    for name, box in others:
        beside = max(box.left - frame.right, frame.left - box.right)
        above = max(box.top - frame.bottom, frame.top - box.bottom)
        apart = max(beside, above)
        if box.bottom - box.top >= frame.size / 2 and (beside > 0 or apart > NEAR * frame.size):
            digits += 1
        elif apart < NEAR * frame.size:
            parts.append(name)
    if digits > 1:
        raise DataError(f"holds {digits} drawings of similar size, expected one. Cut them apart, one to a picture")
    drawing = np.isin(blobs, parts)
    return drawing, _box(drawing)


def _touches_edge(box: Box, picture: Array) -> bool:
    return 0 in (box.top, box.left) or box.bottom == picture.shape[0] or box.right == picture.shape[1]


def _box(mask: Array) -> Box:
    rows, columns = (np.flatnonzero(mask.any(axis=axis)).tolist() for axis in (1, 0))
    return Box(rows[0], rows[-1] + 1, columns[0], columns[-1] + 1)
