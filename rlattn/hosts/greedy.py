"""The host's own greedy output, as prefixes and native outputs are made of it."""

from __future__ import annotations

import torch
from torch import Tensor

from rlattn.hosts.lanes import LaneDecoder
from rlattn.hosts.seq2seq import Encoded, Seq2SeqHost
from rlattn.hosts.sources import LaneSources


def greedy(host: Seq2SeqHost, encoded: Encoded, max_target: int) -> tuple[list[list[int]], Tensor]:
    """The host's own greedy output for some sources.

    Args:
        host: The frozen model.
        encoded: The sources.
        max_target: The most tokens it may write.

    Returns:
        The token ids of each target, with its end token; and what the output layer was given for
        each of these tokens, target after target, ``[tokens, d_head]``.
    """
    decoder = LaneDecoder(host, LaneSources.of(encoded), max_target)
    count = len(encoded.mask)
    tokens = torch.full((count,), host.start_token, device=host.device)
    ends = torch.tensor(host.eos_tokens, device=host.device)
    rows = torch.arange(count, device=host.device)
    live = torch.ones_like(rows, dtype=torch.bool)
    owners, written, heads = [], [], []
    for step in range(max_target):
        if 2 * int(live.sum()) <= len(live):
            # Half of the lanes are done: go on with the others.
            decoder.keep(live.nonzero()[:, 0].cpu().numpy())
            tokens, rows, live = tokens[live], rows[live], live[live]
        output = decoder.step(tokens)
        first, last = (torch.full_like(live, step == t) for t in (0, max_target - 1))
        tokens = host.choose(output.logits, first, last)
        owners.append(rows[live])
        written.append(tokens[live])
        heads.append(output.head[live])
        live = live & ~torch.isin(tokens, ends)
        if not live.any():
            break
    owner, order = torch.cat(owners).sort(stable=True)
    lengths = torch.bincount(owner, minlength=count).tolist()
    targets = [row.tolist() for row in torch.split(torch.cat(written)[order], lengths)]
    return targets, torch.cat(heads)[order]
