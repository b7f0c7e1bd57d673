"""The card of a policy: what it says comes back, and what no policy has is refused by name."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from rlattn.errors import InputError
from rlattn.inference.card import FamilyOrigin, HostId, PolicyCard, dump, parse_card
from rlattn.inference.record import LabelScore, LabelScores, Score, Scores, Training
from rlattn.policy import PolicyConfig
from rlattn.reading import Reading

TRAINING = Training(
    ("python", "train.py", "--name", "a b\nc"), 0, 64, {"torch": "2"}, "locale:en-de"
)
SCORES = Scores(
    (
        Score("validation", "policy", 10, 98.0, 97.25, 0.2),
        Score("test", "policy", 20, 98.5, 97.0, 0.2, (97.0, 99.0), (96.0, 98.0), (0.1, 0.3)),
    ),
    {"bleu": "version:2"},
)
CARD = PolicyCard(
    HostId("someone/a-host", "0" * 64),
    PolicyConfig("gate", 32, 32, 16),
    FamilyOrigin("gate", "rlattn.actions.gate"),
    "1" * 64,
    TRAINING,
    SCORES,
)
READING = Reading(4)
READER = replace(
    CARD,
    policy=replace(CARD.policy, d_state=READING.d_state(3)),
    scores=None,
    reading=READING,
    labels=("bad", "so\tso", "gut"),
    label_scores=LabelScores(
        (
            LabelScore("validation", "policy", 10, 90.0, None, 0.25),
            LabelScore("test", "native", 20, 92.0, 91.0, 1.0, (88.0, 95.0), (87.0, 94.0), (1, 1)),
            LabelScore("test", "policy", 20, 91.0, 90.5, 0.25, (87.0, 94.0), (86.0, 93.0)),
        )
    ),
)


def fields(card: PolicyCard = CARD) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(dump(card))
    return data


def changed(path: str, value: object) -> str:
    """The text of the card, but for one field."""
    data = fields()
    *outer, last = path.split(".")
    inner: Any = data
    for name in outer:
        inner = inner[int(name) if name.isdecimal() else name]
    inner[last] = value
    return json.dumps(data)


@pytest.mark.parametrize("training", [None, TRAINING])
@pytest.mark.parametrize("scores", [None, SCORES])
def test_what_a_card_says_comes_back(training: Training | None, scores: Scores | None) -> None:
    card = PolicyCard(CARD.host, CARD.policy, CARD.family, CARD.weights_sha256, training, scores)
    assert parse_card(dump(card)) == card


@pytest.mark.parametrize("labels", [None, READER.labels])
def test_so_does_what_a_reader_of_texts_says(labels: tuple[str, ...] | None) -> None:
    card = replace(READER, labels=labels)
    assert parse_card(dump(card)) == card


def test_labels_that_do_not_fit_the_policy_are_refused() -> None:
    with pytest.raises(InputError, match=r"labels: found 2, which take a d_state of 6, .* of 8"):
        dump(replace(READER, labels=("bad", "good")))


def test_a_card_is_read_without_the_library() -> None:
    data = fields()
    assert data["format"] == 2
    assert data["policy"]["action"] == "gate"
    assert data["family"] == {"steering": "gate", "module": "rlattn.actions.gate"}
    assert data["host"] == {"name": "someone/a-host", "fingerprint": "0" * 64}
    assert data["training"]["command"] == list(TRAINING.command)
    assert data["scores"]["rows"][1]["bleu_interval"] == [97.0, 99.0]


def test_how_the_text_is_spaced_does_not_matter() -> None:
    assert parse_card(json.dumps(fields(), sort_keys=True)) == CARD


WRONG: dict[str, tuple[str, object, str]] = {
    "a later format": ("format", 99, "format 99, expected 2: it was saved by a later version"),
    "a format that is none": ("format", True, "format true, expected 2"),
    "no object": ("host", "me", 'host: found "me", expected an object with fields'),
    "an unknown field": ("colour", "red", "unknown field 'colour': expected one of"),
    "a misspelt field": ("policy.widht", 16, "policy: unknown field 'widht': did you mean 'width'"),
    "no text": ("host.name", 7, "host: name: found 7, expected text"),
    "two lines": ("host.name", "a\nb", r'host: name: found "a\\nb", expected a name in one line'),
    "half a character": ("host.name", "\ud800", r'host: name: found "\\ud800", expected text'),
    "no fingerprint": ("host.fingerprint", "abc", 'found "abc", expected 64 hexadecimal digits'),
    "no digest": ("weights_sha256", None, "the field weights_sha256 is missing"),
    "no family": ("family", None, "the field family is missing"),
    "no module": ("family.module", "os; rm", 'module: found "os; rm", expected a module'),
    "no number": ("policy.width", "many", 'width: found "many", expected a whole number'),
    "half a unit": ("policy.width", 16.5, "width: found 16.5, expected a whole number"),
    "a truth": ("policy.width", True, "width: found true, expected a whole number"),
    "no width": ("policy.width", 0, "width: found 0, expected 1 to 65,536"),
    "an absurd width": ("policy.width", 10**9, "width: found 1000000000, expected 1 to 65,536"),
    "a huge number": (
        "scores.rows.0.bleu",
        10**400,
        r"bleu: found 1000.*\.\.\., expected a finite",
    ),
    "no list": ("training.command", "python", 'command: found "python", expected a list'),
    "no word": ("training.command", ["a", 1], r"command\[1\]: found 1, expected text"),
    "half an interval": ("scores.rows.0.bleu_interval", [1.0], "found 1 values, expected 2"),
    "no version": ("training.versions.torch", None, "torch: found null, expected text"),
}


@pytest.mark.parametrize(("path", "value", "message"), WRONG.values(), ids=WRONG)
def test_what_no_policy_has_is_refused_by_name(path: str, value: object, message: str) -> None:
    with pytest.raises(InputError, match=rf"^policy\.json: [^\n]*{message}[^\n]*$"):
        parse_card(changed(path, value))


@pytest.mark.parametrize("name", ["host", "policy", "family", "weights_sha256", "card_sha256"])
def test_a_field_that_is_missing_is_named(name: str) -> None:
    data = fields()
    del data[name]
    with pytest.raises(InputError, match=name):
        parse_card(json.dumps(data))


@pytest.mark.parametrize(
    ("path", "value"),
    [("host.name", "someone/else"), ("scores.rows.0.bleu", 99.0), ("training.seed", None)],
)
def test_a_field_that_was_changed_is_noticed(path: str, value: object) -> None:
    with pytest.raises(InputError, match=r"policy\.json was changed after it was saved"):
        parse_card(changed(path, value))


DAMAGED = {
    "nothing": ("", "Expecting value"),
    "a list": ("[]", r"found \[\], expected an object"),
    "half": (dump(CARD)[:100], "damaged"),
    "NaN": (dump(CARD).replace("97.25", "NaN"), "NaN is no number of JSON"),
    "infinity": (dump(CARD).replace("97.25", "-Infinity"), "-Infinity is no number of JSON"),
    "a float beyond all": (dump(CARD).replace("97.25", "1e999"), "expected a finite number"),
    "a key twice": (dump(CARD).replace('"seed"', '"env_steps"'), "'env_steps' stands there twice"),
    "nested": ("[" * 100_000, "nested too deeply"),
    "many digits": ("9" * 10_000, "damaged"),
}


@pytest.mark.parametrize(("text", "message"), DAMAGED.values(), ids=DAMAGED)
def test_what_is_damaged_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"^policy\.json[^\n]*{message}[^\n]*$"):
        parse_card(text)


def test_a_card_that_would_not_be_read_is_not_written() -> None:
    card = PolicyCard(HostId("a\nb", "0" * 64), CARD.policy, CARD.family, CARD.weights_sha256)
    with pytest.raises(InputError, match="expected a name in one line"):
        dump(card)
