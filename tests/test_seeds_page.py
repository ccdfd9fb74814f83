"""docs/seeds.md promises a place for everything the lessons teach: here every place it names is looked up."""

import re
import shlex
from functools import reduce
from pathlib import Path

import pytest

import chainrule as cr

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/seeds.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([^`\n]+)`", PAGE)))


@pytest.mark.parametrize("name", [name for name in NAMED if re.fullmatch(r"cr(\.\w+)+", name)])
def test_the_function_exists_and_says_what_it_does(name):
    thing = reduce(getattr, name.split(".")[1:], cr)
    assert thing.__doc__


@pytest.mark.parametrize("name", [name for name in NAMED if name.startswith("tests/")])
def test_the_test_exists(name):
    file, _, function = name.partition("::")
    text = (ROOT / file).read_text(encoding="utf-8")
    assert f"def {function or 'test_'}" in text


@pytest.mark.parametrize("command", [name for name in NAMED if name.startswith("chainrule ")])
def test_the_command_takes_these_words(command):
    """Every word of the command is known to the command line: subcommands, options and choices."""
    typer = pytest.importorskip("typer")
    from chainrule.commands import app

    node = typer.main.get_command(app)
    words = shlex.split(command)[1:]
    while hasattr(node, "commands"):
        node = node.commands[words.pop(0)]
    node.make_context("chainrule", words)


def test_every_lesson_has_its_table_and_no_row_is_without_an_answer():
    assert re.findall(r"^## Lesson (\d+)", PAGE, re.M) == ["000", "001", "002", "003", "004"]
    rows = [
        line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| ") and "Section |" not in line
    ]
    assert len(rows) > 60
    for _, here, proof in rows:
        assert "`" in here and "`tests/" in proof
