"""What a gate shuts never reaches the logits; all open is the plain model; company is no matter."""

from __future__ import annotations

import pytest
import torch
import transformers
from torch import Tensor

from rlattn.errors import InputError, SteeringError, UnsupportedModelError
from rlattn.hosts.classifier import SequenceClassifierHost
from rlattn.hosts.classifier.sequence import FramedTexts
from rlattn.steering import Allocation
from tests.hosts.classifier.small import (
    CLS,
    CONFIGS,
    LABELS,
    PAD,
    SEP,
    SOURCE,
    STEERABLE,
    UNK,
    small_classifier,
    small_model,
    small_tokenizer,
)
from tests.hosts.tiny import sentences

TEXTS = sentences(12)


@pytest.fixture(scope="module", params=CONFIGS)
def classifier(request: pytest.FixtureRequest) -> SequenceClassifierHost:
    return small_classifier(request.param)


@pytest.fixture(scope="module", params=STEERABLE)
def steerable(request: pytest.FixtureRequest) -> SequenceClassifierHost:
    """One that pools its first row."""
    return small_classifier(request.param)


def encode(host: SequenceClassifierHost, texts: list[str] = TEXTS) -> FramedTexts:
    return host.encode(host.tokenize(texts, SOURCE).ids)


def gates(encoded: FramedTexts, share: float = 0.5) -> Tensor:
    return torch.rand(encoded.mask.shape) < share


def test_it_is_frozen_and_says_what_it_is(classifier: SequenceClassifierHost) -> None:
    assert not any(module.training for module in classifier.model.modules())
    assert not any(weight.requires_grad for weight in classifier.model.parameters())
    assert classifier.labels == LABELS
    assert len(classifier.fingerprint) == 64


def test_all_open_is_the_plain_model(classifier: SequenceClassifierHost) -> None:
    batch = small_tokenizer()(TEXTS, return_tensors="pt", padding=True, return_token_type_ids=False)
    expected, encoded = classifier.model(**batch).logits, encode(classifier)
    everything = Allocation("gate", torch.ones_like(encoded.mask))
    for found in (classifier.classify(encoded), classifier.classify(encoded, everything)):
        assert found.shape == (len(TEXTS), len(LABELS))
        torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.6, 0.9])
def test_what_is_shut_changes_nothing(classifier: SequenceClassifierHost, share: float) -> None:
    sources = classifier.tokenize(TEXTS, SOURCE).ids
    encoded = classifier.encode(sources)
    opened = gates(encoded, share)
    other = [
        [token if keep else UNK for token, keep in zip(row, kept, strict=False)]
        for row, kept in zip(sources, opened.tolist(), strict=True)
    ]
    allocation = Allocation("gate", opened)
    assert sources != other
    found = classifier.classify(classifier.encode(other), allocation)
    assert torch.equal(found, classifier.classify(encoded, allocation))


def test_eager_attention_is_steered_as_well() -> None:
    eager = small_model()
    eager.set_attn_implementation("eager")
    host, other = small_classifier(), SequenceClassifierHost(eager, small_tokenizer())
    encoded = encode(host)
    values = 0.1 + 0.9 * torch.rand(encoded.mask.shape)
    for allocation in (None, Allocation("gate", values > 0.5), Allocation("scale", values)):
        expected, found = (each.classify(encoded, allocation) for each in (host, other))
        torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-4)


def test_what_is_open_matters(classifier: SequenceClassifierHost) -> None:
    encoded = encode(classifier)
    nothing = Allocation("gate", torch.zeros_like(encoded.mask))
    prior = classifier.classify(encoded, nothing)
    assert not torch.allclose(classifier.classify(encoded), prior, atol=1e-2)


def test_a_text_is_read_alike_alone_and_in_a_batch(classifier: SequenceClassifierHost) -> None:
    sources = classifier.tokenize(TEXTS, SOURCE).ids
    together = classifier.encode(sources)
    opened = gates(together)
    logits = classifier.classify(together, Allocation("gate", opened))
    looked = classifier.native_attention(together)
    for row, source in enumerate(sources):
        alone, width = classifier.encode([source]), len(source)
        assert together.mask[row].sum() == width
        assert torch.equal(together.memory[row, :width], alone.memory[0])
        found = classifier.classify(alone, Allocation("gate", opened[row, None, :width]))
        torch.testing.assert_close(found[0], logits[row], rtol=0.0, atol=1e-4)
        torch.testing.assert_close(
            classifier.native_attention(alone)[0], looked[row, :width], rtol=0.0, atol=1e-5
        )


