"""A whole step on boxes contains what the stock model computes: caches and logits, single steps and full forward."""

import warnings

import numpy as np
import pytest
from learned_models import machine_of, opened, trained

from automata.catalogue import language
from automata.machine import PREDICTIVE
from constructions.build import build
from constructions.compile.compiler import compile
from verify.learned import plain_step as checked
from verify.learned.abstract_step import AbstractMamba
from verify.learned.answers import NOTHING
from verify.learned.float32 import Bounds
from verify.learned.invariant import prove_running
from verify.learned.proof import NoProof
from verify.learned.weights import of_arrays, trained_mamba
from verify.numbers.boxes import NotCovered

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.usefixtures("one_thread")

TOKENS = 7

PAIRS = [(token, None) for token in range(TOKENS)] + [(a, b) for a in range(TOKENS) for b in range(TOKENS)]
"""All logits, then all their differences."""

READ = np.array([(token, NOTHING if other is None else other) for token, other in PAIRS])


def read_of(logits):
    """What is read, of the stock model's logits (..., tokens)."""
    logits = logits.astype(np.float64)
    return np.stack([logits[..., a] - (0 if b is None else logits[..., b]) for a, b in PAIRS], -1)


def random_stock(blocks=2, width=12, states=3, kernel=4, seed=0, scale=1.0, shift=0.0, **options):
    """A stock Mamba with normal numbers of some size in the place of all weights; with ``shift`` times one vector added
    to all rows of its head.
    """
    sizes = {"vocab_size": TOKENS, "hidden_size": width, "num_hidden_layers": blocks, "state_size": states}
    config = transformers.MambaConfig(**sizes, conv_kernel=kernel, **options)
    torch.manual_seed(seed)
    model = transformers.MambaForCausalLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(scale * torch.randn_like(parameter))
        model.tie_weights()
        model.lm_head.weight += shift * torch.randn(width)
    return model


def caches_of(cache, rows, kernel):
    """The caches as rows of :meth:`AbstractMamba.step`."""
    parts = []
    for layer in cache.layers:
        past = layer.conv_states[0][:, :, layer.conv_states[0].shape[-1] - (kernel - 1) :].transpose(1, 2)
        parts += [past.reshape(rows, -1), layer.recurrent_states[0].reshape(rows, -1)]
    return torch.cat(parts, 1).numpy().astype(np.float64)


def inside(bounds, values):
    return (bounds[0] <= values).all() and (values <= bounds[1]).all()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"blocks": 1, "kernel": 2},
        {"blocks": 3, "states": 1},
        {"scale": 1.25, "seed": 1},
        {"scale": 0.02, "seed": 2},
        {"use_bias": True, "seed": 3},
        {"use_conv_bias": False, "tie_word_embeddings": False, "seed": 4},
        {"layer_norm_epsilon": 0.5, "expand": 1, "seed": 5},
        {"tie_word_embeddings": False, "seed": 7, "shift": 1e6},
    ],
)
def test_a_step_on_boxes_contains_the_stock_models(options):
    model = random_stock(**options)
    arrays, kernel = trained_mamba(model), model.config.conv_kernel
    finder, read = AbstractMamba(arrays), READ
    check = checked.PlainStep(arrays, PAIRS)
    rng, rows, steps = np.random.default_rng(0), 24, 12
    tokens = rng.integers(0, TOKENS, (rows, steps))
    nothing = np.zeros((rows, finder.cache_size))
    with torch.no_grad():
        out = model(torch.from_numpy(tokens[:, :1]), use_cache=True)
        for step in range(steps):
            before = caches_of(out.cache_params, rows, kernel) if step else nothing
            if step:
                out = model(torch.from_numpy(tokens[:, step : step + 1]), cache_params=out.cache_params, use_cache=True)
            low, high = around(rng, before)
            found, logits = finder.step(Bounds(low, high), tokens[:, step], read)
            now, given = caches_of(out.cache_params, rows, kernel), read_of(out.logits[:, -1].numpy())
            assert inside(found.ends, now) and inside(logits.ends, given)
            for row in range(rows):
                caches, scores, _ = check(low[row], high[row], tokens[row, step])
                assert inside(caches, now[row]) and inside(scores, given[row])
                assert (found.low[row] <= caches[0]).all() and (caches[1] <= found.high[row]).all()
                assert (logits.low[row] <= scores[0]).all() and (scores[1] <= logits.high[row]).all()


