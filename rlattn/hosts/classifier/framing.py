"""A text's own tokens, and the special tokens that a model wants around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from rlattn.checks import check_texts, check_whole
from rlattn.errors import UnsupportedModelError
from rlattn.hosts.seq2seq import Tokenized, pad

_SAMPLE = "a"


class Framing:
    """Tells a text's own tokens from those that the tokenizer adds to every text.

    What it adds is found with the tokenizer's mask of special tokens, not by their ids: a text may
    hold an unknown token of its own.

    Args:
        tokenizer: Any Hugging Face tokenizer with a padding token.
        name: What to call the model in messages.

    Attributes:
        before: Ids that come before every text.
        after: Ids that come after it.
        pad: The id that fills up.

    Raises:
        UnsupportedModelError: If the tokenizer has no padding token.
    """

    def __init__(self, tokenizer: Any, name: str) -> None:
        if tokenizer.pad_token_id is None:
            raise UnsupportedModelError(
                f"{name}: its tokenizer has no padding token, and texts are judged many at once; "
                "set `pad_token`"
            )
        self._tokenizer = tokenizer
        self.pad = int(tokenizer.pad_token_id)
        (ids,), (special,) = self._tokens([_SAMPLE])
        own = [place for place, added in enumerate(special) if not added]
        first, last = (own[0], own[-1] + 1) if own else (len(ids), len(ids))
        self.before, self.after = ids[:first], ids[last:]
        # Byte-level tokenizers know every text, and have no token for what is unknown.
        unknown = tokenizer.unk_token_id
        self._nothing = self.pad if unknown is None else int(unknown)

    def __len__(self) -> int:
        return len(self.before) + len(self.after)

    def tokenize(self, texts: Sequence[str], limit: int) -> Tokenized:
        """Turns texts into their own token ids, without special tokens.

        A text without any token becomes one that is unknown, for there must be something to read.

        Args:
            texts: What to read.
            limit: The most tokens of a text; longer ones keep their beginning.

        Returns:
            The ids, and how many texts were cut.

        Raises:
            InputError: If something in it is no text, or not Unicode.
        """
        texts = check_texts(texts)
        check_whole("max length", limit)
        if not texts:
            return Tokenized([], 0)
        rows = [
            [token for token, added in zip(ids, special, strict=True) if not added]
            for ids, special in zip(*self._tokens(texts), strict=True)
        ]
        truncated = sum(len(row) > limit for row in rows)
        return Tokenized([row[:limit] or [self._nothing] for row in rows], truncated)

    def framed(self, sources: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor, Tensor]:
        """Puts the special tokens around texts.

        Args:
            sources: Each text's own token ids. An empty text is its special tokens alone; where a
                tokenizer adds none, an unknown token stands for them.

        Returns:
            All ids, ``[rows, columns]``, the first of a text's own at column ``len(before)``; True
            at its own tokens, ``[rows, source]``; and True at special ones, ``[rows, columns]``.
        """
        rows = [[*self.before, *row, *self.after] or [self._nothing] for row in sources]
        ids, real = pad(rows, self.pad)
        start, end = len(self.before), ids.shape[1] - len(self.after)
        lengths = torch.tensor([len(row) for row in sources])
        mask = torch.arange(end - start) < lengths[:, None]
        special = real.clone()
        special[:, start:end] &= ~mask
        return ids, mask, special

    def _tokens(self, texts: Sequence[str]) -> tuple[list[list[int]], list[list[int]]]:
        read = self._tokenizer(
            list(texts),
            return_attention_mask=False,
            return_token_type_ids=False,
            return_special_tokens_mask=True,
            verbose=False,
        )
        return read.input_ids, read.special_tokens_mask
