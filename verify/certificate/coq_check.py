"""Does Coq accept the theory and the models as they are compiled today, and do the theorems assume nothing?

``python -m verify.certificate.coq_check FOLDER`` (or ``make coq``) writes the theory and every model of
:data:`COQ_MODELS` into the folder, has Coq check one file after the other, and reads what each theorem assumes.  With
names of files after the folder it checks these instead of the models.
"""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Sequence

import verify
from automata.catalogue import LANGUAGES, REGULAR, language
from automata.dfa import DFA
from automata.errors import InputError
from automata.files import read_text, write_text
from automata.machine import MODES, PREDICTIVE, Machine
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.counter_machine import NAMES, CounterMachine
from automata.machines.flip_flop import FlipFlopMachine
from constructions.build import build
from constructions.compile.compiler import compile
from verify.certificate.coq import coq_name, coq_text

THEORY = Path(verify.__file__).parent / "coq"
"""The theory, as it is shipped."""

NO_AXIOMS = "Closed under the global context"
"""What Coq says of a theorem that rests on no axiom."""

COQ_MISSING = (
    "coqc is not installed: Coq 8.16 or later is needed (on Debian: apt-get install --no-install-recommends coq)"
)

_STAR_FREE = ("flip-flop", "d-1", *(name for name, known in LANGUAGES.items() if known.kind == REGULAR and known.known))

COQ_MODELS = tuple(
    (name, mode) for name in dict.fromkeys((*_STAR_FREE, *NAMES, "dyck-2-3", "dyck-2-5", "dyck-8-10")) for mode in MODES
)
"""(language, mode) of every model that is checked."""

_SECONDS = 600
"""That Coq may take for one file."""


@dataclass(frozen=True)
class CoqResult:
    """What Coq said of a file.

    Attributes:
        name: of the file.
        theorems: whose assumptions it was asked for.
        seconds: of CPU time.
        refusal: why it is not accepted; None where it is.
    """

    name: str
    theorems: tuple[str, ...]
    seconds: float
    refusal: str | None = None


def coq_installed() -> bool:
    """Whether Coq can be run here."""
    return shutil.which("coqc") is not None and shutil.which("coqdep") is not None


def copy_theory(folder: Path) -> list[Path]:
    """Copies the theory into the folder; its files, each after those that it needs.

    Raises:
        InputError: with what coqdep says.
    """
    sources = [source.relative_to(THEORY) for source in sorted(THEORY.rglob("*.v"))]
    for source in sources:
        (folder / source).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(THEORY / source, folder / source)
    run = subprocess.run(
        ["coqdep", "-Q", ".", "Verify", "-sort", *map(str, sources)], cwd=folder, capture_output=True, text=True
    )
    if run.returncode:
        raise InputError(f"coqdep: {run.stderr.strip()[:300]}")
    return [Path(name) for name in run.stdout.split()]


def check_coq_file(folder: Path, source: Path) -> CoqResult:
    """Has Coq check one file of the folder, after the files that it needs."""
    text = read_text(folder / source)
    theorems = tuple(re.findall(r"^Print Assumptions (\S+)\.$", text, re.MULTILINE))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    try:
        run = subprocess.run(
            ["coqc", "-q", "-Q", ".", "Verify", str(source)],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
        refusal = coq_refusal(run.returncode, run.stdout, run.stderr, len(theorems))
    except subprocess.TimeoutExpired:
        refusal = f"not finished after {_SECONDS} seconds"
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    return CoqResult(source.stem, theorems, seconds, refusal)


def coq_refusal(status: int, output: str, errors: str, theorems: int) -> str | None:
    """Why a run of coqc is no proof of so many theorems; None where it is.

    >>> coq_refusal(0, NO_AXIOMS, "", 1), coq_refusal(0, NO_AXIOMS, "", 2)
    (None, '1 of 2 theorems are free of assumptions')
    >>> coq_refusal(0, "Axioms:\\nfunctional_extensionality : forall ...", "", 1)
    '0 of 1 theorems are free of assumptions'
    """
    if status:
        lines = [line for line in errors.splitlines() if not line.startswith("File ")]
        return " ".join(" ".join(lines).split())[:300] or f"coqc ended with status {status}"
    closed = output.splitlines().count(NO_AXIOMS)
    if closed != theorems or "Axioms:" in output:
        return f"{closed} of {theorems} theorems are free of assumptions"
    return None


def exported(folder: Path, name: str, mode: str) -> Path:
    """Compiles a language of the catalogue and writes its model into the folder, as a Coq file."""
    machine = defining_machine(name)
    model = build(compile(machine, mode)).weights
    identifier = coq_name(name) + ("" if mode == PREDICTIVE else "_recogniser")
    write_text(folder / f"{identifier}.v", coq_text(identifier, model, machine, mode))
    return Path(f"{identifier}.v")


def defining_machine(name: str) -> Machine:
    """A machine that the theory defines; the minimal automaton where there is no other."""
    known = language(name)
    named = isinstance(known.machine, (DFA, DyckMachine, CounterMachine, FlipFlopMachine))
    return known.machine if named and not isinstance(known.machine, DFA) else known.dfa()


def main(arguments: Sequence[str]) -> int:
    """Checks everything, and prints a line for each file; 0 if all is accepted, 1 if not, 2 where Coq is missing."""
    if not arguments:
        print("the folder to work in is missing", file=sys.stderr)
        return 2
    if not coq_installed():
        print(COQ_MISSING, file=sys.stderr)
        return 2
    folder, files = Path(arguments[0]), [Path(name) for name in arguments[1:]]
    folder.mkdir(parents=True, exist_ok=True)
    for compiled in folder.rglob("*.vo"):  # of a file that may be gone
        compiled.unlink()
    results = []
    for result in _checks(folder, files):
        results.append(result)
        said = result.refusal or (f"{len(result.theorems)} without assumptions" if result.theorems else "definitions")
        print(f"{result.name:32} {result.seconds:6.1f} s  {said}", flush=True)
    theorems, wrong = sum(len(r.theorems) for r in results), [r.name for r in results if r.refusal]
    print(f"{theorems} theorems in {len(results)} files, {sum(r.seconds for r in results):.0f} s of CPU time")
    if wrong:
        print(f"refused: {', '.join(wrong)}", file=sys.stderr)
    return 1 if wrong else 0


def _checks(folder: Path, files: Sequence[Path]) -> Iterator[CoqResult]:
    for source in copy_theory(folder):
        yield check_coq_file(folder, source)
    for file in files:
        shutil.copyfile(file, folder / file.name)
        yield check_coq_file(folder, Path(file.name))
    for name, mode in () if files else COQ_MODELS:
        yield check_coq_file(folder, exported(folder, name, mode))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
