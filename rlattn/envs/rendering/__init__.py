"""Showing where lanes look: as shaded text, and as a picture."""

from __future__ import annotations

from rlattn.envs.rendering.renderer import RENDER_FPS, Renderer, RenderMode

__all__ = ["RENDER_FPS", "RenderMode", "Renderer"]
