"""The settings that ship for rl-baselines3-zoo name every task, and its trainer takes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from stable_baselines3 import PPO

import rlattn
from rlattn.agents import PointerPolicy
from rlattn.envs import TASKS

ZOO = Path(rlattn.__file__).parent / "zoo"
ID = "rlattn/TranslatePosition-v0"


@pytest.mark.parametrize("file", sorted(ZOO.glob("*.yml")), ids=lambda file: file.name)
def test_every_task_has_settings(file: Path) -> None:
    settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert settings.keys() == {id for id in TASKS if id.startswith("rlattn/")}
    if file.name == "ppo.yml":
        for id, chosen in settings.items():
            family = TASKS[id].get("action", "gate")
            assert chosen["policy_kwargs"] == f"dict(action={family!r})"


def train(algo: str, task: dict[str, Any], folder: Path) -> Path:
    """Trains as a user of the zoo would, for a few hundred steps; the folder of the run."""
    pytest.importorskip("rl_zoo3", reason="needs the extra 'zoo'")
    program = [sys.executable, "-m", "rl_zoo3.train", "--algo", algo, "--env", ID]
    settings = ["--gym-packages", "rlattn", "--conf-file", str(ZOO / f"{algo}.yml")]
    short = ["--hyperparams", "n_envs:2", "n_steps:32", "batch_size:32", "--n-timesteps", "200"]
    changed = ["--env-kwargs", *(f"{name}:{value!r}" for name, value in task.items())]
    rest = ["--seed", "0", "--eval-freq", "-1", "--device", "cpu", "--log-folder", str(folder)]
    done = subprocess.run(
        [*program, *settings, *short, *changed, *rest],
        cwd=Path(rlattn.__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return folder / algo / "rlattn-TranslatePosition-v0_1"


@pytest.mark.slow
def test_the_zoo_trains_our_policy(task: dict[str, Any], tmp_path: Path) -> None:
    run = train("ppo", task, tmp_path)
    ppo = PPO.load(run / "rlattn-TranslatePosition-v0.zip")
    assert isinstance(ppo.policy, PointerPolicy)
    assert ppo.num_timesteps >= 200
    columns = (run / "0.monitor.csv").read_text(encoding="utf-8").splitlines()[1].split(",")
    assert "reads_fraction" in columns


@pytest.mark.slow
def test_the_zoo_trains_a_recurrent_policy(task: dict[str, Any], tmp_path: Path) -> None:
    run = train("ppo_lstm", task, tmp_path)
    assert (run / "rlattn-TranslatePosition-v0.zip").is_file()
