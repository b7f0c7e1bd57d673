"""Following `generate()` step by step, with the same observations as the environments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from rlattn.actions import Before
from rlattn.errors import SteeringError
from rlattn.inference.deciding import Decider
from rlattn.inference.modes import Request
from rlattn.inference.padding import Padding
from rlattn.inference.prompts import join, one_by_one
from rlattn.inference.trace import Trace
from rlattn.observation import Observer, compact
from rlattn.policy import AttentionPolicy
from rlattn.steering import Steering


@contextmanager
def native(model: PreTrainedModel) -> Iterator[Trace]:
    """Watches where a model looks of its own accord; yields what `steer(trace=True)` does."""
    with steered(model, None, True) as record:
        yield record


@contextmanager
def steered(model: PreTrainedModel, policy: AttentionPolicy | None, trace: bool) -> Iterator[Trace]:
    """Has a policy, or nobody, steer a model's `generate()`; yields what was read."""
    session = _Session(model, policy, trace)
    decoder: PreTrainedModel = model.get_decoder()  # type: ignore[no-untyped-call]
    encoder: nn.Module = model.get_encoder()
    hooks = (
        encoder.register_forward_hook(session.encoded, with_kwargs=True),
        model.register_forward_pre_hook(session.before, with_kwargs=True),
        # Before the steering's own, which takes the allocation that is decided on here.
        decoder.register_forward_pre_hook(session.decide, with_kwargs=True),
        # Without the language-model head that some decoders have inside.
        decoder.base_model.register_forward_hook(session.caught),
        model.register_forward_hook(session.after),
    )
    own, generate = model.__dict__.get("generate"), getattr(model, "generate", None)
    assert generate is not None, "a model with cross-attention writes"
    model.__dict__["generate"] = session.following(model, generate)
    try:
        with session.steering:
            yield session.record
    finally:
        if own is None:
            del model.__dict__["generate"]
        else:
            model.__dict__["generate"] = own
        for hook in hooks:
            hook.remove()
        session.forget()


