"""The gallery shows every picture, each made by the line above it."""

import inspect
import re
import runpy
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

import chainrule as cr
from chainrule import plots

DOCS = Path(__file__).parents[2] / "docs"
MAKE = runpy.run_path(str(DOCS / "gallery/make.py"))
SHOWN = MAKE["pictures"]()


def test_the_gallery_shows_every_function_and_no_picture_is_left_over():
    shown = set(re.findall(r"plots\.(\w+)\(", "".join(line for line, _ in SHOWN)))
    assert shown == {name for name, thing in vars(plots).items() if inspect.isfunction(thing)}
    assert sorted(file for _, file in SHOWN) == sorted((DOCS / "gallery").glob("*.png"))
    images = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", (DOCS / "gallery.md").read_text(encoding="utf-8"))
    assert [DOCS / image for image in images] == [file for _, file in SHOWN]


@pytest.mark.parametrize("file", [file for _, file in SHOWN], ids=lambda file: file.stem)
def test_a_picture_is_small_and_not_blank(file):
    assert file.stat().st_size < 100_000
    assert plt.imread(file).std() > 0.05


def test_the_displays_of_scikit_learn_take_what_a_network_gives():
    pytest.importorskip("sklearn")
    text = (DOCS / "gallery.md").read_text(encoding="utf-8")
    line = re.search(r"```python\n(from sklearn[^`]+)```", text)[1]
    moons = cr.datasets.moons()
    networks = {
        "moons_network": cr.MLP([2, 4, 1], output="sigmoid"),
        "surface_network": cr.MLP([2, 1], output="identity"),
    }
    exec(line, {"cr": cr, "moons": moons, **networks})
    assert len(plt.get_fignums()) == 5


@pytest.mark.slow
def test_every_line_draws_what_it_is_shown_with():
    known = MAKE["names"]()
    for line, _ in SHOWN:
        exec(line, known)
        assert len(plt.get_fignums()) == 1
        plt.close("all")
    for name in ("circles", "spirals"):
        assert known[f"{name}_network"].accuracy(*known[name].test) >= 0.95
    values = known["surface_network"].predict(np.array([[0.0, 0.0], [1.0, 1.0]]))
    np.testing.assert_allclose(values[:, 0], [0, 2], atol=0.3)
