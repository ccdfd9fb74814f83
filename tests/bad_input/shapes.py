"""Rows 1 to 18, shapes and batches: an array of the wrong shape is told what shape it needs, and how to get it."""

import chainrule as cr
from bad_input.row import refused, right, row

ROWS = [
    row(
        1,
        "x with one axis",
        refused("softmax().predict(X[0])", cr.ShapeError, "(N, 4)", "(4,)", "x[None]"),
        refused("net()(np.arange(9.0))", cr.ShapeError, "Expected 2D array, got 1D array instead", "x.reshape(-1, 1)"),
        refused("fit(np.arange(9.0), Y)", cr.DataError, "x and its targets", "[9, 20]"),
        refused("fit(np.arange(20.0), Y)", cr.ShapeError, "Expected 2D array", "x.reshape(1, -1)"),
        refused("fit(np.arange(20.0), Y, unbuilt())", cr.ShapeError, "Expected 2D array", "x.reshape(-1, 1)"),
        refused("net()(3.0)", cr.ShapeError, "(N, 4)", "()"),
        refused("fit(range(20), Y)", cr.ShapeError, "Expected 2D array, got 1D array instead"),
        refused("net().forward(X[0])", cr.ShapeError, "(N, 4)", "x[None]"),
    ),
    row(
        2,
        "images where flat rows belong",
        refused("fit(np.zeros((20, 2, 2)))", cr.ShapeError, "(20, 2, 2)", "x.reshape(len(x), 4)", "Flatten()"),
        refused("fit(np.zeros((20, 2, 2, 1)))", cr.ShapeError, "(20, 2, 2, 1)", "Flatten()"),
        refused("fit(np.zeros((20, 2, 2)), Y, unbuilt())", cr.ShapeError, "(N, K)", "(20, 2, 3)", "Flatten()"),
    ),
    row(
        3,
        "images without an axis for the channels",
        refused(
            "of(cr.Flatten(), in_shape=(4, 4, 1))(np.zeros((5, 4, 4)))", cr.ShapeError, "(N, 4, 4, 1)", "(5, 4, 4)"
        ),
        refused(
            "of(cr.Flatten(), in_shape=(4, 4, 3))(np.zeros((5, 4, 4)))",
            cr.ShapeError,
            "axis of 3 channels is missing",
            "np.repeat(x[..., None], 3, axis=-1)",
        ),
        refused(
            "of(cr.Flatten(), in_shape=(4, 5, 3))(np.zeros((5, 6, 7, 3)))", cr.ShapeError, "built for images of 4 x 5"
        ),
    ),
    row(
        4,
        "images whose channels come first, or whose rows and columns are exchanged",
        refused(
            "of(cr.Flatten(), in_shape=(4, 5, 3))(np.zeros((5, 3, 4, 5)))",
            cr.ShapeError,
            "(N, H, W, C)",
            "x.transpose(0, 2, 3, 1)",
        ),
        refused(
            "of(cr.Flatten(), in_shape=(4, 5, 3))(np.zeros((5, 5, 4, 3)))", cr.ShapeError, "x.transpose(0, 2, 1, 3)"
        ),
        later="issue 7: convolutions themselves",
    ),
    row(
        5,
        "another number of features than the network has",
        refused("softmax().predict(X[:, :3])", cr.ShapeError, "(N, 4)", "(20, 3)"),
        refused("net().forward(X[:, :3])", cr.ShapeError, "x has 3 features, but the network expects 4"),
        later="estimators: scikit-learn's words",
    ),
    row(
        6,
        "no rows",
        refused("fit(X[:0], Y[:0])", cr.DataError, "0 sample(s)", "(0, 4)", "minimum of 1"),
        refused("softmax().accuracy(X[:0], Y[:0])", cr.ShapeError, "at least 1", "(0, 3)"),
        refused("softmax().evaluate(X[:0], Y[:0], cr.CrossEntropy())", cr.ShapeError, "at least 1", "(0, 3)"),
        right("softmax().predict_proba(X[:0]).shape == (0, 3)"),
        refused("fit([], [])", cr.DataError, "0 sample(s)"),
    ),
    row(
        7,
        "no features",
        refused("fit(X[:, :0])", cr.DataError, "0 feature(s) (shape=(20, 0))"),
        refused("fit(X[:, :0], Y, unbuilt())", cr.DataError, "0 feature(s) (shape=(20, 0))"),
        refused("fit([[], []], [0, 1])", cr.DataError, "0 feature(s) (shape=(2, 0))"),
    ),
    row(
        8,
        "one row",
        right("len(fit(X[:1], Y[:1])) == 1"),
        later="estimators: validation_fraction",
    ),
    row(
        9,
        "a batch of one row for BatchNorm",
        refused("fit(X[:1], Y[:1], batch_norm())", cr.ConfigurationError, "1 row", "BatchNorm", "batch_size"),
        refused("fit(X, Y, batch_norm(), batch_size=19)", cr.ConfigurationError, "batches of 19", "BatchNorm"),
    ),
    row(
        10,
        "rows that do not fill the last batch",
        elsewhere=(
            "test_odd_but_right_input.py::test_10_the_last_short_batch_counts_by_its_rows",
            "test_training.py::test_the_loss_of_an_epoch_is_weighted_by_rows",
        ),
    ),
    row(
        11,
        "a batch larger than the data: all rows at once, and no warning, which the default of 32 would give too often",
        right("len(fit(batch_size=1000).steps['loss']) == 1"),
    ),
    row(
        12,
        "a batch size that is no whole number above 0",
        refused("fit(batch_size=0)", cr.ConfigurationError, "batch_size", "[1, inf)", "received 0"),
        refused("fit(batch_size=-1)", cr.ConfigurationError, "received -1"),
        refused("fit(batch_size=32.0)", cr.ConfigurationError, "whole number", "received 32.0"),
        refused("fit(batch_size='32')", cr.ConfigurationError, "received '32'"),
        refused("fit(batch_size=True)", cr.ConfigurationError, "received True"),
        refused("fit(assign={'batch_size': 0})", cr.ConfigurationError, "batch_size"),
        refused("fit(assign={'batch_size': 2.5})", cr.ConfigurationError, "batch_size"),
        refused("fit(assign={'batch_size': -7})", cr.ConfigurationError, "received -7"),
        right("len(fit(batch_size=np.int64(7)).steps['loss']) == 3"),
    ),
    row(
        13,
        "x and y of different lengths",
        refused("fit(X, Y[:19])", cr.DataError, "inconsistent numbers of samples: [20, 19]"),
        refused("fit(validation=(X[:3], Y[:2]))", cr.DataError, "validation", "[3, 2]"),
        refused("softmax().accuracy(X, Y[:19])", cr.ShapeError, "(20,)", "(19,)"),
    ),
    row(
        14,
        "labels as a column",
        refused("fit(X, Y[:, None])", cr.ShapeError, "(20, 1)", "y.ravel()"),
        refused("softmax().accuracy(X, Y[:, None])", cr.ShapeError, "(20, 1)", "y.ravel()"),
        refused("softmax().accuracy(X, np.zeros((20, 7)))", cr.ShapeError, "(20, 7)"),
        refused("fit(X, pandas().DataFrame({'y': Y}))", cr.ShapeError, "(20, 1)", "y.ravel()"),
        later="estimators: ravelled with a warning",
    ),
    row(
        15,
        "targets that would broadcast against the outputs",
        refused(
            "regress(X, T[:, 0])", cr.ShapeError, "(20,)", "broadcast to (20, 20)", "Reshape the targets to (20, 1)"
        ),
        refused("net(4, 1).evaluate(X, T[:, 0], cr.MSE())", cr.ShapeError, "broadcast to (20, 20)"),
        refused("regress(X, np.zeros((20, 2)))", cr.ShapeError, "(20, 1)", "(20, 2)"),
        refused("regress(X, T[:, 0], loss='mae')", cr.ShapeError, "broadcast to (20, 20)", "to (20, 1)"),
        refused("regress(X, T[:, 0], loss='huber')", cr.ShapeError, "broadcast to (20, 20)"),
        refused("regress(X, T[:, 0], loss='quantile')", cr.ShapeError, "broadcast to (20, 20)"),
        refused("regress(X, T[:, 0] ** 2, loss='poisson')", cr.ShapeError, "broadcast to (20, 20)"),
        refused(
            "interval(T[:, 0])", cr.ShapeError, "Quantile((0.1, 0.5, 0.9))", "(20,)", "Reshape the targets to (20, 1)"
        ),
        refused("interval(np.zeros((20, 3)))", cr.ShapeError, "targets of shape (20, 1)", "received (20, 3)"),
        refused(
            "interval(T, net(4, 2))", cr.ShapeError, "each of 3 quantiles", "(20, 2)", "End the network in 3 outputs"
        ),
        refused("interval(T, net(4, 1))", cr.ShapeError, "each of 3 quantiles", "(20, 1)"),
        right("len(regress(X, pandas().DataFrame({'y': T[:, 0]}))) == 1"),
    ),
    row(
        16,
        "a kernel larger than its image",
        later="issue 7",
    ),
    row(
        17,
        "rows of different lengths",
        refused("fit([[1, 2, 3, 4], [1, 2, 3]], [0, 1])", cr.DataError, "row 1 has 3, row 0 has 4"),
        refused("fit(X[:2], [[0], [1, 2]])", cr.ChainruleError, "row 1 has 2, row 0 has 1"),
        refused("fit([[[1, 2], [3]], [[1, 2], [3, 4]]], [0, 1])", cr.DataError, "in row 0", "row 1 has 1, row 0 has 2"),
        refused("fit([[1, 2, 3, 4], 5], [0, 1])", cr.DataError, "row 1 is no row, row 0 has 4"),
        refused("fit([[[1, 2]], [[1, 2, 3]]], [0, 1])", cr.DataError, "cannot be read as an array", "Do all rows hold"),
        refused("fit((X, Y), Y)", cr.DataError, "cannot be read as an array"),
    ),
    row(
        18,
        "layers too wide for any memory",
        refused("net(10**7, 10**7)", cr.ConfigurationError, "800,000 GB", "Make it narrower"),
        refused("net(10**10, 10**10)", cr.ConfigurationError, "GB", "Make it narrower"),
    ),
]
