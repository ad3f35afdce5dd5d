"""Is a verdict true?  Each is held against every short string, some long ones, and what follows from them.

A *finding* is a false verdict: ``proved`` and a string on which the model is wrong (within the horizon, where one is
named), ``refuted`` with a string on which it is right, a wrong claim about all models of a kind, an exception or a
warning.
"""

from __future__ import annotations

import signal
import warnings
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import numpy as np

from automata.errors import InputError
from constructions.ssm.storage import load
from verify.impossible.refuter import Refutation
from verify.impossible.upper_bound import STAR_FREE, TIME_INVARIANT, UpperBound
from verify.methods.induction.symbolic import SolverMissing
from verify.numbers.boxes import NotCovered
from verify.verdict import PROVED, REFUTED, TESTED, Verdict

from .families import Check
from .languages import Language
from .slow_model import SlowModel

STATES, LONG, RUN = 150, 8, 2500
"""Pairs of states followed along all strings, long strings tried after a proof, and the longest pair of strings that is
run.
"""

BAD_INPUT, NOT_COVERED, SLOW = "bad input", "not covered", "ended"


@dataclass
class Report:
    """What the checks said of one model: outcomes by name, what is false, and a string that was missed."""

    outcomes: dict[str, str] = field(default_factory=dict)
    findings: dict[str, str] = field(default_factory=dict)
    missed: tuple[str, ...] | None = None


def judge(folder: Path, arrays, description, checks: dict[str, Check], seed: int, answer_within: float) -> Report:
    """Makes all checks of the model in a folder, whose files hold these arrays and this description."""
    report = Report()
    ssm = _call(report, "load", lambda: load(folder), answer_within)
    if ssm is None:
        return report
    slow = SlowModel(arrays, description)
    explored: dict[int, Explored] = {}
    for name, check in checks.items():
        result = _call(report, name, lambda: check.run(ssm), answer_within)
        if result is None:
            continue
        if isinstance(result, Refutation):
            result = result.verdict
        if isinstance(result, Verdict):
            report.outcomes[name] = result.outcome
            key = id(check.language)
            if key not in explored and result.outcome != TESTED:
                explored[key] = explore(slow, check.language, STATES)
            false = _verdict_is_false(result, slow, check.language, explored.get(key), seed)
            if result.outcome not in (PROVED, REFUTED, TESTED) and explored[key].wrong is not None:
                report.missed = explored[key].wrong
        elif isinstance(result, UpperBound):
            report.outcomes[name] = result.verdict
            false = _audit_is_false(result, slow)
        else:
            report.outcomes[name] = "a length"
            false = _length_is_false(result, slow, SlowModel(arrays, description, "exact"), seed)
        if false:
            report.findings[name] = false
    return report


class _OutOfTime(BaseException):
    """Raised by a timer; not an Exception, so that no check takes it for one of its own."""


def _call(report: Report, name: str, run, answer_within: float):
    """The result of a check, None for one that is refused; exceptions and warnings are findings."""

    def out_of_time(*_):
        raise _OutOfTime

    before = signal.signal(signal.SIGVTALRM, out_of_time)
    signal.setitimer(signal.ITIMER_VIRTUAL, answer_within)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = run()
        if caught:
            report.findings[f"{name}: warning"] = f"{caught[0].category.__name__}: {caught[0].message}"
        return result
    except InputError as error:
        report.outcomes[name] = BAD_INPUT
        if len(str(error)) > 600 or "\n" in str(error):
            report.findings[name] = f"a message of {len(str(error))} characters"
    except (NotCovered, SolverMissing):
        report.outcomes[name] = NOT_COVERED
    except _OutOfTime:
        report.outcomes[name] = SLOW
    except Exception as error:  # whatever it is, it is a finding
        report.outcomes[name] = "exception"
        report.findings[name] = f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return None


# -- strings ------------------------------------------------------------------------------------------


@dataclass
class Explored:
    """All strings in order of length: the first that is wrong, and whether that is all.

    ``table`` has the model's states as they were found: the outputs of each, and where each symbol leads (-1: not
    followed).
    """

    wrong: tuple[str, ...] | None
    closed: bool
    table: list[tuple[frozenset[str], list[int]]]


