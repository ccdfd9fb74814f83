"""What looks odd but is right works: every container and dtype, changes behind the back, interruptions.

The numbers are those of the table in bad_input/.
"""

import numpy as np
import pytest

import chainrule as cr
from twenty_rows import T, X, Y, fit, net, of, pandas, sparse, torch

# The same numbers in other clothes ------------------------------------------------------------------------------------

SAME_X = {  # every one of them holds the numbers of X: training and prediction must not notice
    "55 list of lists": lambda: X.tolist(),
    "55 tuples": lambda: tuple(map(tuple, X.tolist())),
    "55 list of arrays": lambda: list(X),
    "34 objects": lambda: X.astype(object),
    "56 DataFrame with an odd index": lambda: pandas().DataFrame(X, index=range(99, 79, -1), columns=list("abcd")),
    "57 anything with __array__": lambda: type("Table", (), {"__array__": lambda self, dtype=None, copy=None: X})(),
    "59 sparse": lambda: sparse(),
    "59 sparse, by columns": lambda: sparse().tocsc(),
    "60 torch": lambda: torch().tensor(X),
    "61 Fortran": lambda: np.asfortranarray(X),
    "61 strided": lambda: np.repeat(X, 2, axis=0)[::2],
    "61 negative strides": lambda: X[::-1, ::-1].copy()[::-1, ::-1],
    "62 read-only": lambda: np.frombuffer(X.tobytes(), np.float32).reshape(X.shape),
    "64 float64": lambda: X.astype(np.float64),
    "65 big-endian": lambda: X.astype(">f4"),
    "66 masked, nothing masked": lambda: np.ma.masked_array(X),
}


