"""Which relation a Coq proof should try: guessed from runs of the model, and trusted by nobody.

A *template* is a model state with parameters: a coordinate is a number, a counter of the machine and a number, or
anything in a range.  Coq checks that every step leads from the template of one control into the template of the next; a
wrong guess makes that check fail, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator

import numpy as np

from automata.errors import InputError
from automata.machine import RECOGNISE, Machine
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.counter_machine import CounterMachine
from constructions.ssm.engine import Engine
from constructions.ssm.weights import SSM

Range = tuple[int | None, int | None]
"""Least and greatest value; None where there is none."""

_WALKS, _LENGTH = 300, 24
"""So many random words of so many symbols."""

_DEATHS, _ROUNDS = 100, 12
"""So many dead words are each continued with each symbol for so many rounds, and then twice as many: what still grows
in these is taken to grow for ever."""


@dataclass(frozen=True)
class Form:
    """constant + parameter; no parameter where it is None."""

    constant: int
    parameter: int | None = None


@dataclass(frozen=True)
class Template:
    """A set of model states, all numbers in units of the arithmetic.

    Attributes:
        ranges: of each parameter; the machine's counters come first.
        forms: one for each coordinate, layer by layer.
        sources: for each parameter that is no counter, the (layer, coordinate) that shows it.
    """

    ranges: tuple[Range, ...]
    forms: tuple[tuple[Form, ...], ...]
    sources: tuple[tuple[int, int], ...] = ()

    @property
    def unbounded(self) -> bool:
        """Whether it stands for infinitely many states."""
        return any(None in ends for ends in self.ranges)


def live_templates(model: SSM, machine: CounterMachine, seed: int = 0) -> dict[str, Template]:
    """For each control of a counter machine that live words reach, what the model's state is then.

    Raises:
        InputError: naming the coordinate that is neither a number nor a counter and a number; for numbers that the
            engine cannot run.
    """
    counters: dict[str, list[tuple[int, ...]]] = {}
    states: dict[str, list[np.ndarray]] = {}
    for live, rows, _ in _walks(model, machine, np.random.default_rng(seed), stray=0):
        for (control, values), row in zip(live, rows):
            counters.setdefault(control, []).append(values)
            states.setdefault(control, []).append(row)
    return {
        control: _live_template(model, control, np.array(values), np.array(states[control]))
        for control, values in counters.items()
    }


def _live_template(model: SSM, control: str, counters: np.ndarray, states: np.ndarray) -> Template:
    least, greatest = counters.min(axis=0).tolist(), counters.max(axis=0).tolist()
    ranges = tuple((low, low if low == high else None) for low, high in zip(least, greatest))
    forms = []
    for i, column in enumerate(states.T):
        if (column == column[0]).all():
            forms.append(Form(int(column[0])))
            continue
        rests = column[:, None] - counters
        same = np.flatnonzero((rests == rests[0]).all(axis=0))
        if not len(same):
            raise InputError(
                f"{model.state_names[i]} is neither a number nor a counter and a number in the control {control}: "
                "there is no Coq proof for that"
            )
        forms.append(Form(int(rests[0, same[0]]), int(same[0])))
    return Template(ranges, _by_layer(model, forms))


def dead_template(model: SSM, machine: Machine, seed: int = 0) -> Template | None:
    """What a recogniser's state is after words that no word of the language begins with; None where no such word was
    met.

    Raises:
        InputError: for numbers that the engine cannot run.
    """
    random = np.random.default_rng(seed)
    deaths = np.unique(np.concatenate([dead for *_, dead in _walks(model, machine, random, stray=0.2)]), axis=0)
    if not len(deaths):
        return None
    deaths = random.permutation(deaths)[:_DEATHS]
    symbols = len(machine.alphabet)
    engine, state = Engine(model), np.repeat(deaths, symbols, axis=0)
    repeated = np.tile(np.arange(symbols), len(deaths))
    early, late = [state], list[np.ndarray]()
    for k in range(3 * _ROUNDS):
        # Every third symbol is a random one, so that what is set and cleared is seen both ways.
        word = repeated if k % 3 else random.integers(symbols, size=len(repeated))
        state, _ = engine.advance(state, word[:, None])
        (early if k < _ROUNDS else late).append(state)
    first, then = np.concatenate(early), np.concatenate(late)
    ranges: list[Range] = []
    forms, places = [], []
    for i, (before, after) in enumerate(zip(first.T, then.T)):
        low, high = int(min(before.min(), after.min())), int(max(before.max(), after.max()))
        if low == high:
            forms.append(Form(low))
            continue
        forms.append(Form(0, len(ranges)))
        places.append(i)
        ranges.append((low if low == before.min() else None, high if high == before.max() else None))
    layers = [(layer, i) for layer, part in enumerate(model.layers) for i in range(part.width)]
    return Template(tuple(ranges), _by_layer(model, forms), tuple(layers[i] for i in places))


def stack_templates(model: SSM, machine: DyckMachine) -> tuple[list[Template], Template | None] | None:
    """The state of a model of bounded Dyck at each depth, and, of a recogniser, once the word is dead.

    Its layers hold the depth, the slots, and in a recogniser how often the word was violated.  The parameters are the
    bits of the open types, outermost first, and what the other slots happen to hold.  None where the layers have other
    widths.
    """
    bits = (machine.k - 1).bit_length()
    cells = bits * machine.depth
    dies = model.mode == RECOGNISE
    if not cells or [layer.width for layer in model.layers] != [1, cells, *[1] * dies]:
        return None
    unhurt = [(Form(int(Engine(model).begin(1)[0][0, -1])),)] * dies
    live = []
    for depth in range(machine.depth + 1):
        known, stale = range(bits * depth), range(bits * depth, cells)
        slots = [Form(0, c) for c in known] + [Form(0, cells + i) for i in range(len(stale))]
        ranges: list[Range] = [*[(0, 1)] * len(known), *[(0, 0)] * len(stale), *[(0, 1)] * len(stale)]
        live.append(Template(tuple(ranges), ((Form(depth),), tuple(slots), *unhurt), tuple((1, c) for c in stale)))
    if not dies:
        return live, None
    anything = tuple(Form(0, i) for i in range(cells + 2))
    places = ((0, 0), *((1, c) for c in range(cells)), (2, 0))
    violated: Range = (unhurt[0][0].constant + 1, None)
    drifting: tuple[Range, ...] = ((None, None), *[(0, 1)] * cells, violated)
    return live, Template(drifting, (anything[:1], anything[1:-1], anything[-1:]), places)


def _walks(
    model: SSM, machine: Machine, random: np.random.Generator, stray: float
) -> Iterator[tuple[list, np.ndarray, np.ndarray]]:
    """Random words, all at once: after each symbol the live states of the machine, the model's states, and those just
    dead.

    The symbols are legal ones, apart from this share; states of a model are rows of an array.
    """
    engine, live = Engine(model), [machine.initial] * _WALKS
    states, _ = engine.begin(_WALKS)
    index = {symbol: i for i, symbol in enumerate(machine.alphabet)}
    yield live, states, states[:0]
    for _ in range(_LENGTH):
        words, kept = [], []
        for row, state in enumerate(live):
            legal = [symbol for symbol in machine.alphabet if symbol in machine.legal(state)]
            if stray and random.random() < stray:
                legal = list(machine.alphabet)
            if legal:
                words.append(legal[random.integers(len(legal))])
                kept.append(row)
        if not kept:
            return
        states, _ = engine.advance(states[kept], np.array([[index[symbol]] for symbol in words]))
        after = [machine.step(live[row], symbol) for row, symbol in zip(kept, words)]
        alive = np.array([bool(machine.legal(state)) for state in after])
        live = [state for state, going in zip(after, alive) if going]
        yield live, states[alive], states[~alive]
        states = states[alive]


def _by_layer(model: SSM, forms: list[Form]) -> tuple[tuple[Form, ...], ...]:
    ends = np.cumsum([layer.width for layer in model.layers]).tolist()
    return tuple(tuple(forms[end - layer.width : end]) for layer, end in zip(model.layers, ends))
