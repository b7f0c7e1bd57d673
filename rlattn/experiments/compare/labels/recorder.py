"""What watches a training: its curve in the run's folder, and policies that read what they may."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rlattn.agents import LabelPoint, LabelValidator, Meter
from rlattn.agents.best import Learned
from rlattn.agents.threshold import shift_gates
from rlattn.experiments.compare.labels.scene import LabelScene
from rlattn.experiments.compare.recorder import CURVE
from rlattn.experiments.outputs import write_json
from rlattn.inference import Readings, TrainedPolicy


class LabelRecorder(LabelValidator[Learned]):
    """A validator whose curve can be watched in the run's folder.

    Args:
        scene: What to work with.
        meter: Says what the training costs.
        classify: Labels texts with what is learned.
        reads_target: The fraction of a text that those compete with that read no more, or None.
    """

    def __init__(
        self,
        scene: LabelScene,
        meter: Meter,
        classify: Callable[[Sequence[str], Learned], Readings],
        reads_target: float | None = None,
    ) -> None:
        super().__init__(
            scene.valid,
            meter,
            native_accuracy=scene.native,
            classify=classify,
            reads_target=reads_target,
        )
        self._file = scene.folder / CURVE

    def validate(self, policy: Learned, env_steps: int) -> LabelPoint:
        """Adds a point to the curve, and to its file."""
        point = super().validate(policy, env_steps)
        write_json(self._file, self.curve)
        return point


class LabelEqualReads(LabelRecorder[TrainedPolicy]):
    """A recorder that has every policy of gates read what it may, so that they compare.

    Args:
        scene: What to work with.
        meter: Says what the training costs.
        classify: Labels texts under a policy.
        reads_target: The fraction of a text to read at most.
    """

    def __init__(
        self,
        scene: LabelScene,
        meter: Meter,
        classify: Callable[[Sequence[str], TrainedPolicy], Readings],
        reads_target: float,
    ) -> None:
        super().__init__(scene, meter, classify, reads_target)
        self._most, self._shift = reads_target, 0.0

    def _write(self, policy: TrainedPolicy) -> tuple[TrainedPolicy, Readings]:
        write = super()._write
        found = shift_gates(policy, lambda tried: write(tried)[1], self._most, first=self._shift)
        self._shift = found.shift
        return found.policy, found.output
