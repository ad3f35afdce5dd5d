"""``language.json``: which language a saved model is about, so that its folder can be checked without a word more.

An object with ``format`` (1), ``mode`` and one of

=============  =============================================================================
``name``       a name of the catalogue
``regex``      an expression, and ``alphabet``, a list of symbols, where it was given
``ltl``        a formula, and ``alphabet`` likewise
``automaton``  an object as in a ``.json`` file of an automaton, for what was read from a file
=============  =============================================================================

Limits are not saved: a file cannot raise what its reader did not raise.
"""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

from automata.catalogue import COUNTER, Language, language
from automata.dfa import DFA
from automata.errors import InputError, quoted
from automata.files import read_text
from automata.formats.described import SUBSET_LIMIT
from automata.formats.json_text import described_in, render_json, strict_object
from automata.machine import MODES, Machine
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.copying import CopyMachine
from automata.machines.counter_machine import CounterMachine
from automata.machines.flip_flop import FlipFlopMachine
from automata.machines.recall import RecallMachine

LANGUAGE_FILE = "language.json"
LANGUAGE_FORMAT = 1
LANGUAGE_KINDS = ("name", "regex", "ltl", "automaton")


def language_of(machine: Machine) -> Language:
    """The language that a machine defines: of the catalogue where it has a name there, else the automaton itself.

    >>> language_of(language("d-2").dfa())
    Language('automaton': the automaton of 4 states)
    """
    if isinstance(machine, DyckMachine):
        return language(f"dyck-{machine.k}-{machine.depth}", max(machine.k, machine.depth))
    if isinstance(machine, FlipFlopMachine):
        return language("flip-flop")
    if isinstance(machine, RecallMachine):
        return language(f"mqar-{machine.keys}-{machine.values}", max(machine.keys, machine.values))
    if isinstance(machine, CopyMachine):
        return language(f"copy-{machine.length}", machine.length)
    if isinstance(machine, CounterMachine):
        return Language(machine.name, machine.name, lambda: machine, kind=COUNTER)
    dfa = machine if isinstance(machine, DFA) else DFA.from_machine(machine).minimise()
    return Language("automaton", f"the automaton of {dfa.states} states", lambda: dfa, source={"automaton": dfa})


def saved_text(known: Language, mode: str) -> str:
    """The text of the file.

    >>> json.loads(saved_text(language("L_FF"), "predictive"))
    {'format': 1, 'mode': 'predictive', 'name': 'flip-flop'}
    """
    source = dict(known.source or {"name": known.name})
    if "automaton" in source:
        source["automaton"] = json.loads(render_json(known.dfa()))
    return json.dumps({"format": LANGUAGE_FORMAT, "mode": mode, **source}, ensure_ascii=False) + "\n"


def has_language(folder: str | Path) -> bool:
    """Whether there is such a file in the folder, whatever it holds."""
    return os.path.lexists(Path(folder) / LANGUAGE_FILE)


def saved_language(folder: str | Path, most: int | None = None, limit: int = SUBSET_LIMIT) -> tuple[Language, str]:
    """The language and the mode of a saved model.

    Args:
        folder: what holds the file.
        most: as for :func:`automata.catalogue.language`.
        limit: states that an automaton may have before it is minimised.

    Raises:
        InputError: naming the file, and the entry that is missing, unknown or not of the expected form.
        LimitError: for a language that is larger than a limit.
    """
    path = Path(folder) / LANGUAGE_FILE
    if not has_language(folder):
        raise InputError(f"{folder}: has no {LANGUAGE_FILE}, which says what language it is about")
    if not os.path.isfile(path):
        raise InputError(f"{path}: is not a plain file")
    entries = strict_object(read_text(path), str(path))
    try:
        return _language(entries, str(path), most, limit), _mode(entries)
    except InputError as error:
        raise error if str(error).startswith(str(path)) else error.at(str(path)) from None


def _mode(entries: dict[str, object]) -> str:
    mode = entries.get("mode")
    if not isinstance(mode, str) or mode not in MODES:
        raise InputError(f"mode: found {quoted(mode)}, expected {' or '.join(MODES)}")
    return mode


def _language(entries: dict[str, object], path: str, most: int | None, limit: int) -> Language:
    if repr(entries.get("format")) != repr(LANGUAGE_FORMAT):
        raise InputError(f"format: found {quoted(entries.get('format'))}, expected {LANGUAGE_FORMAT}")
    kinds = [kind for kind in LANGUAGE_KINDS if kind in entries]
    if len(kinds) != 1:
        raise InputError(f"found {' and '.join(kinds) or 'no language'}, expected one of {', '.join(LANGUAGE_KINDS)}")
    kind = kinds[0]
    known = ("format", "mode", kind, *(("alphabet",) if kind in ("regex", "ltl") else ()))
    for entry in entries:
        if entry not in known:
            raise InputError(f"unknown entry {quoted(entry)}, expected {', '.join(known)}")
    text = entries[kind]
    if kind == "automaton":
        return of_automaton(path, described_in(text, f"{path}, automaton").dfa(None, limit))
    if not isinstance(text, str):
        raise InputError(f"{kind}: found {quoted(text)}, expected a text")
    if kind == "name":
        return language(text, most)
    return READERS[kind](text, _alphabet(entries.get("alphabet")), limit)


def _alphabet(given: object) -> tuple[str, ...] | None:
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(symbol, str) for symbol in given):
        raise InputError(f"alphabet: found {quoted(given)}, expected a list of symbols")
    return tuple(given)


# -- languages that are written down -------------------------------------------------------------------


def of_regex(expression: str, alphabet: tuple[str, ...] | None = None, limit: int = SUBSET_LIMIT) -> Language:
    """The language of a regular expression."""
    from automata.notation.expressions import regex_to_dfa

    dfa = regex_to_dfa(expression, alphabet, limit)
    return _written("regex", expression, alphabet, "the regular expression", dfa)


def of_ltl(formula: str, alphabet: tuple[str, ...] | None = None, limit: int = SUBSET_LIMIT) -> Language:
    """The language of a formula."""
    from automata.notation.future_ltl import formula_to_dfa

    return _written("ltl", formula, alphabet, "the formula", formula_to_dfa(formula, alphabet, limit))


def of_automaton(path: str, dfa: DFA) -> Language:
    """The language of an automaton that was read from a file."""
    return Language(path, f"the automaton in {path}", partial(DFA.minimise, dfa), source={"automaton": dfa})


READERS = {"regex": of_regex, "ltl": of_ltl}


def _written(kind: str, text: str, alphabet: tuple[str, ...] | None, title: str, dfa: DFA) -> Language:
    source: dict[str, object] = {kind: text, **({} if alphabet is None else {"alphabet": list(alphabet)})}
    return Language(text, f"{title} {text}", partial(DFA.minimise, dfa), source=source)
