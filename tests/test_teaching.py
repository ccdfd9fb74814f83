"""Exercises for a class: solutions get all points, skeletons say what is to be done, and misconceptions are named."""

import ast
import json
import re
import subprocess
import sys
import types
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.teaching import agree, exercises, hand_out, points

ALL = {exercise.name: exercise for exercise in exercises()}
MSE, CE = "2 * (p - y) / p.size", "p[np.arange(len(labels)), labels]"
SLOPE, ONE_WAY = "s * (1 - s)", "(z > 0).astype(z.dtype)"
STABLE = "    e = np.exp(-np.abs(z))\n    return np.where(z >= 0, 1, e) / (1 + e)"
ERROR = "np.linalg.norm(a - b) / size if size else 0.0"

# (exercise, what a student wrote in the place of what, or several such, and the tests that must say so in what words)
MISCONCEPTIONS = [
    ("neuron", {" + b": ""}, {"one_example": "the bias is not added", "many_examples": "the bias is not added"}),
    ("neuron", {"x @ w": "x * w"}, {"one_example": "not added up", "many_examples": "not added up"}),
    ("neuron", {"return ": ""}, {"one_example": "`return` missing", "many_examples": "`return` missing"}),
    ("neuron", {"x @ w": "np.sum(x * w)"}, {"one_example": "yours has shape ()", "many_examples": "own sum"}),
    ("sigmoid", {STABLE: "    return 1 / (1 + np.exp(-z))"}, {"far_out": "overflow encountered in exp: a number has"}),
    (
        "sigmoid",
        {"np.where(z >= 0, 1, e)": "np.where(z < 0, 1, e)"},
        {"values": "minus before", "far_out": "not the", "slope": ""},
    ),
    ("sigmoid", {SLOPE: "s"}, {"slope": "missing-derivative"}),
    ("sigmoid", {SLOPE: "z * (1 - z)"}, {"slope": "at-input"}),
    ("sigmoid", {SLOPE: "sigmoid(s) * (1 - sigmoid(s))"}, {"slope": "at-output"}),
    ("sigmoid", {SLOPE: "s * (s - 1)"}, {"slope": "factor"}),
    ("relu", {"np.maximum(z, 0)": "np.max(z, 0)"}, {"values": "compares entry by entry", "slope": "relu_slope: "}),
    ("relu", {ONE_WAY: "np.maximum(z, 0)"}, {"slope": "at-input", "the_slope_at_zero": "ReLU itself"}),
    ("relu", {ONE_WAY: "np.ones_like(z)"}, {"slope": "missing-derivative", "the_slope_at_zero": "1 everywhere"}),
    ("relu", {"z > 0": "z >= 0"}, {"the_slope_at_zero": "compare with >, not >="}),
    ("relu", {"z > 0": "z < 0"}, {"slope": "wrong-mask", "the_slope_at_zero": "turned round"}),
    (
        "softmax",
        {" - z.max(axis=1, keepdims=True)": ""},
        {"large_numbers": "overflow encountered in exp", "rows_of_different_size": "overflow encountered in exp"},
    ),
    ("softmax", {"z.max(axis=1, keepdims=True)": "z.max()"}, {"rows_of_different_size": "from each row its own"}),
    (
        "softmax",
        {"e.sum(axis=1, keepdims=True)": "e.sum(axis=0)"},
        {
            "values": "runs down the columns",
            "large_numbers": "not the right",
            "rows_of_different_size": "not the right",
        },
    ),
    (
        "softmax",
        {"e.sum(axis=1, keepdims=True)": "e.sum(axis=1)"},
        {"values": "keepdims=True", "large_numbers": "keepdims=True", "rows_of_different_size": "keepdims=True"},
    ),
    ("cross_entropy", {".mean()": ".sum()"}, {"a_batch": "this is the sum over the batch"}),
    ("cross_entropy", {"np.arange(len(labels))": ":"}, {"a_batch": "takes all labels from every row"}),
    ("cross_entropy", {"-np.log": "np.log"}, {"one_example": "minus is missing", "a_batch": "minus is missing"}),
    ("cross_entropy", {f"np.log({CE})": "np.log(p)"}, {"one_example": "not the right", "a_batch": "all classes"}),
    ("mse", {MSE: "2 * (p - y)"}, {"slope": "mse_slope: the 1/n of the mean was forgotten (forgot-n)"}),
    ("mse", {MSE: "(p - y) / p.size"}, {"slope": "factor"}),
    ("mse", {"np.mean": "np.sum"}, {"value": "this is the sum", "slope": "(twice-n)"}),
    ("mse", {MSE: "2 * np.mean(p - y)"}, {"slope": "it is one number, the sum of all the right ones"}),
    ("linear", {"dy.sum(axis=0)": "dy.sum(axis=1)"}, {"backward": "summed over the features instead of the examples"}),
    ("linear", {"dy.sum(axis=0)": "dy.mean(axis=0)"}, {"backward": "mean-for-sum"}),
    ("linear", {"self.x.T @ dy": "dy.T @ self.x"}, {"backward": "transposed"}),
    ("linear", {"T @ dy": "T @ dy / len(dy)", "m(axis=0)": "m(axis=0) / len(dy)"}, {"backward": "beside-loss"}),
    ("linear", {"return dy @ self.W.T": ""}, {"backward": "input-gradient"}),
    ("linear", {"self.dW = ": "self.dW = getattr(self, 'dW', 0) + "}, {"backward": "accumulated"}),
    ("linear", {"self.db = ": "self.W -= 0.1 * self.dW; self.db = "}, {"backward": "updated-first"}),
    ("softmax_cross_entropy", {"dz / len(labels)": "dz"}, {"slope": "forgot-n"}),
    ("softmax_cross_entropy", {"return dz": "return -dz"}, {"slope": "factor"}),
    ("softmax_cross_entropy", {"-= 1": "+= 1"}, {"rows_add_up_to_zero": "to be taken away", "slope": "loss_slope: "}),
    (
        "softmax_cross_entropy",
        {"return dz": "return softmax(z) * (1 - softmax(z)) * dz"},
        {"rows_add_up_to_zero": "not the right value", "slope": "extra-derivative"},
    ),
    ("network", {" * (self.z1 > 0)": ""}, {"backward": "missing-derivative"}),
    ("network", {"(self.z1 > 0)": "self.h"}, {"backward": "at-input"}),
    ("network", {"        dz2 /= len(labels)\n": ""}, {"backward": "forgot-n"}),
    ("network", {"dz1.sum(axis=0)": "dz1.sum(axis=1)"}, {"backward": "bias-axis"}),
    ("network", {"dz2.sum(axis=0)": "dz2.mean(axis=0)"}, {"backward": "mean-for-sum"}),
    ("network", {"self.h.T @ dz2": "self.z1.T @ dz2"}, {"backward": "wrong-input"}),
    ("network", {"np.maximum(self.z1, 0)": "self.z1"}, {"forward": "the bend is missing", "backward": "Network: "}),
    (
        "momentum",
        {"W += v": "W = W + v"},
        {"without_momentum": "no weight has moved", "with_momentum": "no weight has"},
    ),
    ("momentum", {"v -= ": "v += "}, {"without_momentum": "goes uphill", "with_momentum": "go uphill"}),
    ("momentum", {"v *= momentum": "v = momentum * v"}, {"with_momentum": "forgotten from step to step"}),
    ("momentum", {"v *= momentum": "pass"}, {"with_momentum": "the old velocity stays in full"}),
    ("momentum", {"* slope": "* (1 - momentum) * slope"}, {"with_momentum": "1 - momentum"}),
    ("gradient_check", {"(2 * h)": "h"}, {"both_ways": "from x - h to x + h it is 2h"}),
    ("gradient_check", {"kept - h": "kept", "(2 * h)": "h"}, {"both_ways": "pushed one way only, up"}),
    ("gradient_check", {"        x[place] = kept\n": ""}, {"x_is_left_as_it_was": "x is not put back"}),
    ("gradient_check", {ERROR: "np.abs(a - b).max()"}, {"relative_error": "small gradients pass it"}),
    ("gradient_check", {" if size else 0.0": ""}, {"two_zeros": "0 is divided by 0"}),
    ("xor", {"np.tanh": "", "(1 - h**2)": "1"}, {"the_loss_falls": "Is there a bend", "nearly_every": "none of 10"}),
    ("xor", {"-= learning_rate": "+= learning_rate"}, {"the_loss_falls": "uphill", "nearly_every": "none of 10"}),
    ("xor", {"rng.normal": "0 * rng.normal"}, {"the_loss_falls": "all weights 0", "nearly_every": "none of 10"}),
    ("xor", {"-= learning_rate *": "+ learning_rate *"}, {"the_loss_falls": "not moved", "nearly_every": "none of 10"}),
    (
        "xor",
        {"H, learning_rate, losses = len(x), 16": "H, learning_rate, losses = len(x), 1"},
        {"nearly_every": "none"},
    ),
    (
        "digits",
        {"x / 255": "x / 1"},
        {"it_learns": "with pixels of 0..1 the same code gets", "nine_of_ten": "train long"},
    ),
    ("digits", {"].argmax(axis=1)": "]"}, {"it_learns": "gives shape (3000, 10)", "nine_of_ten": "gives shape (1000"}),
    ("digits", {"v -= ": "v += "}, {"it_learns": "Do the steps go downhill", "nine_of_ten": "train longer"}),
    ("digits", {"2 / 784": "1"}, {"nine_of_ten": "smaller starting weights"}),
]


