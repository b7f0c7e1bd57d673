from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from rlattn.corpora import Pair, ParallelCorpus, load_corpus
from rlattn.corpora.locale import GENERATOR
from rlattn.errors import InputError
from rlattn.hosts import builtin
from rlattn.hosts.builtin import builtin_host, embedded_host, train_builtin
from rlattn.hosts.card import read_card
from rlattn.hosts.config import BuiltinConfig
from rlattn.hosts.marian import begin_with, untrained_model
from rlattn.hosts.quality import greedy_quality

TINY = BuiltinConfig(
    vocab_size=300,
    d_model=32,
    encoder_layers=1,
    decoder_layers=1,
    heads=2,
    ffn=64,
    max_length=32,
    dropout=0.0,
    batch_tokens=300,
    learning_rate=5e-3,
    max_steps=3,
    max_minutes=None,
)


def shouting(number: int, seed: int) -> list[Pair]:
    """Sentences of a few words; their translation shouts them."""
    words = ["one", "two", "three", "four", "five", "six"]
    draw = random.Random(seed)
    sentences = [" ".join(draw.choices(words, k=draw.randint(1, 4))) for _ in range(number)]
    return [Pair(sentence, sentence.upper()) for sentence in sentences]


CORPUS = ParallelCorpus(
    "shouting", shouting(400, 0), shouting(40, 1), shouting(40, 2), 0, fingerprint="0"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("host")
    train_builtin(CORPUS, TINY, path, progress=False)
    return path


def test_the_folder_is_an_ordinary_hugging_face_folder(folder: Path) -> None:
    model, tokenizer = (
        AutoModelForSeq2SeqLM.from_pretrained(folder),
        AutoTokenizer.from_pretrained(folder),
    )
    assert model.dtype == torch.float32
    assert model.config.vocab_size == len(tokenizer) <= TINY.vocab_size
    assert model.config.decoder_start_token_id == tokenizer.pad_token_id
    assert tokenizer.model_max_length == TINY.max_length


def test_generate_is_greedy_ends_in_time_and_never_writes_padding(folder: Path) -> None:
    model, tokenizer = (
        AutoModelForSeq2SeqLM.from_pretrained(folder),
        AutoTokenizer.from_pretrained(folder),
    )
    rules = model.generation_config
    assert (rules.num_beams, rules.do_sample) == (1, False)
    assert rules.bad_words_ids == [[tokenizer.pad_token_id]]
    ids = model.generate(**tokenizer("one two", return_tensors="pt"))[0, 1:].tolist()
    assert len(ids) < TINY.max_length
    assert tokenizer.pad_token_id not in ids


def test_the_card_says_how_the_host_was_made(folder: Path) -> None:
    card = read_card(folder)
    assert card["corpus"] == {"name": "shouting", "fingerprint": "0"}
    assert BuiltinConfig(**card["config"]) == TINY
    assert card["training"]["steps"] == TINY.max_steps
    assert 0 <= card["validation"]["bleu"] <= 100
    assert (card["pairs"], card["left_out"]) == (400, 0)


def test_it_takes_no_more_room_than_was_asked_for(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.iterdir()) < TINY.bytes_on_disk


def test_it_learns(tmp_path: Path) -> None:
    card = train_builtin(CORPUS, replace(TINY, max_steps=250), tmp_path, progress=False)
    assert card["validation"]["bleu"] > 80


def test_the_seed_decides_the_weights(folder: Path, tmp_path: Path) -> None:
    def weights(path: Path) -> torch.Tensor:
        return torch.cat([t.flatten() for t in load_file(path / "model.safetensors").values()])

    train_builtin(CORPUS, TINY, tmp_path / "same", progress=False)
    train_builtin(CORPUS, replace(TINY, seed=1), tmp_path / "other", progress=False)
    assert torch.equal(weights(tmp_path / "same"), weights(folder))
    assert not torch.equal(weights(tmp_path / "other"), weights(folder))


def test_a_host_begins_with_the_vocabulary_and_the_weights_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tmp_path / "shouting.tsv"
    text.write_text("\n".join("\t".join(pair) for pair in CORPUS.train))
    monkeypatch.setattr(BuiltinConfig, "for_corpus", classmethod(lambda cls, corpus: TINY))
    still = replace(TINY, start=f"tsv:{text}", max_length=64, learning_rate=1e-12)

    train_builtin(CORPUS, still, tmp_path / "host", progress=False, cache_dir=tmp_path / "cache")
    (start,) = (tmp_path / "cache").iterdir()
    assert (start / "tokenizer.json").read_text() == (tmp_path / "host/tokenizer.json").read_text()
    first, then = (load_file(at / "model.safetensors") for at in (start, tmp_path / "host"))
    assert first.keys() == then.keys()
    for name, weights in first.items():
        torch.testing.assert_close(then[name], weights, msg=name)
    assert AutoTokenizer.from_pretrained(tmp_path / "host").model_max_length == 64
    model = AutoModelForSeq2SeqLM.from_pretrained(tmp_path / "host")
    assert model.config.max_position_embeddings == 64


def test_a_host_of_another_shape_is_no_beginning(folder: Path) -> None:
    other = untrained_model(replace(TINY, ffn=96), AutoTokenizer.from_pretrained(folder))
    with pytest.raises(InputError, match=r"expected .*'encoder_ffn_dim': 64.* gives .* 96"):
        begin_with(other, folder)


def test_a_deeper_decoder_begins_as_the_same_function(folder: Path, tmp_path: Path) -> None:
    start, tokenizer = (
        AutoModelForSeq2SeqLM.from_pretrained(folder).requires_grad_(False),
        AutoTokenizer.from_pretrained(folder),
    )
    deeper = untrained_model(replace(TINY, decoder_layers=3), tokenizer).requires_grad_(False)
    begin_with(deeper.eval(), folder)
    ids, target = torch.randint(4, 60, (2, 3, 7))
    expected, found = (m(ids, decoder_input_ids=target).logits for m in (start, deeper))
    # Not to the digit: a norm after each added block sees what a trained norm has scaled.
    torch.testing.assert_close(found, expected, rtol=0.0, atol=0.02 * float(expected.abs().max()))
    deeper.save_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"at least 3 decoder layers, .* and 1$"):
        begin_with(untrained_model(TINY, tokenizer), tmp_path)


