"""Lines go in, translations come out in the same order; bad input is refused in one line."""

from __future__ import annotations

import importlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import rlattn
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import TrainedPolicy, translate
from rlattn.plots import AttentionPage
from rlattn.reading import Reading
from tests.hosts.tiny import SOURCE, TARGET, save, sentences, tiny_host
from tests.inference.policies import strong

LINES = ["", *sentences(20), "  ", "", *sentences(19, 1)]
program = importlib.import_module("rlattn.translate")
LIMITS = {"max_source": SOURCE, "max_target": TARGET}


@dataclass(frozen=True)
class Folders:
    """Where a policy and its host are."""

    policy: Path
    host: Path


@pytest.fixture(scope="module")
def folders(host: Seq2SeqHost, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    folder = tmp_path_factory.mktemp("translate")
    place = save(host, folder / "host")
    network, digest = strong(host).policy, host.fingerprint
    TrainedPolicy(network, str(place), digest).save(folder / "policy")
    return Folders(folder / "policy", place)


Call = Callable[..., tuple[str, str]]


@pytest.fixture
def call(
    folders: Folders, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Calls the program; returns standard output and error."""

    def calls(*arguments: object, stdin: bytes = b"", **streams: StringIO) -> tuple[str, str]:
        for name, stream in streams.items():
            monkeypatch.setattr(sys, name, stream)
        given = ["translate", "--policy", folders.policy, "--max-target", TARGET, *arguments]
        monkeypatch.setattr(sys, "argv", [str(argument) for argument in given])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        program.main()
        return capsys.readouterr()

    return calls


@pytest.fixture
def expected(host: Seq2SeqHost, folders: Folders) -> list[str]:
    """A translation for each of `LINES`."""
    policy = rlattn.load(folders.policy)
    texts = [line for line in LINES if line.strip()]
    written = iter(translate(host, texts, policy, **LIMITS).texts)
    return [next(written) if line.strip() else "" for line in LINES]


def joined(lines: list[str], end: str = "\n") -> bytes:
    return "".join(line + end for line in lines).encode()


class TestTranslations:
    def test_a_file_becomes_a_file(self, call: Call, expected: list[str], tmp_path: Path) -> None:
        (tmp_path / "in").write_bytes(joined(LINES))
        out, err = call("--input", tmp_path / "in", "--output", tmp_path / "out")
        assert (tmp_path / "out").read_bytes() == joined(expected)
        assert out == ""
        assert err.count("\n") == 1

    def test_standard_input_becomes_standard_output(self, call: Call, expected: list[str]) -> None:
        out, _ = call(stdin=joined(LINES))
        assert out.encode() == joined(expected)

    @pytest.mark.parametrize("size", [1, 3, 1000])
    def test_the_batch_size_does_not_matter(
        self, call: Call, expected: list[str], size: int
    ) -> None:
        assert call("--batch-size", size, stdin=joined(LINES))[0].encode() == joined(expected)

    def test_line_ends_and_byte_order_mark_are_no_words(
        self, call: Call, expected: list[str]
    ) -> None:
        text = "\ufeff".encode() + joined(LINES, end="\r\n").removesuffix(b"\r\n")
        assert call(stdin=text)[0].encode() == joined(expected)

    @pytest.mark.parametrize("text", ["", "\n", "\n \n\n"])
    def test_without_sentences_there_is_nothing_to_do(self, call: Call, text: str) -> None:
        out, err = call(stdin=text.encode())
        assert out == "\n" * text.count("\n")
        assert err.startswith("0 sentences")

    def test_another_place_of_the_host_can_be_named(
        self, call: Call, expected: list[str], host: Seq2SeqHost, tmp_path: Path
    ) -> None:
        place = save(host, tmp_path / "moved")
        assert call("--host", place, stdin=joined(LINES))[0].encode() == joined(expected)


class TestSummary:
    def test_it_says_what_was_read(self, call: Call, host: Seq2SeqHost, folders: Folders) -> None:
        texts = [line for line in LINES if line.strip()]
        reads = translate(host, texts, rlattn.load(folders.policy), **LIMITS).reads_fraction
        share = f"{100 * sum(reads) / len(reads):.1f} %"
        for size in (1, 64):
            _, err = call("--batch-size", size, stdin=joined(LINES))
            assert err == f"{len(texts)} sentences, {share} of their positions read\n"

    def test_it_says_what_was_cut(self, call: Call) -> None:
        _, err = call("--max-source", 5, stdin=joined(LINES))
        longer = sum(len(line.split()) + 1 > 5 for line in LINES)
        assert f"; {longer} were longer than 5 tokens and were cut\n" in err

    def test_the_limit_of_the_host_counts(self, call: Call, host: Seq2SeqHost) -> None:
        assert host.max_source == 64
        _, err = call(stdin=joined(["ba " * 60, "ba " * 64, "ba " * 300]))
        assert "3 sentences" in err
        assert "; 2 were longer than 64 tokens and were cut\n" in err


class TestBeams:
    def test_they_are_handed_on(
        self, call: Call, host: Seq2SeqHost, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Natively, whatever a policy can follow.
        def natively(host: Seq2SeqHost, texts: list[str], _: object, **settings: Any) -> Any:
            return translate(host, texts, **settings)

        monkeypatch.setattr(program, "translate", natively)
        texts = [line for line in LINES if line.strip()]
        expected = translate(host, texts, **LIMITS, beams=3).texts
        assert call("--beams", 3, stdin=joined(texts))[0].splitlines() == expected
        assert call(stdin=joined(texts))[0].splitlines() != expected

    def test_one_is_the_default(self, call: Call, expected: list[str]) -> None:
        assert call("--beams", 1, stdin=joined(LINES))[0].encode() == joined(expected)


class TestPage:
    def test_it_shows_what_every_line_read(
        self, call: Call, host: Seq2SeqHost, folders: Folders, expected: list[str], tmp_path: Path
    ) -> None:
        out, _ = call("--html", tmp_path / "page.html", "--batch-size", 2, stdin=joined(LINES))
        assert out.encode() == joined(expected)
        page = (tmp_path / "page.html").read_text("utf-8")
        numbers = [number for number, line in enumerate(LINES, 1) if line.strip()]
        texts = [LINES[number - 1] for number in numbers]
        policy = rlattn.load(folders.policy)
        again = StringIO()
        with AttentionPage(again) as page_again:
            alignments = translate(host, texts, policy, **LIMITS, batch=2, trace=True).alignments
            for number, alignment in zip(numbers, alignments, strict=True):
                page_again.add({"policy": alignment}, f"line {number}")
        assert shape(page) == shape(again.getvalue())

    def test_without_sentences_it_is_empty(self, call: Call, tmp_path: Path) -> None:
        call("--html", tmp_path / "page.html", stdin=b"\n\n")
        page = (tmp_path / "page.html").read_text("utf-8")
        assert "application/json" not in page.split("</header>")[1].split("<script>")[0]
        assert page.endswith("</html>\n")


def shape(page: str) -> str:
    """A page without the digits of its attention, which depend on who shares a batch."""
    return re.sub(r"\b0\.\d+", "0", page)


class TestAnyAmount:
    @pytest.mark.parametrize("page", [False, True])
    def test_what_was_read_is_written_before_more_is_read(
        self,
        folders: Folders,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        tmp_path: Path,
        page: bool,
    ) -> None:
        size, written = 16, [0]

        class Lines(io.BufferedIOBase):
            given = 0

            def read1(self, most: int = -1) -> bytes:
                written[0] += capsys.readouterr().out.count("\n")
                assert written[0] == self.given
                self.given += size
                return b"ba de\n" * size if self.given <= 3 * size else b""

        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Lines()))
        options = ["--html", str(tmp_path / "page.html")] if page else []
        arguments = ["--policy", str(folders.policy), "--max-target", "3", "--batch-size", "1"]
        monkeypatch.setattr(sys, "argv", ["translate", *arguments, *options])
        program.main()
        assert written[0] == 3 * size
        assert capsys.readouterr().err.startswith(f"{3 * size} sentences")


class Terminal(StringIO):
    """What takes everything, and says that it is a terminal."""

    def isatty(self) -> bool:
        return True


class TestProgress:
    @pytest.fixture
    def terminal(self, monkeypatch: pytest.MonkeyPatch) -> Terminal:
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "100")
        return Terminal()

    def test_a_terminal_shows_it_and_keeps_the_summary(
        self, call: Call, expected: list[str], terminal: Terminal, tmp_path: Path
    ) -> None:
        (tmp_path / "in").write_bytes(joined(LINES))
        out, _ = call("--input", tmp_path / "in", "--batch-size", 1, stderr=terminal)
        assert out.encode() == joined(expected), "nothing of it gets among the translations"
        shown = terminal.getvalue()
        assert re.search(r"\d+ sentences, [\d.]+ a second", shown)
        assert "100%" in shown
        assert re.search(r"\n?39 sentences, [\d.]+ % of their positions read\n$", shown)

    def test_without_a_known_end_there_is_no_share(self, call: Call, terminal: Terminal) -> None:
        call(stdin=joined(LINES), stderr=terminal)
        assert "a second" in terminal.getvalue()
        assert "100%" not in terminal.getvalue()

    def test_translations_on_the_terminal_are_progress_enough(
        self, call: Call, terminal: Terminal
    ) -> None:
        call(stdin=joined(LINES), stderr=terminal, stdout=Terminal())
        assert re.fullmatch("39 sentences, [^\n]+\n", terminal.getvalue())

    def test_elsewhere_there_is_none(self, call: Call, tmp_path: Path) -> None:
        _, err = call("--output", tmp_path / "out", stdin=joined(LINES))
        assert err.count("\n") == 1


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

    def test_a_policy_that_is_missing(self, refused: Callable[..., str], tmp_path: Path) -> None:
        said = refused("--policy", tmp_path / "none")
        assert f"{tmp_path / 'none'}: not a policy folder: policy.json is missing" in said

    @pytest.mark.parametrize("name", ["policy.json", "policy.safetensors"])
    @pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe\xfd"])
    def test_a_policy_that_is_damaged(
        self,
        refused: Callable[..., str],
        folders: Folders,
        tmp_path: Path,
        name: str,
        content: bytes,
    ) -> None:
        for path in folders.policy.iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
        (tmp_path / name).write_bytes(content)
        assert f"{tmp_path}: a damaged policy folder" in refused("--policy", tmp_path)

    def test_another_host(self, refused: Callable[..., str], tmp_path: Path) -> None:
        other = save(tiny_host(seed=1), tmp_path / "other")
        assert "this policy was trained on host" in refused("--host", other)

    def test_a_host_that_is_gone(
        self, refused: Callable[..., str], host: Seq2SeqHost, tmp_path: Path
    ) -> None:
        policy = strong(host).policy
        TrainedPolicy(policy, "gone/away", host.fingerprint).save(tmp_path / "policy")
        said = refused("--policy", tmp_path / "policy")
        assert said.startswith("error: host gone/away: ")
        assert "--host" in said

    def test_a_policy_of_a_classifier(
        self, refused: Callable[..., str], host: Seq2SeqHost, tmp_path: Path
    ) -> None:
        policy = strong(host).policy
        reader = TrainedPolicy(policy, host.name, host.fingerprint, reading=Reading())
        reader.save(tmp_path / "policy")
        said = refused("--policy", tmp_path / "policy")
        assert "reads texts for a classifier" in said
        assert "use python -m rlattn.classify\n" in said

    def test_a_file_that_is_missing(self, refused: Callable[..., str], tmp_path: Path) -> None:
        said = refused("--input", tmp_path / "none", "--output", tmp_path / "out")
        assert f"{tmp_path / 'none'}: cannot be read (No such file or directory)" in said

    def test_text_that_is_not_utf8(self, refused: Callable[..., str]) -> None:
        assert "standard input, line 2: not UTF-8 text" in refused(stdin=b"ba\n\xe4\n")

    def test_half_a_translation_is_not_left_behind(
        self, refused: Callable[..., str], tmp_path: Path
    ) -> None:
        (tmp_path / "in").write_bytes(b"ba\n" * 40 + b"\xe4\n")
        arguments = ("--input", tmp_path / "in", "--output", tmp_path / "out", "--batch-size", 1)
        assert "in, line 41: not UTF-8 text" in refused(*arguments)

    def test_half_a_page_is_not_left_behind(
        self, refused: Callable[..., str], tmp_path: Path
    ) -> None:
        arguments = ("--html", tmp_path / "page.html", "--batch-size", 1)
        assert "line 41: not UTF-8" in refused(*arguments, stdin=b"ba\n" * 40 + b"\xe4\n")

    @pytest.mark.parametrize("option", ["--output", "--html"])
    def test_an_output_that_exists_is_kept(
        self, refused: Callable[..., str], tmp_path: Path, option: str
    ) -> None:
        (tmp_path / "out").write_text("old")
        said = refused(option, tmp_path / "out")
        assert f"{tmp_path / 'out'} exists already and is kept" in said
        assert (tmp_path / "out").read_text() == "old"

    def test_an_output_that_cannot_be_written(
        self, refused: Callable[..., str], tmp_path: Path
    ) -> None:
        said = refused("--output", tmp_path / "none" / "out")
        assert "cannot be written (No such file or directory)" in said

    @pytest.mark.parametrize("option", ["--max-source", "--max-target", "--beams", "--batch-size"])
    def test_numbers_out_of_range(self, refused: Callable[..., str], option: str) -> None:
        assert f"{option} 0: expected at least 1" in refused(option, 0)

    def test_a_device_that_is_not_there(self, refused: Callable[..., str]) -> None:
        assert "--device abacus: not available here; try cpu" in refused("--device", "abacus")

    def test_no_policy(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["translate"])
        with pytest.raises(SystemExit) as end:
            program.main()
        assert end.value.code == 2
        assert "--policy" in capsys.readouterr().err


def test_a_reader_that_has_enough_is_no_error(folders: Folders) -> None:
    command = [sys.executable, "-m", "rlattn.translate", "--policy", str(folders.policy)]
    process = subprocess.Popen(
        [*command, "--max-target", str(TARGET), "--batch-size", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdin.write(b"ba de fi\n" * 100)
    process.stdin.close()
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait() == 0
    assert process.stderr.read() == b""


def test_help_explains_every_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["translate", "--help"])
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit) as end:
        program.main()
    assert end.value.code == 0
    page = capsys.readouterr().out
    assert page.startswith("usage: python -m rlattn.translate ")
    assert "None" not in page
    for field in fields(program.Config):
        option = f"--{field.name.replace('_', '-')}"
        assert re.search(rf"^[│ ]*{option} \[?[A-Z]+[. A-Z\]]*\s+[A-Z].*\.", page, re.MULTILINE)
