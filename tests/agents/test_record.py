"""A policy that leaves a training says how it came about."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
import torch

import rlattn
from rlattn.agents import learn, make_ppo, trained_policy
from rlattn.agents.record import command_line
from rlattn.envs import AttentionVecEnv
from rlattn.hosts import Seq2SeqHost
from tests.envs.cores import make

ROLLOUT = 64


def test_steps_seed_and_versions_are_told_and_saved(host: Seq2SeqHost, tmp_path: Path) -> None:
    ppo = make_ppo(AttentionVecEnv(make(host, lanes=4)), seed=7)
    learn(ppo, 4 * ROLLOUT, progress=False)
    trained_policy(ppo).save(tmp_path)
    training = rlattn.load(tmp_path).training
    assert training is not None
    assert (training.seed, training.env_steps) == (7, 4 * ROLLOUT)
    assert training.versions["torch"] == torch.__version__
    assert training.corpus is None


@pytest.mark.parametrize(
    ("module", "started"),
    [
        (None, ("python", "train.py")),
        ("a.program", ("python", "-m", "a.program")),
        ("a.package.__main__", ("python", "-m", "a.package")),
    ],
)
def test_the_command_is_what_another_machine_can_run(
    host: Seq2SeqHost, monkeypatch: pytest.MonkeyPatch, module: str | None, started: tuple[str, ...]
) -> None:
    spec = None if module is None else ModuleSpec(module, None)
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", spec)
    monkeypatch.setattr(sys, "argv", ["train.py", "--name", "a b", "caf\udce9"])
    training = trained_policy(make_ppo(AttentionVecEnv(make(host)))).training
    assert training is not None
    assert training.command == (*started, "--name", "a b", "caf\ufffd")


def test_a_process_that_a_program_began_names_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path(rlattn.__file__).resolve().parent / "experiments" / "compare" / "__main__.py"
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    monkeypatch.setattr(sys, "argv", [str(file), "--quick"])
    assert command_line() == ("python", "-m", "rlattn.experiments.compare", "--quick")
