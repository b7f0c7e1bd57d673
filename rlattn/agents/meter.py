"""What a training costs: the host's work, and time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass

from rlattn.hosts import Host
from rlattn.storage.fields import read
from rlattn.storage.state import State, part


@dataclass(frozen=True)
class Spent:
    """What a training has cost so far; validation is not counted.

    Attributes:
        seconds: Wall-clock time.
        encoded: Sources that the host's encoder read.
        forwards: Target tokens that its decoder was fed.
        backwards: How many of these a gradient went back through.
    """

    seconds: float = 0.0
    encoded: int = 0
    forwards: int = 0
    backwards: int = 0


class Meter:
    """Adds up what is spent while it runs, from when it is made on.

    Args:
        host: Whose work is counted.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._before = Spent()
        self._started: Spent | None = self._now()

    @property
    def spent(self) -> Spent:
        """What was spent so far."""
        if self._started is None:
            return self._before
        parts = zip(
            astuple(self._before), astuple(self._now()), astuple(self._started), strict=True
        )
        return Spent(*(before + now - started for before, now, started in parts))

    def state_dict(self) -> State:
        """What was spent so far."""
        return {"spent": asdict(self.spent)}

    def load_state_dict(self, state: State) -> None:
        """Counts on from what another had counted, from now on."""
        self._before = read(Spent, part(state, "spent"), "spent")
        self._started = self._now()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Does not count what happens inside."""
        self._before, self._started = self.spent, None
        try:
            yield
        finally:
            self._started = self._now()

    def _now(self) -> Spent:
        usage = self._host.usage
        return Spent(time.monotonic(), usage.encoded, usage.forwards, usage.backwards)
