"""The logs of a training: ``progress.csv`` and TensorBoard's, which a resumed one goes on with."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from tensorboard.compat.proto.event_pb2 import Event, SessionLog

from rlattn.agents.board import Board
from rlattn.agents.progress_table import ProgressTable
from rlattn.storage.files import make_folder
from rlattn.storage.state import State, parts, take

_CSV = "progress.csv"


def open_logs(folder: Path, state: State | None = None, step: int = 0) -> Logger:
    """Begins the logs of a training, or goes on with them.

    Args:
        folder: Where they are; it is made.
        state: As `logs_state` gave it, of the training that is resumed. What was logged after that
            is dropped.
        step: By how many environment steps that had come along.

    Raises:
        OutputError: If they cannot be written.
    """
    make_folder(folder)
    again = any(folder.glob("events.out.tfevents.*"))
    text = b"" if state is None else take(state, "table", np.zeros(0, np.uint8), (None,)).tobytes()
    board = Board(folder)
    if again:  # TensorBoard drops what other files of this folder have from this step on
        start = SessionLog(status=SessionLog.START)
        writer = board.writer._get_file_writer()  # type: ignore[no-untyped-call]
        writer.add_event(Event(wall_time=time.time(), step=step, session_log=start))
    logger = Logger(str(folder), [ProgressTable(folder / _CSV, text.decode()), board])
    for name, value, excluded in parts(state, "waiting") if state else ():
        logger.record(name, value, tuple(excluded))
    return logger


def logs_state(logger: Logger) -> State:
    """The table so far, and what is still to be written into its next line."""
    table = Path(logger.dir or "", _CSV)
    waiting = [
        [name, value, list(logger.name_to_excluded[name])]
        for name, value in logger.name_to_value.items()
    ]
    text = table.read_bytes() if table.is_file() else b""
    return {"table": np.frombuffer(text, np.uint8), "waiting": waiting}


class LogLines(BaseCallback):
    """Writes a line after each rollout, as Stable-Baselines3 does with a ``log_interval`` of 1.

    Lines are counted from the start, also where a training is resumed. It is the last callback.
    """

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        assert isinstance(self.model, OnPolicyAlgorithm)
        self.model.dump_logs(self.num_timesteps // (self.model.n_steps * self.model.n_envs))
