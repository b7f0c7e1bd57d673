"""How far a comparison is: a bar for all of it, and one for each run at work."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from rlattn.experiments.compare.recorder import CURVE
from rlattn.experiments.compare.runs import LARGEST
from rlattn.experiments.compare.workers import Job
from rlattn.storage.jsonfiles import parse, read_text


class Bars:
    """Draws bars while jobs are done, and prints a line for each that fails.

    A context manager.

    Args:
        console: Where to.
        what: What is being done, for the bar of all of it.
        jobs: How many there are.
        steps: Environment steps of each, by which it is seen how far it is; None where that is not
            known.
        ended: Told of each that is over, and of the reason if it failed.
    """

    def __init__(
        self,
        console: Console,
        what: str,
        jobs: int,
        steps: int | None,
        ended: Callable[[Job, str | None], None],
    ) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
        )
        self._progress = Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
        self._console, self._steps, self._told = console, steps, ended
        self._all = self._progress.add_task(what, total=jobs)
        self._running: dict[str, tuple[Job, TaskID]] = {}

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def started(self, job: Job) -> None:
        """Draws a bar."""
        self._running[job.name] = job, self._progress.add_task(f"  {job.name}", total=self._steps)

    def ended(self, job: Job, failure: str | None) -> None:
        """Takes the bar away."""
        self._progress.remove_task(self._running.pop(job.name)[1])
        self._progress.advance(self._all)
        if failure is not None:
            line = f"{job.name} crashed: {failure} (more in {job.log})"
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)
        self._told(job, failure)

    def waiting(self) -> None:
        """Looks how far learners are: their curves say it."""
        for job, bar in self._running.values():
            curve = job.log.parent / CURVE
            if curve.is_file():
                points = parse(read_text(curve, LARGEST))
                self._progress.update(bar, completed=points[-1]["env_steps"])
