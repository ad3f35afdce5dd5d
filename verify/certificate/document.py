"""The objects of a certificate that every claim has: the language, the model, and the file around them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from automata.dfa import DFA
from automata.errors import InputError, quoted
from automata.files import write_bytes
from automata.machine import Machine
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.counter_machine import CounterMachine, counter_machine
from automata.machines.flip_flop import FlipFlopMachine
from automata.notation.expressions import parse_regex
from constructions.ssm.weights import SSM, Affine

CERTIFICATE_FORMAT = "ssm-certificate 2"
MOST_BYTES = 16 << 20
"""The checker reads no more text than that."""

COMPUTES, WRONG, NOT_STAR_FREE, AT_MOST_STAR_FREE = "computes", "is wrong about", "not star-free", "at most star-free"


class NoCertificate(InputError):
    """There is no certificate for this verdict; the message says why."""


def language_object(machine: Machine, expression: str | None = None) -> dict[str, Any]:
    """What the model is held against.

    Args:
        machine: a machine of the catalogue, or an automaton.
        expression: the regular expression that the automaton was made from.

    Raises:
        NoCertificate: for any other machine.
    """
    if isinstance(machine, FlipFlopMachine):
        return {"name": "flip-flop"}
    if isinstance(machine, DyckMachine):
        return {"dyck": [machine.k, machine.depth]}
    if isinstance(machine, CounterMachine):
        # A machine that only has the name of one of the catalogue is none of them.
        try:
            named = counter_machine(machine.name)
        except InputError:
            named = None
        if machine != named:
            raise NoCertificate(
                f"certificates know the counter machines of the catalogue, not this {quoted(machine.name)}"
            )
        return {"name": machine.name}
    if isinstance(machine, DFA):
        automaton = {
            "symbols": list(machine.alphabet),
            "table": machine.table.tolist(),
            "accepting": sorted(machine.accepting),
            "start": machine.initial,
        }
        if expression is None:
            return {"dfa": automaton}
        return {"regex": parse_regex(expression, machine.alphabet).postfix(), "dfa": automaton}
    raise NoCertificate(f"certificates know automata and the machines of the catalogue, not a {type(machine).__name__}")


def check_gates(ssm: SSM) -> None:
    """Raises NoCertificate when a layer has a gate function."""
    for number, layer in enumerate(ssm.layers):
        if layer.gate_function != "affine":
            raise NoCertificate(f"certificates cover affine gates: layer {number + 1} has a {layer.gate_function} gate")


def model_object(ssm: SSM) -> dict[str, Any]:
    """The weights, without the names of coordinates, which nothing depends on.

    Raises:
        NoCertificate: when a layer has a gate function.
    """
    check_gates(ssm)
    return {
        "arithmetic": str(ssm.arithmetic),
        "symbols": list(ssm.alphabet),
        "outputs": list(ssm.outputs),
        "embedding": {"exponent": ssm.embedding_exponent, "rows": ssm.embedding.tolist()},
        "layers": [
            {
                "initial": {"exponent": layer.initial_exponent, "values": layer.initial.tolist()},
                "gate": _affine(layer.gate),
                "increment": _affine(layer.increment),
                "phi": [
                    {
                        "affine": _affine(mix.affine),
                        "activation": mix.activation,
                        "low": mix.low if mix.activation == "clip" else 0,
                        "high": mix.high if mix.activation == "clip" else 0,
                    }
                    for mix in layer.phi
                ],
            }
            for layer in ssm.layers
        ],
        "readout": _affine(ssm.readout),
    }


def _affine(affine: Affine) -> dict[str, Any]:
    matrix = affine.matrix
    rows = []
    for start, end in zip(matrix.indptr[:-1].tolist(), matrix.indptr[1:].tolist()):
        pairs = zip(matrix.indices[start:end].tolist(), matrix.data[start:end].tolist())
        rows.append([number for pair in pairs for number in pair])
    return {"exponent": affine.exponent, "bias": affine.bias.tolist(), "rows": rows}


def certificate_text(certificate: dict[str, Any]) -> str:
    """The certificate as text, on one line, which ends.

    Raises:
        NoCertificate: when it is more than a checker reads.
    """
    text = json.dumps(certificate, separators=(",", ":")) + "\n"
    if len(text) > MOST_BYTES:
        raise NoCertificate(f"the certificate has {len(text)} bytes, more than the {MOST_BYTES} that the checker reads")
    return text


def write_certificate(certificate: dict[str, Any], path: str | Path) -> int:
    """Writes a certificate, whole or not at all, compressed where the name ends in ``.gz``.

    Returns:
        The bytes of the file.

    Raises:
        InputError: naming the file, when it cannot be written.
        NoCertificate: when it is more than a checker reads.
    """
    data = certificate_text(certificate).encode("ascii")
    if str(path).endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    write_bytes(path, data)
    return len(data)
