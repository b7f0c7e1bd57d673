"""REINFORCE with a self-critical baseline: no value network, and a policy that beats its own mode.

Williams (1992), "Simple statistical gradient-following algorithms for connectionist reinforcement
learning"; Rennie et al. (2017), "Self-critical sequence training for image captioning".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from rich.progress import track
from torch import Tensor, nn

from rlattn.agents.allocator import keep_freed_memory
from rlattn.agents.learners import family_for
from rlattn.agents.ppo import to_observation
from rlattn.agents.record import as_trained
from rlattn.agents.training import discount
from rlattn.agents.twins import Table, Twins, gains
from rlattn.agents.validation import Validator
from rlattn.corpora import Pair
from rlattn.envs import TranslationCore
from rlattn.envs.episodes import Prefix
from rlattn.hosts import Seq2SeqHost
from rlattn.policy import AttentionPolicy
from rlattn.rewards import TotalReward, WeightSpec


@dataclass(frozen=True)
class ReinforceSettings:
    """Settings of REINFORCE.

    Attributes:
        rollout: Steps per lane between two updates.
        updates: Gradient steps in an update, each on an equal share of what was sampled.
        learning_rate: Of Adam, at the start; it falls linearly to a tenth.
        gamma: Discount; None chooses it as `PPOSettings` does.
        entropy: Weight of the entropy bonus.
        most_norm: The gradient is scaled down to this norm.
    """

    rollout: int = 8
    updates: int = 1
    learning_rate: float = 1e-3
    gamma: float | None = None
    entropy: float = 0.0
    most_norm: float = 0.5


def learn_reinforce(
    host: Seq2SeqHost,
    pairs: Sequence[Pair],
    policy: AttentionPolicy,
    settings: ReinforceSettings,
    *,
    reward: Mapping[str, WeightSpec],
    prefix: Prefix = "host",
    reads_target: float | None = None,
    steps: int,
    validator: Validator,
    every: int,
    lanes: int,
    max_source: int,
    max_target: int,
    seed: int,
    progress: bool = True,
) -> None:
    """Trains a policy in place by REINFORCE with a self-critical baseline.

    Each sentence is gone through by two lanes, and what the actions that were sampled in one are
    worth is measured against the likeliest actions in the other, as `gains` says. A sentence that
    is not finished at an update counts in a later one.

    Args:
        host: The frozen translator.
        pairs: Sentences to learn from.
        policy: Begins as it is; its value network is neither asked nor changed.
        settings: See there.
        reward: The weight of each reward term, by its name.
        prefix: What is fed back.
        reads_target: Adapt the weight of the reads until this fraction of the source is read, by
            both lanes together.
        steps: Environment steps, all lanes together, the greedy ones included; the last rollout is
            a whole one.
        validator: Is asked before the first step, now and then, and at the end.
        every: Environment steps between two validations, at the end of a rollout.
        lanes: How many sentences advance together, each twice.
        max_source: The longest source in tokens; longer ones are cut.
        max_target: The longest target in tokens.
        seed: Seeds torch, and the order of the sentences.
        progress: Whether to draw a progress bar.

    Raises:
        InputError: If something is out of range, a reward needs another prefix, or the policy is
            not for this host.
    """
    core = TranslationCore(
        host,
        pairs,
        family=family_for(host, policy),
        reward=TotalReward(reward, reads_target),
        prefix=prefix,
        lanes=lanes,
        max_source=max_source,
        max_target=max_target,
        # What one twin saw is looked up when the other is done, and a lane is free for that one
        # before another sentence has passed.
        horizon=settings.rollout + 3 * max_target,
        copies=2,
        seed=seed,
    )
    keep_freed_memory()
    torch.manual_seed(seed)
    gamma = discount(core) if settings.gamma is None else settings.gamma
    optimizer = torch.optim.Adam(policy.parameters(), lr=settings.learning_rate, eps=1e-5)
    twins, waiting = Twins(core, policy), list[Table]()
    per_rollout, due = settings.rollout * lanes, 0

    def validate(taken: int) -> None:
        validator.validate(as_trained(policy, host, seed, taken), taken)

    rollouts = range(0, steps, per_rollout)
    for taken in track(rollouts, "REINFORCE", disable=not progress):
        if taken >= due:
            validate(taken)
            due = taken + every
        optimizer.param_groups[0]["lr"] = settings.learning_rate * (1.0 - 0.9 * taken / steps)
        waiting += [twins.step() for _ in range(settings.rollout)]
        table = {name: torch.cat([rows[name] for rows in waiting]) for name in waiting[0]}
        gain, known = gains(table, gamma)
        learned = (known & ~table["greedy"]).nonzero()[:, 0]
        for part in _shares(learned, settings.updates):
            _update(policy, optimizer, _rows(table, part), gain[part], settings)
        waiting = [_rows(table, (~known).nonzero()[:, 0])]
    validate(len(rollouts) * per_rollout)


def _update(
    policy: AttentionPolicy,
    optimizer: torch.optim.Optimizer,
    table: Table,
    gain: Tensor,
    settings: ReinforceSettings,
) -> None:
    observation = to_observation(table)
    distribution, _ = policy(observation)
    action = policy.family.narrow(table["action"], observation.mask.shape[1])
    loss = -(gain * distribution.log_prob(action)).mean()
    if settings.entropy:
        loss = loss - settings.entropy * distribution.entropy().mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(policy.parameters(), settings.most_norm)
    optimizer.step()


def _shares(rows: Tensor, count: int) -> list[Tensor]:
    """Rows in random order and in equal shares, none empty."""
    shuffled = rows[torch.randperm(len(rows)).to(rows.device)]
    return [part for part in torch.tensor_split(shuffled, count) if len(part)]


def _rows(table: Table, rows: Tensor) -> Table:
    return {name: values[rows] for name, values in table.items()}
