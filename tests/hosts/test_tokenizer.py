from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from rlattn.hosts.tokenizer import EOS, PAD, SMALLEST_VOCABULARY, train_tokenizer

TEXTS = ["The cat sat on the mat.", "Die Katze saß auf der Matte.", "12 cats, 1234 mats!"] * 5


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(TEXTS, vocab_size=320, max_length=64)


@given(text=st.text().filter(lambda text: PAD not in text and EOS not in text))
def test_any_text_comes_back_in_normal_form(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    ids = tokenizer(text).input_ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == unicodedata.normalize("NFC", text)


def test_spaces_around_punctuation_stay(tokenizer: PreTrainedTokenizerFast) -> None:
    text = "Hello , world ! (3,5 %) – „ja“ don't"
    assert tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True) == text


def test_a_text_ends_with_the_end_token_and_only_there(tokenizer: PreTrainedTokenizerFast) -> None:
    ids = tokenizer("the cat").input_ids
    assert ids[-1] == tokenizer.eos_token_id == 1
    assert tokenizer.eos_token_id not in ids[:-1]
    assert tokenizer.pad_token_id == 0


def test_source_and_target_are_read_alike(tokenizer: PreTrainedTokenizerFast) -> None:
    assert tokenizer(text_target="the cat").input_ids == tokenizer("the cat").input_ids


def test_digits_are_tokens_of_their_own(tokenizer: PreTrainedTokenizerFast) -> None:
    assert len(tokenizer("1234").input_ids) == 4 + 1


def test_frequent_words_are_single_tokens(tokenizer: PreTrainedTokenizerFast) -> None:
    assert len(tokenizer(" mat").input_ids) == 1 + 1


def test_the_vocabulary_holds_all_bytes_and_no_more_than_asked_for() -> None:
    assert len(train_tokenizer(TEXTS, 280, 64)) == 280
    assert len(train_tokenizer(["a"], SMALLEST_VOCABULARY, 64)) == SMALLEST_VOCABULARY


def test_the_same_texts_give_the_same_tokenizer(tokenizer: PreTrainedTokenizerFast) -> None:
    again = train_tokenizer(TEXTS, vocab_size=320, max_length=64)
    assert again.get_vocab() == tokenizer.get_vocab()


def test_auto_tokenizer_loads_what_is_saved(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert isinstance(loaded, PreTrainedTokenizerFast)
    assert loaded.model_max_length == 64
    batch = ["the cat sat", "Matte 😀"]
    assert loaded(batch, padding=True)["input_ids"] == tokenizer(batch, padding=True)["input_ids"]
    assert loaded.batch_decode(loaded(batch).input_ids, skip_special_tokens=True) == batch
