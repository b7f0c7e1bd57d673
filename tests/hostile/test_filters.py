"""Whatever bytes come in: a line goes out for each line, or one clear error."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlattn.hosts import Seq2SeqHost
from rlattn.inference import TrainedPolicy
from rlattn.reading import Reading
from tests.hostile.strategies import cases, unicode_texts
from tests.hosts.classifier.small import LABELS, small_classifier
from tests.hosts.tiny import save
from tests.inference.policies import strong, strong_reader

PROGRAMS = ("translate", "classify")

lines = st.lists(unicode_texts, max_size=6)
streams = st.one_of(
    st.builds(lambda end, lines: end.join(lines).encode(), st.sampled_from(["\n", "\r\n"]), lines),
    lines.map(lambda lines: "".join(f"{line}\n" for line in lines).encode()),
    st.binary(max_size=100),
    lines.map(lambda lines: "\n".join(lines).encode("utf-16")),
    lines.map(lambda lines: "\n".join(lines).encode() + b"\n\xed\xa0\x80"),  # half a character
)


@pytest.fixture(scope="module")
def policies(host: Seq2SeqHost, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("filters")
    place = save(host, folder / "translator")
    translator = strong(host)
    TrainedPolicy(translator.policy, str(place), host.fingerprint).save(folder / "translate")
    reader = small_classifier()
    reader.model.save_pretrained(folder / "classifier")
    reader.tokenizer.save_pretrained(folder / "classifier")
    policy = strong_reader(reader, Reading())
    TrainedPolicy(
        policy.policy, str(folder / "classifier"), reader.fingerprint, reading=Reading()
    ).save(folder / "classify")
    return {name: folder / name for name in PROGRAMS}


def call(program: str, stdin: bytes, *arguments: object) -> tuple[int, str, str]:
    """Runs a program in this process; its exit code, standard output and error."""
    out, err = io.StringIO(), io.StringIO()
    before = sys.argv, sys.stdin
    sys.argv = [program, *map(str, arguments)]
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin))
    code = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            importlib.import_module(f"rlattn.{program}").main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.argv, sys.stdin = before
    return code, out.getvalue(), err.getvalue()


def expected_lines(stdin: bytes) -> int | None:
    """How many lines there are; None if they cannot be read."""
    try:
        for line in stdin.split(b"\n"):
            line.decode()
    except UnicodeDecodeError:
        return None
    return stdin.count(b"\n") + (not stdin.endswith(b"\n") and stdin != b"")


def check(program: str, policy: Path, stdin: bytes, *more: object) -> str | None:
    """Runs a program and checks what it says; what it wrote, or None if that was an error."""
    limits = ("--max-target", 3) if program == "translate" else ()
    given = ("--policy", policy, "--batch-size", 2, "--max-source", 9, *limits, *more)
    code, out, err = call(program, stdin, *given)
    said = err.strip().splitlines()
    assert len(said) == 1
    if expected_lines(stdin) is None:
        assert code == 2
        assert said[0].startswith("error: standard input, line ")
        return None
    assert code == 0
    assert out.count("\n") == expected_lines(stdin)
    return out


@cases(16)
@given(st.sampled_from(PROGRAMS), streams)
def test_a_line_for_each_line(policies: dict[str, Path], program: str, stdin: bytes) -> None:
    out = check(program, policies[program], stdin)
    if out is None:
        return
    out.encode()
    for line in out.split("\n")[:-1]:
        if program == "classify" and line:
            label, probability, share = line.split("\t")
            assert label in LABELS
            assert 1 / len(LABELS) - 1e-3 <= float(probability) <= 1
            assert 0 < float(share) <= 1


@cases(8)
@given(streams)
def test_an_object_for_each_line(policies: dict[str, Path], stdin: bytes) -> None:
    out = check("classify", policies["classify"], stdin, "--format", "jsonl")
    for line in (out or "").split("\n")[:-1]:
        if line:
            found: dict[str, Any] = json.loads(line)
            assert sum(found["probabilities"].values()) == pytest.approx(1, abs=1e-4)
            assert len(found["tokens"]) == len(found["opened"]) > 0


FLAGS = ("--max-source", "--max-target", "--beams", "--batch-size", "--device", "--nonsense")
GIVEN = ("0", "-1", "nan", "inf", "2.5", "x", "", "1e9", "9" * 30, "9" * 5000, "\u0661", "--", "1")


@cases(12)
@given(st.sampled_from(FLAGS), st.sampled_from(GIVEN))
def test_options_are_used_or_refused(policies: dict[str, Path], flag: str, value: str) -> None:
    code, out, err = call("translate", b"ba\n", "--policy", policies["translate"], flag, value)
    assert code in (0, 2)
    assert "Traceback" not in out + err
    assert (out.count("\n") == 1) == (code == 0)
    if code == 0:
        assert value.strip() in ("1", "\u0661")
