"""What lanes did since the start of their sentences, kept for those who look on."""

from __future__ import annotations

import numpy as np
import torch

from rlattn.envs.base import Core
from rlattn.envs.transition import Transition
from rlattn.hosts.pieces import tokens
from rlattn.inference import Alignment


class Watch:
    """Steps a core and remembers where its lanes look.

    A lane whose sentence came to its end is shown at that end until the next step.

    Args:
        core: The batched core.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        shape = core.lanes, core.max_steps
        self._attention = np.zeros((*shape, core.max_source), np.float32)
        self._opened = np.zeros((*shape, core.max_source), bool)
        self._written = np.zeros(shape, np.int64)
        self._ages = np.zeros(core.lanes, np.int64)
        self._over = np.ones(core.lanes, bool)
        self._pairs = [core.pair(lane) for lane in range(core.lanes)]

    def restart(self) -> None:
        """Takes in that every lane stands at the start of a sentence."""
        self._over[:] = True
        self._follow()

    def step(self, action: torch.Tensor) -> Transition:
        """Steps the core: see `Core.step`."""
        self._follow()
        transition = self._core.step(action)
        attention = transition.view["attention"].cpu().numpy().copy()
        self._over = transition.terminated | transition.truncated
        if transition.final_view is not None:
            attention[self._over] = transition.final_view["attention"].cpu().numpy()
        at = np.arange(len(attention)), self._ages
        self._attention[at] = attention
        opened = transition.opened.cpu().numpy()
        self._opened[at] = np.pad(opened, ((0, 0), (0, self._opened.shape[2] - opened.shape[1])))
        self._written[at] = transition.token
        self._ages += 1
        return transition

    def ids(self, lane: int) -> tuple[list[int], list[int]]:
        """The tokens of a lane's source, and those that it wrote so far."""
        source = self._core.host.tokenize([self._pairs[lane].source], self._core.max_source)
        return source.ids[0], self._written[lane, : self._ages[lane]].tolist()

    def alignment(self, lane: int) -> Alignment:
        """Where a lane looked so far."""
        host, (source, written) = self._core.host, self.ids(lane)
        so_far = np.s_[lane, : len(written), : len(source)]
        return Alignment(
            tokens(host, source),
            self._core.shown(written)[0],
            self._attention[so_far].copy(),
            self._opened[so_far].copy(),
        )

    def _follow(self) -> None:
        """Goes with the lanes that came to their end to their next sentences."""
        self._ages[self._over] = 0
        for lane in np.flatnonzero(self._over):
            self._pairs[lane] = self._core.pair(int(lane))
        self._over[:] = False
