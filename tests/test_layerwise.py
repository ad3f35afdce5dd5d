"""A search that runs each layer of a Mamba once on each different input, beside one of whole decoding steps."""

import pytest

pytest.importorskip("transformers", reason="transformers is not installed")

from automata.catalogue import language  # noqa: E402
from automata.machine import MODES  # noqa: E402
from constructions.build import build  # noqa: E402
from constructions.compile.compiler import compile  # noqa: E402
from constructions.mamba.huggingface import HuggingFaceLayers  # noqa: E402
from constructions.mamba.layers import NotInLayers  # noqa: E402
from constructions.mamba.layerwise import LayerwiseMamba  # noqa: E402
from tests.changed_blocks import change_blocks  # noqa: E402
from verify.checkpoints.search import prove_mamba  # noqa: E402
from verify.methods.bisimulation import bisimulation  # noqa: E402
from verify.verdict import PROVED, REFUTED  # noqa: E402


def searched(name, model, mode="predictive", **how):
    verdict = bisimulation(language(name).machine, model, mode, **how)
    return verdict.outcome, verdict.explored, verdict.witness


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["flip-flop", "tomita-7", "d-4", "dyck-2-3", "dyck-1"])
def test_layers_by_their_tables_visit_the_same_states_as_whole_steps(name, mode):
    built = build(compile(language(name).machine, mode, target="mamba"), "mamba")
    with built.running() as model:
        layers = model.by_layers
        found = searched(name, layers, mode, length=9)
        assert found == searched(name, model, mode, length=9)
        assert layers.whole_steps and layers.rows_run < len(layers.layers) * found[1]["transitions"]


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "float16"])
def test_layers_by_their_tables_in_other_formats(dtype):
    built = build(compile(language("tomita-7").machine, target="mamba"), "mamba", dtype=dtype)
    with built.running() as model:
        assert searched("tomita-7", model.by_layers) == searched("tomita-7", model)


def test_convolutions_sum_their_products_without_onednn_too(monkeypatch):
    """Few rows at a time and many, as a search takes them of which nothing was foreseen."""
    monkeypatch.setattr(LayerwiseMamba, "closed", lambda self, targets: None)
    torch = pytest.importorskip("torch")
    if not torch.backends.nnpack.is_available():
        pytest.skip("this build of PyTorch has no convolution that transforms its inputs")
    built = build(compile(language("dyck-2-3").machine, target="mamba"), "mamba")
    with built.running() as model:
        found = searched("dyck-2-3", model.by_layers)
        with torch.backends.mkldnn.flags(enabled=False):
            assert searched("dyck-2-3", model.by_layers) == found and found[0] == PROVED


def test_a_wrong_model_is_refuted_by_the_same_word():
    built = build(compile(language("d-2").machine, target="mamba"), "mamba")
    with built.running() as model:
        found = searched("d-3", model.by_layers)
        assert found == searched("d-3", model) and found[0] == REFUTED


def proved(model, weights, cascade):
    return prove_mamba(language("d-2").machine, cascade, weights, model)


@pytest.fixture
def counted():
    built = build(compile(language("d-2").machine, target="mamba"), "mamba")
    with built.running() as model:
        yield model, built.weights, built.construction.cascade


def test_the_verdict_names_how_layers_were_run(counted):
    assert "each layer on each different input" in proved(*counted).reason


def by_whole_steps(verdict):
    return verdict.outcome == PROVED and "steps of 256 rows" in verdict.reason


@pytest.mark.parametrize("what", ["logits", "caches"])
def test_whole_steps_that_give_something_else_are_what_is_searched(counted, monkeypatch, what):
    step = HuggingFaceLayers.step

    def other(self, tokens, caches):
        logits = step(self, tokens, caches)
        if what == "caches":
            caches[0].scan.add_(1)
        return -logits if what == "logits" else logits

    monkeypatch.setattr(HuggingFaceLayers, "step", other)
    monkeypatch.setattr(LayerwiseMamba, "closed", lambda self, targets: None)
    with pytest.raises(NotInLayers):
        searched("d-2", counted[0].by_layers)
    assert by_whole_steps(proved(*counted))


@pytest.mark.parametrize("foreseen", [True, False])
def test_a_convolution_that_does_not_shift_its_inputs_is_run_by_whole_steps(counted, foreseen, monkeypatch):
    def other(number, hidden, cache, step):
        given = step()
        cache.conv[:, :, 0] += 1
        return given

    change_blocks(monkeypatch, other)
    monkeypatch.setattr(LayerwiseMamba, "_compare", lambda *_: None)
    if not foreseen:
        monkeypatch.setattr(LayerwiseMamba, "closed", lambda self, targets: None)
    with pytest.raises(NotInLayers):
        searched("d-2", counted[0].by_layers)
    assert by_whole_steps(proved(*counted))


def test_a_witness_that_whole_steps_do_not_confirm_refutes_nothing(counted, monkeypatch):
    logits = HuggingFaceLayers.logits
    monkeypatch.setattr(HuggingFaceLayers, "logits", lambda self, hidden: -logits(self, hidden))
    monkeypatch.setattr(LayerwiseMamba, "closed", lambda self, targets: None)
    monkeypatch.setattr(LayerwiseMamba, "_compare", lambda *_: None)
    assert searched("d-2", counted[0].by_layers)[0] == REFUTED
    assert by_whole_steps(proved(*counted))


@pytest.mark.parametrize("name, length, expected", [("dyck-1", 70, [8, 64, 70]), ("flip-flop", None, [6])])
def test_whole_steps_are_compared_now_and_then_and_once_at_least(name, length, expected, monkeypatch):
    compared = []
    monkeypatch.setattr(LayerwiseMamba, "_compare", lambda self, *_: compared.append(self._calls))
    monkeypatch.setattr(LayerwiseMamba, "closed", lambda self, targets: None)
    built = build(compile(language(name).machine, target="mamba"), "mamba")
    with built.running() as model:
        searched(name, model.by_layers, length=length)
    assert compared == expected


def test_many_rows_are_compared_as_soon_as_they_are_there(monkeypatch):
    compared, compare = [], LayerwiseMamba._compare

    def watched(self, before, symbols, *after):
        compared.append((self._calls, len(symbols)))
        return compare(self, before, symbols, *after)

    monkeypatch.setattr(LayerwiseMamba, "_compare", watched)
    monkeypatch.setattr(LayerwiseMamba, "closed", lambda self, targets: None)
    built = build(compile(language("dyck-2-5").machine, target="mamba"), "mamba")
    with built.running() as model:
        layers = model.by_layers
        assert searched("dyck-2-5", layers)[0] == PROVED
    ((call, rows),) = compared
    assert call < layers._calls and rows >= 32 == layers.whole_steps
