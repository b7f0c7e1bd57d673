"""The page of a policy: its metadata are read by the hub, its code runs, its text is only text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

import rlattn
from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.classifier import load_classifier
from rlattn.inference.card import FamilyOrigin, HostId, PolicyCard
from rlattn.inference.model_card import model_card
from rlattn.inference.record import Score, Scores
from tests.hosts.classifier.small import LABELS, small_model, small_tokenizer
from tests.hosts.tiny import save
from tests.inference.policies import strong, strong_reader
from tests.inference.test_card import CARD, READER, SCORES, TRAINING

NAME = "someone/a-policy"
NATIVE = Score("test", "native", 20, 100.0, 100.0, 1.0)
SCORED = replace(CARD, scores=replace(SCORES, rows=(NATIVE, *SCORES.rows)))


def tokens(page: str) -> list[Token]:
    """The parts of a page's body, and the parts that these are made of."""
    body = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(ModelCard(page).text)
    return [part for token in body for part in (token, *(token.children or []))]


def table(page: str) -> list[list[str]]:
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in rows]


def test_the_metadata_are_what_the_hub_searches() -> None:
    data = ModelCard(model_card(SCORED, NAME, license="mit")).data
    assert data.library_name == "rlattn"
    assert data.base_model == "someone/a-host"
    assert data.pipeline_tag == "translation"
    assert data.license == "mit"
    results = {(result.dataset_split, result.metric_type): result for result in data.eval_results}
    assert results["test", "bleu"].metric_value == 98.5
    assert results["test", "reads_fraction"].metric_value == 0.2
    assert results["validation", "chrf"].metric_value == 97.25
    assert {result.dataset_name for result in data.eval_results} == {"locale:en-de"}


def test_no_licence_is_chosen_for_anyone() -> None:
    assert "license" not in ModelCard(model_card(SCORED, NAME)).data.to_dict()


@pytest.mark.parametrize("name", ["embedded", "/home/me/host", "runs/a/host"])
def test_a_host_that_is_not_on_the_hub_is_no_base_model(name: str) -> None:
    page = model_card(replace(CARD, host=HostId(name, "0" * 64)), NAME)
    assert "base_model" not in ModelCard(page).data.to_dict()
    assert "huggingface.co" not in page


def test_the_policy_stands_beside_the_native_attention() -> None:
    head, _, *rows = table(model_card(SCORED, NAME))
    assert head == ["split", "method", "BLEU", "of native", "chrF", "reads", "sentences"]
    assert rows == [
        ["test", "native", "100.0", "100.0 %", "100.0", "100.0 %", "20"],
        ["validation", "policy", "98.0", "–", "97.2", "20.0 %", "10"],
        [
            *("test", "policy", "98.5 [97.0–99.0]", "98.5 %", "97.0 [96.0–98.0]"),
            *("20.0 % [10.0–30.0]", "20"),
        ],
    ]


def test_without_scores_the_page_says_so() -> None:
    page = model_card(replace(CARD, scores=None, training=None), NAME)
    assert "None came with the policy." in page
    assert "How it was trained" not in page
    assert ModelCard(page).data.eval_results is None


@pytest.mark.parametrize("picture", [True, False])
def test_the_picture_is_shown_where_there_is_one(picture: bool) -> None:
    images = [t for t in tokens(model_card(CARD, NAME, picture=picture)) if t.type == "image"]
    assert [image.attrs["src"] for image in images] == ["attention.png"] * picture


def test_the_command_can_be_copied() -> None:
    (block,) = [t for t in tokens(model_card(CARD, NAME)) if t.type == "fence" and t.info == "sh"]
    assert block.content == "python train.py --name 'a b\nc'\n"


def test_a_family_of_ones_own_is_imported_first() -> None:
    page = model_card(replace(CARD, family=FamilyOrigin("gate", "my_family")), NAME)
    assert "import my_family  # registers the action family\nimport rlattn" in page


