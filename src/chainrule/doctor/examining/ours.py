"""Makes a patient of a layer, loss or network of this library; a float64 copy is examined."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.configurable import by_name
from chainrule.doctor.examining.patients import Patient
from chainrule.doctor.examining.places import Place
from chainrule.gradient_check import double
from chainrule.layers import Layer
from chainrule.losses import LOSSES, Loss
from chainrule.network import Network


def from_ours(subject: Layer | Loss | Network, x: Any, y: Any, loss: Any, train: bool, seed: int) -> Patient:
    """A patient of one of our own parts."""
    held = {"x": np.array(x, np.float64)}
    if isinstance(subject, Loss):

        def run_loss() -> tuple[Any, Any]:
            return subject(held["x"], y)

        return Patient(
            repr(subject), "loss", {"x": Place("x", held, "x")}, run_loss, lambda dy, out, grad: {"x": grad}, None, y
        )
    network = double(subject, held["x"])
    network.enter(held["x"])
    judged = None if y is None else by_name("loss", loss if loss is not None else "cross_entropy", LOSSES, Loss)

    def run(now: bool = train) -> tuple[Any, Any]:
        return network.forward(held["x"], now, np.random.default_rng(seed))

    def pull(dy: Any, outputs: Any, cache: Any) -> dict[str, Any]:
        upstream = judged(outputs, y)[1] if judged is not None else dy
        dx = network.backward(upstream.copy(), cache, need_dx=True)
        return {"x": dx} | {row.name: network.grads[row.slice].reshape(row.shape) for row in network.parameters}

    places = {"x": Place("x", held, "x")}
    places |= {row.name: Place(row.name, row.layer, row.attribute) for row in network.parameters}
    judge = None if judged is None else lambda outputs: judged(outputs, y)[0]
    kind = "layer" if judged is None else "network"
    return Patient(repr(subject), kind, places, run, pull, None, y, judge, seed=seed)
