"""Channels of an RWKV that give 0 for ever: what they keep is put back at each step, and nothing else changes."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("transformers")

from targets_matrix import Cell, as_it_should, corrupted, machine_of, run  # noqa: E402

from constructions.build import build  # noqa: E402
from constructions.compile.compiler import compile  # noqa: E402
from constructions.stock.running import StockRunner  # noqa: E402
from constructions.stock.running import built as model_of  # noqa: E402

torch = pytest.importorskip("torch")


def weights_of(item):
    """Of the matrix of targets, the corruption of this number."""
    machine = machine_of(Cell("corrupted", "rwkv", item, "recognise"))
    built = build(compile(machine, "recognise", target="rwkv"), "rwkv")
    return corrupted(built.weights, np.random.default_rng([1, int(item)]))[0]


def noisy(weights, rng):
    """All its tensors with small numbers added, but for the rows of keys and values that are 0."""
    tensors = {}
    for name, tensor in weights.tensors.items():
        noise = 0.1 * rng.standard_normal(tensor.shape)
        if name.endswith(("attention.key.weight", "attention.value.weight")):
            layer = name.rpartition("attention.")[0]
            mixes = [weights.tensors[f"{layer}attention.{kind}.weight"] for kind in ("key", "value")]
            noise[~(mixes[0].any(axis=1) | mixes[1].any(axis=1))] = 0
        tensors[name] = (tensor + noise).astype(np.float32)
    return dataclasses.replace(weights, tensors=tensors)


def put_back(runner):
    """What the architecture does after each step."""
    runner.architecture.put_back(runner.model, runner._cache)


def test_a_denominator_that_counts_is_one_state():
    line = run(Cell("corrupted", "rwkv", "123", "recognise"))
    assert line["outcome"] == "proved" and as_it_should(line) and line["joint states"] < 100


@pytest.mark.parametrize("item, noise", [("123", False), ("83", False), ("123", True)])
def test_the_library_alone_gives_the_same_at_every_step(item, noise):
    rng = np.random.default_rng(1)
    weights = weights_of(item)
    weights = noisy(weights, rng) if noise else weights
    model = model_of(weights)
    runner, state = StockRunner(weights.architecture, model), None
    tokens = [1, *(3 + rng.integers(0, 2, 60)).tolist()]
    moved = 0
    with torch.no_grad():
        for place, token in enumerate(tokens):
            read = torch.tensor([[token]])
            alone = model(read, state=state, use_cache=True)
            state = [tensor.clone() for tensor in alone.state]
            logits = runner.step(read) if place else runner.start(read)
            assert torch.equal(logits, alone.logits[:, -1])
            for number, (kept, now) in enumerate(zip(state, runner._cache)):
                assert number > 2 or torch.equal(kept, now)
                moved += int((kept != now).sum())
    assert moved > 0


def test_a_channel_that_may_give_something_is_left_alone():
    rng = np.random.default_rng(2)
    weights = weights_of("123")
    model = model_of(weights)
    runner = StockRunner(weights.architecture, model)
    attention = model.rwkv.blocks[0].attention
    with torch.no_grad():
        attention.key.weight[7, 2] = 1.0
        attention.value.weight[9, 3] = 1.0
        runner.start(torch.tensor([[1]]))
        for tensor in runner._cache[3:]:
            tensor.copy_(torch.from_numpy(rng.uniform(2, 3, tuple(tensor.shape))))
        runner._cache[2][:, 7:10, 0] = 0
        runner._cache[2][:, 11, 0] = torch.nan
        runner._cache[2][:, 12, 0] = 0.5
        before = [tensor.clone() for tensor in runner._cache]
        put_back(runner)
        for place in (7, 9, 11, 12):
            assert all(before[kind][0, place, 0] == runner._cache[kind][0, place, 0] for kind in (3, 4))
        assert (runner._cache[3][0, 20, 0], runner._cache[4][0, 20, 0]) == (1, 0)
        assert all(torch.equal(before[kind].nan_to_num(), runner._cache[kind].nan_to_num()) for kind in range(3))
