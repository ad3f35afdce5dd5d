"""What all tests share: deterministic property tests, and the way to the real data."""

import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from verify import progress

REPOSITORY = Path(__file__).resolve().parent.parent

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell has its background jobs ignore interrupts, and all that they start: tests send some and wait for them.
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("deterministic", derandomize=True, deadline=None)
settings.load_profile("deterministic")


@pytest.fixture(scope="session", autouse=True)
def _no_progress_by_chance() -> None:
    """How slow a machine is does not decide what a test sees: who wants to see progress lets it begin sooner."""
    progress.DELAY = 60.0


@contextmanager
def _threads(number: int):
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(number)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def one_thread():
    """Torch with one thread, as all commands run stock models: two that wait for each other beside other tests take ten
    times as long over so small tensors.
    """
    with _threads(1):
        yield


@pytest.fixture
def two_threads():
    """Torch with two threads, as a program that has models of its own may run them."""
    with _threads(2):
        yield


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the working tree."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data():
    """A function from a name to its path in ``../shared/data``; the test is skipped, saying so, where that is
    absent.
    """

    def find(name: str) -> Path:
        path = REPOSITORY.parent / "shared" / "data" / name
        if not path.exists():
            pytest.skip(f"real data not present: {name}")
        return path

    return find


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """A wheel of this working tree, built from a copy of it without network."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("automata", "constructions", "verify"):
        shutil.copytree(REPOSITORY / name, source / name, ignore=ignored)
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    pip = [sys.executable, "-m", "pip", "-q", "wheel", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "-w", built, source], check=True)
    return next(built.glob("*.whl"))


@pytest.fixture(scope="session")
def empty_environment(tmp_path_factory) -> Path:
    """The interpreter of an environment that has what the core requires, and not this project."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    lines = (REPOSITORY / "setup.cfg").read_text().split("install_requires =")[1].split("[")[0].split()
    pip = [python, "-m", "pip", "-q", "--disable-pip-version-check", "install", "-c", REPOSITORY / "constraints.txt"]
    if subprocess.run([*pip, *lines]).returncode:
        pytest.skip("the requirements are not to be had: no network")
    return python
