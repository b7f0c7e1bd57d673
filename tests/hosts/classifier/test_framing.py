"""A text's own tokens are those that the tokenizer did not add."""

from __future__ import annotations

from rlattn.hosts.classifier.framing import Framing
from tests.hosts.classifier.small import CLS, PAD, SEP, UNK, small_tokenizer
from tests.hosts.tiny import tokenizer as ending

FRAMING = Framing(small_tokenizer(), "small")


def test_what_is_added_is_found_on_either_side() -> None:
    assert (FRAMING.before, FRAMING.after, len(FRAMING)) == ([CLS], [SEP], 2)
    one = Framing(ending(), "ending")
    assert (len(one.before), len(one.after)) == (0, 1)


def test_a_text_has_its_own_tokens_alone_and_unknown_ones_are_its_own() -> None:
    tokenized = FRAMING.tokenize(["ba be", "ba nonsense be", "</s> ba"], 9)
    ba, be = small_tokenizer().convert_tokens_to_ids(["ba", "be"])
    assert tokenized.ids == [[ba, be], [ba, UNK, be], [SEP, ba]]
    assert tokenized.truncated == 0


def test_long_texts_keep_their_beginning_and_are_counted() -> None:
    whole = FRAMING.tokenize(["ba be bi bo", "ba"], 9).ids
    cut = FRAMING.tokenize(["ba be bi bo", "ba"], 3)
    assert (cut.ids, cut.truncated) == ([whole[0][:3], whole[1]], 1)


def test_there_is_always_something_to_read() -> None:
    assert FRAMING.tokenize([" ", ""], 9).ids == [[UNK], [UNK]]
    assert FRAMING.tokenize([], 9).ids == []


def test_framed_texts_are_what_the_tokenizer_makes() -> None:
    texts = ["ba be bi", "bo"]
    ids, mask, special = FRAMING.framed(FRAMING.tokenize(texts, 9).ids)
    batch = small_tokenizer()(texts, return_tensors="pt", padding=True)
    assert ids.equal(batch.input_ids)
    assert mask.tolist() == [[True, True, True], [True, False, False]]
    assert special.tolist() == [[True, *3 * [False], True], [True, False, True, False, False]]
    assert ids[1, -1] == PAD


def test_an_empty_text_is_its_special_tokens_alone() -> None:
    ids, mask, special = FRAMING.framed([[], [5, 6]])
    assert ids.tolist() == [[CLS, SEP, PAD, PAD], [CLS, 5, 6, SEP]]
    assert mask.tolist() == [[False, False], [True, True]]
    assert special.tolist() == [[True, True, False, False], [True, False, False, True]]


def test_without_special_tokens_an_unknown_one_stands_for_them() -> None:
    bare = small_tokenizer()
    bare.backend_tokenizer.post_processor = None
    framing = Framing(bare, "bare")
    assert len(framing) == 0
    ids, mask, special = framing.framed([[], [5, 6]])
    assert ids.tolist() == [[UNK, PAD], [5, 6]]
    assert mask.tolist() == [[False, False], [True, True]]
    assert special.tolist() == [[True, False], [False, False]]
