"""What faces and agents ask of a batched core, and what all cores do alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rlattn.actions import ActionFamily, Before
from rlattn.actions.checks import check_opened
from rlattn.checks import check_whole
from rlattn.corpora import Pair
from rlattn.envs.actions import ActionReader
from rlattn.envs.books import Books
from rlattn.envs.queue import Queue, packed, unpacked
from rlattn.envs.store import Rows
from rlattn.envs.transition import Transition, View
from rlattn.errors import ContractError, InputError
from rlattn.hosts import Host
from rlattn.observation import Observer
from rlattn.rewards import Step, Texts, TotalReward
from rlattn.rewards.weights import Per
from rlattn.steering import Allocation
from rlattn.storage.state import State, part, take

MOST_SEED = 2**63 - 1
"""The largest seed that all generators take."""


class Core(ABC):
    """Lanes that read under an agent's attention and restart at once when they finish.

    Args:
        host: The frozen model.
        family: What an action is; it is fitted to the host.
        reward: What is rewarded.
        queue: What the lanes will read.
        embedding: What stands for the token that observations name.
        lanes: How many sources advance together.
        max_source: The longest source in tokens.
        max_steps: The most steps of an episode.
        d_state: Width of what observations tell of the host's state.
        horizon: For how many steps the memory of a finished source stays available to
            observations that carry handles.
        seed: Fixes the order of the corpus.
        per: Whether what is read of a source is a mean over its steps, each of which reads
            anew, or the sum over the sentence, to which each adds.

    Attributes:
        host: As given.
        family: As fitted.
        reward: As given.
        embedding: As given.
        lanes: As given.
        max_source: As given.
        max_steps: As given.
        d_state: As given.

    Raises:
        InputError: If the actions are not for this host.
    """

    host: Host

    def __init__(
        self,
        host: Host,
        family: ActionFamily,
        reward: TotalReward,
        queue: Queue,
        embedding: Rows,
        *,
        lanes: int,
        max_source: int,
        max_steps: int,
        d_state: int,
        horizon: int,
        seed: int,
        per: Per,
    ) -> None:
        self.host, self.family, self.reward = host, family.fit(host), reward
        self.embedding, self.d_state = embedding, d_state
        self.lanes, self.max_source, self.max_steps = lanes, max_source, max_steps
        self._queue = queue
        self._observer = Observer(lanes, max_source, d_state, host.device)
        self._tokens = torch.zeros(lanes, max_source, dtype=torch.long, device=host.device)
        self._fed = torch.zeros(lanes, dtype=torch.long, device=host.device)
        self._memory = np.zeros(lanes, np.int64)
        self._pairs: list[Pair] = [Pair("", "")] * lanes
        self._books = Books(reward, lanes, per)
        self._kept: deque[int] = deque(maxlen=horizon)
        self._seed = seed
        size = self.family.size(max_source)
        self._actions = ActionReader(self.family.space(max_source), lanes, size)
        self._started = self._checked = False

    @property
    @abstractmethod
    def ages(self) -> np.ndarray:
        """How many steps each lane has taken with its source, int64, ``[lanes]``."""

    @property
    @abstractmethod
    def immediate(self) -> bool:
        """Whether an action hardly touches later rewards: a discount of 0 learns best then."""

    @property
    @abstractmethod
    def _mask(self) -> Tensor:
        """True at real source tokens, ``[lanes, width]``, up to the longest source."""

    @abstractmethod
    def over(self, split: Sequence[Pair], lanes: int) -> Self:
        """The same task over other pairs, in lanes of its own.

        Args:
            split: The pairs to draw from.
            lanes: How many advance together.
        """

    @abstractmethod
    def step(self, action: Tensor) -> Transition:
        """Takes one step in every lane.

        Args:
            action: One action of the family's space per lane, ``[lanes, ...]``.

        Returns:
            What it led to. Finished lanes have started on their next source.

        Raises:
            InputError: If there is not an action of the space for each lane, or before the first
                reset. Nothing has happened then.
            ContractError: If the family or a reward term breaks its contract.
            SteeringError: If an action leads to no legal allocation.
        """

    @abstractmethod
    def hypotheses(self, lanes: np.ndarray) -> list[str]:
        """What the host says in the given lanes so far."""

    @abstractmethod
    def shown(self, chosen: Sequence[int]) -> tuple[list[str], str]:
        """What the host chose at each step of an episode, for people to read.

        Args:
            chosen: `Transition.token` at each step.

        Returns:
            A name for each of them, and what they come to together.
        """

    @abstractmethod
    def _start(self, lanes: np.ndarray) -> None:
        """Puts lanes at the start of their next sources."""

    @property
    def truncated(self) -> int:
        """How many sentences were cut so far because they were longer than allowed."""
        return self._queue.truncated

    @property
    def memory_handles(self) -> np.ndarray:
        """Where each lane's memory begins, int64, ``[lanes, 2]``; the same for copies alone."""
        return self._queue.memories.handles(self._memory)

    @property
    def fresh(self) -> bool:
        """Whether every lane stands at the start of a sentence."""
        return self._started and not bool(self.ages.any())

    @property
    def mask(self) -> Tensor:
        """True at real source tokens, ``[lanes, max_source]``."""
        mask = self._mask
        return F.pad(mask, (0, self.max_source - mask.shape[1]))

    def memory(self) -> Tensor:
        """Each lane's memory as the policy sees it, float16, ``[lanes, max_source, d_model]``."""
        mask = self.mask
        offsets = torch.arange(self.max_source, device=mask.device)
        first = torch.as_tensor(self._memory, device=mask.device)[:, None]
        rows = self._queue.memories.gather(torch.where(mask, first + offsets, first))
        return rows.masked_fill(~mask[..., None], 0.0)

    def view(self, lanes: Tensor | None = None) -> View:
        """What lanes see now, by name; the token by its id, and without the memory.

        Args:
            lanes: Which ones; None for all.
        """
        token = self._fed if lanes is None else self._fed[lanes]
        view = {**self._observer.view(self._mask, lanes), "token": token}
        if self.family.reads_tokens:
            view["source"] = self._tokens.clone() if lanes is None else self._tokens[lanes]
        return view

    def pair(self, lane: int) -> Pair:
        """The sentence that a lane is at, and its translation or label."""
        return self._pairs[lane]

    @torch.inference_mode()
    def reset(self, seed: int | None = None) -> View:
        """Starts every lane on a new sentence.

        Args:
            seed: Begins a new order of the corpus; without it the order goes on.

        Returns:
            What each lane sees.

        Raises:
            InputError: If the seed is no whole number from 0 on.
        """
        if seed is not None or not self._started:
            seed = check_whole("seed", self._seed if seed is None else seed, 0, MOST_SEED)
            self._queue.seed(seed)
            self.reward.seed(seed)
        self._started = True
        self._kept.clear()
        self._begin(np.arange(self.lanes))
        return self.view()

    def state_dict(self) -> State:
        """All that the next steps depend on, once there was a reset.

        Memories of sources that no lane reads any more are not among it: observations of before
        cannot be read by those who go on from here.
        """
        needed = min(self._queue.oldest, int(self._memory.min()))
        return {
            "queue": self._queue.state_dict(),
            "memories": self._queue.memories.state_dict(needed),
            "observer": self._observer.state_dict(),
            "books": self._books.state_dict(),
            "reward": self.reward.state_dict(),
            "tokens": self._tokens,
            "fed": self._fed,
            "memory": self._memory,
            "pairs": packed(self._pairs),
            "checked": self._checked,
        }

    @torch.inference_mode()
    def load_state_dict(self, state: State) -> None:
        """Goes on where another core of the same settings was: the same steps from here on.

        Raises:
            InputError: If the state is not that of such a core.
        """
        self.reset()  # makes what comes with the first sources; what is in it is replaced
        self._queue.load_state_dict(part(state, "queue"))
        self._queue.memories.load_state_dict(part(state, "memories"))
        self._observer.load_state_dict(part(state, "observer"))
        self._books.load_state_dict(part(state, "books"))
        self.reward.load_state_dict(part(state, "reward"))
        self._tokens, self._fed = take(state, "tokens", self._tokens), take(state, "fed", self._fed)
        self._memory, self._pairs = take(state, "memory", self._memory), unpacked(state)
        self._checked = take(state, "checked", False)
        self._kept.clear()

    def _decide(self, action: Tensor) -> tuple[Allocation, Tensor]:
        """What actions do, and what they leave open, ``[lanes, width]``."""
        if not self._started:
            raise InputError("step before the first reset: there are no sentences yet")
        mask, action = self._mask, self._actions.read(action)
        seen = (self._observer.attention, self._observer.coverage, self._tokens)
        family = self.family.on(Before(*(rows[:, : mask.shape[1]] for rows in seen)))
        action = family.nearest(family.narrow(action, mask.shape[1]).to(mask.device))
        if not self._checked:
            self._rehearse(family, action, mask)
        allocation = family.allocation(action, mask)
        # A plain gate says itself what it opens.
        plain = allocation.is_plain_gate
        return allocation, allocation.values & mask if plain else family.opened(action, mask)

    def _rehearse(self, family: ActionFamily, action: Tensor, mask: Tensor) -> None:
        """Looks once for mistakes that would show later, or not at all."""
        check_opened(family.spec, family.opened(action, mask), mask)
        # A single lane twice: one number for all sentences is no mistake where there is but one.
        self.reward.rehearse(self._texts(np.resize(np.arange(self.lanes), max(self.lanes, 2))))
        self._checked = True

    def _texts(self, lanes: np.ndarray) -> Texts:
        sources, references = ([self._pairs[lane][side] for lane in lanes] for side in (0, 1))
        return Texts(lanes, sources, self.hypotheses(lanes), references)

    def _settle(
        self, step: Step, terminated: np.ndarray, truncated: np.ndarray, token: np.ndarray
    ) -> Transition:
        """Has a step rewarded, and starts lanes anew whose sentences ended with it."""
        reward, opened = self._rewarded(step), step.opened
        lanes = np.flatnonzero(terminated | truncated)
        final_view, summaries = None, []
        if len(lanes):
            final_view = self.view(torch.from_numpy(lanes).to(opened.device))
            summaries = self._books.close(lanes, self.ages[lanes])
            self._begin(lanes)
        self._release()
        return Transition(
            self.view(), reward, terminated, truncated, final_view, summaries, token, opened
        )

    def _rewarded(self, step: Step) -> np.ndarray:
        """The reward of a step; if it goes wrong, with the sentence that it went wrong in."""
        try:
            return self._books.enter(step)
        except ContractError as error:
            if error.lane is None:
                raise
            (source, target), age = self._pairs[error.lane], self.ages[error.lane]
            said = self.hypotheses(np.array([error.lane]))[0]
            raise ContractError(
                f"{error}; this was step {age} of the source {source!r}, whose target is "
                f"{target!r}; so far it has {said!r}",
                error.lane,
            ) from error.__cause__

    def _begin(self, lanes: np.ndarray) -> None:
        self._start(lanes)
        self._observer.restart(torch.from_numpy(lanes))
        self._books.restart(lanes)

    def _take_up(
        self, lanes: np.ndarray, pairs: Sequence[Pair], sources: np.ndarray, memory: np.ndarray
    ) -> None:
        """Notes what lanes read now: texts, tokens, and the names of their memories."""
        self._memory[lanes] = memory
        if self.family.reads_tokens:
            here = torch.from_numpy(lanes).to(self._tokens.device)
            self._tokens[here] = torch.from_numpy(sources).to(self._tokens.device)
        for lane, pair in zip(lanes, pairs, strict=True):
            self._pairs[lane] = pair

    def _feed(self, lanes: np.ndarray, token: int) -> None:
        """Has lanes go on from a token."""
        # A new tensor: the old one was given away as the token of the step.
        self._fed = self._fed.clone()
        self._fed[torch.from_numpy(lanes).to(self._fed.device)] = token

    def _release(self) -> None:
        """Lets go of memories that no observation within the horizon needs any more."""
        if len(self._kept) == self._kept.maxlen:
            self._queue.memories.release(self._kept[0])
        self._kept.append(min(self._queue.oldest, int(self._memory.min())))


def check_limits(host: Host, split: Sequence[Pair], limits: Mapping[str, int]) -> None:
    """Refuses what no core can do with.

    Args:
        host: The frozen model.
        split: The pairs to draw from.
        limits: Numbers by their names, ``max_source`` among them.

    Raises:
        InputError: If a number is no whole one, below 1 or more than the host takes, or there is
            no pair.
    """
    for name, number in limits.items():
        check_whole(name, number)
    if not len(split):
        raise InputError("there are no sentences to draw from")
    if not isinstance(split[0], Pair):
        raise InputError(f"sentences such as {split[0]!r:.40}: expected rlattn.corpora.Pair")
    if host.max_source is not None and limits["max_source"] > host.max_source:
        raise InputError(
            f"max_source {limits['max_source']}: host {host.name} takes at most "
            f"{host.max_source} tokens"
        )
