"""Every encoder-decoder: what docs/models.md says of it is so, and steering it leaves no trace."""

from __future__ import annotations

import threading
from copy import deepcopy

import pytest
import torch
from torch import Tensor
from transformers.models.auto import modeling_auto
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from rlattn.errors import RlattnError, SteeringError, UnsupportedModelError
from rlattn.steering import Allocation, Steering, SteeringMode, steer
from tests.steering.checks import MODES, one_position
from tests.steering.models import SUPPORTED
from tests.steering.models_page import PAGE, claims, holds, refusals, renewed
from tests.steering.readers import Reader, state
from tests.steering.subjects import DTYPES, subject
from tests.steering.unsupported import UNSUPPORTED

WRITERS = (
    modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
    modeling_auto.MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES,
    modeling_auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
    modeling_auto.MODEL_FOR_TEXT_TO_WAVEFORM_MAPPING_NAMES,
    modeling_auto.MODEL_FOR_TEXT_TO_SPECTROGRAM_MAPPING_NAMES,
)
"""Where transformers keeps its encoder-decoders, among others."""


@pytest.fixture(params=SUPPORTED)
def family(request: pytest.FixtureRequest) -> str:
    """Every family in turn."""
    return request.param


@pytest.fixture
def reader(family: str) -> Reader:
    """A reader of every family in turn, in float32."""
    return subject(family, "float32").reader


def gate(reader: Reader, position: int = 1) -> Allocation:
    """A gate that leaves one position of every lane open."""
    return Allocation("gate", one_position(reader.valid, position).bool())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_mode_works_where_the_page_says_so(family: str, dtype: str, mode: SteeringMode) -> None:
    if claims()[family, mode, dtype]:
        holds(family, mode, dtype)
    else:
        with pytest.raises((AssertionError, RlattnError)):
            holds(family, mode, dtype)


@pytest.mark.parametrize("family", UNSUPPORTED)
def test_what_cannot_be_steered_is_refused_by_name_and_in_the_words_of_the_page(
    family: str,
) -> None:
    model = UNSUPPORTED[family]().eval()
    before = state(model)
    with pytest.raises(UnsupportedModelError) as refusal:
        Steering(model)
    assert str(refusal.value) == f"{type(model).__name__} cannot be steered: {refusals()[family]}"
    assert state(model) == before


def test_the_page_lists_these_models_and_no_others() -> None:
    assert {name for name, _, _ in claims()} == set(SUPPORTED)
    assert set(refusals()) == set(UNSUPPORTED)


def test_renewing_the_page_changes_nothing_where_nothing_changed() -> None:
    assert renewed(lambda *claim: claims()[claim], refusals().get) == PAGE.read_text("utf-8")


def test_every_encoder_decoder_of_transformers_is_on_the_page() -> None:
    builds = [*SUPPORTED.values(), *UNSUPPORTED.values()]
    known = {build().config.model_type for build in builds}
    every = {name for names in WRITERS for name in names if name in CONFIG_MAPPING}
    pairs = {name for name in every if getattr(CONFIG_MAPPING[name], "is_encoder_decoder", False)}
    assert pairs <= known, "add it to models.py or unsupported.py, then renew the page"


@pytest.mark.parametrize(
    ("family", "lengths"),
    [
        ("Marian", [7, 4, 2]),
        ("Speech2Text", [7, 4, 2]),
        ("Moonshine", [5, 4, 2]),
        ("Donut", 3 * [4]),
    ],
)
def test_padding_is_counted_in_positions_of_the_memory(family: str, lengths: list[int]) -> None:
    reader = subject(family, "float32").reader
    expected = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    assert torch.equal(reader.valid, expected)


def test_steering_does_not_depend_on_the_attention_that_a_model_has(reader: Reader) -> None:
    model = deepcopy(reader.model)
    model.set_attn_implementation("eager")
    eager = Reader(model, reader.inputs, reader.valid, reader.target)
    with steer(model, None), steer(reader.model, None):
        assert (eager.logits() - reader.logits()).abs().max() < 1e-5
    with steer(model, gate(reader)), steer(reader.model, gate(reader)):
        assert (eager.logits() - reader.logits()).abs().max() < 1e-5


def test_the_model_is_what_it_was_after_exit(reader: Reader) -> None:
    before, logits = state(reader.model), reader.logits()
    with steer(reader.model, gate(reader)) as steering:
        steered = reader.logits()
    assert state(reader.model) == before
    assert torch.equal(reader.logits(), logits)
    with steering:
        assert torch.equal(reader.logits(), steered), "a steering can be entered again"


def test_the_model_is_what_it_was_after_an_exception(reader: Reader) -> None:
    before, logits = state(reader.model), reader.logits()
    with pytest.raises(KeyError), steer(reader.model, gate(reader)):
        raise KeyError
    with pytest.raises(SteeringError), steer(reader.model, Allocation("bias", torch.zeros(1, 1))):
        reader.logits()
    assert state(reader.model) == before
    assert torch.equal(reader.logits(), logits)


def test_finding_the_cross_attention_leaves_no_trace(reader: Reader) -> None:
    model = deepcopy(reader.model).train()  # one that is not known yet
    before, numbers = state(model), torch.get_rng_state()
    steering = Steering(model)
    assert (steering.layers_count, steering.heads_count) == (2, 2)
    assert state(model) == before
    assert torch.equal(torch.get_rng_state(), numbers)


def test_steerings_do_not_nest(reader: Reader) -> None:
    name = type(reader.model).__name__
    with steer(reader.model, gate(reader)) as steering:
        logits = reader.logits()
        for again in (steering, steer(reader.model, None)):
            with pytest.raises(SteeringError, match=f"{name} is already being steered"):
                again.__enter__()
        assert torch.equal(reader.logits(), logits)


def test_threads_steer_models_of_a_family_and_of_another(family: str) -> None:
    names = list(SUPPORTED)
    neighbour = names[(names.index(family) + 1) % len(names)]
    of = [(family, "float32"), (family, "bfloat16"), (neighbour, "float32")]
    readers = [subject(*which).reader for which in of]
    gates = [gate(reader, position) for reader, position in zip(readers, (1, 2, 1), strict=True)]

    def steered(i: int) -> Tensor:
        with steer(readers[i].model, gates[i]):
            return readers[i].logits()

    alone = [steered(i) for i in range(3)]
    together: list[list[Tensor]] = [[], [], []]
    start = threading.Barrier(3)

    def work(i: int) -> None:
        start.wait()
        together[i] += [steered(i) for _ in range(3)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for expected, seen in zip(alone, together, strict=True):
        assert len(seen) == 3
        assert all(torch.equal(logits, expected) for logits in seen)
