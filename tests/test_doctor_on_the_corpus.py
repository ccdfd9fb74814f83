"""The gradient doctor judged by a corpus of learners' code; the half set aside was not looked at to build it."""

import pytest

import chainrule as cr
from doctor_corpus.case import RIGHT, cases

TUNING = {case.name: case for case in cases("tuning")}
SET_ASIDE = {case.name: case for case in cases("set_aside")}


def judged(case):
    args, kwargs = case.arguments()
    return cr.doctor.gradients(*args, **kwargs, show=False)


@pytest.mark.parametrize("name", TUNING)
def test_the_tuning_half_is_named_throughout(name):
    case, report = TUNING[name], judged(TUNING[name])
    assert report.verdict == case.verdict, str(report)
    assert report.causes[:1] == [] if case.verdict == RIGHT else report.causes[0] in case.causes, str(report)
