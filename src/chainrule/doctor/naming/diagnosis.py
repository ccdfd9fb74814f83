"""From numbers to names: which mistake, put into a right backward, gives exactly the learner's gradients?"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from chainrule.doctor.examining.evidence import Evidence
from chainrule.doctor.examining.intake import numerical
from chainrule.doctor.naming.mistake import Circumstances, Mistake
from chainrule.doctor.naming.mistakes import mistakes
from chainrule.doctor.naming.recognising import recognise
from chainrule.doctor.naming.relations import (
    Explanation,
    by_asking,
    constant_ratio,
    fits,
    named_factor,
    of_numbers,
    of_shape,
    slope_elsewhere,
)
from chainrule.layers.layer import Array

WEAK = ("bias-axis", "input-gradient", "missing-derivative", "transposed", "factor")  # a mistake that fits says more


def chain_of(evidence: Evidence) -> Any:
    """The chain that the learner's forward is, if it is a known one."""
    tolerance = 1e-8 if evidence.precision.norm < 1e-4 else 1e-4
    patient = evidence.patient
    with np.errstate(all="ignore"):
        return recognise(patient, evidence.arrays, evidence.outputs, evidence.rows, patient.targets, tolerance)


def upstream(evidence: Evidence) -> Array:
    """What comes into the chain from above: dy of a layer, the numerical gradient of a network's loss."""
    if evidence.dy is not None:
        return evidence.dy
    if evidence.patient.judge is None or np.ndim(evidence.outputs) == 0:
        return np.ones(())
    if "upstream" not in evidence.memory:
        evidence.memory["upstream"] = numerical(evidence.patient.judge, evidence.outputs)
    return evidence.memory["upstream"]


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
    ratios = {name: constant_ratio(evidence.analytic.get(name), evidence.numerical[name], evidence) for name in wrong}
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
    around = Circumstances(evidence.after, evidence.patient.targets, evidence.n)
    chain.forward(evidence.arrays["x"], evidence.arrays)
    single = list(mistakes(chain, around))
    present = [n for n in evidence.numerical if evidence.analytic.get(n) is not None and n in _names(chain, evidence)]
    wrong = [name for name in wrong if name in present]
    if not wrong:
        return {}
    best: tuple[int, dict[str, Explanation]] = (0, {})
    for group in itertools.chain(((m,) for m in single), _pairs(single)):
        got = _try(group, evidence, dy, present, wrong)
        if got is None:
            continue
        explained = len(got)
        if explained == len(wrong):
            return got
        if len(group) == 1 and explained > best[0]:
            best = explained, got
    return best[1]


def _pairs(single: list[Mistake]) -> Any:
    for a, b in itertools.combinations(single, 2):
        if not (a.pieces.keys() & b.pieces.keys()):
            yield (a, b)


def _names(chain: Any, evidence: Evidence) -> set[str]:
    names = {"x"}
    for step in chain.steps:
        names |= {
            getattr(step, attribute) for attribute in ("W", "b", "gain", "shift") if getattr(step, attribute, None)
        }
    return names


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
    factors = set()
    for name in present:
        given, expected = evidence.analytic[name], predicted.get(name)
        if expected is None:
            continue
        if fits(given, expected, evidence):
            factor = 1.0
        else:
            ratio = constant_ratio(given, np.asarray(expected, float), evidence) if np.size(given) > 1 else None
            text = named_factor(ratio, evidence) if ratio is not None else None
            if ratio is None or (text is None and round(ratio, 6) not in (2.0, 0.5, -1.0)):
                if name not in wrong:
                    return None
                continue
            factor = ratio
        if name in wrong:
            factors.add(round(factor, 6))
            explained[name] = _explain(group, factor)
    return explained or None


def _explain(group: tuple[Mistake, ...], factor: float) -> Explanation:
    says = "; and ".join(mistake.says for mistake in group)
    if factor != 1.0:
        says += f"; and a factor of {factor:.6g} on top"
    write = "; ".join(dict.fromkeys(mistake.write for mistake in group))
    return Explanation(group[0].cause, says, write)
