"""What runs leave is read again only if it is what a run leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlattn.errors import InputError
from rlattn.experiments.compare.comparison import COMPARISON, open_folder
from rlattn.experiments.compare.problems import TUNED
from rlattn.experiments.compare.runs import NATIVE, RESULT
from rlattn.experiments.compare.settings import Config
from rlattn.experiments.compare.tuned import read_settings
from tests.experiments.compare.made import leave, references

DOUBTFUL = {
    "deep": ("[" * 100_000, "nested too deeply"),
    "a key twice": ('{"a": 1, "a": 2}', "'a' stands there twice"),
    "a number that is none": ('{"a": NaN}', "NaN is no number of JSON"),
    "no object": ("[1]", r"found \[1\], expected an object"),
    "cut": ('{"a": 1', "is damaged"),
}
EVERY = pytest.mark.parametrize(("text", "message"), DOUBTFUL.values(), ids=DOUBTFUL)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    leave(NATIVE, tmp_path, references())
    return tmp_path


def test_what_a_run_leaves_comes_back(out: Path) -> None:
    result, test = NATIVE.result(out), NATIVE.test(out)
    assert result is not None
    assert test is not None
    assert (result["run"], len(test["texts"])) == ("native", len(references()))
    assert NATIVE.failure(out) is None


@EVERY
def test_a_result_that_no_run_left_is_refused(out: Path, text: str, message: str) -> None:
    (NATIVE.folder(out) / RESULT).write_text(text)
    with pytest.raises(InputError, match=rf"runs/native: result\.json[^\n]*{message}"):
        NATIVE.result(out)


def test_a_result_without_a_field_is_refused(out: Path) -> None:
    path = NATIVE.folder(out) / RESULT
    data = json.loads(path.read_text())
    del data["curve"]
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match=r"result\.json: the field curve is missing"):
        NATIVE.result(out)


def test_a_link_to_a_result_elsewhere_is_refused(out: Path, tmp_path: Path) -> None:
    path = NATIVE.folder(out) / RESULT
    path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(InputError, match="leads out of the folder"):
        NATIVE.result(out)


@EVERY
def test_a_comparison_that_none_began_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / COMPARISON).write_text(text)
    with (
        pytest.raises(InputError, match=rf"^--out {tmp_path}: comparison\.json[^\n]*{message}"),
        open_folder(tmp_path, {"seeds": 1}),
    ):
        pass


@pytest.mark.parametrize(
    ("text", "message"),
    [
        *DOUBTFUL.values(),
        ('{"ppo": 1}', "ppo: found 1, expected an object"),
        ('{"ppo": {"quality": [1]}}', r"ppo: quality: found \[1\], expected an object"),
        ('{"ppo": {"quality": {"lanes": [1]}}}', r"quality: lanes: found \[1\], expected a value"),
    ],
)
def test_settings_that_no_search_left_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(InputError, match=rf"^--settings .*settings\.json .*{message}"):
        read_settings(Config(settings=tmp_path / "settings.json"))


def test_settings_that_a_search_left_are_taken() -> None:
    assert read_settings(Config(settings=TUNED)) == json.loads(TUNED.read_text())
