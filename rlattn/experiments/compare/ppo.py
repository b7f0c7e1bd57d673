"""PPO as a comparison trains it: the given network, on the task's reward or on a control."""

from __future__ import annotations

from collections.abc import Mapping

from rlattn.agents import PPOSettings, Validation, Validator, learn, make_ppo
from rlattn.agents.ppo import PointerPolicy
from rlattn.envs import TranslationCore, TranslationVecEnv
from rlattn.experiments.compare.learning import every
from rlattn.experiments.compare.scene import Scene
from rlattn.policy import AttentionPolicy
from rlattn.rewards import Control, TotalReward, WeightSpec, controlled


def learn_ppo(scene: Scene, policy: AttentionPolicy, validator: Validator, steps: int) -> None:
    """Trains a policy with PPO on the task's reward."""
    assert scene.task is not None
    _learn(scene, policy, validator, steps, scene.task.weights)


def learn_control(
    scene: Scene,
    policy: AttentionPolicy,
    validator: Validator,
    steps: int,
    *,
    control: Control,
) -> None:
    """Likewise, but what rewards quality tells nothing; reads cost what they cost."""
    assert scene.task is not None
    _learn(scene, policy, validator, steps, controlled(scene.task.weights, control))


def _learn(
    scene: Scene,
    policy: AttentionPolicy,
    validator: Validator,
    steps: int,
    weights: Mapping[str, WeightSpec],
) -> None:
    task = scene.task
    assert task is not None
    core = TranslationCore(
        scene.host,
        scene.train,
        family=policy.family,
        reward=TotalReward(weights, task.reads),
        prefix=task.prefix,
        lanes=scene.budget.lanes,
        seed=scene.seed,
        **scene.limits,
    )
    settings = PPOSettings(**{"gamma": task.gamma, **scene.settings_of("ppo")})
    ppo = make_ppo(
        TranslationVecEnv(core), settings, seed=scene.seed, device=str(scene.host.device)
    )
    assert isinstance(ppo.policy, PointerPolicy)
    ppo.policy.attention.load_state_dict(policy.state_dict())
    watch = Validation(validator, every=every(scene, steps))
    learn(ppo, steps, [watch], progress=False)
    policy.load_state_dict(ppo.policy.attention.state_dict())
