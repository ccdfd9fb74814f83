"""The command line, run as people run it: as a process of its own, on a terminal and off it, stopped and refused."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

import chainrule as cr
from chainrule import cli, runs
from chainrule.commands.carrying_out import changed
from chainrule.datasets import write_idx
from chainrule.interruption import Interruption
from chainrule.recipes import RECIPES, Recipe
from chainrule.terminal import _seconds
from command_line import here

PICTURES = ["confusion.png", "curves.png", "predictions.png", "weights.png"]
EVERYTHING = sorted([*PICTURES, "checkpoints", "config.json", "history.csv", "model.safetensors"])
UNTESTED = [name for name in EVERYTHING if name not in ("confusion.png", "predictions.png")]
posix = pytest.mark.skipif(os.name != "posix", reason="signals and terminals of POSIX")


@pytest.fixture(scope="session")
def digits():
    return cr.datasets.mnist()


@pytest.fixture(scope="session")
def small(digits, tmp_path_factory):
    """A folder with few digits: 600 to train on, 100 to test."""
    folder = tmp_path_factory.mktemp("digits")
    for part, split, rows in (("train", digits.train, 600), ("t10k", digits.test, 100)):
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", split.x[:rows].reshape(-1, 28, 28))
        write_idx(folder / f"{part}-labels-idx1-ubyte", split.y[:rows].astype("uint8"))
    return folder


def start(*arguments, cwd, **environment):
    """The command as a process."""
    return subprocess.Popen(
        [sys.executable, "-m", "chainrule", *map(str, arguments)],
        cwd=cwd,
        env=surroundings() | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        preexec_fn=listening if os.name == "posix" else None,
    )


def surroundings():
    """Our environment, without what changes how we print, and with one BLAS thread, which is quicker for few rows."""
    unwanted = ("NO_COLOR", "FORCE_COLOR", "PYTHONIOENCODING", "COLUMNS")
    return {k: v for k, v in os.environ.items() if k not in unwanted} | {"OPENBLAS_NUM_THREADS": "1"}


def listening():
    """A test run in the background may ignore Ctrl-C, and its children with it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run(*arguments, cwd, **environment):
    process = start(*arguments, cwd=cwd, **environment)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def config(folder):
    return json.loads((folder / "config.json").read_text())


