"""One process at a time in an out folder, whoever is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from rlattn.errors import InputError
from rlattn.experiments.lock import LOCK, alone
from rlattn.experiments.outputs import check_output, claim_output

FORK = multiprocessing.get_context("fork")
RACERS = 8


def test_a_second_one_is_refused_until_the_first_is_done(tmp_path: Path) -> None:
    with alone(tmp_path):
        with pytest.raises(InputError, match="another process is at work in it; wait") as refusal:
            alone(tmp_path).__enter__()
        assert str(refusal.value).startswith(f"the out folder {tmp_path}: ")
    with alone(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_whoever_fails_lets_go(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), alone(tmp_path):
        raise ZeroDivisionError
    with alone(tmp_path):
        pass


def test_a_folder_is_kept_from_others_before_anything_is_in_it(tmp_path: Path) -> None:
    with claim_output(tmp_path / "out") as folder:
        assert {path.name for path in folder.iterdir()} == {LOCK}
        with pytest.raises(InputError, match="another process is at work"):
            claim_output(folder).__enter__()
    assert list(folder.iterdir()) == []


def race(folder: Path, start: Barrier, end: Barrier, answers: Queue[str]) -> None:
    start.wait()
    try:
        with claim_output(folder):
            answers.put("claimed")
            end.wait()
    except InputError as error:
        answers.put(str(error))
        end.wait()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_of_processes_that_race_for_a_folder_exactly_one_has_it(tmp_path: Path) -> None:
    folder, start, end = tmp_path / "new" / "out", FORK.Barrier(RACERS), FORK.Barrier(RACERS)
    answers: Queue[str] = FORK.Queue()
    racers = [FORK.Process(target=race, args=(folder, start, end, answers)) for _ in range(RACERS)]
    for racer in racers:
        racer.start()
    found = [answers.get(timeout=60) for _ in racers]
    for racer in racers:
        racer.join()
    assert found.count("claimed") == 1
    assert all("another process is at work" in answer for answer in found if answer != "claimed")


def claim_and_stay(folder: Path, answers: Queue[str]) -> None:
    with claim_output(folder):
        answers.put("claimed")
        signal.pause()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_whoever_is_killed_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    answers: Queue[str] = FORK.Queue()
    killed = FORK.Process(target=claim_and_stay, args=(tmp_path, answers))
    killed.start()
    assert answers.get(timeout=60) == "claimed"
    with pytest.raises(InputError, match="another process is at work"):
        claim_output(tmp_path).__enter__()
    assert killed.pid is not None
    os.kill(killed.pid, signal.SIGKILL)
    killed.join()
    assert (tmp_path / LOCK).exists()
    assert check_output(tmp_path) == tmp_path
    with claim_output(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
