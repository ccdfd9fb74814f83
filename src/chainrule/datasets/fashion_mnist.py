"""Fashion-MNIST, the harder twin of MNIST: fetched when first asked for, and known by its checksums ever after."""

from __future__ import annotations

import os
from pathlib import Path

from chainrule.datasets.dataset import Dataset
from chainrule.datasets.download import RemoteFile, fetch
from chainrule.datasets.four_files import NAMES, read_four_files
from chainrule.errors import ConfigurationError, MissingExtraError

MIRRORS = (  # the authors' repository, the copy that Keras fetches, and the authors' first address
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
)
FILES = (  # sizes and SHA-256 as TensorFlow Datasets and Keras have them, url_checksums/fashion_mnist.txt
    RemoteFile(
        "train-images-idx3-ubyte.gz", 26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
    ),
    RemoteFile("train-labels-idx1-ubyte.gz", 29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
    RemoteFile(
        "t10k-images-idx3-ubyte.gz", 4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"
    ),
    RemoteFile("t10k-labels-idx1-ubyte.gz", 5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
)
CLASS_NAMES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)


def fashion_mnist(
    folder: str | os.PathLike[str] | None = None,
    *,
    validation: int | float = 5000,
    random_split: int | float | None = None,
    seed: int = 0,
) -> Dataset:
    """The 70,000 pictures of clothes of Fashion-MNIST, in MNIST's format and splits: where digits are too easy.

    The first call fetches four files, 31 MB; a call that was broken off goes on where it stopped. From then on no
    network is needed. Each call compares their SHA-256, so nothing else is ever taken for them.

    Shapes: x (N, 784) uint8, row by row, 0 is background; y (N,) int64.

    Arguments:
        folder: where the files are, or go. By default fashion-mnist in the folder that the environment variable
            CHAINRULE_DATA names, or else in the system's own for such things (on Linux ~/.cache/chainrule).
        validation: how many of the training examples to hold back, as for `mnist`.
        random_split: the size of a random test set instead of the official split, as for `mnist`.
        seed: a whole number, 0 or more, that repeats the random split.

    Raises:
        DataFileError: the files are not there and cannot be fetched (it says where to put them by hand), or a file of
            that name is another one.
        MissingExtraError: fetching needs ``pip install 'chainrule[data]'``.
        ConfigurationError: a split that leaves nothing to train on or makes no sense.

    Source: Han Xiao, Kashif Rasul, Roland Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
    learning algorithms" (2017), arXiv 1708.07747. The data are under the MIT licence, copyright Zalando SE.

    >>> CLASS_NAMES[9]
    'Ankle boot'
    """
    if not isinstance(folder, (str, os.PathLike, type(None))):
        raise ConfigurationError(f"fashion_mnist: folder={folder!r}: expected a path, or None for the usual one.")
    folder = usual_folder() / "fashion-mnist" if folder is None else Path(folder)
    fetch("Fashion-MNIST", FILES, MIRRORS, folder)
    paths = {name: folder / f"{name}.gz" for name in NAMES}
    return read_four_files("fashion_mnist", paths, CLASS_NAMES, validation, random_split, seed)


def usual_folder() -> Path:
    """Where data sets are kept that were fetched."""
    chosen = os.environ.get("CHAINRULE_DATA")
    if chosen:
        try:
            return Path(chosen).expanduser()
        except RuntimeError:
            raise ConfigurationError(
                f"CHAINRULE_DATA={chosen!r}: the home folder is not known. Name the folder by its full path."
            ) from None
    try:
        from platformdirs import user_cache_path
    except ImportError:
        raise MissingExtraError("Fashion-MNIST", "platformdirs", "data") from None
    return user_cache_path("chainrule", appauthor=False)
