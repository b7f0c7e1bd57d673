"""Segments: blocks of a size, and sentences by the tokens that end them."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from tokenizers import Tokenizer, decoders
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast

from rlattn.actions import make_family
from rlattn.actions.segments import Blocks, Segments, Sentences
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost

MASK = torch.arange(8) < torch.tensor([[8], [5], [1]])
STOP, MARK, WORD, END = 5, 7, 3, 1
TOKENS = torch.tensor(
    [
        [WORD, STOP, WORD, WORD, MARK, STOP, WORD, END],  # two marks end one sentence
        [STOP, WORD, WORD, STOP, END, STOP, STOP, STOP],  # the end is one of its own
        [STOP, WORD, WORD, STOP, END, WORD, WORD, WORD],
    ]
)
SENTENCES = Sentences((STOP, MARK)).on(TOKENS)
EVERY_KIND = pytest.mark.parametrize("segments", [Blocks(1), Blocks(3), Blocks(9), SENTENCES])


def test_blocks_are_of_a_size_but_for_the_last() -> None:
    assert Blocks(3).index(MASK)[0].tolist() == [0, 0, 0, 1, 1, 1, 2, 2]
    assert [Blocks(3).most(source) for source in (1, 3, 4, 8)] == [1, 1, 2, 3]


def test_a_sentence_goes_up_to_its_last_mark() -> None:
    assert SENTENCES.index(MASK)[MASK].tolist() == [
        *[0, 0, 1, 1, 1, 1, 2, 2],
        *[0, 1, 1, 1, 2],
        *[0],
    ]


def test_a_sign_that_parts_text_begins_one() -> None:
    segments = Sentences((STOP,), begins=(MARK,)).on(
        torch.tensor([[WORD, MARK, MARK, WORD, STOP, MARK, WORD, END]])
    )
    assert segments.index(MASK[:1])[0].tolist() == [0, 1, 1, 1, 1, 2, 2, 2]


@EVERY_KIND
def test_every_segment_that_is_present_has_a_position(segments: Segments) -> None:
    index, present = segments.index(MASK), segments.present(MASK)
    assert present.shape == (3, segments.most(8))
    for lane in range(3):
        found = index[lane, MASK[lane]].unique()
        assert found.tolist() == list(range(len(found)))
        assert torch.equal(present[lane].nonzero().flatten(), found)


@EVERY_KIND
def test_pooling_takes_the_mean_over_valid_positions(segments: Segments) -> None:
    numbers = torch.randn(3, 8)
    pooled, present = segments.pool(numbers.masked_fill(~MASK, torch.nan), MASK)
    index = segments.index(MASK)
    for lane in range(3):
        for segment in range(segments.most(8)):
            inside = MASK[lane] & (index[lane] == segment)
            assert present[lane, segment] == inside.any()
            expected = numbers[lane, inside].mean().item() if inside.any() else 0.0
            assert pooled[lane, segment].item() == pytest.approx(expected, abs=1e-6)


def host_with(words: list[str]) -> Seq2SeqHost:
    """Anything with a tokenizer that has these words."""
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}))
    tokenizer.decoder = decoders.Metaspace()
    host = Seq2SeqHost.__new__(Seq2SeqHost)
    host.name, host.tokenizer = "wordy", PreTrainedTokenizerFast(tokenizer_object=tokenizer)
    return host


def test_the_host_says_which_tokens_end_a_sentence() -> None:
    ends = [".", "▁.", "?!", "...", "…", "。", "！", "▁?”", '."', "en."]  # noqa: RUF001
    others = ["a", "▁", "a.m", ",", "▁;", '"', "</s>", "3.5", ")"]
    family = make_family("gate:sentence").fit(host_with([*others, *ends]))
    assert family.spec == f"gate:sentence:{','.join(map(str, range(9, 19)))}"
    assert make_family(family.spec).spec == family.spec
    assert family.fit(host_with(others)) is not None, "it is settled once"


def test_the_host_says_which_tokens_part_text() -> None:
    family = make_family("gate:sentence").fit(host_with(["a", ".", "=", "▁|", "a=", "-", "***"]))
    assert family.spec == "gate:sentence:1/2,3,6"
    assert make_family(family.spec).spec == family.spec


def test_a_host_whose_sentences_do_not_end_is_refused() -> None:
    with pytest.raises(InputError, match=r"host wordy has no token .* such as gate:16"):
        make_family("gate:sentence").fit(host_with(["a", "b"]))


def test_sentences_must_be_known() -> None:
    with pytest.raises(InputError, match=r"use fit\(host\)"):
        Sentences(None).on(TOKENS).index(MASK)
    with pytest.raises(InputError, match=r"use on\(before\)"):
        Sentences((STOP,)).index(MASK)
    with pytest.raises(InputError, match="got none"):
        Sentences((STOP,)).on(None)


def test_sentences_are_looked_up_once_for_the_sources_at_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    segments, lookups = Sentences((STOP, MARK)), []
    expected, isin = SENTENCES.index(MASK), torch.isin
    monkeypatch.setattr(torch, "isin", lambda *given: lookups.append(1) or isin(*given))
    some = TOKENS[:2]
    for _ in range(3):  # a batch, and the part of it that goes on
        assert torch.equal(segments.on(TOKENS).index(MASK), expected)
        assert torch.equal(segments.on(some).index(MASK[:2]), expected[:2])
    assert len(lookups) == 2


def test_copies_do_not_take_sources_along() -> None:
    segments = Sentences((STOP, MARK))
    empty = len(pickle.dumps(segments))
    assert torch.equal(segments.on(TOKENS).index(MASK), SENTENCES.index(MASK))
    assert len(pickle.dumps(segments)) == empty
    assert len(pickle.dumps(copy.deepcopy(segments))) == empty
