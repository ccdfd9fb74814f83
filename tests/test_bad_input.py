"""What people really hand over and should not: each gets an error that names the mend, and leaves no trace.

The numbers are the rows of the list in the design's reference, "bad or extreme inputs", 1 to 90; the later rows (data
files, checkpoints, server) have tests of their own beside those parts. What is odd but right is in
test_odd_but_right_input.py.
"""

from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
import twenty_rows
from test_odd_but_right_input import SAME_X, SAME_Y, WORKS
from twenty_rows import MADE, X, Y, fit, net, of, remember, unbuilt


def row(number, code, error, *texts):
    return pytest.param(code, error, texts, id=f"{number} {code}")


REFUSED = [
    row(1, "softmax().predict(X[0])", cr.ShapeError, "(N, 4)", "(4,)", "x[None]"),
    row(1, "net()(np.arange(9.0))", cr.ShapeError, "Expected 2D array, got 1D array instead", "x.reshape(-1, 1)"),
    row(1, "fit(np.arange(9.0), Y)", cr.DataError, "x and its targets", "[9, 20]"),
    row(1, "fit(np.arange(20.0), Y)", cr.ShapeError, "Expected 2D array", "x.reshape(1, -1)"),
    row(1, "fit(np.arange(20.0), Y, unbuilt())", cr.ShapeError, "Expected 2D array", "x.reshape(-1, 1)"),
    row(1, "net()(3.0)", cr.ShapeError, "(N, 4)", "()"),
    row(1, "net()(None)", cr.ChainruleError, "(N, 4)"),
    row(2, "fit(np.zeros((20, 2, 2)))", cr.ShapeError, "(20, 2, 2)", "x.reshape(len(x), 4)", "Flatten()"),
    row(2, "fit(np.zeros((20, 2, 2, 1)))", cr.ShapeError, "(20, 2, 2, 1)", "Flatten()"),
    row(2, "fit(np.zeros((20, 2, 2)), Y, unbuilt())", cr.ShapeError, "(N, K)", "(20, 2, 3)", "Flatten()"),
    row(3, "of(cr.Flatten(), in_shape=(4, 4, 1))(np.zeros((5, 4, 4)))", cr.ShapeError, "(N, 4, 4, 1)", "(5, 4, 4)"),
    row(5, "softmax().predict(X[:, :3])", cr.ShapeError, "(N, 4)", "(20, 3)"),
    row(6, "fit(X[:0], Y[:0])", cr.DataError, "0 sample(s)", "(0, 4)", "minimum of 1"),
    row(6, "fit([], [])", cr.ChainruleError, "0 sample(s)"),
    row(6, "softmax().accuracy(X[:0], Y[:0])", cr.ShapeError, "at least 1", "(0, 3)"),
    row(6, "softmax().evaluate(X[:0], Y[:0], cr.CrossEntropy())", cr.ShapeError, "at least 1", "(0, 3)"),
    row(7, "fit(X[:, :0])", cr.DataError, "0 feature(s) (shape=(20, 0))"),
    row(7, "fit(X[:, :0], Y, unbuilt())", cr.DataError, "0 feature(s) (shape=(20, 0))"),
    row(9, "fit(X[:1], Y[:1], batch_norm())", cr.ConfigurationError, "1 row", "BatchNorm", "batch_size"),
    row(9, "fit(X, Y, batch_norm(), batch_size=19)", cr.ConfigurationError, "batches of 19", "BatchNorm"),
    row(12, "fit(batch_size=0)", cr.ConfigurationError, "batch_size", "[1, inf)", "received 0"),
    row(12, "fit(batch_size=-1)", cr.ConfigurationError, "received -1"),
    row(12, "fit(batch_size=32.0)", cr.ConfigurationError, "whole number", "received 32.0"),
    row(12, "fit(batch_size='32')", cr.ConfigurationError, "received '32'"),
    row(12, "fit(batch_size=True)", cr.ConfigurationError, "received True"),
    row(12, "fit(assign={'batch_size': 0})", cr.ConfigurationError, "batch_size"),
    row(12, "fit(assign={'batch_size': 2.5})", cr.ConfigurationError, "batch_size"),
    row(12, "fit(assign={'batch_size': -7})", cr.ConfigurationError, "received -7"),
    row(13, "fit(X, Y[:19])", cr.DataError, "inconsistent numbers of samples: [20, 19]"),
    row(13, "fit(validation=(X[:3], Y[:2]))", cr.DataError, "validation", "[3, 2]"),
    row(13, "softmax().accuracy(X, Y[:19])", cr.ShapeError, "(20,)", "(19,)"),
    row(13, "fit(X, 1)", cr.ChainruleError, "targets"),
    row(13, "fit(X, None)", cr.ChainruleError, "targets"),
    row(14, "fit(X, Y[:, None])", cr.ShapeError, "(20, 1)", "y.ravel()"),
    row(14, "softmax().accuracy(X, Y[:, None])", cr.ShapeError, "(20, 1)", "y.ravel()"),
    row(14, "softmax().accuracy(X, np.zeros((20, 7)))", cr.ShapeError, "(20, 7)"),
    row(15, "regress(X, T[:, 0])", cr.ShapeError, "(20,)", "broadcast to (20, 20)", "Reshape the targets to (20, 1)"),
    row(15, "net(4, 1).evaluate(X, T[:, 0], cr.MSE())", cr.ShapeError, "broadcast to (20, 20)"),
    row(15, "regress(X, np.zeros((20, 2)))", cr.ShapeError, "(20, 1)", "(20, 2)"),
    row(15, "regress(X, T[:, 0], loss='mae')", cr.ShapeError, "broadcast to (20, 20)", "to (20, 1)"),
    row(15, "regress(X, T[:, 0], loss='huber')", cr.ShapeError, "broadcast to (20, 20)"),
    row(15, "regress(X, T[:, 0], loss='quantile')", cr.ShapeError, "broadcast to (20, 20)"),
    row(15, "regress(X, T[:, 0] ** 2, loss='poisson')", cr.ShapeError, "broadcast to (20, 20)"),
    row(15, "interval(T[:, 0])", cr.ShapeError, "Quantile((0.1, 0.5, 0.9))", "(20,)", "Reshape the targets to (20, 1)"),
    row(15, "interval(np.zeros((20, 3)))", cr.ShapeError, "targets of shape (20, 1)", "received (20, 3)"),
    row(15, "interval(T, net(4, 2))", cr.ShapeError, "each of 3 quantiles", "(20, 2)", "End the network in 3 outputs"),
    row(15, "interval(T, net(4, 1))", cr.ShapeError, "each of 3 quantiles", "(20, 1)"),
    row(17, "fit([[1, 2, 3, 4], [1, 2, 3]], [0, 1])", cr.DataError, "row 1 has 3, row 0 has 4"),
    row(17, "fit(X[:2], [[0], [1, 2]])", cr.ChainruleError, "row 1 has 2, row 0 has 1"),
    row(18, "net(10**7, 10**7)", cr.ConfigurationError, "800,000 GB", "Make it narrower"),
    row(18, "net(10**10, 10**10)", cr.ConfigurationError, "GB", "Make it narrower"),
    row(19, "fit(put(X, (3, 1), np.nan))", cr.DataError, "Input x contains NaN", "row 3, column 1", "SimpleImputer"),
    row(19, "softmax().predict(put(X, (3, 1), np.nan))", cr.DataError, "contains NaN", "row 3, column 1"),
    row(19, "softmax().accuracy(put(X, (3, 1), np.nan), Y)", cr.DataError, "contains NaN"),
    row(19, "softmax().evaluate(put(X, (3, 1), np.nan), Y, cr.CrossEntropy())", cr.DataError, "NaN"),
    row(19, "fit(validation=(put(X, (3, 1), np.nan), Y))", cr.DataError, "validation x contains NaN", "row 3"),
    row(19, "fit(sparse(put(X, (3, 1), np.nan)))", cr.DataError, "contains NaN", "row 3"),
    row(20, "fit(put(X, (3, 1), -np.inf))", cr.DataError, "contains infinity", "row 3, column 1"),
    row(20, "softmax().predict(put(X, (3, 1), np.inf))", cr.DataError, "infinity"),
    row(21, "regress(X, put(T, (2, 0), np.nan))", cr.DataError, "Input y contains NaN", "row 2"),
    row(21, "regress(X, put(T, (2, 0), np.inf))", cr.DataError, "Input y contains", "infinity", "row 2"),
    row(21, "fit(X, put(Y, 2, np.nan))", cr.LabelError, "row 2 has nan"),
    row(21, "fit(X, put(Y, 2, np.inf))", cr.LabelError, "whole numbers", "row 2 has inf"),
    row(21, "fit(X, put(np.eye(3)[Y], (2, 0), np.nan))", cr.LabelError, "row 2", "nan"),
    row(21, "yes_no(put(Y > 0, 2, np.nan))", cr.DataError, "Input y contains NaN", "row 2"),
    row(21, "interval(put(T, (2, 0), np.nan))", cr.DataError, "Input y contains NaN", "row 2"),
    row(21, "regress(X, put(T ** 2, (2, 0), np.nan), loss='poisson')", cr.DataError, "Input y contains NaN", "row 2"),
    row(25, "fit(put(X, (3, 1), 1e39))", cr.DataError, "1e+39", "too large for float32", "row 3, column 1"),
    row(25, "softmax().predict(put(X, (3, 1), 1e39))", cr.DataError, "1e+39"),
    row(25, "regress(X, put(T, (2, 0), 1e39))", cr.DivergenceError, "SquaredError()", "scale the inputs and targets"),
    row(26, "regress(X, 1e6 * T ** 2, loss='poisson', optimizer=cr.SGD(1.0), batch_size=5)", cr.DivergenceError,
        "became inf", "Poisson()"),
    row(27, "cr.CrossEntropy(from_probabilities=True)(X, Y)", cr.DataError, "probabilities, but row 0 is", "Softmax()"),
    row(27, "cr.Poisson(log_input=False)(T, T ** 2)", cr.DataError, "rates of at least 0", "Use Poisson()"),
    row(33, "regress(X, put(T, (2, 0), 1e30))", cr.DivergenceError, "SquaredError()", "scale the inputs and targets"),
    row(34, "fit(np.full((20, 4), 'a', object))", cr.DataError, "x: expected numbers", "row 0, column 0", "'a'"),
    row(34, "fit(X.astype(str))", cr.DataError, "x: expected numbers", "np.array(x).astype(float)"),
    row(35, "fit(X + 0j)", cr.DataError, "Complex data not supported", "x.real"),
    row(35, "fit(sparse(X + 0j))", cr.DataError, "Complex data not supported"),
    row(35, "fit(X, Y + 0j)", cr.DataError, "targets", "complex128", ".real"),
    row(36, "fit([[None, 1, 2, 3]] * 20)", cr.DataError, "NaN", "row 0, column 0"),
    row(36, "fit(X, [None] * 20)", cr.LabelError, "row 0 has nan"),
    row(36, "fit(np.full((20, 4), 'NaT', 'M8[s]'))", cr.DataError, "datetime64"),
    row(37, "fit(X, Y + 1)", cr.LabelError, "labels must be 0..2", "received 1..3", "y - 1. Any other labels"),
    row(37, "fit(X, Y + 5)", cr.LabelError, "received 5..7", "np.unique(y, return_inverse=True)"),
    row(37, "softmax().accuracy(X, Y + 1)", cr.LabelError, "0..2"),
    row(38, "fit(X, Y - 1)", cr.LabelError, "received -1..1", "np.unique"),
    row(38, "yes_no(np.where(Y > 0, 1, -1))", cr.LabelError, "0..1", "(y + 1) / 2"),
    row(38, "regress(X, -1 - T ** 2, loss='poisson')", cr.LabelError, "at least 0", "row 0 has -1.", "SquaredError"),
    row(39, "fit(X, Y + 0.5)", cr.LabelError, "whole numbers", "row 0 has 0.5", "SquaredError"),
    row(40, "fit(X, Y.astype(str))", cr.LabelError, "text", ".astype(int)", "np.unique"),
    row(40, "fit(X, list('01' * 10))", cr.LabelError, "the first is '0'", ".astype(int)"),
    row(40, "fit(X, ['cat'] * 20)", cr.LabelError, "'cat'", "np.unique(y, return_inverse=True)"),
    row(40, "fit(X, [b'5'] * 20)", cr.LabelError, "5", ".astype(int)"),
    row(40, "softmax().accuracy(X, ['5'] * 20)", cr.LabelError, "'5'", ".astype(int)"),
    row(40, "regress(X, [['0.5']] * 20)", cr.LabelError, ".astype(float)"),
    row(40, "regress(X, [['3']] * 20, loss='poisson')", cr.LabelError, ".astype(int)"),
    row(40, "interval([['0.5']] * 20)", cr.LabelError, ".astype(float)"),
    row(42, "fit(X, np.eye(4)[Y])", cr.ShapeError, "(20, 3)", "(20, 4)", "one-hot"),
    row(43, "fit(X, Y, net(4, 3), 'binary_cross_entropy')", cr.ShapeError, "(20, 3)", "(20,)", "Labels of classes?"),
    row(44, "fit(X, np.ones((20, 3)))", cr.LabelError, "sum to 1", "row 0", "BinaryCrossEntropy"),
    row(50, "fit(validation=(X, Y + 1))", cr.LabelError, "received 1..3"),
    row(52, "cr.MSE()(T, T, weights=[1, 2])", cr.ShapeError, "weights", "(20,)", "(2,)"),
    row(52, "cr.MSE()(T, T, weights=T)", cr.ShapeError, "weights", "(20,)", "(20, 1)"),
    row(52, "cr.MSE()(T, T, weights=-np.ones(20))", cr.DataError, "weights", "at least 0"),
    row(52, "cr.MSE()(T, T, weights=np.full(20, np.nan))", cr.DataError, "weights", "finite"),
    row(52, "cr.MSE()(T, T, weights=np.zeros(20))", cr.DataError, "weights", "not all 0"),
    row(52, "cr.MSE()(T[:2], T[:2], weights=[[1], [1, 2]])", cr.ChainruleError, "weights"),
    row(58, "fit(pandas().DataFrame({'a': ['x'] * 20, 'b': 1}))", cr.DataError, "x"),
    row(59, "of(cr.Rescale(2.0), cr.Linear(4, 3))(sparse())", cr.DataError, "sparse", "Rescale(2.0)", "x.toarray()"),
    row(59, "fit(sparse(), Y, of(cr.Rescale(2.0), cr.Linear(4, 3)))", cr.DataError, "sparse"),
    row(59, "fit(sparse(), Y, of(cr.Dropout(), cr.Linear(4, 3)))", cr.DataError, "sparse"),
    row(59, "fit(sparse(), Y, of(cr.BatchNorm(), cr.Linear(4, 3)))", cr.DataError, "sparse"),
    row(59, "fit(sparse(), Y, of(cr.Standardize(), cr.Linear(4, 3)))", cr.DataError, "sparse", "Standardize()"),
    row(59, "fit(X, sparse(np.eye(3)[Y]))", cr.ChainruleError, "targets", "toarray()"),
    row(60, "fit(torch().tensor(X, requires_grad=True))", cr.DataError, "detach()"),
    row(60, "regress(X, torch().tensor(T, requires_grad=True))", cr.ChainruleError, "detach()"),
    row(66, "fit(np.ma.masked_less(X, 0))", cr.DataError, "masked", "filled"),
    row(66, "net()(np.ma.masked_less(X, 0))", cr.DataError, "masked"),
    row(66, "fit(X, np.ma.masked_equal(Y, 1))", cr.DataError, "targets", "masked", "filled"),
    row(67, "fit(np.zeros((20, 4), 'm8[D]'))", cr.DataError, "timedelta64"),
    row(67, "fit(np.zeros(20, 'f4,f4,f4,f4'))", cr.DataError, "f4"),
    row(67, "fit(X, np.zeros(20, 'M8[D]'))", cr.DataError, "targets", "datetime64"),
    row(70, "fit((r for r in X), Y)", cr.DataError, "x", "generator", "np.stack(list("),
    row(70, "fit(X, (y for y in Y))", cr.DataError, "targets", "generator"),
    row(71, "fit(optimizer=cr.SGD(-0.1))", cr.ConfigurationError, "learning_rate", "-0.1"),
    row(71, "fit(optimizer=cr.SGD(float('nan')))", cr.ConfigurationError, "learning_rate", "nan"),
    row(71, "fit(optimizer=cr.Adam(float('inf')))", cr.ConfigurationError, "learning_rate", "inf"),
    row(71, "fit(optimizer=cr.SGD('0.1'))", cr.ConfigurationError, "learning_rate", "'0.1'"),
    row(72, "fit(epochs=-1)", cr.ConfigurationError, "epochs", "received -1"),
    row(72, "fit(epochs=1.5)", cr.ConfigurationError, "epochs", "whole number"),
    row(73, "cr.Dropout(1.0)", cr.ConfigurationError, "Dropout: probability", "[0, 1)", "1.0"),
    row(73, "cr.Dropout(-0.1)", cr.ConfigurationError, "[0, 1)"),
    row(73, "cr.Dropout(float('nan'))", cr.ConfigurationError, "nan"),
    row(74, "cr.SGD(0.1, momentum=1)", cr.ConfigurationError, "momentum", "[0, 1)"),
    row(74, "cr.Adam(beta1=1)", cr.ConfigurationError, "beta1", "[0, 1)"),
    row(74, "cr.Adam(epsilon=0)", cr.ConfigurationError, "epsilon", "(0, inf)"),
    row(74, "cr.Huber(0)", cr.ConfigurationError, "delta", "(0, inf)", "received 0"),
    row(74, "cr.Huber(float('nan'))", cr.ConfigurationError, "delta", "nan"),
    row(74, "cr.Quantile(1)", cr.ConfigurationError, "quantiles", "(0, 1)", "received 1"),
    row(74, "cr.Quantile(90)", cr.ConfigurationError, "quantiles", "(0, 1)", "received 90"),
    row(74, "cr.Quantile((0.1, 1.0))", cr.ConfigurationError, "quantiles", "(0, 1)", "received 1.0"),
    row(74, "cr.Quantile(())", cr.ConfigurationError, "at least one quantile", "(0.1, 0.9)"),
    row(74, "cr.Quantile('0.5')", cr.ConfigurationError, "quantiles", "received '0.5'"),
    row(74, "cr.Quantile(None)", cr.ConfigurationError, "quantiles", "received None"),
    row(75, "cr.MLP([4, 3, 2], 'rleu')", cr.ConfigurationError, "activation 'rleu'", "Did you mean 'relu'?", "tanh"),
    row(75, "cr.Network(cr.Linear(4, 3, initializer='hee'))", cr.ConfigurationError, "Did you mean 'he'?", "lecun"),
    row(75, "cr.Network(cr.Linear(4, 3, initializer=5))", cr.ConfigurationError, "initializer"),
    row(75, "cr.MLP([4, 3, 2], cr.Tanh)", cr.ConfigurationError, "activation", "Tanh", "Add brackets"),
    row(75, "fit(optimizer='adma')", cr.ConfigurationError, "Did you mean 'adam'?", "sgd"),
    row(75, "fit(loss='crossentropy')", cr.ConfigurationError, "Did you mean 'cross_entropy'?"),
    row(75, "fit(loss=cr.CrossEntropy)", cr.ConfigurationError, "loss", "CrossEntropy", "Add brackets"),
    row(75, "fit(optimizer=cr.SGD)", cr.ConfigurationError, "optimizer", "SGD", "Add brackets"),
    row(75, "fit(optimizer=None)", cr.ConfigurationError, "optimizer"),
    row(75, "fit(assign={'loss': 'mse'})", cr.ShapeError, "SquaredError", "(20, 3)", "(20,)"),
    row(75, "fit(assign={'loss': 'msee'})", cr.ConfigurationError, "Did you mean 'mse'?"),
    row(75, "fit(assign={'optimizer': 0.1})", cr.ConfigurationError, "optimizer", "received 0.1"),
    row(75, "cr.Trainer([cr.Linear(4, 3)], 'mse')", cr.ConfigurationError, "expected a network",
        "[Linear(4, 3)]"),
    row(75, "net(output='soft')", cr.ConfigurationError, "Did you mean 'softmax'?"),
    row(76, "cr.MLP([4, 3], activaton='relu')", cr.ConfigurationError, "Did you mean 'activation'?"),
    row(76, "fit(batchsize=3)", cr.ConfigurationError, "Did you mean 'batch_size'?"),
    row(76, "fit(validation=(X, Y, Y, Y))", cr.ChainruleError, "validation"),
    row(76, "fit(validation=0.2)", cr.ChainruleError, "validation"),
    row(75, "fit(loss='poison')", cr.ConfigurationError, "Did you mean 'poisson'?"),
    row(76, "cr.Poisson(False)", TypeError, "positional"),
    row(77, "unbuilt().predict(X)", cr.NotBuiltError, "not built", "Linear(784, 128)", "fit"),
    row(77, "net().predict_proba(X)", cr.ConfigurationError, "does not know its task", "output='softmax'"),
    row(77, "cr.Linear(4, 3)(X)", cr.NotBuiltError, "build"),
    row(77, "cr.BatchNorm()(X)", cr.NotBuiltError, "build"),
    row(77, "unbuilt().forward(X)", cr.NotBuiltError, "build"),
    row(78, "net().backward(np.zeros((20, 3)), [])", cr.ChainruleError, "forward"),
    row(80, "fit(X, Y, of(cr.Linear(4, 3), cr.Softmax()))", cr.ConfigurationError, "softmax again", "drop the layer"),
    row(80, "fit(loss=cr.CrossEntropy(from_probabilities=True))", cr.ConfigurationError, "Softmax()", "add it"),
    row(80, "fit(X, Y > 0, of(cr.Linear(4, 1), cr.Sigmoid()), 'binary_cross_entropy')", cr.ConfigurationError,
        "Sigmoid", "logits", "drop the layer"),
    row(80, "fit(X, np.eye(3)[Y], of(cr.Linear(4, 3), cr.Softmax()), 'binary_cross_entropy')", cr.ConfigurationError,
        "Softmax"),
    row(80, "fit(X, T ** 2, of(cr.Linear(4, 1), cr.Sigmoid()), 'poisson')", cr.ConfigurationError, "log rates", "drop"),
    row(81, "fit(X, Y, net(4, 1))", cr.ShapeError, "softmax over 1 output is always 1", "BinaryCrossEntropy"),
    row(81, "yes_no(Y)", cr.LabelError, "0..2", "CrossEntropy"),
    row(82, "fit(X, Y, net(4, 2))", cr.LabelError, "0..1 for 2 outputs", "received 0..2"),
    row(82, "fit(X, Y, net(output='sigmoid'))", cr.ConfigurationError, "'sigmoid'", "'softmax'"),
    row(82, "fit(X, T, net(4, 1, output='exp'), 'mse')", cr.ConfigurationError, "'exp'", "teaches 'identity'"),
    row(82, "fit(X, T, net(4, 1, output='identity'), 'poisson')", cr.ConfigurationError, "'identity'", "teaches 'exp'"),
]  # fmt: skip  # fmt: skip


