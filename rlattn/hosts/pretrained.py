"""Loading a model of Hugging Face, or saying in one line why it cannot be loaded."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import huggingface_hub
import torch
from transformers import AutoTokenizer

from rlattn.errors import InputError, explained
from rlattn.hosts.quiet import without_progress_bars
from rlattn.hosts.vetting import vet
from rlattn.storage.tensorfiles import all_finite

_FILES = ["*.json", "*.txt", "*.model", "*.spm", "*.jinja", "model*.safetensors"]
"""What is fetched of a model on a hub: no code, and no weights that can hold code."""


def pretrained(
    kind: Any,
    place: str | Path,
    what: str,
    *,
    unused: str | None = None,
    installed: bool = False,
) -> tuple[Any, Any]:
    """Loads a model in float32, and its tokenizer: safetensors, JSON and text; no code is run.

    Args:
        kind: One of transformers' Auto classes for models.
        place: A folder with ``config.json``, weights and tokenizer, or a hub id.
        what: What is loaded, for messages.
        unused: What the names of weights begin with that may be missing.
        installed: Whether the folder came with a package, and needs no vetting; what installs
            packages may make it of links.

    Returns:
        Model and tokenizer.

    Raises:
        InputError: If there is no such model, or it cannot be read.
    """
    folder = Path(place)
    if folder.exists() and not (folder / "config.json").is_file():
        raise InputError(f"{what}: expected a folder with a config.json in it")
    try:
        with without_progress_bars():
            if not folder.exists():
                folder = _fetched(str(place))
            if not installed:
                with explained(what):
                    vet(folder, kind)
            model, found = kind.from_pretrained(
                folder,
                dtype=torch.float32,
                output_loading_info=True,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
            )
            tokenizer = AutoTokenizer.from_pretrained(
                folder, trust_remote_code=False, local_files_only=True
            )
    except InputError:
        raise
    except Exception as error:  # whatever a file of somebody's makes the libraries raise
        logging.getLogger(__name__).debug("loading a model failed", exc_info=True)
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"{what}: neither a local folder nor a hub model that can be loaded ({reason})"
        ) from error
    missing = [key for key in found["missing_keys"] if not (unused and key.startswith(unused))]
    if missing:
        raise InputError(
            f"{what}: {len(missing)} of its weights are missing, such as {min(missing)}; "
            "a host needs all of them"
        )
    for name, weight in model.named_parameters():
        if not all_finite(weight):
            raise InputError(f"{what}: the weight {name!r} holds numbers that are not finite")
    return model, tokenizer


def _fetched(name: str) -> Path:
    """The folder of the hub's cache that has a model's files, which are downloaded if need be."""
    return Path(
        huggingface_hub.snapshot_download(
            name, allow_patterns=_FILES, ignore_patterns=["*/*"], library_name="rlattn"
        )
    )
