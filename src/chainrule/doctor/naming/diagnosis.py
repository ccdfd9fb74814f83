"""From numbers to names: which mistake, put into a right backward, gives exactly the learner's gradients?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.doctor.examining.evidence import LARGE, Evidence, errors
from chainrule.doctor.examining.intake import numerical
from chainrule.doctor.naming.asking import by_asking, slope_elsewhere
from chainrule.doctor.naming.formulas import LOSSES
from chainrule.doctor.naming.mistake import Circumstances, Mistake
from chainrule.doctor.naming.mistakes import mistakes
from chainrule.doctor.naming.recognising import one_hot, recognise
from chainrule.doctor.naming.relations import (
    Explanation,
    constant_ratio,
    fits,
    named_factor,
    of_numbers,
    of_shape,
)
from chainrule.layers.layer import Array

GUARD = 2e-2  # what a guarded log may change in a gradient: 1e-7 beside a probability of 1e-5, say
WEAK = ("bias-axis", "input-gradient", "missing-derivative", "transposed", "factor")  # a mistake that fits says more

MOST_PAIRS = 2000  # tried on small arrays; on large ones fewer, each takes longer


def chain_of(evidence: Evidence) -> Any:
    """The chain that the learner's forward is, if it is a known one."""
    tolerance = 1e-8 if evidence.precision.norm < 1e-4 else 1e-4
    patient = evidence.patient
    with np.errstate(all="ignore"):
        return recognise(patient, evidence.arrays, evidence.outputs, evidence.rows, patient.targets, tolerance)


def upstream(evidence: Evidence) -> Array:
    """What comes into the chain from above: dy of a layer, the gradient of a network's loss by its outputs.

    The latter is measured. Where it is, but for the small number that guards a log, that of a known loss, the exact one
    is taken: it is what learners mean, and what they differentiate. Losses are alike where all p are near 0.5, so it is
    measured for other outputs too.
    """
    if evidence.dy is not None:
        return evidence.dy
    if evidence.patient.judge is None or np.ndim(evidence.outputs) == 0:
        return np.ones(())
    with np.errstate(all="ignore"):
        measured = numerical(evidence.patient.judge, evidence.outputs)
    if evidence.outputs.ndim != 2 or evidence.patient.targets is None:
        return measured
    p = evidence.outputs if evidence.rows else evidence.outputs.T
    labels = np.asarray(evidence.patient.targets)
    t = one_hot(labels.T if not evidence.rows and labels.ndim == 2 else labels, p.shape[1])
    if t is None or t.shape != p.shape or (p <= 0).any() or (p >= 1).any():
        return measured
    other = np.random.default_rng(7).uniform(0.2, 0.8, p.shape)
    if np.allclose(p.sum(axis=1), 1):
        other /= other.sum(axis=1, keepdims=True)  # what a loss of probabilities may insist on
    for formula in LOSSES[2:]:
        exact, there = formula.slope(p, t), formula.slope(other, t)
        exact, there = (exact, there) if evidence.rows else (exact.T, there.T)
        surest = np.unravel_index(np.argmin(np.where(exact != 0, abs(exact), np.inf)), exact.shape)
        scale = measured[surest] / exact[surest]
        if _nearly(measured, scale * exact) and _nearly(
            numerical(evidence.patient.judge, other if evidence.rows else other.T), scale * there
        ):
            return scale * exact
    return measured


def _nearly(measured: Array, exact: Array) -> bool:
    """Equal, but for what a guarded log changes?"""
    return np.allclose(measured, exact, rtol=GUARD, atol=1e-6 * np.abs(exact).max())


def acquit(evidence: Evidence) -> None:
    """Take for right what is the exact gradient of a loss whose log is guarded by a small number, log(p + 1e-7)."""
    wrong = evidence.wrong()
    if not wrong or evidence.chain is None or evidence.patient.kind not in ("loss", "network"):
        return
    evidence.chain.forward(evidence.arrays["x"], evidence.arrays)
    exact = evidence.chain.backward(upstream(evidence), evidence.arrays, {})
    evidence.exact = {
        name: exact[name] for name in wrong if errors(exact.get(name), evidence.numerical[name])[0] < GUARD
    }
    evidence.acquitted = {
        name for name, right in evidence.exact.items() if fits(evidence.analytic[name], right, evidence)
    }


