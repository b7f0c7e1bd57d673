"""What a policy remembers follows the beams: written alone, a hypothesis scores the same."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rlattn.inference import native
from rlattn.steering import gates
from tests.inference.decoding import FAMILIES, LENGTHS, host_of, inputs, rescored, row, write
from tests.inference.policies import ACTIONS, LAYERED, TIED, strong

CASES = [("Marian", action) for action in [*ACTIONS, *TIED, *LAYERED]]
CASES += [(family, action) for family in FAMILIES[1:] for action in ("gate", "per-layer:2:mix")]
EACH_CASE = pytest.mark.parametrize(("family", "action"), CASES)
MODES: dict[str, dict[str, Any]] = {
    "beam search": {"num_beams": 3},
    "beam sampling": {"num_beams": 3, "do_sample": True, "top_k": 0},
    "sampling": {"do_sample": True, "top_k": 0},
}
EACH = 2
"""How many hypotheses of each source are returned."""


def hypotheses(output: Any) -> list[tuple[list[int], float]]:
    """The tokens of each returned sequence, and their log-probability."""
    if "beam_indices" in output:
        lengths = (output.beam_indices >= 0).sum(1).tolist()
        rows = zip(output.sequences[:, 1:].tolist(), lengths, strict=True)
        scores = output.sequences_scores.tolist()
        return [
            (tokens[:length], score) for (tokens, length), score in zip(rows, scores, strict=True)
        ]
    found = []
    for index, tokens in enumerate(output.sequences[:, 1:].tolist()):
        tokens = tokens[: tokens.index(1) + 1] if 1 in tokens else tokens
        logits = torch.stack([step[index] for step in output.logits[: len(tokens)]])
        scores = logits.double().log_softmax(-1)[range(len(tokens)), tokens]
        found.append((tokens, float(scores.sum())))
    return found


@EACH_CASE
@pytest.mark.parametrize("mode", MODES)
def test_a_hypothesis_scores_alone_what_it_scored_among_others(
    family: str, action: str, mode: str
) -> None:
    host, settings = host_of(family), MODES[mode]
    policy, source = strong(host, action), inputs(host)
    with policy.steer(host.model, trace=True) as trace:
        output = write(
            host,
            source,
            **settings,
            num_return_sequences=EACH,
            length_penalty=0.0,
            max_new_tokens=8,
        )
        found, read = hypotheses(output), trace.reads_fraction
        looked = torch.stack(trace.attention, dim=1)
        opened = torch.stack(trace.opened, dim=1)
        assert len(found) == len(read) == len(looked) == EACH * len(LENGTHS)
        for index, (tokens, score) in enumerate(found):
            alone = row(source, index // EACH)
            assert rescored(host, alone, tokens) == pytest.approx(score, abs=1e-4)
            assert trace.reads_fraction.item() == pytest.approx(read[index].item(), abs=1e-5)
            there = torch.stack(trace.attention, dim=1)
            here = looked[index, : len(tokens), : there.shape[2]]
            assert torch.allclose(here, there[0], atol=1e-5)
            there = torch.stack(trace.opened, dim=1)
            assert torch.equal(opened[index, : len(tokens), : there.shape[2]], there[0])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("settings", [{"num_beams": 3}, {"decoder_input_ids": [[1, 20, 31]] * 3}])
def test_it_does_not_matter_whether_shut_positions_are_read(
    family: str, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    host = host_of(family)
    source, policy = inputs(host), strong(host)
    settings = {k: torch.tensor(v) if k != "num_beams" else v for k, v in settings.items()}
    with policy.steer(host.model) as trace:
        expected, reads = write(host, source, **settings), trace.reads_fraction
        monkeypatch.setattr(gates, "LONG", 1)
        monkeypatch.setattr(gates, "FEW", 1.0)
        output = write(host, source, **settings)
    assert torch.equal(output.sequences, expected.sequences)
    assert torch.allclose(trace.reads_fraction, reads, atol=1e-6)


def test_beams_matter_to_what_is_written() -> None:
    host = host_of("Marian")
    source = inputs(host)
    with strong(host).steer(host.model):
        greedy, beams = write(host, source), write(host, source, num_beams=4)
    native_beams = write(host, source, num_beams=4)
    assert greedy.sequences.tolist() != beams.sequences.tolist() != native_beams.sequences.tolist()


@pytest.mark.parametrize("family", FAMILIES)
def test_watching_beams_changes_nothing(family: str) -> None:
    host = host_of(family)
    source = inputs(host)
    expected = write(host, source, num_beams=3)
    with native(host.model) as trace:
        output = write(host, source, num_beams=3)
    assert torch.equal(output.sequences, expected.sequences)
    assert trace.reads_fraction.tolist() == [1.0] * len(LENGTHS)


def test_what_is_returned_has_the_form_that_was_asked_for() -> None:
    host = host_of("Marian")
    source, settings = (
        inputs(host),
        {"num_beams": 3, "num_return_sequences": 2, "max_new_tokens": 6},
    )
    with strong(host).steer(host.model) as trace:
        plain = host.model.generate(**source, **settings)
        fractions = trace.reads_fraction
        whole = host.model.generate(**source, **settings, return_dict_in_generate=True)
    assert torch.equal(plain, whole.sequences)
    assert torch.equal(fractions, trace.reads_fraction)
    assert "reorder_cache" not in vars(whole.past_key_values)
