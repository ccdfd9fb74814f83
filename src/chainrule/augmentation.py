"""Augmentation: every batch is changed a little, by chance, so that the network never sees the same image twice.

A digit that is moved, turned or bent is still that digit, and a network that has seen it so needs fewer photographs to
learn what does not matter. Training alone does this, before the network: `Trainer(augment=...)` calls
`augment(x, rng)` for every batch, with a generator made from its seed and the step. Any function (x, rng) -> x will do.

Pixels are moved backwards: for every pixel of the new image we ask where in the old one it comes from, and mix the four
pixels around that point: the new image has no holes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.border import as_array
from chainrule.configurable import Configurable, number
from chainrule.errors import ConfigurationError, DataError, ShapeError, unknown_name
from chainrule.layers.layer import Array, Shape

OUTSIDE = ("zeros", "edge")  # what lies beyond an image: nothing, or what its last row or column shows, on and on
SIDE = 8  # of the smallest flat image that need not be said to be one: narrow tables may have 4, 9, 16 ... columns
BLOCK = 1 << 13  # pixels moved at a time: for larger temporaries fresh memory is fetched every time, which costs more


class Augmentation(Configurable):
    """Base of all augmentations: a subclass defines `apply`, which returns a changed copy of the batch.

    Shapes      x, and what comes back: the same shape and dtype, float; x itself is never written to

    >>> class Fade(Augmentation):
    ...     def apply(self, x, rng):
    ...         return x * rng.uniform(0.5, 1.0, (len(x), 1)).astype(x.dtype)
    >>> Fade()(np.ones((2, 3)), np.random.default_rng(0)).round(2)
    array([[0.82, 0.82, 0.82],
           [0.63, 0.63, 0.63]])
    """

    def __call__(self, x: Any, rng: np.random.Generator) -> Array:
        """The batch changed, in an array of its own."""
        x = as_array(x)
        if x.dtype.kind != "f" or x.ndim < 2:
            raise DataError(
                f"{self!r}: expected a batch of floats, an array (N, ...), received {type(x).__name__} of {x.dtype}, "
                f"shape {x.shape}. Cast whole numbers first, x.astype(np.float32); make one example a batch, x[None]."
            )
        if not isinstance(rng, np.random.Generator):
            raise ConfigurationError(
                f"{self!r}: expected a generator such as np.random.default_rng(0), received {rng!r}."
            )
        return self.apply(x, rng)

    def apply(self, x: Array, rng: np.random.Generator) -> Array:
        """The batch changed by numbers drawn from rng, every row by its own."""
        raise NotImplementedError(f"{type(self).__name__} must define apply(x, rng) -> changed copy of x")


class RandomAffine(Augmentation):
    """Moves, turns, scales and slants each image about its centre: what happens to a digit on another sheet of paper.

    Shapes      x (N, H * W), (N, H, W) or (N, H, W, C)
    Forward     y[p] = x[source(p)], bilinear, with p = (row, column) counted from the centre and
                source(p) = A (p - t),   A = inverse of (scale * rotation * shear)
                t uniform in [-shift, shift] along each axis, the angles uniform in [-rotate, rotate] and
                [-shear, shear], the scale uniform in [1 - scale, 1 + scale]; drawn anew for every row
    Arguments   image_shape  (H, W) of flat rows; None: square, of 8 by 8 or more (default)
                shift        largest move along each axis, pixels (default 2)
                rotate       largest turn, degrees (default 10)
                scale        largest change of size, as a share, in [0, 1) (default 0.1)
                shear        largest slant of upright strokes, degrees, in [0, 90) (default 0)
                outside      beyond the image lie "zeros" (default; what digits have around them), or its "edge" goes on
                             (for photos)
    Raises      ConfigurationError for options out of range; ShapeError for rows that are no such images

    >>> image = np.array([[[0.0, 0, 0], [0, 8, 0], [0, 0, 0]]])
    >>> RandomAffine(shift=1, rotate=0, scale=0)(image, np.random.default_rng(0)).round(1)    # down and to the left
    array([[[0. , 0. , 0. ],
            [2.7, 3.1, 0. ],
            [1. , 1.2, 0. ]]])
    """

    def __init__(
        self,
        image_shape: Shape | None = None,
        *,
        shift: float = 2.0,
        rotate: float = 10.0,
        scale: float = 0.1,
        shear: float = 0.0,
        outside: str = "zeros",
    ) -> None:
        self.image_shape = _checked("RandomAffine", image_shape)
        self.shift = number("RandomAffine", "shift", shift, "[0, inf)")
        self.rotate = number("RandomAffine", "rotate", rotate, "[0, 180]")
        self.scale = number("RandomAffine", "scale", scale, "[0, 1)")
        self.shear = number("RandomAffine", "shear", shear, "[0, 90)")
        self.outside = _checked_outside(outside)

    def maps(self, n: int, rng: np.random.Generator) -> Array:
        """n random maps (A | -A t), shape (n, 2, 3): times (row, column, 1) they give the source of a pixel."""
        shift = rng.uniform(-self.shift, self.shift, (n, 2, 1))
        angle, slant = np.radians(rng.uniform(-1, 1, (n, 2)) * (self.rotate, self.shear)).T
        scale = 1 + rng.uniform(-self.scale, self.scale, n)
        cos, sin, tan = np.cos(angle), np.sin(angle), np.tan(slant)
        A = np.array([[cos, sin], [-sin - tan * cos, cos - tan * sin]]) / scale
        A = A.transpose(2, 0, 1)
        return np.concatenate([A, -A @ shift], axis=2)

    def apply(self, x: Array, rng: np.random.Generator) -> Array:
        images = _as_images(x, self)
        sources = self.maps(len(x), rng).astype(x.dtype) @ plane(images)
        return sample(images, sources, self.outside).reshape(x.shape)


class RandomElastic(Augmentation):
    """Bends each image like a sheet of rubber: neighbouring pixels move together, distant ones on their own.

    Shapes      x (N, H * W), (N, H, W) or (N, H, W, C)
    Forward     y[p] = x[p + d(p)], bilinear; each axis of d is normal noise smoothed by a Gaussian:
                d = alpha / (2 sqrt(3 pi) sigma) R z C^T,   z normal of variance 1, on a coarse grid of spacing sigma
                R, C: Gaussian bumps over the grid's rows and columns, with a sum of squares of 1 at every pixel
    Arguments   image_shape  (H, W) of flat rows; None: square, of 8 by 8 or more (default)
                alpha        strength: a pixel moves by alpha / (6.14 sigma) pixels, standard deviation (default 34)
                sigma        of the Gaussian, pixels: how far neighbours move together (default 4)
                outside      as for RandomAffine (default "zeros")
    Raises      ConfigurationError for options out of range; ShapeError for rows that are no such images
    Source      Simard, Steinkraus, Platt 2003, ICDAR, section 2: alpha and sigma as there. There uniform noise at every
                pixel is smoothed; noise on a grid of spacing sigma gives the same covariance, to 0.0002 of the
                variance, and needs a sixteenth of the numbers

    >>> x = np.full((1, 8, 8), 5.0)
    >>> RandomElastic(alpha=20)(x, np.random.default_rng(0))[0, 3:5, 3:5]          # what is even stays as it is
    array([[5., 5.],
           [5., 5.]])
    """

    def __init__(
        self, image_shape: Shape | None = None, *, alpha: float = 34.0, sigma: float = 4.0, outside: str = "zeros"
    ) -> None:
        self.image_shape = _checked("RandomElastic", image_shape)
        self.alpha = number("RandomElastic", "alpha", alpha, "[0, inf)")
        self.sigma = number("RandomElastic", "sigma", sigma, "[1, inf)")
        self.outside = _checked_outside(outside)

    def displacements(self, n: int, H: int, W: int, rng: np.random.Generator) -> Array:
        """n random fields, shape (n, 2, H, W): by how many rows and columns each pixel's source lies off."""
        R, C = self.bumps(H), self.bumps(W)
        z = rng.standard_normal((n, 2, R.shape[1], C.shape[1]), dtype=np.float32)
        z *= self.alpha / (2 * math.sqrt(3 * math.pi) * self.sigma)
        return R @ z @ C.T

    def bumps(self, length: int) -> Array:
        """exp(-distance^2 / (2 sigma^2)) from each pixel (row) to each point of the grid (column), rows of length 1."""
        points = np.arange(-2, math.ceil(length / self.sigma) + 3) * self.sigma  # those further out hardly matter
        bumps = np.exp(-((np.arange(length)[:, None] - points) ** 2) / (2 * self.sigma**2))
        return (bumps / np.linalg.norm(bumps, axis=1, keepdims=True)).astype(np.float32)

    def apply(self, x: Array, rng: np.random.Generator) -> Array:
        images = _as_images(x, self)
        N, H, W, _ = images.shape
        sources = self.displacements(N, H, W, rng).astype(x.dtype, copy=False).reshape(N, 2, H * W)
        sources += plane(images)[:2]
        return sample(images, sources, self.outside).reshape(x.shape)


