"""Rows 37 to 54, labels and weights: what a loss cannot read is refused with the line that mends it."""

import chainrule as cr
from bad_input.row import refused, right, row

ROWS = [
    row(
        37,
        "labels from 1",
        refused("fit(X, Y + 1)", cr.LabelError, "labels must be 0..2", "received 1..3", "y - 1. Any other labels"),
        refused("fit(X, Y + 5)", cr.LabelError, "received 5..7", "np.unique(y, return_inverse=True)"),
        refused("softmax().accuracy(X, Y + 1)", cr.LabelError, "0..2"),
        later="estimators: any labels",
    ),
    row(
        38,
        "labels below 0",
        refused("fit(X, Y - 1)", cr.LabelError, "received -1..1", "np.unique"),
        refused("yes_no(np.where(Y > 0, 1, -1))", cr.LabelError, "0..1", "(y + 1) / 2"),
        refused(
            "regress(X, -1 - T ** 2, loss='poisson')", cr.LabelError, "at least 0", "row 0 has -1.", "SquaredError"
        ),
        refused("fit(X, np.full(20, 2**64 - 1, np.uint64))", cr.LabelError, "received 18446744073709551615"),
        refused("fit(X, [10**30] * 20)", cr.LabelError, "labels must be 0..2", "received 1000000000"),
        later="estimators: any labels",
    ),
    row(
        39,
        "labels written as floats",
        refused("fit(X, Y + 0.5)", cr.LabelError, "whole numbers", "row 0 has 0.5", "SquaredError"),
        elsewhere=("test_odd_but_right_input.py::test_same_labels_same_network",),
    ),
    row(
        40,
        "labels that are text",
        refused(
            "fit(X, Y.astype(str))", cr.LabelError, "text (the first is", "expected numbers: np.array(y).astype(int)."
        ),
        refused("fit(X, list('01' * 10))", cr.LabelError, "the first is '0'", ".astype(int)"),
        refused(
            "fit(X, ['cat'] * 20)",
            cr.LabelError,
            "'cat'), expected numbers: names, y = np.unique(y, return_inverse=True).",
        ),
        refused("fit(X, [b'5'] * 20)", cr.LabelError, "5", ": np.array(y).astype(int)."),
        refused("softmax().accuracy(X, ['5'] * 20)", cr.LabelError, "'5'", ".astype(int)"),
        refused("regress(X, [['0.5']] * 20)", cr.LabelError, "expected numbers: np.array(y).astype(float)."),
        refused("regress(X, [['3']] * 20, loss='poisson')", cr.LabelError, ".astype(int)"),
        refused("interval([['0.5']] * 20)", cr.LabelError, ".astype(float)"),
        refused(
            "fit(X, pandas().Series(list('abab') * 5, dtype='category'))",
            cr.LabelError,
            "the first is 'a'",
            "np.unique",
        ),
        refused("fit(X, pandas().Series(list('abab') * 5))", cr.LabelError, "the first is 'a'"),
        later="estimators: classes_",
    ),
    row(
        41,
        "truth values as labels",
        right("np.isfinite(yes_no(Y > 0)['loss'][0])"),
        elsewhere=("test_odd_but_right_input.py::test_same_labels_same_network",),
    ),
    row(
        42,
        "one-hot rows where labels may be: both are read",
        refused("fit(X, np.eye(4)[Y])", cr.ShapeError, "(20, 3)", "(20, 4)", "one-hot"),
        elsewhere=("test_odd_but_right_input.py::test_same_labels_same_network",),
    ),
    row(
        43,
        "labels where rows of answers belong",
        refused(
            "fit(X, Y, net(4, 3), 'binary_cross_entropy')", cr.ShapeError, "(20, 3)", "(20,)", "Labels of classes?"
        ),
        refused("softmax().evaluate(X, Y, 'mse')", cr.ShapeError, "Use CrossEntropy, or one_hot(y)"),
    ),
    row(
        44,
        "rows that do not sum to 1",
        refused("fit(X, np.ones((20, 3)))", cr.LabelError, "sum to 1", "row 0", "BinaryCrossEntropy"),
        right("np.isfinite(fit(X, np.full((20, 3), 1 / 3))['loss'][0])"),
    ),
    row(
        45,
        "one class alone",
        right("np.isfinite(fit(X, Y * 0)['loss'][0])"),
        later="estimators: their own check",
    ),
    row(
        46,
        "a batch in which a class is missing",
        right("np.isfinite(fit(X, Y % 2)['loss'][0])"),
        later="estimators: partial_fit",
    ),
    row(
        47,
        "a class that comes later",
        refused(
            "(t := cr.Trainer(cr.MLP([4, 3]), 'cross_entropy')).fit(X, Y) and t.fit(X, Y + 1)",
            cr.LabelError,
            "labels must be 0..2",
        ),
        later="estimators: partial_fit",
    ),
    row(
        48,
        "as many classes as rows",
        later="estimators: the warning",
    ),
    row(
        49,
        "several answers at once",
        right("fit(X, X[:, :3] > 0, None, 'binary_cross_entropy')['accuracy'][0] <= 1"),
        later="estimators: partial_fit",
    ),
    row(
        50,
        "a class that only validation has",
        refused("fit(validation=(X, Y + 1))", cr.LabelError, "received 1..3"),
        right("fit(X, Y % 2, validation=(X, Y))['validation_accuracy'][0] <= 1"),
    ),
    row(
        51,
        "a class of one row in a stratified split",
        later="estimators: no split of today is stratified",
    ),
    row(
        52,
        "weights that are not one number of at least 0 a row",
        refused("cr.MSE()(T, T, weights=[1, 2])", cr.ShapeError, "weights", "(20,)", "(2,)"),
        refused("cr.MSE()(T, T, weights=T)", cr.ShapeError, "weights", "(20,)", "(20, 1)"),
        refused("cr.MSE()(T, T, weights=-np.ones(20))", cr.DataError, "weights", "at least 0"),
        refused("cr.MSE()(T, T, weights=np.full(20, np.nan))", cr.DataError, "weights", "finite"),
        refused("cr.MSE()(T, T, weights=np.zeros(20))", cr.DataError, "weights", "not all 0"),
        refused("cr.MSE()(T[:2], T[:2], weights=[[1], [1, 2]])", cr.ChainruleError, "weights"),
        refused("weigh(np.ones(19))", cr.ShapeError, "weights", "(20,)", "(19,)"),
        refused("weigh(-np.ones(20))", cr.DataError, "at least 0"),
        refused("weigh(np.zeros(20))", cr.DataError, "not all 0"),
        refused("weigh({})", cr.DataError, "weights", "received {}"),
        refused("weigh(np.full(20, 1e-60))", cr.DataError, "not all 0"),
        refused("weigh(np.full(20, 1e60))", cr.DataError, "finite"),
        elsewhere=(
            "test_weights.py::test_rows_of_weight_zero_are_as_if_they_were_not_there",
            "test_losses.py::test_weight_two_is_the_row_twice_and_weight_zero_is_the_row_left_out",
        ),
    ),
    row(
        53,
        "a weight for a class that is not there",
        refused("fit(class_weight={9: 1})", cr.ConfigurationError, "class 9 is unknown", "0 to 2"),
        refused("fit(class_weight={'a': 1})", cr.ConfigurationError, "class 'a' is unknown"),
        refused("fit(class_weight=[1, 2])", cr.ConfigurationError, "a list of 3 weights"),
        refused("fit(class_weight=5)", cr.ConfigurationError, "a list of 3 weights", "received 5"),
        refused("fit(class_weight='balance')", cr.ConfigurationError, "Did you mean 'balanced'?"),
    ),
    row(
        54,
        "y that is x",
        right("np.isfinite(fit(X, X, net(4, 4), 'mse')['loss'][0])"),
    ),
]
