"""What is said when a family breaks its word: cheap enough to look once in a run."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box
from torch import Tensor

from rlattn.errors import ContractError


def check_in_space(spec: str, space: gymnasium.Space[Any], action: Tensor, where: str = "") -> None:
    """Makes sure that what was drawn are actions of a space.

    A box is clipped by whoever trains, so that values outside of it are no mistake.

    Args:
        spec: The family, for the message.
        space: Of one lane.
        action: ``[lanes, size]``.
        where: Under which circumstances, for the message.

    Raises:
        ContractError: If they are not; shows one.
    """
    rows = action.detach().cpu().numpy()
    assert space.shape is not None
    if rows.shape[1:] != (int(np.prod(space.shape)),):
        raise ContractError(
            f"the action {spec!r}: a draw has shape {list(rows.shape)}: expected "
            f"[{len(rows)}, {int(np.prod(space.shape))}], for its space is {space}"
        )
    if not np.isfinite(rows).all():
        raise ContractError(
            f"the action {spec!r}: a draw holds {rows[~np.isfinite(rows)][0]}{where}"
        )
    if isinstance(space, Box):
        return
    for row in rows.reshape(len(rows), *space.shape):
        whole = row.astype(space.dtype)
        point = whole if space.shape else whole.item()
        if not np.array_equal(whole, row) or not space.contains(point):
            raise ContractError(
                f"the action {spec!r}: a draw leaves its space: {row.tolist()} is not in {space}"
            )


def check_opened(spec: str, opened: Tensor, mask: Tensor) -> None:
    """Makes sure that what a family opens are valid positions, at least one in every lane.

    Args:
        spec: The family, for the message.
        opened: What it gave.
        mask: True at real source tokens, ``[lanes, source]``.

    Raises:
        ContractError: If they are not; says what it gave instead.
    """
    if not isinstance(opened, Tensor):
        raise ContractError(
            f"the action {spec!r}: opened gave a {type(opened).__name__}: expected a bool tensor "
            f"{list(mask.shape)}, as the mask"
        )
    if opened.dtype != torch.bool or opened.shape != mask.shape or opened.device != mask.device:
        raise ContractError(
            f"the action {spec!r}: opened gave {opened.dtype} {list(opened.shape)} on "
            f"{opened.device}: expected torch.bool {list(mask.shape)} on {mask.device}, as the mask"
        )
    if (opened & ~mask).any():
        raise ContractError(f"the action {spec!r} opens padding: give `opened & mask`")
    if not opened.any(-1).all():
        raise ContractError(
            f"the action {spec!r} opens nothing in some lane: whatever the action, at least one "
            "valid position must stay open"
        )
