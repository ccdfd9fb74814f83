"""Rows 55 to 70, containers, dtypes and memory: whatever holds real numbers works, and everything else is named."""

import chainrule as cr
from bad_input.row import refused, right, row, warned

ROWS = [
    row(
        55,
        "lists and tuples",
        elsewhere=("test_odd_but_right_input.py::test_same_numbers_same_network",),
    ),
    row(
        56,
        "tables with an index of their own",
        elsewhere=("test_odd_but_right_input.py::test_same_numbers_same_network",),
        later="estimators: feature_names_in_",
    ),
    row(
        57,
        "tables of other makers",
        elsewhere=("test_odd_but_right_input.py::test_same_numbers_same_network",),
    ),
    row(
        58,
        "a column of text in a table",
        refused(
            "fit(pandas().DataFrame({'a': 1, 'b': ['x'] * 20, 'c': 1, 'd': 1}))",
            cr.DataError,
            "row 0, column 'b' holds 'x'",
        ),
        refused(
            "fit(pandas().DataFrame({'a': 1, 'b': pandas().Timestamp(0), 'c': 1, 'd': 1}, index=range(20)))",
            cr.DataError,
            "column 'b' holds Timestamp",
        ),
        refused(
            "fit(pandas().DataFrame({'a': pandas().Categorical(['x'] * 20), 'b': 1, 'c': 1, 'd': 1}))",
            cr.DataError,
            "column 'a' holds 'x'",
        ),
    ),
    row(
        59,
        "sparse matrices",
        refused(
            "of(cr.Rescale(2.0), cr.Linear(4, 3))(sparse())", cr.DataError, "sparse", "Rescale(2.0)", "x.toarray()"
        ),
        refused("fit(sparse(), Y, of(cr.Rescale(2.0), cr.Linear(4, 3)))", cr.DataError, "sparse"),
        refused("fit(sparse(), Y, of(cr.Dropout(), cr.Linear(4, 3)))", cr.DataError, "sparse"),
        refused("fit(sparse(), Y, of(cr.BatchNorm(), cr.Linear(4, 3)))", cr.DataError, "sparse"),
        refused("fit(sparse(), Y, of(cr.Standardize(), cr.Linear(4, 3)))", cr.DataError, "sparse", "Standardize()"),
        refused("fit(X, sparse(np.eye(3)[Y]))", cr.ChainruleError, "targets", "toarray()"),
        refused("fit(sparse() * 1j)", cr.DataError, "Complex data not supported"),
        refused("cr.CrossEntropy()(sparse(), Y)", cr.DataError, "outputs.toarray()"),
        refused("cr.Linear(4, 3)(sparse())", cr.DataError, "x.toarray()"),
        elsewhere=("test_odd_but_right_input.py::test_same_numbers_same_network",),
    ),
    row(
        60,
        "tensors of PyTorch, or of JAX",
        refused("fit(torch().tensor(X, requires_grad=True))", cr.DataError, "detach()"),
        refused("regress(X, torch().tensor(T, requires_grad=True))", cr.ChainruleError, "detach()"),
        refused("fit(torch().tensor(X, device='meta'))", cr.DataError, "cannot be read as an array", "cpu()"),
        elsewhere=("test_odd_but_right_input.py::test_same_numbers_same_network",),
    ),
    row(
        61,
        "any layout in memory",
        right("fit(np.broadcast_to(X[0], (20, 4)))['loss'][0] > 0"),
        elsewhere=("test_odd_but_right_input.py::test_same_numbers_same_network",),
    ),
    row(
        62,
        "memory that cannot be written",
        elsewhere=(
            "test_odd_but_right_input.py::test_same_numbers_same_network",
            "test_odd_but_right_input.py::test_62_the_data_is_not_written_to",
        ),
    ),
    row(
        63,
        "half precision",
        elsewhere=("test_odd_but_right_input.py::test_23_24_63_small_numbers_of_every_type",),
    ),
    row(
        64,
        "more than double precision",
        warned(
            "fit(longdouble())['loss'] == fit(X)['loss']",
            cr.ChainruleWarning,
            "x is",
            "float32",
            "digits beyond are lost",
        ),
    ),
    row(
        65,
        "numbers in the other byte order",
        elsewhere=(
            "test_odd_but_right_input.py::test_same_numbers_same_network",
            "datasets/test_idx.py::test_big_endian_numbers_are_read_as_such",
        ),
    ),
    row(
        66,
        "masked arrays",
        refused("fit(np.ma.masked_less(X, 0))", cr.DataError, "masked", "filled"),
        refused("net()(np.ma.masked_less(X, 0))", cr.DataError, "masked"),
        refused("fit(X, np.ma.masked_equal(Y, 1))", cr.DataError, "targets", "masked", "filled"),
    ),
    row(
        67,
        "times, and rows of several types",
        refused("fit(np.zeros((20, 4), 'm8[D]'))", cr.DataError, "timedelta64"),
        refused("fit(np.zeros(20, 'f4,f4,f4,f4'))", cr.DataError, "columns 'f0', 'f1'", "np.column_stack"),
        refused("fit(X, np.zeros(20, 'M8[D]'))", cr.DataError, "targets", "datetime64"),
    ),
    row(
        68,
        "whole numbers that the network's dtype cannot tell apart",
        warned(
            "len(fit(np.full((20, 4), 2**24 + 1), Y, of(cr.Standardize(), cr.Linear(4, 3)))) == 1",
            cr.ChainruleWarning,
            "x reaches 16777217",
            "only up to 16,777,216",
        ),
        right("len(fit(np.full((20, 4), 2**24 + 1), Y, of(cr.Standardize(), cr.Linear(4, 3), dtype='float64'))) == 1"),
        right("len(fit(np.full((20, 4), 2**24), Y, of(cr.Standardize(), cr.Linear(4, 3)))) == 1"),
    ),
    row(
        69,
        "data that the caller changes afterwards",
        elsewhere=("test_odd_but_right_input.py::test_69_changing_the_data_afterwards_changes_nothing",),
    ),
    row(
        70,
        "iterators, which can be read once",
        refused("fit((r for r in X), Y)", cr.DataError, "x", "generator", "np.stack(list("),
        refused("fit(X, (y for y in Y))", cr.DataError, "targets", "generator"),
        refused("fit(X, map(int, Y))", cr.DataError, "targets", "read only once"),
    ),
]
