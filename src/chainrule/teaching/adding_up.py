"""Adds up the points of a pytest run: the conftest.py of a folder that was handed out brings it in."""

from __future__ import annotations

from typing import Any


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Note down with each test what it is worth."""
    for item in items:
        item.user_properties.append(("points", getattr(item.function, "points", 0)))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many points were reached."""
    reached, missed = (
        sum(dict(report.user_properties)["points"] for report in terminalreporter.stats.get(outcome, []))
        for outcome in ("passed", "failed")
    )
    terminalreporter.write_line(f"{reached} of {reached + missed} points")
