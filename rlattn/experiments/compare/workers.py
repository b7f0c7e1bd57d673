"""Processes that work side by side: one that crashes leaves the others alone."""

from __future__ import annotations

import multiprocessing
import os
import threading
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Protocol

import torch

_PRELOADED = ["rlattn.experiments.compare.execute"]


@dataclass(frozen=True)
class Job:
    """Work for a process of its own.

    Attributes:
        name: What it is called.
        work: Does it; must be something that pickle can hand to another process.
        log: Where its output goes, in a folder that is there.
    """

    name: str
    work: Callable[[], object]
    log: Path


class Watch(Protocol):
    """What is told how the work goes."""

    def started(self, job: Job) -> None:
        """A job has a process now."""

    def ended(self, job: Job, failure: str | None) -> None:
        """A job is over, with the reason if it failed."""

    def waiting(self) -> None:
        """Called about once a second."""


def work(jobs: Iterable[Job], workers: int, watch: Watch) -> None:
    """Does jobs, each in a process of its own with an equal share of the cores.

    If this process is interrupted or ends in whatever way, all of them end.

    Args:
        jobs: Taken one by one, whenever a process is free.
        workers: How many run side by side.
        watch: Told of each.
    """
    # Libraries are imported once, by a server that hands out copies of itself; it has done no work,
    # so that no thread of it is missing in them.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    threads = max(1, torch.get_num_threads() // workers)
    running: dict[int, tuple[ForkServerProcess, Job]] = {}
    left = iter(jobs)
    try:
        while True:
            while len(running) < workers and (job := next(left, None)) is not None:
                process = context.Process(target=_perform, args=(job, threads), daemon=True)
                process.start()
                running[process.sentinel] = process, job
                watch.started(job)
            if not running:
                return
            for sentinel in connection.wait(list(running), timeout=1.0):
                assert isinstance(sentinel, int)
                process, job = running.pop(sentinel)
                process.join()
                watch.ended(job, _failure(process.exitcode, job.log))
            watch.waiting()
    finally:
        for process, _ in running.values():
            process.kill()  # it has nothing to tidy up: what is not finished is done again
        for process, _ in running.values():
            process.join()


def _perform(job: Job, threads: int) -> None:
    descriptor = os.open(job.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    try:
        job.work()
    except Exception:
        traceback.print_exc()
        os._exit(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _failure(code: int | None, log: Path) -> str | None:
    if not code:
        return None
    if code < 0:
        return f"killed by signal {-code}"
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit status {code}"
