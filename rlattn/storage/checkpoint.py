"""Checkpoints: a state in two files, safetensors and JSON, that are whole or are not used.

``00004096.json`` holds what JSON can hold, says where tensors belong, and has the digests of both
files; ``00004096.safetensors`` holds the tensors. The JSON is written last: without it there is no
checkpoint. No code is run when they are read.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from rlattn.errors import InputError, explained
from rlattn.storage.files import make_folder, write_file
from rlattn.storage.folders import file_in, read_bytes
from rlattn.storage.jsonfiles import read_object
from rlattn.storage.state import State

FORMAT = 1
"""Version of what the files hold."""

_MOST = 2**32
"""How many bytes each of the files may have."""

_TENSOR, _FLOAT = "$tensor", "$float"


def write_checkpoint(folder: Path, step: int, state: State, *, keep: int = 2) -> Path:
    """Writes a checkpoint; when this returns it is on the disk, and older ones are gone.

    Args:
        folder: Of the checkpoints and nothing else; it is made.
        step: By how much the training has come along; names the checkpoint.
        state: What to write, see `rlattn.storage.state`.
        keep: How many checkpoints stay, this one among them.

    Returns:
        Its JSON file.

    Raises:
        OutputError: If it cannot be written; then the others stay.
        TypeError: If a part of the state has no place in a checkpoint.
    """
    tensors: dict[str, Tensor] = {}
    body = {"format": FORMAT, "state": _encoded(state, "", tensors)}
    content = save(tensors)
    body["tensors_sha256"] = hashlib.sha256(content).hexdigest()
    path = folder / f"{step:08d}.json"
    make_folder(folder)
    write_file(path.with_suffix(".safetensors"), content)
    write_file(path, json.dumps({**body, "sha256": _digest(body)}))
    # Later ones are of before the training went back to an earlier one.
    stays = [each.stem for each in find_checkpoints(folder) if int(each.stem) <= step][:keep]
    for old in sorted(folder.iterdir()):  # of each checkpoint the JSON goes first
        if old.stem not in stays:
            old.unlink()
    return path


def find_checkpoints(folder: Path) -> list[Path]:
    """The JSON files of all checkpoints in a folder, the newest first."""
    found = [path for path in folder.glob("*.json") if path.stem.isdigit()]
    return sorted(found, key=lambda path: int(path.stem), reverse=True)


def newest_state(folder: Path, say: Callable[[str], object]) -> tuple[Path, State] | None:
    """Reads the newest checkpoint that is whole.

    Args:
        folder: Of the checkpoints.
        say: Is told of each one that is not.

    Returns:
        Its JSON file and its state; None where there is no checkpoint at all.

    Raises:
        InputError: If there are checkpoints, and none of them is whole.
    """
    found = find_checkpoints(folder)
    for path in found:
        try:
            return path, read_checkpoint(path)
        except InputError as error:
            say(f"{error}: it is not used")
    if found:
        raise InputError(
            f"{folder}: none of the checkpoints can be used; to begin the run again from its "
            "start, remove this folder"
        )
    return None


def read_checkpoint(path: Path) -> State:
    """Reads a checkpoint.

    Args:
        path: Its JSON file.

    Returns:
        What was written, tensors on the devices where they were.

    Raises:
        InputError: If a file is missing or damaged, or of another format.
    """
    with explained(f"the checkpoint {path} is damaged"):
        body = read_object(file_in(path.parent, path.name), _MOST)
        content = read_bytes(file_in(path.parent, f"{path.stem}.safetensors"), _MOST)
    if body.get("format") != FORMAT:
        raise InputError(
            f"the checkpoint {path} is not of format {FORMAT}: it was written by another version "
            "of rlattn, or is no checkpoint"
        )
    digest = body.pop("sha256", None)
    found = hashlib.sha256(content).hexdigest()
    if digest != _digest(body) or body.get("tensors_sha256") != found:
        raise InputError(f"the checkpoint {path} is damaged (its digests do not fit)")
    try:
        state: State = _decoded(body["state"], load(content))
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"the checkpoint {path} is damaged ({error})") from error
    return state


def _digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _encoded(value: Any, where: str, tensors: dict[str, Tensor]) -> Any:
    """A value as JSON; its tensors are named after their places and put aside."""
    if isinstance(value, Tensor | np.ndarray | np.generic):
        device = str(value.device) if isinstance(value, Tensor) else "numpy"
        tensor = value if isinstance(value, Tensor) else torch.from_numpy(np.array(value))
        # A copy: what shares memory, or has gaps in it, could not be saved.
        tensors[where] = tensor.detach().to("cpu", copy=True).contiguous()
        return {_TENSOR: where, "device": device}
    if isinstance(value, dict):
        return {str(k): _encoded(v, f"{where}/{k}", tensors) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_encoded(each, f"{where}/{i}", tensors) for i, each in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        return {_FLOAT: str(value)}
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"{where} is a {type(value).__name__}, which a checkpoint cannot hold")


def _decoded(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_decoded(each, tensors) for each in value]
    if not isinstance(value, dict):
        return value
    if _FLOAT in value:
        return float(value[_FLOAT])
    if _TENSOR in value:
        tensor, device = tensors[value[_TENSOR]], value["device"]
        # Of an array without axes this is the number.
        return tensor.numpy()[()] if device == "numpy" else tensor.to(device)
    return {name: _decoded(each, tensors) for name, each in value.items()}
