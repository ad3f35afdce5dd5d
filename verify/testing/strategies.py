"""Hypothesis strategies for automata, words of and around a language, cascades, and the models that cascades become.

Everything shrinks: automata towards one rejecting state, words towards the empty one, cascades towards one level
without registers and rules.  What is drawn prints as the Python that makes it again.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Callable, Iterable, Sequence, Union

from automata.catalogue import Language
from automata.dfa import DFA
from automata.machine import ACCEPT, BOS, EOS, Machine
from constructions.cascade import (
    Add,
    AtLeast,
    Bit,
    Cascade,
    Copy,
    Counter,
    Emit,
    In,
    Is,
    Level,
    Literal,
    Permutation,
    Reset,
    Rule,
    RuleAction,
    Set,
    Signal,
    bit_length,
)
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.lowering import lower
from constructions.ssm.weights import SSM
from verify.testing.corruption import arrays, changed, corrupt

try:
    from hypothesis import strategies as st
except ImportError:
    raise ModuleNotFoundError(
        "the strategies need hypothesis: pip install 'ssm-compiler[testing]'", name="hypothesis"
    ) from None

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

LETTERS = ("a", "b", "c")
"""Of cascades and models, unless another is given."""

VALID, MEMBER, ONE_ERROR, ARBITRARY = "valid", "member", "one-error", "arbitrary"
KINDS = (VALID, MEMBER, ONE_ERROR, ARBITRARY)
"""The kinds of words that :func:`words` draws."""

_COMPLETIONS = 10_000
"""States that are looked at for the way from a prefix to a word."""


# -- automata ----------------------------------------------------------------------------------------------


@st.composite
def dfas(draw: DrawFn, alphabet: Iterable[str] = "ab", max_states: int = 6, *, minimal: bool = False) -> DFA:
    """Any complete automaton of up to ``max_states`` states, any of them initial; shrinks towards one rejecting state.

    Args:
        alphabet: its symbols; a string is one symbol a character.
        max_states: the greatest number of states.
        minimal: only minimal automata, their states numbered breadth-first.

    >>> from hypothesis import find
    >>> find(dfas("a"), lambda dfa: dfa.accepts_word("a"))
    DFA('a', [[0]], [0])
    """
    symbols = tuple(alphabet)
    n = draw(st.integers(1, max_states))
    state = st.integers(0, n - 1)
    table = draw(st.lists(st.lists(state, min_size=len(symbols), max_size=len(symbols)), min_size=n, max_size=n))
    dfa = DFA(symbols, table, draw(st.sets(state)), draw(state))
    return dfa.minimise() if minimal else dfa


# -- words -------------------------------------------------------------------------------------------------


def words(
    of: Union[Language, Machine, Iterable[str]], *, max_length: int = 12, kinds: Sequence[str] | None = None
) -> SearchStrategy[tuple[str, ...]]:
    """Words of a language and around it, as tuples of symbols; they shrink towards the empty word.

    Args:
        of: a language, a machine that defines one, or just the symbols.
        max_length: the greatest length; a member may be longer by its way from a prefix to a word.
        kinds: any of ``valid`` (walks along symbols that may come next), ``member`` (such a walk with the shortest way
            to a word), ``one-error`` (a walk with one symbol replaced, inserted or removed) and ``arbitrary`` (any
            symbols); all where the machine says what is legal, otherwise only arbitrary ones.

    >>> from hypothesis import find
    >>> from verify import language
    >>> find(words(language("dyck-2-5"), kinds=["member"]), lambda word: len(word) > 1)
    ('(a', 'a)')
    """
    if isinstance(of, Language):
        of = of.machine
    if not hasattr(of, "step"):
        return st.lists(st.sampled_from(tuple(of)), max_size=max_length).map(tuple)
    machine: Machine = of  # type: ignore[assignment]
    chosen = tuple(kinds or (KINDS if hasattr(machine, "legal") else (ARBITRARY,)))
    if unknown := set(chosen) - set(KINDS):
        raise ValueError(f"{min(unknown)!r} is not one of the kinds {', '.join(KINDS)}")
    if not hasattr(machine, "legal") and set(chosen) != {ARBITRARY}:
        raise ValueError(
            f"a {type(machine).__name__} says of no symbol whether it is legal: only arbitrary words are drawn"
        )
    return st.sampled_from(chosen).flatmap(lambda kind: _words(machine, max_length, kind))


@st.composite
def _words(draw: DrawFn, machine: Machine, max_length: int, kind: str) -> tuple[str, ...]:
    alphabet = tuple(machine.alphabet)
    if kind == ARBITRARY:
        return tuple(draw(st.lists(st.sampled_from(alphabet), max_size=max_length)))
    word, state = [], machine.initial
    for _ in range(draw(st.integers(0, max_length))):
        legal = machine.legal(state)
        choices = [symbol for symbol in alphabet if symbol in legal]
        if not choices:
            break
        word.append(draw(st.sampled_from(choices)))
        state = machine.step(state, word[-1])
    if kind == MEMBER:
        word += _completion(machine, state)
    elif kind == ONE_ERROR:
        place, removed = draw(st.integers(0, len(word))), draw(st.integers(0, 1))
        fresh = draw(st.lists(st.sampled_from(alphabet), min_size=1 - removed, max_size=1))
        word[place : place + removed] = fresh
    return tuple(word)


def _completion(machine: Machine, state: Any) -> list[str]:
    """The shortest way from here to a word, along legal symbols; nothing where none is near."""
    todo: deque[tuple[Any, tuple[str, ...]]] = deque([(state, ())])
    seen = {state}
    while todo and len(seen) <= _COMPLETIONS:
        state, way = todo.popleft()
        legal = machine.legal(state)
        if EOS in legal:
            return list(way)
        for symbol in machine.alphabet:
            if symbol in legal and (after := machine.step(state, symbol)) not in seen:
                seen.add(after)
                todo.append((after, (*way, symbol)))
    return []


# -- cascades and models -----------------------------------------------------------------------------------


@st.composite
def cascades(
    draw: DrawFn, alphabet: Iterable[str] = LETTERS, *, before: bool = True, counters: bool = True, max_levels: int = 3
) -> Cascade:
    """A random cascade, recogniser or predictor; shrinks towards one level, no register, no rule.

    Rules of one register or signal split the alphabet among themselves, so that no two of them can fire together;
    every other choice is free.

    Args:
        alphabet: its symbols.
        before: whether rules may read values as they were before the step.
        counters: whether registers may be counters.
        max_levels: the greatest number of levels.

    >>> from hypothesis import find
    >>> find(cascades("a"), lambda cascade: cascade.registers).registers
    (Reset(name='r00', values=1, rules=(), initial=0),)
    """
    symbols = tuple(alphabet)
    visible: list[Named] = []
    levels = []
    for depth in range(draw(st.integers(1, max_levels))):
        registers: list[Union[Reset, Counter, Permutation]] = []
        for i in range(draw(st.integers(0, 2))):
            name = f"r{depth}{i}"
            if counters and draw(st.booleans()):
                rules = draw(_rules(symbols, visible, before, lambda: _made(Add, st.integers(-2, 2))))
                registers.append(Counter(name, rules, draw(st.integers(-1, 1))))
            else:
                values = draw(st.integers(1, 5))
                rules = draw(_rules(symbols, visible, before, lambda: _value_actions(visible, values, before)))
                registers.append(Reset(name, values, rules, draw(st.integers(0, values - 1))))
        visible.extend(registers)
        signals = []
        for i in range(draw(st.integers(0, 2))):
            values = draw(st.integers(1, 4))
            rules = draw(_rules(symbols, visible, before, lambda: _value_actions(visible, values, before)))
            signal = Signal(f"s{depth}{i}", values, rules, draw(st.sampled_from(["onehot", "binary"])))
            signals.append(signal)
            visible.append(signal)
        levels.append(Level(tuple(registers), tuple(signals)))
    recognise = draw(st.booleans())
    outputs = (ACCEPT,) if recognise else (*symbols, EOS)
    emission = _made(Emit, _conjunctions(symbols, visible, before), st.sets(st.sampled_from(outputs), min_size=1))
    return Cascade(symbols, tuple(levels), outputs, tuple(draw(st.lists(emission, min_size=1, max_size=4))))


def models(
    alphabet: Iterable[str] = LETTERS, *, arithmetic: str = "exact", counters: bool = True, max_levels: int = 3
) -> SearchStrategy[SSM]:
    """The paper's SSM of a random cascade; shrinks as the cascade does, and prints as the call that lowers it.

    Args:
        alphabet, counters, max_levels: of the cascade.
        arithmetic: the model's, by name; rules read values before the step only in floats, and in fixed point of at
            least one bit.
    """
    before = Arithmetic.parse(arithmetic).kind in ("fixed", "float") and arithmetic != "fixed:0"
    drawn = cascades(alphabet, before=before, counters=counters, max_levels=max_levels)
    return st.builds(ssm_of, drawn, st.just(arithmetic))


def ssm_of(cascade: Cascade, arithmetic: str = "exact") -> SSM:
    """The paper's SSM of a cascade.

    Raises:
        InputError: naming the register that the arithmetic cannot hold.
    """
    return lower(cascade, Arithmetic.parse(arithmetic))


def corrupted(model: SSM) -> SearchStrategy[SSM]:
    """The model with one nonzero number set to zero, negated, or made larger by one unit."""
    changes = [
        (array, place, value)
        for array, numbers in arrays(model)
        for place in map(tuple, zip(*(axis.tolist() for axis in numbers.nonzero())))
        for value in changed(int(numbers[place]))
    ]
    return st.sampled_from(changes).flatmap(lambda change: st.builds(corrupt, st.just(model), *map(st.just, change)))


Named = Union[Reset, Counter, Permutation, Signal]


@st.composite
def _made(draw: DrawFn, make: Callable[..., Any], *parts: SearchStrategy[Any]) -> Any:
    """``st.builds`` without its look at signatures, which takes longer than everything else together."""
    return make(*map(draw, parts))


def _rules(
    symbols: tuple[str, ...], visible: list[Named], before: bool, actions: Callable[[], SearchStrategy[RuleAction]]
) -> SearchStrategy[tuple[Rule, ...]]:
    def rules(parts: list[set[str]]) -> SearchStrategy[tuple[Rule, ...]]:
        return st.tuples(*(_made(_rule, st.just(part), literals, actions()) for part in parts))

    literals = _conjunctions(symbols, visible, before)
    splits = [
        [],
        [{symbols[0]}],
        [set(symbols[:-1])],
        [{symbols[0]}, set(symbols[1:])],
        [{symbol} for symbol in symbols],
        [{*symbols[::2], BOS}, set(symbols[1::2])],
    ]
    return st.sampled_from([[part for part in split if part] for split in splits]).flatmap(rules)


def _rule(symbols: set[str], literals: tuple[Literal, ...], action: RuleAction) -> Rule:
    return Rule((In(symbols), *literals), action)


def _value_actions(visible: list[Named], values: int, before: bool) -> SearchStrategy[RuleAction]:
    actions: list[SearchStrategy[RuleAction]] = [_made(Set, st.integers(0, values - 1))]
    for item in visible:
        if not isinstance(item, Counter) and item.values <= values:
            actions.append(_made(Copy, st.just(item.name), _before(item, before)))
    return st.one_of(actions)


def _conjunctions(symbols: tuple[str, ...], visible: list[Named], before: bool) -> SearchStrategy[tuple[Literal, ...]]:
    return st.lists(_literals(symbols, visible, before), max_size=2).map(tuple)


def _literals(symbols: tuple[str, ...], visible: list[Named], before: bool) -> SearchStrategy[Literal]:
    literals: list[SearchStrategy[Literal]] = [_made(In, st.sets(st.sampled_from((*symbols, BOS)), min_size=1))]
    for item in visible:
        name, when = st.just(item.name), _before(item, before)
        if isinstance(item, Counter):
            literals.append(_made(AtLeast, name, st.integers(-2, 3), when, st.booleans()))
            literals.append(_made(Is, name, st.integers(-2, 3), when))
            continue
        literals.append(_made(Is, name, st.integers(0, item.values - 1), when))
        if bit_length(item.values) and getattr(item, "coding", "binary") == "binary":
            literals.append(_made(Bit, name, st.integers(0, bit_length(item.values) - 1), st.integers(0, 1), when))
    return st.one_of(literals)


def _before(item: Named, before: bool) -> SearchStrategy[bool]:
    return st.booleans() if before and not isinstance(item, Signal) else st.just(False)
