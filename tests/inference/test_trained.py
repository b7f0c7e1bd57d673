"""Policy folders: what is saved comes back, and what is damaged is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import rlattn
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost, load_host
from tests.hosts.tiny import generate, save, tiny_host
from tests.inference.policies import EVERY_ACTION, TEXTS, hooks, strong


def test_another_host_is_refused(host: Seq2SeqHost) -> None:
    policy, other = strong(host), tiny_host(seed=1)
    with pytest.raises(InputError, match=r"trained on host tiny-Marian .* not on"):
        policy.check(other.model)
    with pytest.raises(InputError, match="trained on host"), policy.steer(other.model):
        pass
    assert hooks(other) == 0
    policy.check(tiny_host().model)  # the same weights in another object


@EVERY_ACTION
def test_a_saved_policy_comes_back(host: Seq2SeqHost, action: str, tmp_path: Path) -> None:
    policy = strong(host, action)
    policy.save(tmp_path / "run" / "policy")
    loaded = rlattn.load(str(tmp_path / "run" / "policy"))
    assert (loaded.host_name, loaded.host_fingerprint) == (host.name, host.fingerprint)
    assert loaded.policy.config == policy.policy.config
    theirs = dict(loaded.policy.named_parameters())
    assert theirs.keys() == dict(policy.policy.named_parameters()).keys()
    for name, ours in policy.policy.named_parameters():
        # What only judges is kept in half precision, what acts to the bit.
        kept = ours.half().float() if name.startswith("value.") else ours
        assert torch.equal(kept, theirs[name])
        assert not theirs[name].requires_grad
    with policy.steer(host.model):
        expected = generate(host, TEXTS)
    with loaded.steer(host.model):
        assert generate(host, TEXTS) == expected


def test_a_policy_is_saved_as_plain_data(host: Seq2SeqHost, tmp_path: Path) -> None:
    strong(host).save(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"policy.json", "policy.safetensors"}
    card = json.loads((tmp_path / "policy.json").read_text())
    assert card["host"] == {"name": host.name, "fingerprint": host.fingerprint}
    assert card["policy"]["action"] == "gate"


def test_a_policy_works_on_a_host_from_a_folder(host: Seq2SeqHost, tmp_path: Path) -> None:
    policy = strong(host)
    loaded = load_host(save(host, tmp_path))
    with policy.steer(host.model):
        expected = generate(host, TEXTS[:5])
    with policy.steer(loaded.model):
        assert generate(loaded, TEXTS[:5]) == expected


@pytest.mark.parametrize("file", ["policy.json", "policy.safetensors"])
@pytest.mark.parametrize("damage", ["cut", "garbled", "missing", "empty"])
def test_a_damaged_policy_is_refused_in_one_line(
    host: Seq2SeqHost, tmp_path: Path, file: str, damage: str
) -> None:
    folder = tmp_path / "policy"
    strong(host).save(folder)
    content = (folder / file).read_bytes()
    if damage == "missing":
        (folder / file).unlink()
    else:
        changed = {"cut": content[: len(content) // 2], "garbled": b"\xff{]", "empty": b""}
        (folder / file).write_bytes(changed[damage])
    message = f"{file} is missing" if damage == "missing" else "damaged"
    with pytest.raises(InputError, match=f"^{folder}: [^\n]*{message}[^\n]*$"):
        rlattn.load(folder)


CARDS: dict[str, Any] = {
    "another format": {"format": 99},
    "no format": {"format": None},
    "no host": {"host": {}},
    "an unknown action": {"policy": {"action": "stare", "d_model": 32, "d_state": 32}},
    "another width": {"policy": {"action": "gate", "d_model": 32, "d_state": 32, "width": 7}},
    "an unknown setting": {"policy": {"action": "gate", "colour": "red"}},
    "no numbers": {"policy": {"action": "gate", "d_model": "many", "d_state": 32}},
}


@pytest.mark.parametrize("change", CARDS.values(), ids=CARDS)
def test_a_card_that_does_not_fit_is_refused(
    host: Seq2SeqHost, tmp_path: Path, change: dict[str, Any]
) -> None:
    strong(host).save(tmp_path)
    card = json.loads((tmp_path / "policy.json").read_text())
    (tmp_path / "policy.json").write_text(json.dumps({**card, **change}))
    with pytest.raises(InputError, match=r"^[^\n]+$"):
        rlattn.load(tmp_path)


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"policy\.json is missing"):
        rlattn.load(tmp_path / "nowhere")
    (tmp_path / "file").write_text("hello")
    with pytest.raises(InputError, match="file: not a policy folder"):
        rlattn.load(tmp_path / "file")
