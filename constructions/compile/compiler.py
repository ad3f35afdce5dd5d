"""The one road from a language to a cascade: whatever the command, the target or the caller, cascades come from here.

A machine that the paper has a construction for gets that one; any other regular language gets the smallest cascade that
is found, by holonomy where nothing is smaller.  A target says what its registers can do, and the first cascade that it
can have is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import AbstractSet, Iterator, Sequence

from automata import rich
from automata.algebra.holonomy import Skeleton
from automata.dfa import DFA
from automata.errors import InputError, LimitError
from automata.machine import PREDICTIVE, RECOGNISE, Machine
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.copying import CopyMachine
from automata.machines.counter_machine import CounterMachine
from automata.machines.flip_flop import FlipFlopMachine
from automata.machines.recall import RecallMachine
from constructions.cascade import Cascade, Counter, In, Permutation, Reset, Set, Transformation
from constructions.compile.extensive import extensive_cascade
from constructions.compile.set_once import counted
from constructions.compile.smaller import Limits, by_counting, cascades_of, cost
from constructions.compile.table import table_cascade
from constructions.compile.told_once import copy_cascade, recall_cascade
from constructions.compile.window import window_cascade
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.paper.counters import counter_cascade
from constructions.paper.flip_flop import flip_flop
from constructions.target import TARGETS, Target

AUTO, PAPER, HOLONOMY, TIGHT = ROUTES = ("auto", "paper", "holonomy", "tight")

TABLE = "table"
"""The route on which an automaton is one register, for targets that can have that; nobody asks for it."""

EXTENSIVE = "extensive"
"""The route with a bit for each state, set once, for targets that can add and not forget; nobody asks for it."""

WINDOW, _WINDOW_BITS = "window", 256
"""The route that remembers the last symbols, and the most bits that it takes where nothing can be held."""

RESET, READ_BEFORE, ADD, SET_COUNTER, DRIFT, PERMUTE, TRANSFORM = ABILITIES = (
    "reset",
    "read before",
    "add",
    "set counter",
    "drift",
    "permute",
    "transform",
)
"""What a register may do.