def explore(slow: SlowModel, language: Language | None, limit: int) -> Explored:
    """Follows pairs of states along all strings until about so many are found; without a language, the model's states
    alone.
    """
    language = language or Language(slow.alphabet, None, lambda state, symbol: None, lambda state: True)
    asked_always = slow.mode == "recognise" or language.start is None
    h, given = slow.begin()
    truths, words = [language.start], [()]
    seen: dict[tuple, int] = {}
    table: list[tuple[frozenset[str], list[int]]] = []
    sources: list[tuple[int, int]] = []
    while True:
        fresh = []
        for i, (truth, values) in enumerate(
            zip(truths, zip(*(column.tolist() for column in h)) if h else [()] * len(truths))
        ):
            answer = slow.names(given[:, i])
            if language.start is not None and answer != language.answer(truth, slow.mode):
                return Explored(words[i], False, table)
            key = (truth, values)
            if key not in seen:
                seen[key] = len(table)
                table.append((answer, [-1] * len(slow.alphabet)))
                fresh.append((i, seen[key]))
            if sources:
                source, symbol = sources[i]
                table[source][1][symbol] = seen[key]
        if not fresh or len(table) > limit:
            return Explored(None, not fresh, table)
        steps = [
            (i, number, a, language.after(truths[i], symbol))
            for i, number in fresh
            for a, symbol in enumerate(slow.alphabet)
            if asked_always or language.after(truths[i], symbol) is not None
        ]
        if not steps:
            return Explored(None, True, table)
        rows, symbols = np.array([i for i, *_ in steps]), np.array([a for _, _, a, _ in steps])
        words = [(*words[i], slow.alphabet[a]) for i, _, a, _ in steps]
        truths, sources = [truth for *_, truth in steps], [(number, a) for _, number, a, _ in steps]
        h, given = slow.step([column[rows] for column in h], symbols)


def run(slow: SlowModel, words: list[tuple[str, ...]], states: bool = False):
    """Outputs (and states) after each prefix of words of one length: yields (length, booleans (outputs, batch),
    state).
    """
    h, given = slow.begin()
    h, given = [np.repeat(column, len(words)) for column in h], np.repeat(given, len(words), axis=1)
    yield 0, given, h
    for t in range(len(words[0])):
        h, given = slow.step(h, np.array([slow.alphabet.index(word[t]) for word in words]))
        yield t + 1, given, h


