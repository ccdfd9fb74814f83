"""A loss or weight that is no longer finite: caught at its step, its layer named, the last good epoch back."""

import numpy as np
import pytest

import chainrule as cr
from trainers import BATCH, HELD_OUT, Diary, X, Y, everything, plain_trainer, walk


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


class Fuse(cr.Layer):
    """Blows at its seventh training forward: nan then, and ever after if it does not heal."""

    any_shape = True

    def __init__(self, heals=False):
        self.heals = heals
        self.calls = [0]  # a list, so that forward leaves the layer's own attributes as they are

    def forward(self, x, train=False, rng=None):
        self.calls[0] += train
        blown = self.calls[0] == 7 if self.heals else self.calls[0] >= 7
        return (x * np.nan if train and blown else x), ()

    def backward(self, dy, cache, need_dx=True):
        return dy


class Bomb(cr.Optimizer):
    """Plain descent that writes nan into the weights at its last step."""

    def __init__(self, at):
        super().__init__(0.1)
        self.at = at

    def update(self, w, g, slots, rate):
        w -= rate * g if self.steps != self.at else np.nan


def test_an_absurd_rate_is_caught_at_its_step_and_the_last_good_epoch_is_back():
    trainer = plain_trainer(cr.SGD(0.1, momentum=0.9))
    trainer.fit(X, Y, 2)
    good = everything(trainer)
    trainer.optimizer.learning_rate = 1e38
    with pytest.raises(cr.DivergenceError) as caught:
        trainer.fit(X, Y, 3)
    # The step at rate 1e38 is still taken with a good loss; weights near 1e37 then overflow in the second product.
    assert str(caught.value) == (
        "Loss became nan at epoch 3, step 2, first in Linear #2 (learning_rate=1e+38). Lower it, scale the inputs "
        "and targets, or clip gradients. The network is back as it was after epoch 2."
    )
    assert isinstance(caught.value, ArithmeticError)
    trainer.optimizer.learning_rate = 0.1
    assert everything(trainer) == good
    assert np.isfinite(trainer.network.predict_proba(X)).all()
    trainer.fit(X, Y, 1)

    straight = plain_trainer(cr.SGD(0.1, momentum=0.9))
    straight.fit(X, Y, 3)
    assert everything(trainer) == everything(straight), "as if nothing had happened"


@pytest.mark.parametrize(
    ("part", "value"),
    [("optimizer", cr.SGD(1e38, momentum=0.9)), ("callbacks", [Diary(), Diary()]), ("callbacks", [])],
    ids=["optimizer", "more callbacks", "fewer callbacks"],
)
@pytest.mark.parametrize("exchanged", ["in an epoch", "between loops"])
def test_the_last_good_epoch_is_back_whatever_was_exchanged_since(part, value, exchanged):
    trainer = plain_trainer(cr.SGD(0.1), callbacks=[Diary()])
    trainer.fit(X, Y, 2)
    good = trainer.network.params.copy()
    value = value.clone() if part == "optimizer" else value

    def spoil():
        setattr(trainer, part, value)
        trainer.network.params[...] = np.nan

    if exchanged == "between loops":
        spoil()
    with pytest.raises(cr.DivergenceError, match="is back as it was after epoch 2"):
        for step in trainer.steps(X, Y, 2):
            if step.index == 2:
                spoil()
    np.testing.assert_array_equal(trainer.network.params, good)
    assert getattr(trainer, part) == value


def test_the_first_bad_layer_is_named():
    network = cr.Network(cr.Linear(5, 7), Fuse(), cr.ReLU(), cr.Linear(7, 3))
    trainer = cr.Trainer(network, "cross_entropy", cr.SGD(0.1), batch_size=BATCH)
    with pytest.raises(cr.DivergenceError, match=r"Loss became nan at epoch 2, step 2, first in Fuse #1 \("):
        trainer.fit(X, Y, 3)
    assert (trainer.epoch, trainer.step, trainer.rows_done, len(trainer.history)) == (1, 5, 0, 1)
    network.layers[1].calls[0] = -100
    trainer.fit(X, Y, 1)
    assert trainer.epoch == 2


