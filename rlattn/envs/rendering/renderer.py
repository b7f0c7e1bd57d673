"""What a face renders with."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from rlattn.envs.base import Core
from rlattn.envs.rendering.picture import picture
from rlattn.envs.rendering.shades import shades
from rlattn.envs.rendering.watch import Watch
from rlattn.errors import InputError

RenderMode = Literal["ansi", "rgb_array"]
RENDER_FPS = 4


class Renderer(Watch):
    """A watch that shows what it saw.

    Args:
        core: The batched core.
        mode: ``"ansi"`` for shaded text, ``"rgb_array"`` for a picture.

    Raises:
        InputError: If there is no such mode.
    """

    def __init__(self, core: Core, mode: str) -> None:
        if mode not in get_args(RenderMode):
            expected = ", ".join(get_args(RenderMode))
            raise InputError(f"unknown render mode {mode!r}: expected one of {expected}")
        super().__init__(core)
        self._mode = mode

    def frame(self, lane: int) -> str | np.ndarray:
        """Where a lane looked: see `shades` and `picture`."""
        alignment = self.alignment(lane)
        if self._mode == "ansi":
            source, written = self.ids(lane)
            return shades(self._core.host, source, self._core.shown(written)[1], alignment)
        return picture(alignment)
