"""What a checkpoint may hold: layouts, prefixes, formats, tied heads, shards; and how its logits are read."""

from __future__ import annotations

import json
import shutil

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

from safetensors.torch import load_file, save_file  # noqa: E402

from automata.catalogue import language  # noqa: E402
from automata.errors import InputError  # noqa: E402
from automata.machine import EOS, PREDICTIVE  # noqa: E402
from constructions.mamba.gates import GateAudit  # noqa: E402
from constructions.mamba.huggingface import HuggingFaceRunner, stock_model  # noqa: E402
from constructions.mamba.loading import load_checkpoint  # noqa: E402
from constructions.mamba.lowering import lower_to_mamba  # noqa: E402
from constructions.mamba.reading import Reading  # noqa: E402
from constructions.mamba.stepping import SteppedMamba, Vocabulary  # noqa: E402
from constructions.paper.bounded_dyck import bounded_dyck  # noqa: E402
from constructions.paper.flip_flop import flip_flop  # noqa: E402
from verify.__main__ import main  # noqa: E402
from verify.checkpoints.other_reading import right_by_probability  # noqa: E402
from verify.evidence.accuracy import accuracy  # noqa: E402
from verify.methods.bisimulation import Stepwise  # noqa: E402

WEIGHTS, HEAD, EMBEDDING = "model.safetensors", "lm_head.weight", "backbone.embeddings.weight"
D = "backbone.layers.0.mixer.D"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs") / "tomita-1"
    assert main(["export", "tomita-1", "--to", str(folder), "--strings", "3", "--quiet"]) == 0
    return folder


@pytest.fixture
def folder(exported, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(exported, tmp_path / "copy")


def edit_config(folder, *without, **changes):
    config = json.loads((folder / "config.json").read_text())
    kept = {key: value for key, value in config.items() if key not in without}
    (folder / "config.json").write_text(json.dumps({**kept, **changes}))


def edit_weights(folder, edit):
    tensors = load_file(folder / WEIGHTS)
    save_file(edit(tensors) or tensors, folder / WEIGHTS, metadata={"format": "pt"})


def same_weights(model, folder) -> bool:
    stock = transformers.AutoModelForCausalLM.from_pretrained(folder)
    pairs = zip(model.state_dict().items(), stock.state_dict().items())
    return model.dtype == stock.dtype and all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


def refused(folder) -> str:
    with pytest.raises(InputError) as caught:
        load_checkpoint(folder)
    assert "\n" not in str(caught.value) and len(str(caught.value).replace(str(folder), "")) <= 300
    return str(caught.value)


# -- layouts ------------------------------------------------------------------------------------------

OFFICIAL = {"rms_norm": True, "residual_in_fp32": True, "fused_add_norm": True, "tie_embeddings": False}


def make_official(folder, **changes):
    """The same model as the official package stores it, its vocabulary padded to a multiple of 8."""
    config = json.loads((folder / "config.json").read_text())
    ssm = {"d_state": config["state_size"], "d_conv": config["conv_kernel"], "expand": config["expand"]}
    official = {
        "d_model": config["hidden_size"],
        "n_layer": config["num_hidden_layers"],
        "vocab_size": config["vocab_size"],
        "ssm_cfg": {**ssm, "dt_rank": config["time_step_rank"]},
        **OFFICIAL,
    }
    (folder / "config.json").write_text(json.dumps({**official, **changes}))

    def renamed(tensors):
        tensors["backbone.embedding.weight"] = tensors.pop(EMBEDDING)
        for name in ("backbone.embedding.weight", HEAD):
            rows = -len(tensors[name]) % 8
            tensors[name] = torch.cat([tensors[name], tensors[name][:1].expand(rows, -1)])

    edit_weights(folder, renamed)


def test_the_official_layout_is_read_and_proved(exported, folder, capsys):
    make_official(folder)
    assert main(["checkpoint", str(folder), "--language", "tomita-1", "--strings", "5"]) == 0
    printed = capsys.readouterr().out
    assert "proved" in printed and "the official package mamba-ssm" in printed
    official, stock = load_checkpoint(folder)[0].state_dict(), load_checkpoint(exported)[0].state_dict()
    assert len(official[HEAD]) == 8 and all(torch.equal(official[name][: len(t)], t) for name, t in stock.items())


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"ssm_cfg": {"layer": "Mamba2"}}, "the layers are 'Mamba2', expected 'Mamba1'"),
        ({"ssm_cfg": {"ngroups": 2}}, "ssm_cfg has the unknown 'ngroups'"),
        ({"ssm_cfg": [1]}, r"ssm_cfg is [1], expected named values"),
        ({"rms_norm": False}, "rms_norm is False, only True can be read"),
        ({"attn_layer_idx": [1]}, "attn_layer_idx is [1], only [] can be read"),
        ({"d_intermediate": 8}, "d_intermediate is 8, only 0 can be read"),
        ({"d_model": "x"}, "'d_model' expected int, got str"),
        ({"n_layer": 0}, "n_layer is 0, expected at least 1"),
        ({"pad_vocab_size_multiple": 0}, "pad_vocab_size_multiple is 0"),
    ],
)
def test_official_models_of_other_kinds_are_refused(folder, changes, message):
    make_official(folder, **changes)
    assert message in refused(folder)


