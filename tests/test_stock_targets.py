"""Stock architectures of transformers as targets: proved through their own caches, saved, loaded, corrupted."""

import dataclasses
import json
import re

import numpy as np
import pytest

from automata.catalogue import LANGUAGES, language
from automata.errors import InputError, LimitError
from automata.machine import MODES
from automata.machines.counter_machine import CounterMachine
from constructions.build import build
from constructions.compile.compiler import ADD, PERMUTE, NotExpressible, compile, counters_of
from constructions.compile.smaller import Limits
from constructions.program.planner import plan
from constructions.stock.sizes import KERNEL_CHANNELS
from constructions.stock.target import StockTarget
from constructions.target import FORWARD, PREFILL, REFLECTION, TARGETS
from verify.__main__ import main
from verify.claim import Claim
from verify.evidence.sampling import check_words, random_words
from verify.proving import prove_claim

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

STOCK = [name for name in TARGETS if isinstance(TARGETS.named(name), StockTarget)]


def proved(name, mode, target, dtype="float32", corrupt=lambda weights: weights, limit=20_000):
    machine = language(name).machine
    construction = compile(machine, mode, target=target, dtype=dtype)
    built = build(construction, target, dtype=dtype)
    built = dataclasses.replace(built, weights=corrupt(built.weights))
    with built.running() as model:
        verdict = prove_claim(Claim(machine, mode, model, built.weights, construction, limit))
        words = list(random_words(machine, 10, 40, np.random.default_rng(0)))
        return verdict, check_words(machine, model.by_full_forward, words, mode)


@pytest.mark.parametrize("target", STOCK)
@pytest.mark.parametrize("name, mode", [("flipflop", "predictive"), ("tomita-4", "recognise")])
def test_proved_by_its_own_steps_and_right_by_full_forward(name, mode, target):
    verdict, forward = proved(name, mode, target)
    assert verdict.outcome == "proved" and verdict.horizon is None
    assert forward.outcome == "tested"
    # Read at once the model gives the same bits, on the strings that were tried.
    of = {way.name: way for way in verdict.ways}
    assert all((of[name].outcome, of[name].strings, of[name].same) == ("tested", 3, 3) for name in (PREFILL, FORWARD))


# A recogniser of Dyck has thousands of joint states, each of which is stepped: a predictor has hundreds.
SMALL = ("flipflop", "tomita-1", "tomita-2", "tomita-4", "tomita-7", "d-2", "d-4")
PAPER = [*((name, mode) for name in SMALL for mode in MODES), ("dyck-2-3", "predictive"), ("dyck-2-5", "predictive")]


@pytest.mark.slow
@pytest.mark.parametrize("target", STOCK)
@pytest.mark.parametrize("name, mode", PAPER)
def test_proved_on_the_languages_of_the_paper(name, mode, target):
    for dtype in TARGETS.named(target).architecture.dtypes:
        verdict, forward = proved(name, mode, target, dtype, limit=200_000)
        assert verdict.outcome == "proved", (dtype, verdict)
        assert forward.outcome == "tested", (dtype, forward)


@pytest.mark.parametrize("target", ["mamba2", "qwen3_next", "rwkv"])
def test_a_weight_that_matters_is_refuted_when_its_sign_is_wrong(target):
    def corrupt(weights):
        name = next(name for name in weights.tensors if "head" in name)
        return dataclasses.replace(weights, tensors={**weights.tensors, name: -weights.tensors[name]})

    verdict, _ = proved("flipflop", "predictive", target, corrupt=corrupt)
    assert verdict.outcome == "refuted"


@pytest.mark.parametrize("target", ["bamba", "recurrent_gemma"])
def test_attention_at_work_is_refused(target):
    def corrupt(weights):
        name = next(name for name in weights.tensors if "o_proj.weight" in name)
        return dataclasses.replace(weights, tensors={**weights.tensors, name: weights.tensors[name] + 1})

    with pytest.raises(InputError, match=r"is at work: .*o_proj\.weight is not zero"):
        proved("flipflop", "predictive", target, corrupt=corrupt)


@pytest.mark.parametrize("target", STOCK[:3])
def test_what_has_groups_is_refused_with_the_register(target):
    with pytest.raises(NotExpressible, match="permutes its values as no nonnegative gate can"):
        compile(language("parity").machine, target=target)