def failures(exercise, code):
    """What each test of the exercise says of the code, by its name; only those that fail."""
    module = types.ModuleType(exercise.name)
    exec(code, vars(module))
    names = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, exercise.name, module)
        exec(exercise.tests, names)
        said = {}
        for test in exercise.graded:
            try:
                names[test.name]()
            except Exception as error:
                said[test.name] = "\n".join([str(error), *getattr(error, "__notes__", ())])
        return said


@cache
def named(name):
    (exercise,) = exercises([name])
    return exercise


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    MISCONCEPTIONS,
    ids=[f"{row[0]}-{i}" for i, row in enumerate(MISCONCEPTIONS)],
)
def test_a_misconception_is_named_and_what_is_right_keeps_its_points(name, changes, expected):
    exercise = named(name)
    code = exercise.solution
    for right, wrong in changes.items():
        assert right in code
        code = code.replace(right, wrong)
    said = failures(exercise, code)
    for test, words in expected.items():
        (text,) = (text for failed, text in said.items() if failed.startswith(f"test_{test}"))
        assert words in text
        assert "write: " not in text  # the doctor's line would be the answer
    assert len(said) == len(expected)


def test_every_exercise_has_misconceptions_that_are_planted():
    assert len({named(name).name for name, _, _ in MISCONCEPTIONS}) == len(ALL)
    counts = [sum(named(row[0]) == exercise for row in MISCONCEPTIONS) for exercise in ALL.values()]
    assert min(counts) >= 4


