"""The paper's SSM as a target: any of its arithmetics, run by the exact engine."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Callable, Iterable, Iterator

from automata.errors import InputError
from automata.files import check_replaceable
from constructions.cascade import Cascade, Counter, Permutation, Reset, bit_length
from constructions.compile.compiler import ADD, DRIFT, READ_BEFORE, RESET, SET_COUNTER, Construction
from constructions.ssm import storage
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.horizon import exact_length
from constructions.ssm.lowering import lower
from constructions.ssm.random_ssm import random_ssm
from constructions.ssm.weights import SSM as Weights
from constructions.target import MONOTONE


class PaperSSM:
    """Diagonal nonnegative gates, two ReLU stages, integers over a power of two (see
    :mod:`constructions.ssm.weights`).
    """

    name = "ssm"
    title = "the paper's SSM, in exact, fixed-point, wrapping or float arithmetic"
    abilities = frozenset((RESET, READ_BEFORE, ADD, SET_COUNTER, DRIFT))
    motion = MONOTONE
    reluctant: frozenset[str] = frozenset()
    numbers = "arithmetic"
    test_length = 500
    loads_with = {"loads with": "verify.load"}

    def cannot_hold(self, cascade: Cascade, numbers: str) -> InputError | None:
        """None: its numbers do not come in formats."""
        return None

    def lower(self, cascade: Cascade, numbers: str, advance: Callable[[int], object] = lambda rules: None) -> Weights:
        return lower(cascade, Arithmetic.parse(numbers), advance)

    @contextmanager
    def running(self, weights: Weights) -> Iterator[Engine]:
        yield Engine(weights)

    @contextmanager
    def random(self, alphabet: tuple[str, ...], outputs: tuple[str, ...], seed: int) -> Iterator[Engine]:
        yield Engine(random_ssm(seed, 2, 4, Arithmetic.parse("fixed:3"), alphabet=alphabet, outputs=outputs))

    def longest(self, weights: Weights, construction: Construction | None, wanted: int) -> int:
        if wanted << 10 < weights.arithmetic.limit:
            # Far below the bound; the engine checks it in any case.
            return wanted
        exact = exact_length(weights)
        return wanted if exact is None else min(wanted, exact)

    def exact_range(self, weights: Weights) -> str:
        return f"{weights.arithmetic} counts exactly below 2^{weights.arithmetic.limit.bit_length() - 1}"

    def size(self, weights: Weights) -> dict[str, int]:
        return {"layers": len(weights.layers), "coordinates": weights.hidden_size, "nonzero weights": weights.nonzero}

    def describe(self, weights: Weights, construction: Construction | None) -> dict[str, object]:
        """Layers, hidden size, registers with their gates, sizes, all read off the arrays."""
        widths = " + ".join(runs(str(layer.width) for layer in weights.layers))
        neurons = ", ".join(runs("+".join(str(mix.affine.outputs) for mix in layer.phi) for layer in weights.layers))
        values: dict[str, object] = {
            "layers": len(weights.layers),
            "hidden size": f"{weights.hidden_size} ({widths})",
            "neurons of phi": neurons,
        }
        gates = _gate_values(weights)
        groups: list[tuple[str, list[str]]] = []
        for register in construction.cascade.registers if construction else ():
            text = _register(register, gates)
            if groups and groups[-1][0] == text and isinstance(register, Reset):
                groups[-1][1].append(register.name)
            else:
                groups.append((text, [register.name]))
        for text, names in groups:
            if len(names) <= 8:
                values.update({f"register {name}": text for name in names})
            else:
                values[f"register {names[0]}"] = (
                    f"{text}; likewise each of the {len(names)} registers up to {names[-1]}"
                )
        values["largest weight"] = weights.largest_weight
        values["nonzero weights"] = weights.nonzero
        values["arithmetic"] = weights.arithmetic
        return values

    def save(self, weights: Weights, folder: str | Path, card: str = "", language: str = "") -> None:
        storage.save(weights, folder, language)

    def check_place(self, folder: str | Path) -> None:
        check_replaceable(folder, storage.MODEL_FILES, storage.A_SAVED_MODEL)

    def owns(self, folder: Path) -> bool:
        return (folder / storage.DESCRIPTION).is_file()

    def load(self, folder: str | Path) -> Weights:
        return storage.load(folder)


_SHOWN_RUNS = 40


def runs(items: Iterable[str]) -> list[str]:
    """Items for reading, where three or more equal ones in a row are one; the middle of a long list is left out.

    >>> runs("1 2 2 3 3 3".split())
    ['1', '2', '2', '3 × 3']
    """
    shown: list[str] = []
    for item, run in groupby(items):
        count = len(list(run))
        shown += [item] * count if count < 3 else [f"{count} × {item}"]
    if len(shown) > _SHOWN_RUNS:
        half = _SHOWN_RUNS // 2
        shown = [*shown[:half], f"… ({len(shown) - 2 * half} more)", *shown[-half:]]
    return shown


def _register(register, gates: dict[str, str]) -> str:
    if isinstance(register, Counter):
        span = f", {register.span[0]}..{register.span[1]}" if register.span else ""
        return f"counter{span}, gate {gates[register.name]}"
    bits = bit_length(register.values)
    kind = "permutation" if isinstance(register, Permutation) else "reset"
    if not bits:
        return f"{kind}, one value, no bits"
    name = register.name if bits == 1 else f"{register.name} bit 0"
    return f"{kind}, {register.values} values in {bits} bit{'s' * (bits > 1)}, gate {gates[name]}"


def _gate_values(weights: Weights) -> dict[str, str]:
    """The gates of each named coordinate: the constant, and the constant changed by one event at a time."""
    found = {}
    for layer in weights.layers:
        matrix, scale = layer.gate.matrix, 2.0**layer.gate.exponent
        for i, name in enumerate(layer.names):
            row = matrix.data[matrix.indptr[i] : matrix.indptr[i + 1]]
            values = sorted({(int(layer.gate.bias[i]) + int(c)) / scale for c in (0, *row)})
            found[name] = " or ".join(f"{value:g}" for value in values)
    return found


PAPER_SSM = PaperSSM()
