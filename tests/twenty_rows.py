"""What the tests of bad and of odd input share: twenty rows of data, and the shortest ways to train on them."""

from decimal import Decimal as Decimal

import numpy as np
import pytest

import chainrule as cr

rng = np.random.default_rng(0)
X = rng.standard_normal((20, 4)).astype(np.float32)
Y = np.arange(20) % 3
T = rng.standard_normal((20, 1)).astype(np.float32)  # targets of a regression
MADE = []  # the networks and trainers of the test that runs, each with what it was when made


def remember(thing):
    if isinstance(thing, cr.Trainer):
        return thing.step, thing.epoch, thing.rows_done, len(thing.history), thing.history.position()
    return thing.params.tobytes(), thing.state.tobytes(), thing.out_shapes, [row.trainable for row in thing.parameters]


def kept(thing):
    MADE.append((thing, remember(thing)))
    return thing


def net(*widths, **options):
    return kept(cr.MLP(list(widths) or [4, 5, 3], **options))


def of(*layers, **options):
    return kept(cr.Network(*layers, **options))


def unbuilt():
    return of(cr.Linear(out_features=3))


def softmax():
    return net(output="softmax")


def fit(x=X, y=Y, network=None, loss="cross_entropy", epochs=1, validation=None, assign=(), **options):
    trainer = kept(cr.Trainer(network or net(), loss, **options))
    for name, value in dict(assign).items():
        setattr(trainer, name, value)
    return trainer.fit(x, y, epochs, validation)


def regress(x=X, y=T, loss="mse", **options):
    return fit(x, y, net(4, 1), loss, **options)


def interval(y=T, network=None):
    return fit(X, y, network or net(4, 3), cr.Quantile((0.1, 0.5, 0.9)))


def yes_no(y, **options):
    return fit(X, y, net(4, 1), "binary_cross_entropy", **options)


def put(array, index, value):
    array = np.array(array, dtype=np.longdouble if isinstance(value, np.longdouble) else np.float64)
    array[index] = value
    return array


def sparse(x=X):
    return pytest.importorskip("scipy.sparse").csr_array(x)


def torch():
    return pytest.importorskip("torch")


def pandas():
    return pytest.importorskip("pandas")


def batch_norm():
    return of(cr.Linear(4, 3), cr.BatchNorm(), cr.Linear(3, 3))


def weigh(weights):
    """Train with weights of the rows."""
    return kept(cr.Trainer(net(), "cross_entropy")).fit(X, Y, sample_weight=weights)


def longdouble(x=X):
    if np.dtype(np.longdouble).itemsize == 8:
        pytest.skip("no number here is longer than a double")
    return x.astype(np.longdouble)


class OwnSoftmax(cr.Layer):
    """One that the library cannot know for what it is."""

    any_shape = True

    def forward(self, x, train=False, rng=None):
        return cr.Softmax().forward(x)

    def backward(self, dy, cache, need_dx=True):
        return cr.Softmax().backward(dy, cache)
