"""What a comparison says of labels, against numbers that are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from rlattn.experiments.compare.labels.judge import LabelJudge, LabelRow
from rlattn.experiments.compare.labels.methods import LABEL_METHODS
from rlattn.experiments.compare.problems import CLASSIFICATION
from rlattn.experiments.compare.report import write_report
from rlattn.experiments.compare.rows import gather
from rlattn.experiments.compare.runs import RESULT, TEST, Run
from rlattn.experiments.compare.tasks import Task
from rlattn.experiments.outputs import write_json
from tests.experiments.compare.made import spent
from tests.experiments.labelling import NAMES

RNG = np.random.default_rng(0)
GOLD = [NAMES[n] for n in RNG.integers(3, size=40)]
BUDGET, NOISE = Task("budget", 0.3), Task("noise")
JUDGE = LabelJudge()


def given(right: int) -> list[str]:
    """The right label of the first texts, and a wrong one of the others."""
    wrong = [NAMES[NAMES.index(label) - 1] for label in GOLD]
    return [*GOLD[:right], *wrong[right:]]


def leave(run: Run, out: Path, right: int, reads: float = 1.0, steps: int = 0) -> Run:
    """Leaves what a finished run leaves."""
    labels = given(right)
    budget = run.task is not None and run.task.reads is not None
    drops = {"own": [0.1] * 40, "attention": [0.2] * 40} if budget else {}
    points = [
        {
            "env_steps": at,
            "accuracy": 50.0,
            "log_likelihood": -1.0,
            "reads_fraction": reads,
            "score": 50.0,
            "spent": spent(at),
        }
        for at in (0, steps)
    ]
    result: dict[str, Any] = {
        "valid": points[-1],
        "curve": points if steps else [],
        "env_steps": steps,
        "spent": spent(steps),
        "found": {},
        "memory": {"before_mb": 300.0, "peak_mb": 400.0, "device_peak_mb": None},
    }
    run.folder(out).mkdir(parents=True)
    write_json(run.folder(out) / RESULT, {"run": run.name, **result})
    test = {
        "names": NAMES,
        "labels": labels,
        "probabilities": 0.7 * np.eye(3)[[NAMES.index(label) for label in labels]] + 0.1,
        "opened": [[1]] * 40,
        "reads_fraction": [reads] * 40,
        "truncated": 0,
        "seconds": 1.0,
        "sufficiency": drops,
    }
    write_json(run.folder(out) / TEST, test)
    return run


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("made")


@pytest.fixture(scope="module")
def runs(out: Path) -> list[Run]:
    return [
        leave(Run("native"), out, 30),
        leave(Run("topk", BUDGET), out, 20, 0.3),
        *(leave(Run("ppo", BUDGET, seed), out, 24 + 2 * seed, 0.3, 100) for seed in range(3)),
        *(leave(Run("ppo", NOISE, seed), out, 32, 0.5, 100) for seed in range(3)),
        leave(Run("oracle-gate", NOISE), out, 35, 0.5),
    ]


@pytest.fixture(scope="module")
def rows(out: Path, runs: list[Run]) -> dict[tuple[str, str | None], LabelRow]:
    found = JUDGE.summarise(gather(runs, out, LABEL_METHODS), GOLD)
    return {(row.method, row.task): row for row in found}


def test_a_row_is_the_mean_over_seeds(rows: dict[tuple[str, str | None], LabelRow]) -> None:
    row = rows["ppo", "budget-30"]
    seeds = [given(24 + 2 * seed) for seed in range(3)]
    assert row.seeds == 3
    accuracy = np.mean([accuracy_score(GOLD, labels) for labels in seeds])
    assert row.quality.value == row.accuracy.value == pytest.approx(100 * accuracy)
    f1 = np.mean([f1_score(GOLD, labels, average="macro") for labels in seeds])
    assert row.macro_f1.value == pytest.approx(100 * f1)
    assert row.difference == pytest.approx(100 * accuracy - 75)
    assert row.of_native == pytest.approx([24 / 30, 26 / 30, 28 / 30])
    assert row.sufficiency is not None
    assert row.attention_sufficiency is not None
    assert (row.sufficiency.value, row.attention_sufficiency.value) == pytest.approx((0.1, 0.2))
    assert rows["native", None].sufficiency is None


def test_methods_are_compared_by_mcnemars_test_on_the_median_seed(
    out: Path, runs: list[Run]
) -> None:
    found = JUDGE.pairs(gather(runs, out, LABEL_METHODS), BUDGET, GOLD)
    by_name = {(pair.method, pair.baseline): pair for pair in found}
    pair = by_name["ppo", "native"]
    assert (pair.gained, pair.lost, pair.difference) == (0, 4, pytest.approx(-10))
    assert pair.p_value == pytest.approx(2 * 0.5**4)
    assert (by_name["topk", "ppo"].lost, by_name["native", "topk"].gained) == (6, 10)
    assert ("oracle-gate", "native") not in by_name


def test_the_report_leaves_everything_and_its_rows_have_one_width(
    out: Path, runs: list[Run]
) -> None:
    results = write_report(out, runs, [BUDGET, NOISE], GOLD, CLASSIFICATION, "made up", {})
    page = (out / "table.md").read_text(encoding="utf-8")
    for table in page.split("\n\n"):
        lines = [line for line in table.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) <= 1
    assert "brings back 12.5 points of accuracy; of that recover: ppo 40%." in page
    assert "| oracle-gate† |" in page
    assert "BLEU" not in page
    test = next(row for row in results["runs"] if row["run"] == "topk.budget-30")["test"]
    assert test["accuracy"] == pytest.approx(50)
    assert test["sufficiency"] == {
        "own": pytest.approx(0.1),
        "attention": pytest.approx(0.2),
    }
    for name in ("results.json", "table.csv", "curves.png", "pareto.png"):
        assert (out / name).stat().st_size > 500
    assert not (out / "strip.png").exists(), "there is no target to draw rows for"