class GaussianNoise(Augmentation):
    """Adds normal noise to every value: no single one can be relied on.

    Shapes      x: any
    Forward     y = x + std z,   z normal of variance 1; nothing is clipped
    Arguments   std: in the units of x as the Trainer gets it, for pixels of 0..255 before Rescale (no default)
    Raises      ConfigurationError if std is negative
    Source      Bishop 1995, Neural Computation 7, 108-116: for small std it acts like a penalty on the slopes

    >>> GaussianNoise(10)(np.full((1, 3), 100.0), np.random.default_rng(0)).round()
    array([[111.,  86.,  96.]])
    """

    def __init__(self, std: float) -> None:
        self.std = number("GaussianNoise", "std", std, "[0, inf)")

    def apply(self, x: Array, rng: np.random.Generator) -> Array:
        noise = rng.standard_normal(x.shape, dtype=np.float32).astype(x.dtype, copy=False)
        noise *= self.std
        noise += x
        return noise


def plane(images: Array) -> Array:
    """(row, column, 1) of every pixel, from the centre, shape (3, H * W), for images (N, H, W, C)."""
    _, H, W, _ = images.shape
    rows, columns = np.mgrid[:H, :W].reshape(2, -1)
    return np.array([rows - (H - 1) / 2, columns - (W - 1) / 2, np.ones(H * W)], images.dtype)


