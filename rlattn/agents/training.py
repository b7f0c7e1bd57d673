"""PPO on the attention policy, with settings that learn."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv
from tqdm import TqdmExperimentalWarning

from rlattn.agents.allocator import keep_freed_memory
from rlattn.agents.divergence import Divergence
from rlattn.agents.logs import LogLines, open_logs
from rlattn.agents.ppo import PointerPolicy
from rlattn.agents.record import as_trained
from rlattn.agents.reward_log import RewardLog
from rlattn.agents.start import HALF, begin_at
from rlattn.envs import ClassificationCore, Core
from rlattn.errors import InputError
from rlattn.inference import TrainedPolicy
from rlattn.storage.state import State


@dataclass(frozen=True)
class PPOSettings:
    """Settings of Stable-Baselines3's PPO.

    Attributes:
        rollout: Steps per lane between two updates.
        batch_size: The most transitions per gradient step.
        epochs: Passes over a rollout.
        learning_rate: At the start; it falls linearly to a tenth.
        gamma: Discount; None chooses 0 where every step is rewarded by itself and the prefix is
            given, for an allocation hardly touches later steps then, and 0.98 elsewhere.
        gae_lambda: Bias against variance of the advantage.
        entropy: Weight of the entropy bonus.
        width: Hidden units of the policy network.
    """

    rollout: int = 64
    batch_size: int = 2048
    epochs: int = 4
    learning_rate: float = 1.5e-3
    gamma: float | None = None
    gae_lambda: float = 0.9
    entropy: float = 0.0
    width: int = 64


def make_ppo(
    env: VecEnv, settings: PPOSettings | None = None, *, seed: int = 0, device: str = "cpu"
) -> PPO:
    """An unmodified PPO with our policy class.

    Where what gates open adds up over an episode, they begin with the target of reads, or with half
    of the text; see `begin_at`.

    Args:
        env: A `AttentionVecEnv`, wrapped or not.
        settings: See there; the defaults when not given.
        seed: Seeds Python, NumPy, torch and the environment.
        device: Where the policy network is.

    Raises:
        InputError: If it is no `VecEnv`.
    """
    if not isinstance(env, VecEnv):
        raise InputError(
            f"PPO trains on lanes, and got a {type(env).__name__}: give it rlattn.make_sb3(id)"
        )
    settings = settings or PPOSettings()
    core = env.get_attr("core")[0]
    ppo = PPO(
        PointerPolicy,
        env,
        n_steps=settings.rollout,
        batch_size=_batch_size(settings.rollout * env.num_envs, settings.batch_size),
        n_epochs=settings.epochs,
        learning_rate=lambda left: settings.learning_rate * (0.1 + 0.9 * left),
        gamma=discount(core) if settings.gamma is None else settings.gamma,
        gae_lambda=settings.gae_lambda,
        ent_coef=settings.entropy,
        policy_kwargs={
            "action": core.family.spec,
            "d_model": core.host.d_model,
            "width": settings.width,
        },
        seed=seed,
        device=device,
    )
    if isinstance(core, ClassificationCore):
        assert isinstance(ppo.policy, PointerPolicy)
        begin_at(ppo.policy.attention, core.reward.reads_target or HALF, core.reading.steps)
    return ppo


def _batch_size(transitions: int, most: int) -> int:
    """The largest size of equal batches; unequal ones would weigh transitions differently."""
    batches = next(
        n for n in range(1, transitions + 1) if transitions % n == 0 and transitions // n <= most
    )
    return transitions // batches


def discount(core: Core) -> float:
    """The discount that suits what a core rewards; see `PPOSettings`."""
    return 0.0 if core.immediate else 0.98


def trained_policy(ppo: PPO) -> TrainedPolicy:
    """The policy that a PPO has now, ready to be saved or to steer; later learning leaves it.

    It says how it came about, and a folder that it is saved to does, too.

    Args:
        ppo: What `make_ppo` gave.
    """
    assert isinstance(ppo.policy, PointerPolicy)
    env = ppo.get_env()
    assert env is not None
    core = env.get_attr("core")[0]
    reading = core.reading if isinstance(core, ClassificationCore) else None
    return as_trained(ppo.policy.attention, core.host, ppo.seed, ppo.num_timesteps, reading)


def learn(
    ppo: PPO,
    steps: int,
    callbacks: Sequence[BaseCallback] = (),
    *,
    log_folder: str | Path | None = None,
    progress: bool = True,
    resumed: State | None = None,
) -> PPO:
    """Trains, and logs every reward term and its weight by name.

    From the first call on, the process keeps the memory that it frees.

    Args:
        ppo: What `make_ppo` gave.
        steps: Environment steps, all lanes together.
        callbacks: What else watches; `RewardLog` and `Divergence` always do.
        log_folder: Where ``progress.csv`` and TensorBoard's files go; None for nowhere.
        progress: Whether to draw a progress bar.
        resumed: What was logged before a checkpoint from which this PPO was restored, see
            `rlattn.agents.logs`; None begins anew.

    Raises:
        DivergedError: If the policy breaks, or the importance ratios explode.
        ContractError: If a reward term breaks its contract.
        OutputError: If a log cannot be written.
    """
    keep_freed_memory()
    done = 0 if resumed is None else ppo.num_timesteps
    if log_folder is not None:
        ppo.set_logger(open_logs(Path(log_folder), resumed, done))
    watching = [Divergence(), *callbacks, RewardLog(), LogLines()]
    with warnings.catch_warnings():
        # Stable-Baselines3's progress bar is tqdm's, which calls itself experimental each time.
        warnings.simplefilter("ignore", TqdmExperimentalWarning)
        return ppo.learn(
            steps - done,
            callback=watching,
            log_interval=None,  # type: ignore[arg-type]
            reset_num_timesteps=resumed is None,
            progress_bar=progress,
        )
