"""`chainrule demo`, run as people run it: every demo prints and draws what it promises, and touches nothing else."""

import os
import re
import signal
import subprocess
import sys

import matplotlib.image
import numpy as np
import pytest

from chainrule import demos
from chainrule.demos import DEMOS, QUESTIONS
from chainrule.metrics import wilson_interval
from test_cli import here, names, posix, run, start, surroundings


def check_picture(path):
    picture = matplotlib.image.imread(path)
    assert picture.std() > 0.05, path
    assert min(picture.shape[:2]) > 400, path
    assert max(picture.shape[:2]) < 2000, path
    return picture


def columns(out, title):
    """The lines of a table, from under its title line to the next empty line."""
    lines = out.splitlines()
    first = next(i for i, line in enumerate(lines) if line.split()[:1] == [title]) + 1
    return [line.split() for line in lines[first : lines.index("", first)]]


# One start --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_demo_solves_its_problem_and_shows_it(name, tmp_path):
    code, out, err = run("demo", name, cwd=tmp_path, NO_COLOR="1", TERM="dumb")
    assert (code, err) == (0, "")
    assert out.isascii()
    assert "\x1b" not in out
    demo = demos.find(name)
    assert out.startswith(f"{name}: {QUESTIONS[name]}\n")
    for text in (repr(demo.network(0)), repr(demo.loss), repr(demo.optimizer), demo.lesson, str(demo.promise)):
        assert text in out
    assert re.search(rf"^epoch +{demo.epochs:,}/{demo.epochs:,}  loss \d\.\d", out, re.M)
    assert f"{'accuracy' if demo.classifies else 'R2'} on " in out
    assert "\nsolved: the goal is " in out
    folder, picture = (
        tmp_path / "runs" / f"demo-{name}-{demo.recipe}",
        "boundary.png" if demo.classifies else "surface.png",
    )
    assert out.splitlines()[-1].endswith(f"{folder.name}: loss.png, {picture}")
    assert names(folder) == sorted(["loss.png", picture])
    for path in folder.iterdir():
        check_picture(path)


OTHERS = [demo for demo in DEMOS if demo is not demos.find(demo.name)]


