"""Sentences that two lanes go through: one samples its actions, the other takes the likeliest."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rlattn.agents.ppo import to_observation
from rlattn.envs import TranslationCore
from rlattn.envs.spaces import observe
from rlattn.policy import AttentionPolicy

Table = dict[str, Tensor]
"""Rows of steps: what was seen, as observations have it, and `action`, `greedy`, `age`, `reward`,
`done`, `[rows, ...]`.
"""


class Twins:
    """Rollouts in which each sentence is gone through twice, by a greedy lane and a sampling one.

    Which of the two a lane is changes from sentence to sentence: whoever comes to a sentence first
    is greedy. So no lane waits for another.

    Args:
        core: Hands each sentence to two lanes (`copies`).
        policy: Acts.
    """

    def __init__(self, core: TranslationCore, policy: AttentionPolicy) -> None:
        self._core, self._policy = core, policy
        self._view = core.reset()
        self._greedy, self._ages = np.zeros(core.lanes, bool), np.zeros(core.lanes, np.int64)
        self._alone = np.zeros(0, np.int64)
        self._begin(np.arange(core.lanes))

    @torch.no_grad()
    def step(self) -> Table:
        """Writes one token in every lane; a row of the table for each."""
        core, device = self._core, self._core.host.device
        seen = observe(core, self._view, core.memory_handles)
        table = {name: torch.as_tensor(rows, device=device) for name, rows in seen.items()}
        greedy = torch.tensor(self._greedy, device=device)
        distribution, _ = self._policy(to_observation(table))
        chosen = torch.where(greedy[:, None], distribution.mode(), distribution.sample())
        action = self._policy.family.widen(chosen, core.max_source)
        transition = core.step(action)
        self._view = transition.view
        done = transition.terminated | transition.truncated
        self._ages += 1
        table |= {
            "action": action,
            "greedy": greedy,
            "age": torch.tensor(self._ages, device=device),
            "reward": torch.as_tensor(transition.reward, device=device),
            "done": torch.as_tensor(done, device=device),
        }
        self._begin(np.flatnonzero(done))
        return table

    def _begin(self, lanes: np.ndarray) -> None:
        """Settles what lanes are that begin a sentence: each sentence comes to two of them."""
        self._ages[lanes] = 0
        sentences = self._core.memory_handles[lanes, 1]
        _, first = np.unique(sentences, return_index=True)
        self._greedy[lanes] = False
        self._greedy[lanes[first]] = ~np.isin(sentences[first], self._alone)
        known, times = np.unique(np.append(self._alone, sentences), return_counts=True)
        self._alone = known[times == 1]


def gains(table: Table, gamma: float) -> tuple[Tensor, Tensor]:
    """By how much sampled actions did better than the likeliest ones on the same sentence.

    What a step led to is compared with what the same step of its greedy twin did; after the twin's
    end, with its last one. So a score at the end of the sentence is compared as a whole, and along
    a given prefix both were in the same place.

    Args:
        table: Steps of whole sentences, and of some that are not finished.
        gamma: Discount per step.

    Returns:
        For each row, the discounted sum of rewards from there on, less that of the greedy twin,
        ``[rows]``; and whether both twins are finished, so that it is known.
    """
    _, sentence = torch.unique(table["episode"][:, 1], return_inverse=True)
    twin, place, done = table["greedy"].long(), table["age"] - 1, table["done"]
    sentences = int(sentence.max()) + 1
    returns = table["reward"].new_zeros(2, sentences, int(place.max()) + 1)
    returns[twin, sentence, place] = table["reward"]
    for step in range(returns.shape[2] - 2, -1, -1):
        returns[..., step] += gamma * returns[..., step + 1]
    last = place.new_full((2, sentences), -1)
    last[twin[done], sentence[done]] = place[done]
    known = (last >= 0).all(0)[sentence]
    baseline = torch.minimum(place, last[1, sentence].clamp(min=0))
    return returns[twin, sentence, place] - returns[1, sentence, baseline], known
