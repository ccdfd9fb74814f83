"""Early stopping and the lowered rate: what they count, what they keep, and that a resumed run is a whole one."""

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.callbacks import EarlyStopping, ReduceLROnPlateau
from chainrule.monitoring import LARGER_IS_BETTER, Monitor
from trainers import HELD_OUT, STEPS, X, Y, everything, full_trainer, plain_trainer, through_bytes


class Says(cr.Callback):
    """Adds a column with the numbers that a test wants to be there, and keeps the weights of every epoch."""

    adds = ("measure",)

    def __init__(self, *numbers):
        self.numbers, self.weights = numbers, {}

    def on_epoch(self, trainer, row):
        row["measure"] = self.numbers[row["epoch"] - 1]
        self.weights[row["epoch"]] = trainer.network.params.copy()


def stopped_by(numbers, epochs=None, **options):
    says, early = Says(*numbers), EarlyStopping("measure", **options)
    trainer = plain_trainer(callbacks=[says, early])
    trainer.fit(X, Y, epochs or len(numbers))
    return trainer, says, early


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("numbers", "options", "ends", "best"),
    [
        ([3, 2, 1, 1, 1, 1], {"patience": 2}, 5, 3),
        ([3, 2, 1, 1, 1, 0.5], {"patience": 4}, 6, 6),
        ([3, 4, 2, 4, 1, 4, 4, 0], {"patience": 2}, 7, 5),
        ([1, 1, 0], {"patience": 1}, 2, 1),
        ([3, 2.9, 2.8, 2.4, 2.3, 2.2], {"patience": 2, "min_delta": 0.5}, 3, 1),
        ([3, 2.9, 2.4, 2.3, 2.2, 0], {"patience": 2, "min_delta": 0.5}, 5, 3),
        ([1, 2, 3, 3, 3, 4], {"patience": 2, "mode": "max"}, 5, 3),
        ([NAN, INF, 2, NAN, NAN, 1], {"patience": 3}, 6, 6),
        ([NAN, NAN, 1], {"patience": 2}, 2, 0),
    ],
)
def test_training_ends_when_patience_does_with_the_best_weights(numbers, options, ends, best):
    trainer, says, early = stopped_by(numbers, **options)
    assert trainer.epoch == ends
    assert early.stopped == (ends < len(numbers) or early.waited == early.patience)
    assert early.best_epoch == best
    np.testing.assert_array_equal(trainer.network.params, says.weights[best or ends])


def test_the_best_weights_are_put_back_when_all_epochs_are_over_and_not_when_unwanted():
    trainer, says, early = stopped_by([2, 1, 3])
    assert not early.stopped
    np.testing.assert_array_equal(trainer.network.params, says.weights[2])
    trainer, says, _ = stopped_by([2, 1, 3], restore_best=False)
    np.testing.assert_array_equal(trainer.network.params, says.weights[3])


def test_running_statistics_are_put_back_with_the_weights():
    early = EarlyStopping("measure", patience=1)
    trainer = full_trainer(callbacks=[Says(1, 2), early])
    states = {}
    for step in trainer.steps(X, Y, 2):
        states[step.epoch] = trainer.network.state.copy()
    assert not np.array_equal(states[1], states[2])
    np.testing.assert_array_equal(trainer.network.state, states[1])


def test_an_average_of_the_weights_is_what_is_kept():
    class Mean:
        def update(self, average, weights, step):
            average += (weights - average) / step

    trainer = plain_trainer(callbacks=[Says(1, 2, 3), EarlyStopping("measure", patience=2)], average=Mean())
    averages = [trainer.averaged.params.copy() for _ in trainer.steps(X, Y, 3)]
    np.testing.assert_array_equal(trainer.network.params, averages[STEPS - 1])
    np.testing.assert_array_equal(trainer.averaged.params, averages[STEPS - 1])


@pytest.mark.parametrize("leave", ["break", "stop", "raise"])
def test_a_loop_that_is_broken_off_keeps_its_weights(leave):
    early = EarlyStopping("measure")
    trainer = plain_trainer(callbacks=[Says(1, 2, 3), early])
    steps = trainer.steps(X, Y, 3)
    for step in steps:
        weights = trainer.network.params.copy()
        if (step.epoch, step.index) == (2, 4):
            if leave == "break":
                steps.close()
                break
            if leave == "stop":
                trainer.stop()
            else:
                with pytest.raises(KeyboardInterrupt):
                    steps.throw(KeyboardInterrupt)
    assert early.weights is not None
    np.testing.assert_array_equal(trainer.network.params, weights)


