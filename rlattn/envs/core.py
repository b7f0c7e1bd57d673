"""The batched core: N lanes, one forward of the frozen decoder per step for all of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rlattn.actions import ActionFamily, Before
from rlattn.actions.checks import check_opened
from rlattn.corpora import Pair
from rlattn.envs.books import Books
from rlattn.envs.episodes import EpisodeQueue, Prefix
from rlattn.envs.natives import Natives, wants_stored
from rlattn.envs.store import EmbeddingRows, Rows
from rlattn.envs.transition import Transition, View
from rlattn.errors import InputError
from rlattn.hosts import LaneDecoder, LaneSources, Seq2SeqHost
from rlattn.observation import Observer
from rlattn.rewards import Step, Texts, TotalReward
from rlattn.steering.bands import band_slices


class TranslationCore:
    """Lanes that translate under an agent's attention and restart at once when they finish.

    One step is one target token. Every lane has its own sentence and position.

    Args:
        host: The frozen translator.
        split: The sentences to draw from.
        family: What an action is; it is fitted to the host.
        reward: What is rewarded.
        prefix: What is fed back as prefix: ``"free"`` the steered output, ``"reference"`` the
            reference, ``"host"`` the host's own greedy output.
        lanes: How many sentences advance together.
        max_source: The longest source in tokens; longer ones are cut and counted.
        max_target: The longest target in tokens.
        horizon: For how many steps the memory of a finished sentence stays available to
            observations that carry handles.
        copies: How many lanes get each sentence, one right after the other, to be compared.
        seed: Fixes the order of the corpus.

    Raises:
        InputError: If a number is out of range, there is no such prefix or no sentence, a reward
            needs another prefix, or the actions are not for this host.
    """

    def __init__(
        self,
        host: Seq2SeqHost,
        split: Sequence[Pair],
        *,
        family: ActionFamily,
        reward: TotalReward,
        prefix: Prefix = "host",
        lanes: int = 64,
        max_source: int = 64,
        max_target: int = 64,
        horizon: int = 256,
        copies: int = 1,
        seed: int = 0,
    ) -> None:
        limits = {"lanes": lanes, "max_source": max_source, "max_target": max_target}
        for name, number in {**limits, "horizon": horizon, "copies": copies}.items():
            if number < 1:
                raise InputError(f"{name} {number}: expected at least 1")
        if not split:
            raise InputError("there are no sentences to draw from")
        if prefix not in get_args(Prefix):
            expected = ", ".join(get_args(Prefix))
            raise InputError(f"unknown prefix {prefix!r}: expected one of {expected}")
        if host.max_source is not None and max_source > host.max_source:
            raise InputError(
                f"max_source {max_source}: host {host.name} takes at most {host.max_source} tokens"
            )
        if "reference" in reward.needs and prefix != "reference":
            raise InputError(
                f"a reward needs the reference as prefix, but the prefix is {prefix!r}: "
                "use prefix='reference'"
            )
        self.host, self.family = host, family.fit(host)
        self.reward, self.prefix = reward, prefix
        self.lanes, self.max_source, self.max_target = lanes, max_source, max_target
        bands = band_slices(lanes, host.device)
        self._bands = np.repeat(np.arange(len(bands)), [band.stop - band.start for band in bands])
        self._queue = EpisodeQueue(
            host,
            split,
            prefix=prefix,
            native=wants_stored(reward.needs, prefix),
            max_source=max_source,
            max_target=max_target,
            lanes=lanes,
            bands=len(bands),
            copies=copies,
        )
        self._sources = LaneSources(lanes, max_source)
        self._decoder = LaneDecoder(host, self._sources, max_target, record=True)
        self._natives = Natives(
            host, self._sources, reward.needs, prefix, max_target, self._queue.natives
        )
        self._observer = Observer(lanes, max_source, host.d_state, host.device)
        self._ends = torch.tensor(host.eos_tokens, device=host.device)
        self._embedding = EmbeddingRows(host.embed_tokens)
        self._fed = torch.zeros(lanes, dtype=torch.long, device=host.device)
        self._targets = np.zeros((lanes, max_target), np.int64)
        self._written = np.zeros((lanes, max_target), np.int64)
        self._tokens = torch.zeros(lanes, max_source, dtype=torch.long, device=host.device)
        self._memory = np.zeros(lanes, np.int64)
        self._pairs: list[Pair] = [Pair("", "")] * lanes
        self._books = Books(reward, lanes)
        self._kept: deque[int] = deque(maxlen=horizon)
        self._seed = seed
        self._size = self.family.size(max_source)
        self._started = self._checked = False

    @property
    def truncated(self) -> int:
        """How many sentences were cut so far because they were longer than allowed."""
        return self._queue.truncated

    @property
    def memory_handles(self) -> np.ndarray:
        """Where each lane's memory begins, int64, ``[lanes, 2]``; the same for copies alone."""
        return self._queue.memories.handles(self._memory)

    @property
    def embedding(self) -> Rows:
        """The embedding of every token, by its id."""
        return self._embedding

    @property
    def fresh(self) -> bool:
        """Whether every lane stands at the start of a sentence."""
        return self._started and not bool(self._decoder.ages.any())

    @property
    def mask(self) -> Tensor:
        """True at real source tokens, ``[lanes, max_source]``."""
        mask = self._sources.mask
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
        view = {**self._observer.view(self._sources.mask, lanes), "token": token}
        if self.family.reads_tokens:
            view["source"] = self._tokens.clone() if lanes is None else self._tokens[lanes]
        return view

    @torch.inference_mode()
    def reset(self, seed: int | None = None) -> View:
        """Starts every lane on a new sentence.

        Args:
            seed: Begins a new order of the corpus; without it the order goes on.

        Returns:
            What each lane sees.
        """
        if seed is not None or not self._started:
            seed = self._seed if seed is None else seed
            self._queue.seed(seed)
            self.reward.seed(seed)
        self._started = True
        self._kept.clear()
        self._start(np.arange(self.lanes))
        return self.view()

    @torch.inference_mode()
    def step(self, action: Tensor) -> Transition:
        """Writes one token in every lane.

        Args:
            action: One action of the family's space per lane, ``[lanes, ...]``.

        Returns:
            What it led to. Finished lanes have started on their next sentence.

        Raises:
            InputError: If there is not an action for each lane, or before the first reset.
            ContractError: If the family or a reward term breaks its contract.
            SteeringError: If an action leads to no legal allocation.
        """
        if not self._started:
            raise InputError("step before the first reset: there are no sentences yet")
        mask = self._sources.mask
        if action.numel() != self.lanes * self._size:
            raise InputError(
                f"actions of shape {list(action.shape)}: expected one for each of {self.lanes} "
                f"lanes, each of {self._size} numbers, for the space is "
                f"{self.family.space(self.max_source)}"
            )
        seen = (self._observer.attention, self._observer.coverage, self._tokens)
        family = self.family.on(Before(*(rows[:, : mask.shape[1]] for rows in seen)))
        action = family.nearest(family.narrow(action, mask.shape[1]).to(mask.device))
        if not self._checked:
            self._rehearse(family, action, mask)
        allocation = family.allocation(action, mask)
        # A plain gate says itself what it opens.
        plain = allocation.is_plain_gate
        opened = allocation.values & mask if plain else family.opened(action, mask)
        output = self._decoder.step(self._fed, allocation, self._natives.beside(self._decoder.ages))
        logits = output.logits
        native = self._natives.logits(self._fed, output)
        ages = self._decoder.ages
        at = np.arange(self.lanes), ages - 1
        last = torch.from_numpy(ages == self.max_target).to(logits.device)
        first = torch.from_numpy(ages == 1).to(logits.device)
        token = self.host.choose(logits, first, last)
        written = self._written[at] = token.cpu().numpy()
        target = torch.from_numpy(self._targets[at]).to(token)
        self._fed = token if self.prefix == "free" else target
        ended = torch.isin(self._fed, self._ends).cpu().numpy()
        truncated = (ages == self.max_target) & ~ended
        done = ended | truncated
        assert output.attention is not None
        self._observer.record(output.hidden, output.attention)
        lanes, needs = np.flatnonzero(done), self.reward.needs
        native_token = None
        if "native_token" in needs:
            native_token = target if native is None else self.host.choose(native, first, last)
        step = Step(
            token=token,
            logits=logits.float(),
            age=torch.from_numpy(ages.copy()).to(token.device),
            done=torch.from_numpy(done).to(token.device),
            mask=mask,
            opened=opened,
            attention=output.attention,
            coverage=self._observer.coverage[:, : mask.shape[1]].clone(),
            native_logits=native,
            native_token=native_token,
            reference_token=target if self.prefix == "reference" else None,
            finished=self._texts(lanes) if "text" in needs else None,
            partial=self._texts(np.arange(self.lanes)) if "partial" in needs else None,
        )
        reward = self._books.enter(step)
        final_view, summaries = None, []
        if len(lanes):
            final_view = self.view(torch.from_numpy(lanes).to(mask.device))
            summaries = self._books.close(lanes, ages[lanes])
            self._start(lanes)
        self._release()
        return Transition(
            self.view(),
            reward,
            ended,
            truncated,
            final_view,
            summaries,
            written,
            opened,
        )

    def hypotheses(self, lanes: np.ndarray) -> list[str]:
        """What the given lanes have written so far."""
        return self.host.detokenize(self.written(lanes))

    def written(self, lanes: np.ndarray) -> list[list[int]]:
        """The token ids that the given lanes have written so far."""
        return [self._written[lane, : self._decoder.ages[lane]].tolist() for lane in lanes]

    def pair(self, lane: int) -> Pair:
        """The sentence that a lane is at."""
        return self._pairs[lane]

    def _rehearse(self, family: ActionFamily, action: Tensor, mask: Tensor) -> None:
        """Looks once for mistakes that would show later, or not at all."""
        if not action.isfinite().all():
            raise InputError("the first actions are not all finite numbers")
        check_opened(family.spec, family.opened(action, mask), mask)
        # A single lane twice: one number for all sentences is no mistake where there is but one.
        self.reward.rehearse(self._texts(np.resize(np.arange(self.lanes), max(self.lanes, 2))))
        self._checked = True

    def _texts(self, lanes: np.ndarray) -> Texts:
        sources, references = ([self._pairs[lane][side] for lane in lanes] for side in (0, 1))
        return Texts(lanes, sources, self.hypotheses(lanes), references)

    def _start(self, lanes: np.ndarray) -> None:
        for places, episodes in self._queue.take(self._bands[lanes]):
            here = lanes[places]
            self._sources.load(here, episodes.encoded, episodes.rows)
            self._memory[here], self._targets[here] = episodes.memory, episodes.targets
            self._natives.start(here, episodes.native)
            if self.family.reads_tokens:
                self._tokens[torch.from_numpy(here)] = torch.from_numpy(episodes.sources).to(
                    self._tokens.device
                )
            for lane, pair in zip(here, episodes.pairs, strict=True):
                self._pairs[lane] = pair
        self._decoder.restart(lanes)
        self._observer.restart(torch.from_numpy(lanes))
        # A new tensor: the old one was given away as the token of the step.
        self._fed = self._fed.clone()
        self._fed[torch.from_numpy(lanes).to(self._fed.device)] = self.host.start_token
        self._books.restart(lanes)

    def _release(self) -> None:
        memory, native = self._queue.oldest()
        self._queue.natives.release(min(native, self._natives.oldest))
        if len(self._kept) == self._kept.maxlen:
            self._queue.memories.release(self._kept[0])
        self._kept.append(min(memory, int(self._memory.min())))
