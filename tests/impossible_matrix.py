"""Every cell of the catalogue and the architectures that a theorem forbids: what `decide` says of it, and random
models, each run on the strings that it prints: one line of JSON for each cell, written as it is done, so that an
interrupted run goes on where it was.

    python -m tests.impossible_matrix --out build/impossible-matrix.jsonl [--models 100] [--on mamba2,rwkv] [--summary]
"""

from __future__ import annotations

import dataclasses
import sys
import time
from contextlib import ExitStack, contextmanager
from itertools import product
from typing import Any, Iterator

import numpy as np

from automata.catalogue import language
from automata.machine import ACCEPT, RECOGNISE
from constructions.stock.rows import random_row
from constructions.target import TARGETS
from tests.kept_lines import Line, filled, kept, options, table
from verify.decision import IMPOSSIBLE, WITHOUT_WEIGHTS, Decision, decide, decide_without_weights

NONNEGATIVE = (
    "ssm", "mamba", "mamba2", "bamba", "granitemoehybrid", "falcon_h1", "nemotron_h", "recurrent_gemma", "falcon_mamba",
    "jamba", "zamba", "zamba2", "xlstm", "rwkv", "longhorn", "minimax",
)  # fmt: skip
"""Gates in [0, 1]: star-free at most."""

WITH_GROUPS = ("tomita-3", "tomita-5", "tomita-6", "parity", "aa-star", "aaaa-star", "abab-star")
NOT_DEFINITE = (
    *WITH_GROUPS, "tomita-1", "tomita-2", "tomita-4", "tomita-7", "d-2", "d-3", "d-4", "d-12", "aa*bb*cc*dd*ee*",
    "{a,b}*d{b,c}*", "{0,1,2}*02*", "flip-flop",
)  # fmt: skip
BY_SYMBOL = ("tomita-5", "tomita-6", "parity")
"""Those that count a symbol modulo a number, which no position tells."""

FORBIDDEN = {
    **dict.fromkeys(NONNEGATIVE, WITH_GROUPS),
    "signed-diagonal": ("tomita-6",),
    "lru": BY_SYMBOL,
    "lfm2": NOT_DEFINITE,
}
"""What theorems say of the catalogue's languages, written down and not computed."""

MODELS, SHORT = 100, 5


@dataclasses.dataclass(frozen=True)
class Cell:
    """One line of the matrix."""

    language: str
    target: str


def cells() -> Iterator[Cell]:
    """All of them, target by target."""
    for target, names in FORBIDDEN.items():
        for name in names:
            yield Cell(name, target)


class DrawnOnce:
    """A target whose random models are drawn once for all languages of an alphabet."""

    def __init__(self, name: str):
        self.name, self._models, self._stack = name, {}, ExitStack()

    def __getattr__(self, attribute: str) -> Any:
        return getattr(TARGETS.named(self.name), attribute)

    @contextmanager
    def random(self, alphabet: tuple[str, ...], outputs: tuple[str, ...], seed: int) -> Iterator[Any]:
        asked = alphabet, outputs, seed
        if asked not in self._models:
            if self.name in WITHOUT_WEIGHTS:
                drawn = random_row(self.name, *asked)
            else:
                drawn = TARGETS.named(self.name).random(*asked)
            self._models[asked] = self._stack.enter_context(drawn)
        yield self._models[asked]


def decision(cell: Cell, models: int, target: DrawnOnce) -> Decision:
    """What the product says of it."""
    known = language(cell.language)
    if cell.target in WITHOUT_WEIGHTS:
        return decide_without_weights(known, cell.target, models)
    return decide(known, RECOGNISE, target, models=models)