def test_with_more_threads_it_contains_them_too(two_threads):
    assert torch.get_num_threads() == 2
    test_a_step_on_boxes_contains_the_stock_models({"blocks": 1, "kernel": 2})


@pytest.mark.parametrize("options", [{"blocks": 1}, {}, {"use_bias": True, "seed": 3}])
def test_forms_are_below_what_they_stand_for(options):
    """v . h + c is at most the logit without the norm's factor, and a form pulled back at most the form."""
    model = random_stock(**options)
    arrays, kernel, rng = trained_mamba(model), model.config.conv_kernel, np.random.default_rng(2)
    check, rows, seen = checked.PlainStep(arrays, PAIRS), 12, []
    scanned, shape = arrays.inner * arrays.states, (arrays.inner, arrays.states)
    model.backbone.norm_f.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0][:, -1].double().numpy()))
    tokens = rng.integers(0, TOKENS, (rows, 10))
    near = []
    with torch.no_grad():
        out = model(torch.from_numpy(tokens[:, :1]), use_cache=True)
        for step in range(1, 10):
            before = caches_of(out.cache_params, rows, kernel)
            out = model(torch.from_numpy(tokens[:, step : step + 1]), cache_params=out.cache_params, use_cache=True)
            after = caches_of(out.cache_params, rows, kernel)
            logits = out.logits[:, -1].double().numpy()
            roots = np.sqrt((seen[-1] ** 2).mean(1) + arrays.epsilon)
            low, high = around(rng, before)
            for row in range(rows):
                _, _, last = check(low[row], high[row], tokens[row, step])
                h, g = after[row, -scanned:].reshape(shape), before[row, -scanned:].reshape(shape)
                for output, wanted in ((0, True), (3, False)):
                    weights, constant = check.form(last, output, wanted)
                    value, exact = (weights * h).sum() + constant, logits[row, output] * roots[row] * (2 * wanted - 1)
                    assert value <= exact
                    near.append((exact - value) / (1 + abs(exact)))
                    earlier, less = checked.pulled_back(last, weights, constant)
                    assert (earlier * g).sum() + less <= value
                weights = rng.standard_normal(shape)
                earlier, less = checked.pulled_back(last, weights, 0.0)
                assert (earlier * g).sum() + less <= (weights * h).sum()
    assert np.median(near) < 1  # and they say something


def around(rng, x):
    """Boxes around caches, a third of the numbers exactly known."""
    width = np.where(rng.random(x.shape) < 1 / 3, 0, 10 ** rng.uniform(-7, -1, x.shape) * np.abs(x))
    return x - width * rng.random(x.shape), x + width * rng.random(x.shape)


def test_whole_strings_are_inside_what_steps_are_inside():
    """From BOS on, on caches that are only known to be in boxes, the full forward's logits are in theirs."""
    model = random_stock(seed=6, scale=0.5)
    finder, read, rng = AbstractMamba(trained_mamba(model)), READ, np.random.default_rng(1)
    tokens = rng.integers(0, TOKENS, (64, 20))
    with torch.no_grad():
        full = read_of(model(torch.from_numpy(tokens)).logits.numpy())
    caches = Bounds.exactly(np.zeros((64, finder.cache_size)))
    for step in range(20):
        caches, logits = finder.step(caches, tokens[:, step], read)
        assert inside(logits.ends, full[:, step])
    assert np.median(logits.high - logits.low) < 0.5  # and the boxes say something


def stock_states_inside(stepped, machine, proof, strings, length, seed):
    """How many numbers of the stock model's caches were compared, each string in the boxes that the proof leads to."""
    rng, model = np.random.default_rng(seed), stepped.runner.model
    kernel = model.config.conv_kernel
    tokens = np.full((strings, length + 1), proof.bos)
    boxes = np.zeros((strings, length + 1), dtype=np.int64)
    for row in range(strings):
        for place in range(length):
            followed = np.flatnonzero(proof.successors[boxes[row, place]] >= 0)
            symbol = rng.choice(followed) if len(followed) else 0
            tokens[row, place + 1] = proof.tokens[symbol]
            boxes[row, place + 1] = proof.successors[boxes[row, place], symbol] if len(followed) else -1
    compared, out = 0, None
    with torch.no_grad():
        full = model(torch.from_numpy(tokens)).logits.numpy()[:, :, stepped.vocabulary.answers] > 0
        for place in range(length + 1):
            past = {"cache_params": out.cache_params} if place else {}
            out = model(torch.from_numpy(tokens[:, place : place + 1]), use_cache=True, **past)
            here = boxes[:, place]
            known = here >= 0
            caches = caches_of(out.cache_params, strings, kernel)[known]
            assert inside((proof.low[here[known]], proof.high[here[known]]), caches)
            given = out.logits[:, -1].numpy()[:, stepped.vocabulary.answers] > 0
            expected = proof.expected[proof.states[here]]
            assert (given == expected)[known].all() and (full[:, place] == expected)[known].all()
            compared += caches.size
    return compared


