"""An architecture that this project never saw is added: its model, one class over the common part, and one line."""

import dataclasses
import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from conftest import REPOSITORY

from automata.catalogue import language
from constructions.build import build
from constructions.compile.compiler import NotExpressible, compile
from constructions.program.operations import Hold, Neuron
from constructions.program.planner import Offer
from constructions.program.selecting import neurons, read_registers
from constructions.stock.architecture import Architecture
from constructions.stock.arrays import embedding, head, row, under
from constructions.stock.sizes import most, round_up, sizes
from constructions.stock.target import StockTarget
from constructions.target import TARGETS
from verify.__main__ import main
from verify.claim import Claim
from verify.proving import prove_claim

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
from torch import nn  # noqa: E402 - torch first

STOCK = [name for name in TARGETS if isinstance(TARGETS.named(name), StockTarget)]
MOST_LINES = 150


# -- the model, as its authors would have written it ------------------------------------------------------


class LatchConfig(transformers.PretrainedConfig):
    model_type = "latch"

    def __init__(self, hidden_size=8, cells=4, units=4, num_hidden_layers=1, vocab_size=8, **more):
        self.hidden_size, self.cells, self.units = hidden_size, cells, units
        self.num_hidden_layers, self.vocab_size = num_hidden_layers, vocab_size
        super().__init__(**more)


@dataclass
class LatchOutput(transformers.utils.ModelOutput):
    logits: Any = None
    latches: Any = None


class LatchLayer(nn.Module):
    """h = g h + (1 - g) v with a hard sigmoid g of the stream, read before and after; then an MLP."""

    def __init__(self, config):
        super().__init__()
        width = config.hidden_size
        self.gate, self.value = nn.Linear(width, config.cells), nn.Linear(width, config.cells, bias=False)
        self.out = nn.Linear(2 * config.cells, width, bias=False)
        self.up, self.down = nn.Linear(width, config.units, bias=False), nn.Linear(config.units, width, bias=False)

    def forward(self, x, state):
        gate, before = self.gate(x).clamp(0, 1), state.clone()
        state.copy_(gate * before + (1 - gate) * self.value(x))
        x = x + self.out(torch.cat([state, before], dim=-1))
        return x + self.down(torch.relu(self.up(x)))


class LatchForCausalLM(transformers.PreTrainedModel):
    config_class = LatchConfig

    def __init__(self, config):
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList([LatchLayer(config) for _ in range(config.num_hidden_layers)])
        self.head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def forward(self, input_ids, latches=None, use_cache=False):
        if latches is None:
            rows = (len(input_ids), self.config.cells)
            latches = [torch.zeros(rows, dtype=self.dtype) for _ in self.layers]
        logits = []
        for t in range(input_ids.shape[1]):
            x = self.embedding(input_ids[:, t])
            for layer, state in zip(self.layers, latches):
                x = layer(x, state)
            logits.append(self.head(x))
        return LatchOutput(torch.stack(logits, dim=1), latches if use_cache else None)


# -- the target ------------------------------------------------------------------------------------------------


