"""Policies on the hub, which here is a folder: what is pushed can be loaded, elsewhere too."""

from __future__ import annotations

import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from huggingface_hub import ModelCard
from huggingface_hub.errors import (
    GatedRepoError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

import rlattn
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from tests.hosts.tiny import generate
from tests.inference.policies import TEXTS, strong
from tests.inference.test_card import SCORES, TRAINING

PNG = b"\x89PNG\r\n\x1a\n and a picture"
NAME = "someone/a-policy"


def refusal(kind: type[Exception], message: str = "refused") -> Exception:
    """An error of the hub's client, without the response that it would come from."""
    error = kind.__new__(kind)
    error.args = (message,)
    return error


class Hub:
    """Stands in for the hub: repositories are folders, and calls are remembered."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.calls = folder, list[dict[str, Any]]()

    def create_repo(self, _: Any, repo_id: str, **settings: Any) -> str:
        self.calls.append({"repo": repo_id, **settings})
        (self.folder / repo_id / "main").mkdir(parents=True, exist_ok=True)
        return f"https://huggingface.co/{repo_id}"

    def create_branch(self, _: Any, repo_id: str, *, branch: str, exist_ok: bool) -> None:
        assert exist_ok
        (self.folder / repo_id / branch).mkdir(exist_ok=True)

    def upload_folder(
        self, _: Any, *, repo_id: str, folder_path: Path, revision: str | None, **settings: Any
    ) -> None:
        place = self.folder / repo_id / (revision or "main")
        assert place.is_dir()
        shutil.copytree(folder_path, place, dirs_exist_ok=True)

    def snapshot_download(
        self, repo_id: str, *, revision: str | None, allow_patterns: list[str], **settings: Any
    ) -> str:
        self.calls.append({"repo": repo_id, **settings})
        if not (repository := self.folder / repo_id).is_dir():
            raise refusal(RepositoryNotFoundError)
        if not (place := repository / (revision or "main")).is_dir():
            raise refusal(RevisionNotFoundError)
        cache = self.folder / "cache" / repo_id / (revision or "main")
        cache.mkdir(parents=True, exist_ok=True)
        for name in allow_patterns:
            if (place / name).is_file():
                shutil.copy(place / name, cache)
        return str(cache)

    def files(self, revision: str = "main") -> dict[str, bytes]:
        place = self.folder / NAME / revision
        return {path.name: path.read_bytes() for path in place.iterdir()}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    hub = Hub(tmp_path / "hub")
    for name in ("create_repo", "create_branch", "upload_folder"):
        call = getattr(hub, name)
        monkeypatch.setattr(
            huggingface_hub.HfApi, name, lambda api, *a, _call=call, **k: _call(api, *a, **k)
        )
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.snapshot_download)
    return hub


@pytest.fixture
def folder(host: Seq2SeqHost, tmp_path: Path) -> Path:
    policy = strong(host)
    policy.training, policy.scores = TRAINING, SCORES
    policy.save(tmp_path / "policy")
    (tmp_path / "policy" / "attention.png").write_bytes(PNG)
    return tmp_path / "policy"


def test_what_is_pushed_is_what_is_loaded(hub: Hub, folder: Path, host: Seq2SeqHost) -> None:
    assert rlattn.push_to_hub(folder, NAME) == f"https://huggingface.co/{NAME}"
    pushed, loaded = rlattn.load(folder), rlattn.load(NAME)
    assert (loaded.training, loaded.scores) == (TRAINING, SCORES)
    for ours, theirs in zip(pushed.policy.parameters(), loaded.policy.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    with pushed.steer(host.model):
        expected = generate(host, TEXTS[:5])
    with loaded.steer(host.model):
        assert generate(host, TEXTS[:5]) == expected


def test_the_folder_goes_as_it_is_with_a_page(hub: Hub, folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    rlattn.push_to_hub(folder, NAME)
    pushed = hub.files()
    page = pushed.pop("README.md").decode()
    assert pushed == before
    assert "(attention.png)" in page
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_what_else_stands_in_the_folder_stays_at_home(hub: Hub, folder: Path) -> None:
    (folder / "secret.txt").write_text("token")
    (folder / "attention.png").unlink()
    rlattn.push_to_hub(folder, NAME)
    assert hub.files().keys() == {"README.md", "policy.json", "policy.safetensors"}


def test_only_the_two_files_of_a_policy_are_fetched(hub: Hub, folder: Path) -> None:
    rlattn.push_to_hub(folder, NAME)
    rlattn.load(NAME)
    (cached,) = (hub.folder / "cache" / NAME).iterdir()
    assert {path.name for path in cached.iterdir()} == {"policy.json", "policy.safetensors"}


def test_a_page_of_ones_own_is_kept(hub: Hub, folder: Path) -> None:
    (folder / "README.md").write_text("# Mine\n")
    rlattn.push_to_hub(folder, NAME)
    assert hub.files()["README.md"] == b"# Mine\n"


@pytest.mark.parametrize("name", ["README.md", "attention.png"])
def test_what_a_link_leads_to_elsewhere_is_not_made_public(
    hub: Hub, folder: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "secret").write_bytes(PNG)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match=f"{name} is a link that leads out of the folder"):
        rlattn.push_to_hub(folder, NAME)
    assert not hub.calls


def test_the_settings_reach_the_hub(hub: Hub, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other.png").write_bytes(PNG + b"!")
    rlattn.push_to_hub(folder, NAME, private=True, picture=tmp_path / "other.png", license="mit")
    assert hub.calls[0]["private"] is True
    assert hub.files()["attention.png"] == PNG + b"!"
    assert ModelCard(hub.files()["README.md"].decode()).data.license == "mit"
    rlattn.load(NAME, token="hf_me")
    assert hub.calls[-1]["token"] == "hf_me"


def test_revisions_are_kept_apart(hub: Hub, folder: Path, host: Seq2SeqHost) -> None:
    rlattn.push_to_hub(folder, NAME)
    strong(host, "bias").save(folder)
    rlattn.push_to_hub(folder, NAME, revision="v2")
    assert rlattn.load(NAME).policy.config.action == "gate"
    assert rlattn.load(NAME, revision="v2").policy.config.action == "bias"


def test_a_folder_of_that_name_comes_first(
    hub: Hub, folder: Path, host: Seq2SeqHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rlattn.push_to_hub(folder, NAME)
    strong(host, "bias").save(tmp_path / NAME)
    monkeypatch.chdir(tmp_path)
    assert rlattn.load(NAME).policy.config.action == "bias"
    with pytest.raises(InputError, match="only a policy on the hub has revisions"):
        rlattn.load(NAME, revision="v2")


class TestRefusals:
    def test_what_is_no_policy_is_not_pushed(self, hub: Hub, folder: Path) -> None:
        (folder / "policy.safetensors").write_bytes(b"")
        with pytest.raises(InputError, match="damaged policy folder"):
            rlattn.push_to_hub(folder, NAME)
        assert not hub.calls

    @pytest.mark.parametrize("name", ["a-policy", "a/b/c", "some one/it", "", "../policy"])
    def test_a_name_that_none_can_have_is_refused(self, hub: Hub, folder: Path, name: str) -> None:
        with pytest.raises(InputError, match="expected a name on the hub, such as someone/"):
            rlattn.push_to_hub(folder, name)
        assert not hub.calls

    @pytest.mark.parametrize("content", [None, b"GIF89a"])
    def test_a_picture_that_is_none_is_refused(
        self, hub: Hub, folder: Path, tmp_path: Path, content: bytes | None
    ) -> None:
        if content is not None:
            (tmp_path / "p.png").write_bytes(content)
        with pytest.raises(InputError, match=r"p\.png: (the picture cannot|expected a picture)"):
            rlattn.push_to_hub(folder, NAME, picture=tmp_path / "p.png")
        assert not hub.calls

    def test_what_was_changed_on_the_hub_is_refused(self, hub: Hub, folder: Path) -> None:
        rlattn.push_to_hub(folder, NAME)
        with (hub.folder / NAME / "main" / "policy.safetensors").open("r+b") as file:
            file.seek(-1, 2)
            file.write(b"\x7f")
        with pytest.raises(InputError, match=rf"^{NAME}: a damaged policy folder: .*was changed"):
            rlattn.load(NAME)

    def test_a_repository_of_something_else_is_refused(self, hub: Hub) -> None:
        (hub.folder / NAME / "main").mkdir(parents=True)
        with pytest.raises(InputError, match=rf"^{NAME}: not a policy folder: policy\.json is"):
            rlattn.load(NAME)

    def test_what_is_not_there_is_refused(self, hub: Hub, folder: Path) -> None:
        with pytest.raises(InputError, match="no such folder here, and no such policy on the hub"):
            rlattn.load("no-one/no-policy")
        rlattn.push_to_hub(folder, NAME)
        with pytest.raises(InputError, match="no revision 'v9' of it on the hub"):
            rlattn.load(NAME, revision="v9")

    def test_without_a_network_the_error_says_so(self) -> None:
        # The client itself, which the tests keep offline.
        with pytest.raises(InputError, match=r"^no-one/no-policy: .*hub cannot be reached[^\n]*$"):
            rlattn.load("no-one/no-policy")

    @pytest.mark.parametrize(
        ("error", "message"),
        [
            (refusal(GatedRepoError), "has to let you in.* hf auth login"),
            (refusal(LocalEntryNotFoundError), "cannot be reached"),
            (ConnectionError("gone"), "cannot be reached"),
            (RuntimeError("a teapot\nshort and stout"), "the hub does not do it: a teapot"),
            (RuntimeError(), "the hub does not do it: RuntimeError"),
        ],
    )
    def test_what_the_client_raises_becomes_one_line(
        self,
        hub: Hub,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        error: Exception,
        message: str,
    ) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise error

        monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", refuse)
        monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
        for call in (lambda: rlattn.push_to_hub(folder, NAME), lambda: rlattn.load(NAME)):
            with pytest.raises(InputError, match=rf"^{NAME}: [^\n]*{message}[^\n]*$"):
                call()


class TestProgram:
    def call(self, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
        monkeypatch.setattr(sys, "argv", ["push", *map(str, arguments)])
        import_module("rlattn.push").main()

    def test_it_pushes_and_prints_the_address(
        self,
        hub: Hub,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.call(monkeypatch, "--policy", folder, "--repo", NAME, "--private", "--license", "mit")
        assert capsys.readouterr().out == f"https://huggingface.co/{NAME}\n"
        assert hub.calls[0]["private"] is True
        assert rlattn.load(NAME).training == TRAINING

    def test_bad_input_is_one_line(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as end:
            self.call(monkeypatch, "--policy", folder, "--repo", "nowhere")
        assert end.value.code == 2
        assert capsys.readouterr().err.startswith("error: nowhere: expected a name on the hub")
