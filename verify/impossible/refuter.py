"""The refuter: two strings on which a nonnegative model answers alike and must not.

For a language that is not star-free there are strings u w^n v whose right answer never settles
(:mod:`verify.impossible.cycles`), while a nonnegative model of finite precision does settle on them
(:mod:`verify.impossible.transients.settling`).  So some n, computed and not guessed, gives u w^n v and u w^(n+1) v with
one answer of the model and two right answers.  Wherever the strings are not too long, the model is then run on them
from the start.

In ``exact`` arithmetic with fractions a model only approaches its limit, and its fractions grow with every symbol.
There n comes from the sign of the limit, and the run is one between bounds
(:mod:`verify.impossible.transients.enclosed`), where an answer counts only when it is certain.

Where nothing is known to settle, the strings are run for a while, and a model that is wrong on them is refuted by
that; otherwise the verdict is ``undecided``: nothing is ever concluded from the language alone.

Source: Sarrof, Veitsman, Hahn 2024, Theorems 2 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Iterator

import numpy as np

from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import Machine
from constructions.ssm.engine import Engine
from constructions.ssm.number_formats import Rationals
from constructions.ssm.weights import SSM
from verify.evidence.sampling import check_words, random_words
from verify.impossible.cycles import Cycle, find_cycle
from verify.impossible.transients.channels import Unsettled
from verify.impossible.transients.enclosed import EnclosedRun
from verify.impossible.transients.settling import Settled, Settler
from verify.methods.bisimulation import bisimulation
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import PROVED, REFUTED, UNDECIDED, Pumped, Verdict, Witness

LONGEST_RUN = 10_000_000
"""Longer strings are not run: the verdict then rests on the computation alone, and says so."""
_LONGEST_WITNESS = 100_000
_STARTS = (16, 1024, 8192, 65536)
"""Symbols after which the limit is asked for: a later start knows more, and so gives a sharper bound, but has to be
run.
"""
_CHEAP = 8192
_SEARCHED = 4096
_CHUNK = 1 << 16
_SEARCH_PAIRS, _RANDOM_WORDS, _RANDOM_LENGTH = 20_000, 1000, 200
_FEW_PAIRS, _FEW_WORDS, _SHORT = 150, 30, 16
"""The same where fractions grow with every symbol."""
_TOLERANCES = tuple(Fraction(1, 1 << bits) for bits in (6, 16, 40))
"""How close to its limit an exact model is waited for, the coarsest first: it gives the shortest strings."""
_ENCLOSED = 512
"""Symbols of a run between bounds."""


@dataclass(frozen=True)
class Refutation:
    """What the refuter found.

    Attributes:
        verdict: ``refuted`` with its pair of strings, ``undecided`` with the reason, or, for a star-free language, the
            outcome of a search.
        cycle: the strings tried; None for a star-free language.
        settled: how the model settles, where that is known.
        answer: the model's answer on both strings, where it was run on them from the start; None where it was not.
    """

    verdict: Verdict
    cycle: Cycle | None = None
    settled: Settled | None = None
    answer: frozenset[str] | None = None

    @property
    def confirmed(self) -> bool:
        """Whether the model was run on both strings."""
        return self.answer is not None

    @property
    def n(self) -> int | None:
        """The exponent of the first string."""
        return self.verdict.pair[0].n if self.verdict.pair else None


def refute(model: SSM | Engine, dfa: DFA, confirm: bool = True, progress: Progress = NO_PROGRESS) -> Refutation:
    """Looks for strings on which the model must be wrong about the language.

    Args:
        model: recogniser or predictor; its outputs say which question is asked.
        dfa: the language; any alphabet order.
        confirm: run the model on the two strings, where they have at most 10^7 symbols.
        progress: told about symbols run.

    Raises:
        InputError: when the alphabets differ.

    >>> from automata.catalogue import language
    >>> from constructions.ssm.arithmetic import Arithmetic
    >>> from constructions.ssm.random_ssm import random_ssm
    >>> ssm = random_ssm(3, depth=2, width=4, arithmetic=Arithmetic.parse("fixed:3"))
    >>> found = refute(ssm, language("parity").dfa())
    >>> found.verdict.outcome, *map(str, found.verdict.pair)
    ('refuted', '1^17', '1^18')
    """
    engine = model if isinstance(model, Engine) else Engine(model)
    check_same_alphabet(engine.ssm, dfa)
    cycle = find_cycle(dfa, engine.ssm.mode)
    if cycle is None:
        return Refutation(search(engine, dfa, progress))
    return refute_on(engine, cycle, confirm, progress)


def check_same_alphabet(ssm: SSM, dfa: DFA) -> None:
    """Raises unless model and language have the same symbols."""
    for symbol in sorted(set(ssm.alphabet) ^ set(dfa.alphabet))[:1]:
        raise InputError(f"symbol {symbol!r} is in the alphabet of only one of language and model")


def refute_on(engine: Engine, cycle: Cycle, confirm: bool = True, progress: Progress = NO_PROGRESS) -> Refutation:
    """:func:`refute` on given strings: for many models of one language."""
    kind = _Enclosed if isinstance(engine.numbers, Rationals) else _Attempt
    attempt = kind(engine, cycle, progress)
    # Floats may overflow, which is looked for where it matters.
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            periods, settled = attempt.settle()
        except Unsettled as reason:
            return attempt.by_running(str(reason))
        return attempt.by_settling(periods, settled, confirm)


def search(engine: Engine, machine: Machine, progress: Progress = NO_PROGRESS) -> Verdict:
    """For any language: a search for a real disagreement, over joint states and then over random strings.

    Returns:
        ``refuted`` with a witness, ``proved`` if the search closed, ``tested`` otherwise; never a claim of
        impossibility.
    """
    mode = engine.ssm.mode
    pairs, count, length = _SEARCH_PAIRS, _RANDOM_WORDS, _RANDOM_LENGTH
    if isinstance(engine.numbers, Rationals):
        pairs, count, length = (_FEW_PAIRS, _FEW_WORDS, _SHORT) if _grow(engine) else (pairs // 4, _FEW_WORDS, length)
    try:
        searched = bisimulation(machine, engine, mode, limit=pairs, progress=progress)
    except InputError as reason:
        return Verdict(UNDECIDED, "search", mode, engine.arithmetic, {}, str(reason))
    if searched.outcome in (REFUTED, PROVED):
        return searched
    words = random_words(machine, count, length, np.random.default_rng(0))
    return check_words(machine, engine, words, mode, repeat="seed 0", progress=progress)


def _grow(engine: Engine) -> bool:
    """Whether the fractions of an exact model have more digits after twelve symbols than after six."""
    symbols = np.arange(min(16, len(engine.alphabet)))
    repeated = np.repeat(symbols[:, None], 6, axis=1)
    mixed = np.random.default_rng(0).integers(0, len(engine.alphabet), (2, 4, 6))
    state, digits = engine.begin(len(symbols) + 4)[0], []
    for more in mixed:
        state, _ = engine.advance(state, np.concatenate([repeated, more]))
        digits.append(max((Fraction(h).denominator for h in state.ravel()), default=1))
    return digits[1] > digits[0]


class _Attempt:
    """One model on the strings u w^n v."""

    def __init__(self, engine: Engine, cycle: Cycle, progress: Progress):
        self.engine, self.cycle, self.progress = engine, cycle, progress
        self.u, self.w, self.v = (engine.encode(word) for word in (cycle.u, cycle.w, cycle.v))
        self.run = 0

    # -- by computing where the model settles ---------------------------------------------------------

    def settle(self) -> tuple[int, Settled]:
        """A number of periods after which the model's answer no longer changes, and how it settles."""
        settler = Settler(self.engine.ssm)
        symbols = self.w.shape[1]
        best: tuple[int, Settled] | None = None
        reason: Unsettled | None = None
        state, done = None, 0
        for start in _STARTS:
            periods = max(1, start // symbols)
            try:
                if state is None:
                    state, _ = self._read(self.engine.begin(1)[0], self.u)
                state = self._repeat(state, periods - done)
            except InputError as error:
                reason = reason or Unsettled(str(error))
                break
            done = periods
            try:
                settled = self._from(settler, state)
            except Unsettled as unsettled:
                reason = unsettled
                if start >= _SEARCHED:
                    break
                continue
            if best is None or done + settled.periods < best[0]:
                best = done + settled.periods, settled
            if self._sharp(best[0], done, settled.estimate):
                break
        if best is None:
            raise reason or Unsettled("no start was tried")
        return best

    @staticmethod
    def _sharp(bound: int, done: int, needed: float) -> bool:
        """Whether it is not worth running further for a better bound."""
        return (
            bound <= (8 if done < _CHEAP else 64) * done
            or needed > _STARTS[-1]
            or (needed > _CHEAP and bound <= 64 * needed)
        )

    def _from(self, settler: Settler, state: np.ndarray) -> Settled:
        arithmetic = self.engine.ssm.arithmetic
        if arithmetic.is_float:
            # What grows stays a straight line as long as the digits that rounding takes away are few.
            try:
                return settler.settle(state[0], self.cycle.w, self.cycle.v, window=1 << max(0, arithmetic.bits - 8))
            except Unsettled:
                # It is followed until it stalls, which is far; a later start may do without.
                return replace(settler.settle(state[0], self.cycle.w, self.cycle.v), estimate=0.0)
        return settler.settle(state[0], self.cycle.w, self.cycle.v)

    def by_settling(self, periods: int, settled: Settled, confirm: bool) -> Refutation:
        n = self.cycle.first_from(periods)
        pair = self._pair(n)
        explored = {"periods at most": periods}
        reason = f"the model has settled after {periods} times w at the latest, and answers alike on both strings"
        not_run = (
            "as asked" if not confirm else f"longer than {LONGEST_RUN} symbols" if pair[1].length > LONGEST_RUN else ""
        )
        if not not_run:
            try:
                first, second = self.answers_at(n)
            except InputError as error:
                not_run = str(error)
        if not_run:
            verdict = self._verdict(REFUTED, "settling", explored, f"{reason}; not run: {not_run}", None, pair)
            computed = Refutation(verdict, self.cycle, settled)
            if not confirm:
                return computed
            # Shorter strings that show the same are worth more than strings that nobody can run.
            short = self.by_running(f"{reason}, and those on which it must are {pair[0]} and {pair[1]}")
            return replace(short, settled=settled) if short.confirmed else computed
        if first != second:
            raise AssertionError(
                f"the model does not answer alike on {pair[0]} and {pair[1]}: its limit was computed wrongly"
            )
        reason += ", as a run from the start shows"
        witness = self._witness(pair, first)
        return Refutation(
            self._verdict(REFUTED, "settling", explored, reason, witness, pair), self.cycle, settled, first
        )

    # -- by running -----------------------------------------------------------------------------------

    def by_running(self, why: str) -> Refutation:
        """Looks for a pair of strings that are answered alike among the first few thousand n."""
        self.run = 0
        try:
            for n, answer in self._alike():
                pair = self._pair(n)
                verdict = self._verdict(
                    REFUTED, "running", {}, f"found by running; {why}", self._witness(pair, answer), pair
                )
                return Refutation(verdict, self.cycle, None, answer)
        except InputError as error:
            why += f"; running stopped: {error}"
        n = self.run
        reason = (
            f"{why}; no two of the strings "
            f"{Pumped(self.cycle.u, self.cycle.w, 0, self.cycle.v)}, … up to n = {n} show it wrong"
        )
        return Refutation(self._verdict(UNDECIDED, "settling", {"strings run": n + 1}, reason), self.cycle)

    def _alike(self) -> Iterator[tuple[int, frozenset[str]]]:
        """Each n at which u w^n v and u w^(n+1) v are answered alike and must not be, with the answer; counts in
        ``run`` how far.
        """
        before = None
        for self.run, answer in enumerate(self._answers()):  # noqa: B020 - an attribute, not the object
            if answer is not None and before == answer and (self.run - 1) % self.cycle.period in self.cycle.residues:
                yield self.run - 1, answer
            before = answer

    def _answers(self) -> Iterator[frozenset[str] | None]:
        """The model's answers after u v, u w v, u w w v, …, some thousands of symbols far; None where one is not
        known.
        """
        state, outputs = self.engine.begin(1)
        state, last = self._read(state, self.u, outputs)
        yield self._finish(state, last)
        symbols, periods, done = self.w.shape[1], 1, 0
        while done * symbols < _SEARCHED:
            if self.v.shape[1]:
                state, last = self._read(state, self.w)
                yield self._finish(state, last)
            else:
                # Doubled each time: what could be run before a number grows too large has then been looked at.
                state, outputs = self.engine.advance(state, np.tile(self.w, periods))
                for i in outputs.ids[0, symbols - 1 :: symbols]:
                    yield self.engine.names(outputs.table[i])
            done += periods
            periods *= 1 if self.v.shape[1] else 2

    def answers_at(self, n: int) -> tuple[frozenset[str], frozenset[str]]:
        """The model's answers after u w^n v and u w^(n+1) v, run from the start."""
        state, outputs = self.engine.begin(1)
        state, last = self._read(state, self.u, outputs)
        if n:
            state = self._repeat(state, n - 1)
            state, last = self._read(state, self.w)
        first = self._finish(state, last)
        return first, self._finish(*self._read(state, self.w))

    def _finish(self, state: np.ndarray, last: frozenset[str]) -> frozenset[str]:
        """The answer after v."""
        return self._read(state, self.v)[1] if self.v.shape[1] else last

    def _read(self, state: np.ndarray, word: np.ndarray, outputs=None) -> tuple[np.ndarray, frozenset[str]]:
        """The state after a word, and the answer there; ``outputs`` are given where the word is empty."""
        if word.shape[1]:
            state, outputs = self.engine.advance(state, word)
        return state, self.engine.names(outputs.table[outputs.ids[0, -1]]) if outputs is not None else frozenset()

    def _repeat(self, state: np.ndarray, periods: int) -> np.ndarray:
        """The state after w^periods, in chunks."""
        at_once = max(1, _CHUNK // self.w.shape[1])
        while periods > 0:
            count = min(periods, at_once)
            state, _ = self.engine.advance(state, np.tile(self.w, count))
            self.progress.advance(count * self.w.shape[1])
            periods -= count
        return state

    # -- verdicts -------------------------------------------------------------------------------------

    def _pair(self, n: int) -> tuple[Pumped, Pumped]:
        u, w, v = self.cycle.u, self.cycle.w, self.cycle.v
        return Pumped(u, w, n, v), Pumped(u, w, n + 1, v)

    def _witness(self, pair: tuple[Pumped, Pumped], given: frozenset[str]) -> Witness | None:
        """The shorter of the strings on which this answer is wrong, unless it is too long to be written out."""
        wrong = next(string for string in pair if self.cycle.answer(string.n) != given)
        if wrong.length > _LONGEST_WITNESS:
            return None
        return Witness(wrong.word, self.cycle.answer(wrong.n), given)

    def _verdict(self, outcome: str, method: str, explored: dict, reason: str, witness=None, pair=None) -> Verdict:
        ssm = self.engine.ssm
        return Verdict(outcome, method, ssm.mode, str(ssm.arithmetic), explored, reason, witness, pair=pair)


class _Enclosed(_Attempt):
    """One model in exact arithmetic with fractions, on the strings u w^n v."""

    def __init__(self, engine: Engine, cycle: Cycle, progress: Progress):
        super().__init__(engine, cycle, progress)
        self.bounds = EnclosedRun(engine.ssm)

    def settle(self) -> tuple[int, Settled]:
        settler, (state, _) = Settler(self.engine.ssm), self._after_u()
        reason = Unsettled("nothing was tried")
        for tolerance in _TOLERANCES:
            try:
                settled = settler.settle(self.bounds.numbers(state), self.cycle.w, self.cycle.v, tolerance=tolerance)
                return settled.periods, settled
            except Unsettled as unsettled:
                reason = unsettled
        raise reason

    def by_settling(self, periods: int, settled: Settled, confirm: bool) -> Refutation:
        explored = {"periods at most": periods}
        pair = self._pair(self.cycle.first_from(periods))
        reason = (
            "the model answers alike on both strings, its answer after "
            f"{periods} times w at the latest being that of its limit"
        )
        found = next(self._alike(), None) if confirm else None
        if found is None:
            not_run = "as asked" if not confirm else f"no shorter ones are alike among the {self.run + 1} strings run"
            return Refutation(
                self._verdict(REFUTED, "settling", explored, f"{reason}; not run: {not_run}", None, pair),
                self.cycle,
                settled,
            )
        pair, answer = self._pair(found[0]), found[1]
        reason = (
            f"the model has the answer of its limit after {periods} times "
            "w at the latest, and answers alike on both "
            "strings, as a run shows"
        )
        verdict = self._verdict(REFUTED, "settling", explored, reason, self._witness(pair, answer), pair)
        return Refutation(verdict, self.cycle, settled, answer)

    def _after_u(self):
        state, answer = self.bounds.begin()
        return self.bounds.read(state, self.u[0].tolist()) if self.u.shape[1] else (state, answer)

    def _answers(self) -> Iterator[frozenset[str] | None]:
        w, v = self.w[0].tolist(), self.v[0].tolist()
        state, answer = self._after_u()
        yield self.bounds.read(state, v)[1] if v else answer
        for _ in range(max(1, _ENCLOSED // (len(w) + len(v)))):
            state, answer = self.bounds.read(state, w)
            self.progress.advance(len(w))
            yield self.bounds.read(state, v)[1] if v else answer