def test_many_texts_are_labelled_as_each_is_alone(classifier: SequenceClassifierHost) -> None:
    torch.manual_seed(1)
    lengths = torch.randint(1, 30, (40,)).tolist()
    encoded = classifier.encode([torch.randint(5, 40, (n,)).tolist() for n in lengths])
    gates = (torch.rand(encoded.mask.shape) < torch.rand(40, 1)) & encoded.mask
    together = classifier.classify(encoded, Allocation("gate", gates))
    for row in range(40):
        here = torch.tensor([row])
        alone = classifier.classify(encoded.take(here), Allocation("gate", gates[here]))
        torch.testing.assert_close(together[here], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", ["Bert", "Roberta", "DistilBert", "Electra"])
def test_few_open_tokens_are_computed_alone_and_it_is_the_same(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = small_classifier(family)
    encoded = encode(host)
    allocation = Allocation("gate", gates(encoded, 0.15))
    widths = []
    hook = host.model.register_forward_pre_hook(
        lambda _module, _args, given: widths.append(given["input_ids"].shape[1]), with_kwargs=True
    )
    gathered = host.classify(encoded, allocation)
    monkeypatch.setattr("rlattn.hosts.classifier.sequence._FEW", 0.0)
    masked = host.classify(encoded, allocation)
    hook.remove()
    assert widths[0] < 0.7 * widths[1]
    torch.testing.assert_close(gathered, masked, rtol=0.0, atol=1e-4)


def test_where_attention_is_local_columns_are_not_left_out() -> None:
    assert small_classifier("ModernBert")._found.first_position is None


def test_what_a_policy_sees_knows_nothing_of_the_company(
    classifier: SequenceClassifierHost,
) -> None:
    assert classifier.encode([[4, 5]]).memory.shape == (1, 2, classifier.d_model)
    one, other = classifier.encode([[4, 5]]).memory, classifier.encode([[4, 6]]).memory
    assert torch.equal(one[:, 0], other[:, 0])
    assert not torch.equal(one[:, 1], other[:, 1])


def test_native_attention_is_that_of_the_pooled_row_over_the_texts_own_tokens() -> None:
    host, (ids,) = small_classifier(), small_tokenizer()(TEXTS[:1]).input_ids
    eager = small_model()
    eager.set_attn_implementation("eager")
    looked = eager(torch.tensor([ids]), output_attentions=True).attentions[-1][0, :, 0].mean(0)
    expected = looked[1:-1] / looked[1:-1].sum()
    found = host.native_attention(encode(host, TEXTS[:1]))[0]
    torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-5)


def test_native_attention_is_a_distribution(classifier: SequenceClassifierHost) -> None:
    encoded = encode(classifier)
    looked = classifier.native_attention(encoded)
    assert looked.shape == encoded.mask.shape
    assert looked[~encoded.mask].eq(0).all()
    torch.testing.assert_close(looked.sum(1), torch.ones(len(TEXTS)))


def neutral(encoded: FramedTexts) -> dict[str, Allocation]:
    """What changes nothing, mode by mode."""
    ones = torch.ones(encoded.mask.shape)
    return {
        "bias": Allocation("bias", 0 * ones),
        "scale": Allocation("scale", ones),
        "gate": Allocation("gate", ones),
        "mix": Allocation("mix", ones, torch.tensor(0.0)),
    }


@pytest.mark.parametrize("mode", ["bias", "scale", "gate", "mix"])
def test_softer_allocations_that_change_nothing_are_native(
    steerable: SequenceClassifierHost, mode: str
) -> None:
    encoded = encode(steerable)
    found = steerable.classify(encoded, neutral(encoded)[mode])
    torch.testing.assert_close(found, steerable.classify(encoded), rtol=0.0, atol=1e-4)


@pytest.mark.parametrize("mode", ["bias", "scale", "replace", "mix", "gate"])
def test_softer_allocations_matter_and_the_padding_under_them_does_not(
    steerable: SequenceClassifierHost, mode: str
) -> None:
    encoded = encode(steerable)
    values = 0.1 + 0.9 * torch.rand(encoded.mask.shape)
    weight = torch.tensor(0.9) if mode == "mix" else None
    found = steerable.classify(encoded, Allocation(mode, values, weight))  # type: ignore[arg-type]
    garbled = torch.where(encoded.mask, values, torch.nan)
    again = steerable.classify(encoded, Allocation(mode, garbled, weight))  # type: ignore[arg-type]
    assert torch.equal(found, again)
    assert not torch.allclose(found, steerable.classify(encoded), atol=1e-3)


def test_a_gate_of_zeros_and_ones_keeps_as_much_out_as_one_of_bools(
    steerable: SequenceClassifierHost,
) -> None:
    encoded = encode(steerable)
    opened = gates(encoded)
    expected = steerable.classify(encoded, Allocation("gate", opened))
    layers, heads = 2, 2
    each = opened[:, None, None].expand(-1, layers, heads, -1)
    for values in (opened.float(), each, each.float()):
        found = steerable.classify(encoded, Allocation("gate", values))
        torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-4)


