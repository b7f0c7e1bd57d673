"""Policy folders: small, and read only as what was saved."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor

import rlattn
from rlattn.actions import FAMILIES, register_family
from rlattn.actions.gate import Gate
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import TrainedPolicy
from rlattn.inference.card import FamilyOrigin, parse_card
from rlattn.inference.folder import read_folder
from rlattn.policy import AttentionPolicy, PolicyConfig
from tests.inference.policies import strong
from tests.inference.test_card import SCORES, TRAINING

FILES = ("policy.json", "policy.safetensors")


@pytest.fixture
def folder(host: Seq2SeqHost, tmp_path: Path) -> Path:
    """A policy that says all that can be said of it."""
    policy = strong(host)
    policy.training, policy.scores = TRAINING, SCORES
    policy.save(tmp_path / "policy")
    return tmp_path / "policy"


def seal(folder: Path, **changes: Any) -> None:
    """Has the card vouch for what now stands in the folder, as a later tamperer would."""
    data = json.loads((folder / "policy.json").read_text())
    data |= {"weights_sha256": hashlib.sha256((folder / FILES[1]).read_bytes()).hexdigest()}
    data |= changes
    del data["card_sha256"]
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    data["card_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "policy.json").write_text(json.dumps(data))


class TestContent:
    def test_training_and_scores_come_back(self, folder: Path) -> None:
        loaded = rlattn.load(folder)
        assert (loaded.training, loaded.scores) == (TRAINING, SCORES)

    def test_saving_again_changes_nothing(self, folder: Path, tmp_path: Path) -> None:
        rlattn.load(folder).save(tmp_path / "again")
        for name in FILES:
            assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()

    def test_saving_into_a_folder_replaces_its_policy_alone(
        self, host: Seq2SeqHost, folder: Path
    ) -> None:
        (folder / "notes.txt").write_text("mine")
        other = strong(host, "bias")
        other.save(folder)
        assert rlattn.load(folder).policy.config.action == "bias"
        assert {path.name for path in folder.iterdir()} == {*FILES, "notes.txt"}

    @pytest.mark.parametrize("action", ["gate", "per-layer:2:gate"])
    def test_the_family_says_where_it_comes_from(
        self, host: Seq2SeqHost, action: str, tmp_path: Path
    ) -> None:
        strong(host, action).save(tmp_path)
        card, _ = read_folder(tmp_path)
        assert card.family == FamilyOrigin("gate", "rlattn.actions.gate")

    @pytest.mark.parametrize("width", [128, 512], ids=["embedded", "opus-mt"])
    def test_a_default_policy_takes_less_than_two_megabytes(
        self, width: int, tmp_path: Path
    ) -> None:
        network = AttentionPolicy(PolicyConfig("gate", width, width))
        TrainedPolicy(network, "Helsinki-NLP/opus-mt-de-en", "0" * 64, TRAINING, SCORES).save(
            tmp_path
        )
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2_000_000

    def test_a_policy_that_diverged_is_not_saved(self, host: Seq2SeqHost, tmp_path: Path) -> None:
        policy = strong(host)
        policy.policy.score.bias.fill_(math.nan)
        with pytest.raises(InputError, match=r"cannot be saved: its weights score\.bias are not"):
            policy.save(tmp_path / "policy")
        assert not (tmp_path / "policy").exists()


class TestDamage:
    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        file=st.sampled_from(FILES),
        where=st.floats(0, 1, exclude_max=True),
        byte=st.integers(1, 255),
    )
    def test_a_byte_that_changes_is_noticed_or_matters_to_nothing(
        self, folder: Path, file: str, where: float, byte: int
    ) -> None:
        card, _ = read_folder(folder)
        content = (folder / file).read_bytes()
        at = int(where * len(content))
        flipped = bytes([content[at] ^ byte])
        (folder / file).write_bytes(content[:at] + flipped + content[at + 1 :])
        try:
            found, _ = read_folder(folder)
            # Such as a space that became a line break.
            assert file == "policy.json"
            assert found == card
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017  (either is right)
        finally:
            (folder / file).write_bytes(content)

    @settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(file=st.sampled_from(FILES), where=st.floats(0, 1, exclude_max=True))
    def test_what_is_cut_is_refused(self, folder: Path, file: str, where: float) -> None:
        content = (folder / file).read_bytes()
        # All but the line break at the very end of the card.
        (folder / file).write_bytes(content[: int(where * (len(content) - 1))])
        with pytest.raises(
            InputError, match=rf"^{folder}: a damaged policy folder: {file} is [^\n]*$"
        ):
            rlattn.load(folder)
        (folder / file).write_bytes(content)

    def test_weights_that_were_changed_are_named_with_both_digests(self, folder: Path) -> None:
        content = bytearray((folder / FILES[1]).read_bytes())
        content[-1] ^= 1
        (folder / FILES[1]).write_bytes(content)
        found, said = hashlib.sha256(content).hexdigest(), read_card(folder)["weights_sha256"]
        message = f"was changed: its SHA-256 is {found}, policy.json says {said}"
        with pytest.raises(InputError, match=message):
            rlattn.load(folder)


def read_card(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / "policy.json").read_text())
    return data


def without(weights: dict[str, Tensor]) -> None:
    del weights["score.bias"]


def with_another(weights: dict[str, Tensor]) -> None:
    weights["score.colour"] = torch.zeros(1)


def wider(weights: dict[str, Tensor]) -> None:
    weights["score.bias"] = torch.zeros(2)


def coarser(weights: dict[str, Tensor]) -> None:
    weights["score.bias"] = weights["score.bias"].half()


def infinite(weights: dict[str, Tensor]) -> None:
    weights["score.bias"].fill_(math.inf)


TAMPERED: dict[str, tuple[Callable[[dict[str, Tensor]], None], str]] = {
    "a tensor is missing": (without, r"the tensor 'score\.bias' is missing"),
    "a tensor too many": (with_another, r"the tensor 'score\.colour' is none of this policy's"),
    "another shape": (wider, r"'score\.bias' is float32 \[2\], .* that is float32 \[1\]"),
    "another type": (coarser, r"'score\.bias' is float16 \[1\], .* that is float32 \[1\]"),
    "infinite": (infinite, r"'score\.bias' holds numbers that are not finite"),
}


class TestFilesThatVouchForEachOther:
    """A card whose digests are right can still describe another policy."""

    @pytest.mark.parametrize(("tamper", "message"), TAMPERED.values(), ids=TAMPERED)
    def test_weights_that_are_not_the_policys_are_refused(
        self, folder: Path, tamper: Callable[[dict[str, Tensor]], None], message: str
    ) -> None:
        weights = load_file(folder / FILES[1])
        tamper(weights)
        save_file(weights, folder / FILES[1])
        seal(folder)
        with pytest.raises(
            InputError, match=rf"^{folder}: a damaged .*: policy\.safetensors: .*{message}"
        ):
            rlattn.load(folder)

    @pytest.mark.parametrize("width", [17, 65_536])
    def test_a_network_that_the_file_does_not_hold_is_never_built(
        self, folder: Path, width: int
    ) -> None:
        seal(folder, policy={**read_card(folder)["policy"], "width": width})
        with pytest.raises(InputError, match=r"policy\.json describes one that is float32 \[.*\]"):
            rlattn.load(folder)

    def test_a_tensor_that_stands_there_twice_is_refused(self, folder: Path) -> None:
        content = (folder / FILES[1]).read_bytes()
        (length,) = struct.unpack("<Q", content[:8])
        header = content[8 : 8 + length].replace(b'"score.weight"', b'"score.bias"  ')
        (folder / FILES[1]).write_bytes(content[:8] + header + content[8 + length :])
        seal(folder)
        with pytest.raises(InputError, match=r"policy\.safetensors[^\n]*$"):
            rlattn.load(folder)

    def test_what_is_much_too_long_is_not_read(self, folder: Path) -> None:
        for name in reversed(FILES):
            with (folder / name).open("r+b") as file:
                file.truncate(2**40)  # a hole; it takes no room
            with pytest.raises(InputError, match=rf"{name}: found 1,099,511,627,776 bytes, expect"):
                rlattn.load(folder)

    def test_a_family_that_steers_in_another_way_is_refused(self, folder: Path) -> None:
        seal(folder, family={"steering": "bias", "module": "rlattn.actions.gate"})
        with pytest.raises(
            InputError, match=r'found "bias", and the action gate .* steers by gate'
        ):
            rlattn.load(folder)

    @pytest.mark.parametrize(
        ("layers", "reason"), [(4000, "at most 1,000 layers"), (4 * 10**9, "at most 5 digits")]
    )
    def test_as_many_layers_as_no_host_has_are_refused(
        self, folder: Path, layers: int, reason: str
    ) -> None:
        action = f"per-layer:{layers}:gate"
        seal(folder, policy={**read_card(folder)["policy"], "action": action})
        with pytest.raises(InputError, match=f"expected .*{reason}"):
            rlattn.load(folder)


@pytest.mark.usefixtures("_registered_only_here")
def test_a_family_of_ones_own_is_asked_for_by_its_module(host: Seq2SeqHost, tmp_path: Path) -> None:
    @register_family
    class Peek(Gate):
        name = "peek"

    strong(host, "peek").save(tmp_path)
    assert rlattn.load(tmp_path).policy.config.action == "peek"
    del FAMILIES["peek"]
    message = r"unknown action 'peek'.* \(It was saved with the family of .*test_folder.*--imports"
    with pytest.raises(InputError, match=message):
        rlattn.load(tmp_path)


class TestFormat1:
    """What was trained before cards said more."""

    @pytest.fixture
    def old(self, host: Seq2SeqHost, tmp_path: Path) -> Path:
        policy = strong(host)
        save_file(policy.policy.state_dict(), tmp_path / FILES[1])
        config = {"action": "gate", "d_model": 32, "d_state": 32, "width": 16}
        identity = {"name": host.name, "fingerprint": host.fingerprint}
        card = {"format": 1, "host": identity, "policy": config}
        (tmp_path / "policy.json").write_text(json.dumps(card, indent=2) + "\n")
        return tmp_path

    def test_it_is_loaded_and_what_is_missing_is_said(self, host: Seq2SeqHost, old: Path) -> None:
        with pytest.warns(UserWarning, match=r"format 1, which says nothing of its training"):
            loaded = rlattn.load(old)
        assert loaded.training is loaded.scores is None
        weights = strong(host).policy.state_dict()
        for name, tensor in loaded.policy.state_dict().items():
            assert torch.equal(tensor, weights[name])

    def test_saved_again_it_is_one_of_today(self, old: Path, recwarn: Any) -> None:
        with pytest.warns(UserWarning, match="format 1"):
            rlattn.load(old).save(old)
        card = parse_card((old / "policy.json").read_text())
        assert card.weights_sha256 is not None
        recwarn.clear()
        rlattn.load(old)
        assert not recwarn

    def test_it_cannot_be_what_a_card_of_today_becomes(self, folder: Path) -> None:
        (folder / "policy.json").write_text(json.dumps({**read_card(folder), "format": 1}))
        with pytest.raises(InputError, match="unknown field"):
            rlattn.load(folder)


def test_the_card_of_a_folder_can_be_replaced_in_part(folder: Path) -> None:
    loaded = rlattn.load(folder)
    loaded.training = replace(TRAINING, corpus=None)
    loaded.save(folder)
    assert rlattn.load(folder).training == replace(TRAINING, corpus=None)
