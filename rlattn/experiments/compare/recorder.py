"""What watches a training: its curve in the run's folder, and policies that read what they may."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from rlattn.agents import Meter, Point, Validator
from rlattn.agents.best import KeepsBest, Learned
from rlattn.agents.threshold import shift_gates
from rlattn.experiments.compare.scene import Scene
from rlattn.experiments.outputs import write_json
from rlattn.inference import TrainedPolicy, Translations

CURVE = "curve.json"
"""Where the points of a training are, in its run's folder."""


class Recorder(Validator[Learned]):
    """A validator whose curve can be watched in the run's folder.

    Args:
        scene: What to work with.
        meter: Says what the training costs.
        writes: Translates sentences with what is learned.
        reads_target: The fraction of the source that those compete with that read no more, or None.
    """

    def __init__(
        self,
        scene: Scene,
        meter: Meter,
        writes: Callable[[Sequence[str], Learned], Translations],
        reads_target: float | None = None,
    ) -> None:
        super().__init__(
            scene.valid,
            meter,
            native_bleu=scene.native,
            translate=writes,
            reads_target=reads_target,
        )
        self._file = scene.folder / CURVE

    def validate(self, policy: Learned, env_steps: int) -> Point:
        """Adds a point to the curve, and to its file."""
        point = super().validate(policy, env_steps)
        write_json(self._file, self.curve)
        return point


class EqualReads(Recorder[TrainedPolicy]):
    """A recorder that has every policy of gates read what it may, so that they compare.

    Args:
        scene: What to work with.
        meter: Says what the training costs.
        writes: Translates sentences under a policy.
        reads_target: The fraction of the source to read at most.
    """

    def __init__(
        self,
        scene: Scene,
        meter: Meter,
        writes: Callable[[Sequence[str], TrainedPolicy], Translations],
        reads_target: float,
    ) -> None:
        super().__init__(scene, meter, writes, reads_target)
        self._most, self._shift = reads_target, 0.0

    def _write(self, policy: TrainedPolicy) -> tuple[TrainedPolicy, Translations]:
        write = super()._write
        found = shift_gates(policy, lambda tried: write(tried)[1], self._most, first=self._shift)
        self._shift = found.shift
        return found.policy, found.output


class Later(Validator):
    """Stands in for a validator in the second part of a training, which counts steps anew.

    Args:
        validator: What validates.
    """

    def __init__(self, validator: KeepsBest[Any]) -> None:
        self._validator = validator
        self._before = validator.curve[-1].env_steps
        self.curve: list[Point] = []

    @property
    def best(self) -> Any:  # type: ignore[override]
        """The point of the policy that is kept, of both parts."""
        return self._validator.best

    def validate(self, policy: TrainedPolicy, env_steps: int) -> Point:
        """Adds a point to the curve of both parts."""
        point: Point = self._validator.validate(policy, self._before + env_steps)
        self.curve.append(replace(point, env_steps=env_steps))
        return point
