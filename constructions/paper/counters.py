"""The counter languages as cascades of counters with gate 1.

A predictor is one level: its counters, and emissions that read their signs, each through two ReLUs ([c >= 1] is
relu(c) - relu(c - 1)).  A recogniser has a second level with a sticky ``dead`` register that is set by whatever
leaves the language for good; after that the counters drift, and nothing reads them.  The runs of a^n b^n and
its kin are told apart by latches "reached b", "reached c", ... which are set once and never again.

Source: Sarrof, Veitsman, Hahn 2024, the theorem on unbounded counters.
"""

from __future__ import annotations

from automata.machine import ACCEPT, BOS, EOS, PREDICTIVE
from automata.machines.counter_machine import OPERANDS, OPERATORS, RUNS, parse_name, shuffle_brackets
from constructions.cascade import Add, AtLeast, Cascade, Counter, Emit, In, Is, Level, Literal, Reset, Rule, Set

_ALIVE = Is("dead", 0)


def counter_cascade(name: str, mode: str = PREDICTIVE, most: int | None = None) -> Cascade:
    """The cascade of a counter language in this mode; O(symbols) rules.

    Args:
        name: the language.
        mode: the question that it answers.
        most: the greatest K of shuffle-K; by default SHUFFLE_LIMIT.

    Raises:
        InputError: for an unknown name or a number out of range.
        LimitError: for a shuffle of too many types.

    >>> from automata.machine import run
    >>> cascade = counter_cascade("shuffle-2")
    >>> sorted(cascade.legal(run(cascade, "([)")))
    ['(', '[', ']']
    """
    family, number = parse_name(name, most)
    if family in RUNS:
        build = _predict_runs if mode == PREDICTIVE else _recognise_runs
        return build(RUNS[family])
    if family == "boolean":
        return _boolean(OPERATORS[:number], mode)
    return _brackets(shuffle_brackets(number), mode)


def _positive(counter: str, before: bool = False) -> Literal:
    return AtLeast(counter, 1, before)


def _not_positive(counter: str, before: bool = False) -> Literal:
    return AtLeast(counter, 1, before, negated=True)


def _brackets(pairs: tuple[tuple[str, str], ...], mode: str) -> Cascade:
    """One counter for each bracket type."""
    alphabet = tuple(symbol for pair in pairs for symbol in pair)
    names = [f"open {opening} {closing}" for opening, closing in pairs]
    counters = tuple(
        Counter(name, (Rule((In({opening}),), Add(1)), Rule((In({closing}),), Add(-1))))
        for name, (opening, closing) in zip(names, pairs)
    )
    balanced = tuple(_not_positive(name) for name in names)
    if mode == PREDICTIVE:
        emissions = [Emit((), {opening for opening, _ in pairs}), Emit(balanced, {EOS})]
        emissions += [Emit((_positive(name),), {closing}) for name, (_, closing) in zip(names, pairs)]
        return Cascade(alphabet, (Level(counters),), (*alphabet, EOS), tuple(emissions))
    unopened: list[tuple[Literal, ...]] = [
        (In({closing}), _not_positive(name, before=True)) for name, (_, closing) in zip(names, pairs)
    ]
    levels = (Level(counters), Level((_dead(unopened),)))
    return Cascade(alphabet, levels, (ACCEPT,), (Emit((*balanced, _ALIVE), {ACCEPT}),))


def _boolean(operators: str, mode: str) -> Cascade:
    """One counter: how many expressions are still to come; an operator takes one and asks for its arity."""
    alphabet = (*operators, *OPERANDS)
    steps = [Rule((In({symbol}),), Add(arity - 1)) for arity, symbol in enumerate(operators, start=1) if arity > 1]
    pending = Counter("pending", (*steps, Rule((In(OPERANDS),), Add(-1))), initial=1)
    complete = _not_positive("pending")
    if mode == PREDICTIVE:
        emissions = (Emit((_positive("pending"),), alphabet), Emit((complete,), {EOS}))
        return Cascade(alphabet, (Level((pending,)),), (*alphabet, EOS), emissions)
    beyond_the_end = (In(alphabet), _not_positive("pending", before=True))
    levels = (Level((pending,)), Level((_dead([beyond_the_end]),)))
    return Cascade(alphabet, levels, (ACCEPT,), (Emit((complete, _ALIVE), {ACCEPT}),))


def _unmatched(letters: str) -> tuple[Counter, ...]:
    """For each letter but the last: how many of it the next letter has not matched yet."""
    return tuple(
        Counter(f"unmatched {letter}", (Rule((In({letter}),), Add(1)), Rule((In({following}),), Add(-1))))
        for letter, following in zip(letters, letters[1:])
    )


def _predict_runs(letters: str) -> Cascade:
    """On a prefix of a word the last symbol names the run, and one counter says whether the run may go on."""
    first = letters[0]
    emissions = [Emit((In({BOS}),), {first}), Emit((In({first}),), {first, letters[1]})]
    for letter, before, following in zip(letters[1:], letters, (*letters[2:], EOS)):
        emissions.append(Emit((In({letter}), _positive(f"unmatched {before}")), {letter}))
        emissions.append(Emit((In({letter}), _not_positive(f"unmatched {before}")), {following}))
    return Cascade(tuple(letters), (Level(_unmatched(letters)),), (*letters, EOS), tuple(emissions))


def _recognise_runs(letters: str) -> Cascade:
    """A letter is wrong after the next run has begun, without one of the letter before it, or too early."""
    latches = tuple(Reset(f"reached {letter}", 2, (Rule((In({letter}),), Set(1)),)) for letter in letters[1:])
    wrong: list[tuple[Literal, ...]] = []
    for i, letter in enumerate(letters):
        reasons: list[tuple[Literal, Literal]] = []  # each with its negation
        if i + 1 < len(letters):
            reasons.append((Is(f"reached {letters[i + 1]}", 1), Is(f"reached {letters[i + 1]}", 0)))
        if i >= 1:
            lacking = f"unmatched {letters[i - 1]}"
            reasons.append((_not_positive(lacking, before=True), _positive(lacking, before=True)))
        if i >= 2:
            left = f"unmatched {letters[i - 2]}"
            reasons.append((_positive(left), _not_positive(left)))
        # The register's rules must exclude each other: each reason presupposes that the earlier ones do not hold.
        for place, (reason, _) in enumerate(reasons):
            wrong.append((In({letter}), *(negation for _, negation in reasons[:place]), reason))
    levels = (Level((*_unmatched(letters), *latches)), Level((_dead(wrong),)))
    all_matched = Emit((In({letters[-1]}), _not_positive(f"unmatched {letters[-2]}"), _ALIVE), {ACCEPT})
    return Cascade(tuple(letters), levels, (ACCEPT,), (all_matched,))


def _dead(violations: list[tuple[Literal, ...]]) -> Reset:
    """Set to 1 by any violation, and by nothing to 0."""
    return Reset("dead", 2, tuple(Rule(when, Set(1)) for when in violations))
