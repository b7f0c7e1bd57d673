"""Translating as near to the reference as attention alone can be made to."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rlattn.agents.oracle.search import Search, batches
from rlattn.corpora import Pair
from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.seq2seq import pad
from rlattn.inference import Trace, Translations
from rlattn.inference.translation import in_batches


def translate_by_oracle(
    host: Seq2SeqHost,
    pairs: Sequence[Pair],
    *,
    boosts: Sequence[float] = (3.0,),
    max_source: int = 64,
    max_target: int = 64,
    lanes: int = 512,
    trace: bool = False,
) -> Translations:
    """Translates as near to the reference as changes of attention at single positions bring it.

    While what was written is the reference's beginning, attention is native where the host writes
    the reference's next token of its own accord. Elsewhere a change under which it writes it is
    kept, and of several the one under which it is likeliest. Where there is none, that of all
    changes is kept, and from then on attention is native. So what is a reference natively stays
    one.

    The score of these translations is what a greedy search reaches with the reference as oracle.
    Other allocations, or other wordings than the reference's, may score higher; and no policy sees
    the reference.

    Args:
        host: The frozen translator.
        pairs: Sentences with their references; a source of S tokens takes ``1 + S * (1 + boosts)``
            lanes.
        boosts: Biases in nats that are tried on each position, beside all attention on it.
        max_source: Longer sources are cut, in tokens.
        max_target: The most tokens to write; longer references are cut.
        lanes: How many changes to try in one forward; each holds its own past and source.
        trace: Whether to keep where the host looked, for pictures.

    Returns:
        What was written; under all attention on one position, that one alone is read.

    Raises:
        InputError: If a boost is not a finite number.
    """
    sources = host.tokenize([pair.source for pair in pairs], max_source)
    targets = host.tokenize_target([pair.target for pair in pairs], max_target).ids

    def write(here: Sequence[int]) -> tuple[Tensor, Trace]:
        search = Search(host, [sources.ids[i] for i in here], boosts, max_target, record=trace)
        return _write(host, search, [targets[i] for i in here], max_target)

    return in_batches(host, sources, batches(sources.ids, boosts, lanes), write, trace=trace)


def _write(
    host: Seq2SeqHost, search: Search, references: list[list[int]], max_target: int
) -> tuple[Tensor, Trace]:
    """What is written for some sources, ``[rows, 1 + target]``, and what was read meanwhile."""
    wanted, _ = pad(references, host.pad_token)
    wanted = wanted.to(host.device)
    tokens = torch.full_like(wanted[:, 0], host.start_token)
    ends = torch.tensor(host.eos_tokens, device=host.device)
    live = torch.ones_like(tokens, dtype=torch.bool)
    along = live  # what was written is the reference's beginning
    steps, read = torch.zeros_like(tokens), torch.zeros_like(tokens)
    record, written = Trace(), [tokens]
    for step in range(max_target):
        # A reference ends with the end token: nothing goes on along it beyond its last column.
        asked = wanted[:, min(step, wanted.shape[1] - 1)]
        search.drop(live, along)
        found = search.step(tokens, asked, along, write=True)
        steps, read = steps + live, read + found.opened.sum(-1) * live
        if found.attention is not None:
            record.attention.append(found.attention)
            record.opened.append(found.opened)
        tokens = torch.where(live, found.token, host.pad_token)
        written.append(tokens)
        live = live & ~torch.isin(tokens, ends)
        along = along & live & (tokens == asked)
        if not live.any():
            break
    record.reads_fraction = read.double() / (steps * search.mask.sum(-1))
    return torch.stack(written, dim=1), record
