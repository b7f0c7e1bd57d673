"""The yardsticks of classification do what the environment has the host do, and nothing else."""

from __future__ import annotations

import torch

from rlattn.envs.queue import AHEAD
from rlattn.experiments.throughput import forwards, rates
from rlattn.experiments.throughput.texts import TextWorkload

LANES = 3


def test_recorded_forwards_are_one_a_step(texts: TextWorkload) -> None:
    calls = forwards.recorded(texts, LANES)
    assert len(calls) == AHEAD * texts.steps
    for call in calls:
        assert call["input_ids"].shape == call["attention_mask"].shape
        assert len(call["input_ids"]) == LANES
    # Random gates leave something shut.
    assert any(bool((call["attention_mask"] == 0).any()) for call in calls)


def test_contestants_label_as_many_texts_as_an_environment_steps(texts: TextWorkload) -> None:
    replayed, stepped = forwards.bare(texts, LANES), rates.env(texts, LANES)
    assert replayed.pieces * replayed.work() == stepped.pieces * stepped.work()
    assert forwards.whole(texts, LANES).work() == LANES


def test_whole_texts_are_labelled_natively(texts: TextWorkload) -> None:
    given: list[dict[str, torch.Tensor]] = []
    note = texts.host.model.register_forward_pre_hook(
        lambda _, __, named: given.append(named), with_kwargs=True
    )
    contestant = forwards.whole(texts, LANES)
    for _ in range(contestant.pieces):
        contestant.work()
    note.remove()
    for batch, call in zip(texts.batches(LANES), given, strict=True):
        alone = texts.host.classify(texts.host.encode(batch))
        with torch.no_grad():
            torch.testing.assert_close(texts.host.model(**call).logits, alone)
