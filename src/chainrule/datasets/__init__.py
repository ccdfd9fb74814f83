"""Data to learn from, ready for a network: MNIST in the box, toy sets, one's own files and photos, of any size."""

from chainrule.datasets.dataset import Dataset, Split, one_hot
from chainrule.datasets.fashion_mnist import fashion_mnist
from chainrule.datasets.idx import read_idx, write_idx
from chainrule.datasets.mnist import mnist
from chainrule.datasets.photos import read_photo
from chainrule.datasets.sources import Source
from chainrule.datasets.toys import and_gate, circles, moons, spirals, surface, xor

__all__ = [
    "Dataset",
    "Source",
    "Split",
    "and_gate",
    "circles",
    "fashion_mnist",
    "mnist",
    "moons",
    "one_hot",
    "read_idx",
    "read_photo",
    "spirals",
    "surface",
    "write_idx",
    "xor",
]
