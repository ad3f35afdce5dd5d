"""Certificates made and checked: by the checker alone, copied to an empty folder, in an interpreter that sees nothing
else.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any, Sequence

import verify
from automata.catalogue import language
from automata.machine import Machine
from constructions.build import build
from constructions.compile.compiler import compile
from constructions.ssm.engine import Engine
from constructions.ssm.weights import SSM
from verify.certificate.document import write_certificate
from verify.certificate.writer import certificate
from verify.claim import Claim
from verify.proving import prove_claim

CHECKER = Path(verify.__file__).with_name("checker.py")
VERIFIED, FAILED, NO_CERTIFICATE = 0, 1, 2


def certified(
    word: str | Machine, mode: str, arithmetic: str | None = None, method: str = "auto", route: str = "auto"
) -> dict[str, Any]:
    """The certificate of a language as it is compiled."""
    construction = compile(language(word).machine if isinstance(word, str) else word, mode, route)
    weights = build(construction, arithmetic=arithmetic).weights
    return of_weights(weights, construction.machine, method, construction)


def of_weights(weights: SSM, machine: Machine, method: str = "auto", construction=None) -> dict[str, Any]:
    """The certificate of what is proved or refuted of weights."""
    claim = Claim(machine, weights.mode, Engine(weights), weights, construction)
    return certificate(claim, prove_claim(claim, method))


@lru_cache
def oldest_and_newest() -> tuple[str, ...]:
    """Of the Pythons from 3.8 on that this machine has, the oldest and the newest: one or two interpreters."""
    folders = (
        Path.home() / ".pyenv/versions",
        Path.home() / ".local/share/uv/python",
        Path("/opt"),
        Path("/usr/local"),
    )
    places = [path for folder in folders for path in (*folder.glob("bin/python3.*"), *folder.glob("*/bin/python3.*"))]
    found = {sys.version_info[:3]: sys.executable}
    for path in (*places, *Path("/usr/bin").glob("python3.*")):
        if re.fullmatch(r"python3\.[0-9]+", path.name):
            command = [str(path), "-c", "import sys; print(*sys.version_info[:3])"]
            said = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
            if len(said) == 3:
                found.setdefault(tuple(map(int, said)), str(path))
    able = sorted(version for version in found if version >= (3, 8))
    return tuple(dict.fromkeys((found[able[0]], found[able[-1]])))


def checked(
    found: dict[str, Any] | str | bytes, seconds: int = 600, work: int | None = None, python: str = sys.executable
) -> tuple[int, str]:
    """The checker's exit status on a certificate, its text, or the bytes of its file; and what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "certificate.json"
        if isinstance(found, dict):
            write_certificate(found, path)
        else:
            path.write_bytes(found.encode("utf-8", "surrogatepass") if isinstance(found, str) else found)
        shutil.copy(CHECKER, folder)
        options = [] if work is None else ["--work", str(work)]
        done = subprocess.run(
            [python, "-I", "-S", "checker.py", *options, path.name],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
        )
    return done.returncode, done.stdout + done.stderr


def assert_verified(
    found: dict[str, Any],
    kind: str,
    most: int | None = None,
    pythons: Sequence[str] = (sys.executable,),
    work: int | None = None,
) -> None:
    """The checker verifies, in each of these interpreters, a certificate whose evidence is of this kind, and whose
    compressed file is not larger.
    """
    assert list(found["evidence"]) == [kind]
    for python in pythons:
        status, printed = checked(found, 1800, work, python)
        assert (status, printed[:8]) == (VERIFIED, "VERIFIED"), (python, printed[:500])
    if most is not None:
        with tempfile.TemporaryDirectory() as folder:
            assert write_certificate(found, Path(folder) / "c.json.gz") < most


def copy_of(found: dict[str, Any]) -> dict[str, Any]:
    """A certificate that may be changed."""
    return json.loads(json.dumps(found))
