"""One's own handwriting for a network that learned on MNIST: a photo or scan made into a digit as those were made."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chainrule.configurable import number
from chainrule.datasets.ink import Drawing, find_drawing, largest_near, overlaps
from chainrule.errors import DataError, DataFileError, MissingExtraError
from chainrule.layers.layer import Array

if TYPE_CHECKING:
    from PIL import Image

DIGIT = 20 / 28  # the longer side of a digit, as a share of the image
CENTRE = 14.5 / 28  # where its ink balances: at pixel 14.0, counted from the middle of pixel 0
STROKE = 2.0  # pixels of 28; the middle one of MNIST's is 2.3, a ballpoint's may be 0.5
LONGEST = 2000  # pixels: more are averaged while the file is read


def read_photo(path: str | os.PathLike[str], *, side: int = 28) -> Array:
    """A photo, scan or screenshot of one handwritten digit, as a row that a network trained on `mnist()` can read.

    The light on the paper is evened out, dark ink becomes bright on black, specks are left out. The digit is cut out,
    scaled so that its longer side is 20 pixels (every pixel the mean of the area it covers), and placed so that its
    ink balances at pixel 14.0. Strokes thinner than 2 pixels are drawn thicker: MNIST knows no ballpoints.
    Transparent is paper. The first frame is taken of an animation; a camera's rotation is obeyed.

    Shapes      (1, side * side) uint8, row by row, 0 is background and 255 is ink
    Arguments   path  a file that Pillow can read: PNG, JPEG, ...
                side  of the images that the network was trained on, in pixels; 20 and 14 scale with it (default 28)
    Raises      DataFileError, with the name of the file, if it is missing, damaged or no image; if there is no ink on
                it, or more than one drawing;  MissingExtraError without Pillow
    Source      LeCun, Bottou, Bengio, Haffner 1998, Gradient-based learning applied to document recognition, III A.
                The balance point and the 20 pixels were measured on the 55,000 digits: 14.0 with a spread of half a
                pixel, for the original moved by whole pixels only. Ink against paper: Otsu 1979

    >>> import tempfile
    >>> from PIL import Image
    >>> page = np.full((300, 200), 230, "uint8")
    >>> page[40:160, 60:68] = 30  # a long stroke, in dark ink
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.fromarray(page).save(f"{folder}/one.png")
    ...     x = read_photo(f"{folder}/one.png")
    >>> x.shape, x.reshape(28, 28)[:, 14].nonzero()[0].tolist() == list(range(4, 25))
    ((1, 784), True)
    """
    side = number("read_photo", "side", side, "[1, inf)", whole=True)
    _, drawing = read_drawing(path)
    return as_digit(drawing, side).reshape(1, -1)


def read_drawing(path: str | os.PathLike[str]) -> tuple[Array, Drawing]:
    """The picture in a file as brightness (H, W) from 0 to 1, and the drawing on it. Raises DataFileError."""
    picture = _read(Path(path))
    try:
        return picture, find_drawing(picture)
    except DataError as error:
        raise DataFileError(f"{path}: {error}.") from None


def as_digit(drawing: Drawing, side: int = 28) -> Array:
    """The drawing in the size and place of MNIST's digits: (side, side) uint8."""
    ink = drawing.ink
    longer = max(ink.shape) - 2  # without the margin
    grow = round((STROKE * longer / 20 - _stroke_width(ink)) / 2)
    if grow > 0:
        ink = largest_near(np.pad(ink, grow), grow)
        longer += 2 * grow
    step = longer / (DIGIT * side)
    across, down = (_balanced(ink.sum(axis=axis), side, step) for axis in (0, 1))
    return (255 * (down @ ink @ across.T).clip(0, 1)).round().astype(np.uint8)


def _balanced(ink: Array, side: int, step: float) -> Array:
    """The overlaps of such columns (or rows) of ink with those of the image, so that they balance where they should."""
    balance = float(ink @ (np.arange(len(ink)) + 0.5) / ink.sum())
    return overlaps(len(ink), side, step, balance + (0.5 - CENTRE) * side * step)


def _stroke_width(ink: Array) -> float:
    """Area over half the outline, which counts the sides of pixels: pi / 4 of them, for a stroke of any direction."""
    wet = np.pad(ink > 0.5, 1)
    outline = np.pi / 4 * sum(np.count_nonzero(np.diff(wet, axis=axis)) for axis in (0, 1))
    return 2 * np.count_nonzero(wet) / max(1.0, outline)


# Files ------------------------------------------------------------------------------------------------------------


def _read(path: Path) -> Array:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise MissingExtraError("Reading photos", "pillow", "cli") from None
    if path.is_dir():
        raise DataFileError(f"{path}: is a folder, expected an image. Name the files inside it.")
    if path.exists() and not path.is_file():
        raise DataFileError(f"{path}: is a device or a pipe, expected an image. Save it to a file first.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata, which we do not need
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(path) as image:
                return _brightness(image)
        except FileNotFoundError:
            raise DataFileError(f"{path}: there is no such file, expected an image. Check the path.") from None
        except UnidentifiedImageError:
            raise DataFileError(f"{path}: is not an image that can be read. PNG and JPEG can be.") from None
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            most = f"{Image.MAX_IMAGE_PIXELS or 0:,}"
            raise DataFileError(f"{path}: has more than {most} pixels. Make it smaller; 1,000 x 1,000 do.") from None
        except PermissionError as error:
            raise DataFileError(f"{path}: cannot be read ({error.strerror}). Check its permissions.") from None
        except Exception as error:  # decoders raise what they like when a file is damaged
            raise DataFileError(f"{path}: is damaged or cut short ({error}). Save or copy it again.") from error


def _brightness(image: Image.Image) -> Array:
    """The first frame, upright, as brightness (H, W) from 0 to 1 on an opaque ground."""
    from PIL import Image, ImageOps

    image.draft("L", (LONGEST, LONGEST))  # a JPEG can be read smaller, which is quicker
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):  # of 16 bits or more, with a white of its own
        image = image.convert("F")
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        grey, opaque = np.asarray(image.convert("L")), np.asarray(image.getchannel("A")) > 127
        white = not opaque.any() or grey[opaque].mean() < 128  # paper is what the ink stands out from
        paper = Image.new("RGBA", image.size, "white" if white else "black")
        image = Image.alpha_composite(paper, image).convert("L")
    else:
        image = image.convert("RGB").convert("L")  # not every kind of image can go to grey at once
    picture = np.asarray(image.reduce(max(1, max(image.size) // LONGEST)), np.float32)
    if image.mode == "L":
        return picture / 255
    if not np.isfinite(picture).all():
        raise ValueError("it holds values that are not numbers")
    low, high = float(picture.min()), float(picture.max())
    return (picture - low) / ((high - low) or 1.0)
