"""Put a trained policy on the Hugging Face Hub, with a page that shows its scores and picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rlattn.console.cli import Maybe, Modules, import_modules, run_program
from rlattn.console.options import check_types
from rlattn.inference import push_to_hub
from rlattn.visible import visible


@dataclass(frozen=True)
class Config:
    """Which policy, and where to.

    Attributes:
        policy: The `policy` folder of a run.
        repo: The name on the hub, such as `someone/a-policy`; made if it is not there.
        private: Whether a repository that is made is private.
        revision: A branch, made if it is not there; by default the main one.
        picture: A PNG for the page; by default attention.png in the policy's folder.
        license: The identifier of the policy's licence, such as `mit`; by default none is named.
        imports: Python modules to import first, such as the one that registers the policy's action
            family.
    """

    policy: Path
    repo: str
    private: bool = False
    revision: Maybe[str] = None
    picture: Maybe[Path] = None
    license: Maybe[str] = None
    imports: Modules = ()


def run(config: Config) -> None:
    """Pushes with the token of whoever is logged in, and prints the address.

    Raises:
        InputError: If the folder is no policy, or the hub refuses.
    """
    check_types(config)
    import_modules(config.imports)
    address = push_to_hub(
        config.policy,
        config.repo,
        private=config.private,
        revision=config.revision,
        picture=config.picture,
        license=config.license,
    )
    print(visible(address))


def main() -> None:
    """Runs from the command line; bad input prints one line and exits with 2."""
    run_program("rlattn.push", __doc__, Config, run)


if __name__ == "__main__":
    main()
