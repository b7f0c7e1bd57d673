"""A zip of Stable-Baselines3 is read when asked to by name, and hardly anything of it then."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import rlattn
from rlattn.agents import make_ppo, trained_policy
from rlattn.envs import AttentionVecEnv
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import import_sb3
from tests.envs.cores import make
from tests.hosts.tiny import tiny_host
from tests.security.place import Trap

Files = dict[str, bytes]


@pytest.fixture
def saved(host: Seq2SeqHost, tmp_path: Path) -> Path:
    ppo = make_ppo(AttentionVecEnv(make(host)))
    ppo.save(tmp_path / "ppo.zip")
    trained_policy(ppo).save(tmp_path / "policy")
    return tmp_path / "ppo.zip"


def rewrite(path: Path, change: Callable[[Files], object], packing: int = 0) -> None:
    """Changes what is in a zip."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def settings(**changes: Any) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        data = json.loads(files["data"])
        data["policy_kwargs"] |= changes
        files["data"] = json.dumps(data).encode()

    return change


def weights(content: Callable[[Any], Any]) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        found = torch.load(io.BytesIO(files["policy.pth"]), weights_only=True)
        buffer = io.BytesIO()
        torch.save(content(found), buffer)
        files["policy.pth"] = buffer.getvalue()

    return change


def test_without_the_flag_it_is_refused_with_the_reason(saved: Path, host: Seq2SeqHost) -> None:
    for given in ({}, {"unsafe": False}, {"unsafe": "yes"}):
        with pytest.raises(InputError, match=r"holds pickles, which can run code .* unsafe=True"):
            import_sb3(saved, host, **given)


def test_rlattn_load_does_not_take_it(saved: Path) -> None:
    with pytest.raises(InputError, match="not a policy folder"):
        rlattn.load(saved)


def test_with_it_the_policy_is_that_of_the_ppo(saved: Path, host: Seq2SeqHost) -> None:
    found, expected = import_sb3(saved, host, unsafe=True), rlattn.load(saved.with_name("policy"))
    assert found.policy.config == expected.policy.config
    assert found.host_fingerprint == expected.host_fingerprint
    for name, tensor in expected.policy.state_dict().items():
        # A folder keeps what only judges in half precision.
        atol = 1e-3 if name.startswith("value.") else 0.0
        torch.testing.assert_close(found.policy.state_dict()[name], tensor, rtol=0, atol=atol)


def test_what_is_pickled_beside_the_weights_stays_unread(
    saved: Path, host: Seq2SeqHost, tmp_path: Path
) -> None:
    trap = Trap(tmp_path / "canary")

    def set_traps(files: Files) -> None:
        for name in files.keys() - {"data", "policy.pth"}:
            files[name] = pickle.dumps(trap)
        data = json.loads(files["data"])
        data["learning_rate"] = {":type:": "x", ":serialized:": pickle.dumps(trap).hex()}
        files["data"] = json.dumps(data).encode()
        files["../../outside"] = b"a path that leads out"

    rewrite(saved, set_traps)
    before = set(tmp_path.rglob("*"))
    import_sb3(saved, host, unsafe=True)
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("whole", [True, False])
def test_code_in_the_place_of_weights_is_refused(
    saved: Path, host: Seq2SeqHost, tmp_path: Path, whole: bool
) -> None:
    trap = Trap(tmp_path / "canary")
    rewrite(saved, weights(lambda found: trap if whole else {**found, "attention.trap": trap}))
    with pytest.raises(InputError, match=r"policy\.pth is refused"):
        import_sb3(saved, host, unsafe=True)
    assert not (tmp_path / "canary").exists()


def spoiled(name: str, number: float) -> Callable[[Any], Any]:
    def content(found: Any) -> Any:
        found[name].view(-1)[0] = number
        return found

    return content


BIAS = "attention.score.bias"
REFUSED: dict[str, tuple[Callable[[Files], object], str]] = {
    "no settings": (lambda files: files.pop("data"), "data is missing: expected a zip that PPO"),
    "no weights": (lambda files: files.pop("policy.pth"), r"policy\.pth is missing"),
    "deep settings": (lambda files: files.update(data=b"[" * 100_000), "nested too deeply"),
    "another family": (settings(action="evil"), "unknown action 'evil'"),
    "another width": (settings(width=17), r"policy\.pth: the tensor .* expected float32"),
    "a huge width": (settings(width=2**40), "found d_model 32 and width 1099511627776"),
    "a wide network": (settings(width=2**16), "width 65536 is too large"),
    "a width that is none": (settings(width=None), "width: found null, expected a whole number"),
    "another host": (settings(d_model=64), "found d_model 64 .* has d_model 32"),
    "a tensor that is missing": (
        weights(lambda found: {k: v for k, v in found.items() if k != BIAS}),
        r"'attention\.score\.bias' is missing",
    ),
    "not finite": (weights(spoiled(BIAS, float("nan"))), "are not finite"),
    "no tensors": (weights(lambda found: [1, 2]), "found no tensors by name"),
    "weights that are packed": (
        lambda files: rewrite_inside(files),
        r"policy\.pth is packed, as PyTorch never does",
    ),
}


def rewrite_inside(files: Files) -> None:
    """Packs what is in the weights."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(files["policy.pth"])) as archive,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in archive.namelist():
            packed.writestr(name, archive.read(name) + bytes(10_000))
    files["policy.pth"] = buffer.getvalue()


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused(
    saved: Path, host: Seq2SeqHost, change: Callable[[Files], object], message: str
) -> None:
    rewrite(saved, change)
    with pytest.raises(InputError, match=rf"ppo\.zip: .*{message}"):
        import_sb3(saved, host, unsafe=True)


def test_a_zip_that_unpacks_to_much_is_not_unpacked(saved: Path, host: Seq2SeqHost) -> None:
    rewrite(saved, lambda files: files.update(data=bytes(2**28 + 1)), zipfile.ZIP_DEFLATED)
    assert saved.stat().st_size < 2**20
    with pytest.raises(InputError, match="data: found 268,435,457 bytes, expected at most"):
        import_sb3(saved, host, unsafe=True)


def test_what_is_no_zip_is_refused(host: Seq2SeqHost, tmp_path: Path) -> None:
    (tmp_path / "ppo.zip").write_bytes(b"PK hello")
    with pytest.raises(InputError, match="not a zip that can be read"):
        import_sb3(tmp_path / "ppo.zip", host, unsafe=True)
    with pytest.raises(InputError, match="cannot be read"):
        import_sb3(tmp_path / "gone.zip", host, unsafe=True)


def test_a_host_of_another_width_is_refused(saved: Path) -> None:
    with pytest.raises(InputError, match="the host tiny-Marian has d_model 16"):
        import_sb3(saved, tiny_host(d_model=16), unsafe=True)
