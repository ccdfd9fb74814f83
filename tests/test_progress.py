"""What is printed while a network learns, for every kind of training and wherever it is read."""

import io
import re
import sys

import numpy as np
import pytest

import chainrule as cr
from chainrule import terminal
from chainrule.callbacks import Progress
from test_waiting_callbacks import Says
from trainers import HELD_OUT, ROWS, STEPS, X, Y, plain_trainer


def lines_of(capsys):
    return capsys.readouterr().out.splitlines()


def regression(**options):
    return cr.Trainer(cr.MLP([5, 1], seed=1), "squared_error", cr.SGD(0.01), batch_size=5, **options)


T = X[:, :1]


def test_a_classifier_shows_both_accuracies(capsys):
    trainer = plain_trainer(callbacks=[Progress()])
    trainer.fit(X, Y, 2, HELD_OUT)
    assert lines_of(capsys) == [
        f"epoch {row['epoch']}/2  loss {row['loss']:.4f}  train {100 * row['accuracy']:6.2f} %  "
        f"validation {100 * row['validation_accuracy']:6.2f} %  {terminal._seconds(row['seconds'])}"
        for row in trainer.history
    ]


@pytest.mark.parametrize(
    ("trainer", "validation", "shape"),
    [
        (plain_trainer, None, r"epoch 1/1  loss \d\.\d{4}  train +\d+\.\d\d %  \d+\.\d\d m?s"),
        (regression, None, r"epoch 1/1  loss \d\.\d{4}  \d+\.\d\d m?s"),
        (regression, (X, T), r"epoch 1/1  loss \d\.\d{4}  validation loss \d\.\d{4}  \d+\.\d\d m?s"),
    ],
)
def test_what_there_is_is_shown(trainer, validation, shape, capsys):
    trainer(callbacks=[Progress()]).fit(X, T if trainer is regression else Y, 1, validation)
    (line,) = lines_of(capsys)
    assert re.fullmatch(shape, line)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.00004, "0.04 ms"), (0.0043, "4.30 ms"), (0.00999, "9.99 ms"), (0.01, "0.01 s"), (61.237, "61.24 s")],
)
def test_no_time_is_shown_as_none(seconds, shown, capsys):
    progress, trainer = Progress(), plain_trainer()
    progress.on_start(trainer, 1)
    progress.on_epoch(trainer, {"epoch": 1, "loss": 0.5, "seconds": seconds})
    assert lines_of(capsys) == [f"epoch 1/1  loss 0.5000  {shown}"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.5, "0.5000"), (3e-7, "3.0e-07"), (-12.25, "-12.2500"), (0.0, "0.0000"), (7, "7"), (np.float64(1), "1.0000")],
)
def test_further_columns_are_shown_by_their_names(value, shown, capsys):
    plain_trainer(callbacks=[Says(value), Progress()]).fit(X, Y)
    assert f"  measure {shown}  " in lines_of(capsys)[0]


@pytest.mark.parametrize(
    ("lines", "epochs", "shown"),
    [
        (None, 4, [1, 2, 3, 4]),
        (0, 4, []),
        (5, 3, [1, 2, 3]),
        (2, 10, [1, 5, 10]),
        (3, 10, [1, 3, 6, 9, 10]),
    ],
)
def test_as_many_lines_as_were_asked_for(lines, epochs, shown, capsys):
    trainer = regression(callbacks=[Progress(lines=lines)])
    trainer.fit(X, T, epochs)
    assert [int(line.split("/")[0].removeprefix("epoch")) for line in lines_of(capsys)] == shown
    trainer.fit(X, T, epochs)
    assert [int(line.split("/")[0].removeprefix("epoch")) for line in lines_of(capsys)] == [epochs + i for i in shown]


def test_a_notebook_is_shown_a_line_a_second_and_the_last_one(monkeypatch):
    stream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(terminal, "BETWEEN_LINES", 40)  # every epoch takes 10
    regression(callbacks=[Clock(monkeypatch), Progress()]).fit(X, T, 10)
    shown = [int(line.split("/")[0].removeprefix("epoch")) for line in stream.getvalue().splitlines()]
    assert shown == [1, 5, 9, 10]


@pytest.mark.parametrize("state", ["closed", "missing"])
def test_without_an_output_training_goes_on(state, monkeypatch):
    stream = None if state == "missing" else io.StringIO()
    if stream is not None:
        stream.close()
    monkeypatch.setattr(sys, "stdout", stream)
    trainer = regression(callbacks=[Progress()])
    trainer.fit(X, T, 2)
    assert trainer.epoch == 2


class Clock(cr.Callback):
    """Time moves on by two seconds a step."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(terminal.time, "perf_counter", lambda: self.now)

    def on_step(self, trainer, step):
        self.now += 2


class Terminal(io.StringIO):
    def isatty(self):
        return True


def a_screen(monkeypatch):
    """Not a fixture: pytest gives a test its own sys.stdout after the fixtures."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(terminal, "BETWEEN_REFRESHES", 0)
    return stream


def test_a_live_line_moves_and_counts_what_this_loop_has_done(monkeypatch):
    screen = a_screen(monkeypatch)
    pytest.importorskip("rich")
    trainer = plain_trainer(callbacks=[])
    trainer.fit(X, Y, 2)
    progress, clock = Progress(), Clock(monkeypatch)
    trainer.callbacks = [clock, progress]
    seen = []
    for step in trainer.steps(X, Y, 2):
        (task,) = progress._live.tasks
        seen.append(task.completed)
        assert task.total == 4 * ROWS
        done, left = task.completed - 2 * ROWS, 4 * ROWS - task.completed
        assert task.description == (
            f"epoch {step.epoch}/4  loss {step.loss:.4f}  {done / clock.now:,.0f} rows/s  "
            f"{left * clock.now / done:,.0f} s left"
        )
    assert seen == [ROWS * epoch + rows for epoch in (2, 3) for rows in (5, 10, 15, 20, 23)]
    assert progress._live is None
    assert screen.getvalue().count("  train ") == 2
    assert screen.getvalue().endswith("\x1b[2K")


@pytest.mark.parametrize("leave", ["close", "raise"])
def test_the_live_line_goes_however_the_loop_ends(monkeypatch, leave):
    screen = a_screen(monkeypatch)
    pytest.importorskip("rich")
    progress = Progress()
    steps = plain_trainer(callbacks=[progress]).steps(X, Y)
    next(steps)
    assert progress._live is not None
    if leave == "close":
        steps.close()
    else:
        with pytest.raises(KeyboardInterrupt):
            steps.throw(KeyboardInterrupt)
    assert progress._live is None
    assert "\x1b[?25h" in screen.getvalue()


def test_a_terminal_without_rich_has_the_plain_lines(monkeypatch):
    screen = a_screen(monkeypatch)
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    plain_trainer(callbacks=[Progress()]).fit(X, Y, 2)
    assert screen.getvalue().count("\n") == 2
    assert "\x1b" not in screen.getvalue()


def test_a_trainer_knows_how_many_rows_an_epoch_has():
    trainer = plain_trainer()
    assert trainer.rows == 0
    trainer.fit(X, Y, 1, sample_weight=np.arange(ROWS) > 2)
    assert trainer.rows == ROWS - 3
    assert trainer.step == STEPS - 1
