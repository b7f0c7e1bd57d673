"""The yardstick writes what `generate()` writes, for every scheme of positions."""

from __future__ import annotations

import pytest
import torch

from rlattn.experiments.throughput.bare import bare, write
from rlattn.experiments.throughput.generating import generate
from rlattn.experiments.throughput.workload import Batch, Workload
from rlattn.hosts import Seq2SeqHost
from tests.hosts.tiny import EOS, sentences


@pytest.mark.parametrize("lanes", [1, 5])
def test_it_writes_what_generate_writes(tiny: Workload, lanes: int) -> None:
    for batch in tiny.batches(lanes)[:4]:
        assert torch.equal(write(tiny.host, batch), generate(tiny.host, batch))


def test_it_does_so_for_every_family(each_host: Seq2SeqHost) -> None:
    sources = each_host.tokenize(sentences(20), 64).ids
    written = write(each_host, Batch(sources, 8))
    assert written.shape == (20, 8)
    with torch.no_grad():
        for row, source in zip(written, sources, strict=True):
            fed = torch.tensor([[each_host.start_token, *row[:-1]]])
            logits = each_host.model(
                input_ids=torch.tensor([source]),
                decoder_input_ids=fed,
                decoder_attention_mask=torch.ones_like(fed),
            ).logits[0]
            assert torch.equal(logits.argmax(-1), row)
    # It goes on after the end of a sentence: every lane is live to the last step.
    assert (written[:, :-1] == EOS).any()


def test_a_whole_is_every_batch_once(tiny: Workload) -> None:
    batches = tiny.batches(3)
    contestant = bare(tiny.host, batches)
    assert contestant.pieces == len(batches)
    counts = [contestant.work() for _ in range(contestant.pieces)]
    assert counts == [3 * batch.steps for batch in batches]
