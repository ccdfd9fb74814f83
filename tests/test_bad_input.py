"""What people really hand over: 125 numbered kinds of it, each tested, or with the reason why it is not.

The rows lie in bad_input/, a file for each part of the list of bad and extreme input. Where a test proves a row
already, the row names it. What is refused must leave no trace.
"""

import ast
import warnings
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
import twenty_rows
from bad_input import checkpoints, containers, files, labels, parameters, shapes, system, unnumbered, values
from twenty_rows import MADE, X, Y, fit, net, of, remember, unbuilt

PARTS = (shapes, values, labels, containers, parameters, files, checkpoints, system)
TABLE = [row for part in PARTS for row in part.ROWS]
CASES = [(row.number, case) for row in TABLE for case in row.tested] + [("-", case) for case in unnumbered.CASES]


@pytest.fixture(autouse=True)
def _forget():
    MADE.clear()


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{number} {case.code}") for number, case in CASES])
def test_what_is_given(case, tmp_path):
    names = vars(twenty_rows) | {"folder": tmp_path}
    if case.error is None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert eval(case.code, names)
        assert [warning.category for warning in caught] == [case.warning] * (case.warning is not None)
        message = " ".join(str(warning.message) for warning in caught)
    else:
        with warnings.catch_warnings(), pytest.raises(Exception) as raised:
            warnings.simplefilter("ignore", cr.errors.ChainruleWarning)  # what is refused may have been warned of
            eval(case.code, names)
        message = str(raised.value)
        assert isinstance(raised.value, case.error), f"{raised.type.__name__}: {message}"
        assert isinstance(raised.value, (cr.ChainruleError, TypeError))
        for thing, before in MADE:
            assert remember(thing) == before, f"{type(thing).__name__} was changed by what it refused"
    assert [text for text in case.texts if text not in message] == [], message


# The table itself -----------------------------------------------------------------------------------------------------


def test_every_number_of_the_list_is_there_once_and_says_where_it_stands():
    assert [row.number for row in TABLE] == list(range(1, 126))
    counts = Counter(row.status for row in TABLE)
    print(dict(counts))
    assert counts == {"tested": 71, "elsewhere": 44, "not applicable": 4, "later": 6}


@cache
def functions(file):
    tree = ast.parse((Path(__file__).parent / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("proof", sorted({proof for row in TABLE for proof in row.elsewhere}))
def test_a_test_that_is_named_exists(proof):
    file, _, name = proof.partition("::")
    assert name.startswith("test_")
    assert name in functions(file)


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
