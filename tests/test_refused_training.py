"""Parts, options and data that make no sense: refused before the first step, with nothing changed."""

import numpy as np
import pytest

import chainrule as cr
from trainers import X, Y, plain_trainer, walk


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


# Options --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"loss": "mse", "optimizer": "adma"},
            r"optimizer 'adma' is unknown. Did you mean 'adam'\? Known: sgd, rmsprop, adag",
        ),
        ({"loss": "cross_entropi"}, r"loss 'cross_entropi' is unknown. Did you mean 'cross_entropy'\?"),
        ({"loss": "mse", "batch_size": 0}, r"Trainer: batch_size must be a whole number in \[1, inf\), received 0"),
        ({"loss": "mse", "batch_size": 2.5}, "batch_size must be a whole number"),
        ({"loss": "mse", "seed": -1}, r"Trainer: seed must be a whole number in \[0, inf\), received -1"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, text):
    with pytest.raises(cr.ConfigurationError, match=text):
        cr.Trainer(cr.MLP([5, 3]), **options)


@pytest.mark.parametrize("epochs", [-1, 1.5, "3", None, True])
def test_epochs_is_a_whole_number(epochs):
    with pytest.raises(cr.ConfigurationError, match=r"epochs must be a whole number in \[0, inf\)"):
        plain_trainer().fit(X, Y, epochs)


@pytest.mark.parametrize("parts", [{"loss": cr.CrossEntropy}, {"loss": "mse", "optimizer": cr.Adam}], ids=str)
def test_a_class_in_place_of_an_object_is_refused(parts):
    with pytest.raises(cr.ConfigurationError, match="Add brackets to make an object of the class"):
        cr.Trainer(cr.MLP([5, 3]), **parts)


# Parts ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "loss", "text"),
    [
        (lambda: cr.Network(cr.Linear(5, 3), cr.Softmax()), cr.CrossEntropy(), "softmax again: drop the layer"),
        (lambda: cr.MLP([5, 3]), cr.CrossEntropy(from_probabilities=True), r"needs a network that ends in Softmax\(\)"),
        (
            lambda: cr.Network(cr.Linear(5, 3), cr.Sigmoid()),
            cr.BinaryCrossEntropy(),
            r"ends in Sigmoid.*drop the layer",
        ),
        (lambda: cr.Network(cr.Linear(5, 3), cr.Sigmoid()), cr.CrossEntropy(), r"ends in Sigmoid.*drop the layer"),
        (lambda: cr.MLP([5, 3], output="sigmoid"), cr.CrossEntropy(), "output='sigmoid', but .* teaches 'softmax'"),
        (lambda: cr.MLP([5, 3], output="identity"), cr.CrossEntropy(), "output='identity', but .* teaches 'softmax'"),
        (lambda: cr.MLP([5, 3], output="exp"), cr.CrossEntropy(), "output='exp', but .* teaches 'softmax'"),
        (
            lambda: cr.Network(cr.Linear(5, 3), cr.BatchNorm()),
            cr.CrossEntropy(),
            "1 row, but BatchNorm needs 2: 23 rows in batches of 11",
        ),
    ],
)
def test_parts_that_do_not_go_together_are_refused_before_the_first_step(network, loss, text):
    trainer = cr.Trainer(network(), loss, batch_size=11)
    with pytest.raises(cr.ConfigurationError, match=text):
        trainer.steps(X, Y)


def test_softmax_under_binary_cross_entropy_is_refused():
    network = cr.Network(cr.Linear(5, 3), cr.Softmax())
    with pytest.raises(cr.ConfigurationError, match=r"ends in Softmax\(\), but BinaryCrossEntropy\(\).*drop the layer"):
        cr.Trainer(network, cr.BinaryCrossEntropy()).steps(X, np.eye(3)[Y])


