"""What `generate()` is asked for, and which of it a policy cannot follow."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from transformers import GenerationConfig, PreTrainedModel
from transformers.generation.configuration_utils import GenerationMode
from transformers.generation.utils import GenerationMixin

from rlattn.errors import SteeringError

_ASSISTED = (
    "assistant_model",
    "assistant_early_exit",
    "prompt_lookup_num_tokens",
    "speculation_type",
    "use_mtp",
)
_REFUSED = {
    **dict.fromkeys(
        _ASSISTED,
        "assisted decoding checks several tokens in one forward, and a policy decides on each with "
        "what it saw at the one before: decode greedily, by sampling or by beams",
    ),
    "is_assistant": "a steered model cannot draft for another: give an assistant that is not "
    "being steered",
    "custom_generate": "decoding by code that is not transformers' own cannot be followed: decode "
    "greedily, by sampling or by beams",
    "prefill_chunk_size": "prompts are fed token by token already: leave it out",
    "guidance_scale": "guidance runs the model a second time at each step, on what no policy was "
    "asked about: leave it out",
    "return_token_timestamps": "Whisper takes its attention back to read them off: ask for the "
    "timestamps of segments, return_timestamps=True",
    "token_healing": "it calls generate() on the prompt alone: leave it out",
    "compile_config": "a policy decides in Python between forwards, which compiling would skip: "
    "leave it out",
}
_UNSET = (None, False)
_HUB = frozenset(
    {
        GenerationMode.CONTRASTIVE_SEARCH,
        GenerationMode.DOLA_GENERATION,
        GenerationMode.GROUP_BEAM_SEARCH,
        GenerationMode.CONSTRAINED_BEAM_SEARCH,
    }
)
_MODE = (
    "num_beams",
    "num_beam_groups",
    "do_sample",
    "top_k",
    "penalty_alpha",
    "constraints",
    "force_words_ids",
    "dola_layers",
)


class Request:
    """What one call of a model's `generate()` asks for, whatever way it says it.

    Args:
        model: The model.
        args: Of the call.
        kwargs: Of the call.
    """

    def __init__(
        self, model: PreTrainedModel, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        generate = getattr(type(model), "generate", None)
        assert generate is not None, "a model with cross-attention writes"
        names = list(inspect.signature(generate).parameters)[1:]
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        configs = (given.get("generation_config"), model.generation_config)
        self._places = [given, *(vars(config) for config in configs if config is not None)]
        self.is_plain = generate is GenerationMixin.generate

    def __getitem__(self, name: str) -> Any:
        """A setting: of the call, else of its config, else of the model's; None if there is none.

        This is the order in which `generate()` looks, too.
        """
        return next((p[name] for p in self._places if p.get(name) is not None), None)

    @property
    def has_beams(self) -> bool:
        """Whether it asks for a beam search."""
        return (self["num_beams"] or 1) > 1

    def refuse(self) -> None:
        """Makes sure that a policy can follow it.

        Raises:
            SteeringError: If it cannot; names the setting, and says what to do instead.
        """
        for name, reason in _REFUSED.items():
            if self[name] not in _UNSET and (name, self[name]) != ("guidance_scale", 1):
                raise SteeringError(f"generate({name}=...) cannot be steered: {reason}")
        if self["use_cache"] is False:
            raise SteeringError(
                "generate(use_cache=False) cannot be steered: a policy follows decoding one token "
                "at a time, and without a cache each forward takes all tokens: use the cache"
            )
        if self["cache_implementation"] == "paged":
            raise SteeringError(
                "generate(cache_implementation='paged') cannot be steered: continuous batching is "
                "for models without cross-attention: use the default cache"
            )
        config = GenerationConfig()  # type: ignore[no-untyped-call]
        for name in _MODE:
            setattr(config, name, self[name])
        mode = config.get_generation_mode()
        if mode in _HUB:
            raise SteeringError(
                f"{mode.value.replace('_', ' ')} cannot be steered: transformers fetches it as "
                "code from the hub: decode greedily, by sampling or by beams"
            )
