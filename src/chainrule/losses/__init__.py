"""Losses: (outputs, targets) -> (loss, gradient). `loss.py` is the contract."""

from chainrule.losses.binary_cross_entropy import BinaryCrossEntropy as BinaryCrossEntropy
from chainrule.losses.cross_entropy import CrossEntropy as CrossEntropy
from chainrule.losses.loss import Loss as Loss
from chainrule.losses.squared_error import MSE as MSE, SquaredError as SquaredError

LOSSES: dict[str, type[Loss]] = {
    "cross_entropy": CrossEntropy,
    "binary_cross_entropy": BinaryCrossEntropy,
    "squared_error": SquaredError,
    "mse": SquaredError,
}
