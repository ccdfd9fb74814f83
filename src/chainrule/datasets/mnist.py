"""The MNIST digits, bundled so that the first network needs no download, and any data set filed the same way."""

from __future__ import annotations

import os
from numbers import Integral, Real
from pathlib import Path

import numpy as np

from chainrule.datasets.dataset import Array, Dataset, Split
from chainrule.datasets.idx import read_idx
from chainrule.errors import ConfigurationError, DataFileError

BUNDLED = Path(__file__).parent / "mnist_files"


def mnist(
    folder: str | os.PathLike[str] | None = None,
    *,
    validation: int | float = 5000,
    random_split: int | float | None = None,
    seed: int = 0,
) -> Dataset:
    """The 70,000 handwritten digits of MNIST, or one's own images in files of the same names and format.

    The split is the official one: the test set is the 10,000 digits that published results are measured on. The last
    5,000 of the 60,000 training digits are held back for validation; the network trains on the first 55,000.
    Each call reads the files anew: the arrays are yours to write to.

    Shapes: x (N, H * W) uint8, row by row, 0 is background and 255 is ink; y (N,) int64. MNIST has H = W = 28.

    Arguments:
        folder: where to find train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
            t10k-labels-idx1-ubyte, gzipped or not, also written train-images.idx3-ubyte; by default the bundled MNIST.
        validation: how many of the training examples to hold back, the last of them: rows (5000 by default) or a
            fraction between 0 and 1; 0 for none, and ``.validation`` is None.
        random_split: None (default) for the official split; or the size of a test set, in rows (10000) or as a fraction
            (0.2), drawn at random from all examples, test digits among them. Validation comes from the rest. Numbers
            measured on it cannot be compared with published ones: the official test digits were written by people who
            wrote none of the training digits, and these were not.
        seed: a whole number, 0 or more, that repeats the random split. NumPy's global generator is not used.

    Raises:
        DataFileError: a file that is missing or damaged, or files that do not belong together.
        ConfigurationError: a split that leaves nothing to train on or makes no sense.

    Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition",
    Proceedings of the IEEE 86 (1998), section III A. Licence of the data: mnist_files/LICENSE.

    >>> mnist()
    Dataset of 28 x 28 images in 10 classes (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
      train       Split(x=uint8 (55000, 784), y=int64 (55000,))
      validation  Split(x=uint8 (5000, 784), y=int64 (5000,))
      test        Split(x=uint8 (10000, 784), y=int64 (10000,))
    """
    if not isinstance(folder, (str, os.PathLike, type(None))):
        raise ConfigurationError(f"mnist: folder={folder!r}: expected a path, or None for the bundled digits.")
    folder = BUNDLED if folder is None else Path(folder)
    (images, y), (test_images, test_y) = (_read_part(folder, part) for part in ("train", "t10k"))
    image_shape, test_shape = images.shape[1:], test_images.shape[1:]
    if image_shape != test_shape:
        raise DataFileError(
            f"{folder}: the training images are {_size(image_shape)} but the test images {_size(test_shape)}. "
            "They are of different data sets: replace one of the two pairs of files."
        )
    x, test_x = (part.reshape(len(part), -1) for part in (images, test_images))
    class_names = tuple(str(label) for label in range(max(y.max(), test_y.max()) + 1))

    if random_split is not None:
        x, y = np.concatenate([x, test_x]), np.concatenate([y, test_y])
        size = _rows("random_split", random_split, least=1, available=len(x))
        order = _generator(seed).permutation(len(x))
        x, y = x[order], y[order]
        test_x, x, test_y, y = x[:size], x[size:], y[:size], y[size:]

    held_back = _rows("validation", validation, least=0, available=len(x))
    cut = len(x) - held_back
    return Dataset(
        train=Split(x[:cut], y[:cut]),
        validation=Split(x[cut:], y[cut:]) if held_back else None,
        test=Split(test_x, test_y),
        class_names=class_names,
        image_shape=image_shape,
    )


def _read_part(folder: Path, part: str) -> tuple[Array, Array]:
    images_path = _find(folder, f"{part}-images-idx3-ubyte")
    labels_path = _find(folder, f"{part}-labels-idx1-ubyte")
    images, labels = read_idx(images_path, expected_dims=3), read_idx(labels_path, expected_dims=1)
    for path, array in ((images_path, images), (labels_path, labels)):
        if array.dtype != np.uint8:
            raise DataFileError(
                f"{path}: expected items of uint8, received {array.dtype}. Rescale to 0..255 and write it with "
                "write_idx, or read it with read_idx and build the splits yourself."
            )
    if len(images) != len(labels):
        raise DataFileError(
            f"{folder}: {images_path.name} holds {len(images):,} images but {labels_path.name} {len(labels):,} labels. "
            "They do not belong together: is one of them from the other part or another data set?"
        )
    return images, labels.astype(np.int64)


def _find(folder: Path, name: str) -> Path:
    """The file of that name in the folder, gzipped or not, with a dot before ``idx`` or not."""
    spellings = [spelling + end for spelling in (name, name.replace("-idx", ".idx")) for end in ("", ".gz")]
    try:
        present = {path.name for path in folder.iterdir() if path.is_file()}
    except OSError as fault:
        raise DataFileError(
            f"{folder}: expected a folder with the four files of MNIST ({fault.strerror}). Check the path, "
            "or call mnist() for the bundled digits."
        ) from fault
    for spelling in spellings:
        if spelling in present:
            return folder / spelling
    raise DataFileError(
        f"{folder}: expected a file {' or '.join(spellings)}, received {len(present)} files of other names. "
        "Put it there, or call mnist() for the bundled digits."
    )


def _rows(name: str, value: int | float, *, least: int, available: int) -> int:
    """How many rows an option asks for that takes a count or a fraction; at least one must remain."""
    rows = -1
    if isinstance(value, Integral) and not isinstance(value, bool):
        rows = int(value)
    elif isinstance(value, Real) and 0 < value < 1:
        rows = max(1, round(float(value) * available))
    if not least <= rows < available:
        raise ConfigurationError(
            f"mnist: {name}={value!r}: expected rows from {least} to {available - 1:,} (of {available:,}; at least one "
            f"must remain to train on) or a fraction between 0 and 1. For example {name}=0.1, a tenth."
        )
    return rows


def _generator(seed: int) -> np.random.Generator:
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise ConfigurationError(f"mnist: seed={seed!r}: expected a whole number, 0 or more. For example seed=0.")
    return np.random.default_rng(int(seed))


def _size(image_shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, image_shape))