def watched_trainer():
    plateau = ReduceLROnPlateau(patience=1, factor=0.3, cooldown=2)
    trainer = full_trainer(callbacks=[plateau, EarlyStopping(patience=4, min_delta=0.001)])
    trainer.optimizer.learning_rate = 0.5
    return trainer


@pytest.mark.parametrize("cut", [0, 3, 5, 9, 10, 15, 17, 20, 25, 31])
def test_a_resumed_run_ends_as_one_that_was_never_interrupted(cut):
    epochs = 10
    whole = watched_trainer()
    whole.fit(X, Y, epochs, HELD_OUT)
    assert len(set(whole.history["learning_rate"])) > 2
    assert whole.callbacks[1].stopped
    assert whole.epoch < epochs
    first = watched_trainer()
    steps = first.steps(X, Y, epochs, HELD_OUT)
    for _ in zip(range(cut), steps):  # noqa: B905
        pass
    steps.close()
    state, history = through_bytes((first.state(), first.history))
    second = watched_trainer()
    second.history = history
    second.restore(state)
    second.fit(X, Y, epochs - second.epoch, HELD_OUT)
    assert everything(second) == everything(whole)


def test_a_run_killed_on_its_way_out_ends_at_once_with_the_best_weights():
    whole = stopped_by([2, 1, 3, 3, 3, 3], patience=2)[0]
    first = plain_trainer(callbacks=[Says(2, 1, 3, 3, 3, 3), EarlyStopping("measure", patience=2)])
    last = [first.state() for _ in first.steps(X, Y, 6)][-1]  # taken while the weights were those of the last step
    assert not np.array_equal(last["params"], whole.network.params)
    again = plain_trainer(callbacks=[Says(2, 1, 3, 3, 3, 3), EarlyStopping("measure", patience=2)])
    again.restore(through_bytes(last))
    again.fit(X, Y, 2)
    assert again.epoch == 4
    np.testing.assert_array_equal(again.network.params, whole.network.params)
    again.fit(X, Y, 2)
    assert again.epoch == 6, "a further fit has all its patience here too"


def test_a_state_taken_after_an_early_end_goes_on_as_the_trainer_itself_did():
    trainer = stopped_by([2, 1, 3, 3, 3, 3, 3], patience=2)[0]
    state = trainer.state()
    trainer.fit(X, Y, 3)
    ends = everything(trainer)
    assert trainer.epoch == 6
    trainer.restore(state)
    trainer.fit(X, Y, 3)
    assert everything(trainer) == ends


@pytest.mark.parametrize("epochs_before", [0, 1])
@pytest.mark.parametrize("make", [lambda: EarlyStopping("loss", patience=9), lambda: ReduceLROnPlateau("loss")])
def test_what_watched_one_training_watches_the_next_as_if_it_were_new(make, epochs_before):
    used = make()
    plain_trainer(0.5, callbacks=[used]).fit(X, Y, 6)
    trainers = [plain_trainer(0.01), plain_trainer(0.01)]
    for trainer, callback in zip(trainers, (used, make()), strict=True):
        trainer.fit(X, Y, epochs_before)
        trainer.callbacks = [callback]
        trainer.fit(X, Y, 3)
    assert everything(trainers[0]) == everything(trainers[1])
    assert used.monitored.best == trainers[1].callbacks[0].monitored.best


def test_a_further_fit_after_an_early_end_has_all_its_patience():
    numbers = [2, 1, 3, 3, 3, 3, 3, 3, 3]
    trainer, says, _ = stopped_by(numbers, patience=2)
    assert trainer.epoch == 4
    trainer.fit(X, Y, 5)
    assert trainer.epoch == 6
    np.testing.assert_array_equal(trainer.network.params, says.weights[2], "still the best")


# The rate -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("options", [{}, {"cooldown": 2}, {"min_rate": 0.02}, {"min_delta": 0.3, "cooldown": 1}])
@pytest.mark.parametrize("patience", [1, 2, 4])
def test_the_rates_are_those_of_pytorch(mode, options, patience):
    torch = pytest.importorskip("torch")
    options = {"min_delta": 0.0, "cooldown": 0, "min_rate": 0.0, "factor": 0.5} | options
    walk = np.random.default_rng(patience).standard_normal(60).cumsum()
    measured = [float(number) for number in walk]
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=0.4)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer,
        mode=mode,
        factor=options["factor"],
        patience=patience - 1,
        threshold=options["min_delta"],
        threshold_mode="abs",
        cooldown=options["cooldown"],
        min_lr=options["min_rate"],
        eps=0,
    )
    expected = []
    for number in measured:
        expected.append(optimizer.param_groups[0]["lr"])
        theirs.step(number)
    plateau = ReduceLROnPlateau("measure", patience=patience, mode=mode, **options)
    trainer = plain_trainer(0.4, callbacks=[Says(*measured), plateau], batch_size=23)
    assert trainer.fit(X, Y, len(measured))["learning_rate"] == expected
    assert len(set(expected)) > 2


