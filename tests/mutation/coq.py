"""Planted faults in what is printed for Coq, and in the reading of what Coq says."""

from .fault import Fault

_EXPORT = "verify/certificate/coq.py"
_CHECK = "verify/certificate/coq_check.py"
_COMMAND = "verify/commands/certify.py"
_TESTS = "tests/test_coq.py"

FAULTS = [
    Fault(
        _EXPORT,
        'return f"({value})" if value < 0 else str(value)',
        "return str(abs(value))",
        _TESTS,
        "a weight is printed with its sign",
    ),
    Fault(
        _EXPORT,
        "Model {model.arithmetic.unit_bits} {model.embedding_exponent}",
        "Model {model.arithmetic.unit_bits} 0",
        _TESTS,
        "the embedding is printed with its exponent",
    ),
    Fault(_EXPORT, 'f"{layer.initial_exponent} {_numbers', 'f"0 {_numbers', _TESTS, "start values have their exponent"),
    Fault(_EXPORT, "(Affine {affine.exponent}\\n", "(Affine 0\\n", _TESTS, "weights have their exponent"),
    Fault(_EXPORT, 'if model.arithmetic.kind == "exact":', "if False:", _TESTS, "exact fractions are never rounded"),
    Fault(
        _EXPORT,
        'if model.arithmetic.kind not in ("exact", "fixed"):',
        "if False:",
        _TESTS,
        "floats and wrapping integers are not the theory's numbers",
    ),
    Fault(_EXPORT, "if mode != model.mode:", "if False:", _TESTS, "a predictor is no recogniser"),
    Fault(
        _EXPORT,
        "if tuple(machine.alphabet) != tuple(model.alphabet):",
        "if False:",
        _TESTS,
        "symbols are numbers in Coq, so their order counts",
    ),
    Fault(_EXPORT, "symbol.replace('\"', '\"\"')", "symbol", _TESTS, "a quotation mark in a symbol is doubled"),
    Fault(
        _CHECK,
        'if closed != theorems or "Axioms:" in output:',
        'if "Axioms:" in output:',
        _TESTS,
        "every theorem is free of assumptions, not some",
    ),
    Fault(
        _CHECK,
        'if closed != theorems or "Axioms:" in output:',
        "if closed != theorems:",
        _TESTS,
        "an axiom is no proof",
    ),
    Fault(_CHECK, "    if status:\n", "    if False:\n", _TESTS, "what Coq ends on with an error is refused"),
    Fault(_COMMAND, 'if path.suffix != ".v":', "if False:", _TESTS, "a Coq file ends in .v"),
]
