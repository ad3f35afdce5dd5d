"""What a configuration's gates allow: against the models that are built, the numbers of torch, and bad files."""

import json
import math
import re
import subprocess
import sys

import numpy as np
import pytest
from conftest import REPOSITORY

from automata.catalogue import language
from constructions.build import build
from constructions.compile.compiler import compile
from constructions.stock.gates import Gates, clamped_gates, sigmoid_gates
from constructions.stock.layer_kinds import layer_kinds
from constructions.target import MONOTONE, NONLINEAR, REFLECTION, TARGETS
from verify.__main__ import main
from verify.allowed import NEED_COUNTER, NEED_REGULAR, NEED_STAR_FREE, NEEDS, fading, of_config, of_path, of_range

STOCK = [name for name in TARGETS if hasattr(TARGETS.named(name), "architecture")]


def written(folder, **config):
    (folder / "config.json").write_text(json.dumps(config))
    return str(folder / "config.json")


@pytest.mark.parametrize("target", STOCK)
def test_what_is_built_has_the_gates_that_its_configuration_says(target):
    able = TARGETS.named(target)
    pytest.importorskip("transformers")
    built = build(compile(language("flipflop").machine, target=target), target)
    found = of_config(able, built.weights.config)
    assert NEED_STAR_FREE in found.allows and (NEED_REGULAR in found.allows) == (able.motion == REFLECTION)
    assert found.gates.greatest == 1 and found.gates.least == (-1 if able.motion == REFLECTION else 0)


@pytest.mark.parametrize(
    "target, config, least, greatest, allows",
    [
        ("xlstm", {}, 3.0590223332183086e-07, 0.9999997, set()),
        ("xlstm", {"gate_soft_cap": 1024}, 0, 1, {NEED_STAR_FREE, NEED_COUNTER}),
        ("xlstm", {"gate_soft_cap": 50.0}, None, 1, {NEED_COUNTER}),
        ("mamba2", {}, 0, 1, {NEED_STAR_FREE, NEED_COUNTER}),
        ("mamba2", {"dtype": "bfloat16"}, 0, 1, {NEED_STAR_FREE}),
        ("mamba2", {"dtype": "float64"}, 0, 1, set()),
        ("bamba", {"time_step_limit": [0.001, 0.1]}, 0, 1, {NEED_COUNTER}),
        ("bamba", {"time_step_limit": [0.0, {"__float__": "Infinity"}]}, 0, 1, {NEED_STAR_FREE, NEED_COUNTER}),
        ("nemotron_h", {}, 0, 1, {NEED_STAR_FREE}),
        ("olmo_hybrid", {}, -1, 1, {NEED_STAR_FREE, NEED_REGULAR}),
        ("olmo_hybrid", {"linear_allow_neg_eigval": False}, 0, 1, {NEED_STAR_FREE}),
        ("rwkv", {}, 0, 1, {NEED_STAR_FREE}),
        ("rwkv", {"torch_dtype": "float16"}, 0, 1, set()),
    ],
)
def test_configurations(target, config, least, greatest, allows):
    found = of_config(TARGETS.named(target), config)
    assert set(found.allows) == allows and not set(found.allows) & set(found.lacks)
    assert least is None or found.gates.least == least
    assert found.gates.greatest == np.float32(greatest)


DEFAULTS = {
    "mamba": "010",
    "mamba2": "010",
    "bamba": "010",
    "granitemoehybrid": "010",
    "falcon_h1": "010",
    "nemotron_h": "011",
    "recurrent_gemma": "010",
    "qwen3_next": "010",
    "qwen3_5_text": "010",
    "kimi_linear": "011",
    "bailing_hybrid": "011",
    "falcon_mamba": "011",
    "jamba": "011",
    "zamba": "011",
    "zamba2": "011",
    "xlstm": "111",
    "rwkv": "011",
    "olmo_hybrid": "001",
    "relu-rnn": "001",
    "tanh-rnn": "001",
    "gru": "001",
    "lstm": "000",
}
"""The exit status for star-free, regular, counter, of the configuration that transformers has by default."""


