"""Ctrl-C as a wish, not an accident: work under way is brought to an end, and what was finished is kept."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any


class Interruption:
    """While open, the first Ctrl-C or SIGTERM is noted in `signal`; the second quits at once.

    Signals that were ignored, as under nohup, still are.
    """

    def __init__(self) -> None:
        self.signal = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.signal:
            raise SystemExit(128 + number)
        self.signal = number