def test_a_pickled_official_model_is_refused(folder):
    make_official(folder)
    (folder / WEIGHTS).rename(folder / "pytorch_model.bin")
    assert "pytorch_model.bin is pickled" in refused(folder) and "safetensors.torch.save_file" in refused(folder)


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module.", "model.", "module._orig_mod."])
def test_prefixes_of_training_are_left_out(exported, folder, prefix):
    edit_weights(folder, lambda tensors: {prefix + name: tensor for name, tensor in tensors.items()})
    model, notes = load_checkpoint(folder)
    assert same_weights(model, exported) and "of the tensors' names is left out" in notes[0]


def test_a_backbone_alone_has_a_tied_head(folder):
    edit_config(folder, "tie_word_embeddings")
    edit_weights(folder, lambda ts: {k.removeprefix("backbone."): v for k, v in ts.items() if k != HEAD})
    model, _ = load_checkpoint(folder)
    assert torch.equal(model.lm_head.weight, model.backbone.embeddings.weight)


def test_a_tensor_under_two_names_is_refused(folder):
    edit_weights(folder, lambda tensors: tensors | {f"module.{D}": tensors[D] + 1})
    assert f"tensor '{D}' is there twice" in refused(folder)


def shard(folder, twice=False):
    tensors = load_file(folder / WEIGHTS)
    (folder / WEIGHTS).unlink()
    names, places = sorted(tensors), {}
    for number, part in enumerate((names[::2], names[1::2] + names[:1] * twice)):
        file = f"model-{number}.safetensors"
        save_file({name: tensors[name] for name in part}, folder / file, metadata={"format": "pt"})
        places |= dict.fromkeys(part, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))


def test_shards_are_read(exported, folder):
    shard(folder)
    assert same_weights(load_checkpoint(folder)[0], exported)


def test_a_tensor_in_two_shards_is_refused(folder):
    shard(folder, twice=True)
    assert "is in two files" in refused(folder)


def test_heads_are_tied_as_the_configuration_says(folder):
    edit_config(folder, tie_word_embeddings=True)
    assert "ties lm_head.weight to the embedding" in refused(folder)
    edit_config(folder, "tie_word_embeddings")
    assert "which holds where it is not set" in refused(folder)
    edit_config(folder, tie_word_embeddings=False)
    edit_weights(folder, lambda tensors: {name: t for name, t in tensors.items() if name != HEAD})
    assert "lacks tensor 'lm_head.weight'" in refused(folder)


# -- formats ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype, name",
    [
        (torch.complex64, "C64"),
        (torch.int64, "I64"),
        (torch.int8, "I8"),
        (torch.uint8, "U8"),
        (torch.bool, "BOOL"),
        (torch.float8_e4m3fn, "F8_E4M3"),
        (torch.float8_e5m2, "F8_E5M2"),
    ],
)
def test_what_a_cast_would_change_is_refused_by_name(folder, dtype, name):
    edit_weights(folder, lambda tensors: tensors | {D: tensors[D].to(dtype)})
    assert f"tensor '{D}' is stored as {name}, expected floating-point numbers" in refused(folder)


def test_a_model_stored_in_another_format_says_so(folder, capsys):
    """A third is no number of float32."""
    edit_weights(folder, lambda ts: {name: t.double() for name, t in ts.items()} | {D: ts[D].double() + 1 / 3})
    model, notes = load_checkpoint(folder)
    count = model.backbone.layers[0].mixer.D.numel()
    assert model.dtype == torch.float32 and same_weights(model, folder)
    assert notes == (
        f"stored in float64, run in float32, as config.json says: {count} "
        "weights are rounded, and all claims are about the "
        "float32 model",
    )
    status = main(["checkpoint", str(folder), "--language", "tomita-1", "--strings", "2", "--limit", "30"])
    assert status in (0, 1, 3) and "stored in float64, run in float32" in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.parametrize(
    "keys", [{"dtype": "bfloat16"}, {"torch_dtype": "bfloat16"}, {"torch_dtype": "torch.bfloat16"}]
)
def test_the_configuration_names_the_format(folder, keys):
    edit_config(folder, "dtype", **keys)
    model, notes = load_checkpoint(folder)
    assert model.dtype == torch.bfloat16 and "stored in float32, run in bfloat16" in notes[0]


def test_without_a_format_it_is_that_of_the_weights(folder):
    edit_config(folder, "dtype")
    edit_weights(folder, lambda tensors: {name: tensor.half() for name, tensor in tensors.items()})
    assert load_checkpoint(folder)[0].dtype == torch.float16 and load_checkpoint(folder)[1] == ()


def test_mixed_formats_are_said(folder):
    edit_weights(folder, lambda tensors: tensors | {D: tensors[D].half()})
    said = load_checkpoint(folder)[1][0].replace("float32 and float16", "float16 and float32")
    assert "stored in float16 and float32, run in float32" in said