@pytest.mark.parametrize("target", [n for n in TARGETS if TARGETS.named(n).numbers == "dtype" and n != "mamba-ssm"])
def test_every_family_by_its_default_configuration_in_one_line(target, tmp_path, capsys):
    if target in STOCK or target == "mamba":
        auto = pytest.importorskip("transformers").AutoConfig
        (tmp_path / "config.json").write_text(auto.for_model(target).to_json_string(use_diff=False))
    else:
        written(tmp_path, model_type=target)
    statuses = [main(["gates", str(tmp_path), "--quiet", "--needs", need]) for need in NEEDS]
    assert "".join(map(str, statuses)) == DEFAULTS[target]
    out, err = capsys.readouterr()
    assert err == "" and out.count("\n") == 3
    for line, need, status in zip(out.splitlines(), NEEDS, statuses):
        assert re.search(rf"{need}: (no|not known): " if status else rf"; allows {need}$", line)
        assert ("no gates" in line) == (TARGETS.named(target).motion == NONLINEAR)


def test_a_reflection_that_is_not_allowed_is_none():
    assert "over the reals" in of_config(TARGETS.named("olmo_hybrid"), {"linear_allow_neg_eigval": False}).at_most
    assert of_config(TARGETS.named("gru"), {}).motion == NONLINEAR


@pytest.mark.parametrize(
    "least, greatest, invariant, allows",
    [
        (0, 1, False, {NEED_STAR_FREE, NEED_COUNTER}),
        (-1, 1, False, {NEED_STAR_FREE, NEED_COUNTER}),
        (-1, 1, True, {NEED_COUNTER}),
        (0, 0.99, False, set()),
        (0.01, 1, False, {NEED_COUNTER}),
        (0, 0.99999999, False, {NEED_STAR_FREE, NEED_COUNTER}),  # which is 1 in float32
    ],
)
def test_ranges(least, greatest, invariant, allows):
    found = of_range(least, greatest, invariant)
    assert set(found.allows) == allows
    assert (found.motion == MONOTONE) == (least >= 0)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
def test_fading_by_multiplying(kept):
    steps, left = 0, 1.0
    while left >= 2.0**-24:
        left, steps = left * kept, steps + 1
    assert abs(fading(kept) - steps) <= 1


def test_thresholds_are_those_of_torch():
    torch = pytest.importorskip("torch")

    def gate(cap, x):
        return float(torch.exp(torch.nn.functional.logsigmoid(cap * torch.tanh(torch.tensor(x) / cap))))

    for cap in (1.0, 15.0, 17.0, 20.0, 90.0, 104.0, 1024.0):
        gates = sigmoid_gates(cap, "cap")
        assert math.isclose(gates.least, gate(cap, -1e9), rel_tol=1e-5, abs_tol=1e-44)
        assert (gates.least == 0) == (gate(cap, -1e9) == 0)
        assert math.isclose(gates.greatest, gate(cap, 1e9), rel_tol=1e-6)
        assert (gates.greatest == 1) == (gate(cap, 1e9) == 1)
    exp = torch.exp(torch.tensor([-104.0, -(2.0**-25), -(2.0**-24)]))
    assert exp.tolist()[:2] == [0, 1] and exp[2] < 1


def test_a_clamp_allows_both_only_where_it_is_wide():
    assert clamped_gates(1.0, math.inf, "limit").switches
    assert clamped_gates(1.0, 104 * 2.0**25, "limit").switches
    assert not clamped_gates(1.0, 104 * 2.0**24, "limit").switches
    assert clamped_gates(0.0, 0.0, "limit") == Gates(1.0, 1.0, False, True, notes=clamped_gates(0, 0, "limit").notes)


@pytest.mark.parametrize("target", ["recurrent_gemma", "rwkv", "mamba2", "mamba"])
def test_weights_of_a_checkpoint(target, tmp_path):
    pytest.importorskip("transformers")
    built = build(compile(language("flipflop").machine, target=target), target).save(tmp_path / "model")
    found = of_path(tmp_path / "model")
    expected = {"recurrent_gemma": (0, 1), "rwkv": (0, 0), "mamba": (0, 1)}
    assert (expected[target] in found.layers) if target in expected else found.layers == ()
    assert found.seen == (target == "mamba")
    if target == "rwkv":
        assert len(found.layers) == built.weights.layers


