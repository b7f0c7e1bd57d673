"""What a model's folder from outside may hold, seen before any of it is loaded.

Its weights are safetensors and the rest is JSON and text. Nothing in it may ask for code, lead to
another place, or describe a model that is larger than its weights.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig
from transformers.initialization import no_init_weights

from rlattn.errors import InputError
from rlattn.storage.folders import file_in
from rlattn.storage.jsonfiles import check_depth, read_object, read_text, shown
from rlattn.storage.tensorfiles import Form, read_forms

_WEIGHTS, _INDEX = "model.safetensors", "model.safetensors.index.json"
_CONFIG = "config.json"

_LONGEST_JSON = 2**27
"""The most bytes of a file of JSON; the largest are tokenizers', of some 20 MB."""

_COMPUTED = 2**24
"""How many numbers a model may have that its files do not hold: sinusoids, and what is left out."""

_MOST_ALIKE = 2**16
"""The most labels, or experts."""

_LEADING_AWAY = {
    "auto_map": "names code of its own",
    "custom_pipelines": "names code of its own",
    "transformers_weights": "names a file of its own for the weights",
}
_ATTENTION = ("attn_implementation", "_attn_implementation", "experts_implementation")
_LAYERS, _ALIKE = re.compile(r"(layer|block)s?$"), re.compile("experts?$|num_labels$")
_WIDTHS = ("d_model", "hidden_size", "dim", "n_embd", "embedding_size")


def vet(folder: Path, kind: Any) -> None:
    """Makes sure that a folder may be handed to transformers.

    Args:
        folder: Where the model is.
        kind: One of transformers' Auto classes for models.

    Raises:
        InputError: If it may not; says which file is why.
    """
    for path in folder.iterdir():
        if path.is_symlink():
            file_in(folder, path.name)
        elif path.suffix == ".json" and path.is_file():
            _check_json(path)
    if (folder / "adapter_config.json").exists():
        raise InputError(
            "adapter_config.json: these are weights for another model, which is not looked for: "
            "merge them into it, and save it"
        )
    config = read_object(file_in(folder, _CONFIG), _LONGEST_JSON)
    _check_references(config, _CONFIG)
    for name in ("tokenizer_config.json", "generation_config.json", "processor_config.json"):
        if (folder / name).exists():
            _check_references(read_object(file_in(folder, name), _LONGEST_JSON), name)
    forms: list[Form] = []
    for path in _weights(folder):
        for name, form in read_forms(path).items():
            if name.endswith((".weight", ".bias")) and not form.dtype.is_floating_point:
                raise InputError(f"{path.name}: {name} is {form}, expected floating-point numbers")
            forms.append(form)
    _check_sizes(config, forms)
    _check_model(folder, kind, sum(form.numbers for form in forms))


def _check_json(path: Path) -> None:
    text = read_text(path, _LONGEST_JSON)
    try:
        check_depth(text)
    except ValueError as error:
        raise InputError(f"{path.name}: {error}") from error


def _check_references(data: Any, where: str) -> None:
    """Refuses what would have code run, or a file read, that is not the model's."""
    for key, value in _items(data):
        if key in _LEADING_AWAY and value:
            raise InputError(f"{where}: {key} {_LEADING_AWAY[key]}, which is never followed")
        if key in _ATTENTION and isinstance(value, str) and "/" in value:
            raise InputError(f"{where}: {key} is {shown(value)}, code of a hub, which is never run")


def _weights(folder: Path) -> Iterator[Path]:
    """The files that hold the weights."""
    if (folder / _WEIGHTS).exists():
        yield file_in(folder, _WEIGHTS)
        return
    if not (folder / _INDEX).exists():
        raise InputError(
            f"there is no {_WEIGHTS}, and weights of other formats, such as pytorch_model.bin, are "
            "not read, for they can hold code: where you trust them, convert them once: python -c "
            '"from transformers import AutoModelForSeq2SeqLM as M, AutoTokenizer as T; '
            "[X.from_pretrained('THIS').save_pretrained('CONVERTED') for X in (M, T)]\" (a "
            "classifier is an AutoModelForSequenceClassification)"
        )
    places = read_object(file_in(folder, _INDEX), _LONGEST_JSON).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(name, str) for name in places.values()):
        raise InputError(f"{_INDEX}: weight_map: found {shown(places)}, expected names of files")
    for name in sorted(set(places.values())):
        if not name.endswith(".safetensors"):
            raise InputError(f"{_INDEX}: {shown(name)} is no file of safetensors")
        yield file_in(folder, name)


def _check_sizes(config: dict[str, Any], forms: list[Form]) -> None:
    """Refuses a config that would take long, or much memory, before its model has any shape."""
    numbers = sum(form.numbers for form in forms) + _COMPUTED
    found = [(key, value) for key, value in _items(config) if type(value) is int]
    widest = max((value for key, value in found if key in _WIDTHS), default=1)
    for key, value in found:
        most = None
        if _LAYERS.search(key):
            most = len(forms)  # each has one tensor at least
        elif _ALIKE.search(key):
            most = _MOST_ALIKE
        elif "position" in key:
            most = numbers // max(widest, 1)
        if most is not None and value > most:
            raise InputError(
                f"{_CONFIG}: {key} is {shown(value)}, and with the weights that are there it can "
                f"be at most {most:,}"
            )


def _check_model(folder: Path, kind: Any, held: int) -> None:
    """Builds the model without memory, and refuses it if it is larger than its weights."""
    with no_init_weights(), torch.device("meta"):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        model = kind.from_config(config, trust_remote_code=False)
        model.tie_weights()
    described = sum(prod(each.shape) for each in (*model.parameters(), *model.buffers()))
    if described > held + _COMPUTED:
        raise InputError(
            f"{_CONFIG} describes a model of {described:,} numbers, and the weights are {held:,}"
        )


def _items(data: Any) -> Iterator[tuple[str, Any]]:
    """All fields of an object of JSON, and of those inside it."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield key, value
            yield from _items(value)
    elif isinstance(data, list):
        for value in data:
            yield from _items(value)
