"""Callbacks hear everything in order, may stop the training, and may fail without spoiling it."""

import numpy as np
import pytest

import chainrule as cr
from trainers import EPOCHS, Diary, X, Y, everything, full_trainer, plain_trainer, through_bytes, walk


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


def test_callbacks_hear_everything_in_order():
    trainer = plain_trainer(callbacks=[diary := Diary()])
    for _ in trainer.steps(X, Y, 2):
        diary.entries.append("mine")
    step = ["step", "mine"]
    epoch = step * 4 + ["step", "epoch", "mine"]
    assert diary.entries == ["start", *epoch, *epoch, "end"]
    assert trainer.history["noticed"] == [10, 21], "what on_epoch adds to the row stands in the history"


@pytest.mark.parametrize("given", [None, (), [], Diary(), [Diary()], (Diary(),)], ids=str)
def test_there_may_be_none_one_or_several(given):
    trainer = plain_trainer(callbacks=given)
    assert trainer.callbacks == ([given] if isinstance(given, Diary) else list(given or ()))


@pytest.mark.parametrize("given", [7, Diary, [Diary], "diary"], ids=str)
def test_what_is_no_callback_is_refused(given):
    with pytest.raises(cr.ConfigurationError, match="callbacks must be Callback objects, received"):
        plain_trainer(callbacks=given)


def test_a_callback_remembers_through_a_state():
    first = plain_trainer(callbacks=[Diary()])
    walk(first, 3)
    second = plain_trainer(callbacks=[Diary()])
    second.restore(through_bytes(first.state()))
    assert second.callbacks[0].entries == ["start", "step", "step", "step"] + ["end"]


@pytest.mark.parametrize(
    ("hook", "at", "steps_done"),
    [
        ("start", 1, 0),
        ("step", 1, 1),
        ("step", 4, 4),
        ("step", 7, 7),
        ("epoch", 1, 5),
        ("epoch", 2, 10),
        ("end", 1, 15),
    ],
)
def test_an_exception_in_a_callback_leaves_the_trainer_usable(hook, at, steps_done):
    whole = full_trainer()
    whole.fit(X, Y, EPOCHS)
    trainer = full_trainer(callbacks=[Diary(hook, at)])
    with pytest.raises(KeyboardInterrupt, match=hook):
        trainer.fit(X, Y, EPOCHS)
    assert trainer.step == steps_done
    trainer.callbacks.clear()
    assert trainer.optimizer.planned == 15, "the plan comes before on_start"
    trainer.fit(X, Y, EPOCHS - trainer.epoch)
    assert everything(trainer)[:2] == everything(whole)[:2]


def test_an_exception_in_on_step_at_the_last_step_of_an_epoch():
    trainer = plain_trainer(callbacks=[Diary("step", at=5)])
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(X, Y, 2)
    trainer.fit(X, Y, 2)
    assert trainer.epoch == 2


def test_stop_ends_after_the_step_in_hand_and_training_can_go_on():
    whole = full_trainer()
    whole.fit(X, Y, EPOCHS)
    trainer = full_trainer()
    for step in trainer.steps(X, Y, EPOCHS):
        if (step.epoch, step.index) == (2, 2):
            trainer.stop()
    assert (trainer.epoch, trainer.step, trainer.rows_done) == (1, 7, 10)
    trainer.fit(X, Y, 2)
    assert everything(trainer) == everything(whole)


@pytest.mark.parametrize(("hook", "steps_done"), [("on_step", 1), ("on_epoch", 5), ("on_start", 0)])
def test_stop_from_a_callback(hook, steps_done):
    callback = cr.Callback()
    setattr(callback, hook, lambda trainer, _: trainer.stop())
    trainer = plain_trainer(callbacks=[callback])
    trainer.fit(X, Y, EPOCHS)
    assert trainer.step == steps_done
