"""What a file says of an automaton, whatever its format, and the DFA that this comes to.

States may have several transitions by one symbol, or by none (epsilon): such an automaton is made deterministic by the
subset construction (Rabin, Scott 1959).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Hashable, Iterable, NamedTuple

from automata.dfa import DFA, check_alphabet
from automata.errors import InputError, LimitError, quoted, shortened

SUBSET_LIMIT = 100_000
"""The number of sets of states at which the subset construction stops, unless told otherwise."""

EPSILONS = ("<eps>", "<epsilon>", "ε", "@0@", "@_EPSILON_SYMBOL_@")
"""How the formats of others write that nothing is read."""


class Transition(NamedTuple):
    """One transition and where it is written; the symbol None is epsilon, and a Mealy machine gives an output."""

    source: Hashable
    symbol: str | None
    target: Hashable
    place: str
    output: str | None = None


@dataclass
class Described:
    """States in order (values are ignored), transitions, and what is given out: by a Mealy machine on transitions, by a
    Moore machine in states.

    Attributes:
        source: the name of the file, for the errors.
        alphabet: the symbols that the file declares, if it does.
        outputs: of the states of a Moore machine.
    """

    source: str
    initial: Hashable = None
    states: dict[Hashable, None] = field(default_factory=dict)
    accepting: list[Hashable] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    alphabet: list[str] | None = None
    outputs: dict[Hashable, str] = field(default_factory=dict)

    @property
    def deterministic(self) -> bool:
        """Whether no state has epsilon, or two ways on by one symbol."""
        targets: dict[tuple[Hashable, str | None], Hashable] = {}
        for transition in self.transitions:
            source, symbol, target = transition[:3]
            if symbol is None or targets.setdefault((source, symbol), target) != target:
                return False
        return True

    def dfa(self, alphabet: Iterable[str] | None = None, limit: int = SUBSET_LIMIT) -> DFA:
        """The complete DFA.

        Of a deterministic automaton: its states in order, the sink (where one is needed) last.  Otherwise the sets of
        states that are reached, breadth-first; the empty set is the sink.

        Raises:
            InputError: naming a symbol and where it is written.
            LimitError: when there are more than ``limit`` sets of states.
        """
        symbols = self._alphabet(alphabet)
        column = {symbol: i for i, symbol in enumerate(symbols)}
        for transition in self.transitions:
            if transition.symbol is not None and transition.symbol not in column:
                raise InputError(
                    f"{self.source}, {transition.place}: symbol {quoted(transition.symbol)} is not in the alphabet"
                )
        if not self.deterministic:
            return self._subsets(symbols, limit)
        number = {state: i for i, state in enumerate(self.states)}
        table: list[list[int | None]] = [[None] * len(symbols) for _ in number]
        for transition in self.transitions:
            if transition.symbol is not None:  # as in every deterministic automaton
                table[number[transition.source]][column[transition.symbol]] = number[transition.target]
        sink = len(table)
        if any(target is None for row in table for target in row):
            table.append([sink] * len(symbols))
        complete = [[sink if target is None else target for target in row] for row in table]
        return DFA(symbols, complete, [number[state] for state in self.accepting], number[self.initial])

    def accepting_after(self, outputs: Iterable[str]) -> Described:
        """The acceptor of the strings after which a machine with outputs gives one of these.

        The empty string gives nothing in a Mealy machine, and the output of the initial state in a Moore machine.

        Raises:
            InputError: when the automaton has no outputs, or never gives one of these.
        """
        given = {t.output for t in self.transitions if t.output is not None} | set(self.outputs.values())
        wanted = set(outputs)
        if not given:
            raise InputError(f"{self.source}: gives no outputs, so they cannot say what is accepted")
        if not wanted or not wanted <= given:
            missing = quoted(min(wanted - given)) if wanted else "nothing"
            raise InputError(f"{self.source}: {missing} is not one of the outputs {some(sorted(given))}")
        if self.outputs:
            accepting = [state for state, output in self.outputs.items() if output in wanted]
            return Described(self.source, self.initial, self.states, accepting, self.transitions, self.alphabet)
        # A state is remembered together with whether the last output was one of these.
        states: dict[Hashable, None] = {(state, last): None for state in self.states for last in (False, True)}
        transitions = [
            Transition((t.source, last), t.symbol, (t.target, t.output in wanted), t.place)
            for t in self.transitions
            for last in (False, True)
        ]
        accepting = [(state, True) for state in self.states]
        return Described(self.source, (self.initial, False), states, accepting, transitions, self.alphabet)

    def _alphabet(self, given: Iterable[str] | None) -> tuple[str, ...]:
        if given is not None:
            return check_alphabet(given)
        checked: set[str] = set()
        for transition in self.transitions:
            if transition.symbol is not None and transition.symbol not in checked:
                try:
                    check_alphabet((transition.symbol,))
                except InputError as error:
                    raise InputError(f"{self.source}, {transition.place}: {error}") from None
                checked.add(transition.symbol)
        shown = sorted(checked) if self.alphabet is None else self.alphabet
        if not shown:
            raise InputError(f"{self.source}: there are no transitions to take the symbols from: give the alphabet")
        try:
            return check_alphabet(shown)
        except InputError as error:
            raise InputError(f"{self.source}: {error}") from None

    def _subsets(self, symbols: tuple[str, ...], limit: int) -> DFA:
        subsets = _Subsets(self, symbols)
        try:
            return DFA.from_machine(subsets, limit)
        except LimitError as error:
            raise LimitError(
                f"{self.source}: not deterministic, and made so it has too many sets of states: {error}", error.limit
            ) from None


class _Subsets:
    """The subset construction as a Machine: a state is the set of the states that may have been reached."""

    def __init__(self, described: Described, symbols: tuple[str, ...]):
        self.alphabet = symbols
        silent: dict[Hashable, list[Hashable]] = {}
        for transition in described.transitions:
            if transition.symbol is None:
                silent.setdefault(transition.source, []).append(transition.target)
        closure = {state: _closure(state, silent) for state in described.states}
        self._targets: dict[tuple[Hashable, str], frozenset] = {}
        for transition in described.transitions:
            if transition.symbol is not None:
                key = transition.source, transition.symbol
                self._targets[key] = self._targets.get(key, frozenset()) | closure[transition.target]
        self._accepting = frozenset(described.accepting)
        self.initial = closure[described.initial]

    def step(self, state: frozenset, symbol: str) -> frozenset:
        return frozenset().union(*(self._targets.get((q, symbol), ()) for q in state))

    def accepts(self, state: frozenset) -> bool:
        return not self._accepting.isdisjoint(state)


def _closure(state: Hashable, silent: dict[Hashable, list[Hashable]]) -> frozenset:
    """The states that are reached without reading anything."""
    reached, waiting = {state}, [state]
    while waiting:
        for target in silent.get(waiting.pop(), ()):
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    return frozenset(reached)


def some(names: Iterable[object]) -> str:
    """The first five of these names, for a message."""
    shown = [shortened(str(name), 40) for name in names]
    return ", ".join(shown[:5]) + (", …" if len(shown) > 5 else "")
