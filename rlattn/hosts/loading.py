"""Finding a host by name: a hub id, a local folder, or the embedded one."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from rlattn.errors import InputError
from rlattn.hosts.builtin import embedded_host
from rlattn.hosts.quiet import without_progress_bars
from rlattn.hosts.seq2seq import Seq2SeqHost


def load_host(name: str | Path, device: str | torch.device = "cpu") -> Seq2SeqHost:
    """Loads a host in float32 from a local folder or, failing that, from the Hugging Face hub.

    Args:
        name: A folder with ``config.json``, weights and tokenizer, a hub id such as
            ``Helsinki-NLP/opus-mt-de-en``, or ``embedded`` for the one that ships with rlattn.
        device: Where the weights go.

    Returns:
        The frozen host.

    Raises:
        InputError: If there is no such host, or it cannot be read.
        UnsupportedModelError: If it is not an encoder-decoder.
    """
    place = embedded_host() if name == "embedded" else name
    if Path(place).exists() and not (Path(place) / "config.json").is_file():
        raise InputError(f"host {name}: expected a folder with a config.json in it")
    try:
        with without_progress_bars():
            model, found = AutoModelForSeq2SeqLM.from_pretrained(
                place, dtype=torch.float32, output_loading_info=True
            )
            tokenizer = AutoTokenizer.from_pretrained(place)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        logging.getLogger(__name__).debug("loading %s failed", name, exc_info=True)
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"host {name}: neither a local folder nor a hub model that can be loaded ({reason})"
        ) from error
    if found["missing_keys"]:
        raise InputError(
            f"host {name}: {len(found['missing_keys'])} of its weights are missing, such as "
            f"{min(found['missing_keys'])}; a translator needs all of them"
        )
    return Seq2SeqHost(model.to(torch.device(device)), tokenizer, str(name))