def epochs(folder):
    with (folder / "history.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# A run ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def first_run(small, tmp_path_factory):
    cwd = tmp_path_factory.mktemp("first")
    code, out, err = run("train", "mnist", "--data", small, "--hidden", "20,12", "--epochs", 3, "--seed", 7, cwd=cwd)
    assert (code, err) == (0, "")
    return cwd, cwd / "runs" / "mnist-20-12-seed7", out.splitlines()


def test_leaves_everything_behind(first_run):
    _, folder, _ = first_run
    assert names(folder) == EVERYTHING
    for name in PICTURES:
        picture = matplotlib.image.imread(folder / name)
        assert picture.std() > 0.05, name
        assert min(picture.shape[:2]) > 400, name


def test_prints_a_line_an_epoch_and_the_result(first_run, small):
    _, folder, lines = first_run
    assert lines[0] == (f"784-20-12-10 network, 16,082 parameters, on {small}: 550 train, 50 validation, 100 test")
    row = epochs(folder)[1]
    assert lines[2] == (
        f"epoch 2/3  loss {float(row['loss']):.4f}  train {100 * float(row['accuracy']):6.2f} %  "
        f"validation {100 * float(row['validation_accuracy']):6.2f} %  {_seconds(float(row['seconds']))}"
    )
    correct = config(folder)["test_correct"]
    assert lines[4] == f"test accuracy {correct:.2f} %: {correct} / 100 correct"
    assert lines[5] == "most confused:"
    assert lines[6].startswith("  true ")
    assert " -> predicted " in lines[6]
    assert lines[6].endswith(" times")
    assert lines[-1].startswith(str(Path("runs", "mnist-20-12-seed7")))


def test_the_model_is_the_network_that_was_measured(first_run, digits):
    _, folder, _ = first_run
    network = cr.load(folder / "model.safetensors")
    assert network.class_names == tuple("0123456789")
    assert network.accuracy(digits.test.x[:100], digits.test.y[:100]) == config(folder)["test_accuracy"]


def test_the_configuration_repeats_the_run(first_run, small, tmp_path):
    _, folder, _ = first_run
    said = config(folder)
    assert said["status"] == "finished"
    assert said["command"].startswith("chainrule train mnist --data")
    assert said["data"] == {"name": "mnist", "source": str(small), "train": 550, "validation": 50, "test": 100}
    assert said["versions"] == {"chainrule": cr.__version__, "numpy": np.__version__, "python": sys.version.split()[0]}
    assert {"name", "version"} <= set(said["machine"]["blas"])
    assert said["threads"] == 1
    recipe = {k: v for k, v in said["recipe"].items() if k not in ("augment", "convolutions")} | {"hidden": "20-12"}
    options = [text for name, value in recipe.items() for text in (f"--{name.replace('_', '-')}", value)]
    code, _, _ = run("train", "mnist", "--data", small, *options, "--output", tmp_path / "again", cwd=tmp_path)
    assert code == 0
    assert config(tmp_path / "again")["recipe"] == said["recipe"]
    again, before = (cr.load(path / "model.safetensors") for path in (tmp_path / "again", folder))
    assert (again.params == before.params).all()


def test_a_run_that_exists_is_replaced_only_when_told(first_run, small, monkeypatch, capsys):
    cwd, folder, _ = first_run
    before = (folder / "config.json").read_bytes()
    where = Path("runs", folder.name)
    options = ("train", "mnist", "--data", small, "--hidden", "20,12", "--seed", 7, "--epochs", 1, "--output", where)
    monkeypatch.chdir(cwd)
    refusal = f"error: {where} exists already. Choose another folder with --output, or say --overwrite."
    assert here(monkeypatch, capsys, *options) == (2, "", refusal + "\n")
    assert (folder / "config.json").read_bytes() == before
    (folder / "notes.txt").write_text("mine")
    code, _, _ = run(*options, "--overwrite", cwd=cwd)
    assert code == 0
    assert config(folder)["recipe"]["epochs"] == 1
    assert names(folder) == sorted([*EVERYTHING, "notes.txt"])


def test_without_a_name_every_run_has_a_folder_of_its_own(tmp_path):
    from chainrule.runs import free_folder

    wanted = tmp_path / "mnist-128-seed0"
    for expected in ("mnist-128-seed0", "mnist-128-seed0-2", "mnist-128-seed0-3"):
        folder = free_folder(wanted)
        assert folder.name == expected
        folder.mkdir()


def test_the_bundled_digits_are_learned_in_an_epoch(tmp_path):
    code, out, _ = run("train", "mnist", "--epochs", 1, cwd=tmp_path)
    assert code == 0
    assert "55,000 train, 5,000 validation, 10,000 test" in out
    assert " / 10,000 correct" in out
    assert config(tmp_path / "runs" / "mnist-128-seed0")["test_accuracy"] > 0.96


# Stopped ----------------------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopping_keeps_what_was_finished(number, code, small, digits, tmp_path):
    options = ("--data", small, "--epochs", 100_000, "--schedule", "constant", "--output", "out")
    process = start("train", "mnist", *options, cwd=tmp_path)
    assert "network" in process.stdout.readline()
    assert process.stdout.readline().startswith("epoch       1/100,000  loss ")
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (code, "")
    said = config(tmp_path / "out")
    finished = said["epochs_finished"]
    assert said["status"] == "interrupted"
    assert out.splitlines()[-3:-1] == [
        f"interrupted in epoch {finished + 1}: {finished} of 100000 epochs finished",
        "to go on: chainrule train mnist --resume out",
    ]
    assert names(tmp_path / "out") == UNTESTED, "the test images are for a run that is over"
    assert "test_accuracy" not in said
    assert len(epochs(tmp_path / "out")) == finished
    assert cr.load(tmp_path / "out" / "model.safetensors").accuracy(*digits.test) > 0.3


@posix
def test_stopping_in_the_first_epoch_leaves_what_there_is(tmp_path):
    process = start("train", "mnist", "--batch-size", 1, "--output", "out", cwd=tmp_path)
    assert "network" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    assert "interrupted in epoch 1: 0 of 5 epochs finished" in out
    assert names(tmp_path / "out") == [name for name in UNTESTED if name not in ("curves.png", "history.csv")]
    assert config(tmp_path / "out")["last_epoch"] is None


@posix
def test_a_second_ctrl_c_quits_at_once(tmp_path):
    script = (
        "import os, signal, time\n"
        "from chainrule.interruption import Interruption\n"
        "with Interruption() as interruption:\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    print(interruption.signal, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    print('never')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, preexec_fn=listening)
    assert (done.returncode, done.stdout, done.stderr) == (130, "2\n", "")


@posix
def test_nobody_reading_does_not_stop_the_run(small, tmp_path):
    process = start("train", "mnist", "--data", small, "--epochs", 2, "--output", "out", cwd=tmp_path)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=30) == 0
    assert process.stderr.read() == ""
    process.stderr.close()
    assert names(tmp_path / "out") == EVERYTHING


def test_diverged_training_is_said_in_a_line_and_leaves_no_empty_folder(small, tmp_path):
    options = ("--learning-rate", 1e30, "--schedule", "constant", "--output", "deep/out")
    code, out, err = run("train", "mnist", "--data", small, *options, cwd=tmp_path)
    assert code == 1
    assert err.startswith("error: Loss became ")
    assert err.count("\n") == 1
    assert "test accuracy" not in out
    assert not (tmp_path / "deep" / "out").exists()


def test_what_was_finished_before_training_diverged_is_kept(small, tmp_path):
    options = ("--activation", "identity", "--hidden", "64,32,16", "--learning-rate", 3, "--epochs", 50)
    code, out, err = run("train", "mnist", "--data", small, *options, "--output", "out", cwd=tmp_path)
    assert code == 1
    assert err.startswith("error: Loss became ")
    assert err.count("\n") == 1
    said = config(tmp_path / "out")
    assert said["status"] == "diverged"
    assert 1 <= said["epochs_finished"] == len(epochs(tmp_path / "out"))
    assert f"diverged in epoch {said['epochs_finished'] + 1}" in out
    assert names(tmp_path / "out") == EVERYTHING


# Gone on with -----------------------------------------------------------------------------------------------------


RESUMED = ("--hidden", "30", "--dropout", 0.2, "--optimizer", "adam", "--learning-rate", 0.01, "--epochs", 40)
CONVOLUTIONS = ("--convolutions", "4c3,6c3")


@posix
@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "more"),
    [
        (signal.SIGKILL, ()),
        (signal.SIGTERM, ()),
        (signal.SIGINT, ()),
        (signal.SIGKILL, (*CONVOLUTIONS, "--epochs", 12)),
    ],
    ids=["9", "TERM", "Ctrl-C", "9, convolutions"],
)
def test_a_run_that_was_ended_goes_on_to_the_same_bits(number, more, small, tmp_path):
    options = ("--data", small, *RESUMED, *more)
    assert run("train", "mnist", *options, "--output", "whole", cwd=tmp_path)[0] == 0
    process = start("train", "mnist", *options, "--output", "out", cwd=tmp_path)
    while not re.match("epoch +3/", process.stdout.readline()):
        pass
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}[number]
    if number != signal.SIGKILL:
        assert "to go on: chainrule train mnist --resume out" in out
    assert config(tmp_path / "out")["status"] == ("running" if number == signal.SIGKILL else "interrupted")
    code, out, err = run("train", "mnist", "--resume", "out", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert out.startswith("going on from step-")
    whole, resumed = (cr.load(tmp_path / name / "model.safetensors") for name in ("whole", "out"))
    assert resumed.params.tobytes() == whole.params.tobytes()
    assert timeless(tmp_path / "out") == timeless(tmp_path / "whole")
    assert config(tmp_path / "out")["status"] == "finished"
    assert names(tmp_path / "out") == sorted([*EVERYTHING, *["feature_maps.png"] * bool(more)])


def timeless(folder):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in epochs(folder)]


