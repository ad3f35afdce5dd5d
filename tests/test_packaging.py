"""Do the pinned versions cover everything that is installed, and does the core stay light?"""

import re
import subprocess
import sys
from importlib import metadata

import pytest
from packaging.requirements import Requirement

# A build of torch with CUDA fixes the versions of these itself.
CUDA = re.compile(r"(nvidia|cuda|triton)\b")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def applies(requirement: Requirement, extras: set[str]) -> bool:
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras | {""})


def installed_closure(name: str, extras: set[str]) -> set[str]:
    """Names of all distributions that ``name`` with ``extras`` needs on this machine, itself left out."""
    todo, seen = [(name, frozenset(extras))], set()
    while todo:
        distribution, wanted = todo.pop()
        if (distribution, wanted) in seen:
            continue
        seen.add((distribution, wanted))
        for text in metadata.requires(distribution) or []:
            requirement = Requirement(text)
            if applies(requirement, set(wanted)) and not CUDA.match(requirement.name):
                todo.append((canonical(requirement.name), frozenset(requirement.extras)))
    return {distribution for distribution, _ in seen} - {name}


@pytest.fixture(scope="module")
def pins(repository):
    if sys.platform != "linux":
        pytest.skip("the versions are pinned for Linux")
    lines = (line.split("#")[0].strip() for line in (repository / "constraints.txt").read_text().splitlines())
    requirements = [Requirement(line) for line in lines if line]
    return {canonical(r.name): r.specifier for r in requirements if applies(r, set())}


def test_everything_needed_is_pinned_and_nothing_else(pins):
    assert installed_closure("ssm-compiler", {"test"}) == set(pins)


def test_installed_versions_are_the_pinned_ones(pins):
    wrong = {name: metadata.version(name) for name in pins if not pins[name].contains(metadata.version(name))}
    assert not wrong


def test_core_starts_without_the_heavy_libraries():
    heavy = {"torch", "transformers", "matplotlib", "z3"}
    program = f"import sys, automata, constructions, verify; print(*sorted({heavy!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_shared_data_names_what_is_missing(shared_data):
    with pytest.raises(pytest.skip.Exception, match="real data not present: no-such-folder"):
        shared_data("no-such-folder")