def sample(images: Array, sources: Array, outside: str = "zeros") -> Array:
    """The values of images at points between their pixels, bilinear; zeros begin a whole pixel beyond the last one.

    Shapes      images (N, H, W, C)    sources (N, 2, P): row and column, from the centre    returns (N, P, C)
    """
    N, H, W, C = images.shape
    values = np.empty((N, sources.shape[2], C), images.dtype)
    rows = max(1, BLOCK // (H * W * C))
    for start in range(0, N, rows):
        block = slice(start, start + rows)
        values[block] = _sample(images[block], sources[block], outside)
    return values


def _sample(images: Array, sources: Array, outside: str) -> Array:
    N, H, W, C = images.shape
    framed = np.zeros((N, H + 3, W + 3, C), images.dtype)  # zeros: one pixel before, two behind, so that nobody asks
    framed[:, 1:-2, 1:-2] = images
    pixels = framed.reshape(-1, C)
    rim = int(outside == "edge")  # no point is taken from further out: the frame, or the image itself
    y = np.clip(sources[:, 0] + (H + 1) / 2, rim, H + 1 - rim)  # counted in the frame
    x = np.clip(sources[:, 1] + (W + 1) / 2, rim, W + 1 - rim)
    above, left = np.floor(y), np.floor(x)
    y -= above
    x -= left
    corner = above.astype(np.intp) * (W + 3) + left.astype(np.intp)
    corner += np.arange(N)[:, None] * ((H + 3) * (W + 3))
    y, x = y[..., None], x[..., None]
    upper = _between(pixels.take(corner, axis=0), pixels.take(corner + 1, axis=0), x)
    corner += W + 3
    lower = _between(pixels.take(corner, axis=0), pixels.take(corner + 1, axis=0), x)
    return _between(upper, lower, y)


def _between(a: Array, b: Array, share: Array) -> Array:
    """a + share (b - a), in the memory of b."""
    b -= a
    b *= share
    b += a
    return b


def _checked(owner: str, image_shape: Any) -> Any:
    if image_shape is not None and not (isinstance(image_shape, (tuple, list)) and len(image_shape) == 2):
        raise ConfigurationError(f"{owner}: image_shape must be (H, W) or None, received {image_shape!r}.")
    for length in image_shape or ():
        number(owner, "image_shape", length, "[1, inf)", whole=True)
    return image_shape


def _checked_outside(outside: str) -> str:
    if outside not in OUTSIDE:
        raise unknown_name("outside", outside, OUTSIDE)
    return outside


def _as_images(x: Array, owner: RandomAffine | RandomElastic) -> Array:
    """x seen as (N, H, W, C)."""
    side = math.isqrt(x.shape[-1])
    if owner.image_shape is None and x.ndim == 2 and side < SIDE and side * side == x.shape[1]:
        raise ShapeError(
            f"{owner!r}: rows of {x.shape[1]} columns are taken for a table, which must not be bent. If they are "
            f"images, say {type(owner).__name__}(image_shape=({side}, {side}))."
        )
    H, W = owner.image_shape or (x.shape[1:3] if x.ndim > 2 else (side, side))
    if x.shape[1:] != (H * W,) and (x.shape[1:3] != (H, W) or x.ndim > 4):
        raise ShapeError(
            f"{owner!r}: expected images of {H} by {W}, as x of shape (N, {H * W}), (N, {H}, {W}) or "
            f"(N, {H}, {W}, C), received {x.shape}. Say image_shape=(H, W) as the images are."
        )
    return x.reshape(len(x), H, W, -1)
