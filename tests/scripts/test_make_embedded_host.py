from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from rlattn.hosts.builtin import CARD, embedded_host

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

    card, shipped = (json.loads((path / CARD).read_text()) for path in (out, embedded_host()))
    assert card.keys() == shipped.keys()
    assert card["config"] | {"seed": 0, "max_steps": 0} == shipped["config"] | {
        "seed": 0,
        "max_steps": 0,
    }
