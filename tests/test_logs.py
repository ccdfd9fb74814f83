"""A log holds every epoch once, as soon as it is over, and after a crash and a resume as if there had been none."""

import csv
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest

import chainrule as cr
from chainrule.callbacks import CSVLog, JSONLinesLog
from test_waiting_callbacks import Says
from trainers import HELD_OUT, X, Y, plain_trainer, through_bytes


def read(log):
    """The rows in the file, numbers as numbers, None for nothing; without the seconds."""
    with open(log.path, encoding="utf-8", newline="") as file:
        if isinstance(log, CSVLog):
            rows = [{k: float(v) if v else None for k, v in row.items()} for row in csv.DictReader(file)]
        else:
            rows = [json.loads(line, parse_constant=pytest.fail) for line in file]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def told(trainer):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in trainer.history]


@pytest.fixture(params=[CSVLog, JSONLinesLog])
def log(request, tmp_path):
    return request.param(tmp_path / "made" / "log")


def test_a_row_is_there_when_its_epoch_is_over(log):
    trainer = plain_trainer(callbacks=[log])
    for step in trainer.steps(X, Y, 3, HELD_OUT):
        assert len(read(log)) == trainer.epoch == step.epoch - (step.index < 5)
    assert read(log) == told(trainer)
    assert set(read(log)[0]) == set(trainer.columns) - {"seconds"}


def test_columns_of_callbacks_before_it_are_written(log):
    trainer = plain_trainer(callbacks=[Says(np.float32(0.5), math.nan), log])
    trainer.fit(X, Y, 2)
    rows = read(log)
    assert rows[0]["measure"] == 0.5
    assert rows[1]["measure"] is None or math.isnan(rows[1]["measure"])


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (np.array([[1.0, np.nan], [np.float32(0.5), -np.inf]]), [[1.0, None], [0.5, None]]),
        ((1, math.inf, "a"), [1, None, "a"]),
        ({"precision": np.float64(0.5), 7: np.arange(2)}, {"precision": 0.5, "7": [0, 1]}),
        (1 + 2j, "(1+2j)"),
    ],
)
def test_whatever_a_column_holds_can_be_written_as_json(value, written, tmp_path):
    log = JSONLinesLog(tmp_path / "log")
    trainer = plain_trainer(callbacks=[Says(value, value), log])
    trainer.fit(X, Y, 1)
    trainer.fit(X, Y, 1)
    assert [row["measure"] for row in read(log)] == [written, written]


def test_a_further_fit_appends(log):
    trainer = plain_trainer(callbacks=[log])
    trainer.fit(X, Y, 2)
    trainer.fit(X, Y, 2, HELD_OUT)  # more columns than before
    assert [row["epoch"] for row in read(log)] == [1, 2, 3, 4]
    assert read(log)[2:] == told(trainer)[2:]


@pytest.mark.parametrize(("epochs", "holds"), [(1, "1 epoch"), (3, "3 epochs")])
def test_a_new_training_leaves_the_log_of_another_one_alone(log, epochs, holds):
    plain_trainer(callbacks=[log]).fit(X, Y, epochs)
    before = log.path.read_bytes()
    anew = f"{type(log).__name__}({str(log.path)!r}, overwrite=True)"
    again = plain_trainer(callbacks=[type(log)(log.path)])
    with pytest.raises(cr.ConfigurationError) as caught:
        again.fit(X, Y, 1)
    assert str(caught.value) == (
        f"{log.path} holds {holds} of another training. Choose another name, or say {anew}. To go on with that "
        "training, restore its checkpoint first."
    )
    assert (again.step, log.path.read_bytes()) == (0, before)
    again.callbacks = [eval(anew, vars(cr.callbacks))]
    again.fit(X, Y, 1)
    again.fit(X, Y, 1)
    assert read(log) == told(again)


def test_a_log_that_has_no_epoch_yet_and_a_training_taken_back_to_its_start_are_no_other_training(log):
    trainer = plain_trainer(callbacks=[log])
    start = trainer.state() if trainer.fit(X, Y, 0) is not None else None
    assert read(log) == []
    trainer.fit(X, Y, 2)
    trainer.restore(start)
    trainer.fit(X, Y, 1)
    assert read(log) == told(trainer)
    assert len(trainer.history) == 1


