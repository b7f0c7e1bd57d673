"""What a gate would bring back that knew which part of a noisy source is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rlattn.corpora import NoisyPair, Pair
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.seq2seq import pad
from rlattn.inference import Trace, Translations
from rlattn.inference.order import by_length
from rlattn.inference.translation import in_batches
from rlattn.steering import Allocation, steer


@torch.no_grad()
def translate_by_oracle_gate(
    host: Seq2SeqHost,
    pairs: Sequence[Pair],
    *,
    max_source: int = 128,
    max_target: int = 64,
    batch: int = 64,
) -> Translations:
    """Translates noisy sources with a gate open on the part that is asked for.

    The gate is the same at all steps, layers and heads. The last token stays open, too: it is the
    end of the sequence, on which attention rests when it has nothing to read. Encoding is not
    steered: what the other sentence left in the memory of this one stays there.

    Args:
        host: The frozen translator.
        pairs: Pairs of a noisy corpus, each of which says what is asked for.
        max_source: Longer sources are cut, in tokens.
        max_target: The most tokens to write.
        batch: How many sentences are written at once.

    Raises:
        InputError: If a pair does not say which part of its source is asked for.
    """
    texts, asked = [pair.source for pair in pairs], [asked_in(pair) for pair in pairs]
    sources = host.tokenize(texts, max_source)
    opened = [
        np.append(tokens[: len(row) - 1], True)
        for row, tokens in zip(sources.ids, tokens_in(host, texts, asked), strict=True)
    ]

    def write(here: Sequence[int]) -> tuple[Tensor, Trace]:
        gates = [opened[i] for i in here]
        written = _write(host, [sources.ids[i] for i in here], gates, max_target)
        return written, Trace(torch.tensor([float(gate.mean()) for gate in gates]))

    return in_batches(host, sources, by_length(sources, batch), write)


def asked_in(pair: Pair) -> slice:
    """Which characters of a noisy pair's source are asked for.

    Raises:
        InputError: If the pair does not say.
    """
    if not isinstance(pair, NoisyPair):
        raise InputError(
            f"{pair.source!r} does not say which part of it is asked for: expected a pair of a "
            "noisy corpus, see rlattn.corpora.noisy_corpus"
        )
    return pair.asked


def _write(
    host: Seq2SeqHost, rows: list[list[int]], opened: list[np.ndarray], max_target: int
) -> Tensor:
    ids, mask = (t.to(host.device) for t in pad(rows, host.pad_token))
    gate, _ = pad([row.astype(int).tolist() for row in opened], 0)
    with steer(host.model, Allocation("gate", gate.bool().to(host.device))):
        written: Tensor = host.model.generate(
            input_ids=ids,
            attention_mask=mask.long(),
            max_new_tokens=max_target,
            num_beams=1,
            do_sample=False,
        )
    return written


def tokens_in(host: Seq2SeqHost, texts: Sequence[str], spans: Sequence[slice]) -> list[np.ndarray]:
    """Which tokens of some texts hold any of the given characters.

    Args:
        host: Its tokenizer is asked.
        texts: Source sentences.
        spans: Characters of each, at least one.

    Returns:
        True at such tokens, for each text ``[tokens]``, before any is cut to a limit.
    """
    if host.tokenizer.is_fast:
        found = host.tokenizer(list(texts), return_offsets_mapping=True).offset_mapping
        return [
            np.array([start < span.stop and end > span.start for start, end in offsets])
            for offsets, span in zip(found, spans, strict=True)
        ]
    return [_by_parts(host, text, span) for text, span in zip(texts, spans, strict=True)]


def _by_parts(host: Seq2SeqHost, text: str, span: slice) -> np.ndarray:
    """As `tokens_in`, for tokenizers that do not say where their tokens stand."""

    def count(part: str) -> int:
        return len(host.tokenizer(part, add_special_tokens=False).input_ids) if part else 0

    ids = host.tokenizer(text).input_ids
    special = host.tokenizer.get_special_tokens_mask(ids, already_has_special_tokens=True)
    places = np.flatnonzero(np.asarray(special) == 0)
    found = np.zeros(len(ids), bool)
    found[places[count(text[: span.start].rstrip()) : count(text[: span.stop])]] = True
    return found
