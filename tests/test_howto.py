"""The how-to pages are run as they stand, and what they show as output is what their blocks print."""

import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr

DOCS = Path(__file__).parent.parent / "docs"
TRAINING = (DOCS / "training.md").read_text(encoding="utf-8")
BEGINNING, *SECTIONS = re.split(r"(?m)^(?=## )", TRAINING)
BLOCKS = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.S)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
SECONDS = re.compile(r"\d+(?:\.\d+)? (?:s|ms|µs)\b|seconds=[-.e\d]+")
PAGES = sorted((DOCS / "how-to").glob("*.md"))
SLOW = ("images", "resume", "teach-a-class")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def code(page):
    return "\n".join(re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.S))


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


# docs/how-to ----------------------------------------------------------------------------------------------------------
#
# A page is run from top to bottom in one namespace: ```python is executed, or written down if its first line names a
# file (# use.py); each "$ ..." of ```console must succeed, or show the doctor's WRONG; ```text behind ```python is what
# it prints.


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty folder with the pages' data, in which `chainrule` and `python` are ours."""
    for data in (DOCS / "how-to").glob("*.csv"):
        shutil.copy(data, tmp_path)
    ours = os.pathsep.join([str(Path(cr.__file__).parents[1]), str(Path(__file__).parent)])
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", ours, prepend=os.pathsep)


@pytest.mark.parametrize(
    "page", [pytest.param(p, id=p.stem, marks=[pytest.mark.slow] * (p.stem in SLOW)) for p in PAGES]
)
def test_a_page_does_what_it_shows(page, workplace, capsys):
    follow(page.read_text(encoding="utf-8"), {}, capsys)


def test_a_table_without_pandas_goes_the_same_way(workplace, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    reading, split, rest = (DOCS / "how-to/table.md").read_text(encoding="utf-8").partition("## Split first\n")
    (block,) = re.findall(r"```python\n(import csv\n.*?)```", reading, re.S)
    names = {"np": np, "cr": cr}
    exec(block, names)
    capsys.readouterr()
    names["table"] = names["columns"]
    follow(split + rest, names, capsys)


def follow(text, names, capsys):
    """Do what a text shows, from top to bottom."""
    printed = ""
    for kind, block in FENCE.findall(text):
        if kind == "python":
            assert printed == "", "it prints what the page does not show"
            if name := re.match(r"# (\w+\.py)\n", block):
                Path(name[1]).write_text(block, encoding="utf-8")
                continue
            exec(block, names)
            printed = capsys.readouterr().out
        elif kind == "console":
            for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
                done = subprocess.run(shlex.split(command), capture_output=True, encoding="utf-8", timeout=300)
                assert done.returncode == (": WRONG" in shown), done.stdout + done.stderr
                assert_alike_in_part(done.stdout, shown)
        else:
            assert kind == "text"
            assert_alike(printed, block)
            printed = ""
    assert printed == ""


def assert_alike_in_part(printed, shown):
    """Alike line by line, where "..." stands for any lines; nothing shown is nothing promised."""
    if shown and "...\n" not in shown:
        assert_alike(printed, shown)
    lines = iter(printed.splitlines())
    for line in shown.replace("...\n", "").splitlines():
        assert any(is_alike(other, line) for other in lines), line


def is_alike(printed, shown):
    try:
        assert_alike(printed, shown)
    except AssertionError:
        return False
    return True


def test_every_page_is_in_the_book():
    index = (DOCS.parent / "book/index.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\.\./docs/how-to/([\w-]+)$", index, re.M)) == {page.stem for page in PAGES}


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
    for compared in (assert_alike, assert_alike_in_part):
        with pytest.raises(AssertionError):
            compared(printed, shown)


@pytest.mark.parametrize(("shown", "right"), [("", 1), ("a\n...\nc\n", 1), ("...\nc\na\n", 0), ("...\nd\n", 0)])
def test_lines_may_be_left_out_but_not_made_up(shown, right):
    if right:
        assert_alike_in_part("a\nb\nc\n", shown)
    else:
        with pytest.raises(AssertionError):
            assert_alike_in_part("a\nb\nc\n", shown)


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
