from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from rlattn.hosts.builtin import embedded_host
from rlattn.hosts.card import read_card

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_embedded_host.py"


def test_it_makes_a_folder_of_the_shape_that_ships(tmp_path: Path) -> None:
    out = tmp_path / "host"
    few = ["--steps", "2", "--train-size", "200", "--scored", "4"]
    done = subprocess.run(
        [sys.executable, SCRIPT, "--out", out, "--seed", "1", *few],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "test: " in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["host"]
    assert {path.name for path in out.iterdir()} == {p.name for p in embedded_host().iterdir()}

    assert {t.dtype for t in load_file(out / "model.safetensors").values()} == {torch.float16}
    model = AutoModelForSeq2SeqLM.from_pretrained(out)
    assert model.dtype == torch.float32
    assert model.config.vocab_size == len(AutoTokenizer.from_pretrained(out))

    card, shipped = read_card(out), read_card(embedded_host())
    assert card.keys() == shipped.keys()
    assert shipped["config"] | {"seed": 1, "max_steps": 2} == card["config"]
