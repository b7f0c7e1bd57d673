"""What a comparison says of its runs, against numbers that are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.significance import PairedTest

from rlattn.experiments.compare.methods import METHODS
from rlattn.experiments.compare.problems import TRANSLATION
from rlattn.experiments.compare.report import write_report
from rlattn.experiments.compare.rows import gather
from rlattn.experiments.compare.runs import Run, plan
from rlattn.experiments.compare.significance import middles, pairs
from rlattn.experiments.compare.summary import TranslationRow as Row
from rlattn.experiments.compare.summary import median_seed, summarise
from rlattn.experiments.compare.tables import markdown, reads_cell
from rlattn.experiments.compare.tasks import Task
from rlattn.experiments.compare.translations import TranslationJudge
from rlattn.experiments.statistics import interquartile_mean
from tests.experiments.compare.made import TASKS, comparison, leave, references, written

REFERENCES = references()


def bleu(texts: list[str]) -> float:
    return BLEU().corpus_score(texts, [REFERENCES[: len(texts)]]).score


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("made")


@pytest.fixture(scope="module")
def runs(out: Path) -> list[Run]:
    return comparison(out)


@pytest.fixture(scope="module")
def rows(out: Path, runs: list[Run]) -> dict[tuple[str, str | None], Row]:
    found = summarise(gather(runs, out, METHODS), REFERENCES)
    return {(row.method, row.task): row for row in found}


def test_a_row_is_the_mean_over_seeds(rows: dict[tuple[str, str | None], Row]) -> None:
    row = rows["gradient", "quality"]
    alone = [bleu(written(0.08, seed)) for seed in range(3)]
    assert row.seeds == 3
    assert row.bleu.value == pytest.approx(np.mean(alone))
    assert row.bleu.low < row.bleu.value < row.bleu.high
    assert row.of_native == pytest.approx([each / bleu(written(0.1, 1)) for each in alone])
    assert (row.env_steps, row.forwards, row.backwards, row.peak_mb) == (4000, 12000, 4000, 4400)


def test_seeds_that_crashed_are_left_out_and_told(
    rows: dict[tuple[str, str | None], Row],
) -> None:
    row = rows["ppo", "quality"]
    assert row.seeds == 2
    assert row.failures == ["ppo.quality.2: killed by signal 9"]


def test_a_bound_is_compared_on_its_own_sentences(
    rows: dict[tuple[str, str | None], Row],
) -> None:
    row = rows["oracle", None]
    assert row.sentences == 10
    native = bleu(written(0.1, 1)[:10])
    assert row.of_native == pytest.approx([bleu(written(0.02, 2, 10)) / native])


def test_the_median_seed_stands_for_a_method(tmp_path: Path) -> None:
    wrong = (0.5, 0.1, 0.3)
    runs = [
        leave(Run("ppo", TASKS[0], seed), tmp_path, written(each, seed))
        for seed, each in enumerate(wrong)
    ]
    (outputs,) = gather(runs, tmp_path, METHODS)
    assert median_seed(outputs, REFERENCES) == 2


def test_tests_between_methods_are_sacrebleus_and_a_tie_is_no_difference(tmp_path: Path) -> None:
    good, poor, task = written(0.1, 1), written(0.3, 2), Task("quality")
    runs = [
        leave(Run("native"), tmp_path, good),
        leave(Run("uniform"), tmp_path, good),
        leave(Run("ppo", task, 0), tmp_path, poor),
    ]
    found = {
        (pair.method, pair.baseline): pair
        for pair in pairs(gather(runs, tmp_path, METHODS), task, REFERENCES)
    }
    same, worse = found["uniform", "native"], found["ppo", "native"]
    assert (same.difference, same.p_value) == (0.0, 1.0)
    assert set(same.sacrebleu.values()) == {1.0}
    assert worse.difference == pytest.approx(bleu(poor) - bleu(good))
    assert worse.p_value < 0.01
    _, theirs = PairedTest(
        [("good", good), ("poor", poor)], {"BLEU": BLEU()}, [REFERENCES], test_type="bs"
    )()
    assert worse.sacrebleu["bleu"] == theirs["BLEU"][1].p_value
    assert found["native", "ppo"].difference == -worse.difference


def test_interquartile_means_are_over_the_tasks_of_an_objective(
    rows: dict[tuple[str, str | None], Row],
) -> None:
    found = {(each.method, each.objective): each for each in middles([*rows.values()], TASKS)}
    budget = found["ppo", "budget"]
    assert (budget.tasks, budget.runs) == (2, 6)
    scores = [rows["ppo", name].of_native for name in ("budget-50", "budget-20")]
    assert budget.of_native == interquartile_mean(scores)
    assert found["native", "budget"].of_native.value == 1.0
    assert found["ppo", "quality"].runs == 2


def test_a_method_that_misses_a_task_has_no_mean_over_tasks(
    rows: dict[tuple[str, str | None], Row],
) -> None:
    some = [row for key, row in rows.items() if key != ("ppo", "budget-20")]
    methods = {each.method for each in middles(some, TASKS) if each.objective == "budget"}
    assert "ppo" not in methods
    assert "gradient" in methods


def test_reads_beyond_the_target_are_marked(rows: dict[tuple[str, str | None], Row]) -> None:
    row, (_, half, fifth) = rows["ppo", "budget-50"], TASKS
    assert reads_cell(row, half) == "49.0"
    assert reads_cell(row, fifth) == "49.0‡"
    assert reads_cell(rows["native", None], fifth) == "100.0"


def test_the_report_leaves_everything_and_its_rows_have_one_width(
    out: Path, runs: list[Run]
) -> None:
    results = write_report(out, runs, TASKS, REFERENCES, TRANSLATION, "made up", {})
    page = (out / "table.md").read_text(encoding="utf-8")
    for table in page.split("\n\n"):
        lines = [line for line in table.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) <= 1
    assert "| oracle† |" in page
    assert "| topk\\* |" in page
    assert "- ppo.quality.2: killed by signal 9" in page
    assert len(results["runs"]) == len(runs)
    for name in ("results.json", "table.csv", "curves.png", "pareto.png", "strip.png"):
        assert (out / name).stat().st_size > 1000


def test_a_page_without_runs_that_crashed_says_nothing_of_them(
    rows: dict[tuple[str, str | None], Row],
) -> None:
    assert "Crashed" not in markdown(
        [*rows.values()], TASKS, [], [], [], TranslationJudge(), "made up"
    )


def test_a_page_on_noise_says_how_much_of_the_oracle_gates_gain_is_recovered(
    tmp_path: Path,
) -> None:
    task, native, gated, learned = Task("noise"), *(written(w, 0) for w in (0.5, 0.1, 0.3))
    runs = [
        leave(Run("native"), tmp_path, native),
        leave(Run("ppo", task, 0), tmp_path, learned, 0.5, 100),
        leave(Run("oracle-gate", task), tmp_path, gated, 0.5),
    ]
    page = markdown(
        summarise(gather(runs, tmp_path, METHODS), REFERENCES),
        [task],
        [],
        [],
        [],
        TranslationJudge(),
        "made up",
    )
    gain = bleu(gated) - bleu(native)
    share = (bleu(learned) - bleu(native)) / gain
    assert f"brings back {gain:.1f} BLEU; of that recover: ppo {share:.0%}." in page


def test_runs_come_seed_by_seed_and_rules_once() -> None:
    methods = METHODS.chosen(("native", "topk", "random", "ppo"))
    names = [run.name for run in plan(methods, TASKS[:2], 2)]
    assert names == [
        *("native", "random.0", "topk.quality", "topk.budget-50"),
        *("ppo.quality.0", "ppo.budget-50.0"),
        *("random.1", "ppo.quality.1", "ppo.budget-50.1"),
    ]
