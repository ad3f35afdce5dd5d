"""The automata of a published comparison, with the figures that SgpDec 1.2.0 on GAP 4.16.1 gives for them.

``semigroup`` counts the actions of nonempty words, ``points`` are the values of each level's components, largest
first, ``bits`` the flip-flops with registers shared inside a level (None where there are groups), ``total_ms`` the
milliseconds for the skeleton and the lifted letters, on two cores, start-up excluded (infinity where it stopped
after 120 s).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Callable

from automata.dfa import DFA
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.flip_flop import FlipFlopMachine
from automata.notation.expressions import regex_to_dfa


@dataclass(frozen=True)
class Row:
    name: str
    build: Callable[[], DFA]
    states: int
    semigroup: int | None
    points: tuple[tuple[int, ...], ...]
    bits: int | None
    total_ms: float

    @property
    def aperiodic(self) -> bool:
        return self.bits is not None


def chain_language(n: int) -> DFA:
    """D_n = (a D_{n-1} b)*: depth at most n, a dead state below and above."""
    dead = n + 1
    rows = [[q + 1 if q < n else dead, q - 1 if q else dead] for q in range(n + 1)]
    return DFA("ab", rows + [[dead, dead]], [0])


def dyck(k: int, depth: int) -> DFA:
    return DFA.from_machine(DyckMachine(k, depth)).minimise()


def from_maps(maps: list[list[int]]) -> DFA:
    """One letter per map; state 0 is initial and accepting."""
    return DFA([f"m{i}" for i in range(len(maps))], list(zip(*maps)), [0])


def order_preserving(n: int) -> DFA:
    """Generators of all order-preserving maps of n points: i to i+1, i+1 to i, and the identity."""
    maps = [list(range(n))]
    for i in range(n - 1):
        maps.append([i + 1 if q == i else q for q in range(n)])
        maps.append([i if q == i + 1 else q for q in range(n)])
    return from_maps(maps)


def all_maps(n: int) -> DFA:
    """Generators of all maps of n points: a cycle, a swap, and a merge of two points."""
    return from_maps([[*range(1, n), 0], [1, 0, *range(2, n)], [0, 0, *range(2, n)]])


def cycle(n: int) -> DFA:
    return from_maps([[*range(1, n), 0]])


def twos(levels: int) -> tuple[tuple[int, ...], ...]:
    return ((2,),) * levels


ROWS = [
    Row("flip-flop", lambda: from_maps([[0, 1], [0, 0], [1, 1]]), 2, 3, twos(1), 1, 3.4),
    Row("tomita-1", lambda: regex_to_dfa("1*", "01"), 2, 2, twos(1), 1, 2.6),
    Row("tomita-2", lambda: regex_to_dfa("(10)*"), 3, 5, twos(2), 2, 3.9),
    Row(
        "tomita-3",
        lambda: regex_to_dfa("~((.*0)?1(11)*0(00)*(1.*)?)", "01"),
        5,
        25,
        ((2,), (2, 2), (2,), (2,)),
        None,
        13.9,
    ),
    Row("tomita-4", lambda: regex_to_dfa("~(.*000.*)", "01"), 4, 11, twos(3), 3, 4.9),
    Row("tomita-7", lambda: regex_to_dfa("0*1*0*1*"), 5, 8, twos(5), 5, 6.2),
    Row("D_2", lambda: chain_language(2), 4, 14, twos(3), 3, 5.9),
    Row("D_4", lambda: chain_language(4), 6, 55, twos(5), 5, 20.2),
    Row("D_12", lambda: chain_language(12), 14, 819, twos(13), 13, 33762),
    Row("D_16", lambda: chain_language(16), 18, 1785, twos(17), 17, inf),
    Row("aa*bb*cc*dd*ee*", lambda: regex_to_dfa("aa*bb*cc*dd*ee*"), 7, 16, ((6,), *twos(5)), 8, 19.6),
    Row("{a,b}*d{b,c}*", lambda: regex_to_dfa("[ab]*d[bc]*"), 3, 5, twos(3), 3, 6.2),
    Row("{0,1,2}*02*", lambda: regex_to_dfa("[012]*02*"), 2, 3, twos(1), 1, 3.2),
    Row("L_FF", lambda: DFA.from_machine(FlipFlopMachine()).minimise(), 9, 80, ((5,), *twos(3)), 6, 21.7),
    Row("Dyck(2,2)", lambda: dyck(2, 2), 8, 59, ((3,), (3,), (2,)), 5, 25.1),
    Row("Dyck(2,3)", lambda: dyck(2, 3), 16, 284, ((3,), (3,), (3,), (2,)), 7, 114),
    Row("Dyck(2,5)", lambda: dyck(2, 5), 64, 5214, (*((3,),) * 5, (2,)), 11, 3358),
    Row("Dyck(2,7)", lambda: dyck(2, 7), 256, 86368, (*((3,),) * 7, (2,)), 15, inf),
    Row("Dyck(3,3)", lambda: dyck(3, 3), 41, 1786, (*((4,),) * 3, (2,)), 7, 687),
    Row("O_5", lambda: order_preserving(5), 5, 126, ((5,), (4,), (3,), (2,)), 8, 424),
    Row("O_6", lambda: order_preserving(6), 6, 462, ((6,), (5,), (4,), (3,), (2,)), 11, 6602),
    Row("O_8", lambda: order_preserving(8), 8, 6435, tuple((p,) for p in range(8, 1, -1)), 17, inf),
    Row("T_3", lambda: all_maps(3), 3, 27, ((3,), (2,)), None, 8),
    Row("T_4", lambda: all_maps(4), 4, 256, ((4,), (3,), (2,)), None, 25),
    Row("T_5", lambda: all_maps(5), 5, 3125, ((5,), (4,), (3,), (2,)), None, 167),
    Row("A*abaabA*", lambda: regex_to_dfa(".*abaab.*"), 6, 31, ((2,), (2, 2), (2,), (2,), (2,)), 5, 9.1),
    Row("A*aA^4", lambda: regex_to_dfa(".*a.{4}", "ab"), 32, 62, tuple((2,) * (1 << i) for i in range(5)), 5, 71.9),
    Row("parity", lambda: cycle(2), 2, 2, twos(1), None, 4),
    Row("(aa)*", lambda: regex_to_dfa("(aa)*"), 2, 2, twos(1), None, 4),
    Row("tomita-5", lambda: regex_to_dfa("(0*10*1)*0*&(1*01*0)*1*"), 4, 4, ((4,),), None, 4),
    Row("tomita-6", lambda: from_maps([[1, 2, 0], [2, 0, 1]]), 3, 3, ((3,),), None, 4),
    Row("C_6", lambda: cycle(6), 6, 6, ((6,),), None, 4),
]