@pytest.mark.parametrize(
    "config, gated, layers",
    [
        ({"model_type": "qwen3_next", "num_hidden_layers": 8}, 6, 8),
        ({"model_type": "qwen3_next", "num_hidden_layers": 1, "layer_types": ["full_attention"]}, 0, 1),
        ({"model_type": "recurrent_gemma", "block_types": ["attention"], "num_hidden_layers": 5}, 0, 5),
        ({"model_type": "nemotron_h", "hybrid_override_pattern": "M*M-"}, 2, 4),
        ({"model_type": "jamba", "attn_layer_offset": 0, "attn_layer_period": 1, "num_hidden_layers": 3}, 0, 3),
        ({"model_type": "falcon_h1", "num_hidden_layers": 3}, 3, 3),
        ({"model_type": "mamba", "num_hidden_layers": 0}, None, "num_hidden_layers is 0, expected 1 or more"),
        ({"model_type": "rwkv", "num_hidden_layers": 3}, 3, 3),
        ({"model_type": "xlstm", "num_blocks": 3, "num_hidden_layers": 3}, 3, 3),
        ({"model_type": "mamba", "hidden_size": -3}, None, "hidden_size is -3, expected 1 or more"),
        ({"model_type": "mamba", "hidden_size": "8"}, None, "Field 'hidden_size' expected int, got str (value: '8')"),
        ({"model_type": "mamba", "num_hidden_layers": 10**12}, None, "num_hidden_layers is 1000000000000, more than"),
        ({"model_type": "mamba", "n_layer": 10**30}, None, "n_layer is 1000000000000000000000000000000, more than"),
        ({"model_type": "nemotron_h", "hybrid_override_pattern": "MxM"}, None, "transformers does not take it"),
    ],
)
def test_layers_with_gates_are_those_of_the_configuration(config, gated, layers, tmp_path, capsys):
    pytest.importorskip("transformers")
    path = written(tmp_path, **config)
    status = main(["gates", path, "--json", str(tmp_path / "report.json"), "--needs", "star-free"])
    out, err = capsys.readouterr()
    if gated is None:
        assert status == 2 and f"config.json: {layers}" in err.replace("transformers does not take it: Field", "Field")
        assert err.count("\n") == 1 and not (tmp_path / "report.json").exists()
        return
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["gates"]["layers_with_gates"], report["gates"]["layers_in_all"]) == (gated, layers)
    assert f"{gated} of {layers} have gates" in out
    allows = of_config(TARGETS.named(config["model_type"]), config).allows
    assert status == (0 if gated and NEED_STAR_FREE in allows else 1)
    assert (f"none of its {layers} layers has a gate" in out) == (not gated)