def test_a_shared_gate_of_zeros_and_ones_is_removal_whatever_is_pooled(
    classifier: SequenceClassifierHost,
) -> None:
    encoded = encode(classifier)
    opened = gates(encoded)
    found = classifier.classify(encoded, Allocation("gate", opened.float()))
    expected = classifier.classify(encoded, Allocation("gate", opened))
    torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-4)


@pytest.mark.parametrize("family", ["Bert", "DistilBert", "ModernBert", "ModernBertMean"])
def test_the_gradient_of_a_gate_is_that_of_finite_differences(family: str) -> None:
    model = small_model(family, initializer_range=0.1).double()
    exact = SequenceClassifierHost(model, small_tokenizer(), "exact")
    encoded = encode(exact, TEXTS[:2])

    def total(values: Tensor) -> Tensor:
        return exact.classify(encoded, Allocation("gate", values))[:, 0].double().sum()

    # What is open, shut, and open in part: the derivative at 0 is from above.
    values = torch.rand(encoded.mask.shape, dtype=torch.double).round(decimals=1)
    values[:, 0], values[:, 1] = 0.0, 1.0
    found = values.clone().requires_grad_()
    total(found).backward()
    assert found.grad is not None
    for row, place in encoded.mask.nonzero().tolist():
        step = torch.zeros_like(values)
        step[row, place] = 1e-2 if values[row, place] < 1 else -1e-2
        # Of third order, for there is no other side to look at.
        ahead = [total(values + n * step) for n in range(4)]
        difference = (-11 * ahead[0] + 18 * ahead[1] - 9 * ahead[2] + 2 * ahead[3]) / 6
        slope = difference / step[row, place]
        torch.testing.assert_close(found.grad[row, place], slope, rtol=1e-2, atol=2e-4)
    assert found.grad[encoded.mask].ne(0).all()
    assert found.grad[~encoded.mask].eq(0).all()


def test_gradients_reach_an_allocation(steerable: SequenceClassifierHost) -> None:
    encoded = encode(steerable)
    bias = torch.zeros(encoded.mask.shape, requires_grad=True)
    steerable.classify(encoded, Allocation("bias", bias))[:, 0].sum().backward()
    assert bias.grad is not None
    assert bias.grad[encoded.mask].ne(0).float().mean() > 0.9
    assert bias.grad[~encoded.mask].eq(0).all()


def test_a_model_that_pools_all_rows_takes_what_layers_and_heads_share() -> None:
    host = small_classifier("ModernBertMean")
    encoded = encode(host)
    each = torch.zeros(len(TEXTS), 2, 2, encoded.mask.shape[1])
    weight = torch.zeros(len(TEXTS), 1, 1)
    for allocation in (Allocation("bias", each), Allocation("mix", each[:, 0, 0] + 1, weight)):
        with pytest.raises(InputError, match=r"pools all its rows.*that all of them share"):
            host.classify(encoded, allocation)


def test_where_all_rows_are_pooled_an_allocation_is_their_weights() -> None:
    host = small_classifier("ModernBertMean")
    encoded = encode(host)
    for mode, allocation in neutral(encoded).items():
        found = host.classify(encoded, allocation)
        torch.testing.assert_close(found, host.classify(encoded), rtol=0.0, atol=1e-4, msg=mode)
    bias = torch.randn(encoded.mask.shape, requires_grad=True)
    moved = host.classify(encoded, Allocation("bias", bias))
    assert not torch.allclose(moved, host.classify(encoded), atol=1e-3)
    moved[:, 0].sum().backward()
    assert bias.grad is not None
    assert bias.grad[encoded.mask].ne(0).all()
    # Equal shares of what is the text's own are the native mean.
    equal = Allocation("replace", encoded.mask.float())
    found = host.classify(encoded, equal)
    torch.testing.assert_close(found, host.classify(encoded), rtol=0.0, atol=1e-4)