def test_formats_that_contradict_or_do_not_exist_are_refused(folder):
    edit_config(folder, torch_dtype="float16")
    assert "dtype is float32, and torch_dtype is float16" in refused(folder)
    edit_config(folder, "torch_dtype", dtype="int8")
    assert "dtype is 'int8', expected one of float32, bfloat16" in refused(folder)


def test_a_weight_that_the_format_does_not_reach_is_named(folder):
    edit_config(folder, dtype="float16")
    edit_weights(folder, lambda tensors: tensors | {D: tensors[D] + 1e6})
    assert f"tensor {D}[0] is 1e+06, which is too large for float16" in refused(folder)


def test_quantised_models_are_refused(folder):
    edit_config(folder, quantization_config={"bits": 4})
    assert "the weights are quantised" in refused(folder)


# -- readings -----------------------------------------------------------------------------------------


def shift(folder, by):
    """All logits less ``by``: what cross-entropy does not see."""

    def lower(tensors):
        names = json.loads((folder / "coordinates.json").read_text())["residual"]
        assert names["0"] == "one"
        # A logit without an output is -64, all of it from this coordinate.
        tensors[HEAD][:, 0] *= 1 + by / 64

    edit_weights(folder, lower)


def report_of(folder, tmp_path, *arguments):
    file = tmp_path / "report.json"
    status = main(
        ["checkpoint", str(folder), "--language", "tomita-1", "--strings", "9", *arguments, "--json", str(file)]
    )
    return status, json.loads(file.read_text())


def test_a_model_that_is_right_by_probability_is_told_apart(folder, tmp_path, capsys):
    shift(folder, 100)
    status, report = report_of(folder, tmp_path)
    reason = report["random_test"]["reason"]
    assert status == 1 and "by probability (softmax) there is none on the same strings, see --answer softmax:" in reason
    option = reason.split("--answer ")[1].split(";")[0]
    status, report = report_of(folder, tmp_path, "--answer", option)
    assert status == 0 and report["outcomes"] == ["tested", "proved"]
    for name in ("random_test", "search"):
        assert f"an output is given where its probability (softmax) exceeds {option[8:]}" in report[name]["reason"]
    status, report = report_of(folder, tmp_path, "--answer", "logit:-100")
    assert status == 0 and "its logit exceeds -100" in report["search"]["reason"]


def test_no_reading_is_proposed_where_none_is_right(exported):
    machine = language("tomita-1").machine
    vocabulary = Vocabulary(machine.alphabet, (*machine.alphabet, EOS), [3, 4], 1, 2)
    model = SteppedMamba(HuggingFaceRunner(load_checkpoint(exported)[0]), vocabulary).by_full_forward
    proposed = right_by_probability(machine, model, [(), ("1",), ("1", "1")], PREDICTIVE)
    assert proposed is not None and proposed.kind == "softmax" and 0 < proposed.threshold < 0.5
    swapped = Vocabulary(machine.alphabet, (*machine.alphabet, EOS), [4, 3], 1, 2)
    model = SteppedMamba(HuggingFaceRunner(load_checkpoint(exported)[0]), swapped).by_full_forward
    assert right_by_probability(machine, model, [(), ("1",)], PREDICTIVE) is None


def test_a_reading_compares_numbers_as_they_are():
    """A threshold is not rounded to the logits' format."""
    logits = torch.tensor([[1.0, 0.0, -1.0]], dtype=torch.bfloat16)
    assert Reading("logit", 0.999).given(logits, [0, 1, 2]).tolist() == [[True, False, False]]
    assert Reading("logit", 1.001).given(logits, [0]).tolist() == [[False]]
    assert Reading("softmax", 0.2).given(logits, [0, 1, 2]).tolist() == [[True, True, False]]


@pytest.mark.parametrize(
    "text", ["", "logit", "logit:", "logit:x", "logit:nan", "softmax:1", "softmax:-1", "top:1", "logit:1_0"]
)
def test_other_readings_are_refused(exported, capsys, text):
    assert main(["checkpoint", str(exported), "--language", "tomita-1", "--answer", text]) == 2
    assert "expected logit:T with a number T, softmax:P with P from 0 to below 1, or top" in capsys.readouterr().err


# -- accuracy and gates -------------------------------------------------------------------------------


def test_the_witness_is_the_shortest_wrong_prefix_of_all():
    """The longer string is wrong earlier."""
    machine = language("dyck-2-3").machine
    words = [("(a", "a)", "(a", "(a"), ("(a", "(a", "a)", "a)", "(a", "a)")]
    result = accuracy(machine, Stepwise(bounded_dyck(2, 2)), words, PREDICTIVE, [10])
    assert result.witness.word == ("(a", "(a")


def test_the_audit_remembers_the_least_and_the_greatest_gate():
    model = stock_model(lower_to_mamba(flip_flop()))
    with GateAudit(model) as audit, torch.no_grad():
        for tokens in ([1, 3, 7, 5], [1]):
            model(torch.tensor([tokens]))
    assert [(layer.least, layer.greatest) for layer in audit.layers] == [(0.0, 1.0), (0.0, 1.0), (1.0, 1.0)]
