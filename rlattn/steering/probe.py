"""Which modules of a model are its cross-attention: found by watching, not by name."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from inspect import signature
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from rlattn.errors import SteeringError, UnsupportedModelError
from rlattn.steering.memory import Projections, projections_of
from rlattn.steering.native import native
from rlattn.steering.registry import give_back, take_over

_SOURCE, _TARGET = 5, 2  # lengths of the probe; only cross-attention sees keys of length _SOURCE


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What steering needs to know about a model.

    Attributes:
        decoder: The module that is called once per decoding step.
        cross_attentions: The decoder's cross-attention modules, first layer first.
        heads: Number of heads in each of them.
        configs: Every config in the model, each once.
        projections: How each of the cross-attentions makes keys and values of the memory; None
            where that is not known of all of them.
    """

    decoder: nn.Module
    cross_attentions: tuple[nn.Module, ...]
    heads: int
    configs: tuple[PreTrainedConfig, ...]
    projections: tuple[Projections, ...] | None


@dataclass
class _Memory(BaseModelOutput):
    """An encoder's output with what some decoders expect beside the memory, or in its place."""

    pooler_output: Tensor | None = None
    attention_mask: Tensor | None = None
    router_logits: tuple[Tensor, ...] | None = None


_known: WeakKeyDictionary[PreTrainedModel, Anatomy] = WeakKeyDictionary()


def describe(model: PreTrainedModel) -> str:
    """The model's class, and where it came from if that is known, for messages."""
    origin = model.name_or_path
    return f"{type(model).__name__} ({origin})" if origin else type(model).__name__


def anatomy(model: PreTrainedModel) -> Anatomy:
    """Find a model's cross-attention; remembered for as long as the model lives.

    Args:
        model: Any Hugging Face model; a probe runs through its decoder, without a trace.

    Raises:
        UnsupportedModelError: If its cross-attention cannot be steered; names model and reason.
    """
    found = _known.get(model)
    if found is None:
        found = _known[model] = _examine(model)
    return found


def _examine(model: PreTrainedModel) -> Anatomy:
    if not getattr(model.config, "is_encoder_decoder", False):
        raise _unsupported(model, "it is not an encoder-decoder, so it has no cross-attention")
    missing = {"encoder_outputs", "decoder_input_ids"} - signature(model.forward).parameters.keys()
    if missing:
        raise _unsupported(model, f"its forward takes no {' and no '.join(sorted(missing))}")
    configs = configs_of(model)
    try:
        routed, heads, projections, decoder = _watch(model, configs)
        plain = _forward(model)
    except (SteeringError, UnsupportedModelError):
        raise
    except Exception as error:  # whatever a strange decoder raises, the answer is the same
        reason = f"a probe through its decoder failed with {type(error).__name__}: {error}"
        raise _unsupported(model, reason) from error

    if not heads:
        reason = "its cross-attention does not go through transformers' attention interface"
        raise _unsupported(model, reason)
    if decoder is None or not heads.keys() <= set(decoder.modules()):
        raise _unsupported(model, "its cross-attention does not lie in a decoder of its own")
    without = _layers_without(decoder, heads)
    if without:
        reason = f"the cross-attention of decoder layers {without} bypasses the attention interface"
        raise _unsupported(model, reason)
    if len(set(heads.values())) > 1:
        raise _unsupported(model, "its cross-attention layers differ in their number of heads")
    # Half the digits: far above rounding, far below what any other formula would give. Words that
    # a model rules out have logits of -inf.
    scale = plain.where(plain.isfinite(), 0.0).abs().max().item()
    tolerance = torch.finfo(plain.dtype).eps ** 0.5 * scale
    if not torch.allclose(routed, plain, rtol=0.0, atol=tolerance):
        raise _unsupported(model, "its attention is more than a softmax of masked dot products")
    known = tuple(found for found in projections if found is not None)
    return Anatomy(
        decoder,
        tuple(heads),
        next(iter(heads.values())),
        configs,
        known if len(known) == len(heads) else None,
    )


