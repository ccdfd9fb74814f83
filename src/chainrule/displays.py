"""What scikit-learn asks of a classifier, so that `DecisionBoundaryDisplay.from_estimator(network, x)` works."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule import tasks
from chainrule.errors import ConfigurationError
from chainrule.layers.layer import Array, Shape


class Displayable:
    """The few names by which scikit-learn recognises a fitted classifier or regressor."""

    output: str | None
    out_shapes: tuple[Shape, ...]

    @property
    def classes_(self) -> Array:
        """The labels 0..K-1 of a classifier."""
        if not tasks.classifies(self.output) or not self.out_shapes:
            raise AttributeError("classes_: only a classifier has classes, and only once it is built.")
        return np.arange(max(2, self.out_shapes[-1][-1]))

    def fit(self, x: Any, y: Any) -> None:
        """A network is taught by a Trainer; this says so."""
        raise ConfigurationError("A network is taught by a Trainer: Trainer(network, loss).fit(x, y).")

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, RegressorTags, Tags, TargetTags

        classifies = tasks.classifies(self.output)
        return Tags(
            estimator_type="classifier" if classifies else "regressor",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags() if classifies else None,
            regressor_tags=None if classifies else RegressorTags(),
            requires_fit=False,  # a network made by hand is as good as one that was taught
        )
