"""The layers of a Mamba inside of one forward: what the model does beside them is seen."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers", reason="transformers is not installed")

from automata.catalogue import language  # noqa: E402
from automata.machine import RECOGNISE  # noqa: E402
from constructions.build import build  # noqa: E402
from constructions.compile.compiler import compile  # noqa: E402
from constructions.mamba.huggingface import HuggingFaceLayers  # noqa: E402
from constructions.mamba.layers import NotInLayers  # noqa: E402
from constructions.mamba.layerwise import LayerwiseMamba  # noqa: E402
from tests.changed_blocks import change_blocks  # noqa: E402
from verify.methods.bisimulation import bisimulation  # noqa: E402
from verify.verdict import PROVED  # noqa: E402

STACKS = language("dyck-2-3").machine
"""Four layers."""


def running(mode="predictive"):
    return build(compile(STACKS, mode, target="mamba"), "mamba").running()


@pytest.fixture
def known(monkeypatch):
    """A model and its layers, which are never compared with whole steps."""
    monkeypatch.setattr(LayerwiseMamba, "_compare", lambda *_: None)
    with running() as model:
        yield model.runner.model.backbone, model.by_layers


def closed(layers):
    """A search that has to be closed by what was foreseen."""
    layers.settle = lambda: pytest.fail("it was searched")
    return bisimulation(STACKS, layers).outcome


@pytest.mark.parametrize("mode", ["predictive", RECOGNISE])
def test_a_search_that_was_foreseen_takes_one_forward(mode, monkeypatch):
    """While a layer runs there is no other cache; hooks are gone afterwards."""
    ran = []

    def watched(number, hidden, cache, step):
        caches = layers.run._cache.layers
        ran.append((number, [i for i, other in enumerate(caches) if other.conv_states[0] is not None]))
        assert all((one.conv_states[0] is None) == (one.recurrent_states[0] is None) for one in caches)
        return step()

    change_blocks(monkeypatch, watched)
    with running(mode) as model:
        layers = model.by_layers
        layers.settle = lambda: pytest.fail("it was searched")
        assert bisimulation(STACKS, layers, mode).outcome == PROVED
        blocks = model.runner.model.backbone.layers
        assert ran == [(number, [number]) for number in range(len(blocks))]
        modules = model.runner.model.modules()
        assert not any(module._forward_pre_hooks or module._forward_hooks for module in modules)


def test_hooks_are_gone_where_it_went_wrong(known, monkeypatch):
    backbone, layers = known
    monkeypatch.setattr(LayerwiseMamba, "numbered", lambda *_: pytest.fail("no layer is run twice"))
    handle = backbone.norm_f.register_forward_pre_hook(lambda module, read: (read[0] + 0,))
    with pytest.raises(NotInLayers):
        closed(layers)
    handle.remove()
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in backbone.modules())


@pytest.mark.parametrize("place", range(5))
def test_a_model_that_does_something_between_its_layers_is_seen(known, place):
    """The same numbers in another tensor, before a layer or the head; before the first layer, other numbers."""
    backbone, layers = known
    readers = [*backbone.layers, backbone.norm_f]
    readers[place].register_forward_pre_hook(lambda module, read: (read[0] + (place == 0),))
    with pytest.raises(NotInLayers):
        closed(layers)


@pytest.mark.parametrize("last", [1, 3])
def test_a_model_that_leaves_a_layer_out_is_seen(known, last):
    """The last layer, and all but the first."""
    backbone, layers = known
    backbone.layers = backbone.layers[:last]
    with pytest.raises(NotInLayers):
        closed(layers)


@pytest.mark.parametrize("order", [[0, 1, 3, 2], [0, 2], [0, 1, 2, 2, 3]])
def test_layers_in_another_order_are_seen(known, order, monkeypatch):
    """As if the model had run those layers."""
    _, layers = known
    forward = HuggingFaceLayers.one_forward

    def other(self, tokens, read):
        return forward(self, tokens, lambda number, hidden: read(order[number], hidden))

    monkeypatch.setattr(HuggingFaceLayers, "one_forward", other)
    with pytest.raises(NotInLayers):
        closed(layers)


@pytest.mark.parametrize("what", ["given", "scan", "newest"])
def test_layers_that_read_the_place_in_the_batch_are_seen(known, what, monkeypatch):
    def other(number, hidden, cache, step):
        given = step()
        part = {"given": given, "scan": cache.scan, "newest": cache.conv[:, :, -1]}[what]
        part += torch.arange(len(part)).reshape(-1, *[1] * (part.dim() - 1)) / 1024
        return given

    _, layers = known
    change_blocks(monkeypatch, other)
    with pytest.raises(NotInLayers):
        closed(layers)
