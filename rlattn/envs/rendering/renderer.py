"""What a face renders with."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from rlattn.envs.core import TranslationCore
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

    def __init__(self, core: TranslationCore, mode: str) -> None:
        if mode not in get_args(RenderMode):
            expected = ", ".join(get_args(RenderMode))
            raise InputError(f"unknown render mode {mode!r}: expected one of {expected}")
        super().__init__(core)
        self._host, self._mode = core.host, mode

    def frame(self, lane: int) -> str | np.ndarray:
        """Where a lane looked: see `shades` and `picture`."""
        alignment = self.alignment(lane)
        if self._mode == "ansi":
            return shades(self._host, *self.ids(lane), alignment)
        return picture(alignment)
