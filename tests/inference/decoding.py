"""Hypotheses, and what they score when they are written again, alone and token by token."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import transformers
from torch import Tensor

from rlattn.hosts import Seq2SeqHost
from tests.hosts.tiny import CONFIGS, EOS, PAD, TARGET, tiny_host, tokenizer

FAMILIES = ["Marian", "T5", "M2M100", "Whisper"]
LENGTHS = (7, 3, 5)


@cache
def host_of(family: str) -> Seq2SeqHost:
    """A tiny host in double precision, where no tie is broken by rounding; tests leave it be."""
    if family in CONFIGS:
        host = tiny_host(family)
    else:
        sounds = {"num_mel_bins": 4, "max_source_positions": 7, "begin_suppress_tokens": None}
        settings = {**CONFIGS["Bart"], **(sounds if family == "Whisper" else {})}
        with torch.random.fork_rng():
            torch.manual_seed(3)
            config = getattr(transformers, f"{family}Config")(**settings)
            model = getattr(transformers, f"{family}ForConditionalGeneration")(config)
        words = model.get_output_embeddings().weight.data
        words /= words.norm(dim=1, keepdim=True)
        words[EOS] *= 2
        words[PAD] = 0
        host = Seq2SeqHost(model, tokenizer(), f"tiny-{family}")
    host.model.double().generation_config.max_length = None
    return host


def inputs(host: Seq2SeqHost, seed: int = 0) -> dict[str, Tensor]:
    """Three sources of different lengths, or of one where sounds are read."""
    generator = torch.Generator().manual_seed(seed)
    config = host.model.config
    if hasattr(config, "num_mel_bins"):
        shape = (3, config.num_mel_bins, 2 * config.max_source_positions)
        return {"input_features": torch.randn(shape, generator=generator).double()}
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    words = torch.randint(3, 63, mask.shape, generator=generator).where(mask, 0)
    return {"input_ids": words, "attention_mask": mask.long()}


def write(host: Seq2SeqHost, source: dict[str, Tensor], **settings: Any) -> Any:
    """What `generate()` returns, with the logits of every step."""
    settings = {"max_new_tokens": TARGET, "num_beams": 1, "do_sample": False, **settings}
    return host.model.generate(
        **source, **settings, return_dict_in_generate=True, output_logits=True, output_scores=True
    )


def row(source: dict[str, Tensor], index: int) -> dict[str, Tensor]:
    """One source without its padding."""
    alone = {name: rows[index : index + 1] for name, rows in source.items()}
    if "attention_mask" not in alone:
        return alone
    valid = alone["attention_mask"][0].bool()
    return {name: rows[:, valid] for name, rows in alone.items()}


def written(host: Seq2SeqHost, sequence: Tensor, prompt: int = 1) -> list[int]:
    """The tokens after the prompt, up to and with the end."""
    tokens = sequence[prompt:].tolist()
    return tokens[: tokens.index(EOS) + 1] if EOS in tokens else tokens


def rescored(host: Seq2SeqHost, source: dict[str, Tensor], tokens: list[int]) -> float:
    """The log-probability of tokens, each forced in its turn, of one source."""

    def forced(_: int, sofar: Tensor) -> list[int]:
        return [tokens[len(sofar) - 1]]

    output = write(host, source, prefix_allowed_tokens_fn=forced, max_new_tokens=len(tokens))
    assert output.sequences[0, 1:].tolist() == tokens
    steps = (logits[0].double().log_softmax(-1) for logits in output.logits)
    return sum(float(step[token]) for step, token in zip(steps, tokens, strict=True))