def test_one_bad_number_is_enough_to_name_its_layer():
    network = cr.Network(cr.ReLU(), cr.Linear(5, 7), cr.Tanh(), cr.Linear(7, 3))
    network.layers[1].W[0, 0] = np.nan  # one column of nan behind it, and all of it behind the next
    with pytest.raises(cr.DivergenceError, match=r"first in Linear #1 \("):
        cr.Trainer(network, "cross_entropy", cr.SGD(0.1), batch_size=BATCH).fit(X, Y)


def test_a_layer_that_fails_only_once_cannot_be_named():
    """The culprit is looked for by a second forward: what is well again leaves only the loss to name."""
    network = cr.Network(cr.Linear(5, 7), Fuse(heals=True), cr.Linear(7, 3))
    with pytest.raises(cr.DivergenceError, match=r"epoch 2, step 2, first in CrossEntropy\(\)"):
        cr.Trainer(network, "cross_entropy", cr.SGD(0.1), batch_size=BATCH).fit(X, Y, 3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_not_finite_is_named_itself_when_all_layers_are_well(value):
    class Odd(cr.SquaredError):
        def compute(self, outputs, targets, weights, total):
            loss, gradient = super().compute(outputs, targets, weights, total)
            return loss + value, gradient

    trainer = cr.Trainer(cr.MLP([5, 1]), Odd(), cr.SGD(0.1))
    with pytest.raises(cr.DivergenceError, match=rf"Loss became {value:g} at epoch 1, step 1, first in Odd\(\)"):
        trainer.fit(X, X[:, :1])


def test_weights_that_are_not_finite_after_the_last_update_are_caught_before_validation():
    """No loss would tell: the epoch, or the whole training, is over."""
    trainer = plain_trainer(Bomb(10), callbacks=[diary := Diary()])
    with pytest.raises(
        cr.DivergenceError, match=r"weights are no longer finite at epoch 2, step \d, first in the last"
    ):
        trainer.fit(X, Y, 2, HELD_OUT)
    assert np.isfinite(trainer.network.params).all()
    assert (trainer.epoch, trainer.step) == (1, 5)
    assert diary.entries.count("epoch") == 1
    twin = plain_trainer(Bomb(10))
    twin.fit(X, Y, 1)
    np.testing.assert_array_equal(trainer.network.params, twin.network.params)


def test_weights_that_are_not_finite_are_reported_at_the_step_that_broke_them():
    with pytest.raises(cr.DivergenceError, match="epoch 2, step 5"):
        plain_trainer(Bomb(10)).fit(X, Y, 2)


def test_divergence_after_a_rewind_does_not_jump_forward():
    trainer = plain_trainer()
    state = trainer.state()
    steps = trainer.steps(X, Y, 4)
    for _ in range(12):
        next(steps)
    trainer.restore(state)
    trainer.optimizer.learning_rate = 1e38
    with pytest.raises(cr.DivergenceError):
        list(steps)
    assert trainer.epoch == 0


def test_divergence_in_an_epoch_broken_off_tells_the_truth():
    trainer = plain_trainer()
    walk(trainer, 7)
    trainer.optimizer.learning_rate = 1e38
    with pytest.raises(cr.DivergenceError, match=r"epoch 2, step \d.*back as it was after step 2 of epoch 2\."):
        trainer.fit(X, Y, 2)
    assert (trainer.epoch, trainer.step, trainer.rows_done) == (1, 7, 10)


def test_weights_broken_in_the_last_step_before_a_break_are_found_and_undone():
    network = cr.MLP([3, 4, 1])
    before = network.params.copy()
    x, y = np.ones((16, 3)), np.ones((16, 1))
    trainer = cr.Trainer(network, "squared_error", cr.SGD(1e39), batch_size=8)
    for _ in trainer.steps(x, y):
        break
    assert not np.isfinite(network.params).all()
    with pytest.raises(cr.DivergenceError, match=r"weights are no longer finite.*back as it was at the start"):
        trainer.fit(x, y)
    np.testing.assert_array_equal(network.params, before)
