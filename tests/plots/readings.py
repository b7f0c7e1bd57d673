"""Readings that are made up, a host that works on bytes, and pages taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser

import numpy as np

from rlattn.hosts import Host
from rlattn.hosts.classifier import SequenceClassifierHost
from rlattn.hosts.tokenizer import train_tokenizer
from rlattn.inference.readings import Readings
from tests.hosts.classifier.small import LABELS, small_model

_KNOWN = ["a film of great joy", "été naïve “so” 今日は"] * 3
_VOID = {"meta", "input"}


def byte_host(name: str = "bytes") -> SequenceClassifierHost:
    """Its tokens are bytes, and what a few texts let it merge of them."""
    tokenizer = train_tokenizer(_KNOWN, 320, 64, frame="</s> $A")
    model = small_model(vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id)
    return SequenceClassifierHost(model, tokenizer, name, LABELS)


def some_steps(ids: Sequence[int], seed: int, share: float = 0.5) -> list[int]:
    """For each token a step of 1 to 4; 0 for about as many as are not in the share."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(ids)) < share, rng.integers(1, 5, len(ids)), 0).tolist()


def readings(
    host: Host, texts: Sequence[str], labels: Sequence[str], names: Sequence[str] = LABELS
) -> Readings:
    """What a host could have made of texts: the labels given, at random probabilities."""
    rng, rows = np.random.default_rng(0), host.tokenize(texts, 64)
    opened = [some_steps(ids, seed) for seed, ids in enumerate(rows.ids)]
    return Readings(
        names=tuple(names),
        labels=list(labels),
        probabilities=rng.dirichlet(np.ones(len(names)), len(texts)).astype(np.float32),
        tokens=rows.ids,
        opened=opened,
        reads_fraction=[float(np.mean(np.array(steps) > 0)) for steps in opened],
        truncated=rows.truncated,
    )


class Shown(HTMLParser):
    """A page, or a part of one, taken apart; every element must be closed where it should be.

    Attributes:
        names: The elements, in order.
        attributes: Theirs.
        cards: The text of each ``section``.
        marks: Of each ``p`` of class ``text``, or of all there is, the characters of the text, each
            with the number of the mark that it is in, or 0.
        tokens: Likewise the tokens that stand by their names.
        numbers: The ``sup`` of each mark, with the mark's step.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[dict[str, str | None]] = []
        self.cards: list[str] = []
        self.marks: list[list[tuple[str, int]]] = [[]]
        self.tokens: list[list[tuple[str, int]]] = [[]]
        self.numbers: list[tuple[int, int]] = []
        self._inside: list[str] = []
        self._step = 0
        self.feed(page)
        self.close()
        assert self._inside == []

    @property
    def texts(self) -> list[str]:
        return ["".join(character for character, _ in text) for text in self.marks]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.names.append(tag)
        self.attributes.append(given)
        if tag not in _VOID:
            self._inside.append(tag)
        if tag == "section":
            self.cards.append("")
        if given.get("class") == "text":
            self.marks.append([])
            self.tokens.append([])
        if tag == "mark":
            self._step = int(str(given["style"]).removeprefix("--step:"))

    def handle_endtag(self, tag: str) -> None:
        assert self._inside.pop() == tag
        if tag == "mark":
            self._step = 0

    def handle_data(self, data: str) -> None:
        inside = self._inside[-1:]
        if "section" in self._inside:
            self.cards[-1] += data
        if inside == ["sup"]:
            self.numbers.append((int(data), self._step))
        elif inside == ["i"]:
            self.tokens[-1].append((data, self._step))
        elif inside in (["p"], ["mark"]) or "html" not in self.names:
            self.marks[-1] += [(character, self._step) for character in data]
