"""One learned vector that weighs the memory, the same at every step: ``alpha_i ∝ exp(a_i · w)``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers.modeling_outputs import BaseModelOutput

from rlattn.agents.descent import descend
from rlattn.agents.lessons import Lesson, lessons
from rlattn.agents.validation import Validator
from rlattn.corpora import Pair
from rlattn.hosts import Encoded, Seq2SeqHost
from rlattn.hosts.classifier import EncodedTexts
from rlattn.inference import Trace, Translations
from rlattn.inference.order import by_length
from rlattn.inference.translation import in_batches
from rlattn.steering import Allocation, steer

_BATCH = 64
"""How many sentences are written at once."""


@dataclass(frozen=True)
class WeightsSettings:
    """Settings of `learn_weights`.

    Attributes:
        learning_rate: At the start; it falls linearly to a tenth.
        clip: The most that the norm of a gradient may be.
    """

    learning_rate: float = 2e-2
    clip: float = 1.0


@dataclass(frozen=True, eq=False)
class WeightVector:
    """Translates greedily with attention that depends on the source alone.

    Attributes:
        host: The frozen translator.
        vector: What the rows of the memory are multiplied by, ``[d_model]``.
        max_source: Longer sources are cut, in tokens.
        max_target: The most tokens to write.
    """

    host: Seq2SeqHost
    vector: Tensor
    max_source: int = 64
    max_target: int = 64

    @torch.no_grad()
    def __call__(self, sentences: Sequence[str]) -> Translations:
        """Translates sentences; all of a source is read.

        Args:
            sentences: In the source language.
        """
        sources = self.host.tokenize(sentences, self.max_source)

        def write(here: Sequence[int]) -> tuple[Tensor, Trace]:
            encoded = self.host.encode([sources.ids[i] for i in here])
            with steer(self.host.model, weighed(encoded, self.vector)):
                written = self.host.model.generate(
                    encoder_outputs=BaseModelOutput(last_hidden_state=encoded.memory.clone()),
                    attention_mask=encoded.mask.long(),
                    max_new_tokens=self.max_target,
                    num_beams=1,
                    do_sample=False,
                )
            return written, Trace()

        return in_batches(self.host, sources, by_length(sources, _BATCH), write)


def weighed(encoded: Encoded | EncodedTexts, vector: Tensor) -> Allocation:
    """The attention that a vector gives to sources, in place of all layers' and heads' own."""
    scores = (encoded.memory.to(vector) @ vector).masked_fill(~encoded.mask, -torch.inf)
    return Allocation("replace", scores.softmax(-1))


def learn_weights(
    host: Seq2SeqHost,
    pairs: Sequence[Pair],
    settings: WeightsSettings | None = None,
    *,
    steps: int,
    validator: Validator[WeightVector],
    every: int,
    lanes: int = 16,
    max_source: int = 64,
    max_target: int = 64,
    seed: int = 0,
    progress: bool = True,
) -> WeightVector:
    """Learns a vector by the cross-entropy of the reference's tokens, through the frozen host.

    It starts from zero, which looks everywhere alike. As the allocation is the same at all steps, a
    whole target is one forward.

    Args:
        host: The frozen translator.
        pairs: What is learned from.
        settings: See there; the defaults when not given.
        steps: Environment steps, all lanes together.
        validator: Sees the vector before, now and then, and at the end; it keeps the best.
        every: Environment steps between two validations.
        lanes: Sentences in a batch, each of which is an update.
        max_source: Longer sources are cut, in tokens.
        max_target: Longer targets are cut, in tokens.
        seed: Fixes the order of the sentences.
        progress: Whether to draw a progress bar.

    Returns:
        The vector at the end.
    """
    settings = settings or WeightsSettings()
    vector = torch.zeros(host.d_model, device=host.device, requires_grad=True)

    def now() -> WeightVector:
        return WeightVector(host, vector.detach().clone(), max_source, max_target)

    descend(
        [vector],
        lessons(
            host,
            pairs,
            prefix="reference",
            lanes=lanes,
            max_source=max_source,
            max_target=max_target,
            seed=seed,
        ),
        lambda lesson, used: (surprise(host, lesson, vector), lesson.tokens),
        lambda env_steps: validator.validate(now(), env_steps),
        learning_rate=settings.learning_rate,
        clip=settings.clip,
        steps=steps,
        every=every,
        seed=seed,
        progress=progress,
    )
    return now()


def surprise(host: Seq2SeqHost, lesson: Lesson, vector: Tensor) -> Tensor:
    """The cross-entropy of the targets under a vector, in nats, summed over target tokens."""
    start = torch.full_like(lesson.targets[:, :1], host.start_token)
    fed = torch.cat([start, lesson.targets[:, :-1]], dim=1)
    with steer(host.model, weighed(lesson.encoded, vector)):
        logits = host.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=lesson.encoded.memory),
            attention_mask=lesson.encoded.mask.long(),
            decoder_input_ids=fed,
            # The start token of many hosts is their padding token: no mask is to be made of it.
            decoder_attention_mask=torch.ones_like(fed),
            use_cache=False,
        ).logits
    host.usage.forwards += lesson.tokens
    host.usage.backwards += lesson.tokens
    steps = np.arange(fed.shape[1]) < lesson.lengths[:, None]
    real = torch.as_tensor(steps, device=fed.device)
    written = logits[real].to(torch.promote_types(logits.dtype, torch.float32))
    return F.cross_entropy(written, lesson.targets[real], reduction="sum")
