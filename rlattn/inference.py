"""A trained policy at work: loaded from a folder, steering `model.generate()`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import PreTrainedModel

from rlattn.errors import InputError, SteeringError
from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.fingerprint import fingerprint
from rlattn.hosts.seq2seq import pad
from rlattn.observation import Observation, Observer, compact
from rlattn.policy import AttentionPolicy, PolicyConfig
from rlattn.steering import Steering

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
        with _steered(model, self.policy.to(device), trace) as record:
            yield record


@dataclass
class Trace:
    """What was read during one or more calls of `generate()`; the last call's rows are kept.

    Attributes:
        reads_fraction: Mean over the steps of each target of open over valid positions, ``[rows]``.
        attention: With `trace`, the attention of each step, ``[rows, source]``.
        opened: With `trace`, the positions of each step that an action left open, bool,
            ``[rows, source]``.
    """

    reads_fraction: Tensor = field(default_factory=lambda: torch.zeros(0))
    attention: list[Tensor] = field(default_factory=list)
    opened: list[Tensor] = field(default_factory=list)


@contextmanager
def native(model: PreTrainedModel) -> Iterator[Trace]:
    """Watches where a model looks of its own accord; yields what `steer(trace=True)` does."""
    with _steered(model, None, True) as record:
        yield record


@contextmanager
def _steered(
    model: PreTrainedModel, policy: AttentionPolicy | None, trace: bool
) -> Iterator[Trace]:
    session = _Session(model, policy, trace)
    encoder: nn.Module = model.get_encoder()
    hooks = (
        encoder.register_forward_pre_hook(session.encoding, with_kwargs=True),
        model.register_forward_pre_hook(session.before, with_kwargs=True),
        session.decoder.register_forward_hook(session.caught),
        model.register_forward_hook(session.after),
    )
    try:
        with session.steering:
            yield session.record
    finally:
        for hook in hooks:
            hook.remove()


class _Session:
    """Follows `generate()` step by step with the same observations as the environments."""

    def __init__(self, model: PreTrainedModel, policy: AttentionPolicy | None, trace: bool) -> None:
        self.record = Trace()
        self.steering = Steering(model, record=True)
        self._policy, self._trace = policy, trace
        # Without the language-model head that some decoders have inside.
        decoder: PreTrainedModel = model.get_decoder()  # type: ignore[no-untyped-call]
        self.decoder = decoder.base_model
        self._embed: nn.Embedding = decoder.get_input_embeddings()  # type: ignore[assignment]
        ends = model.generation_config.eos_token_id
        self._ends = torch.tensor(ends if isinstance(ends, list) else [ends], device=model.device)
        self._hidden: Tensor | None = None
        self._encoded: Tensor | None = None

    def encoding(self, encoder: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Notes the tokens of the source."""
        self._encoded = kwargs.get("input_ids", args[0] if args else None)

    @torch.no_grad()
    def before(self, model: PreTrainedModel, args: Any, kwargs: dict[str, Any]) -> None:
        """Decides on the allocation of the coming step."""
        fed, cache = kwargs.get("decoder_input_ids"), kwargs.get("past_key_values")
        if fed is None or cache is None or fed.shape[1] != 1:
            raise SteeringError(
                "a policy follows decoding one token at a time: use generate() with use_cache=True "
                "and without decoder_input_ids"
            )
        if cache.get_seq_length() == 0:
            cache.reorder_cache = _refuse_beams
            self._begin(kwargs["encoder_outputs"][0], kwargs.get("attention_mask"))
        token = fed[:, 0]
        if self._steps.max() > 0:
            self._live &= ~torch.isin(token, self._ends)
        if self._policy is None:
            self._reads += self._live
            return
        seen = self._observer.view(self._mask)
        embedded = self._embed(token).float()
        observation = Observation(memory=self._memory, token=embedded, source=self._source, **seen)
        action = self._policy.act(observation)
        family = self._policy.family.on(observation.before)
        action = family.nearest(action)
        self.steering.allocation = family.allocation(action, self._mask)
        reads = family.reads(action, self._mask) / self._mask.sum(-1)
        self._reads += torch.where(self._live, reads, 0.0)
        if self._trace:
            self.record.opened.append(family.opened(action, self._mask))

    def _begin(self, memory: Tensor, mask: Tensor | None) -> None:
        rows, width = memory.shape[:2]
        self._mask = (
            torch.ones(rows, width, dtype=torch.bool, device=memory.device)
            if mask is None
            else mask.bool()
        )
        self._memory = compact(memory[self._mask])
        self._source = self._tokens()
        self._observer = Observer(rows, width, self._embed.weight.shape[1], memory.device)
        self._live = torch.ones(rows, dtype=torch.bool, device=memory.device)
        self._reads = torch.zeros(rows, device=memory.device)
        self._steps = torch.zeros(rows, device=memory.device)
        self.record.attention.clear()
        self.record.opened.clear()

    def _tokens(self) -> Tensor | None:
        """What was encoded last, if the policy asks for it; none of it serves twice."""
        tokens, self._encoded = self._encoded, None
        if self._policy is None or not self._policy.family.reads_tokens:
            return None
        if tokens is None or tokens.shape != self._mask.shape:
            raise SteeringError(
                f"actions of {self._policy.family.name} depend on the tokens of the source: give "
                "generate() input_ids, not encoder_outputs or inputs_embeds"
            )
        return tokens

    def caught(self, decoder: Any, args: Any, output: Any) -> None:
        """Keeps the decoder's last hidden state."""
        self._hidden = output[0][:, -1]

    def after(self, model: PreTrainedModel, args: Any, output: Any) -> None:
        """Takes in what the step produced."""
        assert self._hidden is not None
        assert self.steering.attention is not None
        attention = self.steering.attention[:, -1]
        self._observer.record(self._hidden, attention)
        self._steps += self._live
        self.record.reads_fraction = self._reads / self._steps
        if self._trace:
            self.record.attention.append(attention)


