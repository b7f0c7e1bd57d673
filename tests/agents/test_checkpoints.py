"""A training that ended at any of its checkpoints goes on as if it had never ended."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from stable_baselines3 import PPO

from rlattn.agents import Meter, PPOSettings, Spent, Validation, Validator, learn, make_ppo
from rlattn.agents.checkpoints import Checkpoints
from rlattn.envs import AttentionVecEnv
from rlattn.errors import InputError, StoppedError
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import translate
from rlattn.storage.checkpoint import find_checkpoints
from tests.agents.validations import PAIRS
from tests.envs.cores import make
from tests.hosts.tiny import SOURCE, TARGET, tiny_host

LANES, ROLLOUTS = 6, 4
SMALL = PPOSettings(rollout=8, batch_size=24, epochs=2, width=16, learning_rate=0.03)
ROLLOUT = LANES * SMALL.rollout
REWARD = {"fidelity": 1.0, "shuffled:reads": -0.1, "reads": {"target": 0.3, "sentences": 4}}


class Training(NamedTuple):
    """What is left of a training."""

    ppo: PPO
    validator: Validator
    checkpoints: Checkpoints
    said: list[str]


def train(
    host: Seq2SeqHost, folder: Path, asked: Sequence[int | None] = (), **changes: Any
) -> Training:
    """Trains from the last checkpoint on; signals come as they are `asked` for between rollouts."""
    signals, said = iter(asked), list[str]()
    # As in a process of its own: of another seed, and with a host that has worked before.
    torch.manual_seed(len(asked))
    core = make(host, lanes=LANES, **{"reward": REWARD, **changes})
    ppo = make_ppo(AttentionVecEnv(core), SMALL, seed=5)
    limits = {"max_source": SOURCE, "max_target": TARGET}
    write = partial(translate, host, **limits)
    validator = Validator(PAIRS, Meter(host), native_bleu=100.0, translate=write)
    validation = Validation(validator, every=2 * ROLLOUT)
    checkpoints = Checkpoints(
        folder / "checkpoints", validation, minutes=0, asked=lambda: next(signals, None)
    )
    logs = checkpoints.restore(ppo, said.append)
    watching = [validation, checkpoints]
    try:
        learn(ppo, ROLLOUTS * ROLLOUT, watching, log_folder=folder, progress=False, resumed=logs)
    except StoppedError as error:
        said.append(str(error))
    return Training(ppo, validator, checkpoints, said)


def left(training: Training) -> list[Any]:
    """What must be the same, clocks left out."""
    curve = [replace(point, spent=_counts(point.spent)) for point in training.validator.curve]
    kept = training.validator.policy
    weights = [training.ppo.policy.state_dict(), kept.policy.state_dict()]
    assert kept.training is not None
    return [
        [asdict(point) for point in curve],
        kept.training.env_steps,
        [tensor.tolist() for each in weights for tensor in each.values()],
        training.ppo.num_timesteps,
        torch.randn(3).tolist(),
    ]


def _counts(spent: Spent) -> Spent:
    return replace(spent, seconds=0.0)


def lines(folder: Path) -> list[dict[str, str]]:
    """The log without clocks."""
    with (folder / "progress.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    clocks = ("time/fps", "time/time_elapsed")
    return [{name: row[name] for name in row if name not in clocks} for row in rows]


@pytest.fixture(scope="module", params=["gate", "per-layer:bias"])
def action(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def alone(action: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Any], Path]:
    folder = tmp_path_factory.mktemp("alone")
    return left(train(tiny_host(), folder, action=action)), folder


@pytest.mark.parametrize("at", [[0], [1], [3], [4], [0, 2, 1], [1, 1, 1, 1, 1]], ids=str)
def test_it_ends_as_the_one_that_was_left_alone(
    at: list[int],
    action: str,
    alone: tuple[list[Any], Path],
    host: Seq2SeqHost,
    tmp_path: Path,
) -> None:
    expected, folder = alone
    for rollout in at:
        # Each rollout begins by asking twice: whether to write, and whether to end.
        ended = train(host, tmp_path, [None] * 2 * rollout + [2, 2], action=action)
        if ended.ppo.num_timesteps < ROLLOUTS * ROLLOUT:
            assert ended.said[-1].startswith("ended by SIGINT after")
    assert left(train(host, tmp_path, action=action)) == expected
    assert lines(tmp_path) == lines(folder)


def test_a_finished_training_only_tells_its_end_again(
    action: str, alone: tuple[list[Any], Path], host: Seq2SeqHost, tmp_path: Path
) -> None:
    for _ in range(2):
        assert left(train(host, tmp_path, action=action)) == alone[0]


def test_a_damaged_checkpoint_is_said_and_the_one_before_it_used(
    action: str, alone: tuple[list[Any], Path], host: Seq2SeqHost, tmp_path: Path
) -> None:
    train(host, tmp_path, [None] * 4 + [15, 15], action=action)
    newest, before = find_checkpoints(tmp_path / "checkpoints")
    newest.with_suffix(".safetensors").write_bytes(b"")
    went_on = train(host, tmp_path, action=action)
    assert f"{newest} is damaged" in went_on.said[0]
    assert int(before.stem) == ROLLOUT
    assert left(went_on) == alone[0]


def test_the_state_of_another_training_is_refused(host: Seq2SeqHost, tmp_path: Path) -> None:
    train(host, tmp_path, [None, None, 2, 2])
    with pytest.raises(InputError, match=r"00000048.json is not one of this run \(sums is float64"):
        train(host, tmp_path, reward={"agreement": 1.0})


def test_clocks_go_on(host: Seq2SeqHost, tmp_path: Path) -> None:
    first = train(host, tmp_path, [None, None, 2, 2])
    second = train(host, tmp_path)
    assert 0 < second.checkpoints.earlier <= first.checkpoints.seconds
    seconds = [point.spent.seconds for point in second.validator.curve]
    assert seconds == sorted(seconds)
