"""What watches a training: a curve that can be followed, and policies that read alike much."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rlattn.agents import Meter
from rlattn.errors import InputError
from rlattn.experiments.compare.recorder import CURVE, EqualReads, Later, Recorder
from rlattn.experiments.compare.scene import Budget, Scene
from rlattn.experiments.outputs import as_json
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import TrainedPolicy, Translations, translate
from tests.experiments.small import LIMITS, taught
from tests.inference.policies import strong

TARGET = 0.5


@pytest.fixture
def scene(host: Seq2SeqHost, tmp_path: Path) -> Scene:
    pairs = taught(host, 60)
    budget = Budget(1, 64, None, 4, *LIMITS.values(), 24, 2, None, 3)
    return Scene(host, pairs[24:], pairs[:24], None, 0, budget, {}, 50.0, tmp_path)


def reads(scene: Scene, policy: TrainedPolicy) -> float:
    sources = [pair.source for pair in scene.valid]
    return float(np.mean(translate(scene.host, sources, policy, **LIMITS).reads_fraction))


class Counted:
    """Translates, and counts how often."""

    def __init__(self, host: Seq2SeqHost) -> None:
        self.calls = 0
        self._translate = partial(translate, host, **LIMITS)

    def __call__(self, texts: list[str], policy: TrainedPolicy) -> Translations:
        self.calls += 1
        return self._translate(texts, policy)


class TestRecorder:
    def test_the_curve_is_in_the_folder_while_it_grows(self, scene: Scene) -> None:
        recorder = Recorder(scene, Meter(scene.host), partial(translate, scene.host, **LIMITS))
        for turn in range(2):
            recorder.validate(strong(scene.host, seed=turn), env_steps=10 * turn)
            written = json.loads((scene.folder / CURVE).read_text(encoding="utf-8"))
            assert written == as_json(recorder.curve, CURVE)
            assert len(written) == turn + 1

    def test_the_second_part_of_a_training_goes_on_with_the_curve(self, scene: Scene) -> None:
        recorder = Recorder(scene, Meter(scene.host), partial(translate, scene.host, **LIMITS))
        recorder.validate(strong(scene.host), env_steps=64)
        later = Later(recorder)
        point = later.validate(strong(scene.host, seed=1), env_steps=8)
        assert [point.env_steps for point in recorder.curve] == [64, 72]
        assert [point.env_steps for point in later.curve] == [8]
        assert point is recorder.curve[1]
        assert later.best is recorder.best


class TestEqualReads:
    @pytest.fixture
    def writes(self, scene: Scene) -> Counted:
        return Counted(scene.host)

    @pytest.fixture
    def recorder(self, scene: Scene, writes: Counted) -> EqualReads:
        return EqualReads(scene, Meter(scene.host), writes, TARGET)

    def test_every_point_reads_close_to_the_target_and_not_more(
        self, scene: Scene, recorder: EqualReads
    ) -> None:
        for seed in range(3):
            policy = strong(scene.host, seed=seed)
            before = reads(scene, policy)
            assert abs(before - TARGET) > 0.05
            point = recorder.validate(policy, env_steps=seed)
            assert TARGET - 0.05 <= point.reads_fraction <= TARGET
            # So quality alone decides.
            assert point.score == point.bleu
            # What goes on learning is left alone.
            assert reads(scene, policy) == before

    def test_what_is_kept_is_what_was_measured(self, scene: Scene, recorder: EqualReads) -> None:
        for seed in range(2):
            recorder.validate(strong(scene.host, seed=seed), env_steps=seed)
        assert recorder.best is not None
        assert reads(scene, recorder.policy) == pytest.approx(recorder.best.reads_fraction)
        assert recorder.best.score == max(point.score for point in recorder.curve)

    def test_the_shift_of_a_checkpoint_is_tried_first_on_the_next(
        self, scene: Scene, recorder: EqualReads, writes: Counted
    ) -> None:
        first = recorder.validate(strong(scene.host), env_steps=0)
        assert first.reads_fraction >= TARGET - 0.01
        before = writes.calls
        again = recorder.validate(strong(scene.host), env_steps=1)
        assert writes.calls == before + 1 < 2 * before
        assert again.reads_fraction == first.reads_fraction

    def test_the_search_costs_the_training_nothing(self, scene: Scene, writes: Counted) -> None:
        meter = Meter(scene.host)
        EqualReads(scene, meter, writes, TARGET).validate(strong(scene.host), env_steps=0)
        assert writes.calls > 1
        assert meter.spent.forwards == meter.spent.encoded == 0

    def test_what_has_no_gates_is_refused(self, scene: Scene, recorder: EqualReads) -> None:
        with pytest.raises(InputError, match="only gates have a threshold"):
            recorder.validate(strong(scene.host, "bias"), env_steps=0)
