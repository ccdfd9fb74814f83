"""The table of who is timed: one line a contender, so that adding one is a function and a line.

A contender is a function `contender(digits, threads) -> (epoch, accuracy)`:
`epoch()` trains once over all of `digits.train` and is what the clock sees; `accuracy()` is asked once, after the last
round, and gives the share of `digits.test` that is right, or None for a contender that does not learn.
Everything done before returning (converting the data, building the network) is not timed.

The work is the same for all: 784-128-10 with ReLU, softmax cross-entropy, shuffled batches of 64 with the last
partial one, plain SGD with a learning rate of 0.1, the loss of every step computed, float32 unless named.
"""

from dataclasses import dataclass
from importlib.util import find_spec

WIDTHS = (784, 128, 10)
BATCH_SIZE = 64
LEARNING_RATE = 0.1


@dataclass(frozen=True)
class Contender:
    name: str
    module: str  # the file in this folder
    function: str
    needs: str = "numpy"  # the package without which it is left out; its version is reported

    @property
    def installed(self):
        return find_spec(self.needs) is not None


FLOOR = "BLAS floor"

TABLE = [
    Contender(FLOOR, "floor", "five_products"),
    Contender("chainrule", "ours", "trainer", needs="chainrule"),
    Contender("NumPy, preallocated", "preallocated_numpy", "preallocated"),
    Contender("NumPy, plain, float32", "plain_numpy", "plain_float32"),
    Contender("NumPy, plain, float64", "plain_numpy", "plain_float64"),
    Contender("PyTorch, eager", "pytorch", "eager", needs="torch"),
    Contender("scikit-learn MLPClassifier", "scikit_learn", "mlp_classifier", needs="sklearn"),
]
