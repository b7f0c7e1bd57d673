"""Lines go in, labels come out in the same order; what was read can be had, too."""

from __future__ import annotations

import importlib
import io
import json
import re
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import rlattn
from rlattn.hosts.classifier import ClassifierHost, load_classifier
from rlattn.hosts.pieces import pieces
from rlattn.inference import Readings, TrainedPolicy
from rlattn.reading import Reading
from tests.hosts.classifier.small import LABELS
from tests.hosts.tiny import sentences
from tests.inference.policies import strong_reader
from tests.plots.readings import Shown, byte_host

LINES = [
    "",
    *sentences(12),
    "  ",
    "so “naïve” 👩🏽\u200d🚀 今日は",
    "a\tb \x85 c\u2028d\u2029e\x1cf\0g … h",
    *sentences(12, 1),
]
TEXTS = [line for line in LINES if line.strip()]
READING = Reading(3)
program = importlib.import_module("rlattn.classify")
Call = Callable[..., tuple[str, str]]


def saved(folder: Path, labels: tuple[str, ...] = LABELS) -> ClassifierHost[Any]:
    """A small classifier with random weights, from a folder in which it was saved."""
    host = byte_host()
    host.model.config.id2label = dict(enumerate(labels))
    host.model.config.label2id = {label: number for number, label in enumerate(labels)}
    host.model.save_pretrained(folder)
    host.tokenizer.save_pretrained(folder)
    return load_classifier(folder)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> ClassifierHost[Any]:
    return saved(tmp_path_factory.mktemp("host"))


