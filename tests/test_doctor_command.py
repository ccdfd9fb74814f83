"""`chainrule doctor` and `chainrule check`, run as people run them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule import layers
from chainrule.commands.check import prove
from chainrule.doctor.proving import proofs
from chainrule.teaching import hand_out

LESSONS = Path(__file__).parent / "seeds_code"

MINE = """
import numpy as np

print("hello from the file")


def relu(z):
    return np.maximum(z, 0)


def relu_derivative(z):
    return z >= 1


def affine_forward(x, w, b):
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=1)


def hinge(scores, y):
    return np.maximum(0, scores).sum()


class Odd:
    def __init__(self, colour):
        self.colour = colour

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


class Swish:
    def forward(self, x):
        self.x = x
        self.s = 1 / (1 + np.exp(-x))
        return x * self.s

    def backward(self, dy):
        return dy * (self.s + self.x * self.s * (1 - self.s))
"""


def run(*arguments, cwd=None):
    command = [sys.executable, "-m", "chainrule", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    path = tmp_path_factory.mktemp("mine") / "my layers.py"
    path.write_text(MINE)
    return path


@pytest.mark.parametrize(
    ("asked", "verdict", "said"),
    [
        ("seed_004.py:ReLU", 0, ("ReLU: right", "running ")),
        ("seed_004.py:Linear", 1, ("right only beside its own loss", "(beside-loss)")),
        ("seed_004.py:Linear(11, 2)", 1, ("dW (5, 3)", "raised")),
        (
            "seed_004.py:MLP",
            0,
            ("MLP with the loss CrossEntropyLoss: right", "Linear 5 -> 4, ReLU, Linear 4 -> 3, softmax"),
        ),
        ("seed_003.py:MSE", 1, ("MSE: WRONG", "(forgot-n)", "n = 7 examples")),
        ("seed_001.py:NeuralNetwork", 0, ("NeuralNetwork: right", "db2 (1, 3): right")),
        ("seed_000.py:NeuralNetwork", 0, ("NeuralNetwork with the loss cross_entropy_loss: right",)),
        ("seed_001.py:sigmoid", 0, ("sigmoid: right",)),
    ],
)
def test_the_lessons_are_judged_by_name(asked, verdict, said):
    done = run("doctor", LESSONS / asked)
    assert done.returncode == verdict, done.stdout + done.stderr
    assert any(part in done.stdout for part in said) if "11" in asked else all(part in done.stdout for part in said)
    assert not done.stderr


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("relu", 1, "relu: WRONG"),
        ("Swish", 0, "Swish: right"),
        ("affine_forward", 1, "(bias-axis)"),
        ("Odd", 2, "Odd wants 'colour': write how to make it"),
        ("Odd('red')", 0, "Odd: right"),
        ("Nothing", 1, "It has: Odd, Swish, affine_backward, affine_forward, hinge, relu, relu_derivative."),
        (
            "hinge",
            2,
            "hinge_slope, hinge_grad, hinge_gradient, hinge_deriv, d_hinge",
        ),
        ("Odd(", 2, "SyntaxError"),
    ],
)
def test_a_file_of_ones_own(mine, name, code, said):
    done = run("doctor", f"{mine.name}:{name}", cwd=mine.parent)
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "hello from the file" in done.stdout


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ("nowhere.py:Linear", 1, "nowhere.py: there is no such file"),
        ("layers", 2, "expected FILE.py:NAME, such as layers.py:Linear, received 'layers'"),
    ],
)
def test_what_cannot_be_run_is_told(tmp_path, asked, code, said):
    done = run("doctor", asked, cwd=tmp_path)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_a_file_that_fails_is_told(tmp_path):
    (tmp_path / "broken.py").write_text("1 / 0\n")
    done = run("doctor", "broken.py:Linear", cwd=tmp_path)
    assert done.returncode == 1
    assert "running it raised ZeroDivisionError: division by zero" in done.stderr


def test_check_proves_every_public_layer_and_loss():
    reports = dict(proofs())
    public = {
        name
        for name in vars(cr)
        if isinstance(getattr(cr, name), type) and issubclass(getattr(cr, name), (cr.Layer, cr.Loss))
    }
    assert public - {"Layer", "Loss", "MSE", "MAE"} <= set(reports)
    assert all(report.passed for report in reports.values())
    assert {"Linear", "MLP on digits"} <= set(reports)


def test_check_fails_when_a_derivative_is_wrong(monkeypatch, capsys):
    monkeypatch.setattr(layers.Tanh, "backward", lambda self, dy, cache, need_dx=True: dy)
    with pytest.raises(Exception) as exit_:  # typer's own
        prove(None)
    assert getattr(exit_.value, "exit_code", None) == 1
    assert "Tanh                WRONG" in capsys.readouterr().out


def test_check_takes_a_network_that_was_saved(tmp_path):
    cr.save(cr.MLP([3, 4, 2], seed=0), tmp_path / "model.safetensors")
    done = run("check", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 of 1 right" in done.stdout


@pytest.fixture(scope="module")
def solutions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("solutions")
    hand_out(folder, form="solutions")
    return folder


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            ("ex09_network.py:Network(5, 4, 3, np.random.default_rng(0))", "--loss", "cross_entropy"),
            "softmax; CrossEntropy(from_probabilities=True), as every row of the outputs sums to 1",
        ),
        (("ex09_network.py:Network", "--loss", "cross_entropy"), "Linear 5 -> 4, ReLU, Linear 4 -> 3, softmax"),
        (("ex07_linear.py:Linear",), "seen as: Linear 5 -> 3"),
        (("ex02_sigmoid.py:sigmoid",), "sigmoid: right"),
    ],
)
def test_the_exercises_solutions_are_right(solutions, asked, said):
    done = run("doctor", *asked, cwd=solutions)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert said in done.stdout


def test_the_pythons_way_says_the_same(mine):
    report = cr.doctor.examine_file(mine, "affine_forward")
    assert report.causes == ["bias-axis"]
    assert np.isfinite(report.rows[0].error)
