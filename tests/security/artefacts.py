"""Malicious artefacts: what is done to a good one, and the reason for which it is refused."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable

import torch
from safetensors.torch import load_file, save_file

from tests.security.place import Place

Spoil = Callable[[Place], object]

DEEP = "[" * 100_000 + "]" * 100_000
HUGE = 2**34


def weights(name: str, tensor: str, change: Callable[[torch.Tensor], torch.Tensor]) -> Spoil:
    """Has another tensor in the place of one, and the card vouch for it."""

    def spoil(place: Place) -> None:
        path = place.folder / name
        tensors = load_file(path)
        tensors[tensor] = change(tensors[tensor])
        save_file(tensors, path, metadata={"format": "pt"})

    return spoil


def without_number(tensor: torch.Tensor) -> torch.Tensor:
    """The same tensor with a NaN."""
    tensor = tensor.clone()
    tensor.view(-1)[0] = math.nan
    return tensor


def both(*spoils: Spoil) -> Spoil:
    """One after the other."""

    def spoil(place: Place) -> None:
        for each in spoils:
            each(place)

    return spoil


def pipe(name: str) -> Spoil:
    """Has a pipe in the place of a file, which one would wait for."""

    def spoil(place: Place) -> None:
        (place.folder / name).unlink()
        os.mkfifo(place.folder / name)

    return spoil


CARDS = {
    "policy": ("policy.json", "policy.safetensors"),
    "host": ("config.json", "model.safetensors"),
    "head": ("head.json", "head.safetensors"),
}


def of_any(kind: str, tensor: str) -> dict[str, tuple[Spoil, str]]:
    """What can be done to every artefact: a card in JSON, and weights beside it."""
    card, numbers = CARDS[kind]
    named = numbers.replace(".", r"\.")
    return {
        "a pickle in place of the card": (lambda at: at.pickle(card), card),
        "a pickle in place of the weights": (
            both(lambda at: at.pickle(numbers), _vouch(kind)),
            rf"{named} is damaged",
        ),
        "a file of PyTorch's in place of the weights": (
            both(lambda at: at.torch_save(numbers), _vouch(kind)),
            rf"{named} is damaged",
        ),
        "a deep card": (lambda at: at.text(card, DEEP), "nested too deeply"),
        "a deep card of objects": (
            lambda at: at.text(card, '{"a":' * 100_000 + "1" + "}" * 100_000),
            "nested too deeply",
        ),
        "a huge card": (lambda at: at.sparse(card, 2**29), "found 536,870,912 bytes, expected at"),
        "a key twice": (lambda at: at.text(card, '{"a": 1, "a": 2}'), "'a' stands there twice"),
        "a number that is none": (lambda at: at.text(card, '{"a": NaN}'), "NaN is no number"),
        "a list in place of the card": (lambda at: at.text(card, "[]"), "expected an object"),
        "a link to a card outside": (lambda at: at.link_out(card), "leads out of the folder"),
        "a link to weights outside": (lambda at: at.link_out(numbers), "leads out of the folder"),
        "a pipe in place of the weights": (pipe(numbers), "is no regular file"),
        "a deep header": (
            both(lambda at: at.sparse(numbers, 200_008, _deep_header()), _vouch(kind)),
            rf"{named} is damaged \(.*nested too deeply",
        ),
        "a path as a tensor's name": (
            both(lambda at: at.header(numbers, tensor, name=f"../{tensor}"), _vouch(kind)),
            "is no name of a tensor",
        ),
        "a path from the root as a tensor's name": (
            both(lambda at: at.header(numbers, tensor, name="/etc/passwd"), _vouch(kind)),
            "is no name of a tensor",
        ),
        "a huge shape": (
            both(lambda at: at.header(numbers, tensor, shape=[2**40]), _vouch(kind)),
            "takes another number of bytes than its place",
        ),
        "a shape whose product overflows": (
            both(lambda at: at.header(numbers, tensor, shape=[2**33, 2**33]), _vouch(kind)),
            "takes another number of bytes than its place",
        ),
        "a negative shape": (
            both(lambda at: at.header(numbers, tensor, shape=[-1]), _vouch(kind)),
            r"is of shape \[-1\]",
        ),
        "another type": (
            both(lambda at: at.header(numbers, tensor, dtype="I32"), _vouch(kind)),
            "int32",
        ),
        "a type that is unknown": (
            both(lambda at: at.header(numbers, tensor, dtype="O"), _vouch(kind)),
            'of type "O"',
        ),
        "weights that are not finite": (
            both(weights(numbers, tensor, without_number), _vouch(kind)),
            "holds numbers that are not finite",
        ),
    }


def _vouch(kind: str) -> Spoil:
    """Has the card's digest be that of the weights that now stand there, as a forger would."""

    def spoil(place: Place) -> None:
        card, numbers = CARDS[kind]
        if kind == "policy":
            place.change(card)
        elif kind == "head":
            place.change(card, weights_sha256=place.digest(numbers))

    return spoil


