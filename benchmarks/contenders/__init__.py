"""The table of who is timed: one line a contender, so that adding one is a function and a line.

A contender is a function `contender(work, data, threads) -> Turns`, which builds the network of `work.layers` and keeps
the data in RAM in the form that its library likes best. Nothing that it does before it returns is in a turn's time.

The work is the same for all: softmax cross-entropy, shuffled batches of `work.batch` with the last partial one, plain
SGD at the constant rate `work.rate`, the loss of every step computed, float32 unless named.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, NamedTuple


class Turns(NamedTuple):
    epoch: Callable[[], None]  # train once over all of data.x
    enter: Callable[[Any], Any]  # rows of data.test_x in the form that predict likes best
    predict: Callable[[Any], Any]  # their labels as a NumPy array, or None from who does not learn


@dataclass(frozen=True)
class Contender:
    name: str
    module: str  # the file in this folder
    function: str
    needs: tuple[str, ...] = ("numpy",)  # the packages without which it is left out
    images: bool = True  # does it take works with convolutions?

    @property
    def installed(self):
        return all(map(find_spec, self.needs))

    def takes(self, work):
        return (self.images or not work.convolves) and (not work.only or self.name in work.only)


FLOOR = "BLAS floor"

TABLE = [
    Contender(FLOOR, "floor", "products"),
    Contender("chainrule", "ours", "trainer", needs=("chainrule",)),
    Contender("NumPy, preallocated", "preallocated_numpy", "preallocated", images=False),
    Contender("NumPy, plain, float32", "plain_numpy", "plain_float32", images=False),
    Contender("NumPy, plain, float64", "plain_numpy", "plain_float64", images=False),
    Contender("neuralnetlib", "neural_net_lib", "sequential", needs=("neuralnetlib",)),
    Contender("scikit-learn", "scikit_learn", "mlp_classifier", needs=("sklearn",), images=False),
    Contender("PyTorch, eager", "pytorch", "eager", needs=("torch",)),
    Contender("PyTorch, compiled", "pytorch", "compiled", needs=("torch",)),
    Contender("JAX, step", "jax_numpy", "step_by_step", needs=("jax",)),
    # XLA's convolution is many times slower in a scan on a CPU: with images, the step is JAX's best.
    Contender("JAX, epoch in one scan", "jax_numpy", "whole_epoch", needs=("jax",), images=False),
    Contender("Keras on JAX", "keras_on_jax", "fit", needs=("keras", "jax")),
]
