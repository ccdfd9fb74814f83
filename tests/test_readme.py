"""The README is run, line by line, so that nothing in it can stop being true unnoticed."""

import inspect
import re
import textwrap
import tomllib
from pathlib import Path

import numpy as np

import chainrule as cr

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.S)


def code_lines(text):
    """The statements without comments and white space."""
    return [re.sub(r"\s+", " ", line.split("#")[0]).strip() for line in textwrap.dedent(text).splitlines()]


def test_the_examples_run_and_do_what_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in BLOCKS[:3]:
        exec(block, names)
    epochs, printed = np.split(capsys.readouterr().out.splitlines(), [5])
    assert all(line.startswith(f"epoch {epoch}/5  loss ") for epoch, line in enumerate(epochs, 1))
    assert float(printed[0]) >= 0.979
    assert printed[1].startswith("[7 2 1 0 4]")
    assert any("PASSED" in line for line in printed)
    assert (tmp_path / "digits.safetensors").exists()


def test_the_layer_shown_computes_what_the_real_one_does():
    shown = {}
    exec(BLOCKS[-1], {"np": np}, shown)
    layer = cr.Linear(5, 3)
    layer.build((5,), np.random.default_rng(0))
    rng = np.random.default_rng(1)
    x, dy = rng.standard_normal((7, 5)), rng.standard_normal((7, 3))
    y, cache = layer.forward(x)
    dx, dW, db = layer.backward(dy, cache), layer.dW.copy(), layer.db.copy()
    y_shown, cache_shown = shown["forward"](layer, x)
    np.testing.assert_array_equal(y_shown, y)
    np.testing.assert_array_equal(shown["backward"](layer, dy, cache_shown), dx)
    np.testing.assert_array_equal(layer.dW, dW)
    np.testing.assert_array_equal(layer.db, db)
    assert [line for line in code_lines(inspect.getsource(cr.Linear.forward))[1:] if line] == [
        line for line in code_lines(BLOCKS[-1].split("def backward")[0])[1:] if line
    ]


def test_every_layer_and_loss_it_lists_exists():
    for kind, base in (("Layers", cr.Layer), ("Losses", cr.Loss)):
        (listed,) = re.findall(rf"{kind}: (.*?)\.", README, re.S)
        names = [re.sub(r"\(.*", "", name, flags=re.S).strip() for name in listed.split(",")]
        public = {
            thing.__name__
            for thing in vars(cr).values()
            if isinstance(thing, type) and issubclass(thing, base) and thing is not base
        }
        assert set(names) == public


def test_every_extra_it_lists_exists():
    (listed,) = re.findall(r"Extras: (.*?)\.\n", README, re.S)
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert re.findall(r"`(\w+)`", listed) == list(project["optional-dependencies"])


def test_every_file_it_names_exists():
    root = Path(__file__).parent.parent
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (root / target).exists(), target
    for name in re.findall(r"`((?:layers|losses|optimizers)/[\w.]*|\w+\.py)`", README):
        assert (root / "src/chainrule" / name).exists(), name
