"""The policy class: the same policy from either kind of observation, and padding never enters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import Tensor

from rlattn.actions import MaskedCategorical, Position, register_family
from rlattn.agents import PointerPolicy, PPOSettings, make_ppo
from rlattn.agents.ppo import to_observation
from rlattn.envs import AttentionEnv, AttentionVecEnv
from rlattn.envs.spaces import observation_space
from rlattn.errors import ContractError, InputError
from rlattn.hosts import Seq2SeqHost
from tests.actions.specs import about_the_source
from tests.envs.cores import make
from tests.hosts.tiny import SOURCE

SENTENCES = f"gate:sentence:{','.join(map(str, range(3, 63, 4)))}"  # some of the words end one
EVERY_ACTION = pytest.mark.parametrize(
    "action", ["gate", "bias", SENTENCES, "mix", "sharpness", "per-layer:2:position"]
)
LANES = 6
SMALL = PPOSettings(rollout=8, batch_size=24, epochs=2, width=16)


def env_of(host: Seq2SeqHost, **changes: Any) -> AttentionVecEnv:
    return AttentionVecEnv(make(host, lanes=LANES, **changes))


def ppo_of(host: Seq2SeqHost, **changes: Any) -> PPO:
    """PPO with a policy that acts strongly, so that differences would show."""
    ppo = make_ppo(env_of(host, **changes), SMALL)
    torch.nn.init.normal_(ppo.policy.attention.score.weight, std=1.0)
    return ppo


def tensors(seen: dict[str, np.ndarray]) -> dict[str, Tensor]:
    return {key: torch.as_tensor(value) for key, value in seen.items()}


def some_way_in(env: AttentionVecEnv, steps: int = 7) -> dict[str, np.ndarray]:
    """An observation whose lanes are in the middle of their sentences."""
    seen = env.reset()
    for _ in range(steps):
        seen, *_ = env.step(np.stack([env.action_space.sample() for _ in range(LANES)]))
    return seen


def spelled_out(env: AttentionVecEnv, seen: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same observation with its memory and its token's embedding in place of handles."""
    plain = {key: value for key, value in seen.items() if key != "episode"}
    token = env.core.embedding.gather(torch.from_numpy(seen["token"][:, 1])).numpy()
    return {**plain, "memory": env.core.memory().flatten(1).numpy(), "token": token}


@EVERY_ACTION
def test_handles_and_memories_lead_to_the_same_policy(each_host: Seq2SeqHost, action: str) -> None:
    ppo = ppo_of(each_host, action=action)
    env = ppo.get_env()
    seen = some_way_in(env)
    plain = spelled_out(env, seen)
    policy = PointerPolicy(
        observation_space(env.core, handles=False),
        env.action_space,
        lambda _: 1e-3,
        action=action,
        d_model=each_host.d_model,
        width=SMALL.width,
    )
    policy.load_state_dict(ppo.policy.state_dict())
    taken = torch.as_tensor(np.stack([env.action_space.sample() for _ in range(LANES)]))
    with torch.no_grad():
        ours = ppo.policy.evaluate_actions(tensors(seen), taken)
        theirs = policy.evaluate_actions(tensors(plain), taken)
        for here, there in zip(ours, theirs, strict=True):
            assert torch.allclose(here, there, atol=1e-5)
    greedy = ppo.predict(seen, deterministic=True)[0]
    assert np.array_equal(greedy, policy.predict(plain, deterministic=True)[0])
    assert len({row.tobytes() for row in greedy}) > 1


