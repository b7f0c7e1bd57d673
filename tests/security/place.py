"""Where malicious artefacts are tried: good folders to spoil, a canary, and what lies outside."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pickle
import resource
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

ROOM = 2**29
"""Bytes of address space that reading an artefact may take; what the largest describe is more."""


@dataclass
class Place:
    """A folder to spoil, and what must stay as it is.

    Attributes:
        folder: A good artefact.
        canary: A file that hostile code would make.
        outside: A folder beside it, with a file of each kind that could be read.
    """

    folder: Path
    canary: Path
    outside: Path

    def pickle(self, name: str) -> None:
        """Puts a pickle that runs code into the place of a file."""
        (self.folder / name).write_bytes(pickle.dumps(Trap(self.canary)))

    def torch_save(self, name: str) -> None:
        """Puts a file of PyTorch's own format there, which holds such a pickle."""
        torch.save({"weight": torch.zeros(2), "trap": Trap(self.canary)}, self.folder / name)

    def module(self, name: str) -> None:
        """Puts a module there that runs code when it is imported."""
        (self.folder / f"{name}.py").write_text(f"open({str(self.canary)!r}, 'w').close()\n")

    def sparse(self, name: str, size: int, begin: bytes = b"{") -> None:
        """Puts a file of any size there, which is but a hole and takes no room."""
        with (self.folder / name).open("wb") as file:
            file.write(begin)
            file.truncate(size)

    def link_out(self, name: str) -> None:
        """Moves a file out of the folder, and leaves a link to it."""
        (self.folder / name).rename(self.outside / name)
        (self.folder / name).symlink_to(f"../outside/{name}")

    def change(self, name: str, **changes: Any) -> None:
        """Changes fields of a file of JSON; those of a policy's card with its digests."""
        data = json.loads((self.folder / name).read_text()) | changes
        if name == "policy.json":
            if "weights_sha256" not in changes:
                data["weights_sha256"] = self.digest("policy.safetensors")
            data.pop("card_sha256", None)
            text = json.dumps(data, sort_keys=True, separators=(",", ":"))
            data["card_sha256"] = _digest(text.encode())
        (self.folder / name).write_text(json.dumps(data))

    def digest(self, name: str) -> str:
        """The SHA-256 of a file."""
        return _digest((self.folder / name).read_bytes())

    def text(self, name: str, text: str) -> None:
        """Writes a file."""
        (self.folder / name).write_text(text)

    def header(self, file: str, tensor: str, **changes: Any) -> None:
        """Changes what the header of a file of safetensors says of a tensor."""
        content = (self.folder / file).read_bytes()
        begin = 8 + struct.unpack("<Q", content[:8])[0]
        header = json.loads(content[8:begin])
        entry = header.pop(tensor) | changes
        header[entry.pop("name", tensor)] = entry
        text = json.dumps(header).encode()
        changed = struct.pack("<Q", len(text)) + text + content[begin:]
        (self.folder / file).write_bytes(changed)


class Trap:
    """What makes the canary when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self._canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self._canary), "w")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


_watched: list[list[str]] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched and event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        _watched[-1].append(os.fsdecode(arguments[0]))


sys.addaudithook(_hook)


@contextlib.contextmanager
def watched() -> Iterator[list[str]]:
    """Yields the files that Python opens meanwhile."""
    _watched.append([])
    try:
        yield _watched[-1]
    finally:
        _watched.pop()


@contextlib.contextmanager
def little_memory() -> Iterator[None]:
    """Lets the process take no more than `ROOM` beside what it has: more is an error of its own."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