def test_what_cannot_be_gone_on_with_says_why(first_run, small, tmp_path, monkeypatch, capsys):
    cwd, _, _ = first_run
    monkeypatch.chdir(cwd)
    assert run("train", "mnist", "--data", small, "--epochs", 1, "--output", "done", cwd=cwd)[0] == 0
    plan = config(cwd / "done")
    plan["recipe"]["batch_size"] += 1  # that it is another training matters only while there is something left to do
    (cwd / "done" / "config.json").write_text(json.dumps(plan))
    code, out, err = here(monkeypatch, capsys, "train", "mnist", "--resume", "done")
    assert (code, out) == (2, "")
    assert err.startswith(
        "error: done is finished: all 1 epochs. There is nothing to go on with. To train for longer begin"
    )
    assert err.endswith(f"in another folder: chainrule train mnist --data {small} --epochs 2 --output done-2\n")
    for text, fault in (
        (None, "it has no config.json that can be read"),
        ('{"recipe": {', "its config.json is damaged, or not of a run"),
        ("[]", "its config.json is damaged, or not of a run"),
    ):
        if text is not None:
            (tmp_path / "config.json").write_text(text)
        code, _, err = here(monkeypatch, capsys, "train", "mnist", "--resume", tmp_path)
        assert (code, err.partition(". Name")[0]) == (2, f"error: {tmp_path} holds no run to go on with: {fault}")
    code, _, err = here(monkeypatch, capsys, "train", "mnist", "--resume", tmp_path / "none")
    assert code == 2
    assert "holds no run to go on with: there is no such folder. Name the folder" in err
    code, _, err = here(monkeypatch, capsys, "train", "mnist", "--resume", "done", "--epochs", 9)
    assert code == 2
    assert "leave out --epochs" in " ".join(err.split())