@pytest.mark.parametrize("exercise", ALL.values(), ids=ALL)
def test_a_skeleton_says_in_every_test_that_it_is_not_written_yet(exercise):
    said = failures(exercise, exercise.skeleton)
    assert list(said) == [test.name for test in exercise.graded]
    assert all(re.match(r"[\w.]+ is not written yet: put your code", text) for text in said.values())
    assert "SOLUTION" not in exercise.skeleton + exercise.solution


def test_half_an_exercise_is_told_from_none():
    exercise = named("mse")
    code = exercise.solution.replace("return 2 *", "raise NotImplementedError()\n    return 2 *")
    assert failures(exercise, code) == {
        "test_slope": "mse_slope is not written yet: put your code in the place of `raise NotImplementedError()`"
    }


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, r"gives nothing back"),
        ("text", r"not the right value\n  yours: expected "),
        ({}, r"not the right value\n  yours: expected rows of numbers, received \{\}"),
        ([1.0, 2.0, None], r"at \[2\]: yours \+nan"),
        ([[1.0], [2.0, 3.0]], r"not the right value\n  yours: "),
        ([1.0, 2.0, 3.0 + 1.0j], r"not the right value\n  yours: Complex data"),
        (len, r"not the right value\n  yours: expected numbers, received "),
        ([1.0, 2.0, 4.0], r"not the right value\n  at \[2\]: yours \+4, expected \+3"),
        ([1.0, 2.0], r"yours has shape \(2,\), expected \(3,\)"),
        ([2.0, 4.0, 6.0], r"^twice\n"),
        ([1.0, 2.0, 3.0 + 1e-6], r"not the right value"),
        ([1.0, float("nan"), 3.0], r"at \[1\]: yours \+nan"),
    ],
)
def test_agree_says_what_is_not_right(given, says):
    with pytest.raises(AssertionError, match=says):
        agree(given, [1.0, 2.0, 3.0], {"twice": [2.0, 4.0, 6.0]})


@pytest.mark.parametrize(
    ("kind", "number", "says"),
    [("over", 1000.0, "overflow encountered in exp: a number has grown"), ("under", -1000.0, "underflow encountered")],
)
def test_a_float_that_fails_is_told_by_the_place(kind, number, says):
    @points(1)
    def test():
        with np.errstate(**{kind: "raise"}):  # as a student may, who looks for something
            np.exp(number)

    with pytest.raises(AssertionError, match=rf"test: {says}"):
        test()


def test_underflow_is_no_mistake():
    with np.errstate(under="raise"):
        points(1)(lambda: np.exp(-1000.0))()


GAP = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n"
POINTS = (
    "from mine import f\nfrom chainrule.teaching import points\n\n\n@points(2)\ndef test_f():\n    assert f(1) == 1\n"
)


