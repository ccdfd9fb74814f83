"""What `chainrule train` does about its data and its threads: fetched, measured, recorded, and kept when it goes on."""

import hashlib
import json
import os
import platform
import signal
import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import pytest

import chainrule as cr
from chainrule import runs, threads
from chainrule.commands import carrying_out
from chainrule.datasets import write_idx
from chainrule.datasets.download import RemoteFile
from chainrule.interruption import Interruption
from command_line import here
from faulty_server import serving

fashion = sys.modules["chainrule.datasets.fashion_mnist"]
train = sys.modules["chainrule.commands.train"]  # the name in the package is the command


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Few digits in four files, packed as Fashion-MNIST's are."""
    digits, folder = cr.datasets.mnist(), tmp_path_factory.mktemp("files")
    for part, split, rows in (("train", digits.train, 120), ("t10k", digits.test, 20)):
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", split.x[:rows].reshape(-1, 28, 28))
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", split.y[:rows].astype("uint8"))
    return folder


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """`chainrule train` in this process: the exit code and what was printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(carrying_out.runs, "write", lambda run, folder: write_config(run, folder))

    return partial(here, monkeypatch, capsys, "train")


def write_config(run, folder):
    """No model and no pictures: they are the business of other tests."""
    content = carrying_out.runs.config(run)
    carrying_out.runs.begin(folder, content)
    return ["config.json"]


def config(folder):
    return json.loads((folder / "config.json").read_text())


@pytest.fixture
def stopped(monkeypatch):
    """A signal that comes before the first step is over."""

    def enter(interruption):
        interruption.signal = signal.SIGTERM
        return interruption

    with monkeypatch.context() as patch:
        patch.setattr(Interruption, "__enter__", enter)
        yield patch


# Fashion-MNIST --------------------------------------------------------------------------------------------------------


@pytest.fixture
def server(folder, tmp_path, monkeypatch):
    contents = {path.name: path.read_bytes() for path in folder.iterdir()}
    files = [RemoteFile(name, len(content), hashlib.sha256(content).hexdigest()) for name, content in contents.items()]
    monkeypatch.setattr(fashion, "FILES", files)
    monkeypatch.setenv("CHAINRULE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(contents) as server:
        monkeypatch.setattr(fashion, "MIRRORS", [server.mirror("good")])
        yield server


def test_clothes_are_fetched_once_and_learned(server, call, tmp_path):
    code, out, err = call("fashion-mnist", "--hidden", 8, "--epochs", 2)
    assert (code, err) == (0, "")
    assert out.startswith(f"fetching Fashion-MNIST: 4 files, 0.0 MB, into {tmp_path / 'data' / 'fashion-mnist'}\n")
    assert "784-8-10 network, 6,370 parameters, on Fashion-MNIST: 110 train, 10 validation, 20 test" in out
    said = config(tmp_path / "runs" / "fashion-mnist-8-seed0")
    assert said["data"] == {
        "name": "fashion-mnist",
        "source": "Fashion-MNIST",
        "train": 110,
        "validation": 10,
        "test": 20,
    }
    assert "'T-shirt/top'" in said["network"]
    out = call("fashion-mnist", "--hidden", 8, "--epochs", 1)[1]
    assert out.startswith("784-8-10 network")
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("name", "source", "goal"),
    [
        ("mnist", train.KINDS["mnist"].source, 0.95),
        ("mnist", "/photos", None),
        ("fashion-mnist", train.KINDS["fashion-mnist"].source, None),
    ],
)
def test_the_curves_show_the_goal_of_the_lessons_for_their_data_alone(name, source, goal, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(cr.plots, "history", lambda history, *, goal, axes: drawn.append(goal))
    run = SimpleNamespace(origin=runs.Origin(name, source), trainer=SimpleNamespace(history=None))
    runs._draw_curves(tmp_path / "curves.png", run)
    assert drawn == [goal]


def test_clothes_may_lie_in_a_folder_of_ones_own(server, call, folder, tmp_path):
    server.files.clear()
    code, _, err = call("fashion-mnist", "--hidden", 8, "--epochs", 1, "--data", folder)
    assert (code, err) == (0, "")
    assert config(tmp_path / "runs" / "fashion-mnist-8-seed0")["data"]["source"] == str(folder)


def test_a_run_on_clothes_goes_on_with_clothes(server, call, stopped, tmp_path):
    code, out, _ = call("fashion-mnist", "--hidden", 8, "--epochs", 2)
    assert code == 128 + signal.SIGTERM
    assert "to go on: chainrule train fashion-mnist --resume runs/fashion-mnist-8-seed0\n" in out
    stopped.undo()
    server.requests.clear()
    code, _, err = call("mnist", "--resume", "runs/fashion-mnist-8-seed0")
    assert code == 2 and err.endswith("chainrule train fashion-mnist --resume runs/fashion-mnist-8-seed0\n")
    code, out, err = call("fashion-mnist", "--resume", "runs/fashion-mnist-8-seed0")
    assert (code, err) == (0, "")
    assert "on Fashion-MNIST: 110 train" in out
    assert server.requests == []


def test_without_a_network_the_command_says_what_to_do(server, call, tmp_path, monkeypatch):
    monkeypatch.setattr(fashion, "MIRRORS", ["http://127.0.0.1:9/"])
    code, _, err = call("fashion-mnist")
    assert (code, "Traceback" in err) == (1, False)
    assert err.startswith("error: Fashion-MNIST: ")
    assert "could not be fetched.\n  http://127.0.0.1:9/: cannot be reached\nConnect to the internet" in err
    assert not (tmp_path / "runs").exists()


# Threads --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def limits(monkeypatch):
    """The numbers that the BLAS is told to use in the command."""
    told, limited = [], carrying_out.limited

    def noting(count):
        told.append(count)
        return limited(1)

    monkeypatch.setattr(carrying_out, "limited", noting)
    return told


@pytest.mark.parametrize(
    ("options", "usual", "variable", "expected"),
    [
        ((), 8, None, 1),
        ((), 8, "OPENBLAS_NUM_THREADS", 8),
        ((), 8, "OMP_NUM_THREADS", 8),
        ((), None, None, None),
        (("--threads", "3"), None, None, None),
        (("--threads", "auto"), None, None, None),
        (("--threads", "3"), 8, "OPENBLAS_NUM_THREADS", 3),
        (("--threads", "auto"), 8, None, 2),
    ],
)
def test_the_number_of_threads_is_used_and_recorded(
    options, usual, variable, expected, folder, call, limits, tmp_path, monkeypatch
):
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 8)
    for name in threads.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, "8")
    for module in (train, threads):
        monkeypatch.setattr(module, "usual_count", lambda: usual)
    monkeypatch.setattr(carrying_out, "best_count", lambda trainer: 2)
    code, out, err = call("mnist", "--data", folder, "--hidden", 8, "--epochs", 1, "--output", "out", *options)
    assert (code, err) == (0, "")
    assert limits == [expected]
    assert config(tmp_path / "out")["threads"] == expected
    assert ("BLAS threads: 2, the fastest here and now\n" in out) == (expected == 2)
    assert ("note: the BLAS of this NumPy cannot be told" in out) == (usual is None and bool(options))


@pytest.mark.filterwarnings("default::chainrule.ChainruleWarning")
def test_a_run_that_goes_on_where_the_blas_cannot_be_told_records_no_number(
    folder, call, limits, stopped, tmp_path, monkeypatch
):
    call("mnist", "--data", folder, "--hidden", 8, "--epochs", 2, "--output", "out", "--threads", 2)
    assert config(tmp_path / "out")["threads"] == 2
    stopped.undo()
    monkeypatch.setattr(threads, "_counts", lambda blas: [])
    code, _, err = call("mnist", "--resume", "out")
    assert code == 0
    assert "decides itself, where 2 were used so far: the last digits may differ" in err
    assert config(tmp_path / "out")["threads"] is None


def test_a_run_goes_on_with_its_number_of_threads(folder, call, limits, stopped, tmp_path, monkeypatch):
    monkeypatch.setattr(carrying_out, "best_count", lambda trainer: 2)
    options = ("--data", folder, "--hidden", 8, "--epochs", 2, "--output", "out")
    assert call("mnist", *options, "--threads", "auto")[0] == 128 + signal.SIGTERM
    (checkpoint,) = (tmp_path / "out" / "checkpoints").iterdir()
    assert cr.checkpoints.load(checkpoint).state["callbacks"][0] == {"used": 2}
    stopped.undo()
    monkeypatch.setattr(carrying_out, "best_count", None)
    code, out, err = call("mnist", "--resume", "out")
    assert (code, err) == (0, "")
    assert "note:" not in out
    assert limits == [2, 2]
    assert config(tmp_path / "out")["threads"] == 2


def test_a_run_with_an_unknown_number_of_threads_is_gone_on_with_a_note(
    folder, call, limits, stopped, tmp_path, monkeypatch
):
    """As where the BLAS cannot be told; the plans of older runs say neither this nor the name of their data."""
    monkeypatch.setattr(train, "default_count", lambda: None)
    call("mnist", "--data", folder, "--hidden", 8, "--epochs", 2, "--output", "out")
    plan = config(tmp_path / "out")
    del plan["threads"], plan["data"]["name"]
    (tmp_path / "out" / "config.json").write_text(json.dumps(plan))
    stopped.undo()
    code, out, err = call("mnist", "--resume", "out")
    assert (code, err) == (0, "")
    assert "note: this machine, its NumPy or its BLAS threads may not be the run's: the last digits may differ" in out
    assert limits == [None, None]


# Its memory -----------------------------------------------------------------------------------------------------------

FREED = """
import resource
import numpy as np
from chainrule.commands.carrying_out import carry_out

def faults():
    counts = []
    for _ in range(10):
        pieces = [np.ones(3 << 20, np.uint8) for _ in range(4)]  # all are freed together, as after a step
        del pieces
        counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
    return counts[-1] - counts[0]

class Recipe:
    def trainer(self, data):
        raise EOFError("far enough")

before = faults()
try:
    carry_out(Recipe(), None, None, None, None)
except EOFError:
    print(before, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have other rules")
def test_memory_of_a_step_is_kept_for_the_next():
    """Fetched anew from the system, every page of 4 kB costs a fault."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("MALLOC_", "GLIBC_", "LD_PRELOAD"))}
    done = subprocess.run([sys.executable, "-c", FREED], env=plain, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    before, after = map(int, done.stdout.split())
    assert after < before / 10
