"""A frozen Hugging Face encoder-decoder: text to tokens, encoding, the rules of its decoding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache, EncoderDecoderCache, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from rlattn.checks import check_texts, check_whole
from rlattn.errors import UnsupportedModelError
from rlattn.hosts.fingerprint import fingerprint
from rlattn.hosts.projections import CrossProjections
from rlattn.hosts.usage import Usage

_NOT_FOLLOWED = (
    "begin_suppress_tokens",
    "encoder_no_repeat_ngram_size",
    "encoder_repetition_penalty",
    "exponential_decay_length_penalty",
    "min_length",
    "min_new_tokens",
    "no_repeat_ngram_size",
    "repetition_penalty",
    "sequence_bias",
)
_UNSET = (None, 0, 1.0)
"""What these are when they change nothing."""


@dataclass(frozen=True)
class Tokenized:
    """Token ids of sentences, and how many of them had to be cut to fit.

    Attributes:
        ids: One list of token ids per sentence: for a translator, each ends with the
            end-of-sequence token; for a classifier, special tokens are not among them.
        truncated: How many sentences were longer than allowed.
    """

    ids: list[list[int]]
    truncated: int


@dataclass(frozen=True)
class Encoded:
    """What the host knows of some sources before it writes a word.

    Attributes:
        memory: The encoder's output, ``[rows, source, d_model]``.
        mask: True at real tokens, ``[rows, source]``.
        cross: Keys and values of each layer's cross-attention, in turn,
            ``[2 * layers, rows, heads, source, d_head]``.
    """

    memory: Tensor
    mask: Tensor
    cross: Tensor

    @cached_property
    def lengths(self) -> np.ndarray:
        """How many tokens each source has, int64, ``[rows]``."""
        lengths: np.ndarray = self.mask.sum(1).cpu().numpy()
        return lengths


def pad(rows: Sequence[Sequence[int]], value: int) -> tuple[Tensor, Tensor]:
    """Right-pads token ids.

    Args:
        rows: One sequence of ids per row, none empty.
        value: The id that fills up.

    Returns:
        The ids and a mask that is True at real tokens, both ``[rows, longest]``.
    """
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    mask = np.arange(lengths.max()) < lengths[:, None]
    ids = np.full(mask.shape, value, np.int64)
    ids[mask] = np.concatenate([np.asarray(row, np.int64) for row in rows])
    return torch.from_numpy(ids), torch.from_numpy(mask)


class Seq2SeqHost:
    """A frozen translator: its weights never change and never receive a gradient.

    Args:
        model: An encoder-decoder with a language-model head. It is put into evaluation mode and
            its parameters stop requiring gradients.
        tokenizer: Its tokenizer.
        name: What to call it in files and messages; by default the model's own name.

    Attributes:
        usage: How much work it has done.

    Raises:
        UnsupportedModelError: If the model is not an encoder-decoder, lacks a token that decoding
            needs, or has rules of decoding that lanes do not follow.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: Any, name: str | None = None) -> None:
        self.name = name or model.name_or_path or type(model).__name__
        if not model.config.is_encoder_decoder:
            raise UnsupportedModelError(
                f"{self.name} ({type(model).__name__}) is not an encoder-decoder; "
                "a host needs an encoder to read and a decoder that writes"
            )
        self.model = model.train(False).requires_grad_(False)
        self.tokenizer = tokenizer
        self.usage = Usage()
        rules = model.generation_config
        unknown = [name for name in _NOT_FOLLOWED if getattr(rules, name, None) not in _UNSET]
        unknown += ["bad_words_ids"] * any(len(words) > 1 for words in rules.bad_words_ids or [])
        if unknown:
            raise UnsupportedModelError(
                f"{self.name}: its generation config sets {', '.join(unknown)}, which generate() "
                "follows and lanes do not: unset it there, or the two would write different text"
            )
        self.start_token = self._token(rules.decoder_start_token_id, "decoder_start_token_id")
        self.pad_token = self._token(rules.pad_token_id, "pad_token_id")
        eos = rules.eos_token_id
        self.eos_tokens: list[int] = (
            eos if isinstance(eos, list) else [self._token(eos, "eos_token_id")]
        )

    def _token(self, token: int | None, name: str) -> int:
        if token is None:
            raise UnsupportedModelError(f"{self.name}: its generation config has no {name}")
        return token

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.embed_tokens.weight.device  # model.device searches all modules every time

    @property
    def dtype(self) -> torch.dtype:
        """What the weights are."""
        return self.embed_tokens.weight.dtype

    @property
    def fingerprint(self) -> str:
        """A digest of the weights; a policy is bound to it."""
        return fingerprint(self.model)

    @property
    def _encoder_config(self) -> Any:
        # A few encoders are plain modules, which have no config of their own.
        return getattr(self.model.get_encoder(), "config", self.model.config)

    @cached_property
    def _cross_projections(self) -> CrossProjections:
        return CrossProjections(self.model.get_decoder())

    @cached_property
    def d_model(self) -> int:
        """Width of the memory."""
        config = self._encoder_config
        return int(getattr(config, "d_model", None) or config.hidden_size)

    @cached_property
    def d_state(self) -> int:
        """Width of the decoder's last hidden state; its token embeddings have the same."""
        return int(self.embed_tokens.weight.shape[1])

    @cached_property
    def d_head(self) -> int:
        """Width of what the output layer is given."""
        return int(self.model.get_output_embeddings().weight.shape[1])

    @cached_property
    def vocabulary(self) -> int:
        """How many tokens the decoder chooses from."""
        return int(self.model.get_output_embeddings().weight.shape[0])

    @cached_property
    def embed_tokens(self) -> torch.nn.Embedding:
        """The decoder's token embedding."""
        embedding: torch.nn.Embedding = self.model.get_decoder().get_input_embeddings()
        return embedding

    @cached_property
    def max_source(self) -> int | None:
        """How many source tokens the encoder's positions reach, or None without a limit."""
        limit = getattr(self._encoder_config, "max_position_embeddings", None)
        return int(limit) if limit else None

    @cached_property
    def max_target(self) -> int | None:
        """How many target tokens the decoder's positions reach, or None without a limit."""
        config = getattr(self.model.get_decoder(), "config", self.model.config)
        limit = getattr(config, "max_position_embeddings", None)
        return int(limit) if limit else None

    def tokenize(self, texts: Sequence[str], limit: int) -> Tokenized:
        """Turns source sentences into token ids.

        Args:
            texts: Sentences in the source language.
            limit: The most tokens a sentence may have; longer ones keep their beginning and
                their last token, which ends the sequence.

        Returns:
            The ids, and how many sentences were cut.

        Raises:
            InputError: If something in it is no text, or not Unicode.
        """
        texts = check_texts(texts)
        return self._fit(self._ids(texts) if texts else [], limit)

    def tokenize_target(self, texts: Sequence[str], limit: int) -> Tokenized:
        """Turns target sentences into token ids, as `tokenize` does for sources."""
        texts = check_texts(texts)
        return self._fit(self._ids(None, text_target=texts) if texts else [], limit)

    def _ids(self, texts: list[str] | None, **options: Any) -> list[list[int]]:
        ids: list[list[int]] = self.tokenizer(
            texts,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,  # what is too long is cut and counted here
            **options,
        ).input_ids
        return ids

    def _fit(self, ids: list[list[int]], limit: int) -> Tokenized:
        check_whole("max length", limit)
        truncated = sum(len(row) > limit for row in ids)
        return Tokenized(
            [row if len(row) <= limit else row[: limit - 1] + row[-1:] for row in ids], truncated
        )

    def detokenize(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Turns written token ids into text, without special tokens."""
        if not ids:
            return []  # The tokenizer would take no rows for one empty row.
        texts: list[str] = self.tokenizer.batch_decode(
            [list(row) for row in ids], skip_special_tokens=True
        )
        return [text.strip() for text in texts]

    @torch.inference_mode()
    def encode(self, sources: Sequence[Sequence[int]]) -> Encoded:
        """Reads sources.

        Args:
            sources: Token ids of each source.

        Returns:
            Memory, mask and cross-attention caches, one row per source.
        """
        ids, mask = (t.to(self.device) for t in pad(sources, self.pad_token))
        self.usage.encoded += len(ids)
        memory = self.model.get_encoder()(input_ids=ids, attention_mask=mask).last_hidden_state

        def decode() -> list[Tensor]:
            start = torch.full_like(ids[:, :1], self.start_token)
            # It is the caches that are wanted; but not every layer takes a batch of nothing.
            with self.head(keep=1):
                cache = self._decode(memory, mask, start).past_key_values
            layers = cache.cross_attention_cache.layers
            return [t for layer in layers for t in (layer.keys, layer.values)]

        return Encoded(memory, mask, self._cross_projections(memory, decode))

    @torch.inference_mode()
    def force(self, encoded: Encoded, targets: Sequence[Sequence[int]]) -> Tensor:
        """Writes known targets natively, in one forward.

        Args:
            encoded: The sources, one row per target.
            targets: Token ids of each target.

        Returns:
            What the output layer would be given for each target token, ``[rows, longest, d_head]``.
            Its logits, the largest part of the work, are not computed; see `LaneDecoder.step`.
        """
        fed, _ = pad([[self.start_token, *row[:-1]] for row in targets], self.pad_token)
        self.usage.forwards += sum(map(len, targets))
        with self.head(keep=1) as head:
            self._decode(encoded.memory, encoded.mask, fed.to(self.device))
        return head[0]

    @contextmanager
    def head(self, beside: Tensor | None = None, keep: int | None = None) -> Iterator[list[Tensor]]:
        """Catches what the output layer is given, and changes how much of it there is.

        Args:
            beside: Rows to add below, ``[rows, d_head]``.
            keep: How many target positions to compute logits for; all by default.

        Yields:
            A list that receives the layer's input, ``[rows, target, d_head]``.
        """
        caught: list[Tensor] = []

        def exchange(module: torch.nn.Module, args: tuple[Tensor]) -> tuple[Tensor]:
            caught.append(args[0])
            given = args[0][:, :keep]
            return (given if beside is None else torch.cat([given, beside[:, None].to(given)]),)

        hook = self.model.get_output_embeddings().register_forward_pre_hook(exchange)
        try:
            yield caught
        finally:
            hook.remove()

    def _decode(self, memory: Tensor, mask: Tensor, fed: Tensor) -> Any:
        return self.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=memory),
            attention_mask=mask,
            decoder_input_ids=fed,
            # Without it some decoders derive a mask from the tokens, where the start token, which
            # is the padding token of many hosts, would be hidden.
            decoder_attention_mask=torch.ones_like(fed),
            past_key_values=EncoderDecoderCache(DynamicCache(), DynamicCache()),
            use_cache=True,
        )

    def choose(self, logits: Tensor, first: Tensor, last: Tensor) -> Tensor:
        """What greedy `generate()` would write under the model's generation config.

        Args:
            logits: ``[lanes, vocabulary]``.
            first: True where the token is the first of its target, ``[lanes]``.
            last: True where it is the last that the length limit allows, ``[lanes]``.

        Returns:
            Token ids, ``[lanes]``.
        """
        chosen = logits.argmax(-1)
        # A forbidden token is hardly ever the likeliest: the logits need no copy without it.
        if bool(self._banned[chosen].any()):
            chosen = logits.masked_fill(self._banned, -torch.inf).argmax(-1)
        rules = self.model.generation_config
        for token, where in ((rules.forced_bos_token_id, first), (rules.forced_eos_token_id, last)):
            if token is not None:
                chosen = chosen.masked_fill(where, token)
        return chosen

    @cached_property
    def _banned(self) -> Tensor:
        rules = self.model.generation_config
        banned = torch.zeros(self.vocabulary, dtype=torch.bool, device=self.device)
        banned[[words[0] for words in rules.bad_words_ids or [] if len(words) == 1]] = True
        banned[list(rules.suppress_tokens or [])] = True
        return banned