def _deep_header() -> bytes:
    return (200_000).to_bytes(8, "little") + DEEP.encode()


POLICY: dict[str, tuple[Spoil, str]] = {
    **of_any("policy", "score.bias"),
    "an unknown field": (lambda at: at.change("policy.json", run="rm"), "unknown field 'run'"),
    "a later format": (lambda at: at.change("policy.json", format=3), "format 3, expected 2"),
    "weights of gigabytes": (
        both(
            lambda at: at.change(
                "policy.json",
                policy={"action": "gate", "d_model": 32, "d_state": 32, "width": 65_536},
                weights_sha256="0" * 64,
            ),
            lambda at: at.sparse("policy.safetensors", 3 * 2**30),
        ),
        "found 3,221,225,472 bytes, expected at most 2,147,483,648",
    ),
    "another host's fingerprint": (
        lambda at: at.change("policy.json", host={"name": "tiny", "fingerprint": "0" * 64}),
        r"was trained on host tiny \(000000000000\), not on",
    ),
    "no fingerprint": (
        lambda at: at.change("policy.json", host={"name": "tiny", "fingerprint": "../../x"}),
        "expected 64 hexadecimal digits",
    ),
    "a host's name that acts on a terminal": (
        lambda at: at.change("policy.json", host={"name": "tiny\x1b[2J", "fingerprint": "0" * 64}),
        "host: name: found",
    ),
    "a family in a module beside the card": (
        both(
            lambda at: at.module("evil_family"),
            lambda at: at.change(
                "policy.json",
                policy={"action": "evil", "d_model": 32, "d_state": 32, "width": 16},
                family={"steering": "gate", "module": "evil_family"},
            ),
        ),
        r"unknown action 'evil'.*--imports evil_family",
    ),
    "a module that is no name": (
        lambda at: at.change(
            "policy.json", family={"steering": "gate", "module": "os; import evil"}
        ),
        "family: module: found",
    ),
}

