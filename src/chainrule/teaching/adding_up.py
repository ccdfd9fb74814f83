"""Adds up the points of a pytest run; conftest.py of a handed-out folder brings it in."""

from __future__ import annotations

from typing import Any


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Note down what each test is worth: the junit report has it too."""
    for item in items:
        item.user_properties.append(("points", getattr(item.function, "points", 0)))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many points were reached, as the last line but one."""
    got = {"passed": 0, "failed": 0}
    for outcome in got:
        for report in terminalreporter.stats.get(outcome, []):
            got[outcome] += dict(report.user_properties).get("points", 0)
    terminalreporter.write_line(f"{got['passed']} of {sum(got.values())} points")
