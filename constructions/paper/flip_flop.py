"""The flip-flop language L_FF as a cascade of two levels (three for recognition).

Source: Sarrof, Veitsman, Hahn 2024, the flip-flop construction.  The first level remembers the instruction, the second
the bit that was written last: gate 0 and a new value when the instruction was ``w``, gate 1 otherwise.
"""

from __future__ import annotations

from automata.machine import ACCEPT, BOS, EOS, PREDICTIVE
from automata.machines.flip_flop import ALPHABET
from constructions.cascade import Cascade, Emit, In, Is, Level, Reset, Rule, Set

_INSTRUCTIONS, _BITS = ("w", "r", "i"), ("0", "1")


def flip_flop(mode: str = PREDICTIVE) -> Cascade:
    """The cascade for L_FF in this mode.

    The predictor never reads a value ``before`` a step, so it lowers to every arithmetic.  The recogniser
    must notice two instructions or two bits in a row, and reads the previous symbol.
    """
    return _predictor() if mode == PREDICTIVE else _recogniser()


def _predictor() -> Cascade:
    instruct = tuple(Rule((In({s}),), Set(v)) for v, s in enumerate(_INSTRUCTIONS))
    instruction = Reset("instruction", 3, instruct, words=_INSTRUCTIONS)
    bit = Reset("bit", 2, tuple(Rule((In({b}), Is("instruction", 0)), Set(int(b))) for b in _BITS))
    emissions = (
        Emit((In({BOS}),), {"w", EOS}),
        Emit((In({"w", "i"}),), _BITS),
        *(Emit((In({"r"}), Is("bit", int(b))), {b}) for b in _BITS),
        Emit((In(_BITS),), {*_INSTRUCTIONS, EOS}),
    )
    return Cascade(ALPHABET, (Level((instruction,)), Level((bit,))), (*ALPHABET, EOS), emissions)


def _recogniser() -> Cascade:
    """``last`` is the previous symbol's kind: 0 none, 1 w, 2 r, 3 i, 4 a bit."""
    none, w, r, a_bit = 0, 1, 2, 4
    last = Reset(
        "last",
        5,
        (*(Rule((In({s}),), Set(v)) for v, s in enumerate(_INSTRUCTIONS, start=1)), Rule((In(_BITS),), Set(a_bit))),
        words=("nothing", *_INSTRUCTIONS, "a-bit"),
    )
    bit = Reset("bit", 2, tuple(Rule((In({b}), Is("last", w, before=True)), Set(int(b))) for b in _BITS))
    wrong = (
        *((In(_INSTRUCTIONS), Is("last", v, before=True)) for v in range(1, 4)),
        (In({"r", "i"}), Is("last", none, before=True)),
        *((In(_BITS), Is("last", v, before=True)) for v in (none, a_bit)),
        *((In({b}), Is("last", r, before=True), Is("bit", 1 - int(b))) for b in _BITS),
    )
    dead = Reset("dead", 2, tuple(Rule(when, Set(1)) for when in wrong))
    alive = Is("dead", 0)
    emissions = (Emit((In({BOS}),), {ACCEPT}), Emit((In(_BITS), alive), {ACCEPT}))
    return Cascade(ALPHABET, (Level((last,)), Level((bit,)), Level((dead,))), (ACCEPT,), emissions)
