"""Awkward automata, each with the reason why it is here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Callable

from baseline import all_maps, cycle, from_maps, order_preserving

from automata.catalogue import language
from automata.dfa import DFA
from automata.notation.expressions import regex_to_dfa


@dataclass(frozen=True)
class Case:
    """An automaton (as it stands, not always minimal), why it is here, and whether its language is star-free."""

    name: str
    why: str
    dfa: DFA
    star_free: bool


def _flip_flop(i: int, bits: int) -> DFA:
    """Over the letters s0 r0 s1 r1 …: bit i was set last."""
    letters = [f"{action}{j}" for j in range(bits) for action in "sr"]
    rows = [[{f"s{i}": 1, f"r{i}": 0}.get(letter, bit) for letter in letters] for bit in (0, 1)]
    return DFA(letters, rows, [1])


def _flip_flops(bits: int) -> DFA:
    return reduce(DFA.__and__, [_flip_flop(i, bits) for i in range(bits)])


def _symmetric_group() -> DFA:
    return from_maps([[1, 2, 0], [1, 0, 2]])


def _late_cycle(n: int) -> DFA:
    """a counts to n and stops; only then does b swap two states."""
    rows = [[min(q + 1, n), q] for q in range(n)] + [[n, n + 1], [n + 1, n]]
    return DFA("ab", rows, [n])


def _binary_counter(bits: int) -> DFA:
    """Letter i flips 0 to 1 at bit i and 1 to 0 at all lower bits, if it can; else nothing happens."""
    rows = []
    for value in range(1 << bits):
        row = []
        for i in range(bits):
            low = (1 << i) - 1
            row.append((value | 1 << i) & ~low if not value >> i & 1 and value & low == low else value)
        rows.append(row)
    return DFA([f"c{i}" for i in range(bits)], rows, [(1 << bits) - 1])


_BUILDERS: list[tuple[str, str, Callable[[], DFA], bool]] = [
    ("one letter, full", "one state, every word: no memory and no level at all", lambda: regex_to_dfa("a*"), True),
    ("full", "one state and several letters that all do the same", lambda: regex_to_dfa(".*", "abc"), True),
    ("empty", "one state, no word: no prefix is ever asked predictively", lambda: regex_to_dfa("[]", "ab"), True),
    (
        "only the empty word",
        "the initial state is accepting and every letter leaves it for good",
        lambda: regex_to_dfa("()", "ab"),
        True,
    ),
    (
        "all but the empty word",
        "differs from the full language at the first output alone",
        lambda: regex_to_dfa(".+", "ab"),
        True,
    ),
    ("one word", "finite, with a dead state", lambda: regex_to_dfa("abba"), True),
    (
        "unreachable states",
        "states that no word reaches, with a cycle among them",
        lambda: DFA("a", [[0], [2], [1]], [0]),
        True,
    ),
    (
        "initial state is not 0",
        "numbering must not be taken for granted",
        lambda: DFA("ab", [[0, 0], [0, 1]], [0], initial=1),
        True,
    ),
    (
        "not minimal",
        "as it stands it has a group, its minimal automaton has not",
        lambda: DFA("a", [[1], [0]], [0, 1]),
        True,
    ),
    ("twin letters", "two letters with one map, which must be collapsed", lambda: regex_to_dfa("([ab]c)*"), True),
    ("identity letter", "a letter that does nothing", lambda: regex_to_dfa("c*(ac*bc*)*"), True),
    ("unary chain", "one letter, nilpotent: a long chain of image sets", lambda: regex_to_dfa("a{12}"), True),
    ("unary threshold", "one letter, all lengths from some point on", lambda: regex_to_dfa("a{7,}"), True),
    ("flip-flop", "the smallest reset", lambda: from_maps([[0, 1], [0, 0], [1, 1]]), True),
    (
        "no letter twice in a row",
        "one reset register with six values",
        lambda: regex_to_dfa("~(.*(aa|bb|cc|dd|ee).*)"),
        True,
    ),
    (
        "three flip-flops",
        "a direct product: holonomy spends more bits than the three needed",
        lambda: _flip_flops(3),
        True,
    ),
    ("four flip-flops", "the same, where the waste shows", lambda: _flip_flops(4), True),
    ("window", "the last five letters: definite, so delays are enough", lambda: regex_to_dfa(".*a.{4}", "ab"), True),
    (
        "window over three letters",
        "definite with an awkward alphabet",
        lambda: regex_to_dfa(".*[ab].[bc]", "abc"),
        True,
    ),
    ("first letters", "reverse definite: decided early and then kept", lambda: regex_to_dfa("a.b.*", "ab"), True),
    (
        "factor abaab",
        "A*abaabA*: a failure function, two components on one level",
        lambda: regex_to_dfa(".*abaab.*", "ab"),
        True,
    ),
    ("subword abc", "piecewise testable: resets that only go up", lambda: regex_to_dfa(".*a.*b.*c.*"), True),
    ("locally testable", "which pairs of letters have occurred", lambda: regex_to_dfa("~(.*aa.*)&.*bb.*", "ab"), True),
    ("D_4", "a bounded counter: few levels by counting, many by holonomy", lambda: language("d-4").dfa(), True),
    ("Dyck(2, 2)", "a bounded stack", lambda: language("dyck-2-2").dfa(), True),
    ("L_FF", "components of five and of two values", lambda: language("flip-flop").dfa(), True),
    ("binary counter", "letters that look like a counter modulo 8 but never wrap", lambda: _binary_counter(3), True),
    (
        "order-preserving O_4",
        "all order-preserving maps: every level has its greatest size",
        lambda: order_preserving(4),
        True,
    ),
    ("order-preserving O_5", "the same, one larger", lambda: order_preserving(5), True),
    ("multi-character symbols", "symbols of several characters", lambda: regex_to_dfa("(<open> <close>)*"), True),
    ("Unicode symbols", "symbols outside ASCII and outside the basic plane", lambda: regex_to_dfa("(α🙂*é)*"), True),
    ("operators as symbols", "symbols that are marks in every notation", lambda: regex_to_dfa(r"(\**<\>>',')*"), True),
    (
        "many letters",
        "sixty letters, three distinct maps",
        lambda: regex_to_dfa("<x0>*<x1>.*", [f"x{i}" for i in range(60)]),
        True,
    ),
    ("C_2", "the smallest group, PARITY over one letter", lambda: cycle(2), False),
    ("C_3", "odd period: no gate of -1 helps", lambda: cycle(3), False),
    ("C_4", "a group that is not a product of prime ones", lambda: cycle(4), False),
    ("C_6", "the direct product of C_2 and C_3", lambda: cycle(6), False),
    ("parity", "a group beside a letter that does nothing", lambda: language("parity").dfa(), False),
    ("(abab)*", "the period shows only on words of two letters", lambda: language("abab-star").dfa(), False),
    ("tomita-3", "a group at a lower level, resets above it", lambda: language("tomita-3").dfa(), False),
    ("S_3", "the smallest group that is not abelian", _symmetric_group, False),
    (
        "permutation and reset",
        "a letter that swaps and letters that reset",
        lambda: from_maps([[1, 0], [0, 0], [1, 1]]),
        False,
    ),
    ("late cycle", "the group sits behind a chain of eight states", lambda: _late_cycle(8), False),
    ("T_3", "all maps of three points", lambda: all_maps(3), False),
    ("T_4", "all maps of four points: groups on several levels", lambda: all_maps(4), False),
    (
        "even a, then star-free",
        "a group in a product with a star-free part",
        lambda: regex_to_dfa("(b*ab*a)*b* & .*bb.*"),
        False,
    ),
]

BESTIARY = [Case(name, why, build(), star_free) for name, why, build, star_free in _BUILDERS]