def test_a_training_resumed_within_its_first_epoch_goes_on_with_its_log(log):
    first = plain_trainer(callbacks=[log])
    state = next(first.state() for step in first.steps(X, Y, 2) if step.index == 3)
    second = plain_trainer(callbacks=[type(log)(log.path)])
    second.restore(through_bytes(state))
    second.fit(X, Y, 1)
    assert read(log) == told(second)


@pytest.mark.parametrize("with_history", [True, False])
def test_a_resumed_run_has_every_epoch_once(log, with_history):
    first = plain_trainer(callbacks=[log])
    first.fit(X, Y, 2)
    state, history = through_bytes((first.state(), first.history))
    first.fit(X, Y, 3)  # these epochs are lost: the crash came before the next checkpoint
    assert len(read(log)) == 5
    second = plain_trainer(callbacks=[type(log)(log.path)])
    if with_history:
        second.history = history
    second.restore(state) if with_history else second.restore(state | {"history": {"epochs": 0, "steps": 0}})
    steps = second.steps(X, Y, 2)
    next(steps)
    assert [row["epoch"] for row in read(log)] == [1, 2]
    list(steps)
    assert [row["epoch"] for row in read(log)] == [1, 2, 3, 4]
    assert read(log)[:2] == told(first)[:2]


@pytest.mark.parametrize("cut", range(1, 200, 13))
def test_what_a_crash_has_torn_off_is_made_good_from_the_history(log, cut):
    trainer = plain_trainer(callbacks=[log])
    trainer.fit(X, Y, 3)
    whole = log.path.read_bytes()
    log.path.write_bytes(whole[: max(len(log.beginning) - 2, len(whole) - cut)])
    trainer.fit(X, Y, 0)
    assert log.path.read_bytes() == whole


def test_a_damaged_line_in_a_log_without_history_is_left_out(log):
    trainer = plain_trainer(callbacks=[log])
    trainer.fit(X, Y, 3)
    lines = log.path.read_bytes().splitlines(keepends=True)
    lines[-2] = b"2\xff\n"
    trainer.history = cr.History()
    for torn, left in ((b"".join(lines), [1, 3]), (b"".join(lines)[:-1], [1])):
        log.path.write_bytes(torn)
        trainer.fit(X, Y, 0)
        assert [row["epoch"] for row in read(log)] == left


def test_going_back_within_a_loop_cuts_the_rows(log):
    trainer = plain_trainer(callbacks=[log])
    state = None
    for step in trainer.steps(X, Y, 3):
        if (step.epoch, step.index) == (1, 5):
            state = trainer.state()
        if (step.epoch, step.index) == (3, 1) and state is not None:
            trainer.restore(state)
            state = None
    assert [row["epoch"] for row in read(log)] == [1, 2, 3]
    assert read(log) == told(trainer)


@pytest.mark.parametrize("text", ["dear diary", "x,y\n1,2\n", "[1]"])
def test_a_file_that_is_no_log_is_left_alone(log, text):
    log.path.parent.mkdir()
    log.path.write_text(text)
    trainer = plain_trainer(callbacks=[log])
    with pytest.raises(cr.ConfigurationError, match="expected a log that begins with"):
        trainer.fit(X, Y)
    assert trainer.step == 0
    assert log.path.read_text() == text


def test_a_file_that_cannot_be_written_is_an_error_before_training(log, tmp_path):
    (tmp_path / "made").write_text("a file, not a folder")
    trainer = plain_trainer(callbacks=[log])
    with pytest.raises(OSError):
        trainer.fit(X, Y)
    assert trainer.step == 0


KILLED = """
import os
import chainrule as cr
from trainers import X, Y, plain_trainer

class Kill(cr.Callback):
    def on_epoch(self, trainer, row):
        if row["epoch"] == 3:
            os._exit(9)

plain_trainer(callbacks=[cr.callbacks.{log}("log"), Kill()]).fit(X, Y, 5)
"""


@pytest.mark.parametrize("log", ["CSVLog", "JSONLinesLog"])
def test_the_rows_survive_the_death_of_the_process(log, tmp_path):
    here = os.pathsep.join(os.path.abspath(folder) for folder in sys.path if folder)
    done = subprocess.run(
        [sys.executable, "-c", KILLED.format(log=log)], cwd=tmp_path, env=os.environ | {"PYTHONPATH": here}
    )
    assert done.returncode == 9
    assert [row["epoch"] for row in read(getattr(cr.callbacks, log)(tmp_path / "log"))] == [1, 2, 3]
