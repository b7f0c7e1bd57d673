"""A Markdown page of sentences as the native attention and the policy write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rlattn.markdown import escape_markdown
from rlattn.storage.files import write_file


@dataclass(frozen=True)
class Sample:
    """One test sentence, both outputs, and the fraction of the source that the policy read."""

    source: str
    reference: str
    native: str
    policy: str
    reads_fraction: float


def write_samples(path: Path, samples: Sequence[Sample]) -> None:
    """Writes one small table per sample; text shows as it is, whatever marks it holds.

    Args:
        path: The Markdown file to write.
        samples: What to show, in this order.
    """
    parts = ["# Samples\n"]
    for number, sample in enumerate(samples, start=1):
        parts.append(
            f"## {number}\n\n"
            "| | |\n"
            "| --- | --- |\n"
            f"| source | {escape_markdown(sample.source)} |\n"
            f"| reference | {escape_markdown(sample.reference)} |\n"
            f"| native | {escape_markdown(sample.native)} |\n"
            f"| policy, {sample.reads_fraction:.0%} reads | {escape_markdown(sample.policy)} |\n"
        )
    write_file(path, "\n".join(parts))
