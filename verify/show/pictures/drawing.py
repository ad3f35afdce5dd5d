"""One way to draw whatever there is a picture of: an automaton, a monoid, a cascade, memory, a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from automata import limits
from automata.catalogue import Language
from automata.dfa import DFA
from automata.errors import InputError, LimitError
from automata.machines.counter_machine import CounterMachine
from constructions.build import Build
from constructions.compile.compiler import Construction
from constructions.ssm.weights import SSM
from verify.show.legend import legend
from verify.show.memory import Memory
from verify.show.pictures.automaton import automaton_figure, draw_automaton
from verify.show.pictures.canvas import check_extension, figure_svg, save_figure
from verify.show.pictures.runs import memory_family_figure, memory_figure, run_figure, trajectory_figure
from verify.show.pictures.structures import cascade_figure, eggbox_figure
from verify.show.pictures.study import study_figure
from verify.show.tracing import Trace
from verify.training.study import Outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DFA_PICTURE, CASCADE, EGGBOX, MEMORY, RUN = PICTURES = ("dfa", "cascade", "eggbox", "memory", "run")


def draw(thing: Any, what: str | None = None, path: str | None = None, *, run: Sequence[str] = ()) -> Figure:
    """A picture, as a figure that a notebook shows, and as a file where a path is given.

    Args:
        thing: a language, automaton or other machine; a construction, or a list of them (their memory side by side);
            the rows of a study; a built model; a run, as :func:`verify.trace` gives it.
        what: "dfa", "cascade", "eggbox" (the transition monoid), "memory" or "run"; by default what the thing is.
        path: ends in .svg, .png or .pdf.
        run: of an automaton: a string whose path is marked; of a model: a string over which every coordinate is a line.

    Raises:
        InputError: for something of which there is no such picture, something too large, or without matplotlib.

    >>> from automata.catalogue import language
    >>> len(draw(language("tomita-1")).axes)
    1
    """
    if what is not None and what not in PICTURES:
        raise InputError(f"there is no picture {what!r}: expected one of {', '.join(PICTURES)}")
    if path is not None:
        check_extension(path)
    figure = _figure(thing, what, run)
    if path is not None:
        save_figure(figure, path)
    return figure


def draw_file(thing: Any, what: str, path: str) -> None:
    """A picture as a file; automata by Graphviz where it is installed."""
    check_extension(path)
    if what == DFA_PICTURE:
        draw_automaton(dfa_of(thing), path)
    else:
        draw(thing, what, path)


def svg_of(thing: Any) -> str | None:
    """What a notebook shows of a language, an automaton or a construction; None where there is no picture of it."""
    try:
        return figure_svg(_figure(thing, None, ()))
    except InputError:
        return None


def _figure(thing: Any, what: str | None, run: Sequence[str]) -> Figure:
    if isinstance(thing, Trace):
        if what not in (None, RUN):
            raise InputError(f"a run has no picture {what!r}")
        return run_figure(thing)
    if what == RUN:
        raise InputError("only a run is drawn as one: trace(model, string) makes it")
    if isinstance(thing, Build):
        if run and isinstance(thing.weights, SSM):
            return trajectory_figure(thing.weights, run)
        if thing.construction is None:
            raise InputError("a loaded model does not say what it was compiled from, so only its runs can be drawn")
        thing = thing.construction
    if isinstance(thing, (list, tuple)) and all(isinstance(part, Construction) for part in thing):
        return memory_family_figure([repr(part.machine) for part in thing], [Memory.of(part) for part in thing])
    if isinstance(thing, (list, tuple)) and all(isinstance(part, Outcome) for part in thing):
        return study_figure(thing)
    if isinstance(thing, Construction) and what in (None, CASCADE):
        return cascade_figure(thing.cascade, list(legend(thing)))
    if what == MEMORY:
        if not isinstance(thing, Construction):
            raise InputError("memory is drawn of a construction: compile the language first")
        return memory_figure(Memory.of(thing))
    if what == CASCADE:
        from constructions.compile.krohn_rhodes import holonomy_cascade

        return cascade_figure(holonomy_cascade(dfa_of(thing)))
    return eggbox_figure(dfa_of(thing)) if what == EGGBOX else automaton_figure(dfa_of(thing), run)


def dfa_of(thing: Any) -> DFA:
    """The automaton of a language, a machine or a construction.

    Raises:
        InputError: for a language that is not regular, and for what is no language.
    """
    if isinstance(thing, Language):
        return thing.dfa()
    machine = thing.machine if isinstance(thing, Construction) else thing
    if isinstance(machine, DFA):
        return machine
    if isinstance(machine, CounterMachine):
        raise InputError(f"{machine.name} is not regular: it has no finite automaton to draw")
    if not hasattr(machine, "step"):
        raise InputError(f"there is no picture of a {type(thing).__name__}")
    most = max(_STATES, limits.limit("drawn"))
    try:
        return DFA.from_machine(machine, most).minimise()
    except LimitError:
        # The option that limits what is minimised is of other commands, and only a picture asks for this automaton.
        found = f"an automaton of more than {most} states is too large to be drawn"
        raise limits.refusal("drawn", f"{found}, expected at most {limits.limit('drawn')}") from None


_STATES = 100_000
"""States of a machine's automaton before it is minimised; a picture has far fewer."""