def run(cell: Cell, models: int = MODELS, target: DrawnOnce | None = None) -> dict[str, Any]:
    """What is decided, and how many of the models are wrong on the strings, of that many run once more from the start;
    how many of them answer some short strings in one way and others in the other; whether all logits are finite.
    """
    start, target = time.process_time(), target or DrawnOnce(cell.target)
    found = decision(cell, models, target)
    dfa, alphabet = language(cell.language).dfa(), language(cell.language).alphabet
    failures = found.failures
    wrong = both = 0
    finite = True
    for seed in range(models if failures else 0):
        with target.random(alphabet, (ACCEPT,), seed) as model:
            assert failures is not None
            wrong += any(answer(model, alphabet, word) != dfa.accepts_word(word) for word in failures.strings)
            both += len(short_answers(model, len(alphabet))) == 2
            if runner := getattr(model, "runner", None):
                finite &= bool(runner.logits(model_tokens(model, len(alphabet))).isfinite().all())
    return {
        **dataclasses.asdict(cell),
        "models": models,
        "answer": found.answer,
        "made": failures.made if failures else "",
        "lengths": [len(word) for word in failures.strings] if failures else [],
        "in the language": sum(map(dfa.accepts_word, failures.strings)) if failures else 0,
        "wrong as decide says": failures.wrong if failures else 0,
        "wrong": wrong,
        "of two minds": both,
        "finite": finite,
        "seconds": round(time.process_time() - start, 1),
    }


def answer(model: Any, alphabet: tuple[str, ...], word: tuple[str, ...]) -> bool:
    """What a model answers after a string, read whole."""
    running = getattr(model, "by_full_forward", model)
    states, outputs = running.begin(1)
    if word:
        _, outputs = running.advance(states, np.array([[alphabet.index(symbol) for symbol in word]]))
    return bool(outputs.dense()[0, -1, 0])


def short_answers(model: Any, letters: int) -> set[bool]:
    """All answers after strings of up to so many symbols, fewer where there are many letters."""
    running = getattr(model, "by_full_forward", model)
    length = SHORT if letters < 3 else 3
    words = np.array(list(product(range(letters), repeat=length)))
    states, _ = running.begin(len(words))
    return set(running.advance(states, words)[1].dense()[..., 0].ravel().tolist())


def model_tokens(model: Any, letters: int) -> Any:
    """BOS and 30 symbols."""
    import torch

    symbols = np.random.default_rng(0).integers(0, letters, 30)
    return torch.tensor([[model.vocabulary.bos, *model.vocabulary.tokens[symbols].tolist()]])


def as_it_should(line: dict[str, Any]) -> bool:
    """Impossible, strings of which one is in the language and one is not, and each model wrong on one of them."""
    strings = len(line["lengths"]) == 2 and line["in the language"] == 1
    every = line["models"] == line["wrong"] == line["wrong as decide says"]
    return line["answer"] == IMPOSSIBLE and strings and every and line["finite"]


def summary(lines: list[dict[str, Any]]) -> str:
    """Counts for each target, and each cell that is not as it should be."""
    rows = []
    for target in FORBIDDEN:
        of = [line for line in lines if line["target"] == target]
        if of:
            right = sum(map(as_it_should, of))
            minds = f"{min(line['of two minds'] for line in of)} to {max(line['of two minds'] for line in of)}"
            longest = max(length for line in of for length in line["lengths"])
            rows.append(
                f"{target:<18} {right} of {len(FORBIDDEN[target])} cells, {of[0]['models']} models each, {minds} of "
                f"them of two minds, strings of up to {longest} symbols"
            )
    return table(rows, lines, as_it_should)


def main(words: list[str]) -> int:
    parser = options("impossible_matrix", __doc__)
    parser.add_argument("--models", type=int, default=MODELS)
    args = parser.parse_args(words)
    drawn = DrawnOnce("")

    def line_of(cell: Cell) -> Line:
        nonlocal drawn
        drawn = drawn if drawn.name == cell.target else DrawnOnce(cell.target)
        return run(cell, args.models, drawn)

    begun = [line for line in kept(args.out) if line["models"] == args.models]
    lines = filled(args, begun, cells(), line_of)
    print(summary(lines))
    return 0 if all(map(as_it_should, lines)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
