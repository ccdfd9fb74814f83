"""How good a network's answers are: its loss, how often it is right, and whatever else a metric can tell.

A metric is a function (targets, answers) -> number. It sees what `predict` answers, unless its attribute `wants` says
another view. Where rows have weights it is given them too, if it has an argument `sample_weight`.
`chainrule.metrics` has the usual ones; one's own needs no more than `def`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from chainrule import tasks
from chainrule.errors import ConfigurationError, noting, unknown_name
from chainrule.layers.layer import Array
from chainrule.losses import Loss
from chainrule.losses.loss import check_weights

Metric: TypeAlias = Callable[..., float]
OF_CLASSES = ("classes", "probabilities")  # views that a classifier alone can give
VIEWS = ("predictions", *OF_CLASSES, "numbers", "outputs")


def evaluate(
    output: str | None,
    squashed: bool,
    raw: Array,
    y: Any,
    loss: Loss,
    sample_weight: Any,
    metrics: Mapping[str, Metric],
) -> dict[str, float]:
    """Loss, accuracy if the outputs are those of a classifier, and the metrics by their names.

    Rows of weight 0 are left out as if they were not there; the others count by their weights.
    """
    y, weighted = loss.check(y, raw.shape), {}
    if sample_weight is not None:
        sample_weight = check_weights(sample_weight, len(raw)).astype(np.float64)
        kept = np.flatnonzero(sample_weight)
        raw, y, sample_weight = raw[kept], y[kept], sample_weight[kept]
        weighted = {"sample_weight": sample_weight}
    result = {"loss": loss(tasks.to_be_judged(output, raw, loss), y, sample_weight)[0]}
    if tasks.classifies(output):
        result["accuracy"] = float(np.average(tasks.hits(output, raw, y, squashed), weights=sample_weight))
    answers: dict[str, Callable[[], Array]] = {
        **dict.fromkeys(("predictions", "classes", "numbers"), lambda: tasks.decide(output, raw, squashed)),
        "probabilities": lambda: tasks.probabilities(output, raw, squashed),
        "outputs": lambda: raw,
    }
    for name, metric in metrics.items():
        wants = getattr(metric, "wants", "predictions")
        _check_view(name, wants, output)
        judged = answers[wants]()
        with noting(f"metric {name}, given {wants} of shape {judged.shape}. Others are had by @cr.metrics.wants"):
            value = metric(y, judged, **(weighted if _takes_weights(metric) else {}))
        result[name] = _number(name, value)
    return result


def _check_view(metric: str, view: str, output: str | None) -> None:
    """Raise ConfigurationError unless a network with this output can give what the metric wants to see."""
    if view not in VIEWS:
        raise unknown_name(f"what {metric} wants", view, VIEWS)
    classes = tasks.classifies(output)
    if output is not None and view in (("numbers",) if classes else OF_CLASSES):
        raise ConfigurationError(
            f"metric {metric} judges {view}, but this network predicts "
            + ("classes: use accuracy, f1 or roc_auc" if classes else "numbers: use r2, mae or rmse")
            + ", or a function of your own."
        )


def named_metrics(metrics: Any) -> dict[str, Metric]:
    """Metrics by name: a mapping as it is, functions by their own names; None is none.

    >>> list(named_metrics([np.mean])), list(named_metrics({"middle": np.median}))
    (['mean'], ['middle'])
    """
    if callable(metrics):
        metrics = [metrics]
    if isinstance(metrics, Mapping):
        pairs = list(metrics.items())
    elif metrics is None or isinstance(metrics, (list, tuple)):
        pairs = [(getattr(each, "__name__", ""), each) for each in metrics or ()]
    else:
        pairs = [("", metrics)]
    if not all(name and callable(metric) for name, metric in pairs):
        raise ConfigurationError(
            f"metrics: expected functions such as [cr.metrics.f1], or {{name: function}}, received {metrics!r}."
        )
    taken = ["loss"]  # a metric called accuracy takes the place of the one that is measured anyway
    for name, _ in pairs:
        if name in taken:
            raise ConfigurationError(
                f"metrics: there is a {name!r} already (the loss is measured anyway). Give each a name of its own: "
                "{name: function}."
            )
        taken.append(name)
    return dict(pairs)


def _takes_weights(metric: Metric) -> bool:
    try:
        return "sample_weight" in inspect.signature(metric).parameters
    except (TypeError, ValueError):  # some functions written in C do not tell
        return False


def _number(name: str, value: Any) -> float:
    try:
        if np.ndim(value) == 0:
            return float(value)
    except (TypeError, ValueError):  # None, say, or a ragged list
        pass
    raise ConfigurationError(
        f"metric {name}: expected one number, received {value!r}. For several, give a metric each."
    )
