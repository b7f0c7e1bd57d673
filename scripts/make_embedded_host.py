"""Makes the weights that ship in the package: the built-in host of the embedded default corpus.

    python scripts/make_embedded_host.py

It trains on `locale:en-de` for a fixed number of steps, rounds the weights to float16, and scores
what was written on the validation and test splits. About ten minutes on one CPU core.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import torch
import tyro
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, MarianMTModel

from rlattn.corpora import load_corpus
from rlattn.corpora.locale import GENERATOR
from rlattn.hosts.builtin import embedded_host, train_builtin
from rlattn.hosts.card import write_card
from rlattn.hosts.config import BuiltinConfig
from rlattn.hosts.quality import greedy_quality

CORPUS, FOLDER = "locale:en-de", embedded_host()


def main(
    out: Path = FOLDER,
    steps: int = 4500,
    seed: int = 0,
    train_size: int = 250_000,
    scored: int = 1000,
) -> None:
    """Trains the embedded host and writes its folder.

    Args:
        out: Folder to write; one that is there is replaced.
        steps: Optimizer steps.
        seed: Seed of corpus and training.
        train_size: Training pairs; as many as the steps take make each be seen about once.
        scored: Validation and test pairs to score, each.
    """
    torch.set_num_threads(1)  # So that the number of cores makes no difference to the weights.
    corpus = load_corpus(CORPUS, seed=seed, train_size=train_size)
    corpus = replace(corpus, valid=corpus.valid[:scored], test=corpus.test[:scored])
    config = replace(BuiltinConfig.for_corpus(corpus), max_steps=steps, max_minutes=None, seed=seed)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as work:
        folder = Path(work, out.name)
        card = train_builtin(corpus, config, folder)
        round_to_float16(folder / "model.safetensors")
        model = MarianMTModel.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
        ).eval()
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        for split, pairs in {"validation": corpus.valid, "test": corpus.test}.items():
            card[split] = greedy_quality(model, tokenizer, pairs)._asdict()
            print(f"{split}: {card[split]['bleu']:.2f} BLEU, {card[split]['chrf']:.2f} chrF")
        write_card(folder, card | {"generator": GENERATOR})
        shutil.rmtree(out, ignore_errors=True)
        folder.rename(out)
    size = sum(path.stat().st_size for path in out.iterdir())
    print(f"{out}: {size / 1e6:.2f} MB after {card['training']['seconds']:.0f} s of training")


def round_to_float16(weights: Path) -> None:
    """Halves a file of weights; the config beside it still has them loaded as float32."""
    rounded = {name: tensor.half() for name, tensor in load_file(weights).items()}
    save_file(rounded, weights, metadata={"format": "pt"})


if __name__ == "__main__":
    tyro.cli(main)
