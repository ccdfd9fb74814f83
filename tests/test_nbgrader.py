"""Our notebooks in nbgrader's hands: solutions taken out, full points for the right, some for the half right."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chainrule.teaching import exercises, hand_out

pytest.importorskip("nbgrader")
pytestmark = pytest.mark.slow
NAMES = ("linear", "mse")
MISTAKES = {"dy.sum(axis=0)": "dy.sum(axis=1)", "/ p.size": ""}
BESIDE = Path(sys.executable).parent


def nbgrader(*words, course):
    path = os.pathsep.join([str(BESIDE), os.environ["PATH"]])  # nbgrader calls alembic by its name
    answer = subprocess.run(
        [BESIDE / "nbgrader", *words], cwd=course, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr


def write(text):
    for right, wrong in MISTAKES.items():
        text = text.replace(right, wrong)
    return text


def test_handed_out_handed_in_and_graded(tmp_path):
    hand_out(tmp_path / "source/networks", NAMES, "nbgrader")
    nbgrader("generate_assignment", "networks", course=tmp_path)
    students = {"right": lambda answer: answer, "half": write, "nothing": None}
    for name, released in ((path.name, path.read_text()) for path in (tmp_path / "release/networks").glob("*.ipynb")):
        assert "SOLUTION" not in released and "raise NotImplementedError()" in released
        source = json.loads((tmp_path / "source/networks" / name).read_text())
        for student, answer in students.items():
            notebook = json.loads(released)
            if answer is not None:
                notebook["cells"][1]["source"] = answer("".join(source["cells"][1]["source"]))
            folder = tmp_path / "submitted" / student / "networks"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(json.dumps(notebook))
    nbgrader("autograde", "networks", course=tmp_path)
    nbgrader("generate_feedback", "networks", course=tmp_path)
    nbgrader("export", course=tmp_path)
    with (tmp_path / "grades.csv").open(newline="") as file:
        grades = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(file)}
    points = sum(exercise.points for exercise in exercises(NAMES))
    assert grades == {"right": (points, points), "half": (4, points), "nothing": (0, points)}
    seen = (tmp_path / "feedback/half/networks/ex07_linear.html").read_text()
    assert "summed over the features instead of the examples" in seen
