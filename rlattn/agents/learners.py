"""PPO as other learners are: it trains a policy that it is given, within a budget of steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rlattn.actions import ActionFamily
from rlattn.agents.best import KeepsBest
from rlattn.agents.callbacks import Validation
from rlattn.agents.ppo import PointerPolicy
from rlattn.agents.training import PPOSettings, learn, make_ppo
from rlattn.agents.validation import Validator
from rlattn.corpora import Pair
from rlattn.envs import AttentionVecEnv, Core, TranslationCore
from rlattn.envs.episodes import Prefix
from rlattn.errors import InputError
from rlattn.hosts import Host, Seq2SeqHost
from rlattn.policy import AttentionPolicy
from rlattn.rewards import TotalReward, WeightSpec

_CRITIC = "value."
"""What the names of the value network's weights begin with; all others act."""


def learn_ppo(
    host: Seq2SeqHost,
    pairs: Sequence[Pair],
    policy: AttentionPolicy,
    settings: PPOSettings,
    *,
    reward: Mapping[str, WeightSpec],
    prefix: Prefix = "host",
    reads_target: float | None = None,
    start: AttentionPolicy | None = None,
    steps: int,
    validator: Validator,
    every: int,
    lanes: int,
    max_source: int,
    max_target: int,
    seed: int,
    progress: bool = True,
) -> None:
    """Trains a policy in place by PPO (Schulman et al., 2017).

    Args:
        host: The frozen translator.
        pairs: Sentences to learn from.
        policy: Begins as it is, the value network included; its width counts, not the settings'.
        settings: Those of PPO.
        reward: The weight of each reward term, by its name.
        prefix: What is fed back.
        reads_target: Adapt the weight of the reads until this fraction of the source is read.
        start: A policy of the same build to begin with instead, as `begin_with` does.
        steps: Environment steps, all lanes together; the last rollout is a whole one.
        validator: Is asked before the first step, now and then, and at the end.
        every: Environment steps between two validations, at the end of a rollout.
        lanes: How many sentences advance together.
        max_source: The longest source in tokens; longer ones are cut.
        max_target: The longest target in tokens.
        seed: Seeds all that is random from here on, in torch, NumPy and Python, too.
        progress: Whether to draw a progress bar.

    Raises:
        InputError: If something is out of range, a reward needs another prefix, the policy is not
            for this host, or `start` is of another build.
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
        horizon=max(256, settings.rollout),
        seed=seed,
    )
    learn_in(
        core,
        policy,
        settings,
        start=start,
        steps=steps,
        validator=validator,
        every=every,
        seed=seed,
        progress=progress,
    )


def learn_in(
    core: Core,
    policy: AttentionPolicy,
    settings: PPOSettings,
    *,
    start: AttentionPolicy | None,
    steps: int,
    validator: KeepsBest[Any],
    every: int,
    seed: int,
    progress: bool,
) -> None:
    """Trains a policy in place by PPO in lanes that are there already.

    Args:
        core: The lanes; their memories last for a rollout.
        policy: As for `learn_ppo`, and all that follows.
        settings: Those of PPO.
        start: What to begin with instead, or None.
        steps: Environment steps, all lanes together.
        validator: Is asked before the first step, now and then, and at the end.
        every: Environment steps between two validations.
        seed: Seeds all that is random from here on.
        progress: Whether to draw a progress bar.

    Raises:
        InputError: If `start` is of another build.
    """
    if start is not None:
        begin_with(policy, start)
    width = replace(settings, width=policy.config.width)
    ppo = make_ppo(AttentionVecEnv(core), width, seed=seed, device=str(core.host.device))
    assert isinstance(ppo.policy, PointerPolicy)
    ppo.policy.attention.load_state_dict(policy.state_dict())
    learn(ppo, steps, [Validation(validator, every=every)], progress=progress)
    policy.load_state_dict(ppo.policy.attention.state_dict())


def begin_with(policy: AttentionPolicy, start: AttentionPolicy) -> None:
    """Gives a policy all that acts in another: the same action in every place, to the bit.

    The value network stays the policy's own: what the other one judged by, if it judged at all, was
    another objective. Exploration is the other policy's, too. Where it decides on gates or other
    choices, that is how sure it is, which a family keeps within bounds. Where it decides on
    numbers, it is the spread of a distribution of which training by gradient uses the mode alone,
    so that the spread is still about that of a policy which has learned nothing.

    Args:
        policy: Is changed.
        start: Is not.

    Raises:
        InputError: If they are not of the same build.
    """
    if policy.config != start.config:
        raise InputError(
            f"a policy of {start.config} cannot begin one of {policy.config}: make both alike"
        )
    acts = {k: v for k, v in start.state_dict().items() if not k.startswith(_CRITIC)}
    policy.load_state_dict(acts, strict=False)


def family_for(host: Host, policy: AttentionPolicy) -> ActionFamily:
    """The family of a policy's actions on a host.

    Raises:
        InputError: If the policy was made for another host, or for none yet.
    """
    family = policy.family.fit(host)
    if family.spec != policy.config.action or policy.config.d_model != host.d_model:
        raise InputError(
            f"a policy of {policy.config} does not fit host {host.name}: expected action "
            f"{family.spec!r} and d_model {host.d_model}"
        )
    return family
