"""Methods that do not get to their end, for ``--imports``."""

from __future__ import annotations

import os
import signal

from rlattn.experiments.compare.method import Method
from rlattn.experiments.compare.methods import METHODS, register_method
from rlattn.experiments.compare.scene import Outcome, Scene

_write = METHODS["native"].write


def _raise(scene: Scene) -> Outcome:
    raise RuntimeError("out of luck")


def _die(scene: Scene) -> Outcome:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def _mend(scene: Scene) -> Outcome:
    """Fails until someone leaves a file beside the runs."""
    if not (scene.folder.parents[1] / "mended").exists():
        raise RuntimeError("not mended")
    return METHODS["native"].train(scene)


register_method(Method("raises", "rule", _raise, _write))
register_method(Method("killed", "rule", _die, _write))
register_method(Method("mended", "rule", _mend, _write))