@pytest.fixture(autouse=True)
def _forget():
    MADE.clear()


@pytest.mark.parametrize(("code", "error", "texts"), REFUSED)
@pytest.mark.filterwarnings("ignore:targets have mean")
def test_refused(code, error, texts):
    with pytest.raises(Exception) as caught:
        eval(code, vars(twenty_rows).copy())
    message = str(caught.value)
    assert isinstance(caught.value, error), f"{type(caught.value).__name__}: {message}"
    assert isinstance(caught.value, (cr.ChainruleError, TypeError))
    assert [text for text in texts if text not in message] == [], message
    for thing, before in MADE:
        assert remember(thing) == before, f"{type(thing).__name__} was changed by what it refused"


# Refused data leaves no trace -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [X * np.nan, np.zeros((20, 2, 2)), X[:0]], ids=["NaN", "images", "empty"])
def test_refused_data_does_not_build_the_network(x):
    network = unbuilt()
    with pytest.raises(cr.ChainruleError):
        fit(x, Y, network)
    assert (network.in_shape, network.out_shapes) == (None, ())
    fit(X, Y, network)


def test_refused_data_does_not_decide_the_task():
    network = net()
    with pytest.raises(cr.ShapeError):
        fit(X, Y, network, "mse")
    fit(X, Y, network, "cross_entropy")


