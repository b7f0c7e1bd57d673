"""How what runs made of the test sentences is scored and told of, for one kind of host."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from rlattn.experiments.compare.rows import Outputs, Row
from rlattn.experiments.compare.significance import Pair
from rlattn.experiments.compare.tasks import Task

AnyRow = TypeVar("AnyRow", bound=Row)
AnyPair = TypeVar("AnyPair", bound=Pair)


class Judge(ABC, Generic[AnyRow, AnyPair]):
    """Scores outputs, tests them against each other, and says what tables hold.

    Attributes:
        quality: What points of learning curves call the quality.
        name: What tables and pictures call it.
        unit: What a difference of it is in.
        headings: Of the columns of its other scores; names alone, all to the right.
        pair_headings: Of the columns that tests of one method against another have beside the
            quality and p.
        notes: How to read a page; with a place for the number of ``{sentences}``.
    """

    quality: str
    name: str
    unit: str
    headings: tuple[str, ...]
    pair_headings: tuple[str, ...]
    notes: str

    @abstractmethod
    def summarise(self, outputs: Sequence[Outputs], references: Sequence[str]) -> list[AnyRow]:
        """A row for each method on each task with at least one finished run.

        Args:
            outputs: What came of the test sentences.
            references: Their references or labels.
        """

    @abstractmethod
    def pairs(
        self, outputs: Sequence[Outputs], task: Task, references: Sequence[str]
    ) -> list[AnyPair]:
        """Tests methods on a task against each other."""

    @abstractmethod
    def tested(self, test: Mapping[str, Any], references: Sequence[str]) -> dict[str, Any]:
        """What ``results.json`` says of a run's test."""

    @abstractmethod
    def median_seed(self, each: Outputs, references: Sequence[str]) -> int:
        """Which of a method's runs has the median quality."""

    @abstractmethod
    def signatures(self) -> dict[str, str]:
        """What makes the scores reproducible."""

    @abstractmethod
    def cells(self, row: AnyRow) -> list[str]:
        """A row's other scores."""

    @abstractmethod
    def pair_cells(self, pair: AnyPair) -> list[str]:
        """What else is known of a test."""
