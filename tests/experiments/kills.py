"""Kills a run at random moments, resumes it each time, and compares how it ends.

    python -m tests.experiments.kills --kills 20

The end must be that of a run that was left alone: the same policy to the bit, the same results,
pictures and logs, but for what clocks have measured.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import tyro

from rlattn.reproduce.sameness import Verdict, compare_folders
from tests.experiments import moods, small
from tests.hosts.tiny import tiny_host

Program = Literal["ppo_translate", "ppo_classify"]
ROOT = Path(__file__).parents[2]

REWARD = {
    # Terms that remember, numbers in another order, and weights that move.
    "ppo_translate": ["fidelity=0.1", "shuffled:spread:chrf=0.1", "latency=target:0.3"],
    "ppo_classify": ["gain=1", "shuffled:brier=0.1", "reads=-1:-4:4096"],
}


def arguments(program: Program, folder: Path, steps: int) -> list[str]:
    """A small run of a program, whose files are made here."""
    if program == "ppo_translate":
        task = small.write_task(tiny_host(), folder)
        config: Any = small.short(task, action="per-layer:gate", reads_target=0.4)
    else:
        config = moods.short(moods.write_moods(folder))
    names = ("corpus", "train", "valid", "test", "host", "max_source", "max_target", "action")
    names += ("reads_target", "lanes", "validations", "valid_sentences", "valid_texts")
    given = {name: getattr(config, name, None) for name in names}
    words = [
        word
        for name, value in given.items()
        if value is not None
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]
    often = ["--steps", str(steps), "--learning-rate", "0.03", "--checkpoint-minutes", "0"]
    return [*words, *often, "--reward", *REWARD[program]]


def start(program: Program, words: list[str], log: Path) -> subprocess.Popen[bytes]:
    """Starts a program in a process of its own."""
    command = [sys.executable, "-m", f"rlattn.experiments.{program}", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with log.open("ab") as file:
        return subprocess.Popen(command, stdout=file, stderr=file, env=environment, cwd=ROOT)


def differences(one: Path, other: Path) -> list[Verdict]:
    """The files of two runs that differ, but for what clocks have measured; logs included."""
    found = compare_folders(one, other, timed=False)
    assert sum(verdict.state == "equal" for verdict in found) > 5
    return [verdict for verdict in found if verdict.state == "differs"]


@dataclass
class Kills:
    """What a run has lived through.

    Attributes:
        moments: When each process was killed, in seconds from its start, and after how many steps
            of the checkpoint it would go on from; None without one.
        ends: How many runs came to their end, each the same.
    """

    moments: list[tuple[float, int | None]] = field(default_factory=list)
    ends: int = 0


def kill_and_resume(program: Program, folder: Path, kills: int, steps: int, seed: int) -> Kills:
    """Has a run killed so often, and makes sure that it ends as one that was left alone.

    Raises:
        AssertionError: If it ends otherwise, or does not end.
    """
    rng, done = random.Random(seed), Kills()
    words, log = arguments(program, folder / "task", steps), folder / "log"
    alone = folder / "alone"
    began = time.monotonic()
    process = start(program, [*words, "--out", str(alone)], log)
    while process.poll() is None and not (alone / "config.json").is_file():
        time.sleep(0.05)
    ready = time.monotonic() - began
    assert process.wait() == 0, log.read_text()
    share = (time.monotonic() - began - ready) / kills
    while True:
        out = folder / f"killed-{done.ends}"
        begun = (out / "config.json").is_file()
        where = ["--resume", str(out)] if begun else [*words, "--out", str(out)]
        before, began = newest(out), time.monotonic()
        process = start(program, where, log)
        try:
            if len(done.moments) >= kills:
                assert process.wait() == 0, log.read_text()
            else:
                # Starting takes far longer than a rollout, and one kill in four is for it.
                starting = rng.random() < 0.25
                while not starting and process.poll() is None and newest(out) == before:
                    time.sleep(0.01)
                moment = rng.uniform(0, ready if starting else share)
                assert process.wait(moment) == 0, log.read_text()
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            done.moments.append((round(time.monotonic() - began, 1), newest(out)))
            continue
        assert differences(alone, out) == []
        done.ends += 1
        if len(done.moments) >= kills:
            return done


def newest(out: Path) -> int | None:
    """After how many steps the last checkpoint of a run was; None without one."""
    found = max((out / "checkpoints").glob("[0-9]*.json"), default=None)
    return None if found is None else int(found.stem)


def main(
    program: Program = "ppo_translate", kills: int = 20, steps: int = 8192, seed: int = 0
) -> None:
    """Prints how many kills were survived.

    Args:
        program: Which one.
        kills: How often to kill it.
        steps: How long it trains.
        seed: Of the moments.
    """
    with tempfile.TemporaryDirectory() as folder:
        done = kill_and_resume(program, Path(folder), kills, steps, seed)
    for moment, step in done.moments:
        print(f"killed after {moment} s; the checkpoint: {step}")
    print(f"{program}: {len(done.moments)} kills survived, {done.ends} same ends")


if __name__ == "__main__":
    tyro.cli(main)
