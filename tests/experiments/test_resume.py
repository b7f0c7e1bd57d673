"""A run that was interrupted, killed or damaged goes on, and ends as one that was left alone."""

from __future__ import annotations

import io
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from rich.console import Console

from rlattn.agents import divergence
from rlattn.errors import ContractError, DivergedError, InputError, StoppedError
from rlattn.experiments import (
    classification,
    ppo_classify,
    ppo_translate,
    training,
    translation,
)
from rlattn.rewards import Reward, register_reward
from tests.experiments import moods as labelled
from tests.experiments import small as parallel
from tests.experiments.kills import differences, kill_and_resume, start


class Program(NamedTuple):
    """One of the two, and a task for it."""

    run: Callable[..., dict[str, Any]]
    config: Callable[..., Any]
    short: Callable[..., Any]
    task: dict[str, Any]

    def __call__(self, **changes: Any) -> str:
        """Runs it; a run that is resumed is told nothing else."""
        printed = io.StringIO()
        config = self.config if "resume" in changes else self.settings
        self.run(config(**changes), Console(file=printed, width=100))
        return printed.getvalue()

    def settings(self, **changes: Any) -> Any:
        """Those of a short run, which writes a checkpoint after each rollout."""
        return self.short(self.task, **{"checkpoint_minutes": 0.0, **changes})


@pytest.fixture(scope="module", params=["translate", "classify"])
def program(
    request: pytest.FixtureRequest, small: dict[str, Any], moods: dict[str, Any]
) -> Program:
    if request.param == "translate":
        return Program(ppo_translate.run, translation.Config, parallel.short, small)
    return Program(ppo_classify.run, classification.Config, labelled.short, moods)


