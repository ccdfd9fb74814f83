"""What the doctor says: a verdict, a row for each array, the cause with its evidence, and the line to write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.errors import GradientError
from chainrule.layers.layer import Array

RIGHT, BESIDE, WRONG = "right", "right only beside its own loss", "wrong"

CAUSES = {
    "forgot-n": "the 1/n of the mean was forgotten",
    "twice-n": "divided by n where it was divided already, or where nobody asked",
    "factor": "a constant factor is off",
    "transposed": "transposed",
    "bias-axis": "the bias's gradient was summed over the wrong axis, or not summed",
    "mean-for-sum": "a mean stands where a sum belongs (or the reverse)",
    "missing-derivative": "a derivative was not multiplied in",
    "upstream": "the upstream gradient was not multiplied in",
    "extra-derivative": "the activation's derivative was multiplied in once too often",
    "at-output": "the slope was taken at the output instead of the input",
    "at-input": "the slope's formula for the output was given the input",
    "wrong-mask": "the mask or slope of another layer, of another function or of an earlier pass",
    "softmax-axis": "softmax over the wrong axis",
    "softmax-diagonal": "softmax without its off-diagonal terms",
    "beside-loss": "right only together with the part that makes up for it",
    "labels": "one-hot targets and integer labels mixed up",
    "input-gradient": "the gradient of the input is missing, or scaled unlike the others",
    "accumulated": "gradients add up from call to call",
    "overwritten": "an array of the caller's is overwritten",
    "updated-first": "weights were updated before they were used",
    "cache-overwritten": "one cache serves two forwards, and the second overwrites the first",
    "penalty": "the penalty (regularisation) is counted on one side only",
    "norm-terms": "terms through the mean or the variance are missing",
    "dropout-scale": "dropout's mask or its 1/keep is not the same on both sides",
    "kernel-flip": "the kernel is turned round (or should be)",
    "ties": "tied entries of a maximum all get the gradient",
    "wrong-input": "made with the wrong layer's values",
    "no-gradients": "no gradients were found",
    "not-compared": "nothing could be compared",
    "raised": "the code raised an error, or gave nan or infinity",
    "float32": "computed in float32: the rest is rounding, not an error",
    "epsilon": "a small number in the loss is left out of its gradient",
    "unknown": "no mistake that I know gives these numbers",
}


@dataclass(frozen=True)
class Row:
    """What was found for one array."""

    name: str
    shape: tuple[int, ...]
    verdict: str
    error: float  # of the norm
    kinks: int = 0
    worst: tuple[tuple[int, ...], float, float] | None = None  # index, the learner's value, the numerical one
    cause: str = ""
    evidence: str = ""
    write: str = ""
    ratios: str = ""  # the map of ratios, where no cause was found
    off: str = ""  # how far, in words, where `error` is no measure of it


@dataclass(frozen=True, repr=False)
class Report:
    """The outcome of `doctor.gradients`: `verdict`, `passed`, `causes`, `warnings`, `rows`; print it for all of it."""

    title: str
    seen: str  # what the code was recognised as
    verdict: str
    rows: list[Row]
    notes: list[tuple[str, str, str]] = field(default_factory=list)  # (cause, evidence, line), of the whole
    hints: list[tuple[str, str, str]] = field(default_factory=list)  # the same, warnings only

    @property
    def passed(self) -> bool:
        """Is everything right?"""
        return self.verdict == RIGHT

    @property
    def causes(self) -> list[str]:
        """The ids of the causes, those of the whole first, each once. See `doctor.CAUSES`."""
        return list(dict.fromkeys([note[0] for note in self.notes] + [row.cause for row in self.rows if row.cause]))

    @property
    def warnings(self) -> list[str]:
        """The ids of what is no error here but will bite elsewhere."""
        return list(dict.fromkeys(hint[0] for hint in self.hints))

    def raise_if_wrong(self) -> None:
        """Raise GradientError, with this report as its text, unless everything is right."""
        if not self.passed:
            raise GradientError(str(self))

    def __str__(self) -> str:
        lines = [f"{self.title}: {self.verdict.upper() if self.verdict == WRONG else self.verdict}"]
        if self.seen:
            lines.append(f"  seen as: {self.seen}")
        for cause, evidence, write in self.notes:
            lines += _cause(cause, evidence, write, "  ")
        told: set[tuple[str, str]] = set()
        for row in self.rows:
            aside = f", {row.kinks} entries at kinks set aside" if row.kinks else ""
            off = row.off or f"off by {row.error:.1e} of its size"
            lines.append(f"  d{row.name} {row.shape}: {row.verdict}, {off}{aside}")
            if row.worst is not None and row.verdict != RIGHT:
                index, yours, numerical = row.worst
                lines.append(f"      worst at {list(index)}: yours {yours:+.6g}, numerical {numerical:+.6g}")
            if row.cause and (row.cause, row.evidence) not in told:
                lines += _cause(row.cause, row.evidence, row.write, "      ")
                told.add((row.cause, row.evidence))
            elif row.cause:
                lines.append(f"      cause: the same ({row.cause})")
            if row.ratios:
                lines += ["      yours / numerical:", *(f"        {line}" for line in row.ratios.splitlines())]
        for _, evidence, write in self.hints:
            lines += [f"  note: {evidence}", *([f"        {write}"] if write else [])]
        return "\n".join(lines)

    __repr__ = __str__  # what a notebook shows


def _cause(cause: str, evidence: str, write: str, indent: str) -> list[str]:
    lines = [f"{indent}cause: {CAUSES[cause]} ({cause})", *(f"{indent}  {line}" for line in evidence.splitlines())]
    return lines + ([f"{indent}  write: {write}"] if write else [])


def worst_entry(given: Any, measured: Array) -> tuple[tuple[int, ...], float, float] | None:
    """The entry with the largest difference, both values."""
    if given is None or np.squeeze(given).shape != np.squeeze(measured).shape or not np.size(measured):
        return None
    given = np.reshape(given, measured.shape)
    off = np.where(np.isnan(measured), -1.0, np.abs(given - measured))
    off = np.where(np.isnan(off), np.inf, off)
    index = np.unravel_index(int(off.argmax()), off.shape)
    return tuple(int(i) for i in index), float(given[index]), float(measured[index])


def ratio_map(given: Any, measured: Array) -> str:
    """The ratios of a corner of two arrays, for an error that has no name: a pattern may still be seen in them."""
    if given is None or np.squeeze(given).shape != np.squeeze(measured).shape:
        return ""
    with np.errstate(all="ignore"):
        ratios = np.reshape(given, measured.shape) / measured
    flat = np.atleast_2d(ratios.reshape(ratios.shape[0], -1) if ratios.ndim > 1 else ratios)
    lines = []
    for row in flat[:8]:
        cells = ["    -" if np.isnan(v) else "  inf" if np.isinf(v) else f"{v:5.2f}" for v in row[:10]]
        lines.append(" ".join(cells) + (" ..." if flat.shape[1] > 10 else ""))
    return "\n".join(lines + (["..."] if flat.shape[0] > 8 else []))
