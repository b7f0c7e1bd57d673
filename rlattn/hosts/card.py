"""The card of a trained host: a JSON file beside the weights that says how they were made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rlattn.storage.jsonfiles import read_object

_NAME = "rlattn.json"


def read_card(folder: Path) -> dict[str, Any]:
    """Returns the card of a host that was trained here."""
    return read_object(folder / _NAME)


def write_card(folder: Path, card: dict[str, Any]) -> None:
    """Writes the card into a host's folder."""
    text = json.dumps(card, indent=2, ensure_ascii=False)
    (folder / _NAME).write_text(text + "\n", encoding="utf-8")
