"""What is foreseen of a search through the layers of a Mamba: it says which rows are run together, and nothing else."""

import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers", reason="transformers is not installed")

from automata.catalogue import language  # noqa: E402
from automata.machine import MODES, PREDICTIVE, RECOGNISE  # noqa: E402
from constructions.build import build  # noqa: E402
from constructions.compile.compiler import compile  # noqa: E402
from constructions.mamba import foreseen  # noqa: E402
from constructions.mamba.huggingface import HuggingFaceLayers, HuggingFaceRunner, random_model  # noqa: E402
from constructions.mamba.layers import NotInLayers  # noqa: E402
from constructions.mamba.layerwise import LayerwiseMamba  # noqa: E402
from tests.changed_blocks import change_blocks  # noqa: E402
from verify.methods.bisimulation import bisimulation  # noqa: E402
from verify.methods.machine_states import machine_states  # noqa: E402
from verify.verdict import PROVED, REFUTED  # noqa: E402

SMALL = [
    *((name, mode) for name in ("flip-flop", "tomita-7", "d-4", "dyck-2-3", "aa*bb*cc*dd*ee*") for mode in MODES),
    ("mqar-3-3", PREDICTIVE),
    ("dyck-2-5", PREDICTIVE),
]


def running(name, mode=PREDICTIVE, dtype="float32"):
    return build(compile(language(name).machine, mode, target="mamba"), "mamba", dtype=dtype).running()


def searched(name, model, mode=PREDICTIVE, **how):
    """What a search says; of a model that does not do what its layers do one by one, only that."""
    try:
        verdict = bisimulation(language(name).machine, model, mode, **how)
    except NotInLayers:
        return NotInLayers
    return verdict.outcome, verdict.explored, verdict.witness


def blindly(monkeypatch):
    """From now on nothing is foreseen."""
    monkeypatch.setattr(LayerwiseMamba, "closed", lambda self, targets: None)


