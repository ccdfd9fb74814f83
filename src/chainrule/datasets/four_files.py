"""Reads the four files that MNIST comes in, and every data set filed the same way, and cuts them in three."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from pathlib import Path

import numpy as np

from chainrule.datasets.dataset import Array, Dataset, Split
from chainrule.datasets.idx import read_idx
from chainrule.errors import ConfigurationError, DataFileError

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def read_four_files(
    owner: str,
    paths: Mapping[str, Path],
    class_names: tuple[str, ...] | None,
    validation: int | float,
    random_split: int | float | None,
    seed: int,
) -> Dataset:
    """The data set in the files at `paths`, one for each of NAMES; `mnist` tells what its options do.

    Arguments   owner        the function that was called, for its errors
                class_names  None: the numbers themselves
    """
    (images, y), (test_images, test_y) = (_read_pair(paths, NAMES[:2]), _read_pair(paths, NAMES[2:]))
    image_shape, test_shape = images.shape[1:], test_images.shape[1:]
    if image_shape != test_shape:
        raise DataFileError(
            f"{paths[NAMES[0]].parent}: the training images are {_size(image_shape)} but the test images "
            f"{_size(test_shape)}. They are of different data sets: replace one of the two pairs of files."
        )
    x, test_x = (part.reshape(len(part), -1) for part in (images, test_images))
    if class_names is None:
        class_names = tuple(str(label) for label in range(max(y.max(), test_y.max()) + 1))

    if random_split is not None:
        x, y = np.concatenate([x, test_x]), np.concatenate([y, test_y])
        size = _rows(f"{owner}: random_split", random_split, least=1, available=len(x))
        order = _generator(owner, seed).permutation(len(x))
        x, y = x[order], y[order]
        test_x, x, test_y, y = x[:size], x[size:], y[:size], y[size:]

    held_back = _rows(f"{owner}: validation", validation, least=0, available=len(x))
    cut = len(x) - held_back
    return Dataset(
        train=Split(x[:cut], y[:cut]),
        validation=Split(x[cut:], y[cut:]) if held_back else None,
        test=Split(test_x, test_y),
        class_names=class_names,
        image_shape=image_shape,
    )


def _read_pair(paths: Mapping[str, Path], names: tuple[str, ...]) -> tuple[Array, Array]:
    images_path, labels_path = (paths[name] for name in names)
    images, labels = read_idx(images_path, expected_dims=3), read_idx(labels_path, expected_dims=1)
    for path, array in ((images_path, images), (labels_path, labels)):
        if array.dtype != np.uint8:
            raise DataFileError(
                f"{path}: expected items of uint8, received {array.dtype}. Rescale to 0..255 and write it with "
                "write_idx, or read it with read_idx and build the splits yourself."
            )
    if len(images) != len(labels):
        raise DataFileError(
            f"{images_path.parent}: {images_path.name} holds {len(images):,} images but {labels_path.name} "
            f"{len(labels):,} labels. They do not belong together: is one of them from the other part or another data "
            "set?"
        )
    return images, labels.astype(np.int64)


def _rows(option: str, value: int | float, *, least: int, available: int) -> int:
    """How many rows an option asks for that takes a count or a fraction; at least one must remain."""
    rows = -1
    if isinstance(value, Integral) and not isinstance(value, bool):
        rows = int(value)
    elif isinstance(value, Real) and 0 < value < 1:
        rows = max(1, round(float(value) * available))
    if not least <= rows < available:
        raise ConfigurationError(
            f"{option}={value!r}: expected rows from {least} to {available - 1:,} (of {available:,}; at least one "
            f"must remain to train on) or a fraction between 0 and 1. For example {option.split()[-1]}=0.1, a tenth."
        )
    return rows


def _generator(owner: str, seed: int) -> np.random.Generator:
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise ConfigurationError(f"{owner}: seed={seed!r}: expected a whole number, 0 or more. For example seed=0.")
    return np.random.default_rng(int(seed))


def _size(image_shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, image_shape))
