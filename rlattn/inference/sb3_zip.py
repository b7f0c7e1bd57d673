"""Policies out of zips of Stable-Baselines3, of which nothing is unpickled but plain tensors."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rlattn.errors import InputError, explained
from rlattn.hosts import Seq2SeqHost
from rlattn.inference.trained import TrainedPolicy
from rlattn.policy import AttentionPolicy, PolicyConfig
from rlattn.storage.fields import read
from rlattn.storage.folders import opened
from rlattn.storage.jsonfiles import parse_object
from rlattn.storage.tensorfiles import Form, all_finite

_SETTINGS, _WEIGHTS = "data", "policy.pth"
_MOST = 2**28
"""The most bytes of either, unpacked."""

_PART = "attention."
"""What the names of our network's weights begin with in the policy of Stable-Baselines3."""

_KNOWN = ("action", "d_model", "width")


def import_sb3(path: str | Path, host: Seq2SeqHost, *, unsafe: bool = False) -> TrainedPolicy:
    """The policy in a zip that ``PPO.save`` wrote, to be saved as a folder.

    Such a zip is made of pickles, which can run code when they are read. As little of them is read
    as can be: settings that are plain JSON, and the policy's weights by PyTorch's unpickler for
    tensors (``weights_only``). The optimiser, the schedule and everything else stay unread. Nothing
    is unpacked onto the disk.

    Args:
        path: The zip.
        host: The translator that the policy was trained on; the zip does not say which that was.
        unsafe: Must be True: says that you trust whoever made the zip.

    Raises:
        InputError: If `unsafe` is not True, the zip is none of such a PPO, or its policy is for
            another host.
    """
    if unsafe is not True:
        raise InputError(
            f"{path}: a zip of Stable-Baselines3 holds pickles, which can run code when they are "
            "read: if you trust whoever made it, say unsafe=True; better ask for a policy's folder"
        )
    with explained(str(path)), opened(Path(path)) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                settings = _content(archive, _SETTINGS).decode()
                weights = _content(archive, _WEIGHTS)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, UnicodeError) as error:
            raise InputError(f"not a zip that can be read ({error})") from error
        network = AttentionPolicy(_config(settings, host))
        network.load_state_dict(_tensors(weights, network))
    return TrainedPolicy(network, host.name, host.fingerprint)


def _content(archive: zipfile.ZipFile, name: str) -> bytes:
    """A file of an archive, whose size is known before it is unpacked."""
    if name not in archive.namelist():
        raise InputError(f"{name} is missing: expected a zip that PPO.save wrote")
    if (size := archive.getinfo(name).file_size) > _MOST:
        raise InputError(f"{name}: found {size:,} bytes, expected at most {_MOST:,}")
    with archive.open(name) as file:
        return file.read(_MOST)


def _config(text: str, host: Seq2SeqHost) -> PolicyConfig:
    given = parse_object(text, _SETTINGS).get("policy_kwargs")
    fields = given if isinstance(given, dict) else {}
    known = {name: fields[name] for name in _KNOWN if name in fields}
    config = read(PolicyConfig, {"d_state": host.d_state, **known}, f"{_SETTINGS}: policy_kwargs")
    if config.d_model != host.d_model or not 1 <= config.width <= 2**16:
        raise InputError(
            f"{_SETTINGS}: policy_kwargs: found d_model {config.d_model} and width {config.width}; "
            f"the host {host.name} has d_model {host.d_model}"
        )
    with torch.device("meta"):
        network = AttentionPolicy(config)
    if sum(Form.of(tensor).bytes for tensor in network.state_dict().values()) > _MOST:
        raise InputError(f"{_SETTINGS}: policy_kwargs: width {config.width} is too large")
    return config


def _tensors(content: bytes, network: AttentionPolicy) -> dict[str, Tensor]:
    """The weights of a network, once it is known that they are these."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        if any(each.file_size > each.compress_size for each in archive.infolist()):
            raise InputError(f"{_WEIGHTS} is packed, as PyTorch never does")
    try:
        found: Any = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # what it holds is not only tensors, or nothing whole
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{_WEIGHTS} is refused ({reason})") from error
    if not isinstance(found, dict):
        raise InputError(f"{_WEIGHTS}: found no tensors by name")
    expected = {f"{_PART}{name}": Form.of(each) for name, each in network.state_dict().items()}
    for name, form in expected.items():
        tensor = found.get(name)
        if not isinstance(tensor, Tensor) or Form.of(tensor) != form:
            said = "missing" if not isinstance(tensor, Tensor) else str(Form.of(tensor))
            raise InputError(f"{_WEIGHTS}: the tensor {name!r} is {said}, expected {form}")
        if not all_finite(tensor):
            raise InputError(f"{_WEIGHTS}: the tensor {name!r} holds numbers that are not finite")
    return {name.removeprefix(_PART): found[name] for name in expected}
