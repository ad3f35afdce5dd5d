"""edges.json: which channel feeds which, against what changes when a channel is cut off."""

import json

import pytest

pytest.importorskip("transformers")

import networkx as nx  # noqa: E402
import torch  # noqa: E402

from automata.catalogue import language  # noqa: E402
from constructions.compile.compiler import compile  # noqa: E402
from constructions.mamba.edges import edges  # noqa: E402
from constructions.mamba.gates import watch  # noqa: E402
from constructions.mamba.huggingface import stock_model  # noqa: E402
from verify import build  # noqa: E402
from verify.__main__ import main  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module", params=["dyck-2-2", "flip-flop", "dyck-1"])
def weights(request):
    return build(compile(language(request.param).machine), "mamba").weights


def graph(found):
    reach = nx.DiGraph()
    reach.add_nodes_from((c["block"], c["channel"]) for c in found["channels"])
    reach.add_edges_from((tuple(edge["from"]), tuple(edge["to"])) for edge in found["edges"])
    return reach


def random_tokens(weights, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.cat([torch.tensor([1]), torch.randint(3, weights.vocabulary, (30,), generator=generator)])


def test_what_a_channel_does_not_feed_does_not_change_without_it(weights):
    """Channels are cut off in turn: neurons change only where a path leads, but for a little by the norm."""
    reach, outputs = graph(edges(weights)), edges(weights)["outputs"]
    strings = [random_tokens(weights, seed) for seed in range(2)]
    model = stock_model(weights)
    with torch.no_grad():
        before = [(watch(model, tokens), model(tokens[None]).logits[0]) for tokens in strings]
        changed_at_all = 0
        for block, channel in list(reach.nodes)[:: 1 + len(reach) // 15]:
            column = model.backbone.layers[block].mixer.out_proj.weight[:, channel]
            kept = column.clone()
            column.zero_()
            model_after = [(watch(model, tokens), model(tokens[None]).logits[0]) for tokens in strings]
            column.copy_(kept)
            fed = nx.descendants(reach, (block, channel))
            heads = {tuple(edge["from"]) for edge in outputs}
            for (views, logits), (views_after, logits_after) in zip(before, model_after):
                for number, (view, view_after) in enumerate(zip(views, views_after)):
                    scale = view.neurons.abs().max()
                    moved = ((view.neurons - view_after.neurons).abs() > 0.02 * scale).any(dim=0)
                    channels = {(number, int(i)) for i in moved.nonzero()[:, 0]} & set(reach.nodes)
                    assert channels <= fed, (block, channel, channels - fed)
                    changed_at_all += len(channels)
                if not ({(block, channel)} | fed) & heads:
                    assert (logits.sign() == logits_after.sign()).all()
    assert changed_at_all > 0


def test_each_edge_is_a_weight_that_is_not_zero(weights):
    found = edges(weights)
    names = weights.coordinate_names()
    inside = [edge for edge in found["edges"] if edge["from"][0] == edge["to"][0]]
    assert {edge["through"] for edge in inside} <= {"step", "increment"}
    for edge in found["edges"]:
        (block, writer), (later, reader) = edge["from"], edge["to"]
        if edge in inside:
            continue
        coordinate = names.index(edge["through"])
        assert later > block
        assert weights.tensors[f"backbone.layers.{block}.mixer.out_proj.weight"][coordinate, writer] != 0
        assert weights.tensors[f"backbone.layers.{later}.mixer.in_proj.weight"][reader, coordinate] != 0
    assert {entry["symbol"] for entry in found["inputs"]} == set(weights.layout.alphabet)
    assert {entry["output"] for entry in found["outputs"]} <= set(weights.layout.outputs)


def test_each_way_to_a_step_size_is_an_edge(weights):
    """By the product of the two projections that a step size goes through, not one after the other."""
    given = {(*edge["from"], *edge["to"]) for edge in edges(weights)["edges"] if edge["through"] == "step"}
    expected = set()
    for block in range(len(weights.layout.blocks)):
        mixer = f"backbone.layers.{block}.mixer"
        to, out = weights.tensors[f"{mixer}.x_proj.weight"], weights.tensors[f"{mixer}.dt_proj.weight"]
        ways = abs(out) @ abs(to[: weights.rank])
        expected |= {
            (block, int(channel), block, int(cell))
            for cell, channel in zip(*ways.nonzero())
            if channel not in (0, cell)  # the constant channel, and a step size by itself
        }
    channels = [channel for block in weights.layout.blocks for channel in block.channels]
    assert given == expected and bool(expected) == any(channel.keeps not in ("", "sum", None) for channel in channels)


def test_an_export_has_the_graph_and_answers_about_words_of_others(tmp_path):
    assert main(["export", "flip-flop", "--to", str(tmp_path / "stock"), "--strings", "5", "--quiet"]) == 0
    found = json.loads((tmp_path / "stock" / "edges.json").read_text())
    named = {(c["block"], c["channel"]): c["name"] for c in found["channels"]}
    assert named[1, 2] == "set bit to 1: instruction = 0 and symbol = 1"
    assert all(tuple(edge[end]) in named for edge in found["edges"] for end in ("from", "to"))
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "stock")
    assert tokenizer.encode("a z w") == [1, 0, 0, 3] and tokenizer.unk_token_id == 0


def test_transformer_lens_loads_an_export_and_gives_the_same_numbers(tmp_path, monkeypatch):
    pytest.importorskip("transformer_lens", reason="TransformerLens is no dependency")
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import AutoModelForCausalLM

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(["export", "flip-flop", "--to", str(tmp_path / "stock"), "--strings", "5", "--quiet"]) == 0
    tokens = torch.tensor([[1, 3, 7, 5, 6, 4]])
    with torch.no_grad():
        bridged = TransformerBridge.boot_transformers(str(tmp_path / "stock"), device="cpu")(tokens)
        stock = AutoModelForCausalLM.from_pretrained(tmp_path / "stock")(tokens).logits
    assert torch.equal(bridged, stock)
