"""What `generate()` offers beside its modes works under a policy, too."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import (
    DynamicCache,
    EncoderDecoderCache,
    StaticCache,
    StoppingCriteria,
    StoppingCriteriaList,
    TextStreamer,
)
from transformers.modeling_outputs import BaseModelOutput

from rlattn.hosts import Seq2SeqHost
from rlattn.inference import native
from tests.hosts.tiny import EOS, TARGET, generate, tiny_host
from tests.inference.decoding import FAMILIES, LENGTHS, host_of, inputs, write
from tests.inference.policies import TEXTS, hooks, strong

EACH_FAMILY = pytest.mark.parametrize("family", FAMILIES)
EACH_SEARCH = pytest.mark.parametrize("beams", [1, 3])


@EACH_FAMILY
@EACH_SEARCH
@pytest.mark.parametrize("action", ["gate", "per-layer:2:mix"])
def test_the_attention_that_is_returned_is_the_steered_one(
    family: str, beams: int, action: str
) -> None:
    if beams > 1 and family == "Whisper":
        pytest.skip("of beams, Whisper's own generate() returns the attention of other rows")
    host = host_of(family)
    source = inputs(host)
    with strong(host, action).steer(host.model, trace=True) as trace:
        output = write(host, source, num_beams=beams, output_attentions=True)
    with native(host.model):
        plain = write(host, source, num_beams=beams, output_attentions=True)
    first = torch.stack(plain.cross_attentions[0])
    assert not torch.allclose(torch.stack(output.cross_attentions[0]), first, atol=1e-3)
    rows = torch.arange(len(LENGTHS))
    for step, layers in enumerate(output.cross_attentions[: len(trace.attention)]):
        there = torch.ones(len(LENGTHS), dtype=torch.bool)
        if beams > 1:
            rows = output.beam_indices[:, step]
            there = rows >= 0
        mean = torch.stack(layers)[:, rows, :, -1].mean((0, 2)).float()
        assert torch.allclose(mean[there], trace.attention[step][there].float(), atol=1e-6)
        assert not trace.attention[step][~there].any()


def caches(host: Seq2SeqHost, source: dict[str, torch.Tensor]) -> dict[str, dict[str, Any]]:
    """Ways to say how a cache should be."""
    config, width = host.model.config, max(LENGTHS)
    static = EncoderDecoderCache(
        StaticCache(config=config, max_cache_len=TARGET + 4),
        StaticCache(config=config, max_cache_len=width),
    )
    return {
        "dynamic": {"cache_implementation": "dynamic"},
        "static": {"cache_implementation": "static"},
        "given": {"past_key_values": EncoderDecoderCache(DynamicCache(), DynamicCache())},
        "given, static": {"past_key_values": static},
    }


@EACH_FAMILY
@EACH_SEARCH
@pytest.mark.parametrize("kind", ["dynamic", "static", "given", "given, static"])
def test_the_kind_of_cache_does_not_matter(family: str, beams: int, kind: str) -> None:
    host = host_of(family)
    source = inputs(host)
    settings = {"num_beams": beams, "decoder_input_ids": torch.tensor([[1, 20, 31]] * 3)}
    with strong(host).steer(host.model) as trace:
        expected, reads = write(host, source, **settings), trace.reads_fraction
        output = write(host, source, **settings, **caches(host, source)[kind])
    assert torch.equal(output.sequences, expected.sequences)
    assert torch.allclose(trace.reads_fraction, reads, atol=1e-6)
    assert "reorder_cache" not in vars(output.past_key_values)


@EACH_FAMILY
@EACH_SEARCH
def test_a_source_may_be_encoded_beforehand(family: str, beams: int) -> None:
    host = host_of(family)
    source = inputs(host)
    memory = host.model.get_encoder()(**source)[0]
    mask = {name: rows for name, rows in source.items() if name == "attention_mask"}
    with strong(host).steer(host.model):
        expected = write(host, source, num_beams=beams).sequences
        for beside in (source, mask):
            # A new one each time, for generate() itself puts the beams into it.
            given: dict[str, Any] = {**beside, "encoder_outputs": BaseModelOutput(memory)}
            assert torch.equal(write(host, given, num_beams=beams).sequences, expected)


def test_tokens_can_be_confined(host: Seq2SeqHost) -> None:
    allowed = [1, 5, 6, 7]
    with strong(host).steer(host.model):
        for beams in (1, 3):
            rows = generate(
                host, TEXTS[:6], num_beams=beams, prefix_allowed_tokens_fn=lambda *_: allowed
            )
            assert {token for row in rows for token in row} <= set(allowed)


def test_a_streamer_prints_what_is_returned(
    host: Seq2SeqHost, capsys: pytest.CaptureFixture[str]
) -> None:
    streamer = TextStreamer(host.tokenizer, skip_prompt=True, skip_special_tokens=True)
    with strong(host).steer(host.model):
        rows = generate(host, TEXTS[:1], streamer=streamer)
    assert capsys.readouterr().out.split() == host.detokenize(rows)[0].split()


class After(StoppingCriteria):
    """Stops each row at a length of its own."""

    def __init__(self, *lengths: int) -> None:
        self.lengths = torch.tensor(lengths)

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        return input_ids.shape[1] > self.lengths


def test_what_comes_after_a_stop_is_not_read(host: Seq2SeqHost) -> None:
    texts = [text for text in TEXTS if len(text.split()) > 4][:3]
    lengths = (2, 5, 3)
    with strong(host).steer(host.model, trace=True) as trace:
        rows = generate(host, texts, stopping_criteria=StoppingCriteriaList([After(*lengths)]))
        reads, opened = trace.reads_fraction, torch.stack(trace.opened, dim=1)
    assert EOS not in rows[0][:2] + rows[1][:5] + rows[2][:3]
    for row, length in enumerate(lengths):
        # The forward that is fed the last token tells nothing of a stop yet.
        steps = min(length + 1, max(lengths))
        fraction = opened[row, :steps].sum().item() / steps / (len(texts[row].split()) + 1)
        assert reads[row].item() == pytest.approx(fraction, abs=1e-6)


@EACH_SEARCH
def test_an_exception_leaves_the_model_as_it_was(beams: int) -> None:
    host = tiny_host()
    policy, before = strong(host), generate(host, TEXTS[:4])

    class Refusal(StoppingCriteria):
        def __call__(self, input_ids: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
            if input_ids.shape[1] > 3:
                raise KeyError
            return torch.zeros(len(input_ids), dtype=torch.bool)

    stop = StoppingCriteriaList([Refusal()])
    with policy.steer(host.model):
        steered = generate(host, TEXTS[:4], num_beams=beams)
        with pytest.raises(KeyError):
            generate(host, TEXTS[:4], num_beams=beams, stopping_criteria=stop)
        assert generate(host, TEXTS[:4], num_beams=beams) == steered
    with pytest.raises(KeyError), policy.steer(host.model):
        generate(host, TEXTS[:4], num_beams=beams, stopping_criteria=stop)
    assert hooks(host) == 0
    assert "generate" not in vars(host.model)
    assert generate(host, TEXTS[:4]) == before


def test_a_generate_of_ones_own_is_left_in_its_place() -> None:
    host, called = tiny_host(), []
    plain = host.model.generate

    def own(*args: Any, **kwargs: Any) -> Any:
        called.append(1)
        return plain(*args, **kwargs)

    host.model.generate = own
    with strong(host).steer(host.model):
        generate(host, TEXTS[:1])
    assert host.model.generate is own
    assert called == [1]