def test_an_allocation_for_other_texts_is_refused(steerable: SequenceClassifierHost) -> None:
    encoded = encode(steerable)
    for values in (torch.ones(3, 5, dtype=torch.bool), torch.ones(3, 5)):
        with pytest.raises(SteeringError, match="do not fit"):
            steerable.classify(encoded, Allocation("gate", values))


def test_the_model_stays_as_it_was() -> None:
    model = small_model()
    before = model.config._attn_implementation
    host = SequenceClassifierHost(model, small_tokenizer())
    encoded = encode(host)
    with pytest.raises(SteeringError, match="not finite"):
        host.classify(encoded, Allocation("bias", torch.full(encoded.mask.shape, torch.nan)))
    assert model.config._attn_implementation == before
    assert host.classify(encoded).isfinite().all()


def test_long_texts_fit_as_far_as_positions_reach(classifier: SequenceClassifierHost) -> None:
    assert classifier.max_source is not None
    sources = [[5] * classifier.max_source]
    assert classifier.classify(classifier.encode(sources)).isfinite().all()


def test_of_an_empty_text_its_special_tokens_are_read(classifier: SequenceClassifierHost) -> None:
    ids = torch.tensor([[CLS, SEP]])
    expected = classifier.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0]
    for sources in ([[]], [[5, 6, 7], []]):
        encoded = classifier.encode(sources)
        torch.testing.assert_close(classifier.classify(encoded)[-1], expected, rtol=0.0, atol=1e-5)
        assert classifier.native_attention(encoded)[-1].eq(0).all()


def test_work_is_counted() -> None:
    host = small_classifier()
    assert (host.usage.encoded, host.usage.forwards) == (0, 0)
    encoded = encode(host)
    host.classify(encoded)
    host.native_attention(encoded)
    assert (host.usage.encoded, host.usage.forwards) == (12, 24)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("Deberta", "attention interface"),
        ("GPT2", r"pools \[13\], not the first or all"),
    ],
)
def test_models_that_do_not_work_are_refused_by_name_and_reason(model: str, reason: str) -> None:
    shape = {**CONFIGS["Bert"], "n_embd": 32, "n_layer": 2, "n_head": 2}
    if model == "GPT2":
        shape = {k: v for k, v in shape.items() if not k.startswith(("hidden", "num"))}
    config = getattr(transformers, f"{model}Config")(**shape)
    built = getattr(transformers, f"{model}ForSequenceClassification")(config)
    with pytest.raises(UnsupportedModelError, match=f"^strange cannot serve.*{reason}"):
        SequenceClassifierHost(built, small_tokenizer(), "strange")


def test_a_model_in_which_shut_tokens_leak_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_model()
    forward = model.forward

    def leaking(input_ids: Tensor, **given: Tensor) -> object:
        output = forward(input_ids, **given)
        output.logits = output.logits + input_ids.sum(1, keepdim=True)
        return output

    monkeypatch.setattr(model, "forward", leaking)
    with pytest.raises(UnsupportedModelError, match="what is shut still changes its logits"):
        SequenceClassifierHost(model, small_tokenizer(), "leaking")


def test_a_tokenizer_needs_padding_and_labels_a_name_each() -> None:
    tokenizer = small_tokenizer()
    tokenizer.pad_token = None
    with pytest.raises(UnsupportedModelError, match="bare: its tokenizer has no padding token"):
        SequenceClassifierHost(small_model(), tokenizer, "bare")
    with pytest.raises(InputError, match="at least two that differ"):
        SequenceClassifierHost(small_model(), small_tokenizer(), labels=["yes", "yes"])
    with pytest.raises(InputError, match="3 outputs and was given 2 labels"):
        SequenceClassifierHost(small_model(), small_tokenizer(), labels=["yes", "no"])


def test_padding_is_no_word() -> None:
    assert PAD not in small_classifier().tokenize(["", "ba"], SOURCE).ids[0]
