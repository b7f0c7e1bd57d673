"""Which files of two runs are equal, to the bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from rlattn.reproduce.sameness import Verdict, compare_folders

RESULTS = {
    "policy": {"bleu": 39.5, "texts": ["ba", "be"]},
    "training_seconds": 1.5,
    "valid": {"curve": [{"env_steps": 64, "spent": {"seconds": 0.5, "forwards": 70}}]},
}


def leave(folder: Path, results: Any = RESULTS, weights: Any = (0.0, 1.0), rows: str = "") -> Path:
    """A folder such as a run leaves."""
    (folder / "policy").mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(results))
    (folder / "progress.csv").write_text(rows or "time/fps,valid/bleu\n64.5,39.5\n")
    (folder / "samples.md").write_text("ba")
    (folder / "events.out.tfevents.1").write_text(str(folder))
    save_file({"weight": torch.tensor(weights)}, folder / "policy" / "policy.safetensors")
    return folder


def differing(first: Path, second: Path, **options: Any) -> list[str]:
    """A line for each file that differs."""
    verdicts = compare_folders(first, second, **{"timed": False, **options})
    return [f"{each.name}: {each.why}" for each in verdicts if each.state == "differs"]


def test_a_folder_equals_itself(tmp_path: Path) -> None:
    folder = leave(tmp_path / "one")
    assert compare_folders(folder, folder, timed=False) == [
        Verdict(
            "events.out.tfevents.1",
            "left out",
            "tells of clocks; the numbers are those of progress.csv",
        ),
        Verdict("policy/policy.safetensors", "equal"),
        Verdict("progress.csv", "equal"),
        Verdict("results.json", "equal"),
        Verdict("samples.md", "equal"),
    ]


def test_clocks_are_no_difference(tmp_path: Path) -> None:
    later = json.loads(json.dumps(RESULTS).replace("1.5", "2.5").replace("0.5", "3"))
    one = leave(tmp_path / "one")
    other = leave(tmp_path / "other", later, rows="time/fps,valid/bleu\n12.5,39.5\n")
    assert differing(one, other) == []


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"policy": {"bleu": 39.5000001, "texts": ["ba", "be"]}}, "policy: bleu: 39.5 and 39.5"),
        ({"policy": {"bleu": 39.5, "texts": ["ba", "bo"]}}, 'policy: texts[1]: "be" and "bo"'),
        ({"policy": {"bleu": 39.5, "texts": ["ba"]}}, "policy: texts: 2 and 1 entries"),
        ({"policy": None}, 'policy: {"bleu": 39.5'),
        ({"more": True}, "more is in the second one only"),
        ({"policy": {"bleu": 1, "texts": []}}, "policy: bleu: 39.5 and 1, and 1 more"),
    ],
)
def test_the_first_difference_in_values_is_told(
    changed: dict[str, Any], line: str, tmp_path: Path
) -> None:
    one, other = leave(tmp_path / "one"), leave(tmp_path / "other", RESULTS | changed)
    (found,) = differing(one, other)
    assert found.startswith(f"results.json: {line}")


@pytest.mark.parametrize("weights", [(-0.0, 1.0), (0.0, 1.0 + 2**-23), (0.0,), (0, 1)])
def test_tensors_are_equal_to_the_bit_or_not(weights: tuple[float, ...], tmp_path: Path) -> None:
    one, other = leave(tmp_path / "one"), leave(tmp_path / "other", weights=weights)
    assert differing(one, other) == ["policy/policy.safetensors: weight: other bits"]


def test_other_files_are_equal_byte_by_byte(tmp_path: Path) -> None:
    one, other = leave(tmp_path / "one"), leave(tmp_path / "other")
    (other / "samples.md").write_text("be")
    (one / "curves.png").write_bytes(b"\x89PNG")
    assert differing(one, other) == [
        "curves.png: is not in the second folder",
        "samples.md: other bytes",
    ]
    assert differing(one, other, timed=True) == ["samples.md: other bytes"]
    assert differing(one, other, timed=True, belongs=lambda name: name != "samples.md") == []
