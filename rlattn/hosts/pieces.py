"""Single tokens as text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from rlattn.hosts.base import Host


def tokens(host: Host, ids: Sequence[int]) -> list[str]:
    """Tokens as people read them: the mark of a word's beginning, and text instead of bytes."""
    shown = []
    for token, token_id in zip(host.tokenizer.convert_ids_to_tokens(ids), ids, strict=True):
        mark = token[:1] if token[:1] in ("▁", "Ġ") else ""
        text = host.tokenizer.decode([token_id]).strip()
        # A token may hold a part of a character only, or nothing but the mark.
        shown.append(mark + text if text and "\ufffd" not in text else token)
    return shown


def pieces(host: Host, ids: Sequence[int]) -> list[str]:
    """What each token adds to the text, spaces included; joined, they are the text.

    A token that adds nothing, such as the end of the sequence, is an empty piece.
    """
    *starts, text = host.detokenize([ids[:end] for end in range(1, len(ids) + 1)] or [[]])
    # The text of the first few tokens may end in half a character, or lack a space.
    end, added = 0, []
    for start in (*starts, text):
        shared = takewhile(lambda both: both[0] == both[1], zip(start, text, strict=False))
        begin, end = end, max(end, sum(1 for _ in shared))
        added.append(text[begin:end])
    return added[: len(ids)]