def test_a_build_that_failed_can_be_tried_again():
    network = of(cr.Linear(out_features=5), cr.Flatten(), cr.Linear(5, 3))
    with pytest.raises(cr.ShapeError, match="change its width"):
        network.build((2, 5))
    network.build((4,))


# The list -------------------------------------------------------------------------------------------------------------

NOT_HERE = {
    4: "not applicable: images are (N, H, W, C) and nothing else",
    16: "not applicable yet: no convolution, no pooling",
    **dict.fromkeys((26, 27, 28, 29), "test_losses.py and layers/test_activations.py; no guess at probabilities"),
    30: "layers/test_preprocessing.py, test_contract.py",
    **dict.fromkeys((46, 47, 48, 51, 53), "estimators and splitting, not built yet; class weights are sample weights"),
    68: "documented, not warned about: float32 keeps 24 bits",
    79: "test_building.py",
    85: "test_building.py",
    **dict.fromkeys((87, 88, 89, 90), "processes, validation_split and EarlyStopping: not built yet"),
}


def test_every_row_of_the_list_is_here_or_has_a_reason():
    here = Path(__file__)
    source = "".join(file.read_text(encoding="utf-8") for file in (here, here.with_name("test_odd_but_right_input.py")))
    found = {int(p.id.split()[0]) for p in REFUSED} | set(NOT_HERE)
    for table in (SAME_X, SAME_Y, WORKS):
        found |= {int(name.split()[0]) for name in table if name[0].isdigit()}
    for name in source.split("\ndef test_")[1:]:
        found |= {int(part) for part in name.split("(")[0].split("_") if part.isdigit()}
    assert set(range(1, 91)) - found == set()
