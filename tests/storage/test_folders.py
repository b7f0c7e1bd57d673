"""A file of a folder is one that the folder holds itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rlattn.errors import InputError
from rlattn.storage.folders import file_in, is_plain, read_bytes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "outside.json").write_text("a secret")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "card.json").write_text("{}")
    return tmp_path / "folder"


def test_a_file_is_found(folder: Path) -> None:
    assert file_in(folder, "card.json") == folder / "card.json"


@pytest.mark.parametrize(
    "name",
    [
        "../outside.json",
        "..",
        ".",
        "",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "..\\x",
        "C:x",
        "a\0b",
        "a\nb",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(folder: Path, name: str) -> None:
    assert not is_plain(name)
    with pytest.raises(InputError, match="expected the name of a file in the folder itself"):
        file_in(folder, name)


def test_what_is_not_there_is_missing(folder: Path) -> None:
    with pytest.raises(InputError, match=r"^other\.json is missing$"):
        file_in(folder, "other.json")


def test_a_folder_is_no_file(folder: Path) -> None:
    (folder / "other.json").mkdir()
    with pytest.raises(InputError, match="is no regular file"):
        file_in(folder, "other.json")


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.json")
    with pytest.raises(InputError, match="is no regular file"):
        file_in(folder, "pipe.json")
    with pytest.raises(InputError, match="is no regular file"):
        read_bytes(folder / "pipe.json", 100)


class TestLinks:
    def test_one_within_the_folder_is_followed(self, folder: Path) -> None:
        (folder / "other.json").symlink_to("card.json")
        assert file_in(folder, "other.json").read_text() == "{}"

    @pytest.mark.parametrize("relative", [True, False])
    def test_one_that_leads_out_is_refused(self, folder: Path, relative: bool) -> None:
        outside = folder.parent / "outside.json"
        (folder / "other.json").symlink_to("../outside.json" if relative else outside)
        with pytest.raises(InputError, match="is a link that leads out of the folder"):
            file_in(folder, "other.json")

    def test_one_to_the_folder_itself_changes_nothing(self, folder: Path) -> None:
        (folder.parent / "link").symlink_to(folder)
        assert file_in(folder.parent / "link", "card.json").read_text() == "{}"

    def test_a_snapshot_of_the_hubs_cache_is_made_of_links(self, tmp_path: Path) -> None:
        repository = tmp_path / "models--someone--a-policy"
        snapshot = repository / "snapshots" / "abc"
        snapshot.mkdir(parents=True)
        (repository / "blobs").mkdir()
        (repository / "blobs" / "123").write_text("{}")
        (snapshot / "card.json").symlink_to("../../blobs/123")
        assert file_in(snapshot, "card.json").read_text() == "{}"
        (tmp_path / "outside.json").write_text("a secret")
        (snapshot / "other.json").symlink_to("../../../outside.json")
        with pytest.raises(InputError, match="leads out of the folder"):
            file_in(snapshot, "other.json")
