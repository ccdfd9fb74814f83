"""What pytest adds in a folder that was handed out: the points, and no more lines than a learner wants to read.

The conftest.py of such a folder brings these functions in.
"""

from __future__ import annotations

from typing import Any


def pytest_configure(config: Any) -> None:
    """Show of a failure the learner's lines and the sentence, not the whole test; --tb=long still shows all."""
    if config.option.tbstyle == "auto":
        config.option.tbstyle = "short"


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
