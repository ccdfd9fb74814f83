"""The training loop: what a step and an epoch do, what they tell, and which data and parts are refused before it."""

import numpy as np
import pytest

import chainrule as cr
from trainers import BATCH, EPOCHS, HELD_OUT, ROWS, X, Y, everything, full_trainer, plain_trainer, through_bytes


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


# The steps ------------------------------------------------------------------------------------------------------------


def test_a_step_tells_what_it_did():
    steps = list(plain_trainer().steps(X, Y, 2))
    assert [(step.epoch, step.index) for step in steps] == [(e, i) for e in (1, 2) for i in (1, 2, 3, 4, 5)]
    assert [len(step.rows) for step in steps] == [5, 5, 5, 5, 3] * 2
    assert all(step.learning_rate == 0.1 and step.seconds > 0 for step in steps)


def test_the_loss_of_a_step_is_that_before_it_and_the_weights_have_moved():
    trainer = plain_trainer()
    before = trainer.network.copy()
    for step in trainer.steps(X, Y, 2):
        loss, dy = cr.CrossEntropy()(before(X[step.rows]), Y[step.rows])
        assert step.loss == pytest.approx(loss, rel=1e-6)
        before.backward(dy, before.forward(X[step.rows])[1])
        before.params -= step.learning_rate * before.grads
        np.testing.assert_allclose(trainer.network.params, before.params, rtol=1e-5, atol=1e-7)


@pytest.mark.filterwarnings("ignore:learning_rate is 0")
@pytest.mark.parametrize("batch_size", [1, 4, BATCH, ROWS, 1000])
def test_every_epoch_sees_every_row_once_in_an_order_of_seed_and_epoch(batch_size):
    def orders(seed):
        steps = list(plain_trainer(0.0, batch_size=batch_size, seed=seed).steps(X, Y, 2))
        return [np.concatenate([step.rows for step in steps if step.epoch == epoch]) for epoch in (1, 2)]

    first, second = orders(seed=3)
    for order in (first, second):
        np.testing.assert_array_equal(np.sort(order), np.arange(ROWS))
    assert (first != second).any(), "epochs differ"
    assert (first != orders(seed=4)[0]).any(), "seeds differ"
    reference = [step.rows for step in plain_trainer(0.0, seed=3).steps(X, Y, 1)]
    np.testing.assert_array_equal(first, np.concatenate(reference), "the batch size changes no order")


def test_the_loss_of_an_epoch_is_weighted_by_rows():
    trainer = plain_trainer()
    steps = list(trainer.steps(X, Y))
    (row,) = trainer.history
    assert row["loss"] == pytest.approx(sum(step.loss * len(step.rows) for step in steps) / ROWS, rel=1e-12)
    assert row["loss"] != pytest.approx(np.mean([step.loss for step in steps]), rel=1e-4), "a mean of means is wrong"


@pytest.mark.filterwarnings("ignore:learning_rate is 0")
def test_the_accuracy_of_an_epoch_counts_hits():
    trainer = plain_trainer(0.0)
    trainer.fit(X, Y)
    assert trainer.history["accuracy"] == [trainer.network.accuracy(X, Y)]
    assert trainer.history["loss"][0] == pytest.approx(trainer.network.evaluate(X, Y, trainer.loss)["loss"], rel=1e-6)


def test_a_batch_larger_than_the_data_is_the_data():
    assert [len(step.rows) for step in plain_trainer(batch_size=1000).steps(X, Y, 2)] == [ROWS, ROWS]


def test_training_learns():
    trainer = plain_trainer(cr.SGD(cr.OneCycle(0.2), momentum=0.9))
    trainer.fit(X, Y, 60, validation=(X, Y))
    assert trainer.network.accuracy(X, Y) == 1
    assert trainer.history["validation_loss"][-1] < 0.1 * trainer.history["loss"][0]


def test_pixels_and_the_same_numbers_as_floats_are_the_same_to_the_bit():
    pixels = np.random.default_rng(0).integers(0, 256, (ROWS, 5), "uint8")
    ends = []
    for x in (pixels, pixels.astype("float32"), pixels.astype("float64"), pixels.astype("int64")):
        network = cr.MLP([5, 7, 3], scale=1 / 255)
        cr.Trainer(network, "cross_entropy").fit(x, Y, 3)
        ends.append(network.params.tobytes())
    assert len(set(ends)) == 1


def test_the_data_is_left_as_it_is():
    x, y = X.copy(), Y.copy()
    x.flags.writeable = y.flags.writeable = False
    full_trainer().fit(x, y, 2, validation=(x, y))
    np.testing.assert_array_equal(x, X)


def test_integers_for_regression_are_cast_and_there_is_no_accuracy():
    network = cr.MLP([5, 7, 1])
    history = cr.Trainer(network, "mse", "sgd").fit(X, X[:, :1], 2, validation=(X, X[:, :1]))
    assert history.columns == ["epoch", "loss", "validation_loss", "learning_rate", "seconds"]
    assert network.output == "identity"


# Validation -----------------------------------------------------------------------------------------------------------


class Watch(cr.Callback):
    """Keeps what `look` sees after every epoch."""

    def __init__(self, look):
        self.look, self.seen = look, []

    def on_epoch(self, trainer, row):
        self.seen.append(self.look(trainer))


