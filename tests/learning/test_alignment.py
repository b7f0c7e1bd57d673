"""PPO finds the known alignment of copying and reversal, on a host that hides nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from torch import Tensor

from rlattn.actions import make_family
from rlattn.actions.segments import Blocks, Segments, Sentences
from rlattn.agents import PPOSettings, make_ppo, trained_policy
from rlattn.envs import AttentionVecEnv, TranslationCore
from rlattn.envs.episodes import Prefix
from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.seq2seq import pad
from rlattn.rewards import TotalReward
from tests.learning.local_host import POSITIONS, VOCABULARY, local_host
from tests.learning.tasks import TASKS, Task

LANES = 64
# The prefix is given and this host's self-attention is idle: an action changes no later reward.
SETTINGS = PPOSettings(rollout=8, batch_size=256, learning_rate=4e-3, gamma=0.0)


def agent(
    host: Seq2SeqHost, task: Task, action: str, reward: dict[str, float], prefix: Prefix
) -> PPO:
    core = TranslationCore(
        host,
        task.pairs(1000, seed=1),
        family=make_family(action),
        reward=TotalReward(reward),
        prefix=prefix,
        lanes=LANES,
        max_source=POSITIONS,
        max_target=POSITIONS,
    )
    return make_ppo(AttentionVecEnv(core), SETTINGS, seed=0)


@dataclass(frozen=True)
class FreeRun:
    """What the greedy policy opened while it wrote other strings than those learned from.

    Attributes:
        ids: The sources, `[rows, source]`.
        mask: True at their tokens, `[rows, source]`.
        opened: The positions that were open, for steps before the end, `[steps, rows, source]`.
        alive: True before the end, `[steps, rows]`.
        right: Share of outputs that are right.
    """

    ids: Tensor
    mask: Tensor
    opened: Tensor
    alive: Tensor
    right: float


def run_free(ppo: PPO, host: Seq2SeqHost, task: Task) -> FreeRun:
    """Writes other strings than those learned from, under the greedy policy."""
    pairs = task.pairs(200, seed=2)
    sources = host.tokenize([pair.source for pair in pairs], POSITIONS)
    ids, mask = pad(sources.ids, host.pad_token)
    with trained_policy(ppo).steer(host.model, trace=True) as trace:
        written = host.model.generate(
            input_ids=ids, attention_mask=mask.long(), max_new_tokens=POSITIONS
        )
    alive = (written[:, 1:] != host.pad_token).T
    texts = host.detokenize(written.tolist())
    right = [text == pair.target for text, pair in zip(texts, pairs, strict=True)]
    opened = torch.stack(trace.opened) & alive[..., None]
    return FreeRun(ids, mask, opened, alive, float(np.mean(right)))


def free_run(ppo: PPO, host: Seq2SeqHost, task: Task) -> tuple[float, float]:
    """The share of all reads that are of the aligned position, and of outputs that are right."""
    run = run_free(ppo, host, task)
    opened = run.opened
    aligned = torch.zeros(POSITIONS, POSITIONS, dtype=torch.bool)
    aligned[range(len(task.aligned)), list(task.aligned)] = True
    hits = opened & aligned[: opened.shape[0], None, : opened.shape[2]]
    return float(hits.sum() / opened.sum()), run.right


def greedy_actions(ppo: PPO) -> np.ndarray:
    """What the policy does in every lane over some steps along the given prefix."""
    env, actions = ppo.get_env(), []
    seen = env.reset()
    for _ in range(POSITIONS):
        action, _ = ppo.predict(seen, deterministic=True)
        actions.append(action)
        seen, *_ = env.step(action)
    return np.concatenate(actions)


def gain(ppo: PPO) -> float:
    """What the last episodes gained in likelihood over native attention, in nats a token."""
    return float(np.mean([e["reward_likelihood"] / e["l"] for e in ppo.ep_info_buffer]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "action", "reward", "steps", "before", "after"),
    [
        # Before it has learned, a gate reads everything.
        ("copy", "gate", {"fidelity": 1.0, "reads": -2.0}, 16_000, 0.2, 0.9),
        ("reversal", "gate", {"fidelity": 1.0, "reads": -2.0}, 16_000, 0.2, 0.9),
        ("copy", "window", {"fidelity": 1.0, "reads": -2.0}, 48_000, 0.4, 0.9),
        ("copy", "position", {"fidelity": 1.0}, 24_000, 0.4, 0.9),
        ("copy", "topk:2", {"fidelity": 1.0}, 24_000, 0.4, 0.45),  # one of the two
        (
            "copy",
            "per-layer:position",
            {"fidelity": 1.0},
            24_000,
            0.4,
            0.45,
        ),  # the idle layer's, too
    ],
)
def test_what_opens_positions_finds_the_alignment(
    name: str, action: str, reward: dict[str, float], steps: int, before: float, after: float
) -> None:
    task = TASKS[name]
    host = local_host(task.aligned, idle=1 if action.startswith("per-layer") else 0)
    ppo = agent(host, task, action, reward, "host")
    aligned, _ = free_run(ppo, host, task)
    assert aligned < before
    ppo.learn(steps)
    aligned, right = free_run(ppo, host, task)
    assert aligned > after
    assert right > 0.9


@pytest.mark.slow
def test_gates_of_each_layer_close_down_to_the_alignment_also_where_nothing_is_read() -> None:
    task = TASKS["copy"]
    host = local_host(task.aligned, idle=1)
    ppo = agent(host, task, "per-layer:gate", {"fidelity": 1.0, "reads": -2.0}, "host")
    # A read is saved only once both layers shut a position, which open gates hardly ever do.
    torch.nn.init.zeros_(ppo.policy.attention.score.bias)
    aligned, _ = free_run(ppo, host, task)
    assert aligned < 0.2
    ppo.learn(24_000)
    aligned, right = free_run(ppo, host, task)
    assert aligned > 0.9
    assert right > 0.9


VOWELS = tuple(VOCABULARY.index(letter) for letter in "aei")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("action", "segments"),
    [
        ("gate:2", Blocks(2)),
        (f"gate:sentence:{','.join(map(str, VOWELS))}", Sentences(VOWELS)),
    ],
    ids=["blocks", "sentences"],
)
def test_shared_gates_find_the_segment_that_holds_the_alignment(
    action: str, segments: Segments
) -> None:
    task = TASKS["copy"]
    host = local_host(task.aligned)
    ppo = agent(host, task, action, {"fidelity": 1.0, "reads": -2.0}, "host")

    def found() -> tuple[float, float]:
        """The share of steps that open just the segment of the aligned position."""
        run = run_free(ppo, host, task)
        index = segments.on(run.ids).index(run.mask)
        steps = min(len(run.opened), index.shape[1])
        best = (index == index.T[:steps, :, None]) & run.mask
        exact = (run.opened[:steps] == best).all(-1)[run.alive[:steps]]
        return float(exact.float().mean()), run.right

    before, _ = found()
    assert before < 0.3
    ppo.learn(32_000)
    after, right = found()
    assert after > 0.9
    assert right > 0.9


@pytest.mark.slow
def test_bias_makes_up_for_attention_that_looks_everywhere_alike() -> None:
    task = TASKS["copy"]
    host = local_host(None)
    ppo = agent(host, task, "bias", {"likelihood": 1.0}, "reference")
    _, right = free_run(ppo, host, task)
    assert right < 0.1
    ppo.learn(16_000)
    assert gain(ppo) > 1.5, "in nats a token; native attention lacks about two"
    _, right = free_run(ppo, host, task)
    assert right > 0.9


@pytest.mark.slow
def test_shares_take_the_place_of_attention_that_looks_everywhere_alike() -> None:
    task = TASKS["copy"]
    host = local_host(None)
    ppo = agent(host, task, "simplex", {"likelihood": 1.0}, "reference")
    _, right = free_run(ppo, host, task)
    assert right < 0.1
    ppo.learn(24_000)
    _, right = free_run(ppo, host, task)
    assert right > 0.9


@pytest.mark.slow
def test_sharpness_makes_a_blunt_host_look_hard() -> None:
    task = TASKS["copy"]
    ppo = agent(local_host(task.aligned, 0.5), task, "sharpness", {"likelihood": 1.0}, "reference")
    assert abs(greedy_actions(ppo).mean()) < 0.2, "close to native"
    ppo.learn(24_000)
    assert greedy_actions(ppo).mean() > 0.8
    assert gain(ppo) > 1.0


@pytest.mark.slow
def test_a_mix_keeps_nothing_of_attention_that_looks_everywhere_alike() -> None:
    task = TASKS["copy"]
    host = local_host(None)
    ppo = agent(host, task, "mix", {"likelihood": 1.0}, "reference")
    _, right = free_run(ppo, host, task)
    assert right < 0.1
    ppo.learn(24_000)
    assert greedy_actions(ppo)[:, 0].mean() < -0.9
    _, right = free_run(ppo, host, task)
    assert right > 0.9


@pytest.mark.slow
def test_a_mix_keeps_attention_that_is_right() -> None:
    task = TASKS["copy"]
    host = local_host(task.aligned, focus=12.0)
    ppo = agent(host, task, "mix", {"likelihood": 1.0}, "reference")
    assert abs(greedy_actions(ppo)[:, 0].mean()) < 0.2
    ppo.learn(16_000)
    assert greedy_actions(ppo)[:, 0].mean() > 0.8
    assert abs(gain(ppo)) < 0.02, "there is nothing to gain"