@pytest.fixture(scope="module")
def policy(host: ClassifierHost[Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a policy that reads some of the tokens at once, some later, and some never."""
    folder = tmp_path_factory.mktemp("policy")
    strong_reader(host, READING).save(folder)
    return folder


@pytest.fixture
def call(policy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls the program; returns standard output and error."""

    def calls(*arguments: object, stdin: bytes = b"") -> tuple[str, str]:
        given = ["classify", "--policy", policy, *arguments]
        monkeypatch.setattr(sys, "argv", [str(argument) for argument in given])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        program.main()
        return capsys.readouterr()

    return calls


@pytest.fixture(scope="module")
def expected(policy: Path) -> Readings:
    """What comes of `TEXTS`."""
    readings = rlattn.load(policy).classify(TEXTS)
    assert {step for opened in readings.opened for step in opened} == {0, 1, 2, 3}
    return readings


def joined(lines: list[str]) -> bytes:
    return "".join(line + "\n" for line in lines).encode()


def written(lines: str) -> list[str]:
    """What was written for `TEXTS`, once empty lines are seen to stand where they should."""
    rows = lines.removesuffix("\n").split("\n")
    assert [bool(row) for row in rows] == [bool(line.strip()) for line in LINES]
    # Whatever ends a line for others ends one here.
    assert lines.splitlines() == rows
    return [row for row in rows if row]


class TestColumns:
    def test_label_probability_and_share_are_the_policys(
        self, call: Call, expected: Readings
    ) -> None:
        rows = [row.split("\t") for row in written(call(stdin=joined(LINES))[0])]
        assert [row[0] for row in rows] == expected.labels
        for row, chances, reads in zip(
            rows, expected.probabilities, expected.reads_fraction, strict=True
        ):
            assert len(row) == 3
            assert float(row[1]) == pytest.approx(chances.max(), abs=1e-4)
            assert float(row[2]) == pytest.approx(reads, abs=1e-4)

    def test_rationales_are_the_parts_that_were_read(
        self, call: Call, host: ClassifierHost[Any], expected: Readings
    ) -> None:
        rows = written(call("--rationales", stdin=joined(LINES))[0])
        assert [row.rsplit("\t", 1)[0] for row in rows] == written(call(stdin=joined(LINES))[0])
        for row, ids, opened in zip(rows, expected.tokens, expected.opened, strict=True):
            kept = zip(pieces(host, ids), opened, strict=True)
            parts = re.split("\v+", "".join(piece if step else "\v" for piece, step in kept))
            clean = (" ".join(re.sub(r"[\0\x1c]", " ", part).split()) for part in parts)
            assert row.split("\t")[3] == " … ".join(filter(None, clean))

    def test_labels_of_any_kind_are_one_column(self, call: Call, tmp_path: Path) -> None:
        host = saved(tmp_path / "host", ("a\tb", "c\nd\u2028e", " f\x85"))
        strong_reader(host, READING).save(tmp_path / "policy")
        out, _ = call("--policy", tmp_path / "policy", stdin=joined(LINES))
        labels = {row.split("\t")[0] for row in written(out)}
        assert labels <= {"a b", "c d e", "f"}


class TestObjects:
    def test_they_hold_everything(
        self, call: Call, host: ClassifierHost[Any], expected: Readings
    ) -> None:
        rows = written(call("--format", "jsonl", stdin=joined(LINES))[0])
        for number, data in enumerate(map(json.loads, rows)):
            assert data["label"] == expected.labels[number]
            assert tuple(data["probabilities"]) == LABELS
            chances = list(data["probabilities"].values())
            assert chances == pytest.approx(expected.probabilities[number].tolist(), rel=1e-4)
            assert data["reads_fraction"] == pytest.approx(expected.reads_fraction[number])
            assert data["opened"] == expected.opened[number]
            assert len(data["tokens"]) == len(data["opened"])
            assert ["".join(data["tokens"])] == host.detokenize([expected.tokens[number]])

    def test_letters_stay_as_they_are(self, call: Call) -> None:
        out, _ = call("--format", "jsonl", stdin="今 été\n".encode())
        assert "é" in out
        assert "\\u" not in out


class TestPage:
    def test_it_has_every_text_with_what_was_read(
        self, call: Call, expected: Readings, tmp_path: Path
    ) -> None:
        out, _ = call("--html", tmp_path / "page.html", "--batch-size", 1, stdin=joined(LINES))
        assert out == call(stdin=joined(LINES))[0]
        page = (tmp_path / "page.html").read_text("utf-8")
        shown = Shown(page)
        numbers = [number for number, line in enumerate(LINES, 1) if line.strip()]
        for number, card, label, opened in zip(
            numbers, shown.cards, expected.labels, expected.opened, strict=True
        ):
            read = sum(map(bool, opened))
            assert f"line {number}" in card
            assert f"predicted {label}" in card
            assert f"read {read} of {len(opened)} tokens" in card
        assert page.count("<li>") == READING.steps
        assert {step for _, step in shown.numbers} == {1, 2, 3}

    def test_without_texts_it_is_whole(self, call: Call, tmp_path: Path) -> None:
        call("--html", tmp_path / "page.html", stdin=b"\n")
        page = (tmp_path / "page.html").read_text("utf-8")
        assert Shown(page).cards == []
        assert page.endswith("</html>\n")


class TestLines:
    def test_a_file_becomes_a_file(self, call: Call, expected: Readings, tmp_path: Path) -> None:
        (tmp_path / "in").write_bytes(joined(LINES))
        out, err = call("--input", tmp_path / "in", "--output", tmp_path / "out")
        rows = written((tmp_path / "out").read_bytes().decode())
        assert [row.split("\t")[0] for row in rows] == expected.labels
        assert out == ""
        share = f"{100 * sum(expected.reads_fraction) / len(TEXTS):.1f} %"
        assert err == f"{len(TEXTS)} texts, {share} of their positions read\n"

    @pytest.mark.parametrize("size", [1, 3, 1000])
    def test_the_batch_size_does_not_matter(
        self, call: Call, expected: Readings, size: int
    ) -> None:
        out, _ = call("--batch-size", size, "--format", "jsonl", stdin=joined(LINES))
        found = list(map(json.loads, written(out)))
        assert [data["label"] for data in found] == expected.labels
        assert [data["opened"] for data in found] == expected.opened

    @pytest.mark.parametrize("text", ["", "\n", "\n \n\n"])
    def test_without_texts_there_is_nothing_to_do(self, call: Call, text: str) -> None:
        out, err = call(stdin=text.encode())
        assert out == "\n" * text.count("\n")
        assert err.startswith("0 texts")

    def test_longer_texts_are_cut_and_counted(
        self, call: Call, host: ClassifierHost[Any], policy: Path
    ) -> None:
        out, err = call("--max-source", 5, stdin=joined(TEXTS))
        readings = rlattn.load(policy).classify(TEXTS, host, max_source=5)
        assert [line.split("\t")[0] for line in out.splitlines()] == readings.labels
        assert f"; {readings.truncated} were longer than 5 tokens and were cut\n" in err
        _, err = call(stdin=b"x" * 200)
        assert f"; 1 were longer than {host.max_source} tokens and were cut\n" in err

    def test_another_place_of_the_host_can_be_named(
        self, call: Call, host: ClassifierHost[Any], tmp_path: Path
    ) -> None:
        reader = strong_reader(host, READING).policy
        gone = TrainedPolicy(reader, "gone/away", host.fingerprint, reading=READING)
        gone.save(tmp_path)
        out, _ = call("--policy", tmp_path, "--host", host.name, stdin=joined(LINES))
        assert out == call(stdin=joined(LINES))[0]

    def test_what_was_read_is_written_before_more_is_read(
        self, policy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        size, seen = 16, [0]

        class Lines(io.BufferedIOBase):
            given = 0

            def read1(self, most: int = -1) -> bytes:
                seen[0] += capsys.readouterr().out.count("\n")
                assert seen[0] == self.given
                self.given += size
                return b"ba de\n" * size if self.given <= 3 * size else b""

        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Lines()))
        monkeypatch.setattr(sys, "argv", ["_", "--policy", str(policy), "--batch-size", "1"])
        program.main()
        assert seen[0] == 3 * size
        assert capsys.readouterr().err.startswith(f"{3 * size} texts")


class TestRefusals:
    @pytest.fixture
    def refused(
        self, call: Call, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> Callable[..., str]:
        """Calls the program, sees that it refuses as it should, and returns what it says."""

        def calls(*arguments: object, stdin: bytes = b"ba\n") -> str:
            before = sorted(tmp_path.rglob("*"))
            with pytest.raises(SystemExit) as end:
                call(*arguments, stdin=stdin)
            assert end.value.code == 2
            assert sorted(tmp_path.rglob("*")) == before
            said = capsys.readouterr()
            assert re.fullmatch("error: [^\n]+\n", said.err)
            return said.err

        return calls

    def test_a_policy_of_a_translator(
        self, refused: Callable[..., str], host: ClassifierHost[Any], tmp_path: Path
    ) -> None:
        reader = strong_reader(host, READING).policy
        TrainedPolicy(reader, host.name, host.fingerprint).save(tmp_path / "policy")
        said = refused("--policy", tmp_path / "policy")
        assert "was trained on a translator" in said
        assert "use python -m rlattn.translate\n" in said

    def test_a_host_that_is_gone(
        self, refused: Callable[..., str], host: ClassifierHost[Any], tmp_path: Path
    ) -> None:
        reader = strong_reader(host, READING).policy
        gone = TrainedPolicy(reader, "gone/away", host.fingerprint, reading=READING)
        gone.save(tmp_path / "policy")
        said = refused("--policy", tmp_path / "policy")
        assert said.startswith("error: classifier gone/away: ")
        assert "say with --host" in said

    def test_another_host(self, refused: Callable[..., str], tmp_path: Path) -> None:
        other = byte_host()
        other.model.classifier.bias.add_(1.0)
        other.model.save_pretrained(tmp_path / "other")
        other.tokenizer.save_pretrained(tmp_path / "other")
        assert "this policy was trained on host" in refused("--host", tmp_path / "other")

    def test_half_a_file_is_not_left_behind(
        self, refused: Callable[..., str], tmp_path: Path
    ) -> None:
        (tmp_path / "in").write_bytes(b"ba\n" * 40 + b"\xe4\n")
        places = ("--output", tmp_path / "out", "--html", tmp_path / "page.html")
        arguments = ("--input", tmp_path / "in", *places, "--batch-size", 1)
        assert "in, line 41: not UTF-8 text" in refused(*arguments)

    @pytest.mark.parametrize("option", ["--output", "--html"])
    def test_an_output_that_exists_is_kept(
        self, option: str, refused: Callable[..., str], tmp_path: Path
    ) -> None:
        (tmp_path / "out").write_text("old")
        assert "exists already and is kept" in refused(option, tmp_path / "out")
        assert (tmp_path / "out").read_text() == "old"

    @pytest.mark.parametrize("option", ["--max-source", "--batch-size"])
    def test_numbers_out_of_range(self, refused: Callable[..., str], option: str) -> None:
        assert f"{option} 0: expected at least 1" in refused(option, 0)

    def test_a_device_that_is_not_there(self, refused: Callable[..., str]) -> None:
        assert "--device abacus: not available here; try cpu" in refused("--device", "abacus")


def test_help_explains_every_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["classify", "--help"])
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit) as end:
        program.main()
    assert end.value.code == 0
    page = capsys.readouterr().out
    assert page.startswith("usage: python -m rlattn.classify ")
    assert "None" not in page
    for field in fields(program.Config):
        option = f"--{field.name.replace('_', '-')}"
        value = r"(\[?[A-Z]+[. A-Z\]]*|\{[a-z,]+\}|, --no-[a-z-]+)"
        assert re.search(rf"^[│ ]*{option} ?{value}\s+[A-Z].*\.", page, re.MULTILINE), option