def test_the_code_of_the_page_runs(
    host: Seq2SeqHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = strong(host)
    policy.host_name = str(save(host, tmp_path / "host"))
    monkeypatch.chdir(tmp_path)
    policy.save(NAME)  # a folder stands for the hub
    card = replace(CARD, host=HostId(policy.host_name, policy.host_fingerprint))
    (code,) = [t.content for t in tokens(model_card(card, NAME)) if t.info == "python"]
    names: dict[str, object] = {}
    exec(compile(code, "page", "exec"), names)
    assert isinstance(names["policy"], rlattn.TrainedPolicy)


class TestReader:
    """The page of a policy that reads for a classifier."""

    def test_the_metadata_are_those_of_a_classifier(self) -> None:
        data = ModelCard(model_card(READER, NAME)).data
        assert (data.pipeline_tag, data.metrics) == ("text-classification", ["accuracy", "f1"])
        found = {(result.dataset_split, result.metric_type) for result in data.eval_results}
        assert ("test", "macro_f1") in found
        assert ("validation", "macro_f1") not in found, "it was not measured"

    def test_accuracy_and_reads_stand_in_the_table(self) -> None:
        head, _, *rows = table(model_card(READER, NAME))
        assert head == ["split", "method", "accuracy", "of native", "macro F1", "reads", "texts"]
        assert rows[0] == ["validation", "policy", "90.0", "–", "–", "25.0 %", "10"]
        assert rows[2] == [
            *("test", "policy", "91.0 [87.0–94.0]", "98.9 %", "90.5 [86.0–93.0]", "25.0 %", "20"),
        ]

    def test_nothing_is_said_of_translation(self) -> None:
        assert "translat" not in model_card(READER, NAME)

    @pytest.mark.parametrize("on_hub", [True, False])
    def test_the_code_of_the_page_runs(
        self, on_hub: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # A folder in the working directory stands for the hub.
        place = "someone/a-host" if on_hub else str(tmp_path / "host")
        monkeypatch.chdir(tmp_path)
        model = small_model()
        model.save_pretrained(place)
        small_tokenizer().save_pretrained(place)
        policy = strong_reader(load_classifier(place), READER.reading)
        policy.save(NAME)
        card = replace(READER, host=HostId(place, policy.host_fingerprint))
        (code,) = [t.content for t in tokens(model_card(card, NAME)) if t.info == "python"]
        assert ("load_classifier" in code) is not on_hub
        names: dict[str, Any] = {}
        exec(compile(code, "page", "exec"), names)
        assert names["readings"].labels[0] in LABELS


CHARACTERS = st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Z", "Cc"))
STRUCTURE = {"heading_open", "tr_open", "fence", "link_open", "image", "html_inline", "html_block"}


def structure(page: str) -> list[str]:
    return [token.type for token in tokens(page) if token.type in STRUCTURE]


def saying(text: str) -> PolicyCard:
    """A card that says a text wherever a text may stand."""
    training = replace(TRAINING, command=("python", text), corpus=text, versions={text: text})
    rows = (*SCORES.rows, Score(text, text, 1, 0.0, 0.0, 1.0))
    return replace(
        CARD,
        host=HostId(f"a host: {text}", "0" * 64),
        policy=replace(CARD.policy, action=text),
        family=FamilyOrigin(text, "rlattn.actions.gate"),
        training=training,
        scores=Scores(rows, {text: text}),
    )


PLAIN = model_card(saying("word"), NAME)


@settings(max_examples=20)
@given(st.text(CHARACTERS, min_size=1))
@example("a | b")
@example("```\n# x\n---\nlicense: mit\n---\n")
@example("<b>[a](b)</b> ![c](d)")
def test_no_text_becomes_markup(text: str) -> None:
    page = model_card(saying(text), NAME)
    assert structure(page) == structure(PLAIN)
    found, expected = ModelCard(page).data, ModelCard(PLAIN).data
    assert found.to_dict().keys() == expected.to_dict().keys()
    (corpus,) = {result.dataset_name for result in found.eval_results}
    assert corpus == (" ".join(text.split()) or "unnamed")
