from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, repeat

import pytest
import torch
from transformers import MarianConfig, MarianMTModel

from rlattn.errors import RlattnError
from rlattn.hosts.batches import Batch
from rlattn.hosts.config import BuiltinConfig
from rlattn.hosts.descent import Budget
from rlattn.hosts.training import fit, shifted, smoothed_loss

CONFIG = BuiltinConfig(max_steps=30, max_minutes=None, learning_rate=1e-2)
BATCH = Batch(
    sources=torch.tensor([[5, 6, 7, 1], [8, 1, 0, 0]]),
    targets=torch.tensor([[7, 6, 5, 1, 0], [9, 9, 8, 8, 1]]),
)


@pytest.fixture
def model() -> MarianMTModel:
    torch.manual_seed(0)
    return MarianMTModel(
        MarianConfig(
            vocab_size=12,
            d_model=16,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=16,
            decoder_ffn_dim=16,
            max_position_embeddings=8,
            pad_token_id=0,
            eos_token_id=1,
            decoder_start_token_id=0,
            init_std=0.25,
        )
    ).eval()


def weights(model: MarianMTModel) -> torch.Tensor:
    return torch.nn.utils.parameters_to_vector(model.parameters()).detach().clone()


def test_without_smoothing_the_loss_is_the_one_of_transformers(model: MarianMTModel) -> None:
    labels = BATCH.targets.masked_fill(BATCH.targets == 0, -100)
    theirs = model(
        input_ids=BATCH.sources, attention_mask=(BATCH.sources != 0).long(), labels=labels
    ).loss
    # Products may be taken in bfloat16.
    assert smoothed_loss(model, BATCH, 0.0).item() == pytest.approx(theirs.item(), rel=2e-2)


def test_padding_does_not_enter_the_loss(model: MarianMTModel) -> None:
    wider = Batch(*(torch.nn.functional.pad(side, (0, 2)) for side in BATCH))
    loss = smoothed_loss(model, wider, 0.1).item()
    assert loss == pytest.approx(smoothed_loss(model, BATCH, 0.1).item(), rel=1e-2)


def test_a_shifted_source_stands_on_neighbouring_positions_that_all_get_their_turn(
    model: MarianMTModel,
) -> None:
    encoder, lengths = model.model.encoder, torch.tensor([4, 2])
    table = encoder.embed_positions.weight
    places: list[set[int]] = [set(), set()]
    for _ in range(100):
        seen = shifted(model, BATCH.sources, lengths) + table[:4]
        rows = seen - encoder.embed_tokens(BATCH.sources) * encoder.embed_scale
        for row, length, known in zip(rows, lengths.tolist(), places, strict=True):
            found = (table - row[0]).abs().sum(1).argmin()
            torch.testing.assert_close(row[:length], table[found : found + length])
            known.add(int(found))
    assert places == [set(range(8 - 4 + 1)), set(range(8 - 2 + 1))]


def test_a_source_that_fills_all_positions_cannot_be_shifted(model: MarianMTModel) -> None:
    full = Batch(torch.randint(2, 12, (3, 8)), BATCH.targets[:1].expand(3, -1))
    expected = smoothed_loss(model, full, 0.1).item()
    assert smoothed_loss(model, full, 0.1, shift=True).item() == pytest.approx(expected, rel=1e-3)


def test_a_batch_is_learned_by_heart(model: MarianMTModel) -> None:
    before = smoothed_loss(model, BATCH, 0.0).item()
    training = fit(model, repeat(BATCH), CONFIG, Budget(CONFIG), progress=False)
    assert training.steps == 30
    assert smoothed_loss(model, BATCH, 0.0).item() < 0.5 * before
    assert not model.training


@pytest.mark.parametrize("minutes", [1e-9, 1 / 120])
def test_minutes_end_training_too(model: MarianMTModel, minutes: float) -> None:
    config = replace(CONFIG, max_steps=10**9, max_minutes=minutes)
    training = fit(model, repeat(BATCH), config, Budget(config), progress=False)
    assert training.steps < 10**4
    assert 60 * minutes <= training.seconds < 60 * minutes + 10


def test_the_budget_is_whatever_is_used_up_first() -> None:
    assert Budget(CONFIG).used(15) == 0.5
    assert Budget(replace(CONFIG, max_minutes=1e-9)).used(15) > 1
    assert Budget(replace(CONFIG, max_minutes=1e9)).used(15) == 0.5


def test_the_first_step_of_the_warm_up_is_taken_at_rate_0(model: MarianMTModel) -> None:
    before = weights(model)
    one = replace(CONFIG, max_steps=1)
    fit(model, repeat(BATCH), one, Budget(one), progress=False)
    assert torch.equal(weights(model), before)


def poisoned(model: MarianMTModel, bad_steps: range) -> Iterator[Batch]:
    """Gives batches, and makes the loss of some of them not a number."""
    scale = model.model.encoder.embed_scale
    for step in count():
        model.model.encoder.embed_scale = math.nan if step in bad_steps else scale
        yield BATCH


def test_a_loss_that_is_not_a_number_changes_no_weight(model: MarianMTModel) -> None:
    training = fit(model, poisoned(model, range(3, 9)), CONFIG, Budget(CONFIG), progress=False)
    assert training.steps == 30
    assert math.isfinite(training.loss)
    assert weights(model).isfinite().all()


def test_training_that_diverges_is_ended_with_advice(model: MarianMTModel) -> None:
    with pytest.raises(RlattnError, match=r"diverged at step 22.*lower learning rate"):
        fit(model, poisoned(model, range(2, 30)), CONFIG, Budget(CONFIG), progress=False)
