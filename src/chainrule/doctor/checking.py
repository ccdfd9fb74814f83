"""Training fails silently, so look before it begins: the field's checklist, in seconds, on copies.

Source      the questions are those of the course CS231n (notes 2 and 3) and of Karpathy 2019, "A Recipe for Training
            Neural Networks": the scale of the data, the loss at the start, gradients, a few rows learned by heart, the
            ratio of updates to weights
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.configurable import by_name, number
from chainrule.doctor import data_items, start_items, training_items
from chainrule.doctor.items import Answer, Checkup, Item, failed, noted
from chainrule.doctor.patient import Patient, admit
from chainrule.errors import ChainruleWarning, ConfigurationError
from chainrule.losses import LOSSES, Loss
from chainrule.network import Network
from chainrule.optimizers import OPTIMIZERS, Optimizer

OF_X: dict[str, Callable[[Patient], Answer]] = {
    "finite values": data_items.finite_values,
    "input scale": data_items.input_scale,
    "constant columns": data_items.constant_columns,
    "repeated rows": data_items.repeated_rows,
}
OF_TARGETS: dict[str, Callable[[Patient], Answer]] = {"targets": data_items.targets}
OF_BOTH: dict[str, Callable[[Patient], Answer]] = {
    "row order": data_items.row_order,
    "class balance": data_items.class_balance,
    "answer in x": data_items.answer_in_x,
    "loss at the start": start_items.loss_at_start,
    "gradients": start_items.gradients_right,
    "units at the start": start_items.units_at_start,
    "learns by heart": training_items.learns_by_heart,
    "update ratio": training_items.update_ratio,
    "units after steps": training_items.units_after_steps,
    "learning rate": training_items.learning_rate,
    "shuffled labels": training_items.shuffled_labels,
}
CAUSES = {  # what must be mended first, if it failed too
    "loss at the start": ("input scale", "targets"),
    "learns by heart": ("input scale", "targets", "gradients", "units at the start"),
    "update ratio": ("input scale", "targets", "units at the start"),
    "units after steps": ("input scale", "units at the start", "update ratio"),
    "learning rate": ("input scale", "targets", "units at the start"),
}


def checkup(
    network: Network,
    x: Any,
    y: Any,
    loss: Loss | str | None = None,
    *,
    optimizer: Optimizer | str = "adam",
    batch_size: int = 32,
    validation: tuple[Any, ...] | None = None,
    seed: int = 0,
    show: bool = True,
) -> Checkup:
    """Ask of data and network what usually is wrong, before training: each answer with numbers and the line that mends.

    Everything is done on copies and, of large data, on a sample of 2,000 rows; labels and NaN are looked for in all.

    Shapes      x (N, ...), y as the loss takes it: what Trainer.fit takes
    Arguments   loss        a Loss or its name (default: the one that goes with the network's output)
                optimizer   that is planned, or its name: update ratio and rate are those of a clone (default "adam")
                batch_size  that is planned (default 32)
                validation  (x, y): are rows of it among those to learn from? (default None)
                seed        of the sample and of every trial (default 0)
                show        print the report (default True)
    Returns     a Checkup: passed, items, str(report)
    Raises      ShapeError, DataError as training would; ConfigurationError if the loss is not known

    >>> from chainrule import MLP, datasets
    >>> moons = datasets.moons()
    >>> report = checkup(MLP([2, 16, 2]), *moons.train, "cross_entropy", show=False)
    >>> report.passed, report["loss at the start"].status
    (True, 'pass')
    """
    if not isinstance(network, Network):
        raise ConfigurationError(f"checkup: expected a network, such as MLP([784, 128, 10]), received {network!r}.")
    loss = None if loss is None else by_name("loss", loss, LOSSES, Loss)
    planned: Optimizer = by_name("optimizer", optimizer, OPTIMIZERS, Optimizer)
    batch_size = number("checkup", "batch_size", batch_size, "[1, inf)", whole=True)
    seed = number("checkup", "seed", seed, "[0, inf)", whole=True)
    patient = admit(network, x, y, loss, planned, batch_size, seed, validation)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", ChainruleWarning)  # large inputs: an item says it
        for name, question in (OF_X | OF_TARGETS | OF_BOTH).items():
            patient.answers[name] = _asked(question, patient)
    n, used = patient.all_x.shape[0], len(patient.x)
    rows = f"{n:,} rows" if used == n else f"{used:,} of {n:,} rows"
    items = [Item(name, *_with_cause(name, patient.answers)) for name in patient.answers]
    report = Checkup(f"{network!r} on {rows}", items)
    if show:
        print(report)
    return report


def _asked(question: Callable[[Patient], Answer], patient: Patient) -> Answer:
    if not len(patient.x) and question is not data_items.finite_values:
        return noted("not asked: no row can be computed with")
    if patient.unreadable and question in OF_BOTH.values():
        return noted("not asked: the targets cannot be read")
    try:
        return question(patient)
    except Exception as error:  # a layer of one's own may do anything
        return failed(f"{type(error).__name__}: {error}", "mend this error first")


def _with_cause(name: str, answers: dict[str, Answer]) -> Answer:
    """The answer; if it failed for a cause that failed too, with the advice to begin there."""
    status, evidence, fix = answers[name]
    causes = [cause for cause in CAUSES.get(name, ()) if answers[cause][0] == "fail"]
    return status, evidence, f"mend {causes[0]!r} first" if causes and status == "fail" else fix
