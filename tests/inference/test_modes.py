"""What a policy cannot follow is refused by name, before anything is written."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import CompileConfig, DynamicCache, EncoderDecoderCache, GenerationConfig

from rlattn.errors import SteeringError
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import native
from tests.hosts.tiny import generate, tiny_host
from tests.inference.policies import TEXTS, hooks, strong

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an assistant": ({"assistant_model": tiny_host(seed=1).model}, "assistant_model.*assisted"),
    "prompt lookup": ({"prompt_lookup_num_tokens": 1}, "prompt_lookup_num_tokens.*assisted"),
    "early exit": ({"assistant_early_exit": 1}, "assistant_early_exit.*assisted"),
    "multi-token prediction": ({"use_mtp": True}, "use_mtp.*assisted"),
    "block diffusion": ({"speculation_type": "dflash"}, "speculation_type.*assisted"),
    "drafting": ({"is_assistant": True}, "is_assistant.*an assistant that is not"),
    "a decoding loop": ({"custom_generate": lambda *_, **__: None}, "custom_generate.*own"),
    "code from the hub": ({"custom_generate": "somebody/something"}, "custom_generate.*own"),
    "contrastive search": ({"penalty_alpha": 0.6, "top_k": 4}, "contrastive search.*hub"),
    "DoLa": ({"dola_layers": "low"}, "dola generation.*hub"),
    "groups of beams": ({"num_beams": 4, "num_beam_groups": 2}, "group beam search.*hub"),
    "forced words": ({"num_beams": 4, "force_words_ids": [[5]]}, "constrained beam search.*hub"),
    "no cache": ({"use_cache": False}, "use_cache=False.*use the cache"),
    "continuous batching": ({"cache_implementation": "paged"}, "paged.*default cache"),
    "prompts in chunks": ({"prefill_chunk_size": 2}, "prefill_chunk_size.*leave it out"),
    "guidance": ({"guidance_scale": 2.0}, "guidance_scale.*leave it out"),
    "token healing": ({"token_healing": True}, "token_healing.*leave it out"),
    "compiling": ({"compile_config": CompileConfig()}, "compile_config.*leave it out"),
    "word timestamps": ({"return_token_timestamps": True}, "return_timestamps=True"),
}


class Unwritten:
    """A streamer that must not be given anything."""

    def put(self, tokens: torch.Tensor) -> None:
        raise AssertionError(tokens)

    def end(self) -> None:
        raise AssertionError


@pytest.mark.parametrize(("settings", "message"), REFUSED.values(), ids=REFUSED)
def test_a_mode_that_cannot_be_followed_is_refused_by_name(
    host: Seq2SeqHost, settings: dict[str, Any], message: str
) -> None:
    settings = {"num_beams": 1, "streamer": Unwritten(), **settings}
    with (
        strong(host).steer(host.model),
        pytest.raises(SteeringError, match=rf"^[^\n]*{message}[^\n]*$"),
    ):
        generate(host, TEXTS[:1], **settings)
    assert hooks(host) == 0
    assert "generate" not in vars(host.model)


@pytest.mark.parametrize("place", ["call", "model"])
def test_it_does_not_matter_where_a_mode_is_set(place: str) -> None:
    host, ids = tiny_host(), torch.tensor([[5, 6, 7, 1]])
    config = GenerationConfig.from_dict({**host.model.generation_config.to_dict(), "use_mtp": True})
    given = {"generation_config": config} if place == "call" else {}
    if place == "model":
        host.model.generation_config = config
    with strong(host).steer(host.model), pytest.raises(SteeringError, match="use_mtp"):
        host.model.generate(ids, *given.values())


def test_settings_that_change_nothing_are_no_modes(host: Seq2SeqHost) -> None:
    policy, texts = strong(host), TEXTS[:4]
    idle = {"guidance_scale": 1.0, "penalty_alpha": 0.0, "num_beam_groups": 1}
    with policy.steer(host.model):
        assert generate(host, texts, **idle) == generate(host, texts)


def test_a_steered_model_does_not_draft_for_another(host: Seq2SeqHost) -> None:
    other = tiny_host(seed=1)
    with strong(host).steer(host.model), pytest.raises(SteeringError, match="is_assistant"):
        generate(other, TEXTS[:1], assistant_model=host.model)


def test_watching_refuses_the_same(host: Seq2SeqHost) -> None:
    with native(host.model), pytest.raises(SteeringError, match="use_cache=False"):
        generate(host, TEXTS[:1], use_cache=False)


def test_a_cache_that_was_filled_elsewhere_is_refused(host: Seq2SeqHost) -> None:
    ids = torch.tensor([[5, 6, 7, 1]])
    cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
    target = torch.tensor([[0, 8, 9]])
    with torch.no_grad():
        host.model(input_ids=ids, decoder_input_ids=target, past_key_values=cache)
    with strong(host).steer(host.model), pytest.raises(SteeringError, match="holds 3 tokens"):
        host.model.generate(input_ids=ids, decoder_input_ids=target, past_key_values=cache)


def test_a_cache_that_is_half_switched_off_is_refused(host: Seq2SeqHost) -> None:
    # generate() then feeds all tokens again, to a cache that has them.
    with strong(host).steer(host.model), pytest.raises(SteeringError, match="one token at a time"):
        generate(host, TEXTS[:1], use_cache=None)


def test_a_forward_over_a_whole_target_is_refused(host: Seq2SeqHost) -> None:
    ids, target = torch.tensor([[5, 6, 7, 1]]), torch.tensor([[0, 8, 9]])
    with strong(host).steer(host.model), pytest.raises(SteeringError, match="one token at a time"):
        host.model(input_ids=ids, decoder_input_ids=target)
