"""The book is built by `make book`; here is what that build does not notice."""

import inspect
import re
import runpy
from pathlib import Path

import pytest

import chainrule as cr

BOOK = Path(__file__).parent.parent / "book"
STEPS = sorted((BOOK / "steps").glob("*.py"))
CHAPTERS = sorted(BOOK.glob("[0-9]*.md"))


def test_every_public_name_stands_once_in_the_reference():
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (BOOK / "reference").glob("*.md"))
    told = re.findall(r"auto(?:class|function):: chainrule\.([\w.]+)", pages)
    assert len(told) == len(set(told))
    things = {name: getattr(cr, name) for name in dir(cr) if not name.startswith("_")}
    public = {name for name, thing in things.items() if inspect.isclass(thing) or inspect.isfunction(thing)}
    assert {name for name in told if "." not in name} == public
    folders = {name.partition(".")[0] for name in told if "." in name}
    assert folders | {"demos"} == {
        name for name, thing in things.items() if name in cr.LAZY and inspect.ismodule(thing)
    }


def test_there_are_the_twelve_chapters_that_the_readme_promises():
    assert sorted(int(chapter.stem.partition("-")[0]) for chapter in CHAPTERS) == list(range(1, 13))
    assert "as twelve chapters that run" in (BOOK.parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_opens_with_a_question_and_ends_with_exercises_that_are_solved(chapter):
    text = chapter.read_text(encoding="utf-8")
    opening = re.search(r"^# .*?\n\n(.*?)\n\n", text, re.M | re.S)[1]
    assert opening.endswith("?"), opening
    exercises = text.partition("\n## Exercises\n")[2]
    asked = len(re.findall(r"^\*\*\d\.\*\* ", exercises, re.M))
    assert asked >= 2 and exercises.count('code_prompt_show: "Solution') == asked
    assert exercises.count("assert ") >= asked
    assert f"{{nb-download}}`{chapter.stem}.ipynb`" in text


# Derivations ----------------------------------------------------------------------------------------------------------

DERIVATIONS = "\n".join(page.read_text(encoding="utf-8") for page in sorted((BOOK / "derivations").glob("*.md")))
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |^---$|\Z)", DERIVATIONS, re.M | re.S))
DERIVED = {
    name: thing
    for name, thing in vars(cr).items()
    if inspect.isclass(thing) and issubclass(thing, (cr.Layer, cr.Loss)) and name == thing.__name__
}


@pytest.mark.parametrize("name", sorted(set(DERIVED) - {"Layer", "Loss"}))
def test_every_layer_and_loss_is_derived_in_four_parts(name):
    """The lines of code are the library's own, and the check is one that can fail."""
    parts = dict(re.findall(r"^### (.*?)\n(.*?)(?=^### |\Z)", SECTIONS[name], re.M | re.S))
    assert list(parts) == ["On paper", "In code", "Check", "What is saved, and why"]
    wanted = ["compute"] if issubclass(DERIVED[name], cr.Loss) else ["forward", "backward"]
    (shown,) = re.findall(r"^```\{library\} (.*)\n```$", parts["In code"], re.M)
    assert [word for word in wanted if f"{name}.{word}" not in shown.split()] == []
    cells = "".join(re.findall(r"^```\{code-cell\}\n(.*?)^```", parts["Check"], re.M | re.S))
    assert re.search(rf"\b{name}\b", cells)
    assert re.search(r"^assert cr\.check_gradients\(|^    assert cr\.check_gradients\(|^compare\(cr\.", cells, re.M)


POINTED_TO = [
    ("001", "youtube.com/playlist?list=PLZHQObOWTQDNU6R1_67000Dx_ZCJB-3pi"),
    ("001", "youtube.com/watch?v=i94OvYb6noo"),
    ("001", "cs231n.github.io/optimization-2/"),
    ("001", "udlbook.github.io/udlbook/"),
    ("001", "nnfs.io/"),
    ("001", "github.com/karpathy/micrograd"),
    ("001", "github.com/Sentdex/NNfSiX"),
    ("004", "neuralnetworksanddeeplearning.com/"),
    ("004", "cs231n.github.io/optimization-2/"),
    ("004", "youtube.com/playlist?list=PLZHQObOWTQDNU6R1_67000Dx_ZCJB-3pi"),
]


@pytest.mark.parametrize(("lesson", "address"), POINTED_TO)
def test_what_the_lessons_point_to_stands_under_further_reading(lesson, address):
    page = (BOOK / "further-reading.md").read_text(encoding="utf-8")
    (entry,) = [entry for entry in re.split(r"\n(?=- \*\*|## )", page) if f"{address})" in entry]
    assert re.search(rf"lessons? (\d+ and )?{lesson}\b", entry)


# The ladder -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS, ids=lambda path: path.stem)
def test_a_step_says_what_to_expect_and_it_is_so(step, capsys):
    runpy.run_path(str(step))
    said = capsys.readouterr().out
    assert said.startswith("Expect: ") and "\nSo: " in said


def test_the_ladder_has_no_gap_and_each_step_is_short():
    assert [int(step.stem[4:6]) for step in STEPS] == list(range(1, 13))
    for step in STEPS:
        text = step.read_text(encoding="utf-8")
        assert len(text.splitlines()) < 80 and "\nassert " in text.replace("    assert ", "assert "), step.name
        assert text.startswith(f'"""Step {int(step.stem[4:6])}: ')
