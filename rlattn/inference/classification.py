"""Classification of whole lists of texts under a policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from rlattn.actions import Before
from rlattn.hosts.classifier import ClassifierHost, EncodedTexts
from rlattn.hosts.seq2seq import Tokenized, pad
from rlattn.inference.deciding import Decider
from rlattn.inference.order import by_length
from rlattn.inference.readings import Readings
from rlattn.observation import Observer, compact
from rlattn.policy import AttentionPolicy
from rlattn.reading import Reading, look
from rlattn.steering import Allocation


class _Read(NamedTuple):
    """What came of some texts.

    Attributes:
        logits: ``[rows, labels]``.
        opened: The step that opened each position, 0 where none did, ``[rows, source]``.
    """

    logits: Tensor
    opened: Tensor


@torch.no_grad()
def classify_texts(
    host: ClassifierHost[Any],
    texts: Sequence[str],
    policy: AttentionPolicy | None = None,
    reading: Reading | None = None,
    *,
    max_source: int,
    batch: int = 64,
) -> Readings:
    """Labels texts under a policy, which decides as greedily as in an environment; or natively.

    Args:
        host: The frozen classifier.
        texts: What to label.
        policy: What steers it, on the host's device; None for native attention, which reads all.
        reading: How texts are read, as the policy was trained; None without one.
        max_source: Longer texts are cut, in tokens.
        batch: How many texts are read at once.
    """

    def read(here: Sequence[int], rows: Sequence[Sequence[int]], encoded: EncodedTexts) -> _Read:
        if policy is None:
            return _Read(host.classify(encoded), encoded.mask.long())
        assert reading is not None
        return _read(host, encoded, rows, policy, reading)

    return _in_batches(host, host.tokenize(texts, max_source), read, batch)


@torch.no_grad()
def classify_parts(
    host: ClassifierHost[Any],
    sources: Tokenized,
    parts: Sequence[Sequence[int] | npt.NDArray[np.bool_]],
    *,
    batch: int = 64,
) -> Readings:
    """Labels texts from given tokens, all read at once.

    Args:
        host: The frozen classifier.
        sources: The texts.
        parts: For each of a text's tokens whether it is read: not 0 if it is.
        batch: How many texts are read at once.
    """

    def read(here: Sequence[int], rows: Sequence[Sequence[int]], encoded: EncodedTexts) -> _Read:
        opened = pad([np.not_equal(parts[i], 0).tolist() for i in here], 0)[0]
        gates = opened.bool().to(host.device)
        return _Read(host.classify(encoded, Allocation("gate", gates)), opened)

    return _in_batches(host, sources, read, batch)


@torch.no_grad()
def classify_under(
    host: ClassifierHost[Any],
    texts: Sequence[str],
    allocate: Callable[[EncodedTexts], Allocation],
    *,
    max_source: int,
    batch: int = 64,
) -> Readings:
    """Labels texts under one allocation each, which reads all of them.

    Args:
        host: The frozen classifier.
        texts: What to label.
        allocate: Gives the allocation of some texts.
        max_source: Longer texts are cut, in tokens.
        batch: How many texts are read at once.
    """

    def read(here: Sequence[int], rows: Sequence[Sequence[int]], encoded: EncodedTexts) -> _Read:
        return _Read(host.classify(encoded, allocate(encoded)), encoded.mask.long())

    return _in_batches(host, host.tokenize(texts, max_source), read, batch)


def _in_batches(
    host: ClassifierHost[Any],
    sources: Tokenized,
    read: Callable[[Sequence[int], Sequence[Sequence[int]], EncodedTexts], _Read],
    batch: int,
) -> Readings:
    """Reads texts of like length together, and puts what came of them into their order.

    Args:
        host: The frozen classifier.
        sources: The texts.
        read: Reads those of some indices, given their tokens and what the host keeps of them.
        batch: How many texts are read at once.
    """
    count = len(sources.ids)
    logits = torch.zeros(count, len(host.labels))
    opened: list[list[int]] = [[] for _ in range(count)]
    for here in by_length(sources, batch):
        rows = [sources.ids[i] for i in here]
        found = read(here, rows, host.encode(rows))
        logits[here] = found.logits.float().cpu()
        for i, row, steps in zip(here, rows, found.opened.tolist(), strict=True):
            opened[i] = steps[: len(row)]
    probabilities = logits.softmax(-1).numpy()
    return Readings(
        names=host.labels,
        labels=[host.labels[number] for number in probabilities.argmax(-1)],
        probabilities=probabilities,
        tokens=sources.ids,
        opened=opened,
        reads_fraction=[float(np.mean(np.array(steps) > 0)) for steps in opened],
        truncated=sources.truncated,
    )


def _read(
    host: ClassifierHost[Any],
    encoded: EncodedTexts,
    rows: Sequence[Sequence[int]],
    policy: AttentionPolicy,
    reading: Reading,
) -> _Read:
    """Reads some texts until none goes on."""
    mask = encoded.mask
    lanes, width = mask.shape
    labels = len(host.labels)
    observer = Observer(lanes, width, reading.d_state(labels), host.device)
    numbers = reading.numbers(labels).to(host.device)
    source = None
    if policy.family.reads_tokens:
        source = pad(rows, 0)[0].to(host.device)
    decider = Decider(policy, observer, compact(encoded.memory[mask]), mask, source)
    live = torch.ones(lanes, dtype=torch.bool, device=host.device)
    known, when = torch.zeros_like(mask), torch.zeros_like(mask, dtype=torch.long)
    logits = torch.zeros(lanes, labels, device=host.device)
    for step in range(1, reading.steps + 1):
        action = decider.action(numbers[step - 1].expand(lanes, -1), live)
        family = policy.family.on(Before(observer.attention, observer.coverage, source))
        action = family.nearest(action)
        opened = family.opened(action, mask) & live[:, None]
        seen = look(host, encoded, family.allocation(action, mask), opened, known, reading)
        observer.record(seen.state, seen.attention, seen.new.float())
        when[seen.new] = step
        known, logits = seen.known, torch.where(live[:, None], seen.logits, logits)
        live = live & ~seen.stopped
        if not bool(live.any()):
            break
    return _Read(logits, when)
