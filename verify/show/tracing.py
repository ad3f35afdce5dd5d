"""A run of the weights, step by step: the symbol, the gates, every register by name and word, and what is given out.

A run is read once, by the reference step; the table, its HTML twin and the picture (:mod:`verify.show.pictures.runs`)
all show the same :class:`Trace`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any, Iterator, Sequence

from automata.dfa import DFA
from automata.machine import ACCEPT, BOS, EOS, PREDICTIVE, Machine
from constructions.cascade import Cascade, Permutation, Reset
from constructions.compile.compiler import Construction
from constructions.ssm import reference
from constructions.ssm.arithmetic import PreviousDigit, previous_digit
from constructions.ssm.weights import SSM
from verify.show.legend import legend


@dataclass(frozen=True)
class Cell:
    """A register at one step.

    Attributes:
        gate, value: as they are shown.
        number: what the value is coloured by: the number that its bits make, or the coordinate itself.
        gates: of each of its coordinates.
    """

    gate: str
    value: str
    number: float
    gates: tuple[float, ...]

    @property
    def holds(self) -> bool:
        return all(gate == 1 for gate in self.gates)


@dataclass(frozen=True, repr=False)
class Trace:
    """A run as a table, one row for each symbol, BOS first.

    Attributes:
        head: the columns' names.
        rows: as many cells each.
        symbols: BOS and the word.
        registers: names, from the first layer to the last.
        cells: for each step, each register.
        outputs: for each step, what is given out.
        order: all outputs that there are, in order.
        left: the step at which the string left the language, where it did and the language is known.
        legend: what the values of registers mean, a line each, where their words do not say it.
        dfa: the automaton of the language, where it is known.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    symbols: tuple[str, ...]
    registers: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    outputs: tuple[frozenset[str], ...]
    order: tuple[str, ...]
    left: int | None = None
    legend: tuple[str, ...] = ()
    dfa: DFA | None = field(default=None, compare=False)

    @classmethod
    def of(cls, ssm: SSM, word: Sequence[str], construction: Construction | None = None) -> "Trace":
        """A run of the weights by the reference step.

        Args:
            construction: what they were lowered from, which gives values their words, and says when a string leaves the
                language.  Without it a predictor's own answers say that.
        """
        symbols = (BOS, *word)
        read = Registers(ssm, None if construction is None else construction.cascade)
        cells, outputs = [], []
        state = reference.start(ssm)
        for symbol in symbols:
            state, gates = reference.step_with_gates(ssm, state, symbol)
            cells.append(read.cells(gates, state.h))
            outputs.append(state.outputs)
        left = _left_by_answers(ssm, word, outputs) if construction is None else _left(construction.machine, word)
        rows = []
        for step, (symbol, found, given) in enumerate(zip(symbols, cells, outputs)):
            changed = [f"{name}={cell.gate}" for name, cell in zip(read.names, found) if not cell.holds]
            values = [f"{name}={cell.value}" for name, cell in zip(read.names, found)]
            answer = _answer(ssm, given, step, left)
            rows.append((str(step), symbol, " ".join(changed) or "-", " ".join(values) or "-", answer))
        head = ("step", "symbol", "gates not 1", "state", "legal next" if ssm.mode == PREDICTIVE else "answer")
        machine = None if construction is None else construction.machine
        return cls(
            head,
            tuple(rows),
            symbols,
            read.names,
            tuple(cells),
            tuple(outputs),
            ssm.outputs,
            left,
            () if construction is None else tuple(legend(construction)),
            machine if isinstance(machine, DFA) else None,
        )

    def lines(self) -> Iterator[str]:
        """The table as text, then the legend."""
        table = (self.head, *self.rows)
        widths = [max(len(row[i]) for row in table) for i in range(len(self.head) - 1)]
        for row in table:
            yield "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[-1]])
        if self.legend:
            yield ""
            yield from self.legend

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        """For notebooks: the automaton with the path of the run, where there is one to draw, and the table."""
        rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows)
        table = f"<table><tr>{''.join(f'<th>{name}</th>' for name in self.head)}</tr>{rows}</table>"
        said = "".join(f"<br>{escape(line)}" for line in self.legend)
        return (self._path() or "") + table + (f"<p>{said.removeprefix('<br>')}</p>" if said else "")

    def _path(self) -> str | None:
        if self.dfa is None:
            return None
        from verify.show.pictures.automaton import automaton_svg

        return automaton_svg(self.dfa, self.symbols[1:])


