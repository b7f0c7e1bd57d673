"""SIGINT and SIGTERM as wishes: a training ends where nothing is lost."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Wish:
    """Whether a signal came.

    Attributes:
        signal: Its number, or None.
    """

    def __init__(self) -> None:
        self.signal: int | None = None

    def note(self, number: int, frame: FrameType | None) -> None:
        """Notes the first signal; at the second the process ends at once, as it always would."""
        if self.signal is not None:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.signal = number
        # Not by print: the signal may have come while that was under way.
        os.write(2, b"\nending after this rollout; once more ends at once\n")


@contextmanager
def wishes() -> Iterator[Wish]:
    """Takes note of SIGINT and SIGTERM instead of ending, inside the context.

    Outside of the main thread, where Python knows no signals, they act as ever.
    """
    wish = Wish()
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return
    before = {number: signal.signal(number, wish.note) for number in _SIGNALS}
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
