"""The same language is the same weights, whatever order Python's sets have in a process."""

import os
import subprocess
import sys

PROGRAM = """
import hashlib
from automata.catalogue import language
from automata.notation.expressions import regex_to_dfa
from constructions.build import build
from constructions.compile.compiler import compile

machines = [regex_to_dfa("(b|c|ac*b)*", "abc"), *(language(name).machine for name in ("tomita-4", "d-2", "anbn"))]
for machine in machines:
    for mode in ("predictive", "recognise"):
        weights = build(compile(machine, mode)).weights
        numbers = [affine.matrix.toarray().tobytes() for _, affine in weights.affines()]
        print(hashlib.sha256(b"".join(numbers)).hexdigest())
"""


def test_weights_do_not_depend_on_the_order_of_sets():
    found = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (0, 1, 2)
    ]
    assert found[0].count("\n") == 8 and len(set(found)) == 1