def _refuse_beams(beams: Tensor) -> None:
    # Beam search exchanges rows between steps, and what is remembered of them would stay behind.
    raise SteeringError("a policy cannot follow beam search: use generate() with num_beams=1")


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


@dataclass(frozen=True)
class Translations:
    """What a host wrote for some sentences.

    Attributes:
        texts: The translations, in the order of the sentences.
        reads_fraction: For each sentence, the mean over its steps of open over valid positions.
        truncated: How many sentences were longer than allowed, and cut.
    """

    texts: list[str]
    reads_fraction: list[float]
    truncated: int


@torch.no_grad()
def translate(
    host: Seq2SeqHost,
    sentences: Sequence[str],
    policy: TrainedPolicy | None = None,
    *,
    max_source: int = 64,
    max_target: int = 64,
    batch: int = 64,
) -> Translations:
    """Translates sentences greedily with `generate()`, under a policy or natively.

    Args:
        host: The frozen translator.
        sentences: In the source language.
        policy: What steers it; None for native attention.
        max_source: Longer sources are cut, in tokens.
        max_target: The most tokens to write.
        batch: How many sentences are written at once.
    """
    sources = host.tokenize(sentences, max_source)
    # Sentences of like length together: a batch is as slow as its longest.
    order = sorted(range(len(sentences)), key=lambda i: len(sources.ids[i]))
    texts, reads = [""] * len(sentences), [1.0] * len(sentences)
    for start in range(0, len(order), batch):
        here = order[start : start + batch]
        ids, mask = (t.to(host.device) for t in pad([sources.ids[i] for i in here], host.pad_token))
        settings: dict[str, Any] = {
            "input_ids": ids,
            "attention_mask": mask.long(),
            "max_new_tokens": max_target,
            "num_beams": 1,
            "do_sample": False,
        }
        if policy is None:
            written, fractions = host.model.generate(**settings), [1.0] * len(here)
        else:
            with policy.steer(host.model) as trace:
                written = host.model.generate(**settings)
            fractions = trace.reads_fraction.tolist()
        for i, text, fraction in zip(
            here, host.detokenize(written.tolist()), fractions, strict=True
        ):
            texts[i], reads[i] = text, fraction
    return Translations(texts, reads, sources.truncated)
