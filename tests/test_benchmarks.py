"""The benchmark runs: every contender that is installed takes a tiny turn, and Ctrl-C loses nothing."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BENCH = [sys.executable, str(ROOT / "benchmarks/bench.py")]
# A compiler's time is no part of the test, and it may find no compiler.
ENVIRONMENT = os.environ | {
    "TORCH_COMPILE_DISABLE": "1",
    "PYTHONPATH": f"{ROOT / 'src'}:{os.environ.get('PYTHONPATH', '')}",
}
ROW = {"contender", "threads", "first", "best", "median", "spread", "floor_ratio", "accuracy", "megabytes", "seconds"}
MACHINE = {"cpu", "cores", "load", "system", "python", "threads tried", "rounds", "versions", "kernel"}


def contenders():
    """name -> (is it installed?, does it take convolutions?), asked of the table itself."""
    code = "import json, contenders; print(json.dumps([[c.name, c.installed, c.images] for c in contenders.TABLE]))"
    table = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT / "benchmarks", text=True)
    return {name: (installed, images) for name, installed, images in json.loads(table)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("work", "only", "with_images"), [("XOR", [""], False), ("CNN 16", ["BLAS", "chainrule"], True)]
)
def test_every_contender_that_is_installed_takes_a_turn(work, only, with_images, tmp_path):
    options = ["--quick", "--rows", "68", "--works", work, "--only", *only, "--json", tmp_path / "bench.json"]
    options += ["--plot", tmp_path / "bench.png"]
    answer = subprocess.run([*BENCH, *options], env=ENVIRONMENT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    report = json.loads((tmp_path / "bench.json").read_text())
    assert set(report) == {"machine", "works", "footprint", "not installed", "failed", "interrupted"}
    assert set(report["machine"]) == MACHINE and report["machine"]["versions"]["numpy"]
    assert not report["failed"] and not report["interrupted"]
    wanted = {name: row for name, row in contenders().items() if name.startswith(tuple(only))}
    assert report["not installed"] == [name for name, (installed, _) in wanted.items() if not installed]
    tables = report["works"][0]["tables"]
    rows = tables["one thread"]
    assert rows == tables["best thread count"]
    assert [row["contender"] for row in rows] == [
        name for name, (installed, images) in wanted.items() if installed and (images or not with_images)
    ]
    for row in rows:
        assert set(row) == ROW
        assert row["best"] > 0 and row["first"] > 0 and row["megabytes"] > 10
        assert (row["accuracy"] is None) == (row["contender"] == "BLAS floor")
    assert rows[0]["floor_ratio"] == 1
    assert (tmp_path / "bench.png").exists()


def test_ctrl_c_prints_and_writes_what_there_is(tmp_path):
    file = tmp_path / "bench.json"
    options = ["--quick", "--rows", "64", "--rounds", "100000", "--works", "XOR", "--only", "BLAS", "--json", file]
    process = subprocess.Popen(
        [*BENCH, *options],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # a background job ignores it
    )
    said = ""
    while "round 2 " not in said:
        said += process.stderr.read(1) or pytest.fail(said)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    report = json.loads(file.read_text())
    assert report["interrupted"] and report["works"][0]["tables"]["one thread"][0]["seconds"]
    assert "| BLAS floor |" in out


# The MNIST speedrun ---------------------------------------------------------------------------------------------------

ENTRY = '''"""Guesses."""
{first}
import numpy as np

BAR = {bar}


def run(x, y, test_x, seed):
    assert x.dtype == test_x.dtype == np.uint8 and x.shape == (60_000, 784) and len(test_x) == 10_000
    return np.full(len(test_x), seed)
'''


@pytest.mark.parametrize(
    ("first", "bar", "said"),
    [
        ("", 9, "| 9 % | [guesses](entries/guesses.py) | Guesses. |"),  # 9.8 and 11.35 % of the test images
        ("", 11, "below the bar: guesses"),
        ("import sys; sys.modules['numba'] = sys", 9, "guesses uses numba: an entry has NumPy and nothing else"),
    ],
)
def test_an_entry_is_verified(first, bar, said, tmp_path):
    entry = tmp_path / "guesses.py"
    entry.write_text(ENTRY.format(first=first, bar=bar))
    command = [sys.executable, ROOT / "benchmarks/speedrun/run.py", entry, "--seeds", "2"]
    answer = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert said in answer.stdout + answer.stderr
    assert (answer.returncode == 0) == said.startswith("|")


def test_an_entry_that_knows_the_labels_by_heart_gets_nowhere(tmp_path):
    entry = tmp_path / "heart.py"
    learned = "import chainrule as cr\n\nBAR = 97\n\n\ndef run(*given):\n    return cr.datasets.mnist().test.y\n"
    entry.write_text(f'"""By heart."""\n\n{learned}')
    command = [sys.executable, ROOT / "benchmarks/speedrun/run.py", entry, "--seeds", "2"]
    answer = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert "below the bar: heart" in answer.stderr


@pytest.mark.slow
@pytest.mark.parametrize("entry", sorted((ROOT / "benchmarks/speedrun/entries").glob("mlp_*.py")), ids=lambda f: f.stem)
def test_a_quick_entry_comes_near_its_bar_with_one_seed(entry):
    command = [sys.executable, ROOT / "benchmarks/speedrun/run.py", entry, "--seeds", "1"]
    answer = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    bar, reached = (float(share) for share in re.findall(r"\| ([\d.]+) %", answer.stdout)[:2])
    assert reached >= bar - 0.3