def diagnose(evidence: Evidence) -> dict[str, Explanation]:
    """A cause for every array that is wrong; "unknown" where none fits."""
    wrong = evidence.wrong()
    found: dict[str, Explanation] = {}
    ratios = _ratios(wrong, evidence)
    found |= ratios
    for name in wrong:
        if name not in found:
            simple = of_shape(name, evidence) or of_numbers(name, evidence)
            if simple is not None:
                found[name] = simple
    open_to_better = [n for n in wrong if n not in found or found[n].cause in WEAK]
    if evidence.chain is not None and open_to_better:
        for name, explanation in by_mistakes(evidence, open_to_better).items():
            if not (name in ratios and "on top" in explanation.says):
                found[name] = explanation
    for name in wrong:
        if name not in found and name == "x":
            elsewhere = slope_elsewhere(evidence)
            if elsewhere is not None:
                found[name] = elsewhere
        if name not in found:
            asked = by_asking(name, evidence)
            if asked is not None:
                found[name] = asked
    return {
        name: found.get(name, Explanation("unknown", "the numbers are off, but in no way that I know"))
        for name in wrong
    }


def _ratios(wrong: list[str], evidence: Evidence) -> dict[str, Explanation]:
    """Constant ratios, named by looking at all arrays together: which are scaled, and is it by n?"""
    ratios = {name: constant_ratio(evidence.analytic.get(name), evidence.reference(name), evidence) for name in wrong}
    known = {
        name: ratio for name, ratio in ratios.items() if ratio is not None and np.size(evidence.numerical[name]) > 1
    }
    alone = {name: r for name, r in ratios.items() if r is not None and name not in known}
    for (
        name,
        ratio,
    ) in alone.items():  # one number always has a ratio: believe it if the others say the same, or it is n
        if any(abs(r / ratio - 1) < 1e-4 for r in known.values()) or (not known and named_factor(ratio, evidence)):
            known[name] = ratio
    explanations = {}
    for name, ratio in known.items():
        text = named_factor(ratio, evidence)
        explanations[name] = _of_ratio(name, ratio, text, known, wrong, evidence)
    return explanations


def _of_ratio(
    name: str, ratio: float, text: str | None, known: dict[str, float], wrong: list[str], evidence: Evidence
) -> Explanation:
    leaf, n, kind = name.split(".")[-1], evidence.n, evidence.patient.kind
    says = f"yours / numerical = {ratio:.6g} in every entry"
    says += f" = {text}, with n = {n} examples" if text and "n" in text else f" = {text}" if text else ""
    names = list(evidence.numerical)
    parameters = [p for p in names if p != "x"]
    scaled = [p for p in parameters if p in known and abs(known[p] / ratio - 1) < 1e-4]
    everything = all(
        p in known and abs(known[p] / ratio - 1) < 1e-4 for p in names if evidence.analytic.get(p) is not None
    )
    inverse = text is not None and ("/" in text)
    averaged = evidence.outputs.size // max(1, np.size(evidence.numerical[name]))  # entries to one of this array
    if kind == "layer" and name != "x" and averaged > 1 and abs(ratio * averaged - 1) < 1e-4 and text != "1 / n":
        says = f"yours / numerical = 1 / {averaged} in every entry: a mean over {averaged} entries of the output"
        return Explanation("mean-for-sum", says, f"d{leaf} = ...sum(...), not mean")
    whole = round(max(abs(ratio), 1 / abs(ratio)))
    if kind == "arrays" and whole > 2 and abs(max(ratio, 1 / ratio) - whole) < 1e-4:
        cause = "forgot-n" if ratio > 1 else "twice-n"
        return Explanation(cause, f"{says}: have you {whole} examples?", "divide by the number of examples, once")
    if text is None or "n" not in text:
        return Explanation(
            "factor",
            says,
            f"d{leaf} = d{leaf} / {ratio:g}" if abs(ratio) >= 1 else f"d{leaf} = d{leaf} * {1 / ratio:g}",
        )
    if ratio < 0:
        return Explanation("factor", says + ", with the sign turned", f"d{leaf}: turn the sign, and mind the n")
    if name == "x" and not everything:
        where = "averaged" if inverse else "not averaged"
        return Explanation(
            "input-gradient",
            says + f": it is {where}, unlike the others",
            "only the loss divides by n; a layer passes on what it gets",
        )
    if kind in ("layer", "slope"):
        averages_itself = (
            inverse and parameters and set(scaled) == set(parameters) and "x" not in known and "x" not in wrong
        )
        if averages_itself and len(parameters) > 1:
            return Explanation(
                "beside-loss",
                says + ": this layer takes the mean over the examples itself; right only if the loss does not",
                f"let the loss divide by n; here: d{leaf} without / n",
            )
        if inverse and everything:
            return Explanation(
                "twice-n", says + ": a layer must not divide, the loss has done it", "only the loss divides by n"
            )
        return Explanation(
            "mean-for-sum", says, f"d{leaf} = ...sum(...), not mean" if inverse else f"d{leaf} = ...mean(...), not sum"
        )
    if inverse:
        if (
            len(scaled) < len([p for p in parameters if evidence.analytic.get(p) is not None])
            and np.ndim(evidence.arrays[name]) < 2
        ):
            return Explanation("mean-for-sum", says, f"d{leaf} = dz.sum(axis=0): dz has been divided by n already")
        return Explanation("twice-n", says, "divide by n once: in the gradient of the loss, and nowhere else")
    return Explanation("forgot-n", says, f"divide by n once: the loss is a mean, so dL/dp has a factor 1 / {n}")