def _watch(
    model: PreTrainedModel, configs: tuple[PreTrainedConfig, ...]
) -> tuple[Tensor, dict[nn.Module, int], list[Projections | None], nn.Module | None]:
    """Run the probe with all attention routed through here.

    Returns:
        The output, the number of heads of each cross-attention, in the order of the forward, how
        each makes keys and values, and the outermost decoder that was called.
    """
    heads: dict[nn.Module, int] = {}
    projections: list[Projections | None] = []
    called: list[tuple[nn.Module, Tensor | None]] = []  # decoders, and the memory they are given

    def attend(
        module: nn.Module, query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor | None]:
        if kwargs.get("softcap"):
            raise _unsupported(model, "its attention caps its logits by a tanh (`softcap`)")
        if key.shape[-2] == _SOURCE + _TARGET:
            raise _unsupported(model, "it reads source and target in one softmax")
        if key.shape[-2] == _SOURCE:
            heads[module] = query.shape[1]
            memory = called[0][1] if called else None
            projections.append(projections_of(module, memory, query.shape[1], key, value))
        return native(module, query, key, value, *args, **kwargs)

    modules = list(model.modules())
    if not take_over(configs, dict.fromkeys(modules, attend)):
        raise SteeringError(f"a part of {describe(model)} is being steered at this moment")
    # What a model calls its decoder may not be called: Florence-2's holds the encoder as well.
    hooks = [
        decoder.register_forward_pre_hook(
            lambda module, _, given: called.append((module, given.get("encoder_hidden_states"))),
            with_kwargs=True,
        )
        for decoder in _decoders(model)
    ]
    try:
        return _forward(model), heads, projections, called[0][0] if called else None
    finally:
        give_back(configs, modules)
        for hook in hooks:
            hook.remove()


def _decoders(model: PreTrainedModel) -> list[nn.Module]:
    """What a model calls its decoder, what that calls its own, and so on."""
    found: list[nn.Module] = [model]
    while isinstance(outer := found[-1], PreTrainedModel):
        inner: nn.Module = outer.get_decoder()  # type: ignore[no-untyped-call]
        if inner is outer:  # as one that has none answers
            break
        found.append(inner)
    return found[1:]


def _forward(model: PreTrainedModel) -> Tensor:
    """Decode a made-up target from a made-up memory and leave the model as it was.

    Returns:
        The model's first output (logits, for most models).
    """
    encoder, decoder = (
        getattr(part, "config", model.config).get_text_config()
        for part in (model.get_encoder(), (model, *_decoders(model))[-1])
    )
    memory = _Memory(
        last_hidden_state=_noise(encoder).to(model.device, model.dtype),
        pooler_output=_noise(decoder).to(model.device, model.dtype),
    )
    # Some decoders shut padding by themselves, and some write several tokens at a time.
    padding = getattr(decoder, "pad_token_id", None)
    words = [word for word in range(_TARGET + 1) if word != padding][:_TARGET]
    target = torch.tensor([words] * getattr(decoder, "num_codebooks", 1), device=model.device)
    training = [module for module in model.modules() if module.training]
    for module in training:
        module.training = False
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            output: Tensor = model(
                encoder_outputs=memory,
                decoder_input_ids=target,
                use_cache=False,
            )[0]
    finally:
        for module in training:
            module.training = True
    return output


def _noise(config: PreTrainedConfig) -> Tensor:
    """Something of the width that a part of a model has, `[1, source, width]`."""
    width = getattr(config, "d_model", None) or config.hidden_size
    return torch.randn(1, _SOURCE, width, generator=torch.Generator().manual_seed(0))


def configs_of(model: nn.Module) -> tuple[PreTrainedConfig, ...]:
    """Every config in a model, each once."""
    waiting: list[Any] = [getattr(module, "config", None) for module in model.modules()]
    found: dict[int, PreTrainedConfig] = {}
    while waiting:
        config = waiting.pop()
        if isinstance(config, PreTrainedConfig) and id(config) not in found:
            found[id(config)] = config
            waiting += [getattr(config, name, None) for name in config.sub_configs]
    return tuple(found.values())


def _layers_without(decoder: nn.Module, seen: Container[nn.Module]) -> list[int]:
    """Indices of the decoder's layers in which no module was seen."""
    name = next(name for name, module in decoder.named_modules() if module in seen)
    # The outermost list on the way down to a cross-attention is the stack of layers.
    parts = name.split(".")
    path = [decoder.get_submodule(".".join(parts[:depth])) for depth in range(len(parts))]
    stack = next((module for module in path if isinstance(module, nn.ModuleList)), ())
    return [i for i, layer in enumerate(stack) if not any(m in seen for m in layer.modules())]


def _unsupported(model: PreTrainedModel, reason: str) -> UnsupportedModelError:
    return UnsupportedModelError(f"{describe(model)} cannot be steered: {reason}")