@pytest.mark.parametrize("target", STOCK)
def test_every_language_has_a_program_or_is_refused_by_its_register(target):
    able = TARGETS.named(target)
    for known in LANGUAGES.values():
        for mode in MODES:
            try:
                cascade = compile(known.machine, mode, target=target).cascade
            except NotExpressible as refusal:
                counts = isinstance(known.machine, CounterMachine) and "counts" in refusal.reason
                assert counts and ADD not in able.abilities or known.star_free is False
            else:
                assert known.star_free is not False or PERMUTE in able.abilities
                assert plan(cascade, able.architecture.offer).outputs == cascade.outputs


@pytest.mark.parametrize("target", STOCK)
def test_convolved_channels_suit_the_official_kernel(target):
    able = TARGETS.named(target)
    for name in ("flip-flop", "tomita-7", "d-2", "d-4", "dyck-2-3", "abab-star"):
        if able.motion != REFLECTION and language(name).star_free is False:
            continue
        program = plan(compile(language(name).machine, target=target).cascade, able.architecture.offer)
        tensors = able.architecture.weights(program, "float32")[1]
        channels = {len(tensor) for key, tensor in tensors.items() if "conv" in key and key.endswith("weight")}
        assert all(number % KERNEL_CHANNELS == 0 for number in channels), (name, channels)


def test_the_card_says_where_a_counter_does_not_count(tmp_path, capsys):
    def card_of(name: str, target: str) -> str:
        folder = tmp_path / f"{name}-{target}"
        assert main(["export", name, "--target", target, "--to", str(folder), "--strings", "10", "--quiet"]) == 0
        return (folder / "README.md").read_text()

    assert "on CUDA it is 1" in card_of("dyck-2-3", "recurrent_gemma")
    assert "CUDA" not in card_of("flip-flop", "recurrent_gemma") + card_of("dyck-2-3", "mamba2")