def test_the_stock_models_caches_lie_in_the_boxes_of_a_compiled_one():
    machine = language("flipflop").machine
    with build(compile(machine, target="mamba"), "mamba").running() as stepped:
        proof = prove_running(stepped, machine, PREDICTIVE).proof
        assert stock_states_inside(stepped, machine, proof, 40, 60, 0) > 900_000


@pytest.mark.parametrize(
    "name, of",
    [("flip-flop-S2L2", "flip-flop"), ("flip-flop-sharp", "flip-flop"), ("aabbccddee-sharp", "aa*bb*cc*dd*ee*")],
)
def test_the_stock_models_caches_lie_in_the_boxes_of_trained_ones(name, of):
    machine = machine_of(of)
    stepped = opened(trained(name), machine)
    proof = prove_running(stepped, machine, PREDICTIVE).proof
    assert stock_states_inside(stepped, machine, proof, 40, 80, 0) > 10**5


# -- what is not covered ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda m: m.to(torch.bfloat16), "bfloat16, expected float32"),
        (lambda m: setattr(m.config, "hidden_act", "gelu"), "activation is gelu"),
        (lambda m: setattr(m.config, "use_mambapy", True), "another order"),
        (lambda m: setattr(m.config, "layer_norm_epsilon", 0.0), "layer_norm_epsilon is 0"),
        (lambda m: setattr(m.config, "intermediate_size", 10**4), "more than 4096 terms"),
    ],
)
def test_what_is_not_covered_is_said(change, said):
    model = random_stock()
    change(model)
    with pytest.raises(NotCovered, match=said):
        trained_mamba(model)


def test_a_rate_beyond_all_numbers_has_no_bounds_and_gives_no_warning():
    model = random_stock()
    with torch.no_grad():
        model.backbone.layers[0].mixer.A_log[0, 0] = 1000.0
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        low, high = AbstractMamba(trained_mamba(model)).rates[0].ends
    assert np.isnan(low[0, 0]) and not np.isfinite(high[0, 0]) and np.isfinite(low.ravel()[1:]).all()


def test_a_tied_head_is_the_embedding():
    arrays = trained_mamba(random_stock(tie_word_embeddings=True))
    assert (arrays.head == arrays.embedding).all()
    assert (trained_mamba(random_stock(tie_word_embeddings=False)).head != arrays.embedding).any()


def test_the_digest_is_of_all_numbers():
    model = random_stock()
    tensors = {name: tensor.detach().numpy().copy() for name, tensor in model.state_dict().items()}
    digests = {of_arrays(tensors, 1e-5).digest, of_arrays(tensors, 1e-6).digest}
    for name in tensors:
        tensors[name].flat[-1] += 1
        digests.add(of_arrays(tensors, 1e-5).digest)
    assert len(digests) == len(tensors) + 2


@pytest.mark.parametrize(
    "name",
    [
        "backbone.embeddings.weight",
        "backbone.layers.0.norm.weight",
        "backbone.layers.1.mixer.in_proj.weight",
        "backbone.layers.0.mixer.conv1d.weight",
        "backbone.layers.0.mixer.A_log",
        "backbone.layers.1.mixer.D",
        "backbone.layers.0.mixer.out_proj.weight",
        "backbone.norm_f.weight",
        "lm_head.weight",
    ],
)
def test_what_could_overflow_is_no_proof(name):
    tensors = {name: tensor.detach().numpy().copy() for name, tensor in random_stock().state_dict().items()}
    tensors[name].flat[: tensors[name].size] = 3e37 if "A_log" not in name else 80.0
    arrays = of_arrays(tensors, 1e-5)
    nothing = np.zeros(AbstractMamba(arrays).cache_size)
    with np.errstate(all="ignore"), pytest.raises(NoProof, match="overflows"):
        checked.PlainStep(arrays, PAIRS)(nothing, nothing, 1)
