"""A policy's actions during one decoding; it is not asked about targets that have ended."""

from __future__ import annotations

import torch
from torch import Tensor

from rlattn.observation import Observation, Observer
from rlattn.policy import AttentionPolicy, Keys


class Decider:
    """Asks a policy at each step, and keeps what it takes from the sources.

    Args:
        policy: Whom to ask.
        observer: What happened so far, in all lanes.
        memory: Of all sources, as `Observation` holds it.
        mask: True at real source tokens, ``[lanes, source]``.
        source: The tokens of the sources, ``[lanes, source]``; None where no action depends on
            them.
    """

    def __init__(
        self,
        policy: AttentionPolicy,
        observer: Observer,
        memory: Tensor,
        mask: Tensor,
        source: Tensor | None,
    ) -> None:
        self._policy, self._observer, self._memory = policy, observer, memory
        self._mask, self._source = mask, source
        self._keys: Keys | None = None
        # What belongs to the lanes that are asked about.
        self._live = torch.ones(len(mask), dtype=torch.bool, device=mask.device)
        self._live_keys: Keys | None = None
        self._live_source = source
        self._action: Tensor | None = None

    def action(self, token: Tensor, live: Tensor) -> Tensor:
        """What to do at the coming step.

        Args:
            token: The embedding of the token that the decoder is about to read, float32,
                ``[lanes, d_state]``.
            live: True at lanes whose target goes on, ``[lanes]``.

        Returns:
            ``[lanes, size]``; where a target has ended, what was done last.
        """
        if not torch.equal(live, self._live):
            assert self._keys is not None, "all targets go on at the first step"
            self._live, self._live_keys = live.clone(), self._keys.on(live)
            self._live_source = None if self._source is None else self._source[live]
        if self._action is not None and not bool(live.any()):
            return self._action
        seen = self._observer.view(self._mask, None if bool(live.all()) else live)
        observation = Observation(self._memory, token=token[live], source=self._live_source, **seen)
        if self._keys is None:
            self._keys = self._live_keys = self._policy.keys(observation)
        chosen = self._policy.act(observation, keys=self._live_keys)
        if self._action is None:
            self._action = chosen
        else:
            self._action = self._action.index_copy(0, live.nonzero()[:, 0], chosen)
        return self._action
