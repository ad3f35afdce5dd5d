"""JSON: an object with the keys ``states`` (numbers or strings), ``initial``, ``accepting``, ``transitions`` (triples
``[source, symbol, target]``) and, optionally, ``alphabet``.  A symbol is any string that may be one; there is no
epsilon.
"""

from __future__ import annotations

import json

from automata.dfa import DFA
from automata.errors import InputError, quoted, shortened
from automata.formats.described import Described, Transition

_JSON_KEYS = ("states", "initial", "accepting", "transitions")


def parse_json(text: str, source: str) -> Described:
    return described_in(strict_object(text, source), source)


def strict_object(text: str, source: str) -> dict[str, object]:
    """The JSON object that a text is, no key of it twice.

    Raises:
        InputError: naming the source, and the line and column where the text is no JSON.
    """
    try:
        data = json.loads(text, object_pairs_hook=lambda pairs: _object(pairs, source))
    except json.JSONDecodeError as error:
        raise InputError(f"{source}, line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise InputError(f"{source}: values are nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{source}: {error}") from None
    if not isinstance(data, dict):
        raise InputError(f"{source}: found {_kind(data)}, expected an object")
    return data


def described_in(data: object, source: str) -> Described:
    """The automaton that an object describes."""
    if not isinstance(data, dict):
        raise InputError(f"{source}: found {_kind(data)}, expected an object")
    for key in _JSON_KEYS:
        if key not in data:
            raise InputError(f"{source}: the key {quoted(key)} is missing")
    for key in data:
        if key not in (*_JSON_KEYS, "alphabet"):
            raise InputError(f"{source}: unknown key {quoted(key)}, expected {', '.join(_JSON_KEYS)} or alphabet")
    for key in data:
        if key != "initial" and not isinstance(data[key], list):
            raise InputError(f"{source}, {key}: found {_kind(data[key])}, expected a list")
    described = Described(source)
    for state in data["states"]:
        if isinstance(state, bool) or not isinstance(state, (int, str)):
            raise InputError(f"{source}, states: found {_kind(state)}, expected a number or a string")
        if state in described.states:
            raise InputError(f"{source}, states: {quoted(state)} occurs twice")
        described.states[state] = None
    described.initial = _json_state(data["initial"], described, "initial")
    described.accepting = [_json_state(state, described, "accepting") for state in data["accepting"]]
    for number, triple in enumerate(data["transitions"], start=1):
        place = f"transition {number}"
        if not isinstance(triple, list) or len(triple) != 3 or not isinstance(triple[1], str):
            raise InputError(f"{source}, {place}: found {_kind(triple)}, expected [source, symbol, target]")
        ends = [_json_state(state, described, place) for state in (triple[0], triple[2])]
        described.transitions.append(Transition(ends[0], triple[1], ends[1], place))
    described.alphabet = data.get("alphabet")
    return described


def _object(pairs: list[tuple[str, object]], source: str) -> dict[str, object]:
    data: dict[str, object] = {}
    for key, value in pairs:
        if key in data:
            raise InputError(f"{source}: the key {quoted(key)} occurs twice")
        data[key] = value
    return data


def _kind(value: object) -> str:
    return shortened(json.dumps(value, ensure_ascii=True))


def _json_state(state: object, described: Described, place: str) -> int | str:
    if isinstance(state, bool) or not isinstance(state, (int, str)) or state not in described.states:
        raise InputError(f"{described.source}, {place}: {_kind(state)} is not one of the states")
    return state


def render_json(dfa: DFA) -> str:
    entries = {
        "alphabet": list(dfa.alphabet),
        "states": list(range(dfa.states)),
        "initial": dfa.initial,
        "accepting": sorted(dfa.accepting),
    }
    lines = [f' "{key}": {json.dumps(value, ensure_ascii=False)},' for key, value in entries.items()]
    triples = [
        json.dumps([state, symbol, target], ensure_ascii=False)
        for state, row in enumerate(dfa.table.tolist())
        for symbol, target in zip(dfa.alphabet, row)
    ]
    body = ",\n  ".join(triples)
    return "\n".join(["{", *lines, f' "transitions": [\n  {body}\n ]', "}", ""])
