"""The how-to pages are run as they stand."""

import re
from pathlib import Path

import numpy as np

import chainrule as cr

DOCS = Path(__file__).parent.parent / "docs"


def code(page):
    return "\n".join(re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.S))


def test_training_that_can_be_killed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(code("checkpoints.md"), names)
    assert names["again"].epoch == 10
    assert names["trainer"].step == 33
    whole = cr.Trainer(cr.MLP([4, 8, 2], dropout=0.2), "cross_entropy", "adam")
    whole.fit(names["x"], names["y"], epochs=10)
    np.testing.assert_array_equal(names["again"].network.params, whole.network.params)
