"""A prompt is read as though its tokens had been written, one after the other."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from transformers import DynamicCache, EncoderDecoderCache, PreTrainedModel

from tests.inference.decoding import FAMILIES, LENGTHS, host_of, inputs, row, write
from tests.inference.policies import ACTIONS, LAYERED, TIED, strong

CASES = [("Marian", action) for action in [*ACTIONS, *TIED, *LAYERED]]
CASES += [(family, "gate") for family in FAMILIES[1:]]
TOKENS = [20, 31, 12]


def start(model: PreTrainedModel, *tokens: int) -> Tensor:
    first = model.generation_config.decoder_start_token_id
    return torch.tensor([[first, *tokens]] * len(LENGTHS))


@pytest.mark.parametrize(("family", "action"), CASES)
@pytest.mark.parametrize("beams", [1, 3])
def test_a_prompt_is_what_would_have_been_forced(family: str, action: str, beams: int) -> None:
    host = host_of(family)
    source, prompt = inputs(host), start(host.model, *TOKENS)
    every = list(range(host.vocabulary))

    def forced(_: int, sofar: Tensor) -> list[int]:
        step = len(sofar) - 1
        return TOKENS[step : step + 1] or every

    settings = {"num_beams": beams, "length_penalty": 0.0}
    with strong(host, action).steer(host.model, trace=True) as trace:
        expected = write(
            host, source, prefix_allowed_tokens_fn=forced, max_new_tokens=9, **settings
        )
        reads, looked = trace.reads_fraction, torch.stack(trace.attention)
        output = write(host, source, decoder_input_ids=prompt, max_new_tokens=6, **settings)
    assert torch.equal(output.sequences, expected.sequences)
    assert torch.allclose(trace.reads_fraction, reads, atol=1e-6)
    assert torch.allclose(torch.stack(trace.attention), looked, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_prompt_that_steers_nothing_is_native(family: str) -> None:
    host = host_of(family)
    source, policy = inputs(host), strong(host, "bias")
    torch.nn.init.zeros_(policy.policy.score.weight)
    settings = {"decoder_input_ids": start(host.model, *TOKENS), "output_hidden_states": True}
    expected = write(host, source, **settings)
    with policy.steer(host.model):
        output = write(host, source, **settings)
    assert torch.equal(output.sequences, expected.sequences)
    for here, there in zip(
        output.decoder_hidden_states, expected.decoder_hidden_states, strict=True
    ):
        for layer, other in zip(here, there, strict=True):
            assert torch.allclose(layer, other, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_all_tokens_of_a_target_can_be_scored_in_one_call(family: str) -> None:
    host = host_of(family)
    source = row(inputs(host), 0)
    with strong(host).steer(host.model), torch.no_grad():
        output = write(host, source, max_new_tokens=6)
        tokens = output.sequences[:, :-1]
        memory = host.model.get_encoder()(**source)
        cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        whole = host.model(
            encoder_outputs=memory, decoder_input_ids=tokens, past_key_values=cache, use_cache=True
        )
    assert torch.allclose(whole.logits, torch.stack(output.logits, dim=1).double(), atol=1e-5)


def test_padding_in_front_of_a_prompt_is_not_read() -> None:
    host = host_of("T5")  # whose decoder counts from token to token
    source = inputs(host)
    first = host.model.generation_config.decoder_start_token_id
    prompt = torch.tensor([[first, 20, 31], [0, first, 20], [0, 0, first]])
    mask = torch.tensor([[1, 1, 1], [0, 1, 1], [0, 0, 1]])
    with strong(host).steer(host.model) as trace:
        output = write(
            host, source, decoder_input_ids=prompt, decoder_attention_mask=mask, max_new_tokens=5
        )
        reads = trace.reads_fraction
        for index, length in enumerate(mask.sum(1).tolist()):
            given = prompt[index : index + 1, -length:]
            alone = write(host, row(source, index), decoder_input_ids=given, max_new_tokens=5)
            written = alone.sequences[0, length:]
            assert output.sequences[index, 3 : 3 + len(written)].tolist() == written.tolist()
            assert trace.reads_fraction.item() == pytest.approx(reads[index].item(), abs=1e-6)
