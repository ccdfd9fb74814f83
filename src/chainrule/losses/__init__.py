"""Losses: (outputs, targets) -> (loss, gradient). `loss.py` is the contract."""

from chainrule.losses.absolute_error import MAE as MAE, AbsoluteError as AbsoluteError
from chainrule.losses.binary_cross_entropy import BinaryCrossEntropy as BinaryCrossEntropy
from chainrule.losses.cross_entropy import CrossEntropy as CrossEntropy
from chainrule.losses.huber import Huber as Huber
from chainrule.losses.loss import Loss as Loss
from chainrule.losses.poisson import Poisson as Poisson
from chainrule.losses.quantile import Quantile as Quantile
from chainrule.losses.squared_error import MSE as MSE, SquaredError as SquaredError

LOSSES: dict[str, type[Loss]] = {
    "cross_entropy": CrossEntropy,
    "binary_cross_entropy": BinaryCrossEntropy,
    "squared_error": SquaredError,
    "mse": SquaredError,
    "absolute_error": AbsoluteError,
    "mae": AbsoluteError,
    "huber": Huber,
    "quantile": Quantile,
    "poisson": Poisson,
}
