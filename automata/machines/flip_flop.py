"""The flip-flop language L_FF as a machine.

Words are sequences of instruction-bit pairs.  The instructions are ``w`` (write), ``r`` (read) and ``i``
(ignore).  The first instruction is ``w``, and the bit after an ``r`` equals the bit after the last ``w``.
The empty word belongs to the language.

Source: Liu, Ash, Goel, Krishnamurthy, Zhang 2023 (the language); Sarrof, Veitsman, Hahn 2024, Theorem 1.
"""

from __future__ import annotations

from automata.errors import InputError, quoted
from automata.machine import EOS

ALPHABET = ("w", "r", "i", "0", "1")

FlipFlopState = tuple[str, str]
"""(pending instruction or "", stored bit or ""): what is waiting for a bit, and what was last written."""

_BITS = ("0", "1")


class FlipFlopMachine:
    """L_FF over the alphabet w, r, i, 0, 1; both questions, predictive and recognition.

    A live state is a pair (pending instruction, stored bit), either may be the empty string; None is the dead
    state.  Nine states are reachable, and no two of them are equivalent.

    >>> from automata.machine import run
    >>> machine = FlipFlopMachine()
    >>> run(machine, "w1i0r")
    ('r', '1')
    >>> sorted(machine.legal(run(machine, "w1i0r")))
    ['1']
    >>> tuple(machine.accepts(run(machine, word)) for word in ("w1i0r1", "w1i0r0", ""))
    (True, False, True)
    """

    alphabet = ALPHABET
    initial: FlipFlopState = ("", "")

    def step(self, state: FlipFlopState | None, symbol: str) -> FlipFlopState | None:
        """The next state; raises InputError for a symbol outside the alphabet."""
        if symbol not in ALPHABET:
            raise InputError(f"symbol {quoted(symbol)} is not in the alphabet")
        if state is None or symbol not in self.legal(state):
            return None
        pending, bit = state
        if symbol == "w":
            return ("w", "")  # the old bit can never be read again
        if pending == "":
            return (symbol, bit)
        return ("", symbol if pending == "w" else bit)

    def legal(self, state: FlipFlopState | None) -> frozenset[str]:
        """The symbols that may come next, with EOS after complete pairs; empty in the dead state."""
        return _LEGAL[state]

    def accepts(self, state: FlipFlopState | None) -> bool:
        return EOS in _LEGAL[state]


_LEGAL: dict[FlipFlopState | None, frozenset[str]] = {
    None: frozenset(),
    ("", ""): frozenset({"w", EOS}),
    ("w", ""): frozenset(_BITS),
    **{("", bit): frozenset({"w", "r", "i", EOS}) for bit in _BITS},
    **{("r", bit): frozenset({bit}) for bit in _BITS},
    **{("i", bit): frozenset(_BITS) for bit in _BITS},
}