@pytest.mark.parametrize("demo", OTHERS, ids=lambda demo: f"{demo.name}-{demo.recipe}")
def test_the_other_recipes_have_their_pictures_too(demo, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, _, err = here(
        monkeypatch, capsys, "demo", demo.name, "--recipe", demo.recipe, "--epochs", 3, "--output", "out"
    )
    assert (code, err) == (0, "")
    assert names("out") == sorted(["loss.png", "boundary.png" if demo.classifies else "surface.png"])
    for name in names("out"):
        check_picture(tmp_path / "out" / name)


def test_all_four_corners_before_and_after(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    _, out, _ = here(monkeypatch, capsys, "demo", "xor", "--seed", 5)
    outcome = demos.find("xor").run(5)
    x, y = outcome.data.test
    rows = columns(out, "x1")
    assert [row[:3] for row in rows] == [[f"{a:.2f}", f"{b:.2f}", str(k)] for (a, b), k in zip(x, y, strict=True)]
    for network, column in ((outcome.before, 3), (outcome.network, 5)):
        assert [int(row[column]) for row in rows] == network.predict(x).tolist()
        assert [float(row[column + 1].strip("()")) for row in rows] == pytest.approx(
            network.predict_proba(x)[:, 1].tolist(), abs=6e-4
        )
    assert f"accuracy on 4 test points: {100 * outcome.score(outcome.before):.2f} % before, 100.00 % after" in out


def test_a_number_is_shown_as_a_number(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    _, out, _ = here(monkeypatch, capsys, "demo", "surface", "--recipe", "sigmoid-output", "--epochs", 20)
    outcome = demos.find("surface", "sigmoid-output").run(0, epochs=20)
    first = columns(out, "x1")[0]
    x, y = (part[:1] for part in outcome.data.test)
    told = [*x[0], *y[0], *outcome.before(x)[0], *outcome.network(x)[0]]
    assert [float(cell) for cell in first] == pytest.approx(told, abs=6e-4)
    highest = float(outcome.network(outcome.data.test.x).max())
    assert f"highest answer {highest:.3f}, highest truth 2.000" in out
    assert "not solved: the goal is R2 0.9900" in out
    assert "try also: chainrule demo surface (" in out


def test_the_folder_of_a_demo_is_written_anew_and_no_other(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, expected in (("xor", "boundary.png"), ("surface", "surface.png"), ("xor", "boundary.png")):
        code, _, _ = here(monkeypatch, capsys, "demo", name, "--epochs", 2, "--output", "out")
        assert code == 0
        assert names("out") == sorted(["loss.png", expected])
    (tmp_path / "out" / "notes.txt").write_text("mine")
    before = (tmp_path / "out" / "loss.png").read_bytes()
    code, out, err = here(monkeypatch, capsys, "demo", "and", "--epochs", 2, "--output", "out")
    assert (code, out) == (2, "")
    assert err == "error: out holds 'notes.txt', which is not a demo's. Choose another folder with --output.\n"
    assert (tmp_path / "out" / "loss.png").read_bytes() == before


@pytest.mark.parametrize("name", ["and", "surface"])
def test_the_lines_of_python_run_as_they_are(name, tmp_path, monkeypatch, capsys):
    code, script, err = here(monkeypatch, capsys, "demo", name, "--python", "--seed", 4, "--epochs", 300)
    assert (code, err) == (0, "")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=tmp_path, env=surroundings() | {"MPLBACKEND": "agg"}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    outcome = demos.find(name).run(4, epochs=300)
    assert float(done.stdout) == pytest.approx(outcome.score(outcome.network), abs=1e-6)
    assert names(tmp_path) == sorted(["loss.png", "boundary.png" if name == "and" else "surface.png"])
    for path in tmp_path.iterdir():
        assert np.std(matplotlib.image.imread(path)) > 0.05


# Many starts ------------------------------------------------------------------------------------------------------


def test_many_starts_are_counted(tmp_path):
    code, out, err = run("demo", "xor", "--recipe", "4-relu", "--seeds", 64, "--epochs", 200, cwd=tmp_path)
    assert (code, err) == (0, "")
    assert out.isascii()
    marks = "".join(re.findall(r"^seeds +\d+ to \d+ +([+-]+)$", out, re.M))
    assert len(marks) == 64
    solved = marks.count("+")
    low, high = wilson_interval(solved, 64)
    assert 30 <= solved <= 55
    assert (
        f"solved by {solved} of 64 starts: {100 * solved / 64:.1f} %, with a 95 % interval of "
        f"{100 * low:.1f} to {100 * high:.1f} %\n"
    ) in out
    assert "accuracy 100.00 % in the middle start" in out
    assert f"look at one that failed: chainrule demo xor --recipe 4-relu --seed {marks.index('-')}\n" in out
    assert names(tmp_path) == []


def test_starts_begin_at_the_seed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, out, _ = here(monkeypatch, capsys, "demo", "xor", "--seeds", 12, "--seed", 7)
    assert code == 0
    assert re.findall(r"^seeds +(\d+) to (\d+)", out, re.M) == [("7", "16"), ("17", "18")]
    assert "solved by 12 of 12 starts: 100.0 %" in out
    assert "look at one" not in out


@posix
def test_stopping_counts_what_was_finished(tmp_path):
    process = start("demo", "and", "--seeds", 100_000, "--epochs", 20, cwd=tmp_path)
    for _ in range(4):
        process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    finished = int(re.search(r"^interrupted: (\d+) of 100000 starts finished$", out, re.M)[1])
    assert finished >= 20
    assert f" of {finished} starts: " in out


# Terminals and mistakes -------------------------------------------------------------------------------------------


def test_a_terminal_shows_the_same_plain_lines(tmp_path):
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "chainrule", "demo", "and", "--seeds", "3", "--epochs", "50"],
        cwd=tmp_path, env=surroundings() | {"TERM": "xterm-256color"}, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    assert process.wait(timeout=30) == 0
    shown = os.read(ours, 65536)
    os.close(ours)
    assert b"solved by" in shown
    assert b"\x1b" not in shown


def test_any_encoding_will_do(tmp_path):
    options = ("--epochs", 2, "--output", "l\u00e4uft")
    code, out, err = run("demo", "and", *options, cwd=tmp_path, PYTHONIOENCODING="ascii", FORCE_COLOR="1")
    assert (code, err) == (0, "")
    assert out.isascii()
    assert out.splitlines()[-1] == r"l\xe4uft: loss.png, boundary.png"


@pytest.mark.parametrize("options", [["demo"], ["demo", "--help"]])
def test_help_lists_every_demo_and_recipe(options, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "20")
    _, out, err = here(monkeypatch, capsys, *options)
    listed = out + err  # without a name, help goes where errors go
    assert "Usage: chainrule demo" in listed
    assert listed.isascii()
    for demo in DEMOS:
        assert f"\n    {demo.recipe}: {demo.about}\n" in listed


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["xro"], "demo 'xro' is unknown. Did you mean 'xor'? Known: and, xor, circles, moons, spirals, surface."),
        (["xor", "--recipe", "4-rleu"], "recipe of demo xor '4-rleu' is unknown. Did you mean '4-relu'?"),
        (["xor", "--seeds", "0"], "'--seeds'"),
        (["xor", "--seeds", "2", "--output", "x"], "'--output': --seeds writes no pictures; leave one of the two out."),
        (["xor", "--seed", "-1"], "'--seed'"),
        (["xor", "--epochs", "0"], "'--epochs'"),
        (["xor", "--sedes", "3"], "--sedes"),
        (["xor", "--output", "taken"], "taken is a file, expected a folder"),
        (["xor", "--output", "taken/run"], "cannot be written to"),
    ],
)
def test_options_that_make_no_sense(options, text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("a file")
    code, out, err = here(monkeypatch, capsys, "demo", *options)
    assert (code, out) == (2, "")
    assert " ".join(text.split()) in " ".join(err.split())
    assert "Traceback" not in err
    assert names(tmp_path) == ["taken"]