def test_the_callers_random_numbers_stay_as_they_were(tmp_path: Path) -> None:
    before = torch.get_rng_state()
    train_builtin(CORPUS, TINY, tmp_path, progress=False)
    assert torch.equal(torch.get_rng_state(), before)


def test_long_pairs_are_left_out_and_counted(tmp_path: Path) -> None:
    longer = replace(
        CORPUS, train=[*CORPUS.train, Pair("one " * 100, "ONE"), Pair("one", "x" * 99)]
    )
    assert train_builtin(longer, TINY, tmp_path, progress=False)["left_out"] == 2


def test_a_corpus_of_long_pairs_alone_is_refused(tmp_path: Path) -> None:
    long = replace(CORPUS, train=[Pair("one " * 100, "ONE")])
    with pytest.raises(InputError, match="shouting: none of its 1 training pairs"):
        train_builtin(long, TINY, tmp_path, progress=False)


def test_a_host_is_trained_once_for_each_corpus_and_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = []
    monkeypatch.setattr(builtin, "train_builtin", lambda *given: trained.append(given))

    first = builtin_host(CORPUS, TINY, tmp_path)
    assert builtin_host(CORPUS, TINY, tmp_path) == first
    assert len(trained) == 1

    others = {
        builtin_host(CORPUS, replace(TINY, seed=1), tmp_path),
        builtin_host(replace(CORPUS, fingerprint="1"), TINY, tmp_path),
    }
    assert len({first, *others}) == len(trained) == 3


def test_the_embedded_host_serves_the_corpus_it_was_made_for_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = []
    monkeypatch.setattr(builtin, "train_builtin", lambda *given: trained.append(given))

    corpus = load_corpus("locale:en-de", seed=3, train_size=10)
    assert builtin_host(corpus, cache_dir=tmp_path) == embedded_host()
    assert not trained

    builtin_host(load_corpus("locale:en-fr", train_size=10), cache_dir=tmp_path)
    builtin_host(corpus, TINY, cache_dir=tmp_path)
    assert len(trained) == 2


def test_the_embedded_host_is_small_and_of_this_generator() -> None:
    folder = embedded_host()
    assert sum(path.stat().st_size for path in folder.iterdir()) < 3e6
    assert read_card(folder)["generator"] == GENERATOR
    assert {t.dtype for t in load_file(folder / "model.safetensors").values()} == {torch.float16}
    assert AutoModelForSeq2SeqLM.from_pretrained(folder).dtype == torch.float32


def test_the_embedded_host_has_learned_the_default_corpus() -> None:
    folder = embedded_host()
    model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).eval()
    test = load_corpus("locale:en-de").test[:200]
    assert greedy_quality(model, AutoTokenizer.from_pretrained(folder), test).bleu > 97
