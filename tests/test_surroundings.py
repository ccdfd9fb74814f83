"""Where chainrule runs makes no difference: after a fork, without a home, beside other writers, whatever the time."""

import ast
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import chainrule as cr

SOURCE = Path(cr.__file__).parent
CLOSED = {"pickle", "marshal", "shelve", "zipfile", "tarfile", "multiprocessing", "concurrent", "subprocess", "joblib"}

FORK = """
import os, numpy as np, chainrule as cr
x = np.random.default_rng(0).standard_normal((2000, 500)).astype("float32")
network = cr.MLP([500, 500, 10], output="softmax")
answers = network.predict(x)                    # the BLAS has its threads now
child = os.fork()
if child == 0:
    os._exit(0 if (network.predict(x) == answers).all() else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

TRAIN = """
import sys, numpy as np, chainrule as cr
network, data = cr.MLP([2, 3, 2]), cr.datasets.xor()
history = cr.Trainer(network, "cross_entropy", callbacks=[cr.Checkpoint(sys.argv[1])]).fit(*data.train, epochs=2)
cr.load(cr.checkpoints.latest(sys.argv[1]))
print(network.params.tobytes().hex())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are of Unix")
def test_a_fork_predicts_what_its_parent_does():
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-c", FORK], env=environment, timeout=60, check=True)


def test_no_home_and_no_language_change_nothing(tmp_path):
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "SYSTEMROOT") if name in os.environ}
    answers = set()
    for number, extra in enumerate(({}, {"HOME": "/nowhere", "LANG": "C", "LC_ALL": "C", "TZ": "Nowhere/Nothing"})):
        command = [sys.executable, "-W", "error", "-c", TRAIN, str(tmp_path / str(number))]
        done = subprocess.run(command, env=kept | extra, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        answers.add(done.stdout)
    assert len(answers) == 1


def uses(tree):
    """The modules that a file imports, and the attributes it reads."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


USED = {(file.name, use) for file in SOURCE.rglob("*.py") for use in uses(ast.parse(file.read_text(encoding="utf-8")))}


def test_no_time_is_measured_by_a_clock_that_can_be_set():
    assert ("training.py", "time.perf_counter") in USED
    assert not [use for use in USED if use[1] in ("time.time", "time.time_ns")]


def test_no_module_opens_archives_or_pickles_or_starts_processes():
    assert ("safetensors_format.py", "os.stat") in USED
    assert not [use for use in USED if use[1] in CLOSED | {"np.load", "os.fork", "os.system"}]


def test_of_many_writers_one_wins_whole(tmp_path):
    networks = [cr.MLP([20, width, 10]) for width in range(1, 9)]
    path = tmp_path / "model.safetensors"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda network: [cr.save(network, path) for _ in range(10)], networks))
    assert repr(cr.load(path)) in map(repr, networks)
    assert os.listdir(tmp_path) == ["model.safetensors"]