def test_a_rate_below_the_lowest_is_left_alone():
    trainer = plain_trainer(0.01, callbacks=[Says(1, 1, 1), ReduceLROnPlateau("measure", patience=1, min_rate=0.1)])
    assert set(trainer.fit(X, Y, 3)["learning_rate"]) == {0.01}


def test_a_rate_that_a_schedule_moves_is_refused_before_training():
    trainer = full_trainer(callbacks=[ReduceLROnPlateau("loss")])
    with pytest.raises(cr.ConfigurationError, match=r"stays as it is, received OneCycle\(0.2\), which moves it"):
        trainer.fit(X, Y)
    assert trainer.step == 0


# What is watched ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [EarlyStopping, ReduceLROnPlateau])
@pytest.mark.parametrize(
    ("monitor", "text"),
    [
        ("validation_loss", r"Known: epoch, loss, accuracy, .*seconds. There is no validation data: say fit\("),
        ("los", r"Did you mean 'loss'\?"),
        (None, "monitor None is unknown"),
    ],
)
def test_an_unknown_column_is_an_error_before_training(make, monitor, text):
    trainer = plain_trainer(callbacks=[make(monitor)])
    with pytest.raises(cr.ConfigurationError, match=text):
        trainer.fit(X, Y)
    assert trainer.step == 0


def test_a_column_must_be_added_before_it_is_watched():
    says, early = Says(1, 2), EarlyStopping("measure")
    with pytest.raises(cr.ConfigurationError, match="monitor 'measure' is unknown"):
        plain_trainer(callbacks=[early, says]).fit(X, Y)
    plain_trainer(callbacks=[says, EarlyStopping("measure")]).fit(X, Y)


SMALLER = ("loss", "validation_loss", "rmse", "validation_mae", "seconds", "validation_error2", "validation_sauce")
SMALLER += ("validation_inaccuracy", "validation_precision_loss", "recall_error")


@pytest.mark.parametrize("name", SMALLER)
def test_smaller_is_better_unless_the_name_says_otherwise(name):
    assert Monitor(name).sign == -1
    assert Monitor(name, "max").sign == 1


@pytest.mark.parametrize("word", LARGER_IS_BETTER)
def test_larger_is_better_for_these(word):
    assert Monitor(f"validation_{word}").sign == Monitor(f"my_{word.upper()}score").sign == 1
    assert Monitor(f"validation_{word}", "min").sign == -1


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: EarlyStopping(mode="mix"), r"mode 'mix' is unknown. Did you mean 'min'\?"),
        (
            lambda: EarlyStopping(patience=0),
            r"EarlyStopping: patience must be a whole number in \[1, inf\), received 0",
        ),
        (lambda: EarlyStopping(min_delta=-1), "EarlyStopping: min_delta"),
        (lambda: ReduceLROnPlateau(factor=1.0), r"factor must be a number in \(0, 1\)"),
        (lambda: ReduceLROnPlateau(min_delta="a"), "ReduceLROnPlateau: min_delta"),
        (lambda: ReduceLROnPlateau(cooldown=0.5), "cooldown must be a whole number"),
    ],
)
def test_arguments_that_make_no_sense(make, text):
    with pytest.raises(cr.ConfigurationError, match=text):
        make()


@pytest.mark.parametrize(
    "code",
    [
        "EarlyStopping('loss', patience=2, min_delta=0.1, mode='max', restore_best=False)",
        "ReduceLROnPlateau('loss', factor=0.1, patience=2, min_delta=0, cooldown=1, min_rate=0.1, mode='min')",
        "Progress(lines=3)",
        "CSVLog('a.csv')",
        "JSONLinesLog('a.jsonl')",
    ],
)
def test_they_print_as_the_code_that_makes_them(code):
    thing = eval(code, dict(vars(cr.callbacks)))
    assert repr(thing) == repr(thing.clone()) == code
