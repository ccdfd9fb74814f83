"""Rows 19 to 36, values: what is not a finite real number is found with its place, and extreme numbers stay finite."""

import chainrule as cr
from bad_input.row import refused, right, row, warned

ROWS = [
    row(
        19,
        "NaN in x",
        refused(
            "fit(put(X, (3, 1), np.nan))", cr.DataError, "Input x contains NaN", "row 3, column 1", "SimpleImputer"
        ),
        refused("softmax().predict(put(X, (3, 1), np.nan))", cr.DataError, "contains NaN", "row 3, column 1"),
        refused("softmax().accuracy(put(X, (3, 1), np.nan), Y)", cr.DataError, "contains NaN"),
        refused("softmax().evaluate(put(X, (3, 1), np.nan), Y, cr.CrossEntropy())", cr.DataError, "NaN"),
        refused("fit(validation=(put(X, (3, 1), np.nan), Y))", cr.DataError, "validation x contains NaN", "row 3"),
        refused("fit(sparse(put(X, (3, 1), np.nan)))", cr.DataError, "contains NaN", "row 3"),
    ),
    row(
        20,
        "infinity in x",
        refused("fit(put(X, (3, 1), -np.inf))", cr.DataError, "contains infinity", "row 3, column 1"),
        refused("softmax().predict(put(X, (3, 1), np.inf))", cr.DataError, "infinity"),
    ),
    row(
        21,
        "NaN or infinity in y",
        refused("regress(X, put(T, (2, 0), np.nan))", cr.DataError, "Input y contains NaN", "row 2"),
        refused("regress(X, put(T, (2, 0), np.inf))", cr.DataError, "Input y contains", "infinity", "row 2"),
        refused("fit(X, put(Y, 2, np.nan))", cr.LabelError, "row 2 has nan"),
        refused("fit(X, put(Y, 2, np.inf))", cr.LabelError, "whole numbers", "row 2 has inf"),
        refused("fit(X, put(np.eye(3)[Y], (2, 0), np.nan))", cr.LabelError, "row 2", "nan"),
        refused("yes_no(put(Y > 0, 2, np.nan))", cr.DataError, "Input y contains NaN", "row 2"),
        refused("interval(put(T, (2, 0), np.nan))", cr.DataError, "Input y contains NaN", "row 2"),
        refused(
            "regress(X, put(T ** 2, (2, 0), np.nan), loss='poisson')", cr.DataError, "Input y contains NaN", "row 2"
        ),
    ),
    row(
        22,
        "a learning rate at which training diverges",
        elsewhere=(
            "test_odd_but_right_input.py::test_22_divergence_leaves_a_usable_network",
            "test_divergence.py::test_an_absurd_rate_is_caught_at_its_step_and_the_last_good_epoch_is_back",
            "test_divergence.py::test_the_first_bad_layer_is_named",
        ),
    ),
    row(
        23,
        "pixels that nothing scales",
        warned(
            "len(fit(np.full((20, 4), 255, 'uint8'))) == 1",
            cr.ChainruleWarning,
            "x reaches 255",
            "Rescale(0.00392)",
            "scale=1/255",
        ),
        right("len(fit(np.full((20, 4), 255, 'uint8'), Y, net(scale=1 / 255))) == 1"),
        right("len(fit(np.full((20, 4), 255, 'uint8'), Y, of(cr.Standardize(), cr.Linear(4, 3)))) == 1"),
    ),
    row(
        24,
        "unsigned numbers, which wrap around below 0",
        elsewhere=("test_odd_but_right_input.py::test_23_24_63_small_numbers_of_every_type",),
    ),
    row(
        25,
        "numbers beyond the network's dtype",
        refused("fit(put(X, (3, 1), 1e39))", cr.DataError, "1e+39", "too large for float32", "row 3, column 1"),
        refused("softmax().predict(put(X, (3, 1), 1e39))", cr.DataError, "1e+39"),
        refused(
            "regress(X, put(T, (2, 0), 1e39))", cr.DivergenceError, "SquaredError()", "scale the inputs and targets"
        ),
        right("np.isfinite(net(dtype='float64')(put(X, (3, 1), 1e39))).all()"),
    ),
    row(
        26,
        "huge, equal and masked logits",
        refused(
            "regress(X, 1e6 * T ** 2, loss='poisson', optimizer=cr.SGD(1.0), batch_size=5)",
            cr.DivergenceError,
            "became inf",
            "Poisson()",
        ),
        right(
            "all(np.isfinite(part).all() for s in (1e4, 1e30) for part in cr.CrossEntropy()(s * np.eye(3), [0, 1, 0]))"
        ),
        right("round(cr.CrossEntropy()(np.full((2, 3), 7.0), [0, 1])[0], 6) == 1.098612"),
        right("np.isfinite(cr.CrossEntropy()([[0, 1, -np.inf]], [0])[1]).all()"),
        refused(
            "cr.CrossEntropy()([[0, 1, -np.inf], [-np.inf] * 3], [0, 1])", cr.DataError, "row 1 is [-inf -inf -inf]"
        ),
        refused(
            "cr.CrossEntropy()([[0, 1], [np.nan, 0]], [0, 1])", cr.DataError, "outputs that are numbers, but row 1 is"
        ),
        refused("cr.BinaryCrossEntropy()([[np.inf]], [0])", cr.DataError, "row 0 is [inf]"),
    ),
    row(
        27,
        "probabilities where logits belong, and logits where probabilities do",
        refused(
            "cr.CrossEntropy(from_probabilities=True)(X, Y)", cr.DataError, "probabilities, but row 0 is", "Softmax()"
        ),
        refused("cr.Poisson(log_input=False)(T, T ** 2)", cr.DataError, "rates of at least 0", "Use Poisson()"),
        warned(
            "cr.CrossEntropy()(cr.softmax(X), Y)[0] > 0", cr.ChainruleWarning, "sums to 1", "from_probabilities=True"
        ),
        warned("len(fit(network=of(cr.Linear(4, 3), OwnSoftmax()))) == 1", cr.ChainruleWarning, "sums to 1"),
    ),
    row(
        28,
        "a sigmoid of numbers whose exponential overflows",
        right("cr.sigmoid(np.array([-1000.0, 1000.0, -1e308, 1e308])).tolist() == [0, 1, 0, 1]"),
        right("cr.Sigmoid()(np.array([[-1000, 1000]])).tolist() == [[0, 1]]"),
    ),
    row(
        29,
        "certain answers under binary cross-entropy",
        right("cr.BinaryCrossEntropy()([[1e4], [-1e4]], [0, 1])[0] == 1e4"),
        right("cr.CrossEntropy(from_probabilities=True)([[0.0, 1.0]], [0])[0] > 700"),
    ),
    row(
        30,
        "a feature that never changes",
        right("np.isfinite(fit(X * 0 + 7, Y, of(cr.Standardize(), cr.Linear(4, 3)))['loss']).all()"),
        right("np.isfinite(fit(X * 0 + 7, Y, of(cr.BatchNorm(), cr.Linear(4, 3)))['loss']).all()"),
    ),
    row(
        31,
        "nothing but zeros",
        right("np.isfinite(fit(X * 0)['loss'][0])"),
    ),
    row(
        32,
        "numbers below the smallest normal one",
        right("np.isfinite(fit(X * np.float32(1e-42))['loss'][0])"),
    ),
    row(
        33,
        "targets so large that their squares overflow",
        refused(
            "regress(X, put(T, (2, 0), 1e30))", cr.DivergenceError, "SquaredError()", "scale the inputs and targets"
        ),
        warned("np.isfinite(regress(X, np.full((20, 1), 1e12))['loss'][0])", cr.errors.ChainruleWarning, "(y - m) / s"),
        right("net(4, 1).evaluate(X, put(T, 2, 1e30), 'mse') == {'loss': np.inf}"),
    ),
    row(
        34,
        "objects",
        refused("fit(np.full((20, 4), 'a', object))", cr.DataError, "x: expected numbers", "row 0, column 0", "'a'"),
        refused("fit(X.astype(str))", cr.DataError, "x: expected numbers", "np.array(x).astype(float)"),
        refused("fit(np.full((20, 4), 10**400, object))", cr.DataError, "row 0, column 0 holds 1000"),
        refused("fit([[{}, 1, 2, 3]] * 20)", cr.DataError, "row 0, column 0 holds {}"),
    ),
    row(
        35,
        "complex numbers",
        refused("fit(X + 0j)", cr.DataError, "Complex data not supported", "x.real"),
        refused("fit(sparse(X + 0j))", cr.DataError, "Complex data not supported"),
        refused("fit(X, Y + 0j)", cr.DataError, "targets", "complex128", ".real"),
    ),
    row(
        36,
        "missing values",
        refused("fit([[None, 1, 2, 3]] * 20)", cr.DataError, "NaN", "row 0, column 0"),
        refused("fit(X, [None] * 20)", cr.LabelError, "row 0 has nan"),
        refused("fit(np.full((20, 4), 'NaT', 'M8[s]'))", cr.DataError, "datetime64"),
        refused(
            "fit(pandas().DataFrame({'a': [1, pandas().NA] * 10, 'b': 1, 'c': 1, 'd': 1}))",
            cr.DataError,
            "row 1, column 'a' holds <NA>",
        ),
        refused("fit(pandas().DataFrame(X).assign(e=np.nan).iloc[:, 1:])", cr.DataError, "NaN", "row 0, column 3"),
        refused("fit(X, pandas().Series([0, None] * 10, dtype='Int64'))", cr.LabelError, "row 1 has nan"),
    ),
]
