"""A joint byte-level BPE tokenizer, learned from the text that it will read and write.

Byte-pair encoding for translation is due to Sennrich et al. (2016), "Neural Machine Translation of
Rare Words with Subword Units"; working on bytes (Radford et al., 2019) leaves no text unknown.
"""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.normalizers import NFC
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

PAD, EOS = "<pad>", "</s>"
SMALLEST_VOCABULARY = 256 + len((PAD, EOS))
"""Every byte and the special tokens."""

# Words, single digits and runs of signs, each with the space before it; merges never cross them.
# Numbers stay apart in digits because they are copied, and no corpus holds all of them.
_PIECES = Regex(r" ?[\p{L}\p{M}]+| ?\p{N}| ?[^\s\p{L}\p{M}\p{N}]+|\s+(?!\S)|\s+")


def train_tokenizer(
    texts: Iterable[str], vocab_size: int, max_length: int, frame: str = f"$A {EOS}"
) -> PreTrainedTokenizerFast:
    """Learns a tokenizer that ends each text with `</s>` and gives it back unchanged.

    Decoding returns the text in Unicode normal form C, its spaces and punctuation as they were.

    Args:
        texts: Sentences of both languages.
        vocab_size: The most tokens, at least `SMALLEST_VOCABULARY`; short texts give fewer.
        max_length: The most tokens of a text that the model takes, recorded in the tokenizer.
        frame: Where `</s>` stands, if not behind the text, ``$A``.

    Returns:
        A tokenizer that `AutoTokenizer` loads once it is saved; `<pad>` is token 0, `</s>` is 1.
    """
    tokenizer = Tokenizer(BPE())
    tokenizer.normalizer = NFC()
    tokenizer.pre_tokenizer = Sequence(
        [Split(_PIECES, "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[PAD, EOS],
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = TemplateProcessing(
        single=frame,
        pair=f"{frame} {frame.replace('$A', '$B')}",
        special_tokens=[(EOS, tokenizer.token_to_id(EOS))],
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=EOS,
        model_max_length=max_length,
        clean_up_tokenization_spaces=False,
    )