class Latch(Architecture):
    name, title = "latch", "a gated latch that a test made up"
    gate = "clamp(.), from 0 to 1"
    offer = Offer((frozenset((Hold,)), frozenset((Neuron,))), late=True)
    cache_argument = "latches"
    attends = False

    def weights(self, program, dtype):
        layers, width = -(-len(program.halves) // 2), round_up(len(program.coordinates), 8)
        cells = most(sum(len(found.cells) for found in read_registers(half)) for half in program.halves)
        units = most(len(neurons(half)) for half in program.halves)
        config = {**sizes(program, width), "cells": cells, "units": units, "num_hidden_layers": layers}
        tensors = {"embedding.weight": embedding(program, width), "head.weight": head(program, width)}
        for number in range(layers):
            layer = self.layer(program.half(2 * number), neurons(program.half(2 * number + 1)), width, cells, units)
            tensors |= under(f"layers.{number}.", layer)
        return config, tensors

    @staticmethod
    def layer(half, mlp, width, cells, units):
        gate, value, out = np.zeros((cells, width)), np.zeros((cells, width)), np.zeros((width, 2 * cells))
        up, down = np.zeros((units, width)), np.zeros((width, units))
        held = [(found, cell) for found in read_registers(half) for cell in found.cells]
        for number, (found, (form, coordinate)) in enumerate(held):
            gate[number], value[number] = row(found.gate, width, -1), row(form, width)
            out[coordinate, number + cells * found.late] = 1
        for number, neuron in enumerate(mlp):
            up[number] = row(neuron.reads, width)
            for coordinate, multiple in neuron.writes.items():
                down[coordinate, number] = multiple
        arrays = {"gate": gate, "value": value, "out": out, "up": up, "down": down}
        return {"gate.bias": np.ones(cells), **{f"{name}.weight": array for name, array in arrays.items()}}

    def states(self, model, cache):
        return [[state] for state in cache]


@pytest.fixture
def latch():
    """Registered for one test, here and in the library."""
    transformers.AutoConfig.register("latch", LatchConfig, exist_ok=True)
    transformers.AutoModelForCausalLM.register(LatchConfig, LatchForCausalLM, exist_ok=True)
    try:
        yield TARGETS.register(StockTarget(Latch()))
    finally:
        del TARGETS["latch"]


STAR_FREE = ("flipflop", "tomita-7", "d-4")


@pytest.mark.parametrize("dtype", Latch.dtypes)
@pytest.mark.parametrize("name", STAR_FREE)
def test_it_is_compiled_proved_and_refuted(latch, name, dtype):
    known = language(name)
    for mode in ("predictive", "recognise"):
        construction = compile(known.machine, mode, target=latch)
        built = build(construction, latch, dtype=dtype)
        with built.running() as model:
            claim = Claim(known.machine, mode, model, built.weights, construction, 20_000)
            assert prove_claim(claim).outcome == "proved"
        wrong = {**built.weights.tensors, "head.weight": -built.weights.tensors["head.weight"]}
        built = dataclasses.replace(built, weights=dataclasses.replace(built.weights, tensors=wrong))
        with built.running() as model:
            claim = Claim(known.machine, mode, model, built.weights, construction, 20_000)
            assert prove_claim(claim).outcome == "refuted"


def test_what_it_cannot_have_is_refused_by_the_register(latch):
    with pytest.raises(NotExpressible, match="permutes its values as no nonnegative gate can"):
        compile(language("parity").machine, target=latch)
    with pytest.raises(NotExpressible, match="count"):
        compile(language("anbn").machine, target=latch)


def test_every_command_knows_it(latch, tmp_path, capsys):
    folder = tmp_path / "model"
    assert main(["prove", "flipflop", "--target", "latch", "--quiet"]) == 0
    assert main(["export", "flipflop", "--target", "latch", "--to", str(folder), "--strings", "3", "--quiet"]) == 0
    model, report = transformers.AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert type(model) is LatchForCausalLM and not report["missing_keys"] and not report["unexpected_keys"]
    assert main(["check", str(folder), "--strings", "3", "--bins", "20"]) == 0
    assert main(["gates", str(folder), "--needs", "star-free", "--quiet"]) == 0
    assert main(["decide", "parity", "--on", "latch"]) == 0
    assert "impossible" in capsys.readouterr().out


# -- what the common part promises ---------------------------------------------------------------------------------


@pytest.mark.parametrize("target", STOCK)
def test_a_target_is_one_short_file_over_what_it_shares(target):
    kinds = type(TARGETS.named(target).architecture).__mro__
    files = {inspect.getsourcefile(kind) for kind in kinds if kind.__module__.startswith("constructions.stock")}
    for file in files:
        assert len(open(file).read().splitlines()) <= MOST_LINES, file


COMMON = ("architecture", "arrays", "checkpoint", "gates", "loading", "running", "sizes", "target", "weights")


def test_what_is_common_knows_no_architecture():
    files = [REPOSITORY / "constructions" / "stock" / f"{name}.py" for name in COMMON]
    files += (REPOSITORY / "constructions" / "program").glob("*.py")
    names = {part for name in STOCK for part in (name, name.replace("_", "").removesuffix("text"))}
    for file in files:
        text = file.read_text().lower().replace("constructions.mamba", "")
        assert not [name for name in names if name in text], file
