"""The wheel, built once and tried in an environment that has nothing else."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
TESTS = REPOSITORY / "tests"
SDK_TESTS = [
    TESTS / "unit" / "rescind",
    *(TESTS / "property" / name for name in ("test_frames.py", "test_hostile_tokens.py", "test_revocation_list.py")),
]
TOOLS = ("pytest>=9.2", "hypothesis>=6.170", "prometheus-client>=0.26")  # what the tests themselves import
CONFIGURATION = f"""[pytest]
pythonpath = {TESTS}
addopts = --import-mode=importlib --noconftest
filterwarnings = error
"""


@dataclass(frozen=True)
class Installed:
    """A wheel, and the Python of an environment that has it."""

    wheel: Path
    python: Path
    brought: frozenset[str]  # what was there after the wheel alone was installed

    def run(self, *arguments: str | Path, cwd: Path) -> str:
        return run(self.python, "-P", *arguments, cwd=cwd)


def run(*command: str | Path, cwd: Path) -> str:
    """Run and give what was printed; a failure shows it all."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    place = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place, cwd=REPOSITORY)
    (wheel,) = place.glob("*.whl")
    venv.create(place / "empty", with_pip=True)
    python = place / "empty" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", wheel, cwd=place)
    listed = run(python, "-m", "pip", "list", "--format=freeze", cwd=place)
    return Installed(wheel, python, frozenset(line.partition("==")[0].lower() for line in listed.split()))


def test_it_brings_pyjwt_and_cryptography_and_nothing_else(installed: Installed) -> None:
    brought = installed.brought - {"pip", "setuptools", "wheel"}
    assert {"rescind", "pyjwt", "cryptography"} <= brought
    assert brought <= {"rescind", "pyjwt", "cryptography", "cffi", "pycparser", "typing_extensions"}


def test_it_holds_the_sdk_and_no_server(installed: Installed) -> None:
    names = zipfile.ZipFile(installed.wheel).namelist()
    assert "rescind/py.typed" in names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"rescind"}


def test_its_public_names_import(installed: Installed, tmp_path: Path) -> None:
    program = "import rescind; print(rescind.__file__); [getattr(rescind, name) for name in rescind.__all__]"
    where = Path(installed.run("-c", program, cwd=tmp_path).strip())
    assert where.is_relative_to(installed.python.parent.parent)


def test_its_command_runs(installed: Installed, tmp_path: Path) -> None:
    assert "verify" in run(installed.python.parent / "rescind", "--help", cwd=tmp_path)


@pytest.mark.timeout(400)
def test_the_sdks_tests_pass_with_it(installed: Installed, tmp_path: Path) -> None:
    installed.run("-m", "pip", "install", "-q", *TOOLS, cwd=tmp_path)
    (tmp_path / "pytest.ini").write_text(CONFIGURATION)
    printed = installed.run("-m", "pytest", "-q", "-c", tmp_path / "pytest.ini", *SDK_TESTS, cwd=tmp_path)
    assert " passed" in printed
