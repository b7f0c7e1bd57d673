"""Following `generate()` step by step, with the same observations as the environments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from rlattn.errors import SteeringError
from rlattn.observation import Observation, Observer, compact
from rlattn.policy import AttentionPolicy
from rlattn.steering import Steering


@dataclass
class Trace:
    """What was read during one or more calls of `generate()`; the last call's rows are kept.

    Attributes:
        reads_fraction: Mean over the steps of each target of open over valid positions, ``[rows]``.
        attention: With `trace`, the attention of each step, ``[rows, source]``.
        opened: With `trace`, the positions of each step that an action left open, bool,
            ``[rows, source]``.
    """

    reads_fraction: Tensor = field(default_factory=lambda: torch.zeros(0))
    attention: list[Tensor] = field(default_factory=list)
    opened: list[Tensor] = field(default_factory=list)


@contextmanager
def native(model: PreTrainedModel) -> Iterator[Trace]:
    """Watches where a model looks of its own accord; yields what `steer(trace=True)` does."""
    with steered(model, None, True) as record:
        yield record


@contextmanager
def steered(model: PreTrainedModel, policy: AttentionPolicy | None, trace: bool) -> Iterator[Trace]:
    """Has a policy, or nobody, steer a model's `generate()`; yields what was read."""
    session = _Session(model, policy, trace)
    encoder: nn.Module = model.get_encoder()
    hooks = (
        encoder.register_forward_pre_hook(session.encoding, with_kwargs=True),
        model.register_forward_pre_hook(session.before, with_kwargs=True),
        session.decoder.register_forward_hook(session.caught),
        model.register_forward_hook(session.after),
    )
    try:
        with session.steering:
            yield session.record
    finally:
        for hook in hooks:
            hook.remove()


class _Session:
    """Follows `generate()` step by step with the same observations as the environments."""

    def __init__(self, model: PreTrainedModel, policy: AttentionPolicy | None, trace: bool) -> None:
        self.record = Trace()
        self.steering = Steering(model, record=True)
        self._policy, self._trace = policy, trace
        # Without the language-model head that some decoders have inside.
        decoder: PreTrainedModel = model.get_decoder()  # type: ignore[no-untyped-call]
        self.decoder = decoder.base_model
        self._embed: nn.Embedding = decoder.get_input_embeddings()  # type: ignore[assignment]
        ends = model.generation_config.eos_token_id
        self._ends = torch.tensor(ends if isinstance(ends, list) else [ends], device=model.device)
        self._hidden: Tensor | None = None
        self._encoded: Tensor | None = None
        self._keys: Tensor | None = None

    def encoding(self, encoder: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Notes the tokens of the source."""
        self._encoded = kwargs.get("input_ids", args[0] if args else None)

    @torch.no_grad()
    def before(self, model: PreTrainedModel, args: Any, kwargs: dict[str, Any]) -> None:
        """Decides on the allocation of the coming step."""
        fed, cache = kwargs.get("decoder_input_ids"), kwargs.get("past_key_values")
        if fed is None or cache is None or fed.shape[1] != 1:
            raise SteeringError(
                "a policy follows decoding one token at a time: use generate() with use_cache=True "
                "and without decoder_input_ids"
            )
        if cache.get_seq_length() == 0:
            cache.reorder_cache = _refuse_beams
            self._begin(kwargs["encoder_outputs"][0], kwargs.get("attention_mask"))
        token = fed[:, 0]
        if self._steps.max() > 0:
            self._live &= ~torch.isin(token, self._ends)
        if self._policy is None:
            self._reads += self._live
            return
        seen = self._observer.view(self._mask)
        embedded = self._embed(token).float()
        observation = Observation(memory=self._memory, token=embedded, source=self._source, **seen)
        if self._keys is None:
            self._keys = self._policy.keys(observation)
        action = self._policy.act(observation, keys=self._keys)
        family = self._policy.family.on(observation.before)
        action = family.nearest(action)
        self.steering.allocation = family.allocation(action, self._mask)
        if cache.get_seq_length() == 0 and self.steering.allocation.is_plain_gate:
            self.steering.read_memory(kwargs["encoder_outputs"][0], cache)
        reads = family.reads(action, self._mask) / self._mask.sum(-1)
        self._reads += torch.where(self._live, reads, 0.0)
        if self._trace:
            self.record.opened.append(family.opened(action, self._mask))

    def _begin(self, memory: Tensor, mask: Tensor | None) -> None:
        rows, width = memory.shape[:2]
        self._mask = (
            torch.ones(rows, width, dtype=torch.bool, device=memory.device)
            if mask is None
            else mask.bool()
        )
        self._memory = compact(memory[self._mask])
        self._keys = None
        self._source = self._tokens()
        self._observer = Observer(rows, width, self._embed.weight.shape[1], memory.device)
        self._live = torch.ones(rows, dtype=torch.bool, device=memory.device)
        self._reads = torch.zeros(rows, device=memory.device)
        self._steps = torch.zeros(rows, device=memory.device)
        self.record.attention.clear()
        self.record.opened.clear()

    def _tokens(self) -> Tensor | None:
        """What was encoded last, if the policy asks for it; none of it serves twice."""
        tokens, self._encoded = self._encoded, None
        if self._policy is None or not self._policy.family.reads_tokens:
            return None
        if tokens is None or tokens.shape != self._mask.shape:
            raise SteeringError(
                f"actions of {self._policy.family.name} depend on the tokens of the source: give "
                "generate() input_ids, not encoder_outputs or inputs_embeds"
            )
        return tokens

    def caught(self, decoder: Any, args: Any, output: Any) -> None:
        """Keeps the decoder's last hidden state."""
        self._hidden = output[0][:, -1]

    def after(self, model: PreTrainedModel, args: Any, output: Any) -> None:
        """Takes in what the step produced."""
        assert self._hidden is not None
        assert self.steering.attention is not None
        attention = self.steering.attention[:, -1]
        self._observer.record(self._hidden, attention)
        self._steps += self._live
        self.record.reads_fraction = self._reads / self._steps
        if self._trace:
            self.record.attention.append(attention)


def _refuse_beams(beams: Tensor) -> None:
    # Beam search exchanges rows between steps, and what is remembered of them would stay behind.
    raise SteeringError("a policy cannot follow beam search: use generate() with num_beams=1")