def test_what_transformers_remarks_on_a_configuration_is_not_printed(tmp_path):
    """In a process of its own, as transformers writes to the stream that it has found at first."""
    pytest.importorskip("transformers")
    path = written(tmp_path, model_type="qwen3_next", rope_scaling={"type": "unheard of", "factor": 2})
    command = [sys.executable, "-m", "verify", "gates", path, "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.count("\n") == 1


def test_without_transformers_no_layer_is_counted(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "transformers", None)
    path = written(tmp_path, model_type="recurrent_gemma", block_types=["attention"])
    assert main(["gates", path]) == 0
    assert "have gates" not in capsys.readouterr().out and layer_kinds("mamba", {}) is None


def test_the_command_and_its_status(tmp_path, capsys):
    path = written(tmp_path, model_type="xlstm")
    assert main(["gates", path, "--quiet", "--needs", "star-free"]) == 1
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and "no gate is exactly 0" in out
    path = written(tmp_path, model_type="xlstm", gate_soft_cap=1024.0)
    assert main(["gates", path, "--needs", "star-free"]) == 0
    assert "Theorem 2" in capsys.readouterr().out
    path = written(tmp_path, model_type="qwen3_5", text_config={"model_type": "qwen3_5_text"})
    assert main(["gates", str(tmp_path), "--needs", "counter", "--quiet"]) == 0
    assert main(["gates", str(tmp_path), "--needs", "regular", "--quiet"]) == 1
    for given in (["--range=-1,1"], ["--range", "-1,1"]):
        assert main(["gates", *given, "--time-invariant"]) == 0
        assert "no PARITY" in capsys.readouterr().out


@pytest.mark.parametrize(
    "config, message",
    [
        ({"model_type": "gpt2"}, "the architecture is 'gpt2'"),
        ({"model_type": ["mamba"]}, "the architecture is"),
        ({}, "the architecture is 'None'"),
        ({"model_type": "xlstm", "gate_soft_cap": "15"}, "gate_soft_cap is '15', expected a number"),
        ({"model_type": "xlstm", "gate_soft_cap": 10**400}, "gate_soft_cap is a number of 401 digits"),
        ({"model_type": "xlstm", "gate_soft_cap": float("nan")}, "gate_soft_cap is 'nan'"),
        ({"model_type": "mamba2", "time_step_limit": [1]}, "time_step_limit is '[1]', expected two numbers"),
        ({"model_type": "mamba2", "time_step_limit": [2, 1]}, "time_step_limit goes from 2 down to 1"),
        ({"model_type": "mamba2", "time_step_limit": [True, 1]}, "time_step_limit is 'True'"),
        ({"model_type": "olmo_hybrid", "linear_allow_neg_eigval": 2}, "linear_allow_neg_eigval is '2'"),
    ],
)
def test_bad_configurations_are_one_line(config, message, tmp_path, capsys):
    path = written(tmp_path, **config)
    assert main(["gates", path]) == 2
    err = capsys.readouterr().err
    assert message in err and "config.json" in err and err.count("\n") == 1 and len(err) <= 400


@pytest.mark.parametrize(
    "words, message",
    [
        ([], "name one config.json or folder"),
        (["x", "--range=0,1"], "name one config.json or folder"),
        (["x", "--time-invariant"], "--time-invariant: goes with --range"),
        (["--range=0"], "expected two numbers with a comma"),
        (["--range=1,0"], "expected the least and the greatest gate"),
        (["--range=nan,1"], "expected the least and the greatest gate"),
        (["nowhere"], "nowhere"),
    ],
)
def test_bad_words_are_one_line(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["gates", *words]) == 2
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1


def test_what_is_no_configuration(tmp_path, capsys):
    for text in ("[1]", "{", "\x00", '{"model_type": "xlstm"', "[" * 100_000):
        (tmp_path / "config.json").write_text(text)
        assert main(["gates", str(tmp_path)]) == 2
    assert main(["gates", str(tmp_path / "other")]) == 2
    (tmp_path / "empty").mkdir()
    assert main(["gates", str(tmp_path / "empty")]) == 2
    assert capsys.readouterr().err.count("\n") == 7


def test_the_report_does_not_take_the_place_of_the_configuration(tmp_path, capsys):
    path = written(tmp_path, model_type="mamba2")
    assert main(["gates", path, "--json", path]) == 2
    assert "--json" in capsys.readouterr().err and json.loads(open(path).read()) == {"model_type": "mamba2"}


def test_each_target_has_a_row():
    rows = (REPOSITORY / "docs" / "targets.md").read_text().split("\n## ")[0]
    assert set(TARGETS) == set(re.findall(r"`([a-z0-9_-]+)`", " ".join(re.findall(r"^\| (`.*?) \|", rows, re.M))))


def test_an_architecture_is_a_file_and_programs_know_none():
    packages = REPOSITORY / "constructions"
    names = set(TARGETS) - {"ssm", "mamba", "rwkv"} | {"mamba2", "transformers"}
    for file in (packages / "program").glob("*.py"):
        assert not [name for name in names if name in file.read_text().lower()], file
