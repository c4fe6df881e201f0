"""Loads a package like the function, without a database: `python load_project.py <package> <overlay>` prints JSON.

env.py runs in Alembic's offline mode up to its migrations, and Alembic itself loads the revisions. Nothing connects or starts.
`missing` is a module that neither the package nor Python has. `unproved` is any other reason why env.py or the revisions did not
load: settings that only the function has, or a library for another machine. `foreign` are distributions with such libraries.
"""

from __future__ import annotations

import importlib.machinery
import json
import os
import sys
import traceback
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

# Modules in Lambda's Python, https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
PROVIDED = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six", "awslambdaric")

FORBIDDEN = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork")


class Refused(BaseException):
    """Packaging must not do this. A BaseException, so that `except Exception` in a project does not catch it."""


def main(package: Path, overlay: str) -> dict[str, Any]:
    manifest = json.loads((package / "cdk_alembic" / "manifest.json").read_text(encoding="utf-8"))
    backend, site_packages = package / "backend", package / "site-packages"
    folder = (backend / manifest["folder"]).resolve()
    roots = [folder, folder / "src", backend, *(backend / root for root in manifest["roots"])]
    sys.path[:0] = [
        *(str(path) for path in dict.fromkeys(roots) if path.is_dir()),
        *([overlay] if overlay else []),
        str(site_packages),
    ]
    sys.argv = ["alembic"]
    sys.addaudithook(refuse)
    answer: dict[str, Any] = {}
    failures: list[BaseException] = []
    unset = watch_environment(backend)
    try:
        os.chdir(folder)
        run_env(configuration(backend, manifest["config"]), failures).get_heads()
    except (Exception, SystemExit, Refused) as error:
        failures.append(error)
    for error in failures:
        judge(error, package, answer, sorted(unset))
    return answer


def configuration(backend: Path, name: str) -> Any:
    """The configuration as the runner reads it."""
    import tomllib

    from alembic.config import Config

    file = backend / name
    toml = file if file.name == "pyproject.toml" else backend / "pyproject.toml"
    has_table = toml.is_file() and "alembic" in tomllib.loads(toml.read_text(encoding="utf-8")).get("tool", {})
    ini = str(file.with_name("alembic.ini") if file == toml else file)
    config = Config(ini, toml_file=str(toml)) if has_table else Config(ini)
    if not has_table and not config.get_main_option("script_location") and (file.parent / "env.py").is_file():
        config.set_main_option("script_location", str(file.parent).replace("%", "%%"))
    return config


def run_env(config: Any, failures: list[BaseException]) -> Any:
    """Runs env.py. Returns the scripts from the location that env.py set."""
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def connect(*_: Any) -> None:
        raise Refused("env.py connects")

    event.listen(Engine, "do_connect", connect)
    script = ScriptDirectory.from_config(config)
    try:
        with (
            EnvironmentContext(config, script, fn=lambda *_: [], as_sql=True, dont_mutate=True, starting_rev=None),
            suppress(Refused),
        ):
            script.run_env()  # Refused: what comes next is the database.
    except (Exception, SystemExit) as error:
        failures.append(error)
    return script


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event in FORBIDDEN:
        raise Refused(event)


def watch_environment(backend: Path) -> set[str]:
    """The environment variables that the backend's own code reads from now on and that are not set."""
    unset: set[str] = set()

    class Watched(type(os.environ)):
        def __getitem__(self, name: str) -> str:
            try:
                return super().__getitem__(name)
            except KeyError:
                if any(frame.filename.startswith(f"{backend}{os.sep}") for frame in traceback.extract_stack(limit=5)):
                    unset.add(name)
                raise

    os.environ.__class__ = Watched
    return unset


def judge(error: BaseException, package: Path, answer: dict[str, Any], unset: list[str]) -> None:
    while error.__cause__ is not None and not isinstance(error, ImportError):
        error = error.__cause__
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(str(package))]
    where = f"{Path(frames[-1].filename).relative_to(package)}:{frames[-1].lineno}" if frames else ""
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith(PROVIDED) and not exists(error.name):
        answer.setdefault("missing", {"module": error.name, "by": where, "unset": unset})
        return
    if isinstance(error, ImportError) and error.name and error.path is None and "unknown location" in str(error):
        # A folder has this name but not the module.
        answer.setdefault("missing", {"module": error.name, "by": where, "unset": unset})
        return
    text = f"{type(error).__name__}: {error}".splitlines()[0]
    answer.setdefault("unproved", f"{text} ({where})" if where else text)
    if isinstance(error, ImportError):
        answer["foreign"] = foreign(package / "site-packages")


def exists(name: str) -> bool:
    """Whether the package has a module, even one for another machine."""
    below = Path(*name.split("."))
    for root in map(Path, sys.path):
        parent = root / below.parent
        if (root / below).is_dir() or any(parent.glob(f"{below.name}.py*")) or any(parent.glob(f"{below.name}.*so")):
            return True
    return False


def foreign(site_packages: Path) -> list[str]:
    """Distributions with libraries that this Python can't load, as `name==version`."""
    suffixes = tuple(suffix for suffix in importlib.machinery.EXTENSION_SUFFIXES if suffix.startswith(".cpython"))
    found = []
    for distribution in distributions(path=[str(site_packages)]):
        name = distribution.metadata["Name"]
        folders = {
            site_packages / name.lower().replace("-", "_"),
            *(site_packages / line for line in (distribution.read_text("top_level.txt") or "").split()),
        }
        libraries = [library for folder in folders if folder.is_dir() for library in folder.rglob("*.so")]
        if any(not library.name.endswith(suffixes) for library in libraries):
            found.append(f"{name}=={distribution.version}")
    return sorted(found)


if __name__ == "__main__":
    # The project's own output must not mix with the answer.
    out, sys.stdout = sys.stdout, sys.stderr
    found = main(Path(sys.argv[1]).resolve(), sys.argv[2])
    out.write(json.dumps(found))
