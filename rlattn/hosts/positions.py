"""Where a decoder gets its positions from, so that each lane can stand at its own."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from transformers.modeling_outputs import BaseModelOutput

from rlattn.errors import UnsupportedModelError
from rlattn.hosts.seq2seq import Seq2SeqHost


def position_embedding(decoder: torch.nn.Module) -> torch.nn.Module | None:
    """The module that embeds a decoder's absolute positions, or None where there is none."""
    modules: list[tuple[str, torch.nn.Module]] = list(decoder.named_modules())
    for name in ("embed_positions", "position_embeddings", "wpe"):
        for path, module in modules:
            if path.rsplit(".", 1)[-1] == name:
                return module
    return None


_tables: WeakKeyDictionary[Seq2SeqHost, dict[tuple[int, torch.device], Tensor | None]] = (
    WeakKeyDictionary()
)


def known_table(host: Seq2SeqHost, length: int) -> Tensor | None:
    """What `position_table` gives, made once for each host, length and device."""
    # A table costs a forward, and decoders are made often: one for each batch that is read ahead.
    known = _tables.setdefault(host, {})
    if (length, host.device) not in known:
        known[length, host.device] = position_table(host, length)
    return known[length, host.device]


@torch.inference_mode()
def position_table(host: Seq2SeqHost, length: int) -> Tensor | None:
    """What a host adds to its target embeddings at each position, ``[length, d_state]``.

    Returns:
        The table, or None for a host whose decoder knows relative positions only.

    Raises:
        UnsupportedModelError: If target positions are embedded, but not one vector each.
    """
    decoder = host.model.get_decoder()
    embedding = position_embedding(decoder)
    if embedding is None:
        return None
    seen: list[Tensor] = []
    hook = embedding.register_forward_hook(lambda _m, _a, out: seen.append(out))
    token = (host.pad_token + 1) % host.vocabulary
    try:
        memory = torch.zeros(1, 1, host.d_model, device=host.device, dtype=host.dtype)
        host.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=memory),
            decoder_input_ids=torch.full((1, length), token, device=host.device),
        )
    except (IndexError, RuntimeError) as error:
        raise UnsupportedModelError(
            f"{host.name}: its decoder cannot write {length} tokens ({error})"
        ) from error
    finally:
        hook.remove()
    table = seen[0].reshape(-1, seen[0].shape[-1]) if seen else torch.empty(0, 0)
    if table.shape != (length, host.d_state):
        raise UnsupportedModelError(
            f"{host.name} ({type(host.model).__name__}): the positions of its decoder cannot be "
            "set for each lane on its own"
        )
    return table
