"""Lessons of tiny sentences along any targets."""

from __future__ import annotations

from rlattn.agents.lessons import Lesson, make_lesson
from rlattn.hosts import Seq2SeqHost
from tests.hosts.tiny import SOURCE, TARGET, sentences

TEXTS = sentences(6, seed=4)


def along(host: Seq2SeqHost, texts: list[str], targets: list[list[int]]) -> Lesson:
    sources = host.tokenize(texts, SOURCE).ids
    return make_lesson(host, host.encode(sources), sources, targets)


def references(host: Seq2SeqHost) -> list[list[int]]:
    return host.tokenize_target(sentences(len(TEXTS), seed=5), TARGET).ids
