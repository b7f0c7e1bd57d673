"""TensorBoard's file, written by the training itself rather than by a thread beside it.

So a disk that is full ends the training with its reason, and what the file holds by then is whole.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from io import BytesIO
from itertools import count
from pathlib import Path

from stable_baselines3.common.logger import TensorBoardOutputFormat
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.summary.writer.record_writer import RecordWriter
from torch.utils.tensorboard import FileWriter, SummaryWriter

from rlattn.storage.files import writing

_number = count()


class Board(TensorBoardOutputFormat):
    """Logs to TensorBoard as Stable-Baselines3 does.

    Args:
        folder: Where the file goes; it is there.

    Raises:
        OutputError: If it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.writer = _Summaries(str(folder))
        self._is_closed = False


class _Summaries(SummaryWriter):
    def _get_file_writer(self) -> FileWriter:
        if self.file_writer is None:
            writer = _Records(Path(self.log_dir))
            self.file_writer, self.all_writers = writer, {self.log_dir: writer}  # type: ignore[assignment]
        return self.file_writer  # type: ignore[return-value]


class _Records(FileWriter):
    def __init__(self, folder: Path) -> None:
        self.event_writer = _EventFile(folder)


class _EventFile:
    """Collects events, and appends them to the file when it is flushed."""

    def __init__(self, folder: Path) -> None:
        # The name that TensorBoard knows such files by: the time comes first.
        parts = (f"{int(time.time()):010d}", socket.gethostname(), os.getpid(), next(_number))
        self._path = folder / ".".join(("events.out.tfevents", *map(str, parts)))
        self._waiting, self._size = BytesIO(), 0
        self.add_event(Event(wall_time=time.time(), file_version="brain.Event:2"))
        self.flush()

    def get_logdir(self) -> str:
        return str(self._path.parent)

    def add_event(self, event: Event) -> None:
        RecordWriter(self._waiting).write(event.SerializeToString())

    def flush(self) -> None:
        content = self._waiting.getvalue()
        with writing(self._path):
            try:
                with self._path.open("ab") as file:
                    file.write(content)
            except OSError:
                with suppress(OSError):  # half an event is none
                    os.truncate(self._path, self._size)
                raise
        self._waiting, self._size = BytesIO(), self._size + len(content)

    def close(self) -> None:
        self.flush()
