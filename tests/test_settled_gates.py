"""Counts that no gate tells apart: what is said to be the same is the same when it is run."""

from types import SimpleNamespace

import numpy as np
import pytest

from automata.catalogue import language
from automata.machine import PREDICTIVE, RECOGNISE
from verify.checkpoints import counting, settled_gates
from verify.checkpoints.counting import prove_counting
from verify.checkpoints.settled_gates import SETTLED, LstmGates

torch = pytest.importorskip("torch")

from test_counting_lstm import built, verdict_of  # noqa: E402 - torch first


def gates_of(*edits, layers=2):
    """An LSTM of one unit in each layer, whose weights are all 0 but for these: name, place, number."""
    layer = torch.nn.LSTM(1, 1, layers)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
        for name, place, number in edits:
            getattr(layer, name).view(-1)[place] = number
    return LstmGates(layer, "float32")


def between(low, high):
    return np.array([[[low]], [[high]]], dtype=float)


POINT, NOTHING = between(0, 0), np.zeros((1, 1))


@pytest.mark.parametrize(
    "weight, bias, same",
    [
        (0.0, 0.0, True),
        (10.0, SETTLED, True),
        (10.0, -SETTLED - 10.1, True),
        (10.0, SETTLED - 10, False),
        (-10.0, SETTLED + 5, False),
        (-10.0, -SETTLED - 1, True),
        (10.0, 0.0, False),
        (2 * SETTLED + 10, -SETTLED, False),
        (1e9, 2_000 - 1e7, False),
    ],
)
@pytest.mark.parametrize("place", range(4))
def test_a_gate_that_reads_a_number_between_bounds_is_settled(weight, bias, same, place):
    """From 0.01 to 1: whatever the gate, the layer and the bias; of 1e9 a float32 may have lost 2,000."""
    of_state = gates_of(("weight_hh_l0", place, weight), ("bias_ih_l0", place, bias))
    assert of_state.same(NOTHING, between(0.01, 1), POINT, NOTHING) is same
    assert of_state.same(NOTHING, between(1, 1), POINT, NOTHING) is True
    of_inputs = gates_of(("weight_ih_l1", place, weight), ("bias_hh_l1", place, bias))
    assert of_inputs.same(NOTHING, POINT, between(0.01, 1), NOTHING) is same
    assert of_inputs.same(NOTHING, POINT, between(1, 1), NOTHING) is True


def test_what_a_layer_reads_besides_settles_it_too():
    reading = gates_of(("weight_hh_l0", 0, 1.0), ("weight_ih_l0", 0, 2 * SETTLED))
    assert reading.same(np.ones((1, 1)), between(0, 1), POINT, NOTHING)
    assert not reading.same(NOTHING, between(0, 1), POINT, NOTHING)
    above = gates_of(("weight_ih_l1", 0, 1.0), ("weight_hh_l1", 0, 2 * SETTLED))
    assert above.same(NOTHING, POINT, between(0, 1), np.ones((1, 1)))
    assert not above.same(NOTHING, POINT, between(0, 1), NOTHING)


def test_bounds_that_are_not_known_settle_nothing():
    assert not gates_of(("weight_hh_l0", 0, 1.0), ("bias_ih_l0", 0, 9e3)).same(
        NOTHING, between(np.nan, np.nan), POINT, NOTHING
    )


def test_functions_that_are_not_exact_settle_nothing(monkeypatch):
    monkeypatch.setattr(settled_gates, "SETTLED", 8.0)
    assert not gates_of(("weight_hh_l0", 0, 1.0), ("bias_ih_l0", 0, 100.0)).same(NOTHING, between(0, 1), POINT, NOTHING)