def long_words(
    language: Language, mode: str, length: int, most: int, rng: np.random.Generator
) -> list[tuple[str, ...]]:
    """Strings u v^n s^m with n up to ``length``, of one length: powers, what follows a violation, nests, fading, up to
    ``most`` symbols.

    In predictive mode a good part of each can be read before a violation.
    """
    words = []
    for attempt in range(12 * LONG):
        # In every other attempt two symbols alone: a power, or a nest.
        sizes = (0, 1, 1) if attempt % 2 else (int(rng.integers(3)), int(rng.integers(1, 3)), int(rng.integers(1, 3)))
        u, v, s = (tuple(rng.choice(language.alphabet, size).tolist()) for size in sizes)
        n = int(rng.choice([length, length - 5, length // 2]))
        word = (u + v * (n // len(v)) + s * 2 * length)[: 2 * length]
        asked = len(word) if mode == "recognise" else _legal_length(language, word)
        if asked > length // 3:
            words.append(word[:most])
        if len(words) == LONG:
            break
    return words


def _legal_length(language: Language, word: tuple[str, ...]) -> int:
    state = language.start
    for t, symbol in enumerate(word):
        state = language.after(state, symbol)
        if state is None:
            return t
    return len(word)


def wrong_prefix(slow: SlowModel, language: Language, words: list[tuple[str, ...]]) -> tuple[str, ...] | None:
    """A shortest prefix of the words, all of one length, on which the model is wrong."""
    truths, asked = [language.start] * len(words), [True] * len(words)
    for length, given, _ in run(slow, words) if words else ():
        for i, word in enumerate(words):
            if length:
                truths[i] = language.after(truths[i], word[length - 1])
                asked[i] = asked[i] and (slow.mode == "recognise" or truths[i] is not None)
            if asked[i] and slow.names(given[:, i]) != language.answer(truths[i], slow.mode):
                return word[:length]
    return None


# -- verdicts -----------------------------------------------------------------------------------------


def _verdict_is_false(
    verdict: Verdict, slow: SlowModel, language: Language, explored: Explored | None, seed: int
) -> str:
    """Why the verdict is false; empty when nothing is known against it."""
    if verdict.outcome == PROVED:
        horizon = verdict.horizon if verdict.horizon is not None else 1 << 62
        wrong = explored.wrong
        if wrong is None and not explored.closed:
            length = 2**11 + 5 if slow.arithmetic == "float16" and horizon > 2**11 else 60
            words = long_words(language, slow.mode, length, horizon, np.random.default_rng(seed))
            wrong = wrong_prefix(slow, language, words)
        if wrong is not None and len(wrong) <= horizon:
            return f"proved (horizon {verdict.horizon}), wrong on {_show(wrong)}"
    if verdict.outcome == REFUTED and verdict.witness is not None and len(verdict.witness.word) <= RUN:
        word, witness = verdict.witness.word, verdict.witness
        expected = _expected(language, slow.mode, word)
        *_, (_, given, _) = run(slow, [word])
        if expected in (None, witness.given) or (witness.expected, witness.given) != (
            expected,
            slow.names(given[:, 0]),
        ):
            right, said = sorted(expected or ["nothing"]), sorted(slow.names(given[:, 0]))
            return f"refuted on {_show(word)}, where {right} is right and {said} is given"
        if (
            verdict.reason.endswith("a shortest one")
            and explored is not None
            and explored.wrong is not None
            and len(explored.wrong) < len(word)
        ):
            return f"refuted on {_show(word)} as a shortest witness, wrong on {_show(explored.wrong)}"
    if verdict.outcome == REFUTED and verdict.pair is not None and max(p.length for p in verdict.pair) <= RUN:
        answers = []
        for pumped in verdict.pair:
            *_, (_, given, _) = run(slow, [pumped.word])
            answers.append((slow.names(given[:, 0]), _expected(language, slow.mode, pumped.word)))
        (first, right), (second, right_then) = answers
        if first != second or right == right_then or None in (right, right_then):
            return f"refuted by {verdict.pair[0]} and {verdict.pair[1]}: answers and right answers {answers}"
    return ""


def _expected(language: Language, mode: str, word: tuple[str, ...]) -> frozenset[str] | None:
    """The right answer, None where none is asked for."""
    state = language.start
    for symbol in word:
        state = language.after(state, symbol)
    return None if state is None and mode != "recognise" else language.answer(state, mode)


def _audit_is_false(bound: UpperBound, slow: SlowModel) -> str:
    if bound.verdict not in (STAR_FREE, TIME_INVARIANT):
        return ""
    period = forbidden_period(slow, (1, 2, 3) if bound.verdict == STAR_FREE else (2,))
    return f"{bound.verdict}, and {period}" if period else ""


def forbidden_period(slow: SlowModel, lengths: tuple[int, ...] = (1, 2, 3)) -> str:
    """Whether a word of one of these lengths permutes what can be told apart about the model's states, where they are
    finitely many; else whether its powers are answered in turn.  Empty where none does.

    Time-invariant gates may do something at every second power of a word, not at all that have as many 1s: then only
    words of length 2 say something.
    """
    explored = explore(slow, None, STATES)
    if not explored.closed:
        return _alternates(slow, tuple(n for n in lengths if n < 3))
    blocks = {i: answer for i, (answer, _) in enumerate(explored.table)}
    while True:
        finer = {i: (blocks[i], *(blocks[j] for j in row)) for i, (_, row) in enumerate(explored.table)}
        numbers = {key: n for n, key in enumerate(dict.fromkeys(finer.values()))}
        if len(numbers) == len(set(blocks.values())):
            break
        blocks = {i: numbers[finer[i]] for i in blocks}
    for word in (word for n in lengths for word in product(range(len(slow.alphabet)), repeat=n)):
        for state in range(len(explored.table)):
            path: list = []
            while blocks[state] not in path:
                path.append(blocks[state])
                for symbol in word:
                    state = explored.table[state][1][symbol]
            period = len(path) - path.index(blocks[state])
            if period > 1:
                return f"the word {_show([slow.alphabet[a] for a in word])} has period {period}"
    return ""


def _alternates(slow: SlowModel, lengths: tuple[int, ...]) -> str:
    """Whether the outputs along w^n go on alternating while the state, each second time, moves on steadily."""
    words = [word for n in lengths for word in product(slow.alphabet[:4], repeat=n)]
    for n in lengths:
        powers = [word * 30 for word in words if len(word) == n]
        history = [(given, h) for length, given, h in run(slow, powers) if length % n == 0][-7:]
        for i, power in enumerate(powers):
            answers = [slow.names(given[:, i]) for given, _ in history]
            states = [[column[i] for column in h] for _, h in history]
            with np.errstate(all="ignore"):
                moves = [[b - a for a, b in zip(states[t], states[t + 2])] for t in range(5)]
            in_turn = (
                answers[-1] != answers[-2] and answers[::2] == answers[:1] * 4 and answers[1::2] == answers[1:2] * 3
            )
            if in_turn and moves[1:] == moves[:-1]:
                return f"the answers on {_show(power[:n])}^n alternate"
    return ""


def _length_is_false(length: int | None, slow: SlowModel, exact: SlowModel, seed: int) -> str:
    """Whether a float model leaves the exact one on a string that is said to be exact."""
    if length == 0 or not slow.affine:
        return ""  # 0 is no claim
    rng = np.random.default_rng(seed)
    longest = min(40, 40 if length is None else length)
    words = [tuple(rng.choice(slow.alphabet, longest).tolist()) for _ in range(2)]
    words += [(symbol,) * longest for symbol in slow.alphabet[:6]]
    for (n, _, floats), (_, _, numbers) in zip(run(slow, words), run(exact, words)):
        for column, right in zip(floats, numbers):
            if column.astype(object).tolist() != right.tolist():
                return f"said to be exact up to {length} symbols, and rounds on {n} of them"
    return ""


def _show(word) -> str:
    return (
        repr(" ".join(word))
        if len(word) <= 40
        else f"{' '.join(word[:20])} … {' '.join(word[-5:])} ({len(word)} symbols)"
    )
