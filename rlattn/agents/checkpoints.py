"""A training that can be resumed: checkpoints between its rollouts, and going on from the last."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from signal import Signals

from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from rlattn.agents.callbacks import Validation
from rlattn.agents.logs import logs_state
from rlattn.agents.ppo_state import load_ppo_state, ppo_state
from rlattn.errors import InputError, StoppedError
from rlattn.storage.checkpoint import newest_state, write_checkpoint
from rlattn.storage.state import State, part, take


class Checkpoints(BaseCallback):
    """Writes a checkpoint between two rollouts: first, now and then, when a signal came, and last.

    It comes behind `validation` in the list of callbacks. A run that is resumed takes the same
    steps, to the bit on a CPU with as many threads, as one that was left alone.

    Args:
        folder: Of the checkpoints and nothing else.
        validation: Of the same training.
        minutes: How much time passes between two checkpoints.
        asked: Gives the number of a signal that asks for the end, or None.

    Attributes:
        newest: The last checkpoint's JSON file; None before there is one.

    Raises:
        StoppedError: After the checkpoint, where a signal came.
        OutputError: If a checkpoint cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        validation: Validation,
        *,
        minutes: float,
        asked: Callable[[], int | None] = lambda: None,
    ) -> None:
        super().__init__()
        self.newest: Path | None = None
        self._folder, self._validation = folder, validation
        self._interval, self._asked = 60 * minutes, asked
        self._before, self._steps = 0.0, -1
        self._began = self._last = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long the training has taken, in all processes together."""
        return self._before + time.monotonic() - self._began

    @property
    def earlier(self) -> float:
        """How much of that was before this process."""
        return self._before

    def restore(self, ppo: PPO, say: Callable[[str], object]) -> State | None:
        """Puts a PPO and its validation where they were at the newest checkpoint that is whole.

        Args:
            ppo: Of the same settings.
            say: Is told of checkpoints that are damaged.

        Returns:
            What was logged until then, for `learn`; None where there is no checkpoint.

        Raises:
            InputError: If there are checkpoints and none is whole, or it is not of such a training.
        """
        found = newest_state(self._folder, say)
        if found is None:
            return None
        self.newest, state = found
        try:
            load_ppo_state(ppo, part(state, "ppo"))
            self._validation.load_state_dict(part(state, "validation"), ppo)
            self._before, logs = take(state, "seconds", 0.0), part(state, "logs")
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            raise InputError(
                f"the checkpoint {self.newest} is not one of this run ({error})"
            ) from error
        self._steps = ppo.num_timesteps
        return logs

    def _on_training_start(self) -> None:
        self._began = self._last = time.monotonic()
        if self._steps >= 0:
            # The clock of the logs goes on, too.
            self.model.start_time -= int(1e9 * self._before)
            self.model._num_timesteps_at_start = 0

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        # One at once: whatever cannot be kept shows before much is done.
        due = self._steps < 0 or time.monotonic() - self._last >= self._interval
        if self._asked() is not None or due:
            self._write()
        self._end_if_asked()

    def _on_training_end(self) -> None:
        self._write()
        self._end_if_asked()

    def _write(self) -> None:
        if self.num_timesteps == self._steps:
            return
        assert isinstance(self.model, PPO)
        state = {
            "seconds": self.seconds,
            "ppo": ppo_state(self.model),
            "validation": self._validation.state_dict(),
            "logs": logs_state(self.logger),
        }
        self.newest = write_checkpoint(self._folder, self.num_timesteps, state)
        self._steps, self._last = self.num_timesteps, time.monotonic()

    def _end_if_asked(self) -> None:
        signal = self._asked()
        if signal is not None:
            raise StoppedError(
                f"ended by {Signals(signal).name} after {self.num_timesteps} steps; the checkpoint "
                f"is {self.newest}",
                signal,
            )