def test_softmax_and_its_loss_go_together_when_said():
    network = cr.Network(cr.Linear(5, 3, initializer="glorot"), cr.Softmax())
    history = cr.Trainer(network, cr.CrossEntropy(from_probabilities=True), cr.SGD(0.5)).fit(X, Y, 30)
    assert history["loss"][-1] < history["loss"][0]
    np.testing.assert_allclose(network.predict_proba(X).sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("case", ["length", "broken off"])
def test_a_schedule_too_short_for_the_fit_is_refused_before_the_first_step(case):
    trainer = plain_trainer(cr.SGD(cr.OneCycle(0.1, length=7 if case == "length" else None)))
    if case == "broken off":
        walk(trainer, 3, epochs=1)
    before = trainer.step
    with pytest.raises(cr.ConfigurationError, match=r"OneCycle\(.*was planned for \d steps.*more are wanted.*length="):
        trainer.fit(X, Y, 2)
    assert trainer.step == before


def test_the_last_batch_of_the_epochs_to_come_is_checked_too():
    network = cr.Network(cr.Linear(5, 3), cr.BatchNorm())
    trainer = cr.Trainer(network, "cross_entropy", cr.SGD(0.1), batch_size=5)
    walk(trainer, 1)
    trainer.batch_size = 11  # 18 left: 11 and 7; next epoch: 11, 11 and 1
    with pytest.raises(cr.ConfigurationError, match="1 row, but BatchNorm needs 2: 23 rows in batches of 11"):
        trainer.steps(X, Y, 2)


def test_an_optimizer_serves_one_trainer():
    optimizer = cr.Adam(0.01)
    first = plain_trainer(optimizer)
    with pytest.raises(cr.ConfigurationError, match=r"Adam\(0.01\) belongs to another trainer.*optimizer\.clone\(\)"):
        plain_trainer(optimizer)
    plain_trainer(optimizer.clone()).fit(X, Y)
    first.fit(X, Y)


def test_an_optimizer_may_be_swapped_out_and_back():
    optimizer = cr.Adam(0.01)
    trainer = plain_trainer(optimizer)
    trainer.fit(X, Y)
    trainer.optimizer = cr.SGD(0.1)
    trainer.fit(X, Y)
    trainer.optimizer = optimizer
    trainer.fit(X, Y)
    assert optimizer.steps == 10


# Data -----------------------------------------------------------------------------------------------------------------


def test_a_fit_that_is_refused_leaves_the_network_unbuilt():
    network = cr.Network(cr.Linear(out_features=3))
    trainer = cr.Trainer(network, "cross_entropy")
    with pytest.raises(cr.DataError, match="inconsistent"):
        trainer.fit(np.zeros((4, 9)), [0, 1, 2])
    trainer.fit(X, Y)


def test_a_fit_that_is_refused_leaves_the_task_open():
    network = cr.MLP([5, 3])
    with pytest.raises(cr.ShapeError):
        cr.Trainer(network, "mse").fit(X, Y)
    assert network.output is None
    cr.Trainer(network, "cross_entropy").fit(X, Y)


@pytest.mark.parametrize("y", [None, 3])
def test_targets_that_are_no_rows_are_refused(y):
    with pytest.raises(cr.DataError, match=f"targets: expected one for each row of x, received {y}"):
        plain_trainer().fit(X, y)


@pytest.mark.parametrize("layers", [(cr.Rescale(1 / 255),), (cr.Standardize(),), ()], ids=repr)
def test_large_inputs_that_nothing_scales_are_warned_of(layers):
    x = np.random.default_rng(0).integers(0, 256, (8, 5)).astype(np.uint8)
    trainer = cr.Trainer(cr.Network(*layers, cr.Linear(5, 3)), "cross_entropy", cr.SGD(1e-6))
    if layers:
        trainer.fit(x, Y[:8])
    else:
        with pytest.warns(cr.ChainruleWarning, match=r"x reaches 2\d\d, and nothing scales it.*scale=1/255"):
            trainer.fit(x, Y[:8])
