"""The package's own source: what could run code from a file is nowhere in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import rlattn

ROOT = Path(rlattn.__file__).parent
SOURCES = sorted(ROOT.rglob("*.py"))

RUNS_CODE = {
    *("eval", "exec", "compile", "__import__"),
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "cloudpickle.load", "cloudpickle.loads"),
    *("joblib.load", "dill.load", "dill.loads", "shelve.open", "marshal.load", "marshal.loads"),
    *("torch.load", "torch.hub.load", "torch.jit.load", "np.load", "numpy.load"),
    *("yaml.load", "yaml.unsafe_load", "yaml.full_load", "pd.read_pickle", "os.system", "os.popen"),
    *("PPO.load", "PPO.set_parameters", "load_from_zip_file", "runpy.run_path"),
}
PERMITTED = {
    "experiments/compare/tuning.py": {"import_module"},
    "console/cli.py": {"import_module"},
}
"""Modules by name: Optuna, and those that the command line asks for by ``--imports``."""

LOADERS = {"from_pretrained", "from_config"}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """The calls of a module by the name of what is called."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_in_it_runs_code_from_a_file(path: Path) -> None:
    permitted = PERMITTED.get(path.relative_to(ROOT).as_posix(), set())
    for name, call in calls(path):
        assert name not in RUNS_CODE - UNSAFE.get(path.relative_to(ROOT).as_posix(), set())
        assert not name.endswith("import_module") or name in permitted
        given = {each.arg: ast.unparse(each.value) for each in call.keywords}
        for flag, safe in SAFE.items():
            assert given.get(flag, safe) == safe, f"line {call.lineno}"
        if name.rpartition(".")[2] in LOADERS:
            assert given.get("trust_remote_code") == "False", f"line {call.lineno}"


SAFE = {
    "trust_remote_code": "False",
    "use_safetensors": "True",
    "allow_pickle": "False",
    "weights_only": "True",
    "shell": "False",
}
UNSAFE = {"inference/sb3_zip.py": {"torch.load"}}
"""Behind a flag of this name, and for plain tensors alone."""


def test_weights_of_models_are_asked_for_in_safetensors() -> None:
    for path in SOURCES:
        for name, call in calls(path):
            if name.endswith("from_pretrained") and not name.startswith(("AutoTok", "AutoConf")):
                given = {each.arg: ast.unparse(each.value) for each in call.keywords}
                assert given.get("use_safetensors") == "True", f"{path}, line {call.lineno}"


def test_nothing_is_imported_to_unpickle() -> None:
    unpicklers = {"pickle", "cloudpickle", "joblib", "dill", "shelve", "marshal", "yaml"}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & unpicklers, path
