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
from pathlib import Path

import pytest

import rlattn
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import TrainedPolicy, translate
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

    def calls(*arguments: object, stdin: bytes = b"") -> tuple[str, str]:
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

    def test_an_output_that_exists_is_kept(
        self, refused: Callable[..., str], tmp_path: Path
    ) -> None:
        (tmp_path / "out").write_text("old")
        said = refused("--output", tmp_path / "out")
        assert f"{tmp_path / 'out'} exists already and is kept" in said
        assert (tmp_path / "out").read_text() == "old"

    def test_an_output_that_cannot_be_written(
        self, refused: Callable[..., str], tmp_path: Path
    ) -> None:
        said = refused("--output", tmp_path / "none" / "out")
        assert "cannot be written (No such file or directory)" in said

    @pytest.mark.parametrize("option", ["--max-source", "--max-target", "--batch-size"])
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
