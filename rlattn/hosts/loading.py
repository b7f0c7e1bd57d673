"""Finding a host by name: a hub id, a local folder, the embedded one, or one that is trained."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from rlattn.corpora import ParallelCorpus
from rlattn.errors import InputError
from rlattn.hosts.builtin import BuiltinConfig, builtin_host, embedded_host
from rlattn.hosts.int8 import INT8, quantised
from rlattn.hosts.quiet import without_progress_bars
from rlattn.hosts.seq2seq import Seq2SeqHost


def load_host(
    name: str | Path,
    device: str | torch.device = "cpu",
    corpus: Callable[[], ParallelCorpus] | None = None,
) -> Seq2SeqHost:
    """Loads a host in float32 from a local folder or, failing that, from the Hugging Face hub.

    Args:
        name: A folder with ``config.json``, weights and tokenizer; a hub id such as
            ``Helsinki-NLP/opus-mt-de-en``; ``embedded`` for the one that ships with rlattn; or
            ``builtin`` for a small one that is trained on `corpus` first and kept in the cache,
            for so long as suits the corpus, or as ``builtin:300steps`` or ``builtin:5min`` say;
            with ``int8:`` before any of these, `quantised`.
        device: Where the weights go.
        corpus: Gives what ``builtin`` is trained on.

    Returns:
        The frozen host.

    Raises:
        InputError: If there is no such host, or it cannot be read.
        UnsupportedModelError: If it is not an encoder-decoder.
    """
    if str(name).startswith(INT8):
        return quantised(load_host(str(name).removeprefix(INT8), device, corpus))
    kind, _, rest = str(name).partition(":")
    if kind == "builtin":
        if corpus is None:
            raise InputError(f"host {name} is trained on a corpus, and none was given")
        pairs = corpus()
        config = _budget(BuiltinConfig.for_corpus(pairs), rest)
        return load_host(builtin_host(pairs, config, device=device), device)
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


def _budget(config: BuiltinConfig, text: str) -> BuiltinConfig:
    """A configuration with the budget that stands behind ``builtin:``."""
    if not text:
        return config
    if not re.fullmatch(r"(\d+steps|\d+(?:\.\d+)?min)", text):
        raise InputError(
            f"host builtin:{text}: expected a budget such as builtin:300steps or builtin:5min"
        )
    if text.endswith("min"):
        return replace(config, max_minutes=float(text.removesuffix("min")))
    return replace(config, max_steps=int(text.removesuffix("steps")), max_minutes=None)
