"""What the page's engine runs: the weights of a model as plain data, and the language's definition to stand beside.

Every number is an integer as it stands in the arrays, over the power of two that the array has; one beyond 2^53 is a
text of digits, since JavaScript would round it.  The engine (``page/engine.js``) sees the weights, never the cascade
that they came from; the definition is stepped by code of its own, for comparison alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Sequence

import numpy as np

from automata.catalogue import COUNTER, Language
from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import BOS, EOS, PREDICTIVE, Machine
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.counter_machine import CounterMachine
from constructions.build import Build, build
from constructions.compile.compiler import Construction, NotExpressible, compile
from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL
from constructions.recurrent.cells import CellWeights
from constructions.ssm.layers import Affine
from constructions.ssm.weights import SSM
from verify.evidence.dataset import OTHER_TARGET
from verify.show.legend import legend
from verify.show.tracing import Registers

_SAFE = 2**53

LARGEST_TABLE = 2_000
"""States of an automaton whose table stands in the page; beyond, the machine itself is stepped."""


@dataclass(frozen=True)
class Exported:
    """A language with the model that its stepper runs.

    Attributes:
        language: which.
        built: the weights: of the paper's SSM, or of OTHER_TARGET where it cannot have the language.
    """

    language: Language
    built: Build

    @property
    def name(self) -> str:
        return self.language.name

    @property
    def slug(self) -> str:
        return slug(self.name)

    @property
    def construction(self) -> Construction:
        assert self.built.construction is not None, "it was compiled"
        return self.built.construction

    def data(self) -> dict[str, Any]:
        """Everything that the page needs to step it."""
        weights = self.built.weights
        model = ssm_data(weights, self.construction) if isinstance(weights, SSM) else _cell(weights)
        return {
            "name": self.name,
            "title": self.language.title,
            "bos": BOS,
            "eos": EOS,
            "alphabet": list(weights.alphabet),
            "outputs": list(weights.outputs),
            **model,
            "legend": list(legend(self.construction)),
            "definition": _definition(self.language),
        }


def export_model(known: Language) -> Exported:
    """Compiles the model that a language's stepper runs, for the legal next symbols.

    >>> from automata.catalogue import language
    >>> [export_model(language(name)).built.target.name for name in ("parity", "d-3")]
    ['relu-rnn', 'ssm']
    """
    try:
        return Exported(known, build(compile(known.machine, PREDICTIVE)))
    except NotExpressible:
        return Exported(known, build(compile(known.dfa(), PREDICTIVE, target=OTHER_TARGET), OTHER_TARGET))


def slug(name: str) -> str:
    """A language's name as part of a file's name.

    >>> slug("d-12"), slug("{0,1,2}*02*")
    ('d-12', '0-1-2-02')
    """
    return re.sub("[^a-z0-9]+", "-", name.casefold()).strip("-")


# -- weights ------------------------------------------------------------------------------------------


def ssm_data(ssm: SSM, construction: Construction | None) -> dict[str, Any]:
    """The weights of a model of the paper's; without its construction the values of registers have no words.

    Raises:
        InputError: for weights in floats.
    """
    if ssm.arithmetic.is_float:
        raise InputError(f"the page runs integers, and these weights are for {ssm.arithmetic}")
    read = Registers(ssm, None if construction is None else construction.cascade)
    return {
        "kind": "ssm",
        "arithmetic": {
            "name": f"{ssm.arithmetic} arithmetic",
            "kind": ssm.arithmetic.kind,
            "bits": ssm.arithmetic.bits,
        },
        "embedding": {"exponent": ssm.embedding_exponent, "rows": [_integers(row) for row in ssm.embedding]},
        "layers": [
            {
                "gate": affine_data(layer.gate),
                "increment": affine_data(layer.increment),
                "initial": {"exponent": layer.initial_exponent, "values": _integers(layer.initial)},
                "phi": [
                    {
                        "affine": affine_data(mix.affine),
                        "activation": mix.activation,
                        "low": _integer(mix.low),
                        "high": _integer(mix.high),
                    }
                    for mix in layer.phi
                ],
            }
            for layer in ssm.layers
        ],
        "readout": affine_data(ssm.readout),
        "registers": [
            {
                "name": name,
                "places": [list(place) for place in places],
                "coded": read.coded(name),
                "words": list(read.words(name)),
                "digits": None
                if name not in read.digits
                else {"epsilon": read.digits[name].epsilon_bits, "ballast": read.digits[name].ballast},
            }
            for name, places in read.places.items()
        ],
    }


def _cell(weights: CellWeights) -> dict[str, Any]:
    """A layer of torch.nn.RNN with relu, its tensors by the names of torch."""
    of = {name.removeprefix("layer.").removesuffix("_l0"): tensor for name, tensor in weights.tensors.items()}
    tokens = [*range(FIRST_SYMBOL, FIRST_SYMBOL + len(weights.alphabet)), BOS_TOKEN]
    given = [*range(FIRST_SYMBOL, FIRST_SYMBOL + len(weights.alphabet)), EOS_TOKEN]
    return {
        "kind": "relu-rnn",
        "arithmetic": {"name": f"{weights.dtype}, all whole numbers", "kind": "exact", "bits": 0},
        "embedding": {"exponent": 0, "rows": [_integers(row) for row in of["embedding.weight"][tokens]]},
        "input": affine_data(Affine(of["weight_ih"], of["bias_ih"])),
        "recurrent": affine_data(Affine(of["weight_hh"], of["bias_hh"])),
        "readout": affine_data(Affine(of["head.weight"][given], of["head.bias"][given])),
        "units": list(weights.units),
    }


def affine_data(affine: Affine) -> dict[str, Any]:
    """An affine map by the arrays of its sparse rows."""
    matrix = affine.matrix
    return {
        "exponent": affine.exponent,
        "starts": matrix.indptr.tolist(),
        "columns": matrix.indices.tolist(),
        "values": _integers(matrix.data),
        "bias": _integers(affine.bias),
    }


def _integers(values: Sequence[Any] | np.ndarray) -> list[int | str]:
    return [_integer(int(value)) for value in values]


def _integer(value: int) -> int | str:
    return value if abs(value) < _SAFE else str(value)


# -- the language's own machine -----------------------------------------------------------------------


def _definition(known: Language) -> dict[str, Any]:
    machine: Machine = known.machine
    if isinstance(machine, CounterMachine):
        return _counters(machine)
    if isinstance(machine, DyckMachine) and machine.classes() > LARGEST_TABLE:
        return {"kind": "stack", "openers": machine.openers, "closers": machine.closers, "depth": machine.depth}
    assert known.kind != COUNTER, "it has an automaton"
    return _table(known.dfa())


def _table(dfa: DFA) -> dict[str, Any]:
    return {
        "kind": "automaton",
        "initial": dfa.initial,
        "table": dfa.table.tolist(),
        "accepting": sorted(dfa.accepting),
        "live": [bool(live) for live in dfa.live],
    }


def _counters(machine: CounterMachine) -> dict[str, Any]:
    control, values = machine.initial
    return {
        "kind": "counters",
        "counters": list(machine.counters),
        "controls": list(machine.controls),
        "initial": [control, list(values)],
        "moves": [[m.control, m.symbol, m.tests, m.target, list(m.add)] for m in machine.moves],
        "accepting": [list(condition) for condition in machine.accepting],
    }