@pytest.fixture(scope="module")
def alone(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("alone")
    program(out=out)
    return out


@pytest.fixture
def stopped(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run that SIGTERM ended after its first rollout."""

    class Later:
        """Says so when the training is about to write its second checkpoint."""

        asked = 0

        @property
        def signal(self) -> int | None:
            self.asked += 1
            return signal.SIGTERM if self.asked > 2 else None

    @contextmanager
    def wishes() -> Iterator[Later]:
        yield Later()

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(training, "wishes", wishes)
        patch.setattr(sys, "argv", ["the first", "--command"])
        with pytest.raises(StoppedError, match=f"go on with --resume {out}$") as error:
            program(out=out)
    assert error.value.signal == signal.SIGTERM
    return out


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_ends_as_one_that_was_left_alone(program: Program, alone: Path, stopped: Path) -> None:
    (newest, *_) = sorted((stopped / "checkpoints").glob("*.json"), reverse=True)
    assert newest.stem == "00000256"
    said = program(resume=stopped)
    assert "going on from 256 of" in said
    assert "last digits may differ" not in said
    assert not differences(alone, stopped)
    assert {path.name for path in stopped.iterdir() if "tfevents" not in path.name} == {
        path.name for path in alone.iterdir() if "tfevents" not in path.name
    }


def test_the_policy_tells_the_first_command(program: Program, alone: Path, stopped: Path) -> None:
    program(resume=stopped)
    card = json.loads((stopped / "policy" / "policy.json").read_text())
    assert card["training"]["command"][-1:] == ["--command"]


def test_a_finished_run_is_left_as_it_is(program: Program, alone: Path) -> None:
    before = content(alone)
    assert program(resume=alone) == f"the run in {alone} is finished: nothing is left to do\n"
    assert content(alone) == before


def test_without_a_checkpoint_it_begins_again(
    program: Program, alone: Path, tmp_path: Path
) -> None:
    shutil.copy(alone / "config.json", tmp_path)
    (tmp_path / "progress.csv").write_text("half a li")
    assert "going on from 0 of" in program(resume=tmp_path)
    assert not differences(alone, tmp_path)


def test_what_was_trained_is_judged_again(
    program: Program, alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        for module, name in ((ppo_translate, "judge"), (ppo_classify, "judge_labels")):
            patch.setattr(module, name, lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            program(out=tmp_path)
    monkeypatch.setattr(torch.optim.Adam, "step", None)  # nothing is learned any more
    program(resume=tmp_path)
    assert not differences(alone, tmp_path)


def test_a_damaged_checkpoint_is_said(program: Program, alone: Path, stopped: Path) -> None:
    (stopped / "checkpoints" / "00000256.safetensors").write_bytes(b"torn")
    said = program(resume=stopped)
    assert "00000256.json is damaged" in said
    assert "going on from 0 of" in said
    assert not differences(alone, stopped)


class TestRefusals:
    def test_a_folder_without_a_run(self, program: Program, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="not the folder of a run that was begun"):
            program(resume=tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_other_settings(self, program: Program, stopped: Path) -> None:
        with pytest.raises(InputError, match="the run has seed 0, and 1 was given: give --resume"):
            program(resume=stopped, seed=1)

    def test_the_same_settings_may_be_given(
        self, program: Program, alone: Path, stopped: Path
    ) -> None:
        config = program.settings(resume=stopped)
        program.run(config, Console(file=io.StringIO()))
        assert not differences(alone, stopped)

    def test_other_text(self, program: Program, stopped: Path) -> None:
        path = stopped / "config.json"
        described = json.loads(path.read_text())
        described["corpus_resolved"]["fingerprint"] = "0" * 64
        path.write_text(json.dumps(described))
        with pytest.raises(InputError, match="corpus_resolved is not what the run began with"):
            program(resume=stopped)

    def test_a_setting_that_is_none(self, program: Program, stopped: Path) -> None:
        path = stopped / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "lanes": "many"}))
        with pytest.raises(InputError, match='lanes: found "many", expected a whole number'):
            program(resume=stopped)


def test_other_versions_are_said(program: Program, stopped: Path) -> None:
    path = stopped / "config.json"
    described = json.loads(path.read_text())
    described["provenance"]["threads"] = 99
    path.write_text(json.dumps(described))
    assert "last digits may differ: threads 99 -> " in program(resume=stopped)


@pytest.mark.usefixtures("_registered_only_here")
def test_a_reward_that_fails_leaves_the_checkpoint_and_can_be_mended(
    program: Program, tmp_path: Path
) -> None:
    broken = True

    @register_reward
    class Fragile(Reward):
        name = "fragile"

        def __init__(self) -> None:
            self.asked = 0

        def __call__(self, step: Any) -> torch.Tensor:
            self.asked += 1
            if broken and self.asked >= 70:
                raise ZeroDivisionError("broken")
            return step.reads_fraction / self.asked

    lanes = {"lanes": 4, "reward": ("fragile=1",)}
    with pytest.raises(ContractError) as error:
        program(out=tmp_path / "one", **lanes)
    newest = max((tmp_path / "one" / "checkpoints").glob("*.json"))
    assert re.search("reward 'fragile' raised .* broken .* of the source", str(error.value))
    assert str(error.value).endswith(f"; the last good checkpoint is {newest}")
    assert int(newest.stem) > 0
    broken = False
    program(resume=tmp_path / "one")
    program(out=tmp_path / "two", **lanes)
    assert not differences(tmp_path / "two", tmp_path / "one")


def test_a_policy_that_breaks_names_the_checkpoint_of_before(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(divergence, "MOST_KL", 0.0)
    last = f"the last good checkpoint is {tmp_path / 'checkpoints' / '00000000.json'}$"
    with pytest.raises(DivergedError, match=f"exploded: after the update at 256 steps.*; {last}"):
        program(out=tmp_path)


@pytest.mark.slow
def test_a_signal_ends_the_program_after_a_checkpoint(
    small: dict[str, Any], tmp_path: Path
) -> None:
    words = ["--corpus", small["corpus"], "--host", small["host"], "--lanes", "4"]
    out, log = tmp_path / "out", tmp_path / "log"
    process = start("ppo_translate", [*words, "--steps", "100000", "--out", str(out)], log)
    table = out / "progress.csv"
    while process.poll() is None and (not table.is_file() or table.read_text().count("\n") < 2):
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(120) == 128 + signal.SIGTERM
    said = log.read_text()
    assert "ending after this rollout; once more ends at once" in said
    (line,) = re.findall("ended by SIGTERM after .*", said)
    newest = max((out / "checkpoints").glob("*.json"))
    assert line.endswith(f"the checkpoint is {newest}; go on with --resume {out}")
    assert f"after {int(newest.stem)} steps" in line


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ppo_translate", "ppo_classify"])
def test_kills_at_random_moments_change_nothing(name: Any, tmp_path: Path) -> None:
    done = kill_and_resume(name, tmp_path, kills=3, steps=2048, seed=1)
    assert len(done.moments) == 3
    assert done.ends


def test_without_a_signal_nothing_is_noted() -> None:
    from rlattn.experiments.signals import wishes

    before = signal.getsignal(signal.SIGTERM)
    with wishes() as wish:
        assert wish.signal is None
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_the_second_signal_ends_at_once() -> None:
    code = (
        "import signal\nfrom rlattn.experiments.signals import wishes\n"
        "with wishes() as wish:\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    print(wish.signal, flush=True)\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    print('never')\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.stdout == "2\n"
    assert ended.returncode == -signal.SIGINT
    assert "once more ends at once" in ended.stderr
