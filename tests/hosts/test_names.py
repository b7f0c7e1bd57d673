"""A host's name leads to it from any working directory, and words win over folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlattn.hosts.names import last_part, placed

WORDS = ("builtin", "builtin:", "embedded", "int8:")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with folders that are called as words are."""
    for name in ("builtin", "builtin:5min", "embedded", "mine", "some/model"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path.resolve()


@pytest.mark.parametrize("name", ["builtin", "builtin:5min", "embedded", "int8:mine"])
def test_words_stay_as_they_are(name: str) -> None:
    assert placed(name, WORDS) == name


@pytest.mark.parametrize("name", ["builtin", "builtin:5min", "embedded"])
def test_a_folder_of_such_a_name_can_be_meant(name: str, here: Path) -> None:
    assert placed(f"./{name}", WORDS) == str(here / name)
    assert placed(Path(name), WORDS) == str(here / name)


@pytest.mark.parametrize("name", ["mine", "./mine", "some/../mine", "some/model"])
def test_folders_become_absolute(name: str, here: Path) -> None:
    assert placed(name, WORDS) == str(here / ("some/model" if name == "some/model" else "mine"))


@pytest.mark.parametrize("name", ["someone/a-host", "mine:5min", "builtins", "no\0name"])
def test_other_names_stay_as_they_are(name: str) -> None:
    assert placed(name, WORDS) == name


def test_people_are_told_the_last_part_of_a_folder() -> None:
    assert last_part("/home/me/cache/classifier-1") == "classifier-1"
    assert last_part("pooled:/home/me/encoder") == "pooled:encoder"
    for name in ("me/model", "minilm", "builtin:300steps", "./builtin"):
        assert last_part(name) == name
