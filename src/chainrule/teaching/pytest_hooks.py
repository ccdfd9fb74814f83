"""What pytest adds in a folder that was handed out: the points, and no more lines than a learner wants to read.

The conftest.py of such a folder brings these functions in.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from chainrule.teaching.exercise import Exercise


def pytest_configure(config: Any) -> None:
    """Show of a failure the learner's lines and the sentence, not the whole test; --tb=long still shows all."""
    if config.option.tbstyle == "auto":
        config.option.tbstyle = "short"
    config.option.continue_on_collection_errors = True  # a file that cannot be read costs its own points alone


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Note down with each test what it is worth."""
    for item in items:
        function = getattr(item, "function", None)  # a doctest has none
        item.user_properties.append(("points", getattr(function, "points", 0)))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many points were reached."""
    folder = terminalreporter.config.rootpath
    worth = {  # by name: a file that cannot be read may be reported more than once
        outcome: {report.nodeid: _worth(report, folder) for report in terminalreporter.stats.get(outcome, [])}
        for outcome in ("passed", "failed", "error", "skipped")
    }
    whole = {name: points for each in worth.values() for name, points in each.items()}
    terminalreporter.write_line(f"{sum(worth['passed'].values())} of {sum(whole.values())} points")


def _worth(report: Any, folder: Any) -> int:
    """The points of a test, or of all tests in a file that could not be read."""
    if hasattr(report, "user_properties"):
        return int(dict(report.user_properties).get("points", 0))
    with suppress(OSError, SyntaxError, ValueError):
        return Exercise("", "", (folder / report.nodeid).read_text(encoding="utf-8")).points
    return 0
