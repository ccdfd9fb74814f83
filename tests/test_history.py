"""History: columns, rows, cutting it short, and the table it writes."""

import csv
import pickle

import numpy as np
import pytest

import chainrule as cr


@pytest.fixture
def history():
    history = cr.History()
    for epoch in (1, 2, 3):
        for index in (1, 2):
            rate = 0.1 / epoch
            history.add_step(cr.Step(epoch, index, np.arange(2), epoch + index / 10, rate, 0.0))
        history.add_epoch({"epoch": epoch, "loss": 1 / epoch} | ({"noticed": 7} if epoch == 2 else {}))
    return history


def test_a_column_is_a_list_and_a_gap_is_none(history):
    assert history["loss"] == [1, 1 / 2, 1 / 3]
    assert history["noticed"] == [None, 7, None]
    assert history.columns == ["epoch", "loss", "noticed"]


def test_rows_are_dictionaries(history):
    assert len(history) == 3
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert history.rows[0] == {"epoch": 1, "loss": 1.0}


def test_steps_have_a_number_each(history):
    assert history.steps["loss"] == [1.1, 1.2, 2.1, 2.2, 3.1, 3.2]
    assert history.steps["learning_rate"] == [0.1, 0.1, 0.05, 0.05, 0.1 / 3, 0.1 / 3]


def test_an_unknown_column_is_named_with_the_nearest(history):
    with pytest.raises(
        cr.ConfigurationError, match=r"column 'los' is unknown. Did you mean 'loss'\? Known: epoch, loss"
    ):
        history["los"]


def test_an_empty_history_has_empty_columns():
    history = cr.History()
    assert (len(history), history["loss"], history.columns) == (0, [], [])
    assert "nothing yet" in repr(history)


def test_truncate_forgets_what_came_after(history):
    position = {"epochs": 2, "steps": 3}
    history.truncate(position)
    assert history.position() == position
    assert history["loss"] == [1, 1 / 2]
    assert history.steps["loss"] == [1.1, 1.2, 2.1]
    assert history.steps["learning_rate"] == [0.1, 0.1, 0.05]
    history.truncate(position)
    assert history.position() == position


def test_the_position_is_two_integers_however_long_it_is(history):
    assert history.position() == {"epochs": 3, "steps": 6}


def test_csv_reads_back(history, tmp_path):
    path = tmp_path / "history.csv"
    history.to_csv(path)
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == history.columns
    assert [float(row["loss"]) for row in rows] == history["loss"]
    assert [row["noticed"] for row in rows] == ["", "7", ""]


def test_pickle_keeps_everything(history):
    again = pickle.loads(pickle.dumps(history))
    assert (again.rows, again.steps) == (history.rows, history.steps)


def test_repr_tells_length_and_the_last_row(history):
    assert repr(history) == "History(3 epochs, 6 steps; last: loss=0.3333)"


def test_repr_shows_numbers_and_leaves_text_added_by_a_callback_out(history):
    history.rows[-1]["note"] = "saved"
    assert repr(history) == "History(3 epochs, 6 steps; last: loss=0.3333)"