def by_mistakes(evidence: Evidence, wrong: list[str]) -> dict[str, Explanation]:
    """The mistake, or two of them, with which the recognised chain gives the learner's gradients."""
    chain = evidence.chain
    assert chain is not None
    dy = upstream(evidence)
    around = Circumstances(dy, evidence.after, evidence.patient.targets, evidence.n)
    chain.forward(evidence.arrays["x"], evidence.arrays)
    single = list(mistakes(chain, around))
    present = [n for n in evidence.numerical if evidence.analytic.get(n) is not None and n in chain.names()]
    wrong = [name for name in wrong if name in present]
    if not wrong:
        return {}
    best: dict[str, Explanation] = {}
    partly: list[Mistake] = []
    for mistake in single:
        got = _try((mistake,), evidence, dy, present, wrong)
        if got is None:
            continue
        if got.keys() >= set(wrong):
            return got
        partly.append(mistake)
        best = max(best, got, key=len)
    entries = sum(np.size(array) for array in evidence.arrays.values())
    for pair in itertools.islice(_pairs(partly or single, single), MOST_PAIRS * LARGE // max(LARGE, entries)):
        got = _try(pair, evidence, dy, present, wrong)
        if got is not None and got.keys() >= set(wrong):
            return _shares(pair, got, evidence, dy)
    return best


def _shares(
    pair: tuple[Mistake, Mistake], together: dict[str, Explanation], evidence: Evidence, dy: Array
) -> dict[str, Explanation]:
    """To each array that one of the two mistakes explains by itself, that one alone."""
    for mistake in pair:
        predicted = evidence.chain.backward(dy, evidence.arrays, mistake.pieces)  # type: ignore[union-attr]
        for name in together:
            if fits(evidence.analytic[name], predicted.get(name), evidence):
                together[name] = _explain((mistake,), 1.0)
    return together


def _pairs(some: list[Mistake], single: list[Mistake]) -> Iterator[tuple[Mistake, Mistake]]:
    """Pairs to be tried: of two mistakes the one nearer to the loss explains something by itself, as a rule."""
    return ((a, b) for a in some for b in single if a is not b and not (a.pieces.keys() & b.pieces.keys()))


def _try(
    group: tuple[Mistake, ...], evidence: Evidence, dy: Array, present: list[str], wrong: list[str]
) -> dict[str, Explanation] | None:
    """What these mistakes explain; None if they would make wrong what is right, or explain nothing."""
    pieces = {key: piece for mistake in group for key, piece in mistake.pieces.items()}
    try:
        with np.errstate(all="ignore"):
            predicted = evidence.chain.backward(dy, evidence.arrays, pieces)  # type: ignore[union-attr]
    except (ValueError, IndexError):
        return None
    explained: dict[str, Explanation] = {}
    for name in present:
        given, expected = evidence.analytic[name], predicted.get(name)
        if expected is None:
            continue
        if fits(given, expected, evidence):
            factor = 1.0
        else:
            ratio = constant_ratio(given, np.asarray(expected, float), evidence) if np.size(given) > 1 else None
            text = named_factor(ratio, evidence) if ratio is not None else None
            if name not in wrong:
                return None
            if ratio is None or (text is None and round(ratio, 6) not in (2.0, 0.5, -1.0)):
                continue
            factor = ratio
        if name in wrong:
            explained[name] = _explain(group, factor)
    return explained or None


def _explain(group: tuple[Mistake, ...], factor: float) -> Explanation:
    says = "; and ".join(mistake.says for mistake in group)
    if factor != 1.0:
        says += f"; and a factor of {factor:.6g} on top"
    write = "; ".join(dict.fromkeys(mistake.write for mistake in group))
    return Explanation(group[0].cause, says, write)
