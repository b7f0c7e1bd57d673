"""A steered Whisper in transformers' own pipeline: short and long recordings, timestamps, beams."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutomaticSpeechRecognitionPipeline,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTokenizer,
)

from rlattn.errors import SteeringError
from rlattn.hosts import Seq2SeqHost
from tests.inference.policies import hooks, strong

_SYLLABLES = [consonant + vowel for consonant in "bdfghklm" for vowel in "aeiou"]
_MARKS = ["startoftranscript", "en", "de", "translate", "transcribe", "startofprev", "notimestamps"]
_RATE, _BINS = 16_000, 8


def _whisper() -> tuple[WhisperForConditionalGeneration, WhisperTokenizer]:
    """A tiny Whisper that hears one second at a time, and its tokenizer."""
    words = [*"abdefghiklmou", *_SYLLABLES]
    marks = [f"<|{mark}|>" for mark in _MARKS]
    tokenizer = WhisperTokenizer(
        vocab={word: index for index, word in enumerate(words)},
        merges=[tuple(word) for word in _SYLLABLES],
        pad_token="<|endoftext|>",
    )
    tokenizer.add_special_tokens({"additional_special_tokens": marks})
    tokenizer.add_tokens([f"<|{step / 50:.2f}|>" for step in range(51)])
    start, en, de, translate, transcribe, previous, plain = tokenizer.convert_tokens_to_ids(marks)
    end = tokenizer.eos_token_id
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        num_mel_bins=_BINS,
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_source_positions=50,
        max_target_positions=64,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=start,
        begin_suppress_tokens=None,
        init_std=0.3,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = WhisperForConditionalGeneration(config)
    rules = model.generation_config
    rules.is_multilingual, rules.no_timestamps_token_id = True, plain
    rules.lang_to_id = {"<|en|>": en, "<|de|>": de}
    rules.task_to_id = {"transcribe": transcribe, "translate": translate}
    rules.prev_sot_token_id, rules.max_initial_timestamp_index = previous, 10
    rules.max_length = 14
    return model, tokenizer


@pytest.fixture(scope="module")
def whisper() -> Seq2SeqHost:
    model, tokenizer = _whisper()
    return Seq2SeqHost(model, tokenizer, "tiny-Whisper")


@pytest.fixture(scope="module")
def listen(whisper: Seq2SeqHost) -> AutomaticSpeechRecognitionPipeline:
    return AutomaticSpeechRecognitionPipeline(
        model=whisper.model,
        tokenizer=whisper.tokenizer,
        feature_extractor=WhisperFeatureExtractor(feature_size=_BINS, chunk_length=1),
    )


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(int(seconds * _RATE)).astype(np.float32)


RECORDINGS: dict[str, tuple[float, dict[str, Any]]] = {
    "short": (0.9, {"generate_kwargs": {"num_beams": 1}}),
    "with beams": (0.9, {}),  # of which the pipeline takes five, left to itself
    "translated": (0.9, {"generate_kwargs": {"language": "de", "task": "translate"}}),
    "with timestamps": (0.9, {"return_timestamps": True}),
    "long": (1.6, {"return_timestamps": True, "generate_kwargs": {"num_beams": 1}}),
    "long, conditioned": (
        1.6,
        {
            "return_timestamps": True,
            "generate_kwargs": {
                "condition_on_prev_tokens": True,
                "temperature": (0.0, 0.4),
                "logprob_threshold": -1.0,
                "compression_ratio_threshold": 1.35,
                "num_beams": 1,
            },
        },
    ),
}


@pytest.mark.parametrize(("seconds", "settings"), RECORDINGS.values(), ids=RECORDINGS)
def test_a_recording_is_heard_as_the_policy_lets_it(
    listen: Any, whisper: Seq2SeqHost, seconds: float, settings: dict[str, Any]
) -> None:
    policy, sound = strong(whisper, "gate", seed=2), noise(seconds)
    torch.manual_seed(0)
    native = listen(sound, **settings)
    with policy.steer(whisper.model):
        torch.manual_seed(0)
        steered = listen(sound, **settings)
        torch.manual_seed(0)
        assert listen(sound, **settings) == steered
    torch.manual_seed(0)
    assert listen(sound, **settings) == native != steered
    assert hooks(whisper) == 0


def test_recordings_of_a_batch_are_heard_as_alone(listen: Any, whisper: Seq2SeqHost) -> None:
    sounds = [noise(0.9, seed) for seed in range(3)]
    with strong(whisper, "per-layer:gate").steer(whisper.model):
        together = listen(sounds, batch_size=3)
        assert together == [listen(sound) for sound in sounds]


def test_a_prompt_and_what_is_heard_are_one_trace(listen: Any, whisper: Seq2SeqHost) -> None:
    features = listen.feature_extractor(noise(0.9), sampling_rate=_RATE, return_tensors="pt")
    settings = {"language": "de", "max_new_tokens": 5, "return_dict_in_generate": True}
    with strong(whisper).steer(whisper.model, trace=True) as trace:
        greedy = whisper.model.generate(**features, **settings)
        steps, length = len(trace.attention), greedy.sequences.shape[1]
        beams = whisper.model.generate(**features, **settings, num_beams=3)
    # The last token is read by nobody, and the prompt begins with start, language and task.
    assert steps == length - 1 > 4
    assert len(trace.attention) == len(trace.opened) == beams.sequences.shape[1] - 1
    assert trace.reads_fraction.shape == (1,)


def test_where_beams_are_not_told_the_trace_is_empty(listen: Any, whisper: Seq2SeqHost) -> None:
    with strong(whisper).steer(whisper.model, trace=True) as trace:
        listen(noise(0.9), generate_kwargs={"num_beams": 3})
        assert (trace.attention, trace.opened, len(trace.reads_fraction)) == ([], [], 0)
        listen(noise(0.9), generate_kwargs={"num_beams": 1})
        assert trace.attention
        assert len(trace.reads_fraction) == 1


def test_timestamps_of_words_are_refused_by_name(listen: Any, whisper: Seq2SeqHost) -> None:
    with (
        strong(whisper).steer(whisper.model),
        pytest.raises(SteeringError, match=r"return_token_timestamps.*return_timestamps=True"),
    ):
        listen(noise(0.9), return_timestamps="word")
