"""The pictures of the page: drawn of the very objects that are stepped, as SVG beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Iterator

from automata.dfa import DFA
from automata.errors import InputError
from automata.machines.counter_machine import CounterMachine
from constructions.ssm.weights import SSM
from verify.report.exported import LARGEST_TABLE, Exported
from verify.show.legend import legend
from verify.show.pictures.automaton import automaton_figure, drawn_states
from verify.show.pictures.canvas import figure_svg
from verify.show.pictures.structures import cascade_figure, eggbox_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """A file of the page.

    Attributes:
        file: its name.
        svg: what it holds.
        says: in words, for who does not see it.
        caption: the line below.
    """

    file: str
    svg: str
    says: str
    caption: str


def pictures(model: Exported) -> Iterator[Picture]:
    """The automaton of a language, and the cascade of its weights; where none can have it, the monoid that forbids it.

    What is too large to be drawn has no picture.

    Raises:
        InputError: without matplotlib.
    """
    dfa = _automaton(model)
    if dfa is not None:
        left_out = dfa.states - len(drawn_states(dfa))
        unseen = f", {left_out} of them, from which no word is reached, not drawn" if left_out else ""
        says = f"Graph of the minimal automaton of {model.name}: {_described(dfa)}"
        yield from _drawn(
            f"automaton-{model.slug}.svg",
            lambda: automaton_figure(dfa),
            says,
            f"The minimal automaton, {dfa.states} states{unseen}; a word ends in a double circle.",
        )
    if isinstance(model.built.weights, SSM):
        cascade = model.construction.cascade
        kinds = ", ".join(register.name for register in cascade.registers) or "none"
        yield from _drawn(
            f"cascade-{model.slug}.svg",
            lambda: cascade_figure(cascade, list(legend(model.construction))),
            f"Diagram of the cascade of {model.name}, level by level; its registers: {kinds}.",
            "The cascade that became the weights: an arrow leads from what is read to its reader.",
        )
    elif dfa is not None:
        yield from _drawn(
            f"monoid-{model.slug}.svg",
            lambda: eggbox_figure(dfa),
            f"The D-classes of the transition monoid of {model.name} as grids; a cell with more than one element in a "
            "starred class is a group.",
            "The transition monoid: “+n” in a starred cell is a group, which no monotone map has.",
        )


def _automaton(model: Exported) -> DFA | None:
    machine = model.language.machine
    if isinstance(machine, CounterMachine) or getattr(machine, "classes", lambda: 0)() > LARGEST_TABLE:
        return None
    return model.language.dfa()


def _drawn(file: str, figure: Callable[[], Figure], says: str, caption: str) -> Iterator[Picture]:
    from verify.show.pictures.canvas import require_matplotlib

    require_matplotlib()
    try:
        yield Picture(file, figure_svg(figure()), says, caption)
    except InputError:
        return  # it is too large


def _described(dfa: DFA) -> str:
    """The edges between live states, in words."""
    edges = [
        f"q{state} to q{int(target)} on {symbol}"
        for state in range(dfa.states)
        for symbol, target in zip(dfa.alphabet, dfa.table[state])
        if dfa.live[state] and dfa.live[target]
    ]
    accepting = ", ".join(f"q{state}" for state in sorted(dfa.accepting)) or "no state"
    shown = "; ".join(edges[:40]) + (f"; and {len(edges) - 40} more" if len(edges) > 40 else "")
    return f"it starts in q{dfa.initial}, words end in {accepting}; {shown}."