@pytest.fixture
def rows_run(monkeypatch):
    """All that layers were run on, as far as it is read, with what they gave; and how many rows each call had.  Whole
    steps are not compared.
    """
    made, calls, taps = {}, [], []
    by_layers = HuggingFaceRunner.by_layers.fget

    def octets(tensor):
        return [row.tobytes() for row in (tensor + 0).contiguous().flatten(1).view(torch.uint8).numpy()]

    def known(self):
        layers = by_layers(self)
        taps[:] = layers.taps
        return layers

    def watched(number, hidden, cache, step):
        read = torch.from_numpy(taps[number][:, :-1].copy())
        before = [octets(hidden), octets(cache.scan), octets(torch.where(read, cache.conv[:, :, 1:], 0))]
        given = step()
        after = [octets(given), octets(cache.scan), octets(cache.conv[:, :, -1])]
        for row in zip(*before, *after):
            assert made.setdefault((number, *row[:3]), row[3:]) == row[3:], "the same input gives the same"
        calls.append(len(hidden))
        return given

    monkeypatch.setattr(HuggingFaceRunner, "by_layers", property(known))
    monkeypatch.setattr(LayerwiseMamba, "_compare", lambda *_: None)
    change_blocks(monkeypatch, watched)
    return made, calls


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name, mode", SMALL)
def test_each_layer_is_run_once_on_just_what_a_search_reads(name, mode, dtype, rows_run, monkeypatch):
    made, calls = rows_run
    with running(name, mode, dtype) as model:
        found = searched(name, model.by_layers, mode)
        foreseen_rows, together = dict(made), list(calls)
        made.clear(), calls.clear()
        blindly(monkeypatch)
        layers = model.by_layers
        assert searched(name, layers, mode) == found and found[0] == PROVED
    assert made == foreseen_rows
    different = [len(layer.results) for layer in layers.layers]
    assert together == [rows + len(range(0, rows, -(-rows // 8))) for rows in different], "some are read once more"
    assert len(together) < len(calls) and sum(calls) == sum(different) == layers.rows_run


def garbage(kind, seed=0):
    """Guesses that have nothing to do with the model."""
    generator = torch.Generator().manual_seed(seed)

    def like(number):
        if kind == "random":
            return torch.randint(-2, 3, number.shape, generator=generator).to(number.dtype)
        return torch.full_like(number, {"zero": 0.0, "one": 1.0, "nan": np.nan, "infinite": np.inf}[kind])

    return like


@pytest.mark.parametrize("name", ["tomita-7", "dyck-2-3"])
def test_layers_that_are_wrongly_taken_to_be_still_change_nothing(name, monkeypatch):
    with running(name) as model:
        layers = model.by_layers
        for layer in layers.layers:
            layer.still = True
        assert searched(name, layers) == searched(name, model)


@pytest.mark.parametrize("what", ["inputs", "moves"])
@pytest.mark.parametrize("kind", ["random", "zero", "one", "nan", "infinite"])
@pytest.mark.parametrize("name, mode", [("tomita-7", PREDICTIVE), ("dyck-2-3", PREDICTIVE), ("d-4", RECOGNISE)])
def test_guesses_that_are_wrong_change_nothing(name, mode, kind, what, monkeypatch):
    guess, like = getattr(HuggingFaceLayers, what), garbage(kind)

    def wrong(self, *args):
        given = guess(self, *args)
        return like(given) if what == "inputs" else tuple(like(part) for part in given)

    with running(name, mode) as model:
        right = searched(name, model, mode)
        monkeypatch.setattr(HuggingFaceLayers, what, wrong)
        assert searched(name, model.by_layers, mode) == right and right[0] == PROVED


def test_inputs_that_are_guessed_stand_in_for_none_where_they_are_not_read(monkeypatch):
    """What is guessed is right wherever it is read, and infinite elsewhere: infinity times 0 would be no number."""
    inputs, moves = HuggingFaceLayers.inputs, HuggingFaceLayers.moves

    def wrong(self, number, hidden):
        read = torch.from_numpy(self.taps[number][:, :-1].any(axis=1))
        assert not read.all()
        return torch.where(read, inputs(self, number, hidden), torch.inf)

    def moved(self, number, *of):
        return moves(self, number, *(part.nan_to_num(posinf=0) for part in of))

    with running("tomita-7") as model:
        right = searched("tomita-7", model)
        monkeypatch.setattr(HuggingFaceLayers, "inputs", wrong)
        monkeypatch.setattr(HuggingFaceLayers, "moves", moved)
        assert searched("tomita-7", model.by_layers) == right and right[0] == PROVED


@pytest.mark.parametrize("what", ["scan", "newest", "given"])
def test_what_a_layer_gives_is_kept_and_not_what_was_guessed(what, monkeypatch):
    """Layers that are all different from what the guess is made of, the same ones in both searches."""

    def other(number, hidden, cache, step):
        given = step()
        if what == "given":
            return given.roll(1, dims=-1)
        part = cache.scan if what == "scan" else cache.conv[:, :, -1]
        part.copy_(part.roll(1, dims=1))
        return given

    change_blocks(monkeypatch, other)
    monkeypatch.setattr(LayerwiseMamba, "_compare", lambda *_: None)
    with running("dyck-2-3") as model:
        found = searched("dyck-2-3", model.by_layers, limit=300)
        blindly(monkeypatch)
        assert found == searched("dyck-2-3", model.by_layers, limit=300)
        # Only what is given is seen at the first symbol: caches say something else later.
        assert what == "newest" or found[0] == REFUTED


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, 1e-45])
@pytest.mark.parametrize("name", ["in_proj.weight", "conv1d.bias", "A_log", "dt_proj.bias", "x_proj.weight"])
def test_extreme_weights_are_searched_as_ever(name, value, monkeypatch):
    """But by whole steps where what is foreseen can be run, and what comes out is no number: that equals nothing."""
    with running("tomita-7") as model, warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        for block in model.runner.model.backbone.layers:
            with torch.no_grad():
                block.mixer.get_parameter(name).view(-1)[1] = value
        found = searched("tomita-7", model.by_layers, limit=500)
        blindly(monkeypatch)
        by_whole_steps = found == NotInLayers and (name, value) == ("in_proj.weight", 3e38)
        assert by_whole_steps or searched("tomita-7", model.by_layers, limit=500) == found


def reached(name, model, mode=PREDICTIVE):
    """The rows that are run beforehand."""
    layers, machine = model.by_layers, language(name).machine
    layers.closed(machine_states(machine, layers.alphabet, layers.outputs, mode).targets)
    return [len(layer.results) for layer in layers.layers]


def test_only_what_closes_soon_is_foreseen(monkeypatch):
    with running("dyck-1") as model:
        assert not any(reached("dyck-1", model))
    with running("dyck-2-3") as model, monkeypatch.context() as patched:
        assert all(reached("dyck-2-3", model))
        patched.setattr(foreseen, "_MOST", 100)
        # The third layer remembers scan states alone.
        assert [rows > 0 for rows in reached("dyck-2-3", model)] == [True, True, False, False]
    with running("d-4", RECOGNISE) as model:
        assert all(reached("d-4", model, RECOGNISE))
        monkeypatch.setattr(foreseen, "_MOST", 50)
        some = reached("d-4", model, RECOGNISE)
        assert not some[-1] and searched("d-4", model.by_layers, RECOGNISE) == searched("d-4", model, RECOGNISE)
        monkeypatch.setattr(foreseen, "_ASKED", 8)
        assert not any(reached("d-4", model, RECOGNISE))


def test_a_longer_convolution_is_not_looked_into():
    symbols = language("tomita-7").machine.alphabet
    model = random_model(symbols, (*symbols, "<eos>"), seed=0)
    assert model.by_layers.layers[0].kernel == 4 and not any(reached("tomita-7", model))
