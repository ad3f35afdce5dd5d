"""Compiled Mambas in Hugging Face transformers: proofs on their own caches, agreement to the bit, corruptions."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from hypothesis import given, settings  # noqa: E402

from automata.catalogue import LANGUAGES, language  # noqa: E402
from automata.machine import MODES, PREDICTIVE, RECOGNISE  # noqa: E402
from constructions.compile.compiler import compile  # noqa: E402
from constructions.mamba.ballast import GIANT  # noqa: E402
from constructions.mamba.certificate import certify  # noqa: E402
from constructions.mamba.huggingface import HuggingFaceRunner, stepped, stock_model  # noqa: E402
from constructions.mamba.lowering import lower_to_mamba  # noqa: E402
from constructions.mamba.precision import PRECISIONS  # noqa: E402
from constructions.mamba.reference import Reference  # noqa: E402
from constructions.mamba.stepping import SteppedMamba, Vocabulary  # noqa: E402
from constructions.mamba.surroundings import quiet  # noqa: E402
from constructions.mamba.target import MAMBA  # noqa: E402
from constructions.mamba.weights import BOS_TOKEN, FIRST_SYMBOL, PAD  # noqa: E402
from verify.checkpoints import search  # noqa: E402
from verify.checkpoints.checkpoint_search import UNCLOSED  # noqa: E402
from verify.checkpoints.search import prove_mamba  # noqa: E402
from verify.evidence.released import FOLDERS, check_released, read_released  # noqa: E402
from verify.evidence.sampling import check_words, random_words  # noqa: E402
from verify.methods.bisimulation import bisimulation  # noqa: E402
from verify.testing.strategies import cascades  # noqa: E402
from verify.verdict import PROVED, REFUTED, TESTED, UNDECIDED  # noqa: E402

STAR_FREE = [known.name for known in LANGUAGES.values() if known.star_free]
HALF_FORMATS = ("bfloat16", "float16")


@pytest.fixture(autouse=True)
def no_remarks(one_thread):
    with quiet():
        yield


def prove(name, mode=PREDICTIVE, dtype="float32", norm=None):
    known = language(name)
    cascade = compile(known.machine, mode, target="mamba").cascade
    weights = lower_to_mamba(cascade, dtype, norm)
    with MAMBA.running(weights) as model:
        return prove_mamba(known.machine, cascade, weights, model, limit=60_000)


# -- the constants ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRECISIONS)
def test_the_nonlinearities_are_exact_at_the_scale(name):
    """For every whole multiple of S that a pre-activation takes, in vectorised and in scalar kernels."""
    scale = PRECISIONS[name].scale
    for count in (1, 64):
        n = torch.arange(-8, 9).repeat_interleave(count)
        x = (n * scale).to(getattr(torch, name))
        relu = torch.clamp(x, min=0)
        assert torch.equal(torch.nn.functional.silu(x), relu)
        on = n != 0
        delta = torch.nn.functional.softplus(x[on])
        assert torch.equal(delta, relu[on])
        assert torch.equal(torch.exp(-delta.float()), (delta == 0).float())


# -- proofs by closed search --------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", *HALF_FORMATS])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [name for name in STAR_FREE if name != "d-12"])
def test_star_free_languages_are_proved(name, mode, dtype):
    verdict = prove(name, mode, dtype)
    assert verdict.outcome == PROVED and verdict.horizon is None
    assert "closed" in verdict.reason and "1 thread, each layer on each different input" in verdict.reason


def test_every_length_takes_a_search_that_closes_within_the_horizon(monkeypatch):
    """A counter may leave what is exact even where the cascade says that it is bounded: the weights are not it."""
    verdict = prove("d-12", dtype="bfloat16")
    assert verdict.horizon is None and "as none can within 64 symbols, which are enough" in verdict.reason
    monkeypatch.setattr(search, "certify", lambda weights: replace(certify(weights), greatest=9, horizon=9))
    verdict = prove("d-12", dtype="bfloat16")
    assert verdict.outcome == PROVED and verdict.horizon == 9 and "every string of up to 9 symbols" in verdict.reason
    assert "which are enough" not in verdict.reason


@pytest.mark.slow
@pytest.mark.parametrize("mode, states", [(PREDICTIVE, 48), (RECOGNISE, 49_123)])
def test_d_12_is_proved(mode, states):
    verdict = prove("d-12", mode)
    assert verdict.outcome == PROVED and verdict.explored["joint states"] == states


@pytest.mark.parametrize("name, states", [("dyck-2-3", 123), ("dyck-3-2", 112), ("dyck-1-5", 20), ("dyck-2-5", 867)])
@pytest.mark.parametrize("dtype", PRECISIONS)
def test_bounded_dyck_is_proved_predictive(name, states, dtype):
    verdict = prove(name, PREDICTIVE, dtype)
    assert verdict.outcome == PROVED and verdict.horizon is None and verdict.explored["joint states"] == states


def test_bounded_dyck_is_proved_recognised():
    verdict = prove("dyck-2-3", RECOGNISE)
    assert verdict.outcome == PROVED and verdict.explored["machine states"] == 16


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("norm", [None, GIANT])
def test_every_format_and_norm_is_proved(dtype, norm):
    assert prove("flip-flop", RECOGNISE, dtype, norm).outcome == PROVED


def test_counters_are_proved_up_to_the_horizon_or_not_at_all(monkeypatch):
    """A search that stopped before the certified horizon proves nothing, however long its strings."""
    verdict = prove("anbn", dtype="bfloat16")
    assert verdict.outcome == PROVED and verdict.horizon == 128 and "every string of up to 128" in verdict.reason
    monkeypatch.setattr("verify.checkpoints.search.prove_along_lines", lambda *given, **how: "no lines")
    verdict = prove("shuffle-2")
    assert verdict.outcome == UNDECIDED and verdict.horizon is None
    assert UNCLOSED < verdict.explored["joint states"] < 2 * UNCLOSED
    assert re.search(r"gave up at .* no disagreement on strings of up to 17 symbols", verdict.reason)


@settings(max_examples=60)
@given(cascades(counters=False))
def test_random_cascades_are_proved(cascade):
    with quiet():
        model = stepped(lower_to_mamba(cascade), batch=32)
    assert bisimulation(cascade, model, cascade.mode, limit=5000).outcome == PROVED


# -- the running model is the equations ---------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_model_is_the_reference(dtype):
    """Caches and logits of every step, against NumPy."""
    weights = lower_to_mamba(compile(language("dyck-2-5").machine, PREDICTIVE, target="mamba").cascade, dtype)
    reference, runner = Reference(weights), HuggingFaceRunner(stock_model(weights))
    tokens = np.random.default_rng(1).integers(FIRST_SYMBOL, weights.vocabulary, (5, 20))
    tokens[:, 0] = BOS_TOKEN
    caches = reference.empty(5)
    with torch.no_grad():
        for t in range(tokens.shape[1]):
            caches, logits, _ = reference.step(caches, tokens[:, t])
            given = (runner.step if t else runner.start)(torch.from_numpy(tokens[:, t : t + 1]))
            assert np.array_equal(given.numpy(), logits)
            for (conv, scan), cache in zip(runner.caches(), caches):
                assert np.array_equal(conv.numpy(), cache.conv) and np.array_equal(scan.numpy(), cache.scan)


# -- agreement to the bit -----------------------------------------------------------------------------


def bits(tensor):
    """The tensor as bytes: -0 and 0 differ."""
    return tensor.contiguous().flatten().view(torch.uint8)


def same(one, other):
    """Logits and caches of two results, bit for bit."""
    (logits, caches), (other_logits, other_caches) = one, other
    pairs = [(logits, other_logits), *((a, b) for x, y in zip(caches, other_caches) for a, b in zip(x, y))]
    return all(a.dtype == b.dtype and a.shape == b.shape and torch.equal(bits(a), bits(b)) for a, b in pairs)


def caches_of(result, rows=slice(None)):
    return [
        (layer.conv_states[0][rows].clone(), layer.recurrent_states[0][rows].clone())
        for layer in result.cache_params.layers
    ]


def decode(model, tokens, prefill):
    """The first tokens at once, the others one by one."""
    result = model(tokens[:, :prefill], use_cache=True)
    logits = [result.logits]
    for t in range(prefill, tokens.shape[1]):
        result = model(tokens[:, t : t + 1], cache_params=result.cache_params, use_cache=True)
        logits.append(result.logits)
    return torch.cat(logits, dim=1), caches_of(result)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize(
    "name, norm", [("flip-flop", None), ("flip-flop", GIANT), ("dyck-2-5", None), ("shuffle-2", None), ("d-4", None)]
)
def test_forward_prefill_decoding_batches_and_padding_agree_bit_for_bit(name, norm, dtype):
    known, length, rng = language(name), 40, np.random.default_rng(0)
    weights = lower_to_mamba(compile(known.machine, PREDICTIVE, target="mamba").cascade, dtype, norm)
    model, index = stock_model(weights), {symbol: FIRST_SYMBOL + i for i, symbol in enumerate(known.alphabet)}
    words = [word[:length] for word in random_words(known.machine, 64, length, rng)]
    # Every row is as long: short words go on with arbitrary symbols.
    tokens = torch.from_numpy(rng.integers(FIRST_SYMBOL, weights.vocabulary, (64, length + 1)))
    for row, word in enumerate(words):
        tokens[row, : len(word) + 1] = torch.tensor([BOS_TOKEN, *(index[symbol] for symbol in word)])
    with torch.no_grad():
        result = model(tokens, use_cache=True)
        full = result.logits, caches_of(result)
        assert same(full, decode(model, tokens, 1)) and same(full, decode(model, tokens, length // 2))
        starts = rng.integers(0, length, 64)
        shifted, mask = torch.full_like(tokens, PAD), torch.zeros_like(tokens)
        for row, start in enumerate(starts):
            shifted[row, start:], mask[row, start:] = tokens[row, : length + 1 - start], 1
        padded = model(shifted, attention_mask=mask, use_cache=True)
        for row in range(0, 64, 9):
            alone = model(tokens[row : row + 1], use_cache=True)
            assert same(
                (full[0][row : row + 1], caches_of(result, slice(row, row + 1))), (alone.logits, caches_of(alone))
            )
            start = starts[row]
            short = model(tokens[row : row + 1, : length + 1 - start], use_cache=True)
            after = padded.logits[row : row + 1, start:], caches_of(padded, slice(row, row + 1))
            assert same(after, (short.logits, caches_of(short)))


# -- corruptions --------------------------------------------------------------------------------------


def corrupted_weights(model, count, rng):
    """Single weights set to zero, negated, scaled or moved, one at a time: what was done, and the model so changed."""
    parameters = [(name, p) for name, p in model.named_parameters() if "norm" not in name or rng.random() < 0.3]
    for _ in range(count):
        name, parameter = parameters[rng.integers(len(parameters))]
        used = torch.nonzero(parameter)
        if rng.random() < 0.85 and len(used):
            place = tuple(used[rng.integers(len(used))].tolist())
        else:
            place = tuple(int(rng.integers(size)) for size in parameter.shape)
        old = parameter[place].item()
        new = [0.0, -old, 2 * old, old / 2, old + 1, old - 1][rng.integers(6)]
        if new == old:
            new = 1.0
        parameter[place] = new
        yield f"{name}{list(place)}: {old:g} -> {new:g}", model
        parameter[place] = old


def short_strings(machine, mode, length):
    """All strings of this length that a model is asked about."""
    found = [((), machine.initial)]
    for _ in range(length):
        found = [
            ((*word, symbol), machine.step(state, symbol))
            for word, state in found
            for symbol in machine.alphabet
            if mode == RECOGNISE or symbol in machine.legal(state)
        ]
    return [word for word, _ in found]


@pytest.mark.parametrize("count", [15, pytest.param(50, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "name, mode, short",
    [("flip-flop", RECOGNISE, 4), ("dyck-2-3", PREDICTIVE, 7), ("d-2", RECOGNISE, 9), ("tomita-4", RECOGNISE, 9)],
)
def test_corruptions_are_refuted_exactly_when_they_change_an_answer(name, mode, short, count):
    """What changes an answer is seen independently: by full forward, on all short strings and
    on 250 random ones."""
    known, rng = language(name), np.random.default_rng(7)
    weights = lower_to_mamba(compile(known.machine, mode, target="mamba").cascade)
    model, vocabulary = stock_model(weights), Vocabulary.of(weights)
    words = short_strings(known.machine, mode, short)
    words += random_words(known.machine, 250, 20, np.random.default_rng(3))
    refuted = 0
    with torch.no_grad():
        for what, corrupted in corrupted_weights(model, count, rng):
            running_model = SteppedMamba(HuggingFaceRunner(corrupted), vocabulary, batch=64)
            verdict = bisimulation(known.machine, running_model, mode, limit=1500)
            seen = check_words(known.machine, running_model.by_full_forward, words, mode).outcome == REFUTED
            refuted += seen
            assert verdict.outcome == (REFUTED if seen else PROVED), what
    assert refuted >= 0.3 * count


# -- real data and random strings ---------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", *HALF_FORMATS])
@pytest.mark.parametrize("name", FOLDERS)
def test_counter_languages_on_released_and_random_strings(shared_data, name, dtype):
    """Below the horizon of counter values: zero errors in every format."""
    known = language(name)
    weights = lower_to_mamba(compile(known.machine, PREDICTIVE, target="mamba").cascade, dtype)
    model = stepped(weights).by_full_forward
    words = (shared_data(f"released/{FOLDERS[name]}") / "val_src_bin0.txt").read_text().split()[:128]
    random = list(random_words(known.machine, 60, 60, np.random.default_rng(0)))
    verdict = check_words(known.machine, model, [*words, *random], PREDICTIVE)
    assert verdict.outcome == TESTED and verdict.explored["positions compared"] > 2000


@pytest.mark.parametrize("dtype", ["float32", *HALF_FORMATS])
def test_dyck_8_10_on_released_and_random_strings(shared_data, dtype):
    known = language("dyck-8-10")
    model = stepped(lower_to_mamba(compile(known.machine, PREDICTIVE, target="mamba").cascade, dtype)).by_full_forward
    lines = shared_data("bounded-dyck/k8_m10.dev").read_text().splitlines()
    words = [line.split()[:-1][:120] for line in lines[:64]]
    random = list(random_words(known.machine, 90, 100, np.random.default_rng(0)))
    verdict = check_words(known.machine, model, [*words, *random], PREDICTIVE)
    assert verdict.outcome == TESTED and verdict.explored["positions compared"] > 4000


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", *HALF_FORMATS])
@pytest.mark.parametrize("name", FOLDERS)
def test_counter_languages_on_every_released_line(shared_data, name, dtype):
    """Symbol by symbol, the labels too."""
    model = stepped(
        lower_to_mamba(compile(language(name).machine, PREDICTIVE, target="mamba").cascade, dtype)
    ).by_full_forward
    lines = read_released(shared_data("released"), name)
    verdict = check_released(language(name).machine, model, lines)
    assert verdict.outcome == TESTED and verdict.explored["strings"] == len(lines) >= 20


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", *HALF_FORMATS])
@pytest.mark.parametrize("name, file", [("dyck-8-10", "k8_m10.dev"), ("dyck-8-5", "k8_m5.dev")])
def test_dyck_8_on_every_released_line(shared_data, name, file, dtype):
    known = language(name)
    model = stepped(lower_to_mamba(compile(known.machine, PREDICTIVE, target="mamba").cascade, dtype)).by_full_forward
    # Strings of like length in one batch: the shorter are filled up.
    words = sorted(
        (line.split()[:-1] for line in (shared_data("bounded-dyck") / file).read_text().splitlines()), key=len
    )
    verdict = check_words(known.machine, model, words, PREDICTIVE)
    assert verdict.outcome == TESTED and verdict.explored["positions compared"] == sum(map(len, words)) + len(words)


def test_d_12_on_released_strings(shared_data):
    known = language("d-12")
    words = (shared_data("released/D-12") / "val_src_bin0.txt").read_text().split()[:64]
    for dtype in ("float32", *HALF_FORMATS):
        model = stepped(
            lower_to_mamba(compile(known.machine, PREDICTIVE, target="mamba").cascade, dtype), batch=32
        ).by_full_forward
        assert check_words(known.machine, model, words, PREDICTIVE).outcome == TESTED
