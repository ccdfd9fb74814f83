"""Loss, optimizer, rate and batch size may be assigned between steps, and a schedule knows how long it is."""

import numpy as np
import pytest

import chainrule as cr
from trainers import BATCH, EPOCHS, ROWS, STEPS, X, Y, everything, full_trainer, plain_trainer, walk


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


# Parts ----------------------------------------------------------------------------------------------------------------


def test_rate_batch_size_optimizer_and_loss_may_be_assigned_between_steps():
    trainer = plain_trainer()
    steps = trainer.steps(X, Y, 2)
    next(steps)

    trainer.optimizer.learning_rate = 0.25
    before = trainer.network.params.copy()
    assert next(steps).learning_rate == 0.25
    np.testing.assert_allclose(before - 0.25 * trainer.network.grads, trainer.network.params, rtol=1e-6)

    trainer.batch_size = 2
    assert len(next(steps).rows) == 2

    trainer.optimizer = cr.Adam(0.001)
    before = trainer.network.params.copy()
    next(steps)
    way = np.abs(trainer.network.params - before)[np.abs(trainer.network.grads) > 1e-4]
    np.testing.assert_allclose(way, 0.001, rtol=1e-2, err_msg="Adam's first step has length rate")

    trainer.loss = cr.CrossEntropy(label_smoothing=0.5)
    old = trainer.network.copy()
    step = next(steps)
    assert step.loss == pytest.approx(trainer.loss(old(X[step.rows]), Y[step.rows])[0], rel=1e-6)
    assert step.loss != pytest.approx(cr.CrossEntropy()(old(X[step.rows]), Y[step.rows])[0], rel=1e-2)
    assert len(list(steps)) == (ROWS - 5 - 5 - 2 - 2 - 2 + 1) // 2 + 12


@pytest.mark.parametrize(("part", "name"), [("loss", "cross_entropy"), ("optimizer", "sgd")])
def test_a_name_may_be_assigned_too(part, name):
    trainer = plain_trainer()
    setattr(trainer, part, name)
    trainer.fit(X, Y)


@pytest.mark.parametrize("batch_size", [0, -1, 2.5])
def test_an_assigned_batch_size_is_checked(batch_size):
    trainer = plain_trainer()
    with pytest.raises(cr.ConfigurationError, match=r"Trainer: batch_size must be a whole number in \[1, inf\)"):
        trainer.batch_size = batch_size
    assert trainer.batch_size == BATCH


def test_the_seed_may_be_assigned_between_epochs_alone():
    trainer = plain_trainer()
    steps = trainer.steps(X, Y, 2)
    seen = [next(steps).rows for _ in range(3)]
    trainer.seed = trainer.seed  # the same is no change
    with pytest.raises(cr.ConfigurationError, match=r"in the middle of an epoch: 15 rows are done, .* between epochs"):
        trainer.seed = 5
    seen += [next(steps).rows for _ in range(2)]
    assert sorted(np.concatenate(seen)) == list(range(ROWS))
    trainer.seed = 5
    steps.close()
    other = plain_trainer(seed=5)
    other.restore(trainer.state() | {"callbacks": []})
    assert [step.rows.tolist() for step in trainer.steps(X, Y)] == [step.rows.tolist() for step in other.steps(X, Y)]


def test_going_back_may_change_the_seed_anywhere():
    trainer = plain_trainer()
    walk(trainer, 2)
    state = trainer.state()
    other = plain_trainer(seed=5)
    walk(other, 3)
    other.restore(state)
    assert (other.seed, other.rows_done) == (3, 2 * BATCH)


def test_the_network_stays_once_there_was_a_step():
    trainer = plain_trainer(average=cr.EMA(0.9))
    trainer.network = cr.MLP([5, 3])
    trainer.fit(X, Y)
    trainer.network = trainer.network
    for other in (cr.MLP([5, 4, 3]), trainer.network.copy()):
        with pytest.raises(cr.ConfigurationError, match=r"cannot be exchanged after 5 steps: .* Make a new Trainer"):
            trainer.network = other


def test_an_assigned_loss_checks_the_targets_again():
    trainer = plain_trainer(batch_size=3)
    steps = trainer.steps(X, Y)
    next(steps)
    trainer.loss = cr.SquaredError()
    with pytest.raises(cr.ShapeError, match=r"SquaredError: expected targets of the outputs' shape \(23, 3\)"):
        next(steps)


# Schedules ------------------------------------------------------------------------------------------------------------


def rates(steps):
    return [step.learning_rate for step in steps]


def triangle(steps):
    return [pytest.approx(cr.OneCycle(0.2)(step, steps), rel=1e-12) for step in range(steps)]


def test_a_schedule_spans_the_first_plan():
    assert rates(full_trainer().steps(X, Y, EPOCHS)) == triangle(15)


def test_a_schedule_keeps_its_length_when_broken_off_and_is_then_used_up():
    trainer = full_trainer()
    seen = rates(walk(trainer, 7)) + rates(trainer.steps(X, Y, 2))
    assert seen == triangle(15)
    before = everything(trainer)
    with pytest.raises(
        cr.ConfigurationError,
        match=r"OneCycle\(0.2\) was planned for 15 steps, 15 are taken, and 5 more are wanted.*learning_rate = 0.01",
    ):
        trainer.fit(X, Y)
    assert everything(trainer) == before
    trainer.optimizer.learning_rate = 0.01
    assert rates(trainer.steps(X, Y)) == [0.01] * STEPS


def test_a_schedule_assigned_later_starts_from_there():
    trainer = plain_trainer()
    trainer.fit(X, Y, 2)
    trainer.optimizer.learning_rate = cr.OneCycle(0.2)
    assert rates(trainer.steps(X, Y, 2)) == triangle(10)


def test_a_schedule_assigned_in_the_loop_spans_what_is_left_of_it():
    trainer = plain_trainer()
    steps = trainer.steps(X, Y, 2)
    for _ in range(3):
        next(steps)
    trainer.optimizer.learning_rate = cr.OneCycle(0.2)
    assert rates(steps) == triangle(7)
