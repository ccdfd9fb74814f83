"""Rows that count more, less or not at all: in training, in validation, by row and by class."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.weighting import class_weights
from trainers import HELD_OUT, ROWS, X, Y, everything, plain_trainer, through_bytes, walk


def trainer64(**options):
    network = cr.MLP([5, 7, 3], "tanh", seed=1, dtype="float64")
    return cr.Trainer(network, "cross_entropy", cr.SGD(0.1, momentum=0.9), **{"seed": 3, "batch_size": 100} | options)


def error(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def test_in_one_batch_weight_two_is_the_row_twice():
    weights = np.arange(ROWS) % 3
    twice = np.repeat(np.arange(ROWS), weights)
    once, repeated = trainer64(), trainer64()
    once.fit(X, Y, 5, sample_weight=weights)
    repeated.fit(X[twice], Y[twice], 5)
    assert error(once.network.params, repeated.network.params) <= 1e-12
    np.testing.assert_allclose(once.history["loss"], repeated.history["loss"], rtol=1e-12)


@pytest.mark.parametrize("batch_size", [4, 100])
def test_rows_of_weight_zero_are_as_if_they_were_not_there(batch_size):
    kept = np.arange(ROWS) % 4 != 1
    with_zeros, without = trainer64(batch_size=batch_size), trainer64(batch_size=batch_size)
    steps = list(with_zeros.steps(X, Y, 2, sample_weight=kept))
    without.fit(X[kept], Y[kept], 2)
    assert with_zeros.network.params.tobytes() == without.network.params.tobytes()
    rows = np.concatenate([step.rows for step in steps])
    assert sorted(rows) == sorted(2 * list(np.flatnonzero(kept))), "rows are counted in the data as it was given"


def test_all_weights_alike_are_no_weights():
    plain, weighted = trainer64(batch_size=4), trainer64(batch_size=4)
    plain.fit(X, Y, 2)
    weighted.fit(X, Y, 2, sample_weight=np.full(ROWS, 7.0))
    assert error(weighted.network.params, plain.network.params) <= 1e-12
    np.testing.assert_allclose(weighted.history["loss"], plain.history["loss"], rtol=1e-12)


@pytest.mark.filterwarnings("ignore:learning_rate is 0")
def test_the_loss_of_an_epoch_is_the_weighted_mean_over_its_rows():
    weights = np.random.default_rng(0).random(ROWS)
    trainer = trainer64(batch_size=4)
    trainer.optimizer.learning_rate = 0.0
    trainer.fit(X, Y, sample_weight=weights)
    expected = trainer.network.evaluate(X, Y, "cross_entropy", sample_weight=weights)["loss"]
    assert trainer.history["loss"][0] == pytest.approx(expected, rel=1e-12)
    assert expected != pytest.approx(trainer.network.evaluate(X, Y, "cross_entropy")["loss"], rel=1e-3)


def test_validation_may_bring_weights():
    weights = np.arange(len(HELD_OUT[1]), dtype=float)
    trainer = plain_trainer()
    trainer.fit(X, Y, 1, (*HELD_OUT, weights))
    expected = trainer.network.evaluate(*HELD_OUT, "cross_entropy", sample_weight=weights)["loss"]
    assert trainer.history["validation_loss"] == [expected]


def rows_there(y, answers):
    return len(y)


def test_validation_counts_by_weights_in_all_it_measures():
    """As scikit-learn does, where the metric takes weights; the others see the rows that count."""
    x, y = HELD_OUT
    weights = np.arange(len(y)) % 3
    kept = weights > 0
    trainer = plain_trainer(metrics=[cr.metrics.balanced_accuracy, rows_there])
    row = trainer.fit(X, Y, 1, (x, y, weights)).rows[-1]
    right = trainer.network.predict(x) == y
    assert row["validation_accuracy"] == pytest.approx(np.average(right, weights=weights))
    assert row["validation_balanced_accuracy"] == cr.metrics.balanced_accuracy(y, trainer.network.predict(x), weights)
    assert row["validation_rows_there"] == kept.sum()
    only = trainer.network.evaluate(x[kept], y[kept], "cross_entropy", sample_weight=weights[kept])
    assert only.items() <= {name.removeprefix("validation_"): value for name, value in row.items()}.items()


@pytest.mark.filterwarnings("ignore:learning_rate is 0")
def test_the_accuracy_of_an_epoch_is_the_weighted_share_of_its_rows():
    weights = np.random.default_rng(0).random(ROWS)
    trainer = trainer64(batch_size=4, accumulate=2)
    trainer.optimizer.learning_rate = 0.0
    trainer.fit(X, Y, sample_weight=weights)
    right = trainer.network.predict(X) == Y
    assert trainer.history["accuracy"][0] == pytest.approx(np.average(right, weights=weights), rel=1e-12)


BALANCED = ROWS / 3 / np.bincount(Y)


@pytest.mark.parametrize("given", ["balanced", dict(enumerate(BALANCED)), list(BALANCED)], ids=["word", "dict", "list"])
def test_a_class_weight_is_the_weight_of_all_its_rows(given):
    by_class, by_row = trainer64(class_weight=given), trainer64()
    by_class.fit(X, Y, 3)
    by_row.fit(X, Y, 3, sample_weight=BALANCED[Y])
    assert error(by_class.network.params, by_row.network.params) <= 1e-12


def test_balanced_is_what_scikit_learn_calls_balanced():
    from sklearn.utils.class_weight import compute_sample_weight

    y = np.random.default_rng(0).choice(5, 200, p=[0.5, 0.3, 0.1, 0.07, 0.03])
    np.testing.assert_allclose(class_weights("balanced", y, 5), compute_sample_weight("balanced", y), rtol=1e-15)
    one_hot = np.eye(5)[y]
    np.testing.assert_array_equal(class_weights("balanced", one_hot, 5), class_weights("balanced", y, 5))
    yes_no = (y > 1).astype(float)[:, None]
    np.testing.assert_allclose(
        class_weights("balanced", yes_no, 2), compute_sample_weight("balanced", y > 1), rtol=1e-15
    )


def test_a_class_that_does_not_occur_takes_no_part_in_the_balance():
    np.testing.assert_allclose(class_weights("balanced", np.array([0, 0, 0, 2]), 4), [2 / 3, 2 / 3, 2 / 3, 2])


def test_class_and_sample_weights_multiply():
    weights = np.arange(ROWS) % 3
    both, by_row = trainer64(class_weight={1: 5.0}), trainer64()
    both.fit(X, Y, 2, sample_weight=weights)
    by_row.fit(X, Y, 2, sample_weight=weights * np.where(Y == 1, 5.0, 1.0))
    assert error(both.network.params, by_row.network.params) <= 1e-12


def test_a_rare_class_is_found_when_it_is_made_to_count():
    rng = np.random.default_rng(0)
    y = (rng.random(600) < 0.05).astype(int)
    x = rng.standard_normal((600, 2)) + 1.2 * y[:, None]
    found = {}
    for class_weight in (None, "balanced"):
        trainer = cr.Trainer(cr.MLP([2, 2]), "cross_entropy", cr.SGD(0.5), class_weight=class_weight)
        trainer.fit(x, y, 20)
        found[class_weight] = (trainer.network.predict(x[y == 1]) == 1).mean()
    assert found["balanced"] > 0.7 > 0.4 > found[None]


def test_broken_off_in_the_middle_of_a_weighted_epoch():
    weights = np.arange(ROWS) % 3
    whole, first, second = plain_trainer(), plain_trainer(), plain_trainer()
    whole.fit(X, Y, 3, sample_weight=weights)
    walk(first, 4, sample_weight=weights)
    second.history = through_bytes(first.history)
    second.restore(through_bytes(first.state()))
    second.fit(X, Y, 3 - second.epoch, sample_weight=weights)
    assert everything(second) == everything(whole)


@pytest.mark.parametrize(
    ("weights", "error", "text"),
    [
        (np.ones(ROWS - 1), cr.ShapeError, r"weights: expected 23 numbers, shape \(23,\), received \(22,\)"),
        (np.ones((ROWS, 1)), cr.ShapeError, r"shape \(23,\), received \(23, 1\)"),
        (-np.ones(ROWS), cr.DataError, "at least 0, not all 0"),
        (np.zeros(ROWS), cr.DataError, "not all 0"),
        (np.full(ROWS, np.nan), cr.DataError, "finite"),
        (["a"] * ROWS, cr.DataError, "received text"),
    ],
)
def test_sample_weights_that_cannot_be_used_are_refused_before_training(weights, error, text):
    trainer = plain_trainer()
    with pytest.raises(error, match=text):
        trainer.fit(X, Y, sample_weight=weights)
    assert trainer.step == 0


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("balance", r"class_weight 'balance' is unknown. Did you mean 'balanced'\?"),
        ({3: 1.0}, "class 3 is unknown. Known: 0 to 2"),
        ({"cat": 1.0}, "class 'cat' is unknown"),
        ([1.0, 1.0, 1.0, 1.0], r"expected \"balanced\", \{label: weight\} or a list of 3 weights, received \[1.0, "),
        ([5.0], r"a list of 3 weights, received \[5.0\]"),
        ([[1.0, 2.0, 3.0]], r"a list of 3 weights, received \[\[1.0"),
        (0.5, "a list of 3 weights, received 0.5"),
        ({0: -1}, "class_weight of class 0 must be a number"),
        ({0: 0, 1: 0, 2: 0}, "every row would have weight 0"),
    ],
)
def test_class_weights_that_cannot_be_used_are_refused_before_training(given, text):
    trainer = plain_trainer(class_weight=given)
    with pytest.raises(cr.ConfigurationError, match=text):
        trainer.fit(X, Y)
    assert trainer.step == 0


def test_weights_that_leave_no_row_together_are_refused_before_training():
    trainer = plain_trainer(class_weight={0: 0.0})
    with pytest.raises(cr.ConfigurationError, match="class_weight: every row would have weight 0"):
        trainer.fit(X, Y, sample_weight=Y == 0)
    assert trainer.step == 0


SEVERAL = (np.arange(ROWS)[:, None] % [2, 3, 5] == 0).astype(int)


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        ("mse", X[:, :1]),
        ("mse", X[:, :3]),
        ("poisson", np.arange(ROWS)[:, None]),
        ("binary_cross_entropy", SEVERAL),
    ],
    ids=["values", "rows of values", "counts", "several answers"],
)
def test_class_weights_need_classes(loss, y):
    trainer = cr.Trainer(cr.MLP([5, y.shape[1]]), loss, class_weight="balanced")
    with pytest.raises(cr.ConfigurationError, match=r"needs targets that are classes. Say sample_weight"):
        trainer.fit(X, y)