def test_what_is_said_to_be_the_same_is_the_same_when_it_is_run():
    rng, seen = np.random.default_rng(0), set()
    for _ in range(60):
        layer = torch.nn.LSTM(2, 3, 2, batch_first=True)
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.copy_(torch.from_numpy(rng.normal(size=parameter.shape) * 10.0 ** rng.uniform(1, 5)))
        read, cells = rng.normal(size=(1, 2)), torch.from_numpy(rng.normal(size=(2, 8, 3))).float()
        cells[:] = cells[:, :1]
        hidden = cells.tanh().clone()
        low, high = hidden[0, 0].double().numpy().copy(), hidden[0, 0].double().numpy().copy()
        low[0], high[0] = sorted(rng.uniform(-1, 1, 2))
        hidden[0, :, 0] = torch.from_numpy(rng.uniform(low[0], high[0], 8)).float()
        with torch.no_grad():
            tokens = torch.from_numpy(read).float().expand(8, 1, 2)
            out, _ = layer(tokens, (hidden, cells))
            first = torch.nn.LSTM(2, 3, batch_first=True)
            first.load_state_dict({name: t for name, t in layer.state_dict().items() if "_l0" in name})
            now = first(tokens, (hidden[:1], cells[:1]))[0][:, 0].double().numpy()
        same = LstmGates(layer, "float32").same(
            tokens[:1, 0].double().numpy(),
            np.stack([low, high])[:, None],
            np.stack([now[0], now[0]])[:, None],
            hidden[1, :1].double().numpy(),
        )
        really = bool((out == out[:1]).all())
        assert really or not same
        seen.add((same, really))
    assert {(True, True), (False, False)} <= seen


@pytest.mark.parametrize("mode, most, states", [(PREDICTIVE, 30, 9), (RECOGNISE, 60, 40)])
def test_several_counters_are_proved_by_their_gates(mode, most, states, monkeypatch):
    monkeypatch.setattr(counting, "MOST_COUNTED", most)
    verdict = verdict_of("shuffle-2", mode, limit=2_000)
    assert verdict.outcome == "proved" and "counts beyond 1 make no gate another" in verdict.reason
    assert verdict.explored["joint states"] == states
    monkeypatch.undo()
    assert verdict_of("shuffle-2", mode, limit=2_000).horizon == verdict.horizon


@pytest.mark.parametrize("mode", [PREDICTIVE, RECOGNISE])
def test_symbols_that_add_several_at_once_are_proved_so_too(mode, monkeypatch):
    """Some counts beyond 1 are never there after a symbol that adds more than 1."""
    monkeypatch.setattr(counting, "MOST_COUNTED", 5)
    verdict = verdict_of("boolean-3", mode, limit=2_000)
    assert verdict.outcome == "proved" and "counts beyond 1 make no gate another" in verdict.reason


@pytest.mark.slow
@pytest.mark.parametrize("mode", [PREDICTIVE, RECOGNISE])
def test_six_counters_are_proved(mode):
    assert verdict_of("shuffle-6", mode, limit=20_000).outcome == "proved"


@pytest.mark.parametrize("layer, mode", [(0, RECOGNISE), (1, PREDICTIVE), (1, RECOGNISE)])
def test_gates_that_are_not_settled_prove_nothing(layer, mode, monkeypatch):
    """Whatever reads the counters is made weaker: right all the same, but not settled."""

    def weaker(tensors):
        counters = 2
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        for name in names:
            tensor = tensors[f"layer.{name}_l{layer}"].reshape(4, -1, *tensors[f"layer.{name}_l{layer}"].shape[1:])
            tensor[:2, counters if layer == 0 else 0 :] *= 2.0**-3 if layer == 0 else 1
            tensor[2, counters if layer == 0 else 0 :] *= 1 if layer == 0 else 2.0**-8

    monkeypatch.setattr(counting, "MOST_COUNTED", 60)
    machine = language("shuffle-2").machine
    with built("shuffle-2", mode, corrupt=weaker).running() as model:
        why = prove_counting(machine, model, mode, limit=2_000)
    assert why == "counts beyond 1 are told apart by what reads them"


def test_a_layer_that_counts_and_is_read_is_told_apart():
    """Of one layer, whose outputs are its counts: there is no gate between."""
    layer = torch.nn.LSTM(1, 1, 1)
    model = SimpleNamespace(runner=SimpleNamespace(model=SimpleNamespace(layer=layer)), arithmetic="float32")
    counts = counting._Counts([0], np.ones(1), np.ones((1, 1), dtype=int), small=9)
    assert counts.by_gates(model) is counts