@pytest.mark.parametrize(
    ("source", "tests", "says"),
    [
        ("def f(x):\n    return x\n", POINTS, r"mine\.py: expected `### BEGIN SOLUTION`"),
        (GAP.replace("### END", "### end"), POINTS, r"mine\.py: expected `### BEGIN SOLUTION`"),
        (GAP + GAP.replace("    ### END SOLUTION\n", ""), POINTS, r"mine\.py: expected `### BEGIN SOLUTION`"),
        (GAP, POINTS.replace("@points(2)\n", ""), r"test_mine\.py: expected `@points\(2\)`"),
        (GAP, POINTS + POINTS.replace("(2)", "(worth=2)"), r"test_mine\.py: expected `@points\(2\)`"),
    ],
)
def test_an_exercise_that_would_give_itself_away_or_no_points_is_refused(source, tests, says, tmp_path):
    for name, text in {"mine.py": GAP, "test_mine.py": POINTS}.items():
        (tmp_path / name).write_text(text)
    assert [exercise.points for exercise in exercises(folder=tmp_path)] == [2]
    for name, text in {"mine.py": source, "test_mine.py": tests}.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(cr.DataFileError, match=says):
        exercises(folder=tmp_path)


# As a teacher and a student do it ---------------------------------------------------------------------------------


def run(*words, cwd):
    answer = subprocess.run([sys.executable, "-m", *words], cwd=cwd, capture_output=True, text=True)
    return answer.returncode, answer.stdout + answer.stderr


@pytest.mark.parametrize(("form", "points", "code"), [("solutions", "77 of 77", 0), ("students", "0 of 77", 1)])
def test_pytest_adds_the_points_up(form, points, code, tmp_path):
    status, said = run("chainrule", "teach", "class", "--form", form, cwd=tmp_path)
    assert status == 0 and "class: 13 exercises, 77 points" in said
    status, said = run("pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path / "class")
    assert status == code
    assert f"{points} points" in said
    # On an error's own line: with CI set, pytest's summary gives the sentences once more.
    assert len(re.findall("^E  .*is not written yet: put your code", said, re.M)) == (0 if code == 0 else 31)


def test_nobodys_work_is_written_over(tmp_path):
    (tmp_path / "conftest.py").write_text("# mine")
    hand_out(tmp_path, ["linear"])
    (tmp_path / "ex07_linear.py").write_text("# hours of work")
    with pytest.raises(cr.ConfigurationError, match=r"ex07_linear\.py exists already and may be somebody's work"):
        hand_out(tmp_path, ["ex01", "linear"])
    assert (tmp_path / "ex07_linear.py").read_text() == "# hours of work"
    assert (tmp_path / "conftest.py").read_text() == "# mine"
    assert not (tmp_path / "ex01_neuron.py").exists()


def test_what_cannot_be_handed_out_is_refused(tmp_path):
    with pytest.raises(cr.ConfigurationError, match=r"exercise 'linaer' is unknown\. Did you mean 'linear'\?"):
        hand_out(tmp_path, ["linaer"])
    with pytest.raises(cr.ConfigurationError, match=r"form 'student' is unknown\. Did you mean 'students'\?"):
        hand_out(tmp_path, form="student")
    with pytest.raises(cr.DataFileError, match=r"expected exercises, NAME\.py with test_NAME\.py beside it"):
        hand_out(tmp_path / "class", source=tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_plan_of_a_term_has_every_exercise_once_and_its_points():
    page = (Path(__file__).parent.parent / "docs/how-to/teach-a-class.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:-1] for line in page.splitlines() if re.match(r"\| \d ", line)]
    planned = [exercises(re.findall(r"`(\w+)`", row[2])) for row in rows]
    assert sorted(exercise.name for lesson in planned for exercise in lesson) == list(ALL)
    assert [sum(exercise.points for exercise in lesson) for lesson in planned] == [int(row[3]) for row in rows]
    (afternoon,) = re.findall(r"An afternoon of[^:]*: (.*?), and the chapters", page, re.S)
    assert len(exercises(re.findall(r"`(\w+)`", afternoon))) == 6


# Notebooks --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    hand_out(folder, form="nbgrader")
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.iterdir())}


def test_a_notebook_has_one_cell_to_write_in_and_locked_cells_that_grade_it(notebooks):
    assert list(notebooks) == list(ALL)
    for name, notebook in notebooks.items():
        marks = [cell["metadata"]["nbgrader"] for cell in notebook["cells"]]
        assert [mark["grade_id"] for mark in marks if mark["solution"]] == [f"{name}-answer"]
        assert [mark["locked"] for mark in marks] == [not mark["solution"] for mark in marks]
        assert sum(mark["points"] for mark in marks if mark["grade"]) == ALL[name].points
        assert len({cell["id"] for cell in notebook["cells"]}) == len(marks)
        answer = "".join(notebook["cells"][1]["source"])
        assert "### BEGIN SOLUTION" in answer and '"""' not in answer.splitlines()[0]
        assert not any(f"from {name} import" in "".join(cell["source"]) for cell in notebook["cells"])


@pytest.mark.parametrize("name", ALL)
def test_the_cells_of_a_notebook_run_from_top_to_bottom(notebooks, name):
    code = ["".join(cell["source"]) for cell in notebooks[name]["cells"] if cell["cell_type"] == "code"]
    for cell in code:
        ast.parse(cell)
    names = {}
    exec("\n\n".join(code), names)


def test_notebooks_are_valid(notebooks):
    nbformat = pytest.importorskip("nbformat")
    for notebook in notebooks.values():
        nbformat.validate(notebook)


OWN = {
    "mine.py": GAP + GAP.replace("def f", "def g"),
    "test_mine.py": '''"""Checks mine.py."""

from mine import (
    f,
    g,
)
from chainrule.teaching import points


@points(2)
def test_f():
    text = """
def at_the_margin
"""
# a remark at the margin
    assert f(text) == text


SEVEN = 7


@points(0)
def test_to_think_about():
    assert g(0) == 0


@points(3)  # the harder one
def test_g():
    assert g(SEVEN) == 7
''',
}


def test_tests_may_be_written_as_python_may_be(tmp_path):
    """Where a test ends is Python's to say: a notebook without its last lines would give points for anything."""
    for name, text in OWN.items():
        (tmp_path / name).write_text(text)
    hand_out(tmp_path / "out", source=tmp_path, form="nbgrader")
    cells = json.loads((tmp_path / "out/mine.ipynb").read_text())["cells"]
    _, _, preparation, first, _, second = ("".join(cell["source"]) for cell in cells)
    assert preparation == "from chainrule.teaching import points\n\n\nSEVEN = 7"
    assert first.endswith("    assert f(text) == text\n\n\ntest_f()")
    assert second.startswith("@points(3)  # the harder one\ndef test_g():")
    exec("\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"), {})


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("content", [b"def f(x:\n", "'é'".encode("latin-1"), b"\0"], ids=["syntax", "Latin", "null"])
def test_an_exercise_that_is_no_python_is_named(name, content, tmp_path):
    for file, text in OWN.items():
        (tmp_path / file).write_text(text)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(cr.DataFileError, match=rf"/{name}: expected Python in UTF-8, received something else \("):
        exercises(folder=tmp_path)


