"""The labels of the doctor's corpus are true: each case is run by plain differences, without the doctor."""

from collections import Counter

import numpy as np
import pytest

from doctor_corpus.case import BESIDE, HALVES, RIGHT, WRONG, cases

ALL = [each for half in HALVES for each in cases(half)]
# What is seen of a mistake that leaves the first gradient right; of every other a wrong gradient must be seen.
SEEN = {"overwritten": "overwritten", "accumulated": "accumulated", "raised": "raised"}


@pytest.mark.parametrize("one", ALL, ids=lambda one: f"{one.half}-{one.name}")
def test_a_label_is_true(one):
    state = np.random.get_state()
    findings = [evidence.findings() for evidence in one.evidence()]
    np.random.set_state(state)
    if one.verdict == RIGHT:
        assert findings == [set()]
    elif one.verdict == BESIDE:
        alone, together = findings
        assert "gradient" in alone
        assert together == set()
    else:
        wanted = [{SEEN.get(cause, "gradient")} for cause in one.causes]
        if "labels" in one.causes:
            wanted += [{"raised"}]
        if "updated-first" in one.causes:
            wanted += [{"gradient", "overwritten"}]
        assert findings[0] in wanted


@pytest.mark.parametrize("half", [half for half in HALVES if half != "blind"])  # a week of classroom code only
def test_a_half_has_enough_of_everything(half):
    verdicts = Counter(one.verdict for one in ALL if one.half == half)
    expected = Counter(one.causes[0] for one in ALL if one.half == half and one.causes)
    assert min(verdicts[RIGHT], verdicts[WRONG]) >= 32
    assert len(expected) == 28
    assert min(expected.values()) >= 2
