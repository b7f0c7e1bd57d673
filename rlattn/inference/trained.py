"""A trained policy: a folder, and what steers the host that it was trained on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel

from rlattn.errors import InputError
from rlattn.hosts.fingerprint import fingerprint
from rlattn.inference.session import Trace, steered
from rlattn.policy import AttentionPolicy, PolicyConfig

_FORMAT = 1


class TrainedPolicy:
    """An attention policy and the host that it was trained on.

    Args:
        policy: The network and its action family.
        host_name: What the host was called.
        host_fingerprint: The digest of its weights.
    """

    def __init__(self, policy: AttentionPolicy, host_name: str, host_fingerprint: str) -> None:
        self.policy = policy.eval().requires_grad_(False)
        self.host_name, self.host_fingerprint = host_name, host_fingerprint

    def save(self, folder: str | Path) -> None:
        """Writes ``policy.json`` and ``policy.safetensors`` into a folder, which is made."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        weights = {key: value.cpu() for key, value in self.policy.state_dict().items()}
        save_file(weights, folder / "policy.safetensors")
        card = {
            "format": _FORMAT,
            "host": {"name": self.host_name, "fingerprint": self.host_fingerprint},
            "policy": asdict(self.policy.config),
        }
        (folder / "policy.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")

    def check(self, model: PreTrainedModel) -> None:
        """Makes sure that a model is the host that the policy was trained on.

        Raises:
            InputError: If it is another.
        """
        found = fingerprint(model)
        if found != self.host_fingerprint:
            raise InputError(
                f"this policy was trained on host {self.host_name} "
                f"({self.host_fingerprint[:12]}), not on {model.name_or_path or 'this model'} "
                f"({found[:12]}): load that host, or train a policy for this one"
            )

    @contextmanager
    def steer(self, model: PreTrainedModel, trace: bool = False) -> Iterator[Trace]:
        """Lets the policy decide where a model looks, in greedy `model.generate()`.

        Args:
            model: The host that the policy was trained on.
            trace: Whether to keep the attention of every step, for pictures.

        Yields:
            What was read, filled while the model writes.

        Raises:
            InputError: If the model is not the policy's host.
            UnsupportedModelError: If its cross-attention cannot be steered.
            SteeringError: If it is being steered already, or decodes in a way that the policy
                cannot follow.
        """
        self.check(model)
        device = next(model.parameters()).device
        with steered(model, self.policy.to(device), trace) as record:
            yield record


def load(folder: str | Path) -> TrainedPolicy:
    """Loads a policy that a run left behind, without executing code from it.

    Args:
        folder: The run's ``policy`` folder.

    Raises:
        InputError: If the folder is not a policy, or is damaged.
    """
    folder = Path(folder)
    for name in ("policy.json", "policy.safetensors"):
        if not (folder / name).is_file():
            raise InputError(f"{folder}: not a policy folder: {name} is missing")
    try:
        card = json.loads((folder / "policy.json").read_text(encoding="utf-8"))
        if card["format"] != _FORMAT:
            raise InputError(f"{folder}: policy format {card['format']}, expected {_FORMAT}")
        policy = AttentionPolicy(PolicyConfig(**card["policy"]))
        policy.load_state_dict(load_file(folder / "policy.safetensors"))
        return TrainedPolicy(policy, card["host"]["name"], card["host"]["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        if isinstance(error, InputError):
            raise
        reason = str(error).splitlines()[0]
        raise InputError(f"{folder}: a damaged policy folder ({reason})") from error
