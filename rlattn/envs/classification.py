"""The batched core of classification: a text is read in parts, and labelled after each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rlattn.actions import ActionFamily
from rlattn.corpora import Pair
from rlattn.corpora.labels import labels_in
from rlattn.envs.base import Core, check_limits
from rlattn.envs.store import EmbeddingRows
from rlattn.envs.texts import TextQueue, unknown_label
from rlattn.envs.transition import Transition
from rlattn.hosts.classifier import ClassifierHost, EncodedTexts
from rlattn.reading import Reading, look
from rlattn.rewards import Step, TotalReward
from rlattn.storage.state import State, part, take


class ClassificationCore(Core):
    """Lanes that read more and more of a text under an agent's attention, and label it each time.

    What a gate opens stays open until the episode ends; special tokens are open from the first
    step on, and cost nothing. Of softer allocations the latest one counts, and the first of them
    reads all. An episode ends after some steps; or, where gates are what an agent decides on, as
    soon as it opens nothing new.

    Args:
        host: The frozen classifier.
        split: The texts to draw from; targets are labels of the host.
        family: What an action is; it is fitted to the host.
        reward: What is rewarded.
        lanes: How many texts advance together.
        max_source: The longest text in tokens; longer ones are cut and counted.
        steps: The most allocations of an episode.
        stop: Whether an action that opens nothing new ends the episode.
        horizon: For how many steps the memory of a finished text stays available to
            observations that carry handles.
        seed: Fixes the order of the corpus.

    Attributes:
        reading: In how many steps texts are read, and whether that stops by itself.

    Raises:
        InputError: If a number is out of range, there is no text, one has a label that the host
            does not know, or the actions are not for this host.
    """

    host: ClassifierHost[Any]

    def __init__(
        self,
        host: ClassifierHost[Any],
        split: Sequence[Pair],
        *,
        family: ActionFamily,
        reward: TotalReward,
        lanes: int = 64,
        max_source: int = 64,
        steps: int = 4,
        stop: bool = True,
        horizon: int = 256,
        seed: int = 0,
    ) -> None:
        limits = {"lanes": lanes, "max_source": max_source, "steps": steps, "horizon": horizon}
        check_limits(host, split, limits)
        unknown = sorted(labels_in(split) - set(host.labels))
        if unknown:
            raise unknown_label(host, unknown[0])
        self._needs = reward.needs
        self._labelled = TextQueue(
            host,
            split,
            native=bool(reward.needs & {"native", "native_token"}),
            max_source=max_source,
            lanes=lanes,
        )
        labels, self.reading = len(host.labels), Reading(steps, stop)
        d_state, numbers = self.reading.d_state(labels), self.reading.numbers(labels)
        counted = nn.Embedding(*numbers.shape)
        counted.weight.data = numbers
        super().__init__(
            host,
            family,
            reward,
            self._labelled,
            EmbeddingRows(counted.to(host.device)),
            lanes=lanes,
            max_source=max_source,
            max_steps=steps,
            d_state=d_state,
            horizon=horizon,
            seed=seed,
            per="sentence",
        )
        self._ages = np.zeros(lanes, np.int64)
        self._encoded: EncodedTexts | None = None
        self._opened = torch.zeros(lanes, max_source, dtype=torch.bool, device=host.device)
        self._label = torch.zeros(lanes, dtype=torch.long, device=host.device)
        self._chosen = np.zeros(lanes, np.int64)
        self._native = torch.zeros(lanes, labels, device=host.device)

    @property
    def ages(self) -> np.ndarray:
        """How many allocations each lane's text has had, int64, ``[lanes]``."""
        return self._ages

    @property
    def immediate(self) -> bool:
        """False: what is read now is known at all later steps."""
        return False

    @property
    def _mask(self) -> Tensor:
        assert self._encoded is not None
        return self._encoded.mask

    def over(self, split: Sequence[Pair], lanes: int) -> ClassificationCore:
        """The same task over other texts, in lanes of its own.

        Args:
            split: The texts to draw from.
            lanes: How many advance together.
        """
        return ClassificationCore(
            self.host,
            split,
            family=self.family,
            reward=self.reward,
            lanes=lanes,
            max_source=self.max_source,
            steps=self.reading.steps,
            stop=self.reading.stop,
        )

    @torch.inference_mode()
    def step(self, action: Tensor) -> Transition:
        """Reads some more of every lane's text, and has all labelled: see `Core.step`."""
        allocation, opened = self._decide(action)
        assert self._encoded is not None
        mask, width = self._mask, self._mask.shape[1]
        seen = look(
            self.host, self._encoded, allocation, opened, self._opened[:, :width], self.reading
        )
        token = seen.logits.argmax(-1)
        self._ages = self._ages + 1
        self._chosen = token.cpu().numpy()
        self._opened[:, :width] = seen.known
        self._fed = torch.from_numpy(self._ages).to(token.device)
        done = (self._ages == self.reading.steps) | seen.stopped.cpu().numpy()
        self._observer.record(seen.state, seen.attention, seen.new.float())
        step = Step(
            token=token,
            logits=seen.logits,
            age=self._fed.clone(),
            done=torch.from_numpy(done).to(token.device),
            mask=mask,
            opened=seen.new,
            attention=seen.attention,
            coverage=seen.known.float(),
            native_logits=self._native.clone() if "native" in self._needs else None,
            native_token=self._native.argmax(-1) if "native_token" in self._needs else None,
            reference_token=self._label.clone(),
            label=self._label.clone(),
            finished=self._texts(np.flatnonzero(done)) if "text" in self._needs else None,
            partial=self._texts(np.arange(self.lanes)) if "partial" in self._needs else None,
        )
        return self._settle(step, done, np.zeros_like(done), self._chosen)

    def state_dict(self) -> State:
        """All that the next steps depend on: see `Core.state_dict`."""
        assert self._encoded is not None
        return {
            **super().state_dict(),
            "ages": self._ages,
            "encoded": self._encoded.state_dict(),
            "opened": self._opened,
            "label": self._label,
            "chosen": self._chosen,
            "native": self._native,
        }

    @torch.inference_mode()
    def load_state_dict(self, state: State) -> None:
        """Goes on where another core was: see `Core.load_state_dict`."""
        super().load_state_dict(state)
        assert self._encoded is not None
        self._ages = take(state, "ages", self._ages)
        self._encoded = self._encoded.like(part(state, "encoded"))
        self._opened = take(state, "opened", self._opened)
        self._label = take(state, "label", self._label)
        self._chosen = take(state, "chosen", self._chosen)
        self._native = take(state, "native", self._native)

    def hypotheses(self, lanes: np.ndarray) -> list[str]:
        """The labels that the host chose last in the given lanes; empty before the first step."""
        return [self.host.labels[self._chosen[lane]] if self._ages[lane] else "" for lane in lanes]

    def shown(self, chosen: Sequence[int]) -> tuple[list[str], str]:
        """The labels that were chosen, and the last of them; see `Core.shown`."""
        names = [self.host.labels[number] for number in chosen]
        return names, names[-1] if names else ""

    def _start(self, lanes: np.ndarray) -> None:
        texts = self._labelled.take(len(lanes))
        here = torch.from_numpy(lanes).to(self._label.device)
        if len(lanes) == self.lanes:
            self._encoded = texts.encoded
        else:
            assert self._encoded is not None
            self._encoded = self._encoded.put(here, texts.encoded)
        self._opened[here] = False
        self._label[here] = torch.from_numpy(texts.label).to(self._label)
        if texts.native is not None:
            self._native[here] = texts.native
        # A new array: the old one was given away with the transition.
        self._ages = self._ages.copy()
        self._ages[lanes] = 0
        self._take_up(lanes, texts.pairs, texts.sources, texts.memory)
        self._feed(lanes, 0)