def test_an_exercise_is_handed_out_once_and_only_if_it_is_clear_which(tmp_path):
    written = hand_out(tmp_path / "class", ["linear", "ex01", "ex07", "ex07_linear"])
    assert [exercise.name for exercise in written] == ["ex07_linear", "ex01_neuron"]
    for name in ("ex01_a", "ex02_a"):
        (tmp_path / f"{name}.py").write_text(GAP)
        (tmp_path / f"test_{name}.py").write_text(POINTS)
    assert [exercise.name for exercise in exercises(["ex02", "ex01_a"], tmp_path)] == ["ex02_a", "ex01_a"]
    with pytest.raises(cr.ConfigurationError, match=r"exercise 'a' may be ex01_a or ex02_a\. Name it in full"):
        exercises(["a"], tmp_path)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(cr.ConfigurationError, match=r"file is a file, expected a folder for the exercises"):
        hand_out(tmp_path / "file", ["linear"])


TESTS_OF_ALL_FATES = '''
import pytest
from chainrule.teaching import points


@pytest.fixture
def broken():
    raise OSError


@points(16)
def test_right():
    """
    >>> 1
    1
    """


def test_without_points(broken):
    pass


@pytest.mark.skip
@points(32)
def test_skipped():
    pass
'''


def test_a_file_that_cannot_be_read_costs_its_own_points_and_no_others(tmp_path):
    hand_out(tmp_path, ["neuron", "relu"], "solutions")
    (tmp_path / "ex01_neuron.py").write_text("def neuron(x, w, b:\n    return x @ w + b\n")
    (tmp_path / "test_fates.py").write_text(TESTS_OF_ALL_FATES)
    status, said = run(
        "pytest", "-q", "-p", "no:cacheprovider", "--doctest-modules", "test_fates.py", ".", cwd=tmp_path
    )
    assert status == 1
    assert "SyntaxError" in said and "INTERNALERROR" not in said
    assert "20 of 55 points" in said, said