``drift``: a counter that no range holds, so that a model of it has infinitely many states.  ``transform``: any
function of its values, so that an automaton is one register.
"""

EXPANDED_STATES = 1000
"""States up to which a machine of the paper's is also taken as an automaton, for targets that its own cascade does not
suit.
"""


class NotExpressible(InputError):
    """A target's registers cannot do what a cascade asks of one of them.

    Attributes:
        register: its name.
        reason: in words.
        group: the group that no weights of the target have, where that is the reason; else empty.
    """

    def __init__(self, register: str, reason: str, group: str = ""):
        super().__init__(f"register {register!r} {reason}")
        self.register, self.reason, self.group = register, reason, group


@dataclass(frozen=True, repr=False)
class Construction:
    """A cascade, and how it was come by.

    Attributes:
        machine: the ground truth that it was compiled from.
        cascade: the registers and rules.
        route: "paper", "tight", "counter", "quotient", "product", "window", "extensive", "table" or "holonomy".
        reason: why this route, in words.
        arithmetic: the paper's arithmetic that holds it by default.
        bits: of memory, ranges of counters included; None where a counter has none.
        skeleton: of image sets, where the route is holonomy.
    """

    machine: Machine
    cascade: Cascade
    route: str
    reason: str
    arithmetic: str
    bits: int | None = None
    skeleton: Skeleton | None = None

    @property
    def mode(self) -> str:
        return self.cascade.mode

    def __repr__(self) -> str:
        registers, levels = len(self.cascade.registers), sum(bool(level.registers) for level in self.cascade.levels)
        bits = "counters without bounds" if self.bits is None else f"{self.bits} bits"
        return f"Construction({self.route}, {self.mode}: {levels} levels, {registers} registers, {bits})"

    def _repr_svg_(self) -> str | None:
        return rich.svg(self)


def needs(cascade: Cascade) -> dict[str, str]:
    """Each ability that the cascade asks of a target, with the first register that asks it."""
    found: dict[str, str] = {}
    for register in cascade.registers:
        if isinstance(register, Transformation):
            found.setdefault(TRANSFORM, register.name)
        elif isinstance(register, Permutation):
            found.setdefault(PERMUTE, register.name)
            if any(isinstance(rule.then, Set) for rule in register.rules):
                found.setdefault(RESET, register.name)
        elif isinstance(register, Counter):
            found.setdefault(ADD, register.name)
            if any(isinstance(rule.then, Set) for rule in register.rules):
                found.setdefault(SET_COUNTER, register.name)
            if register.span is None or cascade.mode == RECOGNISE:
                found.setdefault(DRIFT, register.name)
        elif not set_always(register, cascade.alphabet):
            found.setdefault(RESET, register.name)
        if isinstance(register, Reset) and register.name in cascade.read_before:
            found.setdefault(READ_BEFORE, register.name)
    return found


def set_always(register: Reset, alphabet: Sequence[str]) -> bool:
    """Whether every symbol sets it, whatever else is so: it holds nothing, and says what the last step has read.

    >>> from automata.dfa import DFA
    >>> suffix = DFA("ab", [[1, 0], [1, 2], [1, 0]], accepting=[2])  # (a|b)*ab
    >>> cascade = window_cascade(suffix, RECOGNISE, 2)
    >>> [set_always(register, "ab") for register in cascade.registers]
    [True, True]
    """
    alone = [rule.when[0] for rule in register.rules if len(rule.when) == 1]
    return set(alphabet) <= {symbol for literal in alone if isinstance(literal, In) for symbol in literal.symbols}


def counters_of(cascade: Cascade) -> list[Counter]:
    """The registers that count."""
    return [register for register in cascade.registers if isinstance(register, Counter)]


def counts_too_far(cascade: Cascade, dtype: str, below: int) -> NotExpressible | None:
    """A counter of a range that leaves the numbers below this one, which a format counts exactly; None without one."""
    for counter in counters_of(cascade):
        furthest = 0 if counter.span is None else max(map(abs, counter.span))
        if furthest >= below:
            return NotExpressible(counter.name, f"counts to {furthest}, and {dtype} counts exactly below {below}")
    return None


def compile(  # noqa: A001 - the word of the field
    machine: Machine,
    mode: str = PREDICTIVE,
    route: str = AUTO,
    *,
    target: str | Target = "ssm",
    dtype: str = "float32",
    limits: Limits = Limits(),
) -> Construction:
    """The construction for a machine's language: the first that the target can have, in numbers of this format.

    Args:
        machine: a DFA, or a machine of the catalogue.
        mode: the question that the model will answer.
        route: "auto", "paper" (an error where the paper has none), "holonomy", or for bounded Dyck "tight": as the
            paper's, with no state more than there are classes.
        target: the architecture that the cascade is for, which says what registers can do.
        dtype: the format of the target's numbers, where that is what chooses them.
        limits: what holonomy may cost.

    Raises:
        NotExpressible: naming the register that the target cannot have, and what it would have to do; of the first
            construction, where there are several.
        InputError: for an unknown route, a language without that route, or too many image sets.

    >>> from automata.catalogue import language
    >>> compile(language("tomita-4").machine).route, compile(language("dyck-2-5").machine).route
    ('quotient', 'paper')
    """
    if route not in ROUTES:
        raise InputError(f"the route {route!r} is not one of {', '.join(ROUTES)}")
    able = TARGETS.named(target) if isinstance(target, str) else target
    second, refusal, passed = None, None, ""
    try:
        for found in _candidates(machine, mode, route, limits, able.abilities):
            if RESET not in able.abilities and DRIFT in able.abilities:
                found = replace(found, cascade=counted(found.cascade))
            against = _asked_of(found.cascade, set(ABILITIES) - able.abilities) or able.cannot_hold(
                found.cascade, dtype
            )
            unwanted = _asked_of(found.cascade, able.reluctant)
            if against is None and unwanted is None:
                return replace(found, reason=f"{found.reason}{passed}")
            if against is not None:
                refusal = refusal or against
            else:
                second = second or found
            passed = passed or f"; by the route {found.route} {against or unwanted}"
    except LimitError as stopped:
        if refusal is None or second is not None:
            raise
        raise LimitError(f"{refusal}; by other routes {stopped}", stopped.limit) from None
    if second is not None:
        return second
    if refusal is None:
        raise InputError(f"the paper has no construction for {machine!r}: leave out --route {PAPER}")
    raise refusal


def _asked_of(cascade: Cascade, abilities: AbstractSet[str]) -> NotExpressible | None:
    """What asks for the first of these abilities, and why that is too much; None where nothing does."""
    asked = needs(cascade)
    for ability in ABILITIES:
        if ability in asked and ability in abilities:
            return NotExpressible(asked[ability], _WHY_NOT[ability])
    return None


_WHY_NOT = {
    RESET: "is set and held, which this target cannot do",
    READ_BEFORE: "is read before the step, which this target cannot do",
    ADD: "counts, which this target cannot do",
    SET_COUNTER: "is a counter that is set, which this target cannot do",
    DRIFT: "counts without bounds, and no search over the states of this target would ever close",
    TRANSFORM: "takes any function of its values, which this target cannot do",
    PERMUTE: (
        "permutes its values as no nonnegative gate can: its maps are "
        "order-preserving, so none has a cycle longer than 1"
    ),
}


def _candidates(
    machine: Machine, mode: str, route: str, limits: Limits, abilities: AbstractSet[str]
) -> Iterator[Construction]:
    """Constructions in the order in which they are preferred, each made only when it is asked for."""
    if route == TIGHT:
        yield _tight(machine, mode)
        return
    if TRANSFORM in abilities and route == AUTO and not isinstance(machine, CounterMachine):
        dfa = (machine if isinstance(machine, DFA) else DFA.from_machine(machine)).minimise()
        cascade = table_cascade(dfa, mode)
        yield Construction(machine, cascade, TABLE, "one register holds the state", "exact", cascade.memory_bits)
        if len(abilities) == 1:
            return
    paper = _paper(machine, mode)
    if paper is not None and route != HOLONOMY:
        yield paper
    if route == PAPER or isinstance(machine, CounterMachine):
        return
    if isinstance(machine, DFA):
        dfa = machine
    else:
        try:
            dfa = DFA.from_machine(machine, EXPANDED_STATES)
        except InputError:
            if paper is None or route == HOLONOMY:
                raise
            return
    dfa = dfa.minimise()
    if RESET not in abilities and DRIFT in abilities:
        yield from _without_resets(machine, dfa, mode)
    for cascade, found in cascades_of(dfa, mode, route == HOLONOMY, limits):
        skeleton = Skeleton.of(dfa, limits.image_sets) if found.name == HOLONOMY else None
        yield Construction(machine, cascade, found.name, found.reason, "fixed:1", found.bits, skeleton)


def _without_resets(machine: Machine, dfa: DFA, mode: str) -> Iterator[Construction]:
    """What can be had by adding and delaying alone."""
    if (cascade := window_cascade(dfa, mode, _WINDOW_BITS)) is not None:
        reason = f"what comes next depends on the last {len(cascade.levels)} symbols"
        yield Construction(machine, cascade, WINDOW, reason, "fixed:1", cascade.memory_bits)
    if (cascade := extensive_cascade(dfa, mode)) is not None:
        yield Construction(machine, cascade, EXTENSIVE, "no state is left and reached again", "exact", cost(cascade))
    if (cascade := by_counting(dfa, mode)) is not None:
        reason = "every symbol adds a constant to a bounded counter"
        yield Construction(machine, cascade, "counter", reason, "exact", cost(cascade))


def _tight(machine: Machine, mode: str) -> Construction:
    if not isinstance(machine, DyckMachine):
        raise InputError(f"the route {TIGHT} is for bounded Dyck languages, not for {machine!r}")
    cascade = bounded_dyck(machine.k, machine.depth, mode, tight=True)
    reason = "the construction of the paper, with slots that are cleared when their brackets close"
    return Construction(machine, cascade, TIGHT, reason, "exact", cost(cascade))


def _paper(machine: Machine, mode: str) -> Construction | None:
    """The paper's own construction, where it has one for this machine."""
    if isinstance(machine, FlipFlopMachine):
        # The recogniser reads the symbol before, which takes a fractional bit; the predictor does not.
        cascade, arithmetic = flip_flop(mode), "fixed:1" if mode == RECOGNISE else "exact"
    elif isinstance(machine, DyckMachine):
        cascade, arithmetic = bounded_dyck(machine.k, machine.depth, mode), "exact"
    elif isinstance(machine, CounterMachine):
        # How many types there may be was asked when the machine was made, which has two symbols for each.
        cascade, arithmetic = counter_cascade(machine.name, mode, most=len(machine.alphabet)), "exact"
    elif isinstance(machine, RecallMachine) and mode == PREDICTIVE:
        cascade, arithmetic = recall_cascade(machine), "exact"
    elif isinstance(machine, CopyMachine) and mode == PREDICTIVE:
        cascade, arithmetic = copy_cascade(machine), "exact"
    else:
        return None
    bits = None if any(counter.span is None for counter in counters_of(cascade)) else cost(cascade)
    own = isinstance(machine, (RecallMachine, CopyMachine))
    reason = "a register for each thing that is told" if own else "the construction of the paper"
    return Construction(machine, cascade, PAPER, reason, arithmetic, bits)
