"""`explain`: what a network does with a few examples, forwards and backwards, and how to see it."""

from __future__ import annotations

from typing import Any

from chainrule import border
from chainrule.configurable import by_name
from chainrule.errors import ConfigurationError, DataError
from chainrule.explaining import as_html, as_text
from chainrule.explaining.pages import Story, layer_pages, loss_page, meaning, moves
from chainrule.losses import LOSSES, BinaryCrossEntropy, CrossEntropy, Loss, Poisson, SquaredError
from chainrule.network import Network

MOST_ROWS = 16  # more numbers than these nobody follows

OF_TASK: dict[str, type[Loss]] = {
    "softmax": CrossEntropy,
    "sigmoid": BinaryCrossEntropy,
    "exp": Poisson,
    "identity": SquaredError,
}


class Explanation:
    """What `explain` found: text for `print`, HTML for a notebook."""

    def __init__(self, story: Story) -> None:
        self.story = story

    def __str__(self) -> str:
        return as_text.text(self.story)

    __repr__ = __str__  # what an interpreter shows

    def _repr_html_(self) -> str:
        return as_html.html(self.story)


def explain(
    network: Network, x: Any, y: Any = None, loss: Loss | str | None = None, *, train: bool = False, seed: int = 0
) -> Explanation:
    """Show one batch's whole way through a network: every layer's formula and numbers, then every gradient.

    The formulas are those of the docstrings, of one's own layers too: what stands there under Forward and Backward. One
    entry of each array is worked out by them, if what they say is what the layer computed. The network stays as it is.

    Shapes      x (N, *in_shape), N at most 16; y as the loss takes it
    Arguments   y      None: forward alone (default)
                loss   a Loss or its name; None: the usual one for what the network's outputs mean (default)
                train  as in training, with dropout and statistics of the batch (default False: as in use)
                seed   of what training draws (default 0)
    Raises      DataError for more rows; ConfigurationError for a loss without y, or y without a loss or a task

    >>> from chainrule.layers import Linear, ReLU
    >>> network = Network(Linear(2, 1), ReLU(), output="identity")
    >>> network.layers[0].W = [[0.5], [0.25]]
    >>> print(explain(network, [[1.0, 2.0]]))
    1 example through 2 layers, forward alone, as in use, float32
    Numbers are rounded to 4 digits.
    <BLANKLINE>
    FORWARD
    <BLANKLINE>
    Linear #0    Linear(2, 1)    (1, 2) -> (1, 1)
      y = x W + b
      x (1, 2)
          1  2
      W (2, 1)
           0.5
          0.25
      b (1,)
          0
      y[0,0] = 1*0.5 + 2*0.25 + 0 = 1
      y (1, 1)
          1
    <BLANKLINE>
    ReLU #1    ReLU()    (1, 1) -> (1, 1)
      y = max(0, x)
      x: the y of Linear #0
      y[0,0] = max(0, 1) = 1
      y (1, 1)
          1
    """
    if not isinstance(network, Network):
        raise ConfigurationError(
            f"explain: expected a Network, received {network!r}. A layer goes into one: Network(Linear(3, 4), ReLU())."
        )
    x = network.enter(x)
    if not x.shape[0]:
        raise DataError(f"explain: received x of shape {x.shape}, expected at least one row: x[:1].")
    if x.shape[0] > MOST_ROWS:
        rows = "x[:2]" if y is None else "x[:2], y[:2]"
        raise DataError(
            f"explain: received {x.shape[0]:,} rows, expected at most {MOST_ROWS}, or nobody can follow the numbers. "
            f"Pass a few: explain(network, {rows})."
        )
    x = x.toarray() if border.is_sparse(x) else x[:]
    border.check_finite(x, "x", network.dtype)
    judge = _judge(network, y, loss)
    kept = network.grads.copy()
    try:
        trace = network.trace(x, y, judge, train=train, seed=seed)
    finally:
        network.grads[...] = kept
    outputs, backward = trace[-1].y, judge is not None
    way = "forward and backward" if backward else "forward alone"
    title = (
        f"{_count(len(outputs), 'example')} through {_count(len(network.layers), 'layer')}, {way}, "
        f"as in {'training' if train else 'use'}, {network.dtype}"
    )
    story = Story(title, layer_pages(trace, backward), meaning(network, outputs, judge))
    if judge is not None:
        story = story._replace(loss=loss_page(judge, outputs, y), moves=moves(network, trace))
    return Explanation(story)


def _judge(network: Network, y: Any, loss: Loss | str | None) -> Loss | None:
    """The loss that is meant."""
    if loss is not None:
        if y is None:
            raise ConfigurationError("explain: a loss was given but no targets. Say explain(network, x, y, loss=...).")
        return by_name("loss", loss, LOSSES, Loss)
    if y is None:
        return None
    if network.output is None:
        raise ConfigurationError(
            "explain: this network does not know its task yet, so say which loss: "
            "explain(network, x, y, loss='cross_entropy'). Known: " + ", ".join(LOSSES) + "."
        )
    if network.squashed and network.output == "softmax":
        return CrossEntropy(from_probabilities=True)
    if network.squashed and network.output == "sigmoid":
        return SquaredError()  # the sigmoid is in the network already, and not once more in the loss
    return OF_TASK[network.output]()


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
