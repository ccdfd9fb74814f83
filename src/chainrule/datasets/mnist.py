"""The MNIST digits, bundled so that the first network needs no download, and any data set filed the same way."""

from __future__ import annotations

import os
from pathlib import Path

from chainrule.datasets.dataset import Dataset
from chainrule.datasets.four_files import NAMES, read_four_files
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
    paths = {name: _find(folder, name) for name in NAMES}
    return read_four_files("mnist", paths, None, validation, random_split, seed)


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
