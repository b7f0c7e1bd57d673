"""Hosts whose linear layers compute in int8: smaller, and without a gradient."""

from __future__ import annotations

import copy
from typing import Any

from torch import nn

from rlattn.errors import InputError
from rlattn.hosts.seq2seq import Seq2SeqHost

INT8 = "int8:"
"""Before the name of a host: its linear layers are quantised."""


def quantised(host: Seq2SeqHost) -> Seq2SeqHost:
    """A host with the same weights, those of linear layers rounded to int8.

    Each row of a weight has a scale of its own, and so has, while it is computed, each row that a
    layer is given (torchao's dynamic quantisation): what a layer makes of a lane depends on no
    other lane. But rounding turns a difference in the seventh digit into one in the third, so that
    lanes, batches and `generate()` agree less closely than in float32. Embeddings and norms stay as
    they are.

    Args:
        host: Is left as it is.

    Returns:
        Another host, with a fingerprint of its own. It runs forward as any other does; a gradient
        through it is refused with an InputError.

    Raises:
        InputError: If torchao is not installed.
    """
    try:
        from torchao.quantization import Int8DynamicActivationInt8WeightConfig, quantize_
    except ImportError as error:
        raise InputError(
            f"host {host.name} in int8 needs torchao: pip install 'rlattn[int8]'"
        ) from error
    model = copy.deepcopy(host.model)
    quantize_(model, Int8DynamicActivationInt8WeightConfig())
    name = f"{INT8}{host.name}"

    def refuse(module: nn.Module, args: tuple[Any, ...]) -> None:
        # Rounding would let nothing through, and a learner would not be told.
        if args[0].requires_grad:
            raise InputError(
                f"host {name} gives no gradient, for its weights are int8: learn by RL, or take "
                f"the host that it was made of, {host.name}"
            )

    for module in model.modules():
        if isinstance(module, nn.Linear):
            module.register_forward_pre_hook(refuse)
    return Seq2SeqHost(model, host.tokenizer, name)