HOST: dict[str, tuple[Spoil, str]] = {
    **of_any("host", "model.shared.weight"),
    "a pickle in PyTorch's old format alone": (
        both(
            lambda at: (at.folder / "model.safetensors").unlink(),
            lambda at: at.torch_save("pytorch_model.bin"),
        ),
        r"no model\.safetensors.*pytorch_model\.bin.*convert them once: python -c",
    ),
    "a renamed pickle in PyTorch's old format": (
        both(
            lambda at: (at.folder / "model.safetensors").unlink(),
            lambda at: at.pickle("pytorch_model.bin"),
        ),
        "hold code",
    ),
    "code of its own for the model": (
        both(
            lambda at: at.module("modeling_evil"),
            lambda at: at.change(
                "config.json", auto_map={"AutoModelForSeq2SeqLM": "modeling_evil.Evil"}
            ),
        ),
        r"config\.json: auto_map names code of its own, which is never followed",
    ),
    "code of its own for an unknown model": (
        both(
            lambda at: at.module("configuration_evil"),
            lambda at: at.change(
                "config.json",
                model_type="evil",
                auto_map={"AutoConfig": "configuration_evil.Evil"},
            ),
        ),
        "auto_map names code of its own",
    ),
    "code of its own for the tokenizer": (
        both(
            lambda at: at.module("tokenization_evil"),
            lambda at: at.change(
                "tokenizer_config.json",
                auto_map={"AutoTokenizer": [None, "tokenization_evil.Evil"]},
            ),
        ),
        r"tokenizer_config\.json: auto_map names code of its own",
    ),
    "code of a hub for the attention": (
        lambda at: at.change("config.json", attn_implementation="someone/evil-kernel"),
        "code of a hub, which is never run",
    ),
    "code of its own for generating": (
        lambda at: at.change("generation_config.json", auto_map={"x": "generate.Evil"}),
        r"generation_config\.json: auto_map",
    ),
    "a model that is elsewhere": (
        lambda at: at.text("adapter_config.json", '{"base_model_name_or_path": "../outside"}'),
        "weights for another model, which is not looked for",
    ),
    "weights in a file of its choice": (
        lambda at: at.change("config.json", transformers_weights="../outside/model.safetensors"),
        "transformers_weights names a file of its own",
    ),
    "shards outside": (
        lambda at: _sharded(at, "../outside/model.safetensors"),
        "expected the name of a file in the folder itself",
    ),
    "shards from the root": (
        lambda at: _sharded(at, str(at.outside / "model.safetensors")),
        "expected the name of a file in the folder itself",
    ),
    "shards that are pickles": (
        both(lambda at: at.torch_save("evil.bin"), lambda at: _sharded(at, "evil.bin")),
        "is no file of safetensors",
    ),
    "a link to a tokenizer outside": (
        lambda at: at.link_out("tokenizer.json"),
        "leads out of the folder",
    ),
    "a deep tokenizer": (lambda at: at.text("tokenizer.json", DEEP), "nested too deeply"),
    "a huge tokenizer": (lambda at: at.sparse("tokenizer.json", 2**29), "expected at most"),
    "a pickle in place of the tokenizer": (lambda at: at.pickle("tokenizer.json"), "tokenizer"),
    "as many words as no file holds": (
        lambda at: at.change("config.json", vocab_size=HUGE),
        "describes a model of .* numbers, and the weights are",
    ),
    "as many layers as no file holds": (
        lambda at: at.change("config.json", encoder_layers=HUGE),
        "encoder_layers is 17179869184, .* at most",
    ),
    "as many positions as no file holds": (
        lambda at: at.change("config.json", max_position_embeddings=HUGE),
        "max_position_embeddings is 17179869184, .* at most",
    ),
    "as many labels as no model has": (
        lambda at: at.change("config.json", num_labels=HUGE),
        "num_labels is 17179869184, .* at most",
    ),
    "a width that no file holds": (
        lambda at: at.change("config.json", encoder_ffn_dim=HUGE),
        "describes a model of .* numbers",
    ),
    "a width that is no number": (
        lambda at: at.change("config.json", d_model="../../etc/passwd"),
        "",
    ),
    "no heads": (lambda at: at.change("config.json", encoder_attention_heads=0), ""),
}

HEAD: dict[str, tuple[Spoil, str]] = {
    **of_any("head", "output.bias"),
    "a head as wide as no encoder": (
        lambda at: at.change("head.json", d_model=HUGE),
        "d_model: found 17179869184",
    ),
    "an unknown field of a head": (
        lambda at: at.change("head.json", run="rm"),
        "unknown field 'run'",
    ),
}


def _sharded(place: Place, name: str) -> None:
    """Has an index lead to the weights."""
    (place.folder / "model.safetensors").rename(place.outside / "model.safetensors")
    index = {"metadata": {"total_size": 1}, "weight_map": {"model.shared.weight": name}}
    place.text("model.safetensors.index.json", json.dumps(index))
