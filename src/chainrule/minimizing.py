"""L-BFGS: for a small network and all of its data at once, the minimum itself instead of a walk around it.

It owns its loop, so it stands outside the Trainer: no batches, no shuffling, no rate, no chance.
"""

from __future__ import annotations

import itertools
import math
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.batches import Batches, check_pair
from chainrule.border import BATCH
from chainrule.configurable import by_name, number, spelling
from chainrule.errors import ConfigurationError, DivergenceError, MissingExtraError
from chainrule.layers.layer import Array
from chainrule.losses import LOSSES, Loss
from chainrule.network import Network
from chainrule.trainer_parts import CHECKS

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult


@dataclass(frozen=True)
class Minimum:
    """Where `minimize` came to."""

    loss: float  # of the data, at the best point found
    penalty: float  # of the weights there; 0 without one
    iterations: int
    evaluations: int  # of loss and gradient; each is a pass over all rows
    converged: bool  # or did it end for another reason, such as too many iterations?
    message: str  # SciPy's word on why it ended
    losses: list[float] = field(repr=False)  # with penalty: at the start, then after each iteration


@spelling
def minimize(
    network: Network,
    x: Any,
    y: Any,
    loss: Loss | str,
    *,
    penalty: Any = None,
    max_iterations: int = 200,
    tolerance: float = 1e-5,
) -> Minimum:
    """Move a network's weights to a minimum of the loss over all rows, by L-BFGS.

    Shapes      x (N, ...), y as the loss wants it
    Arguments   network         is changed in place; frozen parameters stay as they are
                loss            a Loss or its name
                penalty         on the weights that decay: L2(1e-4), or a tuple of penalties (default none). That of L1
                                has a kink at 0, which the method does not know of: it ends near the minimum
                max_iterations  each takes one or two passes over the rows (default 200)
                tolerance       the minimum is reached when no entry of the gradient is larger, in units of the loss
                                over the weights (default 1e-5), or when the loss falls by less than its rounding
    Raises      ConfigurationError for layers that draw chance or keep running statistics, which have no fixed loss to
                minimize; DivergenceError if the loss is not finite where it starts; MissingExtraError without SciPy
    Precision   All is computed in float64. A float32 network then holds the result rounded to 7 digits: take
                Network(..., dtype="float64") to have all of it.
    Ctrl-C leaves the network at the best point so far. Memory is that of 1,000 rows, whatever N is.
    Source      Liu, Nocedal 1989, Mathematical Programming 45, 503-528; SciPy's L-BFGS-B, without bounds

    >>> from chainrule import MLP
    >>> x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1.0], [1.0], [0.0]])            # XOR
    >>> network = MLP([2, 3, 1], "tanh", seed=1, dtype="float64")
    >>> result = minimize(network, x, y, "squared_error", tolerance=1e-9)
    >>> result.converged, bool(abs(network(x) - y).max() < 1e-6)
    (True, True)
    """
    try:
        from scipy.optimize import minimize as minimize_by_scipy
    except ImportError:
        raise MissingExtraError("minimize", "SciPy", "scipy") from None
    CHECKS["network"]("network", network)
    number("minimize", "max_iterations", max_iterations, "[1, inf)", whole=True)
    number("minimize", "tolerance", tolerance, "[0, inf)")
    objective = Objective(network, x, y, by_name("loss", loss, LOSSES, Loss), CHECKS["penalty"]("penalty", penalty))
    losses = [objective(objective.start)[0]]
    if not math.isfinite(losses[0]):
        raise DivergenceError(f"minimize: the loss is {losses[0]:g} where it starts. Start from smaller weights.")

    def note(intermediate_result: OptimizeResult) -> None:
        losses.append(float(intermediate_result.fun))

    options = {"maxiter": max_iterations, "maxfun": sys.maxsize, "gtol": tolerance, "ftol": 64 * sys.float_info.epsilon}
    try:
        found = minimize_by_scipy(
            objective, objective.start, jac=True, method="L-BFGS-B", callback=note, options=options
        )
    finally:
        network.params[objective.moved] = objective.best  # also after Ctrl-C
    return Minimum(
        objective.loss, objective.penalty, found.nit, objective.evaluations, found.success, found.message, losses
    )


class Objective:
    """Loss and gradient as a function of the trainable parameters, and the best point seen so far.

    It works on a copy of the network, in float64.
    """

    def __init__(self, network: Network, x: Any, y: Any, loss: Loss, penalties: tuple[Any, ...]) -> None:
        check_pair(network, loss)
        for layer in (inner for top in network.layers for inner in top.walk()):
            if layer.draws or (layer.state_names and not layer.adapts):
                reason = "draws chance at every step" if layer.draws else "computes with statistics of its batch"
                raise ConfigurationError(
                    f"minimize: {layer!r} {reason}, so that the loss is not a function of the weights alone. Use a "
                    "Trainer, or leave the layer out."
                )
        data = Batches(x, y, network, loss)
        network.adapt(data.x)
        network(data.x[:2])  # a layer that does not keep the contract says so now
        if not network.task_is_given:
            network.output = loss.output
        if not network.trainable:
            raise ConfigurationError("minimize: no parameter is trainable. Say network.unfreeze() first.")
        self.moved = np.concatenate([np.arange(part.start, part.stop) for part in network.trainable])
        self.network = network.astype("float64")
        self.data = Batches(x, y, self.network, loss)
        self.penalties = penalties
        self.start = self.best = self.network.params[self.moved]
        self.evaluations, self.lowest, self.loss, self.penalty = 0, math.inf, math.nan, 0.0

    def __call__(self, weights: Array) -> tuple[float, Array]:
        """The value and the gradient there."""
        network = self.network
        network.params[self.moved] = weights
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a step too far, which is taken back
            loss, gradient = self._over_all_rows()
            network.grads[...] = gradient
            penalty = 0.0
            for each, part in itertools.product(self.penalties, network.decaying):
                penalty += each.add(network.params[part], network.grads[part])
        self.evaluations += 1
        if loss + penalty < self.lowest:
            self.lowest, self.loss, self.penalty, self.best = loss + penalty, loss, penalty, weights.copy()
        return loss + penalty, network.grads[self.moved]

    def _over_all_rows(self) -> tuple[float, Array]:
        network, data, n = self.network, self.data, len(self.data)
        loss, gradient = 0.0, np.zeros_like(network.grads)
        for start in range(0, n, BATCH):
            x, y, _ = data.take(np.arange(start, min(start + BATCH, n)))
            outputs, caches = network.forward(x, True)
            part, dy = data.loss.compute(outputs, y, None, n)
            network.backward(dy, caches)
            loss += part
            gradient += network.grads
        return loss, gradient
