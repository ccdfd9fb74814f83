"""Doctests may say `np` and `cr`, as every user does."""

import numpy as np
import pytest

import chainrule


@pytest.fixture(autouse=True)
def _names_in_examples(doctest_namespace: dict[str, object]) -> None:
    doctest_namespace |= {"np": np, "cr": chainrule}
