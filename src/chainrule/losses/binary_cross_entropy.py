"""Binary cross-entropy with the sigmoid inside: yes or no, once or several times."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.border import as_targets
from chainrule.errors import LabelError
from chainrule.layers.activations import sigmoid
from chainrule.layers.layer import Array
from chainrule.losses.loss import Loss, check_values, weighted


class BinaryCrossEntropy(Loss):
    """Surprise at each yes-or-no answer, from logits.

    Shapes      outputs (N, K) logits    targets (N, K) in 0..1; for K = 1 also (N,)
    Forward     loss = -(t log p + (1 - t) log(1 - p)),  p = sigmoid(z), written max(z, 0) - z t + log(1 + e^-|z|) so
                that nothing overflows; averaged over rows and over the K outputs, as in PyTorch
    Backward    dL/doutputs = (p - t) / (N K)
    Raises      LabelError if a target lies outside 0..1; ShapeError for other shapes

    >>> loss, gradient = BinaryCrossEntropy()(np.array([[0.0], [1000.0]]), [1, 1])
    >>> round(loss, 4), gradient.ravel()
    (0.3466, array([-0.25,  0.  ]))
    """

    output = "sigmoid"

    def check(self, targets: Any, shape: tuple[int, ...]) -> Array:
        targets = as_targets(targets)
        if targets.shape == shape[:1] and shape[1:] == (1,):  # labels as predict gives them
            targets = targets.reshape(shape)
        targets = check_values("BinaryCrossEntropy", targets, shape)
        if targets.size and (targets.min() < 0 or targets.max() > 1):
            raise LabelError(
                f"BinaryCrossEntropy: targets must lie in 0..1, received {targets.min()}..{targets.max()}. "
                "Labels -1 and 1: use (y + 1) / 2. More than two classes: use CrossEntropy."
            )
        return targets

    def compute(self, outputs: Array, targets: Array, weights: Array | None, total: float) -> tuple[float, Array]:
        z, t, K = outputs, targets.astype(outputs.dtype, copy=False), outputs.shape[-1]
        surprise = (np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))).mean(axis=-1)
        gradient = sigmoid(z) - t
        if weights is not None:
            gradient *= weights[:, None]
        gradient /= total * K
        return weighted(surprise, weights) / total, gradient