def trace(ssm: SSM, word: Sequence[str], construction: Construction | None = None) -> Iterator[str]:
    """Lines of a table, one for each symbol, BOS first.

    >>> from automata.machines.flip_flop import FlipFlopMachine
    >>> from constructions.build import build
    >>> from constructions.compile.compiler import compile
    >>> built = build(compile(FlipFlopMachine()))
    >>> for line in trace(built.weights, "w1w0r", built.construction):
    ...     print(line)
    step  symbol  gates not 1    state                legal next
    0     <bos>   -              instruction=w bit=0  w end
    1     w       instruction=0  instruction=w bit=0  0 1
    2     1       bit=0          instruction=w bit=1  i r w end
    3     w       instruction=0  instruction=w bit=1  0 1
    4     0       bit=0          instruction=w bit=0  i r w end
    5     r       instruction=0  instruction=r bit=0  0
    """
    return Trace.of(ssm, word, construction).lines()


class Registers:
    """Which coordinates make each register, and what their numbers say.

    Attributes:
        places: by the name of a register: layer and coordinate of each of its bits, the lowest first.
        digits: how a register is read that keeps its digit from before the step beside the new one.
    """

    def __init__(self, ssm: SSM, cascade: Cascade | None):
        self.places: dict[str, list[tuple[int, int]]] = {}
        for number, layer in enumerate(ssm.layers):
            for i, name in enumerate(layer.names or [f"h{i + 1}" for i in range(layer.width)]):
                self.places.setdefault(name.rpartition(" bit ")[0] or name, []).append((number, i))
        self.names = tuple(self.places)
        self.items: dict[str, Any] = {} if cascade is None else cascade.names
        # A register that is read before the step keeps its old digit in the fraction of the new one.
        kept = () if cascade is None else [r for r in cascade.registers if r.name in cascade.read_before]
        self.digits = {r.name: previous_digit(ssm.arithmetic) for r in kept if isinstance(r, Reset)}

    def coded(self, name: str) -> bool:
        """Whether the numbers of a register, where all are 0 or 1, are the bits of its value."""
        return len(self.places[name]) > 1 or isinstance(self.items.get(name), (Reset, Permutation))

    def words(self, name: str) -> tuple[str, ...]:
        """What the values of a register are called; none where they are numbers."""
        return getattr(self.items.get(name), "words", ())

    def cells(self, gates: Sequence, states: Sequence) -> tuple[Cell, ...]:
        """The registers after a step."""
        return tuple(
            self._cell(name, [gates[n][i] for n, i in places], [states[n][i] for n, i in places])
            for name, places in self.places.items()
        )

    def _cell(self, name: str, gates: list, values: list) -> Cell:
        if name in self.digits:
            values = [_digit(value, self.digits[name]) for value in values]
        shown = ",".join(format(float(value), "g") for value in values)
        number = float(values[0])
        if self.coded(name) and all(value in (0, 1) for value in values):
            code = sum(int(value) << i for i, value in enumerate(values))
            words = self.words(name)
            shown, number = words[code] if code < len(words) else str(code), float(code)
        gate = [format(float(value), "g") for value in gates]
        return Cell(
            gate[0] if len(set(gate)) == 1 else ",".join(gate), shown, number, tuple(float(value) for value in gates)
        )


def _digit(value: Any, digits: PreviousDigit) -> Any:
    """The digit after the step, of h = ballast + digit + previous * epsilon; another number stays as it is.

    >>> [_digit(h, PreviousDigit(1, 0)) for h in (0, 0.5, 1, 1.5, 2)]
    [0, 0, 1, 1, 2]
    """
    rest = (value - digits.ballast) * 2**digits.epsilon_bits
    one = 2**digits.epsilon_bits
    return {0: 0, 1: 0, one: 1, one + 1: 1}.get(rest, value)


def _left(machine: Machine, word: Sequence[str]) -> int | None:
    """The first step after which no string is a word; None where there is none, or the machine cannot say."""
    if not hasattr(machine, "legal"):
        return None
    state = machine.initial
    for step, symbol in enumerate((BOS, *word)):
        state = state if step == 0 else machine.step(state, symbol)
        if not machine.legal(state):
            return step
    return None


def _left_by_answers(ssm: SSM, word: Sequence[str], outputs: Sequence[frozenset[str]]) -> int | None:
    """The first step whose symbol a predictor did not call legal."""
    if ssm.mode != PREDICTIVE:
        return None
    return next((step for step, symbol in enumerate(word, start=1) if symbol not in outputs[step - 1]), None)


def _answer(ssm: SSM, outputs: frozenset[str], step: int, left: int | None) -> str:
    """What is given out, or that the string is no prefix of a word any more: a predictor is not asked then."""
    gone = left is not None and step >= left
    said = f"left the language at step {left}" + ": no continuation is legal" * (step == left)
    if ssm.mode != PREDICTIVE:
        return ("accept" if ACCEPT in outputs else "reject") + (f" ({said})" if gone else "")
    if gone:
        return said if left else "the language has no word"
    return " ".join([*sorted(outputs - {EOS}), *["end"] * (EOS in outputs)]) or "nothing"
