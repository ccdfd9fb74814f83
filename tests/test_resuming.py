"""Training that was broken off, stopped, saved or rewound goes on as if nothing had happened, to the bit."""

import pickle

import numpy as np
import pytest

import chainrule as cr
from trainers import EPOCHS, HELD_OUT, ROWS, STEPS, X, Y, everything, full_trainer, plain_trainer, through_bytes, walk


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


# The position ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 4, 5, 6, 9])
def test_broken_off_it_goes_on_where_it_stopped(cut):
    whole = full_trainer()
    whole.fit(X, Y, EPOCHS)
    parts = full_trainer()
    taken = walk(parts, cut)
    taken += parts.steps(X, Y, EPOCHS - cut // STEPS)
    assert [(step.epoch, step.index) for step in taken] == [(e, i) for e in (1, 2, 3) for i in (1, 2, 3, 4, 5)]
    assert everything(parts) == everything(whole)


def test_epochs_means_further_epochs_and_the_one_under_way_is_the_first():
    trainer = plain_trainer()
    trainer.fit(X, Y, 2)
    assert trainer.epoch == 2
    walk(trainer, 3)
    assert (trainer.epoch, trainer.step, trainer.rows_done) == (2, 13, 15)
    taken = list(trainer.steps(X, Y, 1))
    assert [(step.epoch, step.index) for step in taken] == [(3, 4), (3, 5)]
    assert (trainer.epoch, trainer.rows_done) == (3, 0)
    trainer.fit(X, Y, 2)
    assert trainer.history["epoch"] == [1, 2, 3, 4, 5]


def test_no_epochs_is_no_step():
    trainer = plain_trainer()
    before = trainer.network.params.copy()
    assert len(trainer.fit(X, Y, 0)) == 0
    np.testing.assert_array_equal(trainer.network.params, before)
    assert (trainer.epoch, trainer.step) == (0, 0)


def test_a_second_live_iterator_is_refused_and_the_first_goes_on():
    trainer = plain_trainer()
    first = trainer.steps(X, Y, 2)
    next(first)
    with pytest.raises(cr.ConfigurationError, match=r"another loop over steps\(\) is still open. Finish or close"):
        next(iter(trainer.steps(X, Y)))
    with pytest.raises(cr.ConfigurationError, match="still open"):
        trainer.fit(X, Y)
    assert len(list(first)) == 9


@pytest.mark.parametrize("leave", ["close", "break", "raise", "finish", "never begin"])
def test_however_a_loop_ends_the_trainer_is_free(leave):
    trainer = plain_trainer()
    steps = trainer.steps(X, Y)
    if leave == "close":
        next(steps)
        steps.close()
    elif leave == "finish":
        list(steps)
    elif leave == "break":
        for _ in trainer.steps(X, Y):
            break
    elif leave == "raise":
        with pytest.raises(KeyboardInterrupt):
            for _ in trainer.steps(X, Y):
                raise KeyboardInterrupt
    trainer.fit(X, Y)


def test_an_epoch_goes_on_with_the_data_it_began_with():
    trainer = plain_trainer()
    walk(trainer, 4)
    with pytest.raises(cr.ConfigurationError, match="epoch 1 was broken off after 20 rows, but the data has 10"):
        trainer.fit(X[:10], Y[:10])


def test_an_interrupt_during_validation(monkeypatch):
    trainer = plain_trainer()

    def evaluate(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(cr.Network, "evaluate", evaluate)
        trainer.fit(X, Y, 2, HELD_OUT)
    trainer.fit(X, Y, 2, HELD_OUT)
    assert trainer.epoch == 2


# State and restore ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", range(EPOCHS * STEPS + 1))
def test_interrupted_anywhere_and_resumed_elsewhere_ends_bit_identical(cut):
    """The state goes through bytes into a new trainer with a new network, as after a power cut."""
    whole = full_trainer()
    whole.fit(X, Y, EPOCHS, HELD_OUT)
    first = full_trainer()
    walk(first, cut, validation=HELD_OUT)
    state, history = through_bytes(first.state()), through_bytes(first.history)
    second = full_trainer()
    second.network.params += 1  # nothing may survive of what was there
    second.history = history
    second.restore(state)
    assert everything(second) == everything(first)
    second.fit(X, Y, EPOCHS - second.epoch, HELD_OUT)
    assert everything(second) == everything(whole)


def test_rewinding_repeats_what_came_after_and_cuts_the_history():
    trainer = full_trainer()
    walk(trainer, 7)
    state = trainer.state()
    trainer.fit(X, Y, 2)
    once = everything(trainer)
    trainer.restore(state)
    assert trainer.history.position() == {"epochs": 1, "steps": 7}
    assert (trainer.epoch, trainer.step, trainer.rows_done) == (1, 7, 10)
    trainer.fit(X, Y, 2)
    assert everything(trainer) == once


def test_rewinding_inside_the_loop():
    trainer = full_trainer()
    state, seen = None, []
    for step in trainer.steps(X, Y, EPOCHS):
        seen.append((step.epoch, step.index))
        if len(seen) == 4:
            state = trainer.state()
        if len(seen) == 8:
            trainer.restore(state)
    assert seen == [(1, i) for i in (1, 2, 3, 4, 5)] + [(2, i) for i in (1, 2, 3)] + [(1, 5)] + [
        (e, i) for e in (2, 3) for i in (1, 2, 3, 4, 5)
    ]
    whole = full_trainer()
    whole.fit(X, Y, EPOCHS)
    assert everything(trainer) == everything(whole)


def test_a_state_does_not_grow_with_the_history():
    trainer = plain_trainer(cr.SGD(0.1, momentum=0.9))
    trainer.fit(X, Y, 1)
    small = len(pickle.dumps(trainer.state()))
    trainer.fit(X, Y, 200)
    assert len(pickle.dumps(trainer.state())) <= small + 16  # larger integers


def test_a_state_is_a_copy_of_its_own_and_so_is_what_is_restored():
    trainer = full_trainer()
    trainer.fit(X, Y, 1)
    trainer.optimizer.learning_rate = 0.1
    state = trainer.state()
    frozen = pickle.dumps(state)
    trainer.fit(X, Y, 1)
    trainer.restore(state)
    walk(trainer, 2)
    assert pickle.dumps(state) == frozen


@pytest.mark.parametrize("where", ["rewound", "elsewhere"])
def test_an_assigned_rate_is_part_of_the_state(where):
    trainer = plain_trainer(0.1)
    trainer.optimizer.learning_rate = 0.3
    state = trainer.state()
    trainer.optimizer.learning_rate = 0.7
    if where == "elsewhere":
        trainer = plain_trainer(0.1)
    trainer.restore(state)
    assert trainer.optimizer.rate == 0.3


def test_a_network_without_a_width_can_be_restored():
    def trainer():
        return cr.Trainer(cr.Network(cr.Linear(out_features=3)), "cross_entropy")

    first, second = trainer(), trainer()
    first.fit(X, Y)
    second.restore(first.state())
    assert everything(second)[0] == everything(first)[0]


@pytest.mark.parametrize(
    "history",
    [
        "brought along",
        "left behind",
    ],
)
def test_a_state_taken_in_on_step_can_be_gone_on_from(history):
    """At the last step of an epoch all its rows are done, but the epoch is not closed yet."""
    states = []

    class Keep(cr.Callback):
        def on_step(self, trainer, step):
            states.append(trainer.state())

    first = plain_trainer(callbacks=[Keep()])
    first.fit(X, Y, 1)
    second = plain_trainer(callbacks=[cr.Callback()])
    if history == "brought along":
        second.history = through_bytes(first.history)
    second.restore(states[4])
    assert (second.epoch, second.rows_done) == (0, ROWS)
    second.fit(X, Y, 1)
    assert (second.epoch, second.step, second.rows_done) == (1, 5, 0)
    assert second.network.params.tobytes() == first.network.params.tobytes()


# States that do not fit -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3])
def test_a_state_of_another_network_is_refused(size):
    trainer = plain_trainer()
    state, before = trainer.state() | {"params": np.zeros(size)}, everything(trainer)
    with pytest.raises(cr.CheckpointError, match=f"network of {size} parameters and 0 running.*trainer's has 66 and 0"):
        trainer.restore(state)
    assert everything(trainer) == before


def linear(*before, in_features=5):
    return cr.Trainer(cr.Network(*before, cr.Linear(in_features, 3)), "cross_entropy")


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        (lambda: plain_trainer(callbacks=[cr.Callback()]), plain_trainer, "with 1 callbacks, the trainer has 0"),
        (plain_trainer, lambda: plain_trainer(cr.Adam()), r"taken from SGD\(.*, and Adam"),
        (plain_trainer, linear, "network of 66 parameters.*trainer's has 18"),
        (linear, lambda: linear(cr.Rescale(2.0)), r"0\.W"),
        (plain_trainer, lambda: linear(in_features=None), "network of 66 parameters.*trainer's has 18"),
    ],
    ids=["callbacks", "optimizer", "size", "frozen names", "not built"],
)
def test_a_state_that_does_not_fit_changes_nothing(first, second, text):
    first, second = first(), second()
    first.fit(X, Y)
    first.network.freeze("0.W")
    before, shapes = everything(second), second.network.out_shapes
    with pytest.raises(cr.CheckpointError, match=text):
        second.restore(first.state())
    assert (everything(second), second.network.out_shapes) == (before, shapes)
