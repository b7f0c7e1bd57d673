"""The batched core: N lanes, one forward of the frozen decoder per step for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np
import torch
from torch import Tensor

from rlattn.actions import ActionFamily
from rlattn.corpora import Pair
from rlattn.envs.base import Core, check_limits
from rlattn.envs.episodes import EpisodeQueue, Prefix
from rlattn.envs.natives import Natives, wants_stored
from rlattn.envs.store import EmbeddingRows
from rlattn.envs.transition import Transition
from rlattn.errors import InputError
from rlattn.hosts import LaneDecoder, LaneSources, Seq2SeqHost
from rlattn.hosts.pieces import tokens
from rlattn.rewards import Step, TotalReward
from rlattn.steering.bands import band_slices
from rlattn.storage.state import State, part, take


class TranslationCore(Core):
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
            needs another prefix or a label, or the actions are not for this host.
    """

    host: Seq2SeqHost

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
        check_limits(host, split, {**limits, "horizon": horizon, "copies": copies})
        if prefix not in get_args(Prefix):
            expected = ", ".join(get_args(Prefix))
            raise InputError(f"unknown prefix {prefix!r}: expected one of {expected}")
        if "label" in reward.needs:
            raise InputError(
                "a reward needs the label of a text, and translation has none: "
                "use it where texts are classified, as in rlattn/Classify-v0"
            )
        if "reference" in reward.needs and prefix != "reference":
            raise InputError(
                f"a reward needs the reference as prefix, but the prefix is {prefix!r}: "
                "use prefix='reference'"
            )
        bands = band_slices(lanes, host.device)
        self._bands = np.repeat(np.arange(len(bands)), [band.stop - band.start for band in bands])
        self._episodes = EpisodeQueue(
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
        super().__init__(
            host,
            family,
            reward,
            self._episodes,
            EmbeddingRows(host.embed_tokens),
            lanes=lanes,
            max_source=max_source,
            max_steps=max_target,
            d_state=host.d_state,
            horizon=horizon,
            seed=seed,
            per="step",
        )
        self.prefix, self.max_target = prefix, max_target
        self._sources = LaneSources(lanes, max_source)
        self._decoder = LaneDecoder(host, self._sources, max_target, record=True)
        self._natives = Natives(
            host, self._sources, reward.needs, prefix, max_target, self._episodes.natives
        )
        self._ends = torch.tensor(host.eos_tokens, device=host.device)
        self._targets = np.zeros((lanes, max_target), np.int64)
        self._written = np.zeros((lanes, max_target), np.int64)

    @property
    def ages(self) -> np.ndarray:
        """How many tokens each lane has written of its sentence, int64, ``[lanes]``."""
        return self._decoder.ages

    @property
    def immediate(self) -> bool:
        """Whether the prefix is given, and every step is rewarded by itself."""
        return self.prefix != "free" and self.reward.immediate

    @property
    def _mask(self) -> Tensor:
        return self._sources.mask

    def over(self, split: Sequence[Pair], lanes: int) -> TranslationCore:
        """The same task over other pairs, in lanes of its own.

        Args:
            split: The pairs to draw from.
            lanes: How many advance together.
        """
        return TranslationCore(
            self.host,
            split,
            family=self.family,
            reward=self.reward,
            prefix=self.prefix,
            lanes=lanes,
            max_source=self.max_source,
            max_target=self.max_target,
        )

    @torch.inference_mode()
    def step(self, action: Tensor) -> Transition:
        """Writes one token in every lane.

        Args:
            action: One action of the family's space per lane, ``[lanes, ...]``.

        Returns:
            What it led to. Finished lanes have started on their next sentence.

        Raises:
            InputError: If there is not an action of the space for each lane, or before the first
                reset. Nothing has happened then.
            ContractError: If the family or a reward term breaks its contract.
            SteeringError: If an action leads to no legal allocation.
        """
        allocation, opened = self._decide(action)
        mask = self._mask
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
        needs = self.reward.needs
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
            finished=self._texts(np.flatnonzero(done)) if "text" in needs else None,
            partial=self._texts(np.arange(self.lanes)) if "partial" in needs else None,
        )
        return self._settle(step, ended, truncated, written)

    def state_dict(self) -> State:
        """All that the next steps depend on: see `Core.state_dict`."""
        needed = min(self._episodes.oldest_native, self._natives.oldest)
        return {
            **super().state_dict(),
            "native_rows": self._episodes.natives.state_dict(needed),
            "sources": self._sources.state_dict(),
            "decoder": self._decoder.state_dict(),
            "natives": self._natives.state_dict(),
            "targets": self._targets,
            "written": self._written,
        }

    @torch.inference_mode()
    def load_state_dict(self, state: State) -> None:
        """Goes on where another core was: see `Core.load_state_dict`."""
        super().load_state_dict(state)
        self._episodes.natives.load_state_dict(part(state, "native_rows"))
        self._sources.load_state_dict(part(state, "sources"))
        self._decoder.load_state_dict(part(state, "decoder"))
        self._natives.load_state_dict(part(state, "natives"))
        self._targets = take(state, "targets", self._targets)
        self._written = take(state, "written", self._written)

    def hypotheses(self, lanes: np.ndarray) -> list[str]:
        """What the given lanes have written so far."""
        return self.host.detokenize(self.written(lanes))

    def written(self, lanes: np.ndarray) -> list[list[int]]:
        """The token ids that the given lanes have written so far."""
        return [self._written[lane, : self._decoder.ages[lane]].tolist() for lane in lanes]

    def shown(self, chosen: Sequence[int]) -> tuple[list[str], str]:
        """The tokens that were written, and the text that they are; see `Core.shown`."""
        return tokens(self.host, chosen), self.host.detokenize([chosen])[0]

    def _start(self, lanes: np.ndarray) -> None:
        for places, episodes in self._episodes.take(self._bands[lanes]):
            here = lanes[places]
            self._sources.load(here, episodes.encoded, episodes.rows)
            self._targets[here] = episodes.targets
            self._natives.start(here, episodes.native)
            self._take_up(here, episodes.pairs, episodes.sources, episodes.memory)
        self._decoder.restart(lanes)
        self._feed(lanes, self.host.start_token)

    def _release(self) -> None:
        self._episodes.natives.release(min(self._episodes.oldest_native, self._natives.oldest))
        super()._release()
