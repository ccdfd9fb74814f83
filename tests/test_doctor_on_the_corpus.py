"""The gradient doctor judged by a corpus of learners' code; the half set aside was not looked at to build it."""

import pytest

import chainrule as cr
from doctor_corpus.case import RIGHT, cases

BUILT_WITH = {case.name: case for half in ("tuning", "extra") for case in cases(half)}
SET_ASIDE = {case.name: case for case in cases("set_aside")}
BLIND = {case.name: case for case in cases("blind")}
FRESH = {case.name: case for case in cases("fresh")}


def judged(case):
    args, kwargs = case.arguments()
    return cr.doctor.gradients(*args, **kwargs, show=False)


@pytest.mark.parametrize("name", BUILT_WITH)
def test_what_the_doctor_was_built_with_is_named_throughout(name):
    case, report = BUILT_WITH[name], judged(BUILT_WITH[name])
    assert report.verdict == case.verdict, str(report)
    assert report.causes[:1] == [] if case.verdict == RIGHT else report.causes[0] in case.causes, str(report)


@pytest.mark.parametrize("name", [*SET_ASIDE, *BLIND, *FRESH])
def test_of_what_was_set_aside_no_right_one_is_accused_and_no_wrong_one_passes(name):
    case = (SET_ASIDE | BLIND | FRESH)[name]
    report = judged(case)
    assert report.verdict == case.verdict, str(report)


@pytest.mark.slow
@pytest.mark.parametrize("half", [SET_ASIDE, BLIND, FRESH], ids=["set aside", "blind", "fresh"])
def test_of_what_was_set_aside_nine_in_ten_are_named(half):
    """Counted at the first look, before anything that it showed was mended.

    set aside   71 of 71 rejected, 62 named (87 %), 1 of 54 right ones accused; 67 are named now, and nobody is accused
    blind       written afterwards, by one who had not seen the doctor: 58 of 59 rejected (a layer that gives no dx at
                all passed), 55 named (93 %), none of 34 right ones accused
    fresh       again by one who had not seen it, judged after all that: 87 of 87 rejected, 86 named (99 %), none of 47
                right ones accused
    """
    faulty = [case for case in half.values() if case.verdict != RIGHT]
    named = [case for case in faulty if (judged(case).causes or [""])[0] in case.causes]
    assert len(named) >= 0.9 * len(faulty), f"{len(named)} of {len(faulty)}"
