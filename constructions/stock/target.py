"""A stock architecture as a target: lowered by way of a program, run in transformers, saved as a checkpoint."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Iterator

from automata.dfa import DFA
from automata.errors import InputError
from automata.files import check_replaceable
from automata.machine import ACCEPT, PREDICTIVE, RECOGNISE
from constructions.cascade import Add, Cascade
from constructions.compile.compiler import (
    ADD,
    DRIFT,
    PERMUTE,
    READ_BEFORE,
    RESET,
    Construction,
    NotExpressible,
    compile,
    counters_of,
    counts_too_far,
    needs,
)
from constructions.mamba.checkpoint import A_CHECKPOINT, CHECKPOINT_FILES
from constructions.mamba.precision import PRECISIONS
from constructions.mamba.surroundings import transformers_ready
from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL
from constructions.program.operations import Accumulate, Delay, Flip, Hold, Program, Swap
from constructions.program.planner import plan
from constructions.stock.architecture import Architecture
from constructions.stock.checkpoint import write_stock
from constructions.stock.weights import StockWeights

_ROWS = 64
"""Strings that are stepped at once."""


class StockTarget:
    """A stock architecture (see :class:`constructions.target.Target`)."""

    reluctant = frozenset((DRIFT,))
    numbers = "dtype"
    test_length = 100
    loads_with: dict[str, object] = {
        "loads with": "AutoModelForCausalLM.from_pretrained and AutoTokenizer.from_pretrained"
    }

    def __init__(self, architecture: Architecture):
        self.architecture = architecture
        self.name, self.title = architecture.name, architecture.title

    @property
    def motion(self) -> str:
        """As the architecture says."""
        return self.architecture.motion

    @property
    def abilities(self) -> frozenset[str]:
        """What its registers can do, read off the operations that its halves offer."""
        kinds = frozenset().union(*self.architecture.offer.halves)
        found = {RESET} if Hold in kinds else set()
        if self.architecture.offer.late or Delay in kinds:
            found.add(READ_BEFORE)
        if Accumulate in kinds:
            found |= {ADD, DRIFT}
        if {Flip, Swap} <= kinds:
            found.add(PERMUTE)
        return frozenset(found)

    def cannot_hold(self, cascade: Cascade, numbers: str) -> InputError | None:
        """A counter in a format in which the architecture does not count, or not so far."""
        if numbers not in self.architecture.dtypes:
            known = ", ".join(self.architecture.dtypes)
            raise InputError(f"--dtype {numbers}: {self.name} is exact in {known}")
        if numbers not in self.architecture.counts_in:
            known = " and ".join(name for name in self.architecture.dtypes if name in self.architecture.counts_in)
            for counter in counters_of(cascade):
                return NotExpressible(counter.name, f"counts, which {self.name} does in {known} only, not in {numbers}")
        return counts_too_far(cascade, numbers, _exact_below(numbers))

    def lower(
        self, cascade: Cascade, numbers: str, advance: Callable[[int], object] = lambda rules: None
    ) -> StockWeights:
        refusal = self.cannot_hold(cascade, numbers)
        if refusal is not None:
            raise refusal
        program = plan(cascade, self.architecture.offer)
        config, tensors = self.architecture.weights(program, numbers)
        with transformers_ready():
            from constructions.stock.running import complete

            model, full = complete(self.architecture, config, tensors)
        return StockWeights(self.architecture, numbers, program, {"architectures": [model], **config}, full)

    @contextmanager
    def running(self, weights: StockWeights, seed: int | None = None) -> Iterator[Any]:
        """The model, in a ``with`` statement; with a seed, random numbers in the place of its weights."""
        with transformers_ready():
            from constructions.mamba.stepping import SteppedMamba, Vocabulary
            from constructions.stock.running import StockRunner, built, random_numbers

            stock = built(weights)
            if seed is not None:
                random_numbers(self.architecture, stock, seed)
            runner = StockRunner(self.architecture, stock)
            program = weights.program
            tokens = range(FIRST_SYMBOL, FIRST_SYMBOL + len(program.alphabet))
            words = Vocabulary(program.alphabet, program.outputs, tokens, BOS_TOKEN, EOS_TOKEN)
            yield SteppedMamba(runner, words, self.architecture.most_rows or _ROWS)

    @contextmanager
    def random(self, alphabet: tuple[str, ...], outputs: tuple[str, ...], seed: int) -> Iterator[Any]:
        """Of the sizes of a model that accepts everything, with norms that do something; attention is idle."""
        everything = DFA(alphabet, [[0] * len(alphabet)], [0])
        mode = RECOGNISE if outputs == (ACCEPT,) else PREDICTIVE
        built = self.lower(compile(everything, mode, target=self).cascade, "float32")
        config = {name: 1e-5 if "eps" in name else value for name, value in built.config.items()}
        with self.running(replace(built, config=config), seed) as model:
            yield model

    def longest(self, weights: StockWeights, construction: Construction | None, wanted: int) -> int:
        """Counters that drift are exact for some time; an inserted symbol makes a string one longer than asked for."""
        if construction is None or DRIFT not in needs(construction.cascade):
            return wanted
        fastest = max(
            abs(counter.initial) + sum(abs(rule.then.amount) for rule in counter.rules if isinstance(rule.then, Add))
            for counter in counters_of(construction.cascade)
        )
        return min(wanted, _exact_below(weights.dtype) // max(1, fastest) - 2)

    def exact_range(self, weights: StockWeights) -> str:
        return f"{weights.dtype} counts exactly below {_exact_below(weights.dtype)}"

    def size(self, weights: StockWeights) -> dict[str, int]:
        return {"layers": weights.layers, "parameters": weights.parameters, "nonzero weights": weights.nonzero}

    def describe(self, weights: StockWeights, construction: Construction | None) -> dict[str, object]:
        """Layers, sizes and gates."""
        return {
            "layers": weights.layers,
            "hidden size": weights.width,
            "parameters": weights.parameters,
            "nonzero": weights.nonzero,
            "dtype": weights.dtype,
            "gates": self.architecture.gate,
            "program": _operations(weights.program),
        }

    def save(self, weights: StockWeights, folder: str | Path, card: str = "", language: str = "") -> None:
        write_stock(weights, Path(folder), card, language)

    def check_place(self, folder: str | Path) -> None:
        check_replaceable(folder, CHECKPOINT_FILES, A_CHECKPOINT)

    def owns(self, folder: Path) -> bool:
        return False

    def load(self, folder: str | Path) -> StockWeights:
        """Refuses: a checkpoint alone does not say what its coordinates mean."""
        raise InputError(f"{folder}: a checkpoint is checked against a language: see `python -m verify check`")


def _exact_below(dtype: str) -> int:
    """Integers below this one are exact, and so are their sums with 1."""
    return 1 << PRECISIONS[dtype].digits


def _operations(program: Program) -> str:
    kinds = [type(operation).__name__.lower() for half in program.halves for operation in half]
    return (
        ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)) + f" in {len(program.halves)} halves"
    )
