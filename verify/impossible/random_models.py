"""Strings that random models get wrong, where a theorem says that no weights of their architecture have a language.

First all models answer many strings, and a few of these are chosen.  Then each model is drawn again, and run on each of
the chosen strings alone, from its beginning: that is what is counted.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import product
from typing import Any, Callable, Protocol, Sequence

import numpy as np

from automata.catalogue import Language
from verify.impossible.cycles import Cycle
from verify.progress import NO_PROGRESS, Progress

REPEATED = (12, 48)
"""How often w is repeated, at most, to find two strings that all models answer alike; if there are none, more often."""

SHORTEST = 60
"""So many shortest strings are run where no two are known beforehand."""

Draw = Callable[[int], AbstractContextManager[Any]]
"""A random model by its seed, or a given one, as long as the context lasts."""

_Word = tuple[str, ...]


class Shown(Protocol):
    """Runs models, so many seeds, on strings that some of them must get wrong."""

    def __call__(self, draw: Draw, *, models: int, progress: Progress = NO_PROGRESS) -> Failures: ...


@dataclass(frozen=True)
class Failures:
    """Strings, and what became of the models that were run on them.

    Attributes:
        strings: each of them alone was read by each model.
        made: how they were found, in words.
        models: how many were run.
        wrong: how many of them are wrong on at least one of the strings.
    """

    strings: tuple[_Word, ...]
    made: str
    models: int
    wrong: int


def on_powers(draw: Draw, language: Language, cycle: Cycle, models: int, progress: Progress = NO_PROGRESS) -> Failures:
    """Strings u w^n v and u w^(n + apart) v that most models answer alike, all if there are such, with a least n."""
    for most in REPEATED:
        tried = [n for n in range(most + 1) if n % cycle.period in cycle.residues]
        powers = sorted({*tried, *(n + cycle.apart for n in tried)})
        given = answers_of(draw, language.alphabet, [cycle_word(cycle, n) for n in powers], models, progress)
        alike = [(given[:, powers.index(n)] == given[:, powers.index(n + cycle.apart)]).sum() for n in tried]
        if max(alike) == models:
            break
    n = tried[alike.index(max(alike))]
    strings = cycle_word(cycle, n), cycle_word(cycle, n + cycle.apart)
    return on_strings(draw, language, strings, f"{_named(cycle)}, n = {n} and {n + cycle.apart}", models, progress)


def on_few(draw: Draw, language: Language, models: int, progress: Progress = NO_PROGRESS) -> Failures:
    """Few short strings such that each model is wrong on one of them, if there are such: always the one on which most
    models are wrong of those that are not wrong on one before.
    """
    words: list[_Word] = []
    for length in range(SHORTEST):
        words += product(language.alphabet, repeat=length)
        if len(words) >= SHORTEST:
            break
    words = words[:SHORTEST]
    wrong = answers_of(draw, language.alphabet, words, models, progress) != _right(language, words)
    chosen: list[int] = []
    left = np.ones(models, dtype=bool)
    while left.any() and wrong[left].any():
        chosen.append(int(wrong[left].sum(axis=0).argmax()))
        left &= ~wrong[:, chosen[-1]]
    made = f"of the {len(words)} shortest strings few that catch all models caught by any"
    return on_strings(draw, language, [words[i] for i in sorted(chosen)], made, models, progress)


def on_strings(
    draw: Draw, language: Language, strings: Sequence[_Word], made: str, models: int, progress: Progress = NO_PROGRESS
) -> Failures:
    """Strings that are known, each read alone."""
    given = answers_of(draw, language.alphabet, strings, models, progress, alone=True)
    wrong = (given != _right(language, strings)).any(axis=1)
    return Failures(tuple(strings), made, models, int(wrong.sum()))


def cycle_word(cycle: Cycle, n: int) -> _Word:
    """u w^n v."""
    return cycle.u + cycle.w * n + cycle.v


def answers_of(
    draw: Draw,
    alphabet: _Word,
    words: Sequence[_Word],
    models: int,
    progress: Progress = NO_PROGRESS,
    alone: bool = False,
) -> np.ndarray:
    """What each model answers after each string: booleans (models, strings)."""
    given = np.zeros((models, len(words)), dtype=bool)
    for seed in range(models):
        with draw(seed) as model:
            # One that somebody saved may have the symbols in another order.
            number = {symbol: index for index, symbol in enumerate(getattr(model, "alphabet", alphabet))}
            numbers = [[number[symbol] for symbol in word] for word in words]
            whole = getattr(model, "by_full_forward", None)
            if alone:
                given[seed] = [_together(whole or model, [word])[0] for word in numbers]
            else:
                given[seed] = _by_steps(model, numbers) if whole is None else _together(whole, numbers)
        progress.advance(1)
    return given


def _together(model: Any, words: Sequence[list[int]]) -> list[bool]:
    """Strings as rows of one batch, each with something behind it that is not looked at."""
    longest = max(map(len, words))
    states, begun = model.begin(len(words))
    first = begun.dense()[:, -1, 0].tolist()
    if not longest:
        return first
    _, outputs = model.advance(states, np.array([word + [0] * (longest - len(word)) for word in words]))
    rows = outputs.dense()[..., 0].tolist()
    return [rows[i][len(word) - 1] if word else first[i] for i, word in enumerate(words)]


def _by_steps(model: Any, words: Sequence[list[int]]) -> list[bool]:
    """Of an engine, which reads a symbol after the other: with what strings begin alike is run once."""
    known: dict[tuple[int, ...], Any] = {(): model.begin(1)}
    for word in words:
        for length, symbol in enumerate(word):
            before, after = tuple(word[:length]), tuple(word[: length + 1])
            if after not in known:
                known[after] = model.advance(known[before][0], np.array([[symbol]]))
    return [bool(known[tuple(word)][1].dense()[0, -1, 0]) for word in words]


def _right(language: Language, words: Sequence[_Word]) -> np.ndarray:
    dfa = language.dfa()
    return np.array([dfa.accepts_word(word) for word in words])


def _named(cycle: Cycle) -> str:
    """u w^n v with its symbols.

    >>> _named(Cycle(("b",), ("a", "b"), (), (), ()))
    'b (a b)^n'
    """
    w = " ".join(cycle.w)
    return " ".join([*cycle.u, f"({w})^n" if len(cycle.w) > 1 else f"{w}^n", *cycle.v])