@pytest.fixture
def short(small, tmp_path, monkeypatch, capsys):
    """A run of two epochs, in this process: what it may be told besides, and where it goes."""
    monkeypatch.chdir(tmp_path)

    def run_it(*options):
        return here(monkeypatch, capsys, "train", "mnist", *options)

    return run_it, ("--data", small, "--hidden", "8", "--epochs", 2, "--output", "out")


def stop_after_a_step(patch):
    def enter(interruption):
        interruption.signal = signal.SIGTERM
        return interruption

    patch.setattr(Interruption, "__enter__", enter)


def test_a_run_that_was_killed_before_its_report_is_brought_to_its_end(short, tmp_path, monkeypatch):
    run_it, options = short

    def die(*given):
        raise SystemExit(9)

    with monkeypatch.context() as patch:
        patch.setattr(runs, "write", die)
        assert run_it(*options)[0] == 9
    assert config(tmp_path / "out")["status"] == "running"
    code, out, err = run_it("--resume", "out")
    assert (code, err) == (0, "")
    assert out.startswith("going on from step-00000036.safetensors: all 2 epochs are over, the report is left to do\n")
    assert "test accuracy" in out
    assert names(tmp_path / "out") == EVERYTHING
    assert config(tmp_path / "out")["status"] == "finished"
    assert len(epochs(tmp_path / "out")) == 2


@posix
def test_ctrl_c_while_the_report_is_made_changes_nothing(short, tmp_path, monkeypatch):
    run_it, options = short
    write = runs.write

    def interrupted(*given):
        os.kill(os.getpid(), signal.SIGINT)
        return write(*given)

    monkeypatch.setattr(runs, "write", interrupted)
    code, out, _ = run_it(*options)
    assert code == 0
    assert "to go on" not in out
    assert names(tmp_path / "out") == EVERYTHING
    assert config(tmp_path / "out")["status"] == "finished"


def test_the_command_that_began_a_run_is_kept(short, tmp_path, monkeypatch):
    run_it, options = short
    with monkeypatch.context() as patch:
        stop_after_a_step(patch)
        run_it(*options)
        command = config(tmp_path / "out")["command"]
        assert run_it("--resume", "out")[0] == 128 + signal.SIGTERM
    assert command.startswith("chainrule train mnist --data ")
    assert config(tmp_path / "out")["command"] == command
    shutil.rmtree(tmp_path / "out" / "checkpoints")
    advice = f"error: out has no checkpoint to go on from. Begin anew: {command} --overwrite\n"
    assert run_it("--resume", "out") == (2, "", advice)