@EVERY_ACTION
def test_padding_never_enters(host: Seq2SeqHost, action: str) -> None:
    ppo = ppo_of(host, action=action)
    env = ppo.get_env()
    seen = some_way_in(env)
    mask = seen["mask"].astype(bool)
    assert not mask.all()
    plain = spelled_out(env, seen)
    wild = plain["memory"].reshape(LANES, SOURCE, -1).copy()
    wild[~mask] = 777.0
    changed = {**plain, "memory": wild.reshape(LANES, -1)}
    family = env.core.family
    mine = about_the_source(family, mask.sum(-1).tolist(), SOURCE).numpy()
    taken = np.stack([env.action_space.sample() for _ in range(LANES)]).astype(np.float32)
    other = np.where(mine, taken, 1 - taken)
    with torch.no_grad():
        ours = ppo.policy.evaluate_actions(tensors(plain), torch.as_tensor(taken))
        theirs = ppo.policy.evaluate_actions(tensors(changed), torch.as_tensor(other))
        for here, there in zip(ours, theirs, strict=True):
            assert torch.equal(here, there)
        action_, value, log_prob = ppo.policy(tensors(plain))
    assert not action_[~torch.from_numpy(mine)].any()
    assert value.shape == (LANES, 1)
    assert log_prob.shape == (LANES,)


def test_a_batch_holds_each_row_of_memory_once(host: Seq2SeqHost) -> None:
    env = AttentionVecEnv(make(host))
    seen, memories = [env.reset()], [env.core.memory()]
    for _ in range(12):
        taken = np.stack([env.action_space.sample() for _ in range(env.num_envs)])
        seen.append(env.step(taken)[0])
        memories.append(env.core.memory())
    batch = {key: torch.from_numpy(np.concatenate([s[key] for s in seen])) for key in seen[0]}
    observation = to_observation(batch)
    assert observation.rows is not None
    mask = batch["mask"].bool()
    assert torch.equal(observation.memory[observation.rows], torch.cat(memories)[mask])
    assert len(observation.memory) == len(observation.rows.unique()) < len(observation.rows) / 2


@EVERY_ACTION
def test_an_action_has_the_probability_it_was_drawn_with(host: Seq2SeqHost, action: str) -> None:
    ppo = ppo_of(host, action=action)
    seen = tensors(some_way_in(ppo.get_env()))
    with torch.no_grad():
        taken, value, log_prob = ppo.policy(seen)
        again, probability, entropy = ppo.policy.evaluate_actions(seen, taken)
        assert torch.allclose(probability, log_prob)
        assert torch.equal(again, value)
        assert torch.equal(ppo.policy.predict_values(seen), value)
        distribution = ppo.policy.masked_distribution(seen)
        assert torch.equal(distribution.entropy(), entropy)
        width = int(seen["mask"].sum(-1).max())
        best, _, _ = ppo.policy(seen, deterministic=True)
        family = ppo.policy.attention.family
        assert torch.equal(family.narrow(best, width), distribution.mode())
    with pytest.raises(NotImplementedError, match="masked_distribution"):
        ppo.policy.get_distribution(seen)


def test_a_batch_does_not_matter(host: Seq2SeqHost) -> None:
    ppo = ppo_of(host, action="bias")
    seen = some_way_in(ppo.get_env())
    together = ppo.predict(seen, deterministic=True)[0]
    for lane in range(LANES):
        alone = {key: value[lane : lane + 1] for key, value in seen.items()}
        one = ppo.predict(alone, deterministic=True)[0]
        assert np.allclose(one[0], together[lane], atol=1e-5)
        single = {key: value[lane] for key, value in seen.items()}
        assert np.allclose(ppo.predict(single, deterministic=True)[0], together[lane], atol=1e-5)


@EVERY_ACTION
def test_predictions_are_actions_of_the_space(host: Seq2SeqHost, action: str) -> None:
    ppo = ppo_of(host, action=action)
    env = ppo.get_env()
    for deterministic in (False, True):
        taken, state = ppo.predict(some_way_in(env), deterministic=deterministic)
        assert state is None
        assert taken.shape == (LANES, *env.action_space.shape)
        for row in taken:
            assert env.action_space.contains(row.astype(env.action_space.dtype))


