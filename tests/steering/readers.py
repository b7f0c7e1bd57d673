"""Models at work: sources of every kind, and how a model reads one and writes."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from rlattn.steering import steer
from tests.steering.builders import BINS, HEADS, LAYERS, PATCH, PIXELS, WORDS
from tests.steering.models import SUPPORTED

__all__ = [
    "HEADS",
    "LANES",
    "LAYERS",
    "SOURCE",
    "SUPPORTED",
    "TARGET",
    "Reader",
    "reader_of",
    "state",
]

LANES, SOURCE, TARGET = 3, 7, 4
LENGTHS = (7, 4, 2)  # valid source positions of each lane, of those that words are

STRIDES = {"Moonshine": 384, "MoonshineStreaming": 320, "SpeechEncoderDecoderModel": 20}
"""How many samples of a wave become one position of the memory, for models that read waves."""


@dataclass
class Reader:
    """A model, and how to make it read: whole targets, or sources into written tokens."""

    model: PreTrainedModel
    inputs: dict[str, Tensor]
    valid: Tensor  # bool, [lanes, source], where the source is the memory's positions
    target: Tensor
    raw: dict[str, Tensor] | None = None  # for `generate()`, where it makes the inputs of these

    def forward(self, **kwargs: Any) -> Any:
        """One teacher-forced forward over the whole target."""
        return self.model(**self.inputs, decoder_input_ids=self.target, **kwargs)

    def logits(self) -> Tensor:
        """Teacher-forced logits of the target, `[lanes, target, words]`, without gradient."""
        with torch.no_grad():
            return self.forward().logits

    def tokens(self, **kwargs: Any) -> Tensor:
        """What `generate()` writes, `[lanes, written]`; greedy and of one length unless told."""
        rules = {"max_new_tokens": TARGET, "do_sample": False, "num_beams": 1, "eos_token_id": None}
        options = {**rules, **kwargs}
        return self.model.generate(**(self.raw or self.inputs), **options)


def reader_of(model: PreTrainedModel) -> Reader:
    """The model in eval mode with a random batch, padded where the model knows padding."""
    model.eval()
    inputs, decoder = _inputs(model), model.get_decoder().config
    inputs = {
        name: value.to(model.dtype) if value.is_floating_point() else value
        for name, value in inputs.items()
    }
    target = torch.randint(3, WORDS, (LANES, TARGET))
    if hasattr(decoder, "num_codebooks"):  # Musicgen has a row for each
        target = torch.randint(3, WORDS, (LANES * decoder.num_codebooks, TARGET))
    if model.config.model_type == "dia":  # Dia has an axis for them
        target = torch.randint(3, WORDS, (LANES, TARGET, decoder.num_channels))
    raw = None
    if model.config.model_type == "pop2piano":  # reads the name of a composer before the sound
        raw, rules = inputs, model.generation_config
        with torch.no_grad():
            features = model.get_mel_conditioner_outputs(
                **inputs, composer="composer1", generation_config=rules
            )
        inputs = dict(zip(inputs, features, strict=True))
    reader = Reader(model, inputs, torch.empty(0), target, raw)
    reader.valid = _read_by(reader)
    return reader


def state(model: PreTrainedModel) -> list[Any]:
    """Everything about a model that a steering touches."""
    seen: list[Any] = [copy.deepcopy(model.config.__dict__)]
    for module in model.modules():
        config = getattr(module, "config", None)
        seen.append(
            (
                set(module.__dict__),
                module.training,
                len(module._forward_hooks),
                len(module._forward_pre_hooks),
                config and config._attn_implementation,
            )
        )
    return seen


def _inputs(model: PreTrainedModel) -> dict[str, Tensor]:
    """A source of the kind that a model reads."""
    kind = type(model).__name__.removesuffix("ForConditionalGeneration")
    # Sparse attention is for long sources only.
    long = getattr(model.config, "attention_type", "") == "block_sparse"
    words = _padded(3 * SOURCE if long else SOURCE)
    text = {"input_ids": torch.randint(3, WORDS, words.shape) * words, "attention_mask": words}
    pixels = torch.randn(LANES, 3, PIXELS, PIXELS)
    if kind == "Whisper":  # sounds of one length, which have no padding
        return {"input_features": torch.randn(LANES, BINS, 2 * SOURCE)}
    if kind == "Pop2Piano":
        return {
            "input_features": torch.randn(LANES, SOURCE, model.config.d_model),
            "attention_mask": words,
        }
    if "SpeechToText" in kind or kind in ("Speech2Text", "Canary", "CohereAsr"):
        frames = _padded(2 * SOURCE)
        return {"input_features": torch.randn(*frames.shape, BINS), "attention_mask": frames}
    if kind in STRIDES:
        waves = _padded(SOURCE * STRIDES[kind])
        return {"input_values": torch.randn(waves.shape), "attention_mask": waves}
    if kind == "VisionEncoderDecoderModel":
        return {"pixel_values": pixels}
    if kind == "PPFormulaNet":
        return {"pixel_values": torch.randn(LANES, 3, 4 * PIXELS, 4 * PIXELS)}
    if kind == "Pix2Struct":
        place = torch.arange(SOURCE).expand(LANES, -1)[..., None] + 1
        patches = torch.randn(LANES, SOURCE, BINS)
        patches = torch.cat([place, place, patches], -1) * words[..., None]
        return {"flattened_patches": patches, "attention_mask": words}
    if kind == "Udop":
        corner = torch.rand(LANES, SOURCE, 2) / 2
        return {**text, "bbox": torch.cat([corner, corner + 0.3], -1), "pixel_values": pixels}
    if kind == "Florence2":
        image = torch.full((LANES, (PIXELS // PATCH) ** 2 + 1), model.config.image_token_id)
        return {
            "input_ids": torch.cat([image, text["input_ids"].clamp(min=4)], 1),
            "attention_mask": torch.cat([torch.ones_like(image), text["attention_mask"]], 1),
            "pixel_values": pixels,
        }
    return text


def _padded(longest: int) -> Tensor:
    """A mask in which lanes are as long, against the longest, as lanes of words are."""
    lengths = torch.tensor(LENGTHS) * longest // max(LENGTHS)
    return (torch.arange(longest) < lengths[:, None]).long()


def _read_by(reader: Reader) -> Tensor:
    """Where a model looks: its padding, in the positions of its memory."""
    twin = replace(reader, model=copy.deepcopy(reader.model))  # so that the model is not known yet
    with steer(twin.model, None, record=True) as steering:
        twin.logits()
    return (steering.attention > 0).any(1)
