"""Finding a host by name: a hub id, a local folder, the embedded one, or one that is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoModelForSeq2SeqLM

from rlattn.checks import check_path
from rlattn.corpora import ParallelCorpus
from rlattn.errors import InputError
from rlattn.hosts.builtin import BuiltinConfig, builtin_host, embedded_host
from rlattn.hosts.int8 import INT8, quantised
from rlattn.hosts.names import placed
from rlattn.hosts.pretrained import pretrained
from rlattn.hosts.seq2seq import Seq2SeqHost
from rlattn.hosts.settings import with_budget

_WORDS = ("builtin", "builtin:", "embedded", INT8)


def load_host(
    name: str | Path,
    device: str | torch.device = "cpu",
    corpus: Callable[[], ParallelCorpus] | None = None,
) -> Seq2SeqHost:
    """Loads a host in float32 from a local folder or, failing that, from the Hugging Face hub.

    Weights are read from safetensors alone, and no code of the folder or the hub is run. For older
    weights the error says how they are converted.

    Args:
        name: A folder with ``config.json``, weights and tokenizer; a hub id such as
            ``Helsinki-NLP/opus-mt-de-en``; ``embedded`` for the one that ships with rlattn; or
            ``builtin`` for a small one that is trained on `corpus` first and kept in the cache,
            for so long as suits the corpus, or as ``builtin:300steps`` or ``builtin:5min`` say;
            with ``int8:`` before any of these, `quantised`. These words win over folders of the
            same name: one that is called ``builtin`` is ``./builtin``, or a `Path`.
        device: Where the weights go.
        corpus: Gives what ``builtin`` is trained on.

    Returns:
        The frozen host. If it is from a folder, its name is the path from the root.

    Raises:
        InputError: If there is no such host, or it cannot be read.
        UnsupportedModelError: If it is not an encoder-decoder.
    """
    check_path(name)
    name = placed(name, _WORDS)
    if name.startswith(INT8):
        return quantised(load_host(name.removeprefix(INT8), device, corpus))
    kind, _, rest = name.partition(":")
    if kind == "builtin":
        if corpus is None:
            raise InputError(f"host {name} is trained on a corpus, and none was given")
        pairs = corpus()
        config = with_budget(BuiltinConfig.for_corpus(pairs), rest)
        return load_host(builtin_host(pairs, config, device=device), device)
    embedded = name == "embedded"
    model, tokenizer = pretrained(
        AutoModelForSeq2SeqLM,
        embedded_host() if embedded else name,
        f"host {name}",
        installed=embedded,
    )
    return Seq2SeqHost(model.to(torch.device(device)), tokenizer, name)
