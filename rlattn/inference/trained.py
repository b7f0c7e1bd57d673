"""A trained policy: a folder, and what steers the host that it was trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from rlattn.checks import check_path, check_whole
from rlattn.errors import InputError
from rlattn.hosts.classifier import ClassifierHost, load_classifier
from rlattn.hosts.fingerprint import fingerprint
from rlattn.inference.card import HostId
from rlattn.inference.classification import classify_texts
from rlattn.inference.folder import read_folder, write_folder
from rlattn.inference.hub import fetch, is_repo_id
from rlattn.inference.readings import Readings
from rlattn.inference.record import LabelScores, Scores, Training
from rlattn.inference.session import steered
from rlattn.inference.trace import Trace
from rlattn.policy import AttentionPolicy
from rlattn.reading import Reading


class TrainedPolicy:
    """An attention policy and the host that it was trained on.

    Args:
        policy: The network and its action family.
        host_name: What the host was called.
        host_fingerprint: The digest of its weights.
        training: How the policy came about, where that is known.
        scores: What was measured of it, if anything was.
        reading: How it reads texts, where the host is a classifier; None for a translator.
        labels: What the classifier tells apart, in the order of its logits, if that is known.
    """

    def __init__(
        self,
        policy: AttentionPolicy,
        host_name: str,
        host_fingerprint: str,
        training: Training | None = None,
        scores: Scores | LabelScores | None = None,
        reading: Reading | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        self.policy = policy.eval().requires_grad_(False)
        self.host_name, self.host_fingerprint = host_name, host_fingerprint
        self.training, self.scores, self.reading = training, scores, reading
        self.labels = None if labels is None else tuple(labels)
        self._host: ClassifierHost[Any] | None = None

    def save(self, folder: str | Path) -> None:
        """Writes ``policy.json`` and ``policy.safetensors`` into a folder, which is made.

        What acts comes back to the bit; the value network, which only training asks, in half
        precision. To go on training, save the PPO with its own ``save``.

        Raises:
            InputError: If the policy cannot be used, as where a weight is not finite.
            OutputError: If a file cannot be written.
        """
        host = HostId(self.host_name, self.host_fingerprint)
        known = (self.training, self.scores, self.reading, self.labels)
        write_folder(Path(folder), self.policy, host, *known)

    def check(self, model: nn.Module) -> None:
        """Makes sure that a model is the host that the policy was trained on.

        Raises:
            InputError: If it is another.
        """
        found = fingerprint(model)
        if found != self.host_fingerprint:
            raise InputError(
                f"this policy was trained on host {self.host_name} "
                f"({self.host_fingerprint[:12]}), not on {_name(model)} "
                f"({found[:12]}): load that host, or train a policy for this one"
            )

    @contextmanager
    def steer(self, model: PreTrainedModel, trace: bool = False) -> Iterator[Trace]:
        """Lets the policy decide where a model looks, in `model.generate()`.

        That may be greedy, sample, or search with beams. Modes that cannot be followed are refused
        by name.

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
        if self.reading is not None:
            raise InputError(
                "this policy reads texts for a classifier, and a classifier writes nothing: use "
                "policy.classify(texts)"
            )
        self.check(model)
        device = next(model.parameters()).device
        with steered(model, self.policy.to(device), trace) as record:
            yield record

    def classify(
        self,
        texts: Sequence[str],
        host: ClassifierHost[Any] | None = None,
        *,
        max_source: int = 256,
        batch: int = 64,
    ) -> Readings:
        """Labels texts, reading of each what the policy asks for.

        Args:
            texts: What to label.
            host: The classifier that the policy was trained on; None loads it from where that
                training found it, once, and with the names of its labels.
            max_source: Longer texts are cut, in tokens; as short as the host's positions reach.
            batch: How many texts are read at once.

        Returns:
            Labels, probabilities, and what was read in which order.

        Raises:
            InputError: If this is a policy for a translator, the host is another or cannot be
                had, a number is no whole number from 1 on, or something among the texts is none.
        """
        if self.reading is None:
            raise InputError(
                "this policy was trained on a translator, which labels nothing: use "
                "policy.steer(model), or a policy of rlattn.experiments.ppo_classify"
            )
        for name, number in (("max_source", max_source), ("batch", batch)):
            check_whole(name, number)
        if host is None:
            self._host = self._host or load_classifier(self.host_name, labels=self.labels)
            host = self._host
        self.check(host.model)
        if self.labels is not None and len(host.labels) != len(self.labels):
            raise InputError(
                f"this policy was trained on a host of {len(self.labels)} labels "
                f"({', '.join(self.labels)}), and {host.name} has {len(host.labels)} "
                f"({', '.join(host.labels)}): load the host that it was trained on"
            )
        limit = min(max_source, host.max_source or max_source)
        policy = self.policy.to(host.device)
        return classify_texts(host, texts, policy, self.reading, max_source=limit, batch=batch)


def _name(model: nn.Module) -> str:
    return getattr(model, "name_or_path", "") or "this model"


def load(
    name: str | Path, *, revision: str | None = None, token: str | None = None
) -> TrainedPolicy:
    """Loads a policy that a run left behind, or one on the Hugging Face Hub; runs no code of it.

    Args:
        name: The run's ``policy`` folder; or, where there is no such folder, the name of a policy
            on the hub, such as ``someone/a-policy``.
        revision: For the hub: a branch, tag or commit; by default the main branch.
        token: For the hub: who asks; by default who is logged in.

    Raises:
        InputError: If the folder is not a policy, or is damaged; or if it cannot be had.
    """
    local = check_path(name).exists() or not is_repo_id(name)
    if local and revision is not None:
        raise InputError(f"{name}: only a policy on the hub has revisions, and this is a folder")
    folder = Path(name) if local else fetch(str(name), revision, token)
    card, policy = read_folder(folder, str(name))
    known = (card.training, card.scores or card.label_scores, card.reading, card.labels)
    return TrainedPolicy(policy, card.host.name, card.host.fingerprint, *known)
