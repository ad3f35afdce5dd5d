"""Limits that refuse what is almost always a mistake; each has a name, by which it can be raised.

On the command line ``--raise NAME=N`` does it; in Python :func:`raised` does it for the length of a ``with`` block.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator, Mapping

from automata.errors import InputError, LimitError, did_you_mean, quoted

LIMITS = {
    "nesting": 1_000,
    "file-nesting": 100,
    "range": 4_096,
    "propositions": 10,
    "edges": 5_000_000,
    "text": 1 << 28,
    "drawn": 150,
    "drawn-items": 300,
    "drawn-elements": 600,
    "width": 2_048,
    "conditions": 5_000,
    "bin": 100_000,
}
"""Name -> the limit, unless it is raised.

nesting: parentheses open at once in an expression or formula.  file-nesting: subgraphs, elements inside each other in a
file.  range: characters of a range.  propositions: of guards.  edges: of a DOT graph.  text: bytes of a file.  drawn,
drawn-items, drawn-elements: states of an automaton, registers and signals of a cascade, elements of a monoid in a
picture.  width: d_model of a Mamba.  conditions: neurons for one register or signal in a block.  bin: the greatest
length of a bin.
"""

_raised: dict[str, int] = {}


def limit(name: str) -> int:
    """The limit of this name as it is now."""
    return _raised.get(name, LIMITS[name])


def exceeded(name: str, value: int) -> bool:
    """Whether the value is beyond the limit."""
    return value > limit(name)


def refusal(name: str, message: object) -> LimitError:
    """The error for a value beyond the limit, which says how to go on.

    >>> refusal("range", "a range of 5000 characters, expected at most 4096").with_option()
    'a range of 5000 characters, expected at most 4096: raise the limit (--raise range=N) to go on'
    """
    return LimitError(f"{message}: raise the limit to go on", f"raise {name}=N")


@contextmanager
def raised(limits: Mapping[str, int]) -> Iterator[None]:
    """Other limits for the length of a ``with`` block.

    Raises:
        InputError: for a name that is no limit, with near names.
    """
    for name in limits:
        if name not in LIMITS:
            raise InputError(
                "there is no limit "
                f"{quoted(name)}{did_you_mean(name, LIMITS) or ': expected one of ' + ', '.join(LIMITS)}"
            )
    before = dict(_raised)
    _raised.update(limits)
    try:
        yield
    finally:
        _raised.clear()
        _raised.update(before)
