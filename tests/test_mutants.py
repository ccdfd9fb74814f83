"""The script that draws mutants: it finds them, makes them, draws the same ones again, and its table is up to date."""

import ast
import tomllib

import pytest

import mutants
from test_house import CORE_FILES, SOURCE

TEXT = '''"""A module."""
import math

class Scale(Layer):
    def forward(self, x: int | None, n=3):
        """Words."""
        if x is None:
            raise ValueError(f"{n + 1}")
        self.y[...] = x.sum(axis=-1) - 1.5
        return pow(x.copy(), n)
'''
EXPECTED = {
    "3 -> 4",
    "if x is None: -> if not x is None:",
    "x is None -> x is not None",
    "self.y[...] = x.sum(axis=-1) - 1.5 -> (removed)",
    "x.sum(axis=-1) - 1.5 -> x.sum(axis=-1) + 1.5",
    "x.sum(axis=-1) - 1.5 -> x.sum(axis=-1)",
    "x.sum -> x.mean",
    "axis=-1 -> axis=0",
    "1.5 -> 1.875",
    "pow(x.copy(), n) -> pow(n, x.copy())",
    "x.copy() -> x",
}


def test_it_finds_every_change_and_no_change_of_words():
    found = list(mutants.walk(ast.parse(TEXT), "scale.py"))
    assert {mutant.name for mutant in found} == {f"scale.py Scale.forward: {change}" for change in EXPECTED}
    plain = ast.unparse(ast.parse(TEXT))
    sources = {mutant.source(TEXT) for mutant in found}
    assert len(sources) == len(EXPECTED) and plain not in sources


def test_the_same_draw_again_and_another_one_for_another_seed():
    first, again, other = (mutants.drawn(seed, 2, "losses") for seed in (0, 0, 1))
    assert first == again != other
    assert len(first) == 2 * sum("losses" in file for file in mutants.OWNERS)


def test_the_draw_of_ci_has_at_least_sixty():
    assert mutants.PER_FILE * len(mutants.OWNERS) >= 60


def test_every_core_file_that_computes_is_owned():
    """The others print, list names, or are contracts without a formula."""
    others = {"displays.py", "errors.py", "neuron.py", "summary.py", "augmentation.py", "trainer_parts.py"}
    files = {file.relative_to(SOURCE).as_posix() for file in CORE_FILES if file.stem != "__init__"}
    assert files - others == set(mutants.OWNERS)


@pytest.mark.parametrize("name", tomllib.loads(mutants.TABLE.read_text("utf-8")))
def test_what_is_justified_still_exists(name):
    file = name.partition(" ")[0]
    assert name in {mutant.name for mutant in mutants.walk(ast.parse(mutants.text_of(file)), file)}
