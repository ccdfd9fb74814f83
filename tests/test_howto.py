"""The how-to pages are run as they stand, and what they show as output is what their blocks print."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr

DOCS = Path(__file__).parent.parent / "docs"
TRAINING = (DOCS / "training.md").read_text(encoding="utf-8")
BEGINNING, *SECTIONS = re.split(r"(?m)^(?=## )", TRAINING)
BLOCKS = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.S)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
SECONDS = re.compile(r"\d+\.\d\d s\b|seconds=[-.e\d]+")


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


def test_the_doctor(capsys):
    names = {}
    exec(code("doctor.md"), names)
    assert names["report"].causes == ["bias-axis"]
    assert [names[name].verdict for name in ("functions", "slopes", "loss", "arrays")] == [
        "right",
        "right",
        "wrong",
        "right",
    ]
    assert names["loss"].causes == ["forgot-n"]
    assert {"input scale", "loss at the start"} <= {item.name for item in names["checkup"].failed}
    assert names["watch"].findings == []
    assert "db = dz.sum(axis=0)" in capsys.readouterr().out


# docs/training.md -----------------------------------------------------------------------------------------------------


def assert_alike(printed, shown):
    """The same words; numbers that another BLAS may round otherwise within a few hundredths; seconds left out."""
    printed, shown = (SECONDS.sub("s", text) for text in (printed, shown))
    assert NUMBER.sub("#", printed).split() == NUMBER.sub("#", shown).split()
    numbers = [[float(number) for number in NUMBER.findall(text)] for text in (printed, shown)]
    np.testing.assert_allclose(*numbers, rtol=0.03, atol=0.02)


@pytest.mark.parametrize("section", SECTIONS, ids=[section.splitlines()[0] for section in SECTIONS])
def test_every_block_prints_what_is_shown(section, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block, shown in BLOCKS.findall(BEGINNING + section):
        exec(block, names)
        assert_alike(capsys.readouterr().out, shown)


@pytest.mark.parametrize(("printed", "shown"), [("1 2", "1"), ("right", "left"), ("0.90", "0.80"), ("3", "4")])
def test_another_output_would_be_noticed(printed, shown):
    with pytest.raises(AssertionError):
        assert_alike(printed, shown)


def test_the_table_of_contents_names_every_section():
    titles = [section.splitlines()[0].removeprefix("## ") for section in SECTIONS]
    links = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
    assert re.findall(r"^\d+\. \[(.*)\]\(#(.*)\)$", BEGINNING, re.M) == list(zip(titles, links, strict=True))


BASES = (cr.Optimizer, cr.Schedule, cr.Loss, cr.Penalty, cr.Clip, cr.Augmentation)
SHOWN = ("EMA", "MaxNorm", "Callback", "Checkpoint", "range_test", "minimize", "check_gradients")
PARTS = {f"cr.{name}" for name in SHOWN} | {
    f"cr.{thing.__name__}"
    for thing in vars(cr).values()
    if inspect.isclass(thing) and issubclass(thing, BASES) and thing not in BASES
}
for module in (cr.callbacks, cr.metrics):
    where = module.__name__.removeprefix("chainrule.")
    for name, thing in vars(module).items():
        own = getattr(thing, "__module__", "").startswith(module.__name__)
        callback = inspect.isclass(thing) and issubclass(thing, cr.Callback)
        if (own or callback) and name not in ("Callback", "Confusion", "Watcher"):
            PARTS.add(f"cr.{where}.{name}")
OPTIONS = [*list(inspect.signature(cr.Trainer).parameters)[3:], "sample_weight", "validation", "epochs"]


@pytest.mark.parametrize("part", sorted(PARTS))
def test_every_part_of_the_toolkit_is_shown(part):
    assert re.search(rf"\b{re.escape(part)}\b", TRAINING)


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_of_a_trainer_is_shown(option):
    assert re.search(rf"\b{option}=", TRAINING)
