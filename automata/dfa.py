"""Complete deterministic finite automata, the ground truth of everything regular.

Glossary: ``n`` states 0..n-1, ``k`` symbols, ``table[q, a]`` the state reached from ``q`` by the symbol with
index ``a``.
"""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import Hashable, Iterable, Iterator, Sequence
from unicodedata import category

import numpy as np

from automata import rich
from automata.errors import InputError, LimitError, quoted, shortened
from automata.machine import ACCEPT, BOS, EOS, Acceptor

SHOWN_TRANSITIONS = 100
"""An automaton of up to so many transitions is shown as the Python that makes it again."""

TRANSITIONS_PER_STATE = 100
"""A limit of n states, where a machine is explored, is one of 100 n transitions too."""


class DFA:
    """An immutable complete DFA.

    Args:
        alphabet: the symbols, distinct non-empty strings; a symbol's position is its index.
        table: integers of shape (n, k), n >= 1, every entry a state.
        accepting: the accepting states.
        initial: the initial state.

    Raises:
        InputError: naming the symbol, state or entry that is wrong.

    >>> even = DFA("a", [[1], [0]], accepting=[0])
    >>> even.accepts_word("aa"), even.accepts_word("a")
    (True, False)
    >>> even
    DFA('a', [[1], [0]], [0])
    """

    def __init__(self, alphabet: Iterable[str], table, accepting: Iterable[int], initial: int = 0):
        self.alphabet = check_alphabet(alphabet)
        try:
            array = np.array(table)
        except ValueError:
            raise InputError("the rows of the transition table differ in length") from None
        if array.size and array.dtype.kind not in "iu":
            raise InputError(f"transition table has entries of type {array.dtype}, expected integers")
        array = array.astype(np.int64)
        if array.ndim != 2 or array.shape[0] < 1 or array.shape[1] != len(self.alphabet):
            raise InputError(f"transition table has shape {array.shape}, expected (states >= 1, {len(self.alphabet)})")
        wrong = np.argwhere((array < 0) | (array >= len(array)))
        if len(wrong):
            state, symbol = wrong[0]
            raise InputError(
                f"state {state} goes by symbol {quoted(self.alphabet[symbol])} to {array[state, symbol]}, "
                f"which is not a state (0..{len(array) - 1})"
            )
        array.flags.writeable = False
        self.table = array
        self.accepting = frozenset(int(q) for q in accepting)
        for state in (*self.accepting, initial):
            if not 0 <= state < len(array):
                raise InputError(f"{state} is not a state (0..{len(array) - 1})")
        self.initial = int(initial)

    # -- as a Machine ---------------------------------------------------------------------------------

    @property
    def states(self) -> int:
        """The number of states."""
        return len(self.table)

    @cached_property
    def index(self) -> dict[str, int]:
        """Symbol -> its position in the alphabet."""
        return {symbol: i for i, symbol in enumerate(self.alphabet)}

    def step(self, state: int, symbol: str) -> int:
        try:
            return int(self.table[state, self.index[symbol]])
        except KeyError:
            raise InputError(f"symbol {quoted(symbol)} is not in the alphabet") from None

    def accepts(self, state: int) -> bool:
        return state in self.accepting

    def legal(self, state: int) -> frozenset[str]:
        """The symbols that keep a word possible, with EOS where the prefix is a word."""
        return self._legal[state]

    @cached_property
    def _legal(self) -> list[frozenset[str]]:
        live = self.live
        sets = []
        for state, row in enumerate(self.table):
            symbols = [symbol for symbol, target in zip(self.alphabet, row) if live[target]]
            sets.append(frozenset(symbols + [EOS] * (state in self.accepting)))
        return sets

    @cached_property
    def live(self) -> np.ndarray:
        """Booleans of shape (n,): from which states some word is still possible."""
        sources: list[list[int]] = [[] for _ in range(self.states)]
        for state, row in enumerate(self.table.tolist()):
            for target in set(row):
                sources[target].append(state)
        live = np.zeros(self.states, dtype=bool)
        todo = list(self.accepting)
        live[todo] = True
        while todo:
            for source in sources[todo.pop()]:
                if not live[source]:
                    live[source] = True
                    todo.append(source)
        return live

    # -- runs -----------------------------------------------------------------------------------------

    def encode(self, word: Iterable[str]) -> np.ndarray:
        """Symbol indices of a word; an unknown symbol raises with its position."""
        word = list(word)
        for position, symbol in enumerate(word):
            if symbol not in self.index:
                raise InputError(f"symbol {quoted(symbol)} at position {position} is not in the alphabet")
        return np.array([self.index[symbol] for symbol in word], dtype=np.int64)

    def accepts_word(self, word: Iterable[str]) -> bool:
        """Whether the word (a string of one-character symbols, or a sequence of symbols) is in the language."""
        state = self.initial
        for symbol in word:
            state = self.step(state, symbol)
        return state in self.accepting

    def run_batch(self, words: np.ndarray, start: np.ndarray | int | None = None) -> np.ndarray:
        """States along a batch of equally long words.

        Args:
            words: symbol indices, shape (batch, length).
            start: the state before the first symbol, one or one per word; the initial state if absent.

        Returns:
            States after each symbol, shape (batch, length + 1), the start in column 0.
        """
        words = np.asarray(words)
        states = np.empty((words.shape[0], words.shape[1] + 1), dtype=np.int64)
        states[:, 0] = self.initial if start is None else start
        for t in range(words.shape[1]):
            states[:, t + 1] = self.table[states[:, t], words[:, t]]
        return states

    # -- constructions --------------------------------------------------------------------------------

    @classmethod
    def from_machine(cls, machine: Acceptor, limit: int = 1_000_000) -> "DFA":
        """The reachable part of a machine with ``accepts``, states numbered breadth-first.

        Args:
            machine: the machine.
            limit: the greatest number of states; with more than TRANSITIONS_PER_STATE symbols fewer, so that the
                transitions fit into memory.

        Raises:
            LimitError: when more states are reached.
        """
        symbols = len(machine.alphabet)
        most = min(limit, limit * TRANSITIONS_PER_STATE // symbols)
        number: dict[Hashable, int] = {machine.initial: 0}
        order = [machine.initial]
        rows = []
        for state in order:
            row = []
            for symbol in machine.alphabet:
                target = machine.step(state, symbol)
                if target not in number:
                    if len(order) >= most:
                        over = f" over {symbols} symbols" if most < limit else ""
                        raise LimitError(
                            f"the machine has more than {most} reachable states{over}; raise the limit to go on",
                            "unminimised",
                        )
                    number[target] = len(order)
                    order.append(target)
                row.append(number[target])
            rows.append(row)
        return cls(machine.alphabet, rows, [i for i, state in enumerate(order) if machine.accepts(state)])

    @cached_property
    def _access(self) -> tuple[list[int], dict[int, tuple[int, int] | None]]:
        """Reachable states breadth-first, and for each the (state, symbol index) that first reached it."""
        table = self.table.tolist()
        parent: dict[int, tuple[int, int] | None] = {self.initial: None}
        order = [self.initial]
        for state in order:
            for symbol, target in enumerate(table[state]):
                if target not in parent:
                    parent[target] = (state, symbol)
                    order.append(target)
        return order, parent

    def access_word(self, state: int) -> tuple[str, ...] | None:
        """The shortest word that leads to ``state`` (first in the alphabet's order), or None."""
        parent = self._access[1]
        if state not in parent:
            return None
        word = []
        while (edge := parent[state]) is not None:
            state, symbol = edge
            word.append(self.alphabet[symbol])
        return tuple(reversed(word))

    def access(self, state: int) -> tuple[str, ...]:
        """The word of :meth:`access_word`, for a state that is reached, as all are in a minimal automaton."""
        word = self.access_word(state)
        if word is None:
            raise ValueError(f"no word leads to state {state}")
        return word

    def minimise(self) -> "DFA":
        """The minimal complete DFA, states numbered breadth-first: equal languages give equal tables.

        Hopcroft's partition refinement, O(n k log n).
        """
        order, _ = self._access
        position = {state: i for i, state in enumerate(order)}
        table = [[position[t] for t in self.table[state].tolist()] for state in order]
        accepting = [state in self.accepting for state in order]
        block = _refine(table, accepting, len(self.alphabet))
        # Number the blocks in breadth-first order from the initial state's block.
        number = {block[0]: 0}
        representatives = [0]
        rows = []
        for state in representatives:
            row = []
            for target in table[state]:
                if block[target] not in number:
                    number[block[target]] = len(representatives)
                    representatives.append(target)
                row.append(number[block[target]])
            rows.append(row)
        found = DFA(self.alphabet, rows, [i for i, q in enumerate(representatives) if accepting[q]])
        # What was computed of an automaton is kept with it.
        return self if found == self else found

    def complement(self) -> "DFA":
        """The DFA of all other words over the same alphabet."""
        return DFA(self.alphabet, self.table, set(range(self.states)) - self.accepting, self.initial)

    def product(self, other: "DFA", combine) -> "DFA":
        """The reachable product; a pair accepts where ``combine(here, there)`` of the two booleans is true.

        O(reachable pairs * k).  Both must have the same symbols (in any order).
        """
        theirs = _aligned(self, other)
        number = {(self.initial, other.initial): 0}
        order = [(self.initial, other.initial)]
        mine, theirs = self.table.tolist(), theirs.tolist()
        rows = []
        for p, q in order:
            row = []
            for pair in zip(mine[p], theirs[q]):
                if pair not in number:
                    number[pair] = len(order)
                    order.append(pair)
                row.append(number[pair])
            rows.append(row)
        accepting = [i for i, (p, q) in enumerate(order) if combine(p in self.accepting, q in other.accepting)]
        return DFA(self.alphabet, rows, accepting)

    def __and__(self, other: "DFA") -> "DFA":
        return self.product(other, lambda a, b: a and b)

    def __or__(self, other: "DFA") -> "DFA":
        return self.product(other, lambda a, b: a or b)

    def __sub__(self, other: "DFA") -> "DFA":
        return self.product(other, lambda a, b: a and not b)

    def __xor__(self, other: "DFA") -> "DFA":
        return self.product(other, lambda a, b: a != b)

    def __invert__(self) -> "DFA":
        return self.complement()

    def shortest_word(self) -> tuple[str, ...] | None:
        """A shortest word of the language, or None when there is none."""
        for state in self._access[0]:
            if state in self.accepting:
                return self.access_word(state)
        return None

    def difference_from(self, other: "DFA") -> tuple[str, ...] | None:
        """None when the two languages are equal, else a shortest word that is in exactly one of them."""
        return (self ^ other).shortest_word()

    # -- words ----------------------------------------------------------------------------------------

    def words(self, max_length: int) -> Iterator[tuple[str, ...]]:
        """The words of length at most ``max_length``, shortest first, then in the alphabet's order.

        Only prefixes of words are walked, so the cost is that of the output, times the length.
        """
        alive = [self._counts(length) for length in range(max_length + 1)]
        table = self.table.tolist()
        for length in range(max_length + 1):
            stack: list[tuple[int, tuple[str, ...]]] = [(self.initial, ())]
            while stack:
                state, word = stack.pop()
                rest = length - len(word)
                if not alive[rest][state]:
                    continue
                if rest == 0:
                    yield word
                    continue
                for symbol in reversed(range(len(self.alphabet))):
                    stack.append((table[state][symbol], (*word, self.alphabet[symbol])))

    def _counts(self, length: int) -> list[int]:
        """For each state, the exact number of accepted words of this length that start there."""
        counts = self._count_table
        while len(counts) <= length:
            last = counts[-1]
            counts.append([sum(last[t] for t in row) for row in self.table.tolist()])
        return counts[length]

    @cached_property
    def _count_table(self) -> list[list[int]]:
        return [[int(q in self.accepting) for q in range(self.states)]]

    def count_words(self, length: int) -> int:
        """The exact number of words of this length.  O(length * n * k) big-integer additions, remembered."""
        return self._counts(length)[self.initial]

    def random_word(self, length: int, rng: np.random.Generator) -> tuple[str, ...]:
        """A word drawn exactly uniformly from the words of this length.

        Each symbol is drawn with the exact number of completions as its weight, in integers.

        Raises:
            InputError: when there is no word of this length.
        """
        if not self.count_words(length):
            raise InputError(f"the language has no word of length {length}")
        state, word = self.initial, []
        for rest in range(length - 1, -1, -1):
            counts = self._counts(rest)
            targets = self.table[state].tolist()
            draw = _random_below(rng, sum(counts[t] for t in targets))
            for symbol, target in enumerate(targets):
                if draw < counts[target]:
                    break
                draw -= counts[target]
            word.append(self.alphabet[symbol])
            state = target
        return tuple(word)

    # -- identity -------------------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        """Equality of the presentation, not of the language; minimise first to compare languages."""
        if not isinstance(other, DFA):
            return NotImplemented
        return (
            self.alphabet == other.alphabet
            and self.initial == other.initial
            and self.accepting == other.accepting
            and np.array_equal(self.table, other.table)
        )

    def __hash__(self) -> int:
        return hash((self.alphabet, self.initial, self.accepting, self.table.tobytes()))

    def __repr__(self) -> str:
        if self.table.size > SHOWN_TRANSITIONS:
            symbols = shortened(" ".join(self.alphabet))
            return f"<DFA of {self.states} states over {symbols}, {len(self.accepting)} of them accepting>"
        characters = all(len(symbol) == 1 for symbol in self.alphabet)
        alphabet = "".join(self.alphabet) if characters else self.alphabet
        initial = f", initial={self.initial}" if self.initial else ""
        return f"DFA({alphabet!r}, {self.table.tolist()}, {sorted(self.accepting)}{initial})"

    def _repr_svg_(self) -> str | None:
        return rich.svg(self)


def check_alphabet(alphabet: Iterable[str]) -> tuple[str, ...]:
    """The alphabet as a tuple of distinct symbols, or an InputError that names the one at fault.

    A symbol is a non-empty string without blanks and control characters that can be encoded in UTF-8.
    """
    symbols = tuple(alphabet)
    seen = set()
    if not symbols:
        raise InputError("the alphabet is empty")
    for symbol in symbols:
        if not isinstance(symbol, str) or not symbol or any(c.isspace() for c in symbol):
            raise InputError(f"{quoted(symbol)} cannot be a symbol: symbols are non-empty strings without blanks")
        if any("\ud800" <= c <= "\udfff" for c in symbol):
            raise InputError(f"{quoted(symbol)} cannot be a symbol: half a surrogate pair is not Unicode text")
        if any(category(c) == "Cc" for c in symbol):
            raise InputError(f"{quoted(symbol)} cannot be a symbol: it has a control character")
        if symbol in (BOS, EOS, ACCEPT):
            raise InputError(f"{symbol!r} cannot be a symbol: it is reserved")
        if symbol in seen:
            raise InputError(f"symbol {quoted(symbol)} occurs twice in the alphabet")
        seen.add(symbol)
    return symbols


def _aligned(dfa: DFA, other: DFA) -> np.ndarray:
    """``other``'s table with its columns in ``dfa``'s symbol order."""
    missing = set(dfa.alphabet) ^ set(other.alphabet)
    if missing:
        raise InputError(f"symbol {quoted(sorted(missing)[0])} is in only one of the two alphabets")
    return other.table[:, [other.index[symbol] for symbol in dfa.alphabet]]


def _random_below(rng: np.random.Generator, bound: int) -> int:
    """An exactly uniform integer in [0, bound), for a bound of any size, by rejection."""
    bits = bound.bit_length()
    while True:
        draw = int.from_bytes(rng.bytes((bits + 7) // 8), "little") & ((1 << bits) - 1)
        if draw < bound:
            return draw


def _refine(table: Sequence[Sequence[int]], accepting: Sequence[bool], symbols: int) -> list[int]:
    """Hopcroft's algorithm: for each state the number of its class of indistinguishable states."""
    n = len(table)
    inverse: list[list[list[int]]] = [[[] for _ in range(n)] for _ in range(symbols)]
    for state, row in enumerate(table):
        for symbol, target in enumerate(row):
            inverse[symbol][target].append(state)
    blocks = [
        block for block in ({q for q in range(n) if accepting[q]}, {q for q in range(n) if not accepting[q]}) if block
    ]
    block_of = [0] * n
    for number, block in enumerate(blocks):
        for state in block:
            block_of[state] = number
    waiting = deque((number, symbol) for number in range(len(blocks)) for symbol in range(symbols))
    queued = set(waiting)
    while waiting:
        splitter = waiting.popleft()
        queued.discard(splitter)
        number, symbol = splitter
        touched: dict[int, list[int]] = {}
        for target in blocks[number]:
            for source in inverse[symbol][target]:
                touched.setdefault(block_of[source], []).append(source)
        for old, members in touched.items():
            if len(members) == len(blocks[old]):
                continue
            fresh = len(blocks)
            moved = set(members)
            blocks[old] -= moved
            blocks.append(moved)
            for state in moved:
                block_of[state] = fresh
            for s in range(symbols):
                # Splitting by one half splits by the other too, so the smaller half is enough, unless
                # the whole block was already waiting: then both halves have to.
                smaller = fresh if (old, s) in queued or len(moved) <= len(blocks[old]) else old
                if (smaller, s) not in queued:
                    waiting.append((smaller, s))
                    queued.add((smaller, s))
    return block_of
