"""Data to learn from, ready for a network: MNIST in the box, one's own IDX files, and labels as one-hot rows."""

from chainrule.datasets.dataset import Dataset, Split, one_hot
from chainrule.datasets.idx import read_idx, write_idx
from chainrule.datasets.mnist import mnist

__all__ = ["Dataset", "Split", "mnist", "one_hot", "read_idx", "write_idx"]