def test_a_full_disk_leaves_the_plan_as_it_was(tmp_path, monkeypatch):
    def full(*given):
        raise OSError("No space left on device")

    runs.begin(tmp_path, {"status": "running"})
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        runs.begin(tmp_path, {"status": "finished"})
    assert config(tmp_path) == {"status": "running"}


def test_a_checkpoint_passed_over_is_a_warning_in_a_line(short, tmp_path, monkeypatch):
    run_it, options = short
    with monkeypatch.context() as patch:
        stop_after_a_step(patch)
        run_it(*options)
    (tmp_path / "out" / "checkpoints" / "step-99999999.safetensors").write_bytes(b"torn")
    code, _, err = run("train", "mnist", "--resume", "out", cwd=tmp_path)
    assert (code, err.count("\n")) == (0, 1)
    assert err.startswith("warning: passed over ")


def test_a_network_that_has_learned_nothing_is_told_so(short):
    run_it, options = short
    out = run_it(*options, "--learning-rate", 1e6, "--schedule", "constant")[1]
    assert "it has learned nothing: guessing too has a loss of 2.3026. Lower --learning-rate." in out
    assert "learned nothing" not in run_it(*options, "--overwrite", "--learning-rate", 0.1)[1]


def test_other_data_are_not_gone_on_with(small, digits, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(small, folder)
    process = start("train", "mnist", "--data", folder, *RESUMED, "--output", "out", cwd=tmp_path)
    while "epoch  3/40" not in process.stdout.readline():
        pass
    process.kill()
    process.communicate()
    write_idx(folder / "train-images-idx3-ubyte.gz", digits.train.x[600:1200].reshape(-1, 28, 28))
    code, _, err = run("train", "mnist", "--resume", "out", cwd=tmp_path)
    assert code == 1
    assert "data: x uint8 (550, 784) has other contents. Go on with the data and settings of that one" in err


def test_options_are_replaced_in_a_command():
    command = "chainrule train mnist --epochs 1 --output 'my runs/x' --seed 3 --epochs=2"
    assert changed(command, {"--epochs": 4, "--output": Path("my runs/x-2")}) == (
        "chainrule train mnist --seed 3 --epochs 4 --output 'my runs/x-2'"
    )


def test_a_run_from_before_elastic_was_a_setting_goes_on(short, tmp_path, monkeypatch):
    run_it, options = short
    with monkeypatch.context() as patch:
        stop_after_a_step(patch)
        patch.setitem(RECIPES, "default", Recipe(elastic=20))  # the alpha that there was, written as it was
        run_it(*options, "--augment")
    plan = config(tmp_path / "out")
    del plan["recipe"]["elastic"]
    (tmp_path / "out" / "config.json").write_text(json.dumps(plan))
    code, out, _ = run_it("--resume", "out")
    assert (code, out.startswith("going on from step-")) == (0, True)


# Recipes ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_where_the_options_start_from(name, small, tmp_path):
    options = ("--recipe", name, "--epochs", 1, "--hidden", "20", "--seed", 5, "--output", "out")
    assert run("train", "mnist", "--data", small, *options, cwd=tmp_path)[0] == 0
    started = asdict(replace(RECIPES[name], epochs=1, hidden=(20,), seed=5))
    assert config(tmp_path / "out")["recipe"] == json.loads(json.dumps(started))


def test_a_run_with_convolutions_leaves_everything_behind_and_is_asked_like_any_other(small, digits, tmp_path):
    code, out, err = run("train", "mnist", "--data", small, *CONVOLUTIONS, "--hidden", 8, "--epochs", 2, cwd=tmp_path)
    assert (code, err) == (0, "")
    assert out.startswith("784-4c3-6c3-8-10 network, 1,580 parameters, on ")
    folder = tmp_path / "runs" / "mnist-4c3-6c3-8-seed0"
    assert names(folder) == sorted([*EVERYTHING, "feature_maps.png"])
    network = cr.load(folder / "model.safetensors")
    assert network.accuracy(digits.test.x[:100], digits.test.y[:100]) == config(folder)["test_accuracy"]
    matplotlib.image.imsave(tmp_path / "digit.png", 255 - digits.test.x[0].reshape(28, 28), cmap="gray")
    code, out, err = run("predict", folder, "digit.png", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert out.startswith("digit.png: ")


def test_the_convolutions_of_a_recipe_stand_before_its_hidden_layers(digits):
    network = Recipe(convolutions=((2, 5), (3, 3)), hidden=(4,), activation="tanh", dropout=0.3).network(digits)
    assert ", ".join(map(repr, network.layers[1:])) == (
        "Reshape(28, 28, -1), "
        "Conv2D(out_channels=2, kernel_size=5, initializer='glorot'), MaxPool2D(), BatchNorm(), Tanh(), "
        "Conv2D(out_channels=3, initializer='glorot'), MaxPool2D(), BatchNorm(), Tanh(), "
        "Flatten(), Linear(out_features=4, initializer='glorot'), Tanh(), Dropout(0.3), "
        "Linear(4, 10, initializer='glorot')"
    )
    assert network.in_shape == (784,)


def test_the_settings_arrive_in_the_trainer(digits):
    recipe = Recipe(optimizer="adamw", schedule="cosine", dropout=0.3, l2=1e-4, augment=True)
    trainer = recipe.trainer(digits)
    assert isinstance(trainer.optimizer, cr.AdamW)
    assert isinstance(trainer.optimizer.learning_rate, cr.Cosine)
    assert [repr(layer) for layer in trainer.network.layers if isinstance(layer, cr.Dropout)] == ["Dropout(0.3)"]
    assert trainer.penalty[0].strength == 1e-4
    assert [type(change).__name__ for change in trainer.augment] == ["RandomAffine", "RandomElastic"]
    assert trainer.augment[1].alpha == recipe.elastic
    assert [type(change).__name__ for change in replace(recipe, elastic=0).trainer(digits).augment] == ["RandomAffine"]


# Terminals --------------------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("width", [100, 20])
def test_a_terminal_has_a_line_that_moves_and_goes(width, small, tmp_path, monkeypatch):
    fcntl, pty, struct, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "struct", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "chainrule", "train", "mnist", "--data", small, "--epochs", "20", "--hidden", "256"],
        cwd=tmp_path,
        env=surroundings() | {"TERM": "xterm-256color", "NO_COLOR": "1"},
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert process.wait(timeout=30) == 0
    assert b"\x1b[2K" in shown  # a line was cleared
    assert b"\x1b[?25h" in shown  # the cursor is shown again
    assert b"\x1b[3" not in shown  # no colour
    assert shown.count(b" validation ") == 20
    if width == 100:
        assert b" rows/s" in shown


def test_plain_ascii_off_the_terminal(small, tmp_path):
    code, out, err = run(
        "train", "mnist", "--data", small, "--epochs", 1, "--output", "l\u00e4uft",
        cwd=tmp_path, PYTHONIOENCODING="ascii", FORCE_COLOR="1",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert out.isascii()
    assert "\x1b" not in out
    assert out.splitlines()[-1].startswith(r"l\xe4uft: ")


@pytest.mark.parametrize("command", [[], ["train"], ["train", "mnist"], ["train", "fashion-mnist"]])
def test_help_fits_everywhere(command, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "20")
    code, out, err = here(monkeypatch, capsys, *command, "--help")
    assert (code, err) == (0, "")
    assert out.isascii()
    assert "Usage: chainrule" in out


def test_version(monkeypatch, capsys):
    assert here(monkeypatch, capsys, "--version") == (0, f"chainrule {cr.__version__}\n", "")


# Refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--hidden", "0"], "'--hidden': expected widths of 1 or more such as 128 or 256-128 or 256,128, received '0'"),
        (["--hidden", "12,,3"], "received '12,,3'"),
        (["--hidden", "12-8,3"], "received '12-8,3'"),
        (["--hidden", "12-"], "received '12-'"),
        (["--convolutions", "16x5"], "'--convolutions': expected channels and kernel sizes such as 16c5 or 16c5,32c3"),
        (["--convolutions", "4c5,4c0"], "received '4c5,4c0'"),
        (["--convolutions", "4c5,4c5,4c5"], "4c5-4c5-4c5-128: each convolution and its pooling shrink the images"),
        (["--convolutions", "4c29"], "window of 29 x 29 pixels does not fit into images of 28 x 28"),
        (["--elastic", "-1"], "'--elastic'"),
        (["--activation", "reluu"], "activation 'reluu' is unknown. Did you mean 'relu'?"),
        (["--recipe", "fsat"], "recipe 'fsat' is unknown. Did you mean 'fast'?"),
        (["--optimizer", "adma"], "optimizer 'adma' is unknown. Did you mean 'adam'?"),
        (["--dropout", "1"], "Dropout: probability must be a number in [0, 1), received 1.0"),
        (["--schedule", "one-cycel"], "schedule 'one-cycel' is unknown. Did you mean 'one-cycle'?"),
        (["--epochs", "-1"], "'--epochs'"),
        (["--batch-size", "many"], "'--batch-size'"),
        (["--learning-rate", "-0.1"], "'--learning-rate'"),
        (["--learning-rate", "inf"], "must be a number in [0, inf), received inf"),
        (["--momentum", "1"], "SGD: momentum must be a number in [0, 1), received 1.0"),
        (["--seed", "-1"], "'--seed'"),
        (["--threads", "0"], "'--threads': expected a number of 1 or more, or auto, received '0'"),
        (["--threads", "all"], "expected a number of 1 or more, or auto, received 'all'"),
        (["--data", "nowhere"], "'--data'"),
        (["--outptu", "x"], "--outptu"),
        (["--output", "taken"], "taken is a file, expected a folder for the run"),
        (["--output", "taken/run"], "taken/run cannot be written to (Not a directory)"),
    ],
)
def test_options_that_make_no_sense(options, text, small, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("taken").write_text("a file")
    data = [] if "--data" in options else ["--data", small]
    code, out, err = here(monkeypatch, capsys, "train", "mnist", *data, *options)
    assert (code, out) == (2, "")
    assert " ".join(text.split()) in " ".join(err.split())
    assert "Traceback" not in err
    assert names(tmp_path) == ["taken"]


def test_an_unknown_command(monkeypatch, capsys):
    code, _, err = here(monkeypatch, capsys, "trian")
    assert code == 2
    assert "trian" in err


@pytest.mark.parametrize("name", ["my.csv", "photos", "mnst", "clothes"])
def test_a_file_in_place_of_a_data_set_is_answered_with_the_way_to_train_on_it(name, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    code, out, err = here(monkeypatch, capsys, "train", name)
    assert (code, out) == (2, "")
    pages = re.findall(r"docs/how-to/\w+\.md", err)
    if name in ("my.csv", "photos"):
        assert err.startswith(f"error: {name!r} is no data set; chainrule train knows mnist, fashion-mnist. ")
        assert all((Path(__file__).parents[1] / page).is_file() for page in pages)
        assert len(pages) == 2
    else:
        assert f"No such command {name!r}" in err


def test_data_that_is_damaged(small, monkeypatch, capsys, tmp_path):
    code, out, err = here(monkeypatch, capsys, "train", "mnist", "--data", tmp_path, "--output", tmp_path / "out")
    assert (code, out) == (1, "")
    assert err.startswith(f"error: {tmp_path}: expected a file train-images-idx3-ubyte")
    assert not (tmp_path / "out").exists()


def test_without_the_extra_the_pip_line_is_printed(monkeypatch, capsys):
    monkeypatch.setattr(cli, "find_spec", lambda package: None if package == "rich" else package)
    assert here(monkeypatch, capsys, "train", "mnist") == (
        1, "", "The command line needs rich: pip install 'chainrule[cli]' (in a clone: '.[cli]')\n"
    )  # fmt: skip
