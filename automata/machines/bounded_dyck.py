"""Bounded Dyck languages Dyck(k, depth) as machines: k bracket types, nested at most ``depth`` deep.

Source: Hewitt, Hahn, Ganguli, Liang, Manning 2020 (the languages); Sarrof, Veitsman, Hahn 2024, Theorem 5.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain

from automata.errors import InputError, quoted
from automata.machine import EOS

Stack = tuple[int, ...]
"""The types of the open brackets, outermost first."""

_PLAIN_BRACKETS = ("()", "[]", "{}", "<>")

_SYMBOLS_KEPT = 5_000_000
"""Of legal sets, over all that are kept for further use."""


def type_name(number: int) -> str:
    """The name of bracket type 0, 1, 2, …: a..z, then aa, ab, … (as the columns of a spreadsheet).

    >>> [type_name(i) for i in (0, 1, 25, 26, 27, 701, 702)]
    ['a', 'b', 'z', 'aa', 'ab', 'zz', 'aaa']
    """
    name = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        name = chr(ord("a") + letter) + name
    return name


class DyckMachine:
    """Dyck(k, depth); both questions, predictive and recognition.  The empty word belongs to the language.

    The alphabet is ``("(a", "a)", "(b", "b)", …)``: each type's opening bracket, then its closing one.  A live
    state is the tuple of open types, outermost first; None is the dead state.  A step costs a dictionary look-up
    and a copy of the state, O(depth).

    Args:
        k: the number of bracket types, at least 1.
        depth: the greatest nesting depth, at least 0.

    Raises:
        InputError: naming the argument that is out of range.

    >>> from automata.machine import run
    >>> machine = DyckMachine(2, 3)
    >>> run(machine, ["(a", "(b"])
    (0, 1)
    >>> sorted(machine.legal((0, 1)))
    ['(a', '(b', 'b)']
    >>> sorted(machine.legal((0, 1, 0)))
    ['a)']
    >>> print(run(machine, ["(a", "b)"]))
    None
    """

    initial: Stack = ()

    def __init__(self, k: int, depth: int):
        if k < 1:
            raise InputError(f"Dyck({k}, {depth}): the number of bracket types is {k}, expected at least 1")
        if depth < 0:
            raise InputError(f"Dyck({k}, {depth}): the depth is {depth}, expected at least 0")
        self.k = k
        self.depth = depth
        names = [type_name(i) for i in range(k)]
        self.openers = tuple(f"({name}" for name in names)
        self.closers = tuple(f"{name})" for name in names)
        self.alphabet = tuple(chain.from_iterable(zip(self.openers, self.closers)))
        # A type i stands for its opening bracket, ~i (negative) for its closing one.
        self._action = {symbol: i for i, symbol in enumerate(self.openers)}
        self._action.update((symbol, ~i) for i, symbol in enumerate(self.closers))
        # A set of K symbols for each type on top: all of them for most K, not so many that memory would run out.
        self._legal = lru_cache(maxsize=max(8, _SYMBOLS_KEPT // k))(self._legal_at)

    def step(self, state: Stack | None, symbol: str) -> Stack | None:
        """The next state; raises InputError for a symbol outside the alphabet."""
        try:
            action = self._action[symbol]
        except KeyError:
            raise InputError(
                f"symbol {quoted(symbol)} is not in the alphabet of Dyck({self.k}, {self.depth})"
            ) from None
        if state is None:
            return None
        if action >= 0:
            return (*state, action) if len(state) < self.depth else None
        return state[:-1] if state and state[-1] == ~action else None

    def legal(self, state: Stack | None) -> frozenset[str]:
        """The symbols that may come next, with EOS when all is closed."""
        if state is None:
            return frozenset()
        return self._legal(state[-1] if state else None, len(state) == self.depth)

    def legal_at_depth(self, depth: int) -> frozenset[str]:
        """What is legal at this depth whatever is on top; :meth:`legal` adds the closing bracket of the top.

        >>> machine = DyckMachine(2, 3)
        >>> sorted(machine.legal_at_depth(0)), sorted(machine.legal_at_depth(3))
        (['(a', '(b', '<eos>'], [])
        """
        return frozenset((*(self.openers if depth < self.depth else ()), *((EOS,) if depth == 0 else ())))

    def accepts(self, state: Stack | None) -> bool:
        return state == ()

    def classes(self) -> int:
        """The number of Myhill–Nerode classes of live prefixes, exactly: one for each tuple of open types.

        >>> DyckMachine(8, 10).classes(), DyckMachine(1, 7).classes()
        (1227133513, 8)
        """
        if self.k == 1:
            return self.depth + 1
        return (self.k ** (self.depth + 1) - 1) // (self.k - 1)

    def parse_symbol(self, token: str) -> str:
        """The symbol that a token means.

        It is a symbol itself; or, for k <= 4, a plain bracket ( ) [ ] { } < > of type a..d; or a number, as training
        data has it: 0 … k-1 open the types in order, and k … 2k-1 close them.

        Raises:
            InputError: naming the token and what was expected.

        >>> tuple(map(DyckMachine(2, 3).parse_symbol, ("]", "1", "2")))
        ('b)', '(b', 'a)')
        """
        if token in self._action:
            return token
        if re.fullmatch("0|[1-9][0-9]{0,8}", token) and int(token) < 2 * self.k:
            return (self.openers + self.closers)[int(token)]
        plain = _PLAIN_BRACKETS[: self.k] if self.k <= len(_PLAIN_BRACKETS) else ()
        for kind, pair in enumerate(plain):
            if token in tuple(pair):
                return (self.openers if token == pair[0] else self.closers)[kind]
        raise InputError(
            f"{quoted(token)} is not a bracket of Dyck({self.k}, {self.depth}): "
            f"expected {self.openers[0]} … {self.openers[-1]}, {self.closers[0]} … {self.closers[-1]}, a number below "
            f"{2 * self.k}" + (f" or one of {' '.join(''.join(plain))}" if plain else "")
        )

    def _legal_at(self, top: int | None, full: bool) -> frozenset[str]:
        always = self.legal_at_depth(self.depth if full else 0 if top is None else 1)
        return always if top is None else always | {self.closers[top]}

    def __repr__(self) -> str:
        return f"DyckMachine({self.k}, {self.depth})"
