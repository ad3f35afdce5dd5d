"""What a proof about a stock model assumes is looked at on the model: each assumption, broken alone, is refused."""

import json

import numpy as np
import pytest

from automata.catalogue import language
from automata.errors import InputError
from constructions.build import build
from constructions.compile.compiler import compile
from constructions.stock.target import StockTarget
from constructions.target import TARGETS

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from constructions.stock import loading  # noqa: E402
from constructions.stock.loading import load_stock  # noqa: E402 - torch first
from constructions.stock.running import StockRunner  # noqa: E402

STOCK = [name for name in TARGETS if isinstance(TARGETS.named(name), StockTarget)]
ATTENDING = [name for name in STOCK if TARGETS.named(name).architecture.attends]


def lowered(target, dtype="float32"):
    return build(compile(language("flipflop").machine, target=target), target, dtype=dtype)


def saved(target, folder, dtype="float32", edit_config=None, edit_tensors=None):
    from safetensors.torch import load_file, save_file

    built = lowered(target, dtype)
    built.target.save(built.weights, folder)
    if edit_config:
        content = json.loads((folder / "config.json").read_text())
        edit_config(content)
        (folder / "config.json").write_text(json.dumps(content))
    if edit_tensors:
        tensors = load_file(folder / "model.safetensors")
        edit_tensors(tensors)
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def stepped(target, folder):
    """The loaded model after BOS and one symbol."""
    architecture = TARGETS.named(target).architecture
    runner = StockRunner(architecture, load_stock(folder, architecture)[0])
    with torch.no_grad():
        runner.start(torch.tensor([[1]]))
        runner.step(torch.tensor([[3]]))
    return runner


@pytest.mark.parametrize("target", ATTENDING)
def test_every_weight_of_every_attention_layer_must_be_zero(target):
    built = lowered(target)
    with built.running() as model:
        runner = model.runner
        layers = {name for name, m in runner.model.named_modules() if type(m).__name__.endswith("Attention")}
        kept = [layer for layer in runner._cache.layers if getattr(layer, "keys", None) is not None]
        # Those that keep keys are those with an output projection beside no convolution.
        layers = {name for name in layers if not hasattr(runner.model.get_submodule(name), "conv1d")}
        assert len(kept) == len(layers) > 0
        for layer in layers:
            for name, weights in runner.model.get_submodule(layer).named_parameters():
                if "norm" in name:
                    continue
                with torch.no_grad():
                    weights.view(-1)[0] = 2.0**-20
                    with pytest.raises(InputError, match="is at work: .* is not zero"):
                        StockRunner(runner.architecture, runner.model)
                    weights.view(-1)[0] = 0


@pytest.mark.parametrize("target", ["bamba", "kimi_linear"])
def test_keys_and_values_must_stay_zero(target):
    """A zero times infinity is none: it would stay in the cache of a real run."""
    with lowered(target).running() as model:
        runner = model.runner
        layer = next(layer for layer in runner._cache.layers if getattr(layer, "keys", None) is not None)
        attention = next(
            module
            for name, module in runner.model.named_modules()
            if type(module).__name__.endswith("Attention") and not hasattr(module, "conv1d")
        )
        with torch.no_grad():
            runner.step(torch.full((model.batch, 1), 3))
            assert layer.keys.abs().sum() == 0 == layer.values.abs().sum()
            attention.register_forward_pre_hook(
                lambda module, args, given: (
                    (args[0] * float("inf"), *args[1:]) if args else args,
                    {**given, "hidden_states": given["hidden_states"] * float("inf")} if not args else given,
                ),
                with_kwargs=True,
            )
            with pytest.raises(InputError, match="keeps numbers that are not zero"):
                runner.step(torch.full((model.batch, 1), 3))


@pytest.mark.parametrize("target", ["bamba", "falcon_h1", "recurrent_gemma", "bailing_hybrid"])
def test_positions_must_stay_finite(target, tmp_path):
    """With frequencies near the largest number, the angle of position 1 is finite, and that of a later one is not."""
    stepped(target, saved(target, tmp_path / "as it is"))

    def fast(content):
        content.setdefault("rope_parameters", {"rope_type": "default"})["rope_theta"] = 1e-30
        content["rope_theta"] = 1e-30

    with pytest.raises(InputError, match="rotary positions"):
        stepped(target, saved(target, tmp_path / "fast", edit_config=fast))


def test_tied_weights_that_differ_are_read_as_the_library_reads_them(tmp_path, monkeypatch):
    from transformers import AutoModelForCausalLM

    folder = saved("mamba2", tmp_path / "tied", edit_config=lambda content: content.update(tie_word_embeddings=True))
    theirs = AutoModelForCausalLM.from_pretrained(folder, dtype="auto").state_dict()
    ours = stepped("mamba2", folder).model.state_dict()
    assert all(np.array_equal(theirs[name], ours[name]) for name in theirs)

    def tied(*given):
        model = as_it_is(*given)
        model.lm_head.weight = model.get_input_embeddings().weight
        return model

    as_it_is = loading.loaded
    monkeypatch.setattr(loading, "loaded", tied)
    with pytest.raises(InputError, match="lm_head.weight is not as it is stored"):
        stepped("mamba2", folder)


def test_what_the_library_keeps_in_float32_is_run_in_float32(tmp_path):
    """The model that is proved is the one that ``from_pretrained`` makes."""
    from transformers import AutoModelForCausalLM

    folder = saved("bailing_hybrid", tmp_path / "mixed", "bfloat16")
    theirs = AutoModelForCausalLM.from_pretrained(folder, dtype="auto").state_dict()
    ours = stepped("bailing_hybrid", folder).model.state_dict()
    with lowered("bailing_hybrid", "bfloat16").running() as model:
        built = model.runner.model.state_dict()
    formats = {name: tensor.dtype for name, tensor in theirs.items()}
    assert set(formats.values()) == {torch.float32, torch.bfloat16}
    assert formats == {name: t.dtype for name, t in ours.items()} == {name: t.dtype for name, t in built.items()}
    assert all(np.array_equal(theirs[name].float(), ours[name].float()) for name in theirs)


@pytest.mark.parametrize("target", STOCK)
def test_all_that_a_cache_keeps_is_a_state_or_idle(target):
    """No tensor of the cache changes what a step gives without being part of the state that the search sees."""
    with lowered(target).running() as model:
        runner = model.runner
        with torch.no_grad():
            runner.start(torch.full((model.batch, 1), 1))
            for token in (3, 4, 5):
                runner.step(torch.full((model.batch, 1), token))
        seen = {tensor.data_ptr() for layer in runner.caches() for tensor in layer}
        for layer in getattr(runner._cache, "layers", []):
            for name, value in vars(layer).items():
                values = value.values() if isinstance(value, dict) else [value]
                for tensor in values:
                    if isinstance(tensor, torch.Tensor) and tensor.numel() and tensor.data_ptr() not in seen:
                        assert name in ("keys", "values", "_sliding_window_tensor"), name


@pytest.mark.parametrize("target", STOCK)
def test_every_format_that_is_offered_is_lowered(target):
    for dtype in TARGETS.named(target).architecture.dtypes:
        assert lowered(target, dtype).weights.dtype == dtype


def test_a_configuration_that_gives_tuples_or_asks_for_too_many_layers(tmp_path):
    stepped("bamba", saved("bamba", tmp_path / "tuples", edit_config=lambda content: content.update(return_dict=False)))
    many = saved("bamba", tmp_path / "many", edit_config=lambda content: content.update(num_hidden_layers=10**9))
    with pytest.raises(InputError, match="num_hidden_layers is 1000000000"):
        stepped("bamba", many)