def test_validation_is_measured_on_the_whole_set_after_each_epoch():
    x, y = np.random.default_rng(1).standard_normal((2345, 5)), np.random.default_rng(2).integers(0, 3, 2345)
    trainer = full_trainer(callbacks=[Watch(lambda trainer: trainer.network.copy())])
    history = trainer.fit(X, Y, EPOCHS, validation=(x, y))
    for row, network in zip(history, trainer.callbacks[0].seen, strict=True):
        assert row["validation_loss"] == network.evaluate(x, y, trainer.loss)["loss"]
        assert row["validation_loss"] == pytest.approx(cr.CrossEntropy()(network(x), y)[0], rel=1e-12)
        assert row["validation_accuracy"] == (network.predict(x) == y).mean()
    assert len(set(history["validation_loss"])) == EPOCHS


def test_validation_does_not_touch_training():
    plain, watched = full_trainer(), full_trainer()
    plain.fit(X, Y, EPOCHS)
    watched.fit(X, Y, EPOCHS, HELD_OUT)
    assert everything(plain)[:2] == everything(watched)[:2]


def test_wrong_validation_data_is_found_before_the_first_step():
    trainer = plain_trainer()
    with pytest.raises(cr.ShapeError, match=r"expected validation x of shape \(N, 5\), received \(13, 4\)"):
        trainer.steps(X, Y, validation=(HELD_OUT[0][:, :4], HELD_OUT[1]))
    with pytest.raises(cr.LabelError, match=r"labels must be 0..2 for 3 outputs, received 0..3"):
        trainer.steps(X, Y, validation=(HELD_OUT[0], np.arange(13) % 4))
    assert trainer.step == 0


@pytest.mark.parametrize("validation", [0.1, (X,), (X, Y, Y, Y)], ids=["share", "x alone", "four"])
def test_validation_that_is_no_pair_is_refused(validation):
    with pytest.raises(cr.ConfigurationError, match=r"validation: expected a pair \(x, y\).*, received (float|tuple)"):
        plain_trainer().fit(X, Y, validation=validation)


def test_a_validation_that_overflows_tells_which_row_and_training_can_go_on():
    trainer = plain_trainer()
    far, before = np.full((3, 5), 3e38, "float32"), trainer.network.params.copy()
    with pytest.raises(cr.DivergenceError, match=r"step 5, first in validation .*for row 0.*at the start"):
        trainer.fit(X, Y, 1, validation=(far, Y[:3]))
    np.testing.assert_array_equal(trainer.network.params, before)
    trainer.fit(X, Y, 1)
    assert (trainer.epoch, trainer.step, len(trainer.history)) == (1, 5, 1)


# Layers with a memory -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["SGD(0.1, momentum=0.9)", "SGD(0.1, momentum=0.9, nesterov=True)", "Adam(0.1)"])
def test_frozen_parameters_stay_to_the_bit_whatever_the_optimizer_remembers(optimizer):
    trainer = plain_trainer(eval(optimizer, vars(cr)))
    first, _, last = trainer.network.layers
    trainer.fit(X, Y, 1)
    trainer.network.freeze("0.W", "2.b")
    frozen, free = (first.W.copy(), last.b.copy()), (first.b.copy(), last.W.copy())
    trainer.fit(X, Y, 1)
    for now, before in zip((first.W, last.b), frozen, strict=True):
        np.testing.assert_array_equal(now, before)
    for now, before in zip((first.b, last.W), free, strict=True):
        assert (now != before).mean() > 0.5
    trainer.network.unfreeze()
    trainer.fit(X, Y, 1)
    assert first.W.tobytes() != frozen[0].tobytes()


def test_statistics_come_from_the_training_inputs_once():
    trainer = full_trainer()
    layer = trainer.network.layers[0]
    trainer.fit(X, Y, 1, validation=(HELD_OUT[0] + 100, HELD_OUT[1]))
    np.testing.assert_allclose(layer.mean, X.mean(axis=0, dtype="float64"), rtol=1e-6)
    np.testing.assert_allclose(layer.deviation, X.std(axis=0, dtype="float64"), rtol=1e-6)
    seen = layer.mean.copy()
    trainer.optimizer.learning_rate = 0.01
    trainer.fit(X + 5, Y, 1)
    np.testing.assert_array_equal(layer.mean, seen)
    loaded = through_bytes(trainer.network)
    cr.Trainer(loaded, "cross_entropy", batch_size=BATCH).fit(X + 5, Y, 1)
    np.testing.assert_array_equal(loaded.layers[0].mean, seen)


def test_statistics_behind_a_layer_that_learns_are_refused():
    with pytest.raises(cr.ConfigurationError, match=r"must stand before every layer that learns.*use BatchNorm"):
        cr.Network(cr.Linear(5, 7), cr.Standardize(), cr.Linear(7, 3))


@pytest.mark.filterwarnings("ignore:learning_rate is 0")
def test_running_statistics_see_every_batch_once():
    trainer = cr.Trainer(cr.Network(cr.BatchNorm(), cr.Linear(5, 3)), "cross_entropy", cr.SGD(0.0), batch_size=BATCH)
    mean, variance = np.zeros(5), np.ones(5)
    for step in trainer.steps(X, Y, 2):
        mean += 0.1 * (X[step.rows].mean(axis=0) - mean)
        variance += 0.1 * (X[step.rows].var(axis=0, ddof=1) - variance)
    layer = trainer.network.layers[0]
    np.testing.assert_allclose(layer.running_mean, mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer.running_variance, variance, rtol=1e-5)


def test_a_network_without_a_width_takes_it_from_the_first_fit():
    deferred = cr.Network(cr.Linear(out_features=7), cr.ReLU(), cr.Linear(out_features=3), seed=1)
    explicit = cr.Network(cr.Linear(5, 7), cr.ReLU(), cr.Linear(7, 3), seed=1)
    for network in (deferred, explicit):
        cr.Trainer(network, "cross_entropy").fit(X, Y, 2)
    assert deferred.in_shape == (5,)
    assert deferred.params.tobytes() == explicit.params.tobytes()