class _Session:
    """Follows `generate()` step by step with the same observations as the environments."""

    def __init__(self, model: PreTrainedModel, policy: AttentionPolicy | None, trace: bool) -> None:
        self.record = Trace()
        self.steering = Steering(model, record=True)
        self._policy, self._trace = policy, trace
        decoder: PreTrainedModel = model.get_decoder()  # type: ignore[no-untyped-call]
        self._embed: nn.Embedding = decoder.get_input_embeddings()  # type: ignore[assignment]
        self._device = model.device
        self._ends = self._tokens_of(model.generation_config.eos_token_id)
        self._cache: Any = None
        self.forget()

    def forget(self) -> None:
        """Lets go of what belongs to a decoding: the cache, what was encoded, earlier tokens."""
        self.steering.read_memory(None)
        if self._cache is not None:
            self._cache.__dict__.pop("reorder_cache", None)
        self._cache = None
        self._encoded: tuple[Tensor | None, Tensor] | None = None
        self._decider: Decider | None = None
        self._given: Tensor | None = None
        self._token: Tensor | None = None
        self._present: Tensor | None = None  # False at rows whose prompt has not begun yet
        self._hidden: Tensor | None = None
        self._earlier: list[Any] = []
        self._fed = self._prompt = 0  # tokens so far; how many of them came before any choice
        self._in_prompt = self._exchanged = False

    def following(self, model: PreTrainedModel, generate: Callable[..., Any]) -> Callable[..., Any]:
        """The model's `generate()`, with what cannot be followed refused and what is left told."""

        @wraps(generate)
        def follow(*args: Any, **kwargs: Any) -> Any:
            request = Request(model, args, kwargs)
            request.refuse()
            self._ends = self._tokens_of(request["eos_token_id"])
            if request["stopping_criteria"] or request["stop_strings"]:
                # What they stop goes on with padding.
                self._ends = torch.cat([self._ends, self._tokens_of(request["pad_token_id"])])
            # Only that output says which beams were returned.
            wrapped = request.has_beams and request.is_plain
            wrapped = wrapped and not request["return_dict_in_generate"]
            if wrapped:
                kwargs["return_dict_in_generate"] = True
            # Static caches have forwards compiled on a GPU, and that would leave the policy out.
            try:
                output = generate(*args, **{**kwargs, "disable_compile": True})
                if self._exchanged:
                    self._tell(output.get("beam_indices") if isinstance(output, dict) else None)
            finally:
                self.forget()
            return output.sequences if wrapped else output

        return follow

    def encoded(
        self, encoder: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
    ) -> None:
        """Notes the tokens of the source, and the memory."""
        self._encoded = kwargs.get("input_ids", args[0] if args else None), output[0]

    def before(self, model: PreTrainedModel, args: Any, kwargs: dict[str, Any]) -> Any:
        """Notes the coming token; has all tokens of a prompt but the last go before it."""
        fed, cache = kwargs.get("decoder_input_ids"), kwargs.get("past_key_values")
        known = 0 if cache is None else int(cache.get_seq_length())
        if known and (known != self._fed or cache is not self._cache):
            raise SteeringError(
                f"a cache that holds {known} tokens already: what the policy saw while they were "
                "written is not known; start from an empty cache"
            )
        many = fed is not None and fed.shape[1] > 1
        # A prompt comes first, and its tokens need a cache and a source that is encoded once.
        bare = known > 0 or cache is None or kwargs.get("encoder_outputs") is None
        if fed is None or (many and bare):
            raise SteeringError(
                "a policy follows decoding one token at a time: use generate() with use_cache=True"
            )
        self._fed = known
        if many:
            self._in_prompt = True
            *firsts, kwargs = one_by_one(kwargs)
            self._earlier = [model(**one) for one in firsts]
            self._prompt = len(firsts)
        given = kwargs.get("encoder_outputs")
        self._given = None if given is None else given[0]
        self._token = kwargs["decoder_input_ids"][:, 0]
        mask = kwargs.get("decoder_attention_mask") if self._in_prompt else None
        self._present = mask[:, -1].bool() if mask is not None and mask.ndim == 2 else None
        return args, kwargs

    @torch.no_grad()
    def decide(self, decoder: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        """Decides on the allocation of the coming step."""
        token, self._token = self._token, None
        if token is None:
            raise SteeringError("a steered decoder was called past its model: call the model")
        if self._fed == 0:
            self._begin(kwargs.get("encoder_attention_mask"))
        elif not self._in_prompt:
            self._live &= ~torch.isin(token, self._ends)
        counted = self._live if self._present is None else self._live & self._present
        self._steps += counted
        if self._policy is None:
            self._read.append(torch.ones_like(self._reads))
            self._reads += counted
            return
        assert self._decider is not None
        mask = self._padding.mask
        action = self._decider.action(self._embed(token).float(), self._live)
        before = Before(self._observer.attention, self._observer.coverage, self._source)
        family = self._policy.family.on(before)
        action = family.nearest(action)
        self.steering.allocation = self._padding.allocated(family.allocation(action, mask))
        if self._fed == 0 and self.steering.allocation.is_plain_gate:
            memory = kwargs.get("encoder_hidden_states")
            self.steering.read_memory(memory, kwargs.get("past_key_values"))
        reads = family.reads(action, mask) / mask.sum(-1)
        self._read.append(reads)
        self._reads += torch.where(counted, reads, 0.0)
        if self._trace:
            self.record.opened.append(self._padding.restored(family.opened(action, mask)))

    def caught(self, decoder: Any, args: Any, output: Any) -> None:
        """Keeps the decoder's last hidden state."""
        self._hidden = output[0][:, -1]

    def after(self, model: PreTrainedModel, args: Any, output: Any) -> Any:
        """Takes in what the step produced; after a prompt, gives what all its tokens did."""
        assert self._hidden is not None
        assert self.steering.attention is not None
        attention = self.steering.attention[:, -1]
        self._observer.record(self._hidden, self._padding.behind(attention))
        if self._present is not None:
            self._observer.restart(~self._present)
        self._fed += 1
        self.record.reads_fraction = self._reads / self._steps
        if self._trace:
            self.record.attention.append(attention)
        self._follow_beams(getattr(output, "past_key_values", None))
        earlier, self._earlier = self._earlier, []
        if not earlier:
            return None
        self._in_prompt = False
        return join([*earlier, output])

    def _begin(self, mask: Tensor | None) -> None:
        (tokens, encoded), self._encoded = self._encoded or (None, None), None
        memory = encoded if self._given is None else self._given
        assert memory is not None
        rows, width = memory.shape[:2]
        if mask is None:
            mask = torch.ones(rows, width, dtype=torch.bool, device=memory.device)
        elif mask.shape != (rows, width):
            raise SteeringError(
                f"an encoder's mask of shape {list(mask.shape)}: a policy expects one of shape "
                f"{[rows, width]}, as the memory has"
            )
        self._padding = Padding(mask.bool())
        self._source = self._tokens(tokens)
        self._observer = Observer(rows, width, self._embed.weight.shape[1], memory.device)
        if self._policy is not None:
            self._decider = Decider(
                self._policy,
                self._observer,
                compact(memory[mask.bool()]),
                self._padding.mask,
                self._source,
            )
        self._live = torch.ones(rows, dtype=torch.bool, device=memory.device)
        self._reads = torch.zeros(rows, device=memory.device)
        self._steps = torch.zeros(rows, device=memory.device)
        self._read: list[Tensor] = []
        self._prompt, self._exchanged = 0, False
        self.record.clear()

    def _tokens(self, tokens: Tensor | None) -> Tensor | None:
        """The source's tokens, if the policy asks for them; those of other sources do not serve."""
        if self._policy is None or not self._policy.family.reads_tokens:
            return None
        rows, width = self._padding.mask.shape
        if tokens is None or tokens.shape[1:] != (width,) or rows % len(tokens):
            raise SteeringError(
                f"actions of {self._policy.family.name} depend on the tokens of the source: give "
                "generate() input_ids, not encoder_outputs or inputs_embeds"
            )
        return self._padding.behind(tokens.repeat_interleave(rows // len(tokens), dim=0))

    def _follow_beams(self, cache: Any) -> None:
        """Has a cache tell when beam search exchanges its rows: what is remembered goes along."""
        if cache is self._cache:
            return
        if self._cache is not None:
            self._cache.__dict__.pop("reorder_cache", None)
        self._cache = cache
        if cache is None:
            return
        reorder = cache.reorder_cache

        def exchange(beams: Tensor) -> None:
            reorder(beams)
            self._exchanged = True
            self._observer.reorder(beams)
            self._live, self._reads, self._steps = (
                kept.index_select(0, beams) for kept in (self._live, self._reads, self._steps)
            )

        cache.reorder_cache = exchange

    def _tell(self, beams: Tensor | None) -> None:
        """Tells of the hypotheses that a beam search returned, if it is known which they are."""
        if beams is None:
            self.record.clear()
        else:
            self.record.follow(self._read, beams.to(self._device), self._prompt)

    def _tokens_of(self, tokens: Any) -> Tensor:
        listed = [] if tokens is None else tokens if isinstance(tokens, list) else [tokens]
        return torch.tensor(listed, dtype=torch.long, device=self._device)