def test_sampled_observations_are_taken_too(host: Seq2SeqHost) -> None:
    core = make(host)
    space = observation_space(core, handles=False)
    space.seed(0)
    sample = tensors({key: value[None] for key, value in space.sample().items()})
    sample["mask"] = torch.zeros_like(sample["mask"])  # as no sentence has
    observation = to_observation(sample)
    assert observation.mask.tolist() == [[True]]
    assert observation.memory.shape == (1, host.d_model)
    assert not sample["mask"].any(), "what was given stays as it is"


@EVERY_ACTION
def test_a_zip_of_ppo_comes_back(host: Seq2SeqHost, action: str, tmp_path: Path) -> None:
    ppo = ppo_of(host, action=action)
    ppo.learn(LANES * SMALL.rollout)
    ppo.save(tmp_path / "ppo.zip")
    again = PPO.load(tmp_path / "ppo.zip", env=ppo.get_env())
    seen = some_way_in(ppo.get_env())
    ours, theirs = (model.predict(seen, deterministic=True)[0] for model in (ppo, again))
    assert np.array_equal(ours, theirs)
    again.learn(LANES * SMALL.rollout, reset_num_timesteps=False)
    assert again.num_timesteps == 2 * LANES * SMALL.rollout


@EVERY_ACTION
def test_stable_baselines_can_evaluate_it(host: Seq2SeqHost, action: str) -> None:
    ppo = ppo_of(host, action=action, prefix="free")
    first, again = (
        evaluate_policy(
            ppo,
            env_of(host, action=action, prefix="free"),
            n_eval_episodes=9,
            return_episode_rewards=True,
        )
        for _ in range(2)
    )
    assert len(first[0]) == len(first[1]) == 9
    assert again[0] == pytest.approx(first[0], abs=1e-4)


def test_the_single_environment_can_be_learned_from(task: dict[str, Any]) -> None:
    vector = DummyVecEnv([lambda: AttentionEnv(**task)] * 2)
    core = vector.envs[0].core
    kwargs = {"action": "gate", "d_model": core.host.d_model, "width": 16}
    ppo = PPO(PointerPolicy, vector, n_steps=8, batch_size=8, policy_kwargs=kwargs)
    ppo.learn(16)
    assert ppo.num_timesteps == 16


def test_the_width_of_the_memory_is_read_off_observations_that_carry_it(
    task: dict[str, Any], host: Seq2SeqHost
) -> None:
    env = DummyVecEnv([lambda: AttentionEnv(**task)])
    ppo = PPO(PointerPolicy, env, n_steps=4, batch_size=4, policy_kwargs={"action": "gate"})
    assert ppo.policy.attention.config.d_model == host.d_model
    ppo.learn(4)
    with pytest.raises(InputError, match="d_model"):
        PPO(PointerPolicy, env_of(host), policy_kwargs={"action": "gate"})


@pytest.mark.usefixtures("_registered_only_here")
def test_a_draw_that_leaves_its_space_is_told_at_the_first_step(host: Seq2SeqHost) -> None:
    class Astray(MaskedCategorical):
        def sample(self) -> Tensor:
            return super().sample() + 100

    @register_family
    class Lost(Position):
        name = "lost"

        def distribution(self, parameters: Tensor, mask: Tensor) -> MaskedCategorical:
            return Astray(parameters[..., 0], mask)

    ppo = ppo_of(host, action="lost")
    with pytest.raises(ContractError, match="'lost': a draw leaves its space"):
        ppo.learn(64)


@pytest.mark.usefixtures("_registered_only_here")
def test_what_opens_nothing_is_told_at_the_first_step(host: Seq2SeqHost) -> None:
    @register_family
    class Blind(Position):
        name = "blind"

        def opened(self, action: Tensor, mask: Tensor) -> Tensor:
            return torch.zeros_like(mask)

    ppo = ppo_of(host, action="blind")
    with pytest.raises(ContractError, match="'blind' opens nothing"):
        ppo.learn(64)
