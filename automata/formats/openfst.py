"""The text format of OpenFst, HFST, foma and pyfoma (AT&T format): acceptors, and transducers that copy.

A line is ``source target symbol``, ``source target input output`` or ``state`` (accepting), each with a weight at its
end or not; the fields are separated by tabs or blanks, states are numbers, and the first line's first state is initial.

* Input and output have to be equal: a transducer is refused.
* A weight has to be 0 (``0.0``); ``Infinity`` says that a transition or an accepting state is not there.
* ``<eps>``, ``<epsilon>``, ``ε``, ``@0@`` and ``@_EPSILON_SYMBOL_@`` are epsilon.  ``0`` is a symbol.
* ``@_SPACE_@`` and the like stay as they are; ``@_UNKNOWN_SYMBOL_@``, ``@_IDENTITY_SYMBOL_@`` and flag diacritics are
  refused.
"""

from __future__ import annotations

import re

from automata.dfa import DFA
from automata.errors import InputError, quoted
from automata.formats.described import EPSILONS, Described, Transition

_WEIGHT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?[Ii]nf(inity)?", re.ASCII)


def parse_openfst(text: str, source: str) -> Described:
    """What a text in this format says.

    Raises:
        InputError: naming the line, and the field or symbol at fault.
    """
    lines = [
        (f"line {i}", fields)
        for i, line in enumerate(text.split("\n"), 1)
        if (fields := _fields(line, f"{source}, line {i}"))
    ]
    fourth = [fields[2:4] for _, fields in lines if len(fields) == 4]
    # Four fields are a symbol twice, or a symbol and a weight: which of the two, the whole file says.
    copied = any(len(fields) == 5 for _, fields in lines) or not all(_is_weight(weight) for _, weight in fourth)
    copied = copied or {symbol for symbol, _ in fourth} >= {weight for _, weight in fourth}
    described = Described(source)
    states = set()
    for place, fields in lines:
        where = f"{source}, {place}"
        if fields[0].startswith("--"):
            raise InputError(f"{where}: '--' begins another automaton, expected one in a file")
        arc = len(fields) > 2
        here = [_state(name, where) for name in fields[: 2 if arc else 1]]
        states.update(here)
        if described.initial is None:
            described.initial = here[0]
        symbols = fields[2 : 4 if copied else 3]
        weight = fields[1:] if not arc else fields[2 + len(symbols) :]
        if len(weight) > 1:
            raise InputError(f"{where}: found {quoted(weight[1])} in field {len(fields)}, expected the end of the line")
        if weight and not _is_there(weight[0], where):
            continue
        if not arc:
            described.accepting.append(here[0])
            continue
        if symbols[0] != symbols[-1]:
            raise InputError(
                f"{where}: reads {quoted(symbols[0])} and writes "
                f"{quoted(symbols[1])}: a transducer, expected an acceptor"
            )
        described.transitions.append(Transition(here[0], _symbol(symbols[0], where), here[1], place))
    if described.initial is None:
        raise InputError(f"{source}: the file is empty, expected a line for the initial state")
    described.states = dict.fromkeys(sorted(states))
    return described


def render_openfst(dfa: DFA) -> str:
    """The text of a DFA, the initial state's lines first."""
    for symbol in dfa.alphabet:
        if symbol in EPSILONS:
            raise InputError(f"symbol {symbol!r} means epsilon in OpenFst text: write .json")
        if _special(symbol):
            raise InputError(f"symbol {quoted(symbol)} has a meaning of its own in OpenFst text: write .json")
    order = [dfa.initial, *(state for state in range(dfa.states) if state != dfa.initial)]
    lines = [
        f"{state}\t{target}\t{symbol}\t{symbol}"
        for state in order
        for symbol, target in zip(dfa.alphabet, dfa.table[state].tolist())
    ]
    return "\n".join([*lines, *map(str, sorted(dfa.accepting)), ""])


def _fields(line: str, where: str) -> list[str]:
    """The fields of a line.  With tabs, an empty one is seen; without, blanks separate."""
    line = line.removesuffix("\r")
    if not line.strip():
        return []
    if "\t" not in line:
        return line.split()
    fields = [field.strip() for field in line.split("\t")]
    if "" in fields:
        raise InputError(
            f"{where}: field {fields.index('') + 1} is empty (epsilon is written <eps> or @0@, a space @_SPACE_@)"
        )
    fields = [part for field in fields for part in field.split()]
    if len(fields) > 5:
        raise InputError(f"{where}: has {len(fields)} fields, expected at most 5")
    return fields


def _state(name: str, where: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", name):
        raise InputError(f"{where}: found {quoted(name)}, expected the number of a state")
    return int(name)


def _is_weight(text: str) -> bool:
    return _WEIGHT.fullmatch(text) is not None


def _is_there(weight: str, where: str) -> bool:
    """Whether what carries this weight exists: 0 costs nothing, and infinity cannot be."""
    if not _is_weight(weight):
        raise InputError(f"{where}: found {quoted(weight)}, expected a weight of 0 or the end of the line")
    value = float(weight)
    if value == float("inf"):
        return False
    if value != 0:
        raise InputError(f"{where}: the weight {quoted(weight)} is not 0: a weighted automaton, expected an acceptor")
    return True


def _symbol(symbol: str, where: str) -> str | None:
    if symbol in EPSILONS:
        return None
    if meaning := _special(symbol):
        raise InputError(f"{where}: {quoted(symbol)} {meaning}, expected a symbol")
    return symbol


def _special(symbol: str) -> str:
    if symbol in ("@_UNKNOWN_SYMBOL_@", "@_IDENTITY_SYMBOL_@", "@?@", "@_DEFAULT_SYMBOL_@"):
        return "stands for symbols that are not in the file"
    if re.fullmatch(r"@[PNRDCUpnrdcu]\.[^@]+@", symbol):
        return "is a flag diacritic"
    return ""
