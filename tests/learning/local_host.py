"""A host made by hand, whose memory is position-local and whose alignment is therefore known.

The encoder has no layers: what the memory holds of a source token is the token and its position,
and nothing of its neighbours. One decoder layer with one head looks where it is told to and
writes the token that it found there; others are idle. Nothing is learned, nothing is random.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from torch import Tensor
from transformers import GenerationConfig, MarianConfig, MarianMTModel, PreTrainedTokenizerFast

from rlattn.hosts import Seq2SeqHost

LETTERS = "abcdefghijkl"
PAD, EOS = "<pad>", "</s>"
VOCABULARY = [PAD, EOS, *LETTERS]
POSITIONS = 12
"""The longest source and target, the end token included."""

_TOKENS = slice(0, len(VOCABULARY))
_PLACES = slice(len(VOCABULARY), len(VOCABULARY) + POSITIONS)
_LOUD = 8.0
"""How much stronger what was read is than what the decoder knows of its own position."""
_SURE = 1.0
"""Scale of the output logits: a missed token costs a few nats, as it does a trained host."""


def local_host(aligned: Sequence[int] | None, focus: float = 4.0, idle: int = 0) -> Seq2SeqHost:
    """Makes a host that writes the tokens that it reads.

    Args:
        aligned: The source position that native attention is on at each step, all different, at
            most `POSITIONS` of them; None for a host that looks everywhere alike.
        focus: By how much the attention logit of that position is above all others.
        idle: How many layers more the decoder has, which change nothing whatever they read.

    Returns:
        The host; its tokens are words, and its texts single letters with spaces between them.
    """
    config = MarianConfig(
        vocab_size=len(VOCABULARY),
        d_model=len(VOCABULARY) + POSITIONS,
        encoder_layers=0,
        decoder_layers=1 + idle,
        encoder_attention_heads=1,
        decoder_attention_heads=1,
        encoder_ffn_dim=1,
        decoder_ffn_dim=1,
        max_position_embeddings=POSITIONS,
        scale_embedding=False,
        pad_token_id=VOCABULARY.index(PAD),
        eos_token_id=VOCABULARY.index(EOS),
        decoder_start_token_id=VOCABULARY.index(PAD),
        bos_token_id=None,
        forced_eos_token_id=None,
        attn_implementation="eager",
    )
    model = MarianMTModel(config)
    model.generation_config = GenerationConfig(
        bad_words_ids=[[config.pad_token_id]],
        pad_token_id=config.pad_token_id,
        eos_token_id=config.eos_token_id,
        decoder_start_token_id=config.decoder_start_token_id,
    )
    with torch.no_grad():
        _write_weights(model, _query(aligned, focus))
    return Seq2SeqHost(model, _tokenizer(), "local")


def _query(aligned: Sequence[int] | None, focus: float) -> Tensor:
    """What a step at each target position asks each source position for, ``[source, target]``."""
    query = torch.zeros(POSITIONS, POSITIONS)
    if aligned is not None:
        query[list(aligned), range(len(aligned))] = focus
    return query


def _write_weights(model: MarianMTModel, query: Tensor) -> None:
    width = model.config.d_model
    decoder = model.model.decoder
    layer = decoder.layers[0]
    for parameter in decoder.layers.parameters():
        parameter.zero_()
    for idle in decoder.layers[1:]:
        for norm in (
            idle.self_attn_layer_norm,
            idle.encoder_attn_layer_norm,
            idle.final_layer_norm,
        ):
            norm.weight.fill_(1.0)  # what was normed before stays as it is
    # Tokens and positions are unit vectors in two halves of the space.
    model.model.shared.weight.copy_(torch.eye(width)[_TOKENS])
    for stack in (model.model.encoder, decoder):
        stack.embed_positions.weight.copy_(torch.eye(width)[_PLACES])
    # The norm after the idle self-attention forgets the token that was fed. What it makes of the
    # unit vector of a position is measured, and the query is scaled such that it does not matter.
    layer.self_attn_layer_norm.weight[_PLACES] = 1.0
    fed = torch.eye(width)[[_TOKENS.start, *range(_PLACES.start, _PLACES.stop)]]
    normed = layer.self_attn_layer_norm(fed[:1] + fed[1:])[:, _PLACES]
    contrast = normed[0, 0] - normed[0, 1]
    cross = layer.encoder_attn
    cross.q_proj.weight[_PLACES, _PLACES] = query * width**0.5 / contrast
    cross.k_proj.weight[_PLACES, _PLACES] = torch.eye(POSITIONS)
    cross.v_proj.weight[_TOKENS, _TOKENS] = torch.eye(len(VOCABULARY))
    cross.out_proj.weight.copy_(_LOUD * torch.eye(width))
    layer.encoder_attn_layer_norm.weight.fill_(1.0)
    layer.final_layer_norm.weight.fill_(1.0)
    layer.final_layer_norm.weight[_TOKENS] = _SURE


def _tokenizer() -> PreTrainedTokenizerFast:
    words = {word: number for number, word in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(WordLevel(words))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.post_processor = TemplateProcessing(
        single=f"$A {EOS}", special_tokens=[(EOS, words[EOS])]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD, eos_token=EOS)
