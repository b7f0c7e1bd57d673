"""Loading a model of Hugging Face, or saying in one line why it cannot be loaded."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoTokenizer

from rlattn.errors import InputError
from rlattn.hosts.quiet import without_progress_bars


def pretrained(
    kind: Any,
    place: str | Path,
    what: str,
    *,
    unused: str | None = None,
    use_safetensors: bool | None = None,
) -> tuple[Any, Any]:
    """Loads a model in float32, and its tokenizer; no code of a hub is run.

    Args:
        kind: One of transformers' Auto classes for models.
        place: A folder with ``config.json``, weights and tokenizer, or a hub id.
        what: What is loaded, for messages.
        unused: What the names of weights begin with that may be missing.
        use_safetensors: Whether weights may be in safetensors alone; None for any file that
            transformers reads.

    Returns:
        Model and tokenizer.

    Raises:
        InputError: If there is no such model, or it cannot be read.
    """
    if Path(place).exists() and not (Path(place) / "config.json").is_file():
        raise InputError(f"{what}: expected a folder with a config.json in it")
    try:
        with without_progress_bars():
            model, found = kind.from_pretrained(
                place,
                dtype=torch.float32,
                output_loading_info=True,
                use_safetensors=use_safetensors,
                trust_remote_code=False,
            )
            tokenizer = AutoTokenizer.from_pretrained(place, trust_remote_code=False)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        logging.getLogger(__name__).debug("loading %s failed", place, exc_info=True)
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"{what}: neither a local folder nor a hub model that can be loaded ({reason})"
        ) from error
    missing = [key for key in found["missing_keys"] if not (unused and key.startswith(unused))]
    if missing:
        raise InputError(
            f"{what}: {len(missing)} of its weights are missing, such as {min(missing)}; "
            "a host needs all of them"
        )
    return model, tokenizer
