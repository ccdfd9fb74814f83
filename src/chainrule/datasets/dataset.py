"""What every data set looks like, so that code for one works with all: splits of (x, y), and labels as one-hot rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from chainrule.errors import ConfigurationError, LabelError

Array = np.ndarray[Any, np.dtype[Any]]


class Split(NamedTuple):
    """The examples of one part of a data set and their labels: ``x, y = digits.train``.

    It is a pair, so ``len(split)`` is 2; the number of examples is ``len(split.x)``.

    Shapes: x (N, D), y (N,).

    >>> Split(np.zeros((4, 3), "uint8"), np.arange(4, dtype="int64"))
    Split(x=uint8 (4, 3), y=int64 (4,))
    """

    x: Array
    y: Array

    def __repr__(self) -> str:
        return f"Split(x={self.x.dtype} {self.x.shape}, y={self.y.dtype} {self.y.shape})"


@dataclass(frozen=True, repr=False, eq=False)
class Dataset:
    """A data set cut in three: to train on, to choose by, and to report once at the end.

    Arguments:
        train: the examples that the network learns from.
        validation: the examples that choices are made by (learning rate, when to stop), or None.
        test: the examples that the reported number comes from.
        class_names: the name of each label, so that ``class_names[y]`` is what label y means; empty when y is a number
            to predict.
        image_shape: (H, W) of the image that each row of x is, for ``x[0].reshape(image_shape)``; None if it is none.

    >>> split = Split(np.zeros((4, 6), "uint8"), np.arange(4, dtype="int64"))
    >>> Dataset(train=split, validation=None, test=split, class_names=("a", "b", "c", "d"), image_shape=(2, 3))
    Dataset of 2 x 3 images in 4 classes (a, b, c, d)
      train       Split(x=uint8 (4, 6), y=int64 (4,))
      validation  None
      test        Split(x=uint8 (4, 6), y=int64 (4,))
    """

    train: Split
    validation: Split | None
    test: Split
    class_names: tuple[str, ...] = ()
    image_shape: tuple[int, int] | None = None

    def __repr__(self) -> str:
        examples = f"{self.image_shape[0]} x {self.image_shape[1]} images" if self.image_shape else "examples"
        shown = self.class_names if len(self.class_names) <= 12 else (*self.class_names[:10], "...")
        classes = f" in {len(self.class_names)} classes ({', '.join(shown)})" if shown else ""
        return (
            f"Dataset of {examples}{classes}\n"
            f"  train       {self.train}\n"
            f"  validation  {self.validation}\n"
            f"  test        {self.test}"
        )


def one_hot(labels: npt.ArrayLike, classes: int | None = None, dtype: npt.DTypeLike = "float32") -> Array:
    """Each label as a row of zeros with a single one, in the column that the label numbers.

    Shapes: labels (N,) -> (N, classes).

    Forward: row[n, k] = 1 if k = labels[n], else 0.

    Arguments:
        labels: whole numbers from 0 up, or bools (False is 0, True is 1).
        classes: the number of columns; by default the largest label plus one. Give it whenever the labels may not hold
            the last class, as in a single batch.
        dtype: the type of the result, float32 by default.

    Raises:
        LabelError: labels that are text, fractions, negative, too large for ``classes``, or not one per row.
        ConfigurationError: ``classes`` is not a whole number above 0.

    >>> one_hot([2, 0, 1])
    array([[0., 0., 1.],
           [1., 0., 0.],
           [0., 1., 0.]], dtype=float32)
    """
    try:
        labels = np.asarray(labels)
    except ValueError:
        raise LabelError("one_hot: expected labels of shape (N,), received rows of different lengths.") from None
    if labels.ndim != 1:
        raise LabelError(
            f"one_hot: expected labels of shape (N,), received {labels.shape}. "
            "A column of labels: say labels.ravel(). Rows that are one-hot already: use them as they are."
        )
    if classes is not None and (isinstance(classes, bool) or not isinstance(classes, (int, np.integer)) or classes < 1):
        raise ConfigurationError(f"one_hot: classes={classes!r}: expected a whole number above 0, or None to count.")
    if labels.size == 0:
        if classes is None:
            raise LabelError("one_hot: no labels to count the classes of. Say how many there are: classes=10.")
        return np.zeros((0, classes), dtype)
    if labels.dtype.kind not in "biu":
        raise LabelError(f"one_hot: {_why_not_whole(labels)}")

    columns = int(labels.max()) + 1 if classes is None else int(classes)
    outside = (labels < 0) | (labels >= columns)
    if outside.any():
        row = int(outside.argmax())
        raise LabelError(
            f"one_hot: expected labels from 0 to {columns - 1}, received {labels[row]} in row {row}. "
            "Number the classes from 0: np.unique(labels, return_inverse=True)[1]."
        )
    rows = np.zeros((len(labels), columns), dtype)
    rows[np.arange(len(labels)), labels.astype(np.intp)] = 1
    return rows


def _why_not_whole(labels: Array) -> str:
    """What is wrong with labels that are not whole numbers, and what to say instead."""
    values = labels.tolist()
    odd = [value for value in values if not _is_whole(value)]
    example = (odd or values)[0]
    kind = "text" if isinstance(example, (str, bytes)) else labels.dtype
    fix = "number the classes from 0: np.unique(labels, return_inverse=True)[1]" if odd else "say labels.astype(int)"
    return f"labels are {kind} ({example!r}): {fix}."


def _is_whole(value: Any) -> bool:
    try:
        return bool(int(value) == float(value))
    except (TypeError, ValueError, OverflowError):
        return False
