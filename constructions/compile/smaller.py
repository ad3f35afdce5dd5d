"""The smallest cascade that is found for a language, and by which route.

Holonomy always works but is not minimal: a product of four flip-flops gives 9 bits where 4 do.  So other routes are
tried first, and one is taken only where its cascade has fewer bits *and* a search through all its states shows that
it does what the automaton does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator

from automata.algebra.holonomy import IMAGE_SET_LIMIT, Skeleton
from automata.dfa import DFA
from automata.errors import InputError, LimitError
from constructions.cascade import Cascade, Counter, bit_length
from constructions.compile.bounded_counter import bounded_counter_cascade
from constructions.compile.emulation import emulates
from constructions.compile.krohn_rhodes import holonomy_cascade, outputs_of
from constructions.compile.product import product_cascades
from constructions.compile.window import window_cascade

_ROUTES = ("auto", "holonomy")
SMALLER_LIMIT, PAIRS_PER_STATE = 20_000, 4
"""Pairs of states, or pairs for each state where that is more, after which the check of a smaller cascade stops: a
route not taken.
"""

LEVEL_LIMIT = 2000
"""Levels of a holonomy cascade, unless told otherwise: time and memory of all that follows go with their square."""

THOROUGH_STATES = 1000
"""The largest minimal automaton for which all routes are tried, unless told otherwise."""


@dataclass(frozen=True)
class Route:
    """How a cascade was found: ``name``, its bits (a counter's range included), what plain holonomy has, and why.

    ``holonomy_bits`` is None when the search for image sets stopped at its limit.
    """

    name: str
    bits: int
    holonomy_bits: int | None
    reason: str


@dataclass(frozen=True)
class Limits:
    """What a compilation may cost.

    Attributes:
        image_sets: of all states; beyond, the search for holonomy gives up.
        levels: of a holonomy cascade.
        thorough: beyond so many states only a counter and holonomy are tried: the search for another route takes time
            in the square of the states, for a counter it is linear.
    """

    image_sets: int = IMAGE_SET_LIMIT
    levels: int = LEVEL_LIMIT
    thorough: int = THOROUGH_STATES


def compile_dfa(dfa: DFA, mode: str, route: str = "auto", limits: Limits = Limits()) -> tuple[Cascade, Route]:
    """A cascade for the automaton's language, and the route that was taken to it: the first of :func:`cascades_of`.

    Args:
        dfa: the automaton; its minimal DFA is compiled.
        mode: whether the cascade gives legal sets or acceptance.
        route: "auto" for the fewest bits among the routes that apply, "holonomy" for that one.

    Raises:
        InputError: for an unknown mode or route.
        LimitError: when no route leads anywhere: what stopped holonomy, or a holonomy of too many levels.

    >>> from automata.machine import PREDICTIVE
    >>> depth = DFA("ab", [[1, 4], [2, 0], [3, 1], [4, 2], [4, 4]], accepting=[0])  # depth at most 3
    >>> cascade, route = compile_dfa(depth, PREDICTIVE)
    >>> route.name, route.bits, route.holonomy_bits
    ('counter', 2, 4)
    """
    if route not in _ROUTES:
        raise InputError(f"the route {route!r} is not one of {', '.join(_ROUTES)}")
    return next(cascades_of(dfa.minimise(), mode, route == "holonomy", limits))


def cascades_of(dfa: DFA, mode: str, plain: bool = False, limits: Limits = Limits()) -> Iterator[tuple[Cascade, Route]]:
    """Cascades for a minimal automaton's language, best first, each made and checked only when it is asked for.

    Args:
        plain: holonomy alone.

    Raises:
        InputError, LimitError: as :func:`compile_dfa`.
    """
    outputs_of(dfa, mode)
    skeleton: Skeleton | LimitError
    try:
        skeleton = Skeleton.of(dfa, limits.image_sets)
    except LimitError as stopped:
        skeleton = stopped
    if plain:
        if isinstance(skeleton, LimitError):
            raise skeleton
        cascade = _holonomy(dfa, mode, skeleton, limits.levels)
        yield cascade, Route("holonomy", cascade.memory_bits, cascade.memory_bits, "asked for")
        return
    if isinstance(skeleton, Skeleton) and not skeleton.aperiodic:
        reason = "the language is not star-free: its groups are shown as permutation registers"
        yield _holonomy(dfa, mode, skeleton, limits.levels), Route("holonomy", skeleton.bits, skeleton.bits, reason)
        return
    bits = None if isinstance(skeleton, LimitError) else skeleton.bits
    large = dfa.states > limits.thorough
    found = _counter(dfa, mode, dfa.states if bits is None else bits) if large else _smaller(dfa, mode, bits)
    for cascade, name, reason in sorted(found, key=lambda found: cost(found[0])):
        if _checked(cascade, dfa):
            yield cascade, Route(name, cost(cascade), bits, reason)
    if isinstance(skeleton, LimitError):
        raise skeleton
    reason = "no other route has fewer bits"
    if large:
        reason = f"beyond {limits.thorough} states only a counter is looked for besides"
    yield _holonomy(dfa, mode, skeleton, limits.levels), Route("holonomy", skeleton.bits, skeleton.bits, reason)


def by_counting(dfa: DFA, mode: str) -> Cascade | None:
    """The cascade with a bounded counter, however many bits it has; None where there is none."""
    cascade = bounded_counter_cascade(dfa, mode)
    return cascade if cascade is not None and _checked(cascade, dfa) else None


def _holonomy(dfa: DFA, mode: str, skeleton: Skeleton, levels: int) -> Cascade:
    """The cascade of the skeleton, unless it has too many levels."""
    if skeleton.levels > levels:
        raise LimitError(
            f"the holonomy cascade of the automaton of {dfa.states} states has {skeleton.levels} levels, "
            f"more than {levels}: raise the limit to go on",
            "levels",
        )
    return holonomy_cascade(dfa, mode, skeleton)


def cost(cascade: Cascade) -> int:
    """Bits of memory, with ceil(log2 of the number of values) for each counter; a counter must have a span."""
    spans = (register.span for register in cascade.registers if isinstance(register, Counter))
    return cascade.memory_bits + sum(bit_length(high - low + 1) for low, high in filter(None, spans))


def _smaller(dfa: DFA, mode: str, bits: int | None) -> Iterator[tuple[Cascade, str, str]]:
    """Cascades with fewer bits than holonomy, not checked yet; those that most arithmetics can do come first."""
    budget = dfa.states if bits is None else bits
    for quotients, cascade in product_cascades(dfa, mode, budget):
        if quotients == 1:
            yield cascade, "quotient", "the dead state is left out, or one quotient decides all outputs"
        else:
            yield cascade, "product", f"{quotients} quotients side by side decide the outputs"
    window = window_cascade(dfa, mode, budget - 1)
    if window is not None:
        yield window, "window", f"what comes next depends on the last {len(window.levels)} symbols"
    yield from _counter(dfa, mode, budget)


def _counter(dfa: DFA, mode: str, budget: int) -> Iterator[tuple[Cascade, str, str]]:
    """The cascade with a counter, where there is one with fewer bits."""
    counter = bounded_counter_cascade(dfa, mode)
    if counter is not None and cost(counter) < budget:
        yield counter, "counter", "every symbol adds a constant to a bounded counter"


def _checked(cascade: Cascade, dfa: DFA) -> bool:
    try:
        return emulates(cascade, dfa, max(SMALLER_LIMIT, PAIRS_PER_STATE * dfa.states)) is None
    except InputError:
        return False  # too many states to check, so not a route to take
