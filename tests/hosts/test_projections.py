"""The cross-attention's caches are the decoder's own, whoever computes them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.projections import CrossProjections
from tests.hosts.tiny import SOURCE, sentences


def test_the_decoder_is_needed_once(
    each_host: Seq2SeqHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(each_host.__dict__, "_cross_projections", raising=False)
    first, second = (each_host.tokenize(sentences(6, seed=s), SOURCE).ids for s in (0, 1))
    learned = each_host.encode(first)
    calls: list[object] = []
    hook = each_host.model.get_decoder().register_forward_hook(lambda *call: calls.append(call))
    again, other = each_host.encode(first), each_host.encode(second)
    hook.remove()
    assert not calls
    assert torch.allclose(again.cross, learned.cross, atol=1e-6)
    monkeypatch.delitem(each_host.__dict__, "_cross_projections")
    assert torch.allclose(each_host.encode(second).cross, other.cross, atol=1e-6)


def test_where_the_modules_alone_give_something_else_the_decoder_stays_in_use() -> None:
    decoder = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4))
    calls: list[Tensor] = []

    def decode(memory: Tensor) -> list[Tensor]:
        calls.append(memory)
        keys, values = (module(memory)[:, None] for module in decoder)
        return [2 * keys, values]  # one head, and keys that the module alone does not give

    project = CrossProjections(decoder)
    for count in (1, 2, 3):
        memory = torch.randn(2, 3, 4)
        cross = project(memory, lambda memory=memory: decode(memory))
        assert torch.equal(cross, torch.stack(decode(memory)))
        assert len(calls) == 2 * count
