"""The catalogue: languages by name, each with the machine that defines it.

Listed by name are the 27 languages of the published experiments and the flip-flop language; families give a language
for every number: ``d-N``, bounded Dyck ``dyck-K-H`` (K bracket types, depth at most H), ``shuffle-K`` and
``boolean-N``, associative recall ``mqar-K-V`` (K keys, V values) and ``copy-N``.

A language's machine answers both questions: the legal next symbols of a prefix (those after which some word is still
possible, with EOS where the prefix is a word) and membership.

Source: Bhattamishra, Ahuja, Goyal 2020 and Sarrof, Veitsman, Hahn 2024 (the experiments); Tomita 1982.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Callable, Iterator, Mapping

from automata import rich
from automata.dfa import DFA
from automata.errors import InputError, LimitError, quoted
from automata.machine import Machine
from automata.machines import counter_machine
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.copying import CopyMachine
from automata.machines.flip_flop import FlipFlopMachine
from automata.machines.recall import RecallMachine
from automata.notation.expressions import regex_to_dfa

REGULAR, COUNTER = "regular", "counter"

NUMBER_LIMIT = 100_000
"""The greatest N of d-N, and K and H of dyck-K-H, unless told otherwise."""


_LONGEST_NAME = 100


@dataclass(frozen=True)
class Language:
    """A language by name, by expression or by file.

    Attributes:
        name: its name in the catalogue, or what it was read from.
        title: what its words are.
        define: makes the machine that defines it.
        known: whether it is star-free, where that is known without looking.
        aliases: other names that :func:`language` knows it by.
        kind: either "regular" or "counter".
        source: what a saved model writes down of it (see :mod:`automata.saved_language`); None for its name.

    >>> language("tomita-4")
    Language('tomita-4': words without 000)
    >>> language("(ab)*").name, language("Dyck(2, 3)").dfa().states
    ('d-1', 16)
    """

    name: str
    title: str
    define: Callable[[], Machine]
    known: bool | None = None
    aliases: tuple[str, ...] = ()
    kind: str = REGULAR
    source: Mapping[str, object] | None = field(default=None, compare=False)

    @cached_property
    def star_free(self) -> bool | None:
        """Whether the language is star-free; None for one that is not regular."""
        from automata.algebra.holonomy import Skeleton

        if self.kind == COUNTER or self.known is not None:
            return None if self.kind == COUNTER else self.known
        return Skeleton.of(self.dfa()).aperiodic

    @cached_property
    def machine(self) -> Machine:
        """The machine that defines the language."""
        return self.define()

    @property
    def alphabet(self) -> tuple[str, ...]:
        return self.machine.alphabet

    def dfa(self, limit: int = 1_000_000) -> DFA:
        """The minimal complete DFA, states numbered breadth-first.

        Raises:
            InputError: for a counter language.
            LimitError: with more than ``limit`` states.
        """
        if self.kind == COUNTER:
            raise InputError(f"{self.name} is not regular: it has no finite automaton")
        machine = self.machine
        return machine if isinstance(machine, DFA) else DFA.from_machine(machine, limit).minimise()

    def __repr__(self) -> str:
        return f"Language({self.name!r}: {self.title})"

    def _repr_svg_(self) -> str | None:
        return rich.svg(self)


def language(name: str, most: int | None = None) -> Language:
    """The language with this name or alias; case, ``_`` for ``-`` and blanks do not matter.

    Args:
        name: the name.
        most: the greatest number in a name; by default NUMBER_LIMIT, or SHUFFLE_LIMIT for shuffle-K.

    Raises:
        InputError: for an unknown name, with near matches, or a number that is too small.
        LimitError: for a number that is too large.

    >>> language("L_FF").name, language("D_12").name, language("dyck-8-10").machine
    ('flip-flop', 'd-12', DyckMachine(8, 10))
    >>> language("tomita-44")
    Traceback (most recent call last):
    automata.errors.InputError: unknown language 'tomita-44': did you mean tomita-4, tomita-7 or tomita-6?
    """
    if len(name) > _LONGEST_NAME:
        raise InputError(f"unknown language {quoted(name)}: no name is that long")
    key = _key(name)
    if key in _BY_KEY:
        return _BY_KEY[key]
    if match := re.fullmatch(r"d-?([0-9]+)", key):
        return _nested(_number(name, "N", match[1], 1, most))
    if match := re.fullmatch(r"dyck-([0-9]+)-([0-9]+)|dyck\(([0-9]+),([0-9]+)\)", key):
        k, depth = (text for text in match.groups() if text is not None)
        return _bounded_dyck(_number(name, "K", k, 1, most), _number(name, "H", depth, 0, most))
    if match := re.fullmatch(r"(shuffle|boolean)-?([0-9]+)", key):
        return _counter("-".join(match.groups()), most)
    if match := re.fullmatch(r"mqar-([0-9]+)-([0-9]+)", key):
        return _recall(_number(name, "K", match[1], 1, most), _number(name, "V", match[2], 1, most))
    if match := re.fullmatch(r"copy-([0-9]+)", key):
        return _copy(_number(name, "N", match[1], 1, most))
    # Numbers of a family are near one another, so a family is suggested by one of its members.
    names = {_key(n): known.name for known in LANGUAGES.values() for n in (known.name, *known.aliases)}
    names |= _FAMILIES
    near = difflib.get_close_matches(key, names, n=3, cutoff=0.6)
    if near:
        hint = f"did you mean {_either(list(dict.fromkeys(names[n] for n in near)))}?"
    else:
        families = {re.sub(r"\b[A-Z]\b", "#", family) for family in _FAMILIES.values()}
        others = [name for name in LANGUAGES if re.sub("[0-9]+", "#", name) not in families]
        hint = f"expected one of {', '.join(others)}, {_either(list(_FAMILIES.values()))}"
    raise InputError(f"unknown language {quoted(name)}: {hint}")


_FAMILIES = {
    "d-5": "d-N",
    "dyck-8-10": "dyck-K-H",
    "shuffle-3": "shuffle-K",
    "boolean-4": "boolean-N",
    "mqar-3-3": "mqar-K-V",
    "copy-6": "copy-N",
}
"""How the names of a family are written, by one of them."""


def _key(name: str) -> str:
    return "".join(name.casefold().replace("_", "-").split())


def _either(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _number(name: str, letter: str, digits: str, least: int, most: int | None) -> int:
    most = NUMBER_LIMIT if most is None else most
    shown = digits if len(digits) <= 20 else f"a number of {len(digits)} digits"
    digits = digits.lstrip("0") or "0"
    if len(digits) > len(str(most)) or int(digits) > most:
        raise LimitError(
            f"{name if len(name) <= 60 else name[:60] + '…'}: {letter} is {shown}, "
            f"expected from {least} to {most}: raise the limit to go on",
            "most",
        )
    if int(digits) < least:
        raise InputError(f"{name}: {letter} is {shown}, expected from {least} to {most}")
    return int(digits)


# -- families -----------------------------------------------------------------------------------------


def _nested(n: int) -> Language:
    aliases = ("(ab)*", "ab-star") if n == 1 else ()
    return Language(
        f"d-{n}", f"D_{n} = (a D_{n - 1} b)*, D_0 the empty word alone", partial(_nested_dfa, n), True, aliases
    )


def _nested_dfa(n: int) -> DFA:
    """States are the depths, then the dead state."""
    dead = n + 1
    rows = [[depth + 1 if depth < n else dead, depth - 1 if depth else dead] for depth in range(n + 1)]
    return DFA("ab", [*rows, [dead, dead]], [0]).minimise()


def _bounded_dyck(k: int, depth: int) -> Language:
    title = f"brackets of {k} type{'s' * (k > 1)}, balanced, nested at most {depth} deep"
    return Language(f"dyck-{k}-{depth}", title, partial(DyckMachine, k, depth), True)


def _recall(keys: int, values: int) -> Language:
    title = f"pairs of a key of {keys} and a value of {values}; a key that comes again has the value that it had"
    return Language(f"mqar-{keys}-{values}", title, partial(RecallMachine, keys, values), True)


def _copy(length: int) -> Language:
    return Language(f"copy-{length}", f"w # w, w of length {length} over a and b", partial(CopyMachine, length), True)


def _counter(name: str, most: int | None = None) -> Language:
    family, number = counter_machine.parse_name(name, most)
    title = {
        "dyck": "brackets of one type, balanced",
        "shuffle": f"shuffles of {number} balanced bracket words, each over its own type",
        "boolean": f"Boolean expressions in prefix notation, operators of arity 1 to {number}",
        "anbn": "a^n b^n, n >= 1",
        "anbncn": "a^n b^n c^n, n >= 1",
        "anbncndn": "a^n b^n c^n d^n, n >= 1",
    }[family]
    aliases = (name.replace("-", ""),) if "-" in name else ()
    return Language(name, title, partial(counter_machine.counter_machine, name, most), None, aliases, COUNTER)


# -- the list -----------------------------------------------------------------------------------------


def _regular(name: str, title: str, expression: str, alphabet: str, star_free: bool, *aliases: str) -> Language:
    return Language(name, title, partial(regex_to_dfa, expression, alphabet), star_free, aliases)


def _listed() -> Iterator[Language]:
    yield _regular("tomita-1", "1*", "1*", "01", True)
    yield _regular("tomita-2", "(10)*", "(10)*", "01", True)
    yield _regular(
        "tomita-3",
        "words in which no odd run of 1s is followed by an odd run of 0s",
        "~( (.*0)? 1(11)* 0(00)* (1.*)? )",
        "01",
        False,
    )
    yield _regular("tomita-4", "words without 000", "~(.*000.*)", "01", True)
    yield _regular(
        "tomita-5", "an even number of 0s and an even number of 1s", "(1*01*0)*1* & (0*10*1)*0*", "01", False
    )
    yield Language(
        "tomita-6",
        "as many 0s as 1s, modulo 3",
        lambda: DFA("01", [[1, 2], [2, 0], [0, 1]], accepting=[0]),
        False,
    )
    yield _regular("tomita-7", "0*1*0*1*", "0*1*0*1*", "01", True)
    yield _regular("parity", "an even number of 1s", "(0*10*1)*0*", "01", False)
    yield _regular("aa-star", "(aa)*", "(aa)*", "a", False, "(aa)*", "aastar")
    yield _regular("aaaa-star", "(aaaa)*", "(aaaa)*", "a", False, "(aaaa)*", "aaaastar")
    yield _regular("abab-star", "(abab)*", "(abab)*", "ab", False, "(abab)*", "ababstar")
    for n in (2, 3, 4, 12):
        yield _nested(n)
    five = "aa*bb*cc*dd*ee*"
    yield _regular(five, five, five, "abcde", True, "aastarbbstarccstarddstareestar")
    yield _regular("{a,b}*d{b,c}*", "{a,b}*d{b,c}*", "[ab]*d[bc]*", "abcd", True, "abstar-d-bcstar")
    yield _regular("{0,1,2}*02*", "{0,1,2}*02*", "[012]*02*", "012", True, "012star-0-2star")
    yield from map(_counter, counter_machine.NAMES)
    yield Language(
        "flip-flop",
        "instruction-bit pairs that begin with w; the bit after r is the bit after the last w",
        FlipFlopMachine,
        True,
        ("flipflop", "l-ff", "lff"),
    )


LANGUAGES: dict[str, Language] = {known.name: known for known in _listed()}
"""The 27 languages of the experiments and the flip-flop language, by name."""

_BY_KEY = {_key(n): known for known in (*LANGUAGES.values(), _nested(1)) for n in (known.name, *known.aliases)}
