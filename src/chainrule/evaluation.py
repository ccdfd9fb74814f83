"""How good a network's answers are: its loss, how often it is right, and whatever else a metric can tell.

A metric is a function (targets, answers) -> number. It sees what `predict` answers, unless its attribute `wants` says
another view. `chainrule.metrics` has the usual ones; one's own needs no more than `def`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from chainrule import tasks
from chainrule.errors import ConfigurationError, noting, unknown_name
from chainrule.layers.layer import Array
from chainrule.losses import Loss

Metric: TypeAlias = Callable[[Array, Array], float]
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
    """Loss, accuracy if the outputs are those of a classifier, and the metrics by their names."""
    y = loss.check(y, raw.shape)
    result = {"loss": loss(tasks.to_be_judged(output, raw, loss), y, sample_weight)[0]}
    if tasks.classifies(output):
        result["accuracy"] = float(tasks.hits(output, raw, y, squashed).mean())
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
            result[name] = float(metric(y, judged))
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
    """Metrics by name: a mapping as it is, functions by their own names.

    >>> list(named_metrics([np.mean])), list(named_metrics({"middle": np.median}))
    (['mean'], ['middle'])
    """
    if callable(metrics):
        metrics = [metrics]
    named = dict(metrics) if isinstance(metrics, Mapping) else {getattr(each, "__name__", ""): each for each in metrics}
    if "" in named or isinstance(metrics, str) or not all(map(callable, named.values())):
        raise ConfigurationError(
            f"metrics: expected functions such as [cr.metrics.f1], or {{name: function}}, received {metrics!r}."
        )
    return named
