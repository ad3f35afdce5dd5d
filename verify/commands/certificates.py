"""--certificate FILE: what was proved or refuted as a file that ``verify/checker.py`` checks again, and the command
that does.
"""

from __future__ import annotations

import argparse
import os
import shlex
from typing import TYPE_CHECKING, Any, Callable

from automata.errors import InputError

if TYPE_CHECKING:
    from constructions.ssm.weights import SSM
    from constructions.target import Target
    from verify.claim import Claim
    from verify.show.report import Report
    from verify.verdict import Verdict

_VERIFIED, _FAILED = 0, 1
"""How the checker ends."""


def check_certifiable(args: argparse.Namespace, target: Target, weights: SSM | None = None) -> None:
    """Raises, before any work, where a certificate is asked for of anything but the paper's SSM with affine gates."""
    path = getattr(args, "certificate", None)
    if not path:
        return
    from verify.certificate.document import NoCertificate, check_gates
    from verify.certificate.writer import ONLY_SSM

    if target.numbers != "arithmetic":
        raise InputError(f"--certificate {path}: {ONLY_SSM}, not {target.title}")
    if weights is not None:
        try:
            check_gates(weights)
        except NoCertificate as error:
            raise error.at(f"--certificate {path}") from None


def report_certificate(args: argparse.Namespace, report: Report, make: Callable[[], dict[str, Any]]) -> None:
    """Writes the certificate where one is asked for; the report says where it is, or why there is none."""
    path = getattr(args, "certificate", None)
    if not path:
        return
    from verify.certificate.document import NoCertificate, write_certificate
    from verify.show.report import Command

    try:
        found = make()
        size = write_certificate(found, path)
    except NoCertificate as error:
        report.section("certificate", {"none": error})
        if args.quiet:
            report.say(f"certificate: none: {error}")
        return
    again = Command(f"python -m verify check {shlex.quote(path)}")
    report.section("certificate", {"file": path, "bytes": size, "claim": found["claim"], "checked again with": again})


def certify_verdict(args: argparse.Namespace, report: Report, claim: Claim, verdict: Verdict) -> None:
    """:func:`report_certificate` of a verdict about a claim."""

    def make() -> dict[str, Any]:
        from verify.certificate.writer import certificate

        return certificate(claim, verdict, getattr(args, "regex", None))

    report_certificate(args, report, make)


def recheck(path: str) -> int:
    """Runs the checker on a certificate, in an interpreter that sees nothing of this project.

    Returns:
        0 where it verifies it; 3 where it does not, which says nothing about the model; 2 where the file is no
        certificate.
    """
    import subprocess
    import sys
    from pathlib import Path

    import verify
    from verify.verdict import EXIT_STATUS, PROVED, UNDECIDED

    checker = Path(verify.__file__).with_name("checker.py")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "utf8", str(checker), os.path.abspath(path)],
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        check=False,
    )
    if done.returncode not in (_VERIFIED, _FAILED):
        raise InputError(
            done.stderr.strip().removeprefix("error: ") or (f"{path}: the checker ended with {done.returncode}")
        )
    print(done.stdout, end="")
    return EXIT_STATUS[PROVED if done.returncode == _VERIFIED else UNDECIDED]