@pytest.mark.parametrize("target", ["mamba2", "bamba", "recurrent_gemma", "kimi_linear", "xlstm", "rwkv"])
def test_a_saved_folder_is_loaded_by_transformers_alone(target, tmp_path):
    machine = language("flipflop").machine
    built = build(compile(machine, target=target), target).save(tmp_path / "model")
    model, report = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "model", output_loading_info=True)
    assert not any(report[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    for name, tensor in model.state_dict().items():
        assert np.array_equal(tensor.double().numpy(), built.weights.tensors[name]), name
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "model")
    assert tokenizer("w 0")["input_ids"][0] == tokenizer.bos_token_id


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_a_format_in_which_it_is_not_exact_is_refused(dtype):
    machine = language("flipflop").machine
    with pytest.raises(InputError, match=f"--dtype {dtype}: mamba2 is exact in float32, bfloat16"):
        build(compile(machine, target="mamba2"), "mamba2", dtype=dtype)


@pytest.mark.parametrize("target", ["bamba", "recurrent_gemma", "rwkv", "gru"])
def test_check_proves_a_saved_folder_again_and_refutes_it_of_another_language(target, tmp_path, capsys):
    folder = str(tmp_path / "model")
    assert main(["export", "tomita-1", "--target", target, "--to", folder, "--strings", "3", "--quiet"]) == 0
    assert main(["check", folder, "--strings", "3", "--bins", "20"]) == 0
    assert "the search over caches closed: every length" in " ".join(capsys.readouterr().out.split())
    assert main(["check", folder, "tomita-2", "--strings", "3", "--bins", "20"]) == 1


def broken(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    config.update(changes)
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    "target, changes, message",
    [
        ("mamba2", {"model_type": "gpt2"}, "the architecture is 'gpt2', expected one of mamba, mamba2"),
        ("mamba2", {"num_hidden_layers": 9}, "lacks tensor .backbone.layers.[1-8]"),
        ("mamba2", {"hidden_size": 10**9}, "does not have the shape|config.json"),
        ("mamba2", {"num_heads": "many"}, "config.json"),
        ("mamba2", {"dtype": "complex64"}, "dtype is 'complex64'"),
        ("bamba", {"model_type": "mamba2"}, "config.json|tensor"),
        ("gru", {"model_type": "lstm"}, "has the shape"),
    ],
)
def test_a_folder_that_was_edited_is_refused_in_one_line(target, changes, message, tmp_path, capsys):
    machine = language("tomita-1").machine
    build(compile(machine, target=target), target).save(tmp_path / "model")
    broken(tmp_path / "model", **changes)
    assert main(["check", str(tmp_path / "model"), "tomita-1", "--strings", "3"]) == 2
    line = capsys.readouterr().err
    assert re.search(message, line) and line.count("\n") == 1


def test_bfloat16_counts_below_256_and_no_further():
    with pytest.raises(InputError, match="register 'depth' counts to 256, and bfloat16 counts exactly below 256"):
        build(compile(language("dyck-1-256").machine, "predictive", target="mamba2"), "mamba2", dtype="bfloat16")
    counting = build(compile(language("anbn").machine, "predictive", target="mamba2"), "mamba2", dtype="bfloat16")
    longest = counting.target.longest(counting.weights, counting.construction, 1000)
    assert longest < 256 and counting.target.longest(counting.weights, counting.construction, 20) == 20
    machine = language("anbn").machine
    with counting.running() as model:
        words = [["a"] * (longest // 2) + ["b"] * (longest // 2)]
        assert check_words(machine, model, words, "predictive").outcome == "tested"
        beyond = [["a"] * 600 + ["b"] * 400]
        assert check_words(machine, model.by_full_forward, beyond, "predictive").outcome == "refuted"
        claim = Claim(machine, "predictive", model, counting.weights, counting.construction)
        verdict = prove_claim(claim)
        assert verdict.outcome == "proved" and verdict.horizon == longest == 126
        assert "as far as counters are certainly exact" in verdict.reason


@pytest.mark.parametrize("target", ["recurrent_gemma", "qwen3_next", "qwen3_5_text"])
def test_where_a_format_does_not_count_the_next_cascade_is_taken(target):
    machine = language("d-4").machine
    assert compile(machine, "predictive", target=target).route == "counter"
    found = compile(machine, "predictive", target=target, dtype="bfloat16")
    assert found.route == "quotient" and not counters_of(found.cascade)
    refusal = f"register 'count' counts, which {target} does in float32 only, not in bfloat16"
    assert found.reason.endswith(f"; by the route counter {refusal}")
    # The cascade that was compiled for another format is refused, and so is a language that has no other.
    with pytest.raises(NotExpressible, match=refusal):
        build(compile(machine, "predictive", target=target), target, dtype="bfloat16")
    with pytest.raises(NotExpressible, match=f"register '.*' counts, which {target} does in float32 only"):
        compile(language("anbn").machine, "predictive", target=target, dtype="bfloat16")
    with pytest.raises(NotExpressible, match=f"register 'depth' counts, which {target} does in float32 only"):
        compile(language("dyck-2-3").machine, "predictive", "paper", target=target, dtype="bfloat16")


def test_and_is_proved():
    verdict, forward = proved("d-3", "predictive", "qwen3_next", "bfloat16")
    assert verdict.outcome == "proved" and verdict.horizon is None and forward.outcome == "tested"


@pytest.mark.parametrize("target", ["mamba", "mamba2"])
def test_a_format_holds_counters_as_far_as_it_counts(target):
    holds = TARGETS.named(target).cannot_hold
    assert holds(compile(language("dyck-1-255").machine).cascade, "bfloat16") is None
    beyond = compile(language("dyck-1-256").machine).cascade
    assert str(holds(beyond, "bfloat16")) == "register 'depth' counts to 256, and bfloat16 counts exactly below 256"
    assert holds(beyond, "float32") is None


def test_what_stops_the_other_routes_is_said_too():
    with pytest.raises(LimitError, match="^register 'depth' counts, .*; by other routes .*raise the limit") as refused:
        none = Limits(image_sets=2, thorough=1)
        compile(language("dyck-2-3").machine, target="qwen3_next", dtype="bfloat16", limits=none)
    assert refused.value.limit == "image-sets"


def test_a_format_that_a_target_does_not_have_is_refused_before_other_cascades_are_looked_for():
    with pytest.raises(InputError, match="--dtype float16: qwen3_next is exact in float32, bfloat16, float64"):
        compile(language("d-4").machine, target="qwen3_next", dtype="float16")


def test_a_search_over_counters_ends_and_says_why(monkeypatch):
    monkeypatch.setattr("verify.checkpoints.counting.UNCLOSED", 50)
    monkeypatch.setattr("verify.checkpoints.counting.prove_along_lines", lambda *given, **how: "no lines")
    machine = language("anbn").machine
    counting = build(compile(machine, "predictive", target="mamba2"), "mamba2")
    with counting.running() as model:
        claim = Claim(machine, "predictive", model, counting.weights, counting.construction, 300)
        verdict = prove_claim(claim)
    assert verdict.outcome == "undecided" and 50 < verdict.explored["joint states"] < 60
    assert verdict.reason.startswith("cannot close: a counter has infinitely many values; gave up at")
    assert verdict.reason.endswith("; no lines")
