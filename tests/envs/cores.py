"""Small cores, and a slow twin of what they compute: one lane at a time, nothing shared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache, EncoderDecoderCache

from rlattn.actions import ActionFamily, make_family
from rlattn.corpora import Pair
from rlattn.envs import Transition, TranslationCore
from rlattn.hosts import Seq2SeqHost
from rlattn.rewards import TotalReward
from rlattn.steering import steer
from tests.hosts.tiny import SOURCE, TARGET, pairs

LANES = 3


def make(host: Seq2SeqHost, **changes: Any) -> TranslationCore:
    """A core over tiny sentences; gates, fidelity and reads, unless told otherwise."""
    settings: dict[str, Any] = {
        "split": pairs(40),
        "action": "gate",
        "reward": {"fidelity": 1.0, "reads": -0.5},
        "reads_target": None,
        "prefix": "host",
        "lanes": LANES,
        "max_source": SOURCE,
        "max_target": TARGET,
        **changes,
    }
    family = make_family(settings.pop("action"))
    reward, target = settings.pop("reward"), settings.pop("reads_target")
    if not isinstance(reward, TotalReward):
        reward = TotalReward(reward, target)
    return TranslationCore(host, settings.pop("split"), family=family, reward=reward, **settings)


def random_action(core: TranslationCore, rng: np.random.Generator) -> Tensor:
    """Any actions of the core's space, `[lanes, max_source]`."""
    shape = (core.lanes, core.max_source)
    if core.family.name == "gate":
        return torch.from_numpy(rng.integers(0, 2, shape)).float()
    return torch.from_numpy(rng.uniform(-1, 1, shape)).float()


@dataclass
class Episode:
    """What a lane did with one sentence."""

    pair: Pair
    actions: list[Tensor] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    terminated: bool = False
    truncated: bool = False
    summary: dict[str, float] = field(default_factory=dict)


def play(core: TranslationCore, steps: int, seed: int = 0) -> list[Episode]:
    """Random actions for some steps; the episodes that came to their end."""
    rng = np.random.default_rng(seed)
    core.reset(seed)
    at = [Episode(core.pair(lane)) for lane in range(core.lanes)]
    finished = []
    for _ in range(steps):
        action = random_action(core, rng)
        transition = core.step(action)
        summaries = iter(transition.summaries)
        for lane, episode in enumerate(at):
            episode.actions.append(action[lane])
            episode.rewards.append(float(transition.reward[lane]))
            if ended(transition)[lane]:
                episode.terminated = bool(transition.terminated[lane])
                episode.truncated = bool(transition.truncated[lane])
                episode.summary = next(summaries)
                finished.append(episode)
                at[lane] = Episode(core.pair(lane))
    return finished


def ended(transition: Transition) -> np.ndarray:
    """Which lanes finished, `[lanes]`."""
    return transition.terminated | transition.truncated


@torch.no_grad()
def steered(
    host: Seq2SeqHost,
    family: ActionFamily,
    pair: Pair,
    actions: list[Tensor],
    targets: list[int] | None = None,
) -> Tensor:
    """Log-probabilities of each step under its action, `[steps, vocabulary]`.

    The steps go one by one through the model's own cache. Without `targets` the likeliest token
    is fed back.
    """
    ids = torch.tensor(host.tokenize([pair.source], SOURCE).ids)
    mask = torch.ones_like(ids, dtype=torch.bool)
    encoder = host.model.get_encoder()(input_ids=ids)
    cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
    fed, rows = host.start_token, []
    for step, action in enumerate(actions):
        allocation = family.allocation(action[None, : ids.shape[1]], mask)
        with steer(host.model, allocation):
            logits = host.model(
                encoder_outputs=encoder,
                attention_mask=mask.long(),
                decoder_input_ids=torch.tensor([[fed]]),
                past_key_values=cache,
                use_cache=True,
            ).logits
        rows.append(logits[0, -1].log_softmax(-1))
        fed = int(rows[-1].argmax()) if targets is None else targets[step]
    return torch.stack(rows)


@torch.no_grad()
def native(host: Seq2SeqHost, pair: Pair, fed: list[int]) -> Tensor:
    """Log-probabilities of each step without steering, in one forward without a cache."""
    ids = torch.tensor(host.tokenize([pair.source], SOURCE).ids)
    logits = host.model(input_ids=ids, decoder_input_ids=torch.tensor([fed])).logits
    return logits[0].log_softmax(-1)
