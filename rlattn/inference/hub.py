"""Policies on the Hugging Face Hub: fetched from there, and pushed to it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import huggingface_hub
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from rlattn.errors import InputError, explained
from rlattn.inference.folder import CARD, PICTURE, WEIGHTS, read_folder
from rlattn.inference.model_card import model_card
from rlattn.storage.folders import file_in, read_bytes

_PAGE = "README.md"
_LARGEST = 2**24
"""The most bytes of a page or a picture."""


def is_repo_id(name: object) -> bool:
    """Whether a name can be that of a policy on the hub, such as ``someone/a-policy``."""
    if not isinstance(name, str):
        return False
    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return "/" in name


def fetch(repo_id: str, revision: str | None = None, token: str | None = None) -> Path:
    """Downloads the two files of a policy, where they are not in the hub's cache already.

    Args:
        repo_id: Such as ``someone/a-policy``.
        revision: A branch, tag or commit; by default the main branch.
        token: For private policies; by default the one that is logged in.

    Returns:
        The folder in the cache that they are in.

    Raises:
        InputError: If there is no such repository or revision, or it cannot be reached.
    """
    with _explained(f"{repo_id}: no such folder here", revision):
        return Path(
            huggingface_hub.snapshot_download(
                repo_id,
                revision=revision,
                token=token,
                allow_patterns=[CARD, WEIGHTS],
                library_name="rlattn",
            )
        )


def push_to_hub(
    folder: str | Path,
    repo_id: str,
    *,
    private: bool = False,
    token: str | None = None,
    revision: str | None = None,
    picture: str | Path | None = None,
    license: str | None = None,
) -> str:
    """Puts a policy on the hub, with a page that shows its scores, its picture and how to use it.

    Everything in ``policy.json`` becomes public with it, the training's command line, too.

    Args:
        folder: A policy folder. A ``README.md`` in it is taken as the page.
        repo_id: Where to, such as ``someone/a-policy``; made if it is not there.
        private: Whether a repository that is made is private.
        token: By default the one that is logged in.
        revision: A branch, made if it is not there; by default the main one.
        picture: A PNG for the page; by default ``attention.png`` in the folder, if it is there.
        license: The identifier of the policy's licence, such as ``mit``, for the page.

    Returns:
        The address of the policy.

    Raises:
        InputError: If the folder is no policy, the picture none, or the hub refuses.
    """
    folder = Path(folder)
    card, _ = read_folder(folder)
    if not is_repo_id(repo_id):
        raise InputError(f"{repo_id}: expected a name on the hub, such as someone/a-policy")
    drawn = _picture(folder, picture)
    page = model_card(card, repo_id, picture=drawn is not None, license=license)
    if (folder / _PAGE).exists():
        page = _own(folder, _PAGE).decode("utf-8", errors="replace")
    with TemporaryDirectory() as staging:
        for name in (CARD, WEIGHTS):
            shutil.copyfile(folder / name, Path(staging, name))
        Path(staging, _PAGE).write_text(page, encoding="utf-8")
        if drawn is not None:
            Path(staging, PICTURE).write_bytes(drawn)
        return _upload(Path(staging), repo_id, private, token, revision)


def _upload(
    folder: Path, repo_id: str, private: bool, token: str | None, revision: str | None
) -> str:
    api = huggingface_hub.HfApi(token=token, library_name="rlattn")
    with _explained(f"{repo_id}: not pushed", revision):
        address = api.create_repo(repo_id, private=private, exist_ok=True)
        if revision is not None:
            api.create_branch(repo_id, branch=revision, exist_ok=True)
        message = "Upload policy"
        api.upload_folder(
            repo_id=repo_id, folder_path=folder, revision=revision, commit_message=message
        )
    return str(address)


def _picture(folder: Path, named: str | Path | None) -> bytes | None:
    """The picture that is named, or that of the folder if it has one."""
    if named is None and not (folder / PICTURE).exists():
        return None
    path = folder / PICTURE if named is None else Path(named)
    try:
        content = _own(folder, PICTURE) if named is None else path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: the picture cannot be read ({error.strerror})") from error
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        raise InputError(f"{path}: expected a picture in PNG")
    return content


def _own(folder: Path, name: str) -> bytes:
    """A file of the folder; what a link leads to elsewhere would become public with it."""
    with explained(str(folder)):
        return read_bytes(file_in(folder, name), _LARGEST)


@contextmanager
def _explained(what: str, revision: str | None) -> Iterator[None]:
    """Says in one line what the hub's client raises."""
    try:
        yield
    except GatedRepoError as error:
        problem = "who it belongs to has to let you in: ask at its page, then log in: hf auth login"
        raise InputError(f"{what}: {problem}") from error
    except RepositoryNotFoundError as error:
        raise InputError(
            f"{what}, and no such policy on the hub, or a private one: "
            "check the name, or log in: hf auth login"
        ) from error
    except RevisionNotFoundError as error:
        raise InputError(f"{what}, and no revision {revision!r} of it on the hub") from error
    except LocalTokenNotFoundError as error:
        raise InputError(f"{what}: the hub asks who you are; log in: hf auth login") from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, ConnectionError) as error:
        raise InputError(
            f"{what}, and the hub cannot be reached: connect, or unset HF_HUB_OFFLINE"
        ) from error
    except Exception as error:  # the client lets through what its transport raises
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{what}: the hub does not do it: {reason}") from error
