from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from rlattn.experiments.figures import AttentionExample, draw_attention

# Any warning, such as one about a missing glyph, fails these tests.
pytestmark = pytest.mark.filterwarnings("error")


def example(
    source: list[str], native: list[str], policy: list[str], gates: bool = True
) -> AttentionExample:
    rng = np.random.default_rng(0)
    is_open = rng.random((len(policy), len(source))) < 0.4
    return AttentionExample(
        source_tokens=source,
        native_tokens=native,
        native_attention=rng.dirichlet(np.ones(len(source)), size=len(native)),
        policy_tokens=policy,
        policy_attention=rng.dirichlet(np.ones(len(source)), size=len(policy)),
        policy_open=is_open if gates else None,
    )


def is_picture(path: Path) -> bool:
    """Whether the file is a picture on which something is drawn."""
    pixels = imread(path)
    return pixels.shape[0] > 100 and pixels.shape[1] > 100 and pixels.std() > 0.01


def test_attention_of_sentences_of_any_lengths_is_drawn(tmp_path: Path) -> None:
    long = example(["▁a"] * 30, ["▁b"] * 20, ["▁c"] * 25)
    short = example(["▁on", "ly", "</s>"], ["▁nur", "</s>"], ["</s>"], gates=False)
    draw_attention(tmp_path / "attention.png", [long, short])
    assert is_picture(tmp_path / "attention.png")
    draw_attention(tmp_path / "short.png", [short])
    assert imread(tmp_path / "short.png").shape[1] < imread(tmp_path / "attention.png").shape[1]


def test_closed_positions_are_visible(tmp_path: Path) -> None:
    tokens = ["▁x", "▁y"]
    attention = np.full((2, 2), 0.5)
    for name, is_open in (("open", np.ones((2, 2), bool)), ("closed", np.eye(2, dtype=bool))):
        shown = AttentionExample(tokens, tokens, attention, tokens, attention, is_open)
        draw_attention(tmp_path / f"{name}.png", [shown])
    assert (tmp_path / "open.png").read_bytes() != (tmp_path / "closed.png").read_bytes()


@pytest.mark.parametrize(
    "tokens",
    [
        pytest.param(["▁今日は", "▁月曜日", "。"], id="a script without a font"),
        pytest.param(["▁الاثنين", "▁يناير"], id="right to left"),
        pytest.param(["$5", "$x^", r"$\frac$"], id="what could be taken for mathematics"),
        pytest.param(["", " ", "\u202f", "_{"], id="nothing to see"),
    ],
)
def test_any_text_can_be_a_token(tmp_path: Path, tokens: list[str]) -> None:
    draw_attention(tmp_path / "attention.png", [example(tokens, tokens, tokens)])
    assert is_picture(tmp_path / "attention.png")
