"""What a checkup hands over: one Item for each question, with its evidence and the line that mends it."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from chainrule.errors import unknown_name

WIDTH = 118  # of a line of the report
STATUSES = ("pass", "fail", "note")
Answer: TypeAlias = tuple[str, str, str]  # status, evidence, fix


@dataclass(frozen=True)
class Item:
    """One question and its answer.

    Attributes  name; status ("pass", "fail", or "note": worth knowing, or not applicable); evidence, in numbers; fix, a
                line of code to write, empty if nothing is to be mended
    """

    name: str
    status: str
    evidence: str
    fix: str = ""


@dataclass(frozen=True, repr=False)
class Checkup:
    """The outcome of `checkup`: `passed`, `items`, and `report["loss at the start"]` for one of them.

    >>> report = Checkup("MLP", [Item("finite values", "pass", "4 rows"), Item("order", "fail", "sorted", "shuffle")])
    >>> report.passed, report["order"].fix
    (False, 'shuffle')
    >>> print(report)
    checkup of MLP: 1 passed, 1 failed, 0 to note
      pass  finite values  4 rows
      FAIL  order          sorted
                           -> shuffle
    """

    subject: str
    items: Sequence[Item]

    @property
    def passed(self) -> bool:
        """Has no item failed?"""
        return not self.failed

    @property
    def failed(self) -> list[Item]:
        """The items that failed, in order: mend the first one first."""
        return [item for item in self.items if item.status == "fail"]

    def __getitem__(self, name: str) -> Item:
        for item in self.items:
            if item.name == name:
                return item
        raise unknown_name("item of a checkup", name, [item.name for item in self.items])

    def __str__(self) -> str:
        width = max(len(item.name) for item in self.items)
        margin = " " * (2 + 4 + 2 + width + 2)
        lines = [self._headline()]
        for item in self.items:
            mark = "FAIL" if item.status == "fail" else item.status
            first = f"  {mark}  {item.name:<{width}}  "
            lines += textwrap.wrap(item.evidence, WIDTH, initial_indent=first, subsequent_indent=margin)
            if item.fix:  # code is not broken into lines
                lines.append(f"{margin}-> {item.fix}")
        return "\n".join(lines)

    __repr__ = __str__  # what an interpreter shows

    def _headline(self) -> str:
        passed, failed, noted = (sum(item.status == status for item in self.items) for status in STATUSES)
        return f"checkup of {self.subject}: {passed} passed, {failed} failed, {noted} to note"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{'<b>fail</b>' if item.status == 'fail' else item.status}</td>"
            f"<td style='text-align:left'>{html.escape(item.name)}</td>"
            f"<td style='text-align:left'>{html.escape(item.evidence)}"
            + (f"<br><code>{html.escape(item.fix)}</code>" if item.fix else "")
            + "</td></tr>"
            for item in self.items
        )
        return f"<p>{html.escape(self._headline())}</p><table><tbody>{rows}</tbody></table>"


def passed(evidence: str) -> Answer:
    """Nothing to mend."""
    return "pass", evidence, ""


def failed(evidence: str, fix: str) -> Answer:
    """Something to mend, and how."""
    return "fail", evidence, fix


def noted(evidence: str, fix: str = "") -> Answer:
    """Worth knowing, or not applicable."""
    return "note", evidence, fix
