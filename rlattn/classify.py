"""Label lines of text under a trained policy: from a file or standard input, to the other.

What comes out has a line for each line: the label, its probability and the share of the text that
was read, with tabs between them; --rationales adds what was read, --format jsonl tells all, and
--html shows it on a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from rlattn.console.cli import (
    Maybe,
    Modules,
    check_counts,
    check_device,
    find_classifier_policy,
    import_modules,
    run_program,
)
from rlattn.console.filters import LineFilter
from rlattn.console.options import check_types
from rlattn.console.streams import in_one_line, json_line, open_new
from rlattn.hosts import Host
from rlattn.hosts.pieces import pieces
from rlattn.inference import Readings
from rlattn.plots import ReadingsPage

_GAP = " … "


@dataclass(frozen=True)
class Config:
    """What to label, with which policy.

    Attributes:
        policy: The `policy` folder of a run; or the name of a policy on the Hugging Face hub, as in
            someone/a-policy.
        input: A UTF-8 text file, one text a line; by default standard input.
        output: The file for the labels, which must be new; by default standard output.
        format: With `tsv`, label, probability and share that was read, in columns; with `jsonl`, an
            object for each text, which has the probabilities of all labels, the text in tokens, and
            for each token the step that opened it, 0 where none did.
        rationales: Whether `tsv` has one more column for what was read, with … between parts that
            do not touch.
        html: A page of the texts with what was read of them marked by the step that opened it, a
            file that must be new; by default there is no page.
        host: The host that the policy was trained on; by default where that run found it.
        max_source: Longest text in tokens; longer ones are cut and counted.
        batch_size: How many texts are labelled together.
        device: Where host and policy run: `cpu` or `cuda`.
        imports: Python modules to import first, such as the one that registers the policy's action
            family.
    """

    policy: str
    input: Maybe[Path] = None
    output: Maybe[Path] = None
    format: Literal["tsv", "jsonl"] = "tsv"
    rationales: bool = False
    html: Maybe[Path] = None
    host: Maybe[str] = None
    max_source: int = 256
    batch_size: int = 64
    device: str = "cpu"
    imports: Modules = ()


def run(config: Config) -> None:
    """Labels line by line, a few batches in memory at a time; empty lines stay empty.

    Files that are written are whole or not there: after an error their names are free again.

    Raises:
        InputError: If the policy, its host or a file cannot be used.
    """
    check_types(config)
    check_counts(config, "max_source", "batch_size")
    check_device(config.device)
    import_modules(config.imports)
    policy, host = find_classifier_policy(config.policy, config.host, config.device)
    limit = min(config.max_source, host.max_source or config.max_source)
    with ExitStack() as files:
        lines = LineFilter(config.input, config.output, 16 * config.batch_size, "texts", files)
        page = None
        if config.html is not None:
            assert policy.reading is not None
            file = open_new(config.html, files)
            page = files.enter_context(ReadingsPage(file, host, policy.reading.steps))
        for chunk in lines:
            texts = list(chunk.texts.values())
            readings = policy.classify(texts, host, max_source=limit, batch=config.batch_size)
            results = [_line(config, host, readings, text) for text in range(len(texts))]
            lines.write(chunk, results, readings.reads_fraction, readings.truncated)
            if page is not None:
                page.add(readings, [f"line {number}" for number in chunk.texts])
    lines.summarise(limit)


def _line(config: Config, host: Host, readings: Readings, text: int) -> str:
    """What is written of a text."""
    if config.format == "jsonl":
        return _object(host, readings, text)
    columns = [
        in_one_line(readings.labels[text]),
        f"{readings.probabilities[text].max():.4f}",
        f"{readings.reads_fraction[text]:.4f}",
    ]
    if config.rationales:
        columns.append(_rationale(host, readings.tokens[text], readings.opened[text]))
    return "\t".join(columns)


def _rationale(host: Host, tokens: Sequence[int], opened: Sequence[int]) -> str:
    """What was read of a text, in one line."""
    shown = zip(pieces(host, tokens), opened, strict=True)
    runs = groupby(shown, key=lambda piece: piece[1] > 0)
    parts = ["".join(piece for piece, _ in run) for was_read, run in runs if was_read]
    return _GAP.join(filter(None, map(in_one_line, parts)))


def _object(host: Host, readings: Readings, text: int) -> str:
    """Everything that is known of a text, as JSON."""
    probabilities = zip(readings.names, readings.probabilities[text].tolist(), strict=True)
    return json_line(
        {
            "label": readings.labels[text],
            "probabilities": {name: float(f"{number:.6g}") for name, number in probabilities},
            "reads_fraction": float(f"{readings.reads_fraction[text]:.6g}"),
            "tokens": pieces(host, readings.tokens[text]),
            "opened": readings.opened[text],
        }
    )


def main() -> None:
    """Runs from the command line; bad input prints one line and exits with 2."""
    run_program("rlattn.classify", __doc__, Config, run)


if __name__ == "__main__":
    main()