@pytest.mark.parametrize("make", SAME_X.values(), ids=SAME_X)
def test_same_numbers_same_network(make):
    def trained(x):
        network = cr.MLP([4, 5, 3])
        cr.Trainer(network, "cross_entropy", batch_size=8).fit(x, Y, epochs=2, validation=(x, Y))
        return network

    x = make()
    network, expected = trained(x), trained(X)
    np.testing.assert_allclose(network.params, expected.params, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(network(x), expected(X), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(network.predict(x), expected.predict(X))


SMALL = np.clip(np.round(X * 2), 0, 3)
SAME_SMALL = ["uint8", "int8", "int64", ">i4", "float16", "bool"]


@pytest.mark.parametrize("dtype", SAME_SMALL)
def test_23_24_63_small_numbers_of_every_type(dtype):
    x = SMALL.astype(dtype)
    expected = cr.MLP([4, 3], scale=-0.5)(x.astype(np.float32))  # negative: unsigned arithmetic would wrap around
    np.testing.assert_array_equal(cr.MLP([4, 3], scale=-0.5)(x), expected)
    outputs = []
    for array in (x, x.astype(np.float32)):
        network = cr.Network(cr.Standardize(), cr.Linear(4, 3))
        cr.Trainer(network, "cross_entropy").fit(array, Y)
        outputs.append(network(array))
    np.testing.assert_array_equal(*outputs)


TWO = Y % 2
SAME_Y = {
    "39 float": lambda: TWO.astype(float),
    "39 float16": lambda: TWO.astype(np.float16),
    "34 objects": lambda: TWO.astype(object),
    "41 bool": lambda: TWO == 1,
    "65 big-endian": lambda: TWO.astype(">i4"),
    "uint8": lambda: TWO.astype(np.uint8),
    "55 list": lambda: TWO.tolist(),
    "56 Series with an odd index": lambda: pandas().Series(TWO, index=range(99, 79, -1)),
    "60 torch": lambda: torch().tensor(TWO),
    "42 one-hot": lambda: np.eye(2)[TWO],
    "42 one-hot, bool": lambda: np.eye(2, dtype=bool)[TWO],
    "62 read-only": lambda: np.frombuffer(TWO.tobytes(), TWO.dtype),
    "61 negative stride": lambda: TWO[::-1].copy()[::-1],
}


@pytest.mark.parametrize("make", SAME_Y.values(), ids=SAME_Y)
def test_same_labels_same_network(make):
    networks = [cr.MLP([4, 5, 2]) for _ in "12"]
    histories = [cr.Trainer(n, "cross_entropy").fit(X, y, 2) for n, y in zip(networks, (make(), TWO), strict=True)]
    np.testing.assert_array_equal(networks[0].params, networks[1].params)
    assert histories[0]["accuracy"] == histories[1]["accuracy"]
    assert networks[0].accuracy(X, make()) == networks[1].accuracy(X, TWO)


# Training -------------------------------------------------------------------------------------------------------------


def test_10_the_last_short_batch_counts_by_its_rows():
    with pytest.warns(cr.ChainruleWarning, match="learning_rate is 0"):
        history = fit(batch_size=8, optimizer=cr.SGD(0.0))  # 8, 8 and 4 rows, the weights stand still
    losses = history.steps["loss"]
    assert history["loss"][0] == pytest.approx((8 * losses[0] + 8 * losses[1] + 4 * losses[2]) / 20)
    assert history["loss"][0] == pytest.approx(net().evaluate(X, Y, cr.CrossEntropy())["loss"], rel=1e-6)


@pytest.mark.parametrize("epochs", [1, 3])
def test_22_divergence_leaves_a_usable_network(epochs):
    network = net(4, 5, 1)
    trainer = cr.Trainer(network, "mse", cr.SGD(1e-3), batch_size=8)
    trainer.fit(X, T, epochs)
    good, history = network.params.copy(), len(trainer.history)
    trainer.optimizer.learning_rate = 1e12
    with pytest.raises(cr.DivergenceError, match=rf"epoch \d+, step \d+.*learning_rate=1e\+12.*after epoch {epochs}\."):
        trainer.fit(X * 100, T, 50)
    np.testing.assert_array_equal(network.params, good)
    assert (trainer.epoch, trainer.step, len(trainer.history)) == (epochs, 3 * epochs, history)
    trainer.optimizer.learning_rate = 1e-3
    trainer.fit(X, T)


def test_69_changing_the_data_afterwards_changes_nothing():
    x, y, network = X.copy(), Y.copy(), net()
    fit(x, y, network)
    before, again = network.params.copy(), network(X)
    x[:], y[:] = np.nan, 99
    np.testing.assert_array_equal(network.params, before)
    np.testing.assert_array_equal(network(X), again)


def test_62_the_data_is_not_written_to():
    x, y = X.copy(), Y.copy()
    fit(x, y, of(cr.Standardize(), cr.Dropout(), cr.Linear(4, 3)), epochs=2)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)


def test_71_rate_zero_changes_nothing():
    network = net()
    before = network.params.copy()
    with pytest.warns(cr.ChainruleWarning, match="learning_rate is 0"):
        fit(X, Y, network, optimizer=cr.SGD(0.0), epochs=2)
    np.testing.assert_array_equal(network.params, before)


class Interruption(cr.Callback):
    def __init__(self, at, kind):
        self.at, self.kind = at, kind

    def on_step(self, trainer, step):
        if trainer.step == self.at:
            raise self.kind("no more")


@pytest.mark.parametrize("kind", [KeyboardInterrupt, ZeroDivisionError])
def test_83_84_an_interruption_leaves_whole_steps_and_training_goes_on(kind):
    trainers = [cr.Trainer(net(), "cross_entropy", batch_size=8) for _ in "12"]
    trainers[0].fit(X, Y, epochs=2)
    trainers[1].callbacks.append(Interruption(2, kind))
    with pytest.raises(kind, match="no more"):
        trainers[1].fit(X, Y, epochs=2)
    assert (trainers[1].epoch, trainers[1].step, trainers[1].rows_done) == (0, 2, 16)
    trainers[1].callbacks.clear()
    trainers[1].fit(X, Y, epochs=2)  # the epoch under way counts as the first
    np.testing.assert_array_equal(trainers[0].network.params, trainers[1].network.params)


def test_86_a_second_loop_on_one_trainer_is_refused():
    trainer = cr.Trainer(net(), "cross_entropy", batch_size=8)
    first = trainer.steps(X, Y)
    next(first)
    with pytest.raises(cr.ConfigurationError, match=r"another loop over steps\(\) is still open"):
        next(trainer.steps(X, Y))
    first.close()
    next(trainer.steps(X, Y))
