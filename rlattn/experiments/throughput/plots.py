"""The pictures: every figure against what was varied, and where the time of learning goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullLocator, PercentFormatter

from rlattn.drawing import COLOURS, NORMAL, SMALL, plain
from rlattn.experiments.outputs import save_figure

_COLUMNS = 3


@dataclass(frozen=True)
class Panel:
    """One of the small plots.

    Attributes:
        title: What stands above it, unit included.
        lines: The path to a figure in the results, by what its line is called; a dictionary by
            lanes is entered at the lanes that were measured.
        logarithmic: Whether the figure grows so much that its logarithm is shown.
    """

    title: str
    lines: Mapping[str, tuple[str, ...]]
    logarithmic: bool = True


PANELS = (
    Panel(
        "steps/s",
        {
            "bare": ("bare_steps_per_s",),
            "whole texts": ("whole_steps_per_s",),
            "env": ("env_steps_per_s",),
            "Gymnasium vector": ("vector_env_steps_per_s",),
            "free-running fidelity": ("fidelity_steps_per_s",),
            "PPO": ("ppo_steps_per_s",),
            "DummyVecEnv": ("dummy_steps_per_s",),
        },
    ),
    Panel(
        "ratios of steps/s",
        {
            "env / bare": ("env_over_bare",),
            "env / whole texts": ("env_over_whole",),
            "vector / bare": ("vector_env_over_bare",),
            "PPO / env": ("ppo_over_env",),
        },
        logarithmic=False,
    ),
    Panel("env / DummyVecEnv", {"env / DummyVecEnv": ("env_over_dummy",)}),
    Panel(
        "generate(): tokens/s",
        {
            f"{kind}, {name}": ("generate_tokens_per_s", kind, way)
            for way, name in (("greedy", "greedy"), ("beam4", "4 beams"))
            for kind in ("plain", "steered")
        },
    ),
    Panel(
        "steered / plain generate()",
        {
            "greedy": ("steered_over_plain", "greedy"),
            "4 beams": ("steered_over_plain", "beam4"),
        },
        logarithmic=False,
    ),
    Panel("bytes per stored transition", {"bytes": ("workload_bytes_per_transition",)}),
    Panel("peak memory, MB", {"process": ("peak_rss_mb",), "GPU": ("peak_device_mb",)}),
)


def draw_sweep(path: Path, axis: str, places: Mapping[str, Mapping[str, Any]]) -> None:
    """Draws every figure against one axis; points that failed are left out.

    Args:
        path: The picture to write.
        axis: What was varied, as it is to be called.
        places: The results of each point, in order.
    """
    there = {place: results for place, results in places.items() if "failed" not in results}
    # Classifiers have some figures of translators, and some of their own.
    panels = [panel for panel in PANELS if _shows(panel, there)]
    rows = max(1, -(-len(panels) // _COLUMNS))
    figure = Figure(figsize=(3.6 * _COLUMNS, 3.2 * rows), layout="constrained")
    axes = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for panel, one in zip(panels, axes, strict=False):
        _draw_panel(one, panel, there)
        one.set_xlabel(axis, fontsize=NORMAL)
    for one in axes[len(panels) :]:
        one.remove()
    save_figure(path, figure, dpi=150)


def draw_shares(path: Path, shares: Mapping[str, Mapping[str, float]]) -> None:
    """Draws where the time of learning goes, one bar for each objective.

    Args:
        path: The picture to write.
        shares: By the objective's name, each part's share of the time.
    """
    figure = Figure(figsize=(7.2, 0.9 + 0.5 * len(shares)), layout="constrained")
    axes = figure.subplots()
    starts = dict.fromkeys(shares, 0.0)
    for part, colour in zip(next(iter(shares.values())), COLOURS, strict=False):
        for objective, parts in shares.items():
            axes.barh(objective, parts[part], left=starts[objective], color=colour, height=0.6)
            starts[objective] += parts[part]
        axes.barh(0, 0, color=colour, label=part.replace("_", " "))
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set_title("where the time of PPO goes", fontsize=NORMAL, loc="left")
    axes.tick_params(labelsize=SMALL)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=5, fontsize=SMALL, frameon=False)
    save_figure(path, figure, dpi=150)


def _draw_panel(axes: Axes, panel: Panel, places: Mapping[str, Mapping[str, Any]]) -> None:
    numeric = all(place.isdigit() for place in places)
    for (name, path), colour in zip(panel.lines.items(), COLOURS, strict=False):
        values = {place: _look_up(results, path) for place, results in places.items()}
        x = [int(p) if numeric else p for p, value in values.items() if value is not None]
        y = [value for value in values.values() if value is not None]
        if y:
            axes.plot(x, y, "o-", color=colour, linewidth=1.8, markersize=3, label=name)
    if numeric:
        axes.set_xscale("log", base=2)
        axes.set_xticks([int(place) for place in places], list(places))
        axes.xaxis.set_minor_locator(NullLocator())
    if panel.logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.set_ylim(bottom=0)
    axes.set_title(panel.title, fontsize=NORMAL, loc="left")
    plain(axes)
    if len(panel.lines) > 1:
        axes.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.2),
            ncols=2,
            fontsize=SMALL - 1,
            frameon=False,
        )


def _shows(panel: Panel, places: Mapping[str, Mapping[str, Any]]) -> bool:
    paths = panel.lines.values()
    return any(_look_up(found, path) is not None for found in places.values() for path in paths)


def _look_up(results: Mapping[str, Any], path: tuple[str, ...]) -> float | None:
    found: Any = results
    for name in path:
        found = found.get(name, {})
    if found == {}:
        return None
    if isinstance(found, Mapping):  # by lanes, of which a point has one number
        (found,) = found.values()
    return None if found is None else float(found)
