"""The certificate by operations: each condition, broken alone, is refused with the operation; what passes is exact."""

import json
from dataclasses import replace

import numpy as np
import pytest

from automata.catalogue import language
from constructions.build import build
from constructions.compile.compiler import compile
from verify.__main__ import main
from verify.checkpoints.operations import ByOperations, by_operations

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from constructions.mamba.exact_sums import lowest_bits, too_long  # noqa: E402 - torch first
from constructions.mamba.numbers_alone import Refusal  # noqa: E402
from constructions.mamba.recorded import Recorder, recorded, recorded_run  # noqa: E402


def certificate(target, edit=lambda tensors: None, name="tomita-1", dtype="float32"):
    machine = language(name).machine
    built = build(compile(machine, "recognise", target=target), target, dtype=dtype)
    tensors = {name: tensor.copy() for name, tensor in built.weights.tensors.items()}
    edit(tensors)
    with replace(built, weights=replace(built.weights, tensors=tensors)).running() as model:
        return by_operations(machine, model, "recognise")


@pytest.mark.parametrize("target", ["falcon_mamba", "jamba", "recurrent_gemma"])
def test_scans_that_go_token_by_token_are_proved(target):
    found = certificate(target)
    assert isinstance(found, ByOperations), found
    assert found.operations > 50 and 1 < found.largest < 2**24


@pytest.mark.parametrize(
    "target, operation", [("mamba2", "cumsum of backbone.layers.0.mixer"), ("olmo_hybrid", "cumsum of model.layers.0")]
)
def test_scans_of_chunks_are_refused(target, operation):
    found = certificate(target)
    assert isinstance(found, str) and found.startswith(operation)


@pytest.mark.parametrize("changes", [{}, {"chunk_size": 16}])
def test_what_reads_long_strings_otherwise_is_refused(changes):
    """Short strings of this one pass, whatever the size of chunks; and in chunks a quarter is none."""
    machine = language("tomita-4").machine
    built = build(compile(machine, "recognise", target="xlstm"), "xlstm")
    config = {**built.weights.config, **changes}
    with replace(built, weights=replace(built.weights, config=config)).running() as model:
        found = by_operations(machine, model, "recognise")
    assert found == "a string of chunk_size tokens or more is read in chunks, by another kernel than shorter ones"


@pytest.mark.parametrize("factor, message", [(1 / 3, "may be rounded"), (2.0**-140, "which a kernel may take for 0")])
def test_a_sum_that_may_be_rounded_is_refused_by_name(factor, message):
    def edit(tensors):
        head = tensors["lm_head.weight"]
        head[:] = np.float32(head * factor)

    found = certificate("recurrent_gemma", edit)
    assert isinstance(found, str) and found.startswith("mm of lm_head: a sum ") and message in found


def test_sums_beyond_the_digits_of_the_format():
    one, unit = np.array([2.0**24]), np.array([0])
    assert too_long(one, unit, 24, -126, 1e38) == ("", 2.0**24)
    assert "may be rounded" in too_long(one + 1, unit, 24, -126, 1e38)[0]
    assert "may be rounded" in too_long(one, unit, 8, -126, 1e38)[0]
    assert "may reach" in too_long(np.array([1e39]), unit + 120, 24, -126, 3e38)[0]
    assert lowest_bits(np.array([-0.75, 2.0**-149])).tolist() == [-2, -149]


TOKENS = np.array([[1, 2, 2, 2], [1, 3, 3, 2]])
BEFORE = np.concatenate([np.zeros((2, 1), dtype=int), TOKENS[:, :-1]], axis=1)
TABLE = torch.arange(10.0).reshape(5, 2)


def read(function, transitions=5 * BEFORE + TOKENS, sources=BEFORE):
    """A function of embedded tokens; the state after a token is the token."""
    return recorded_run(
        Recorder(torch.nn.Identity()),
        lambda tokens: function(torch.nn.functional.embedding(tokens, TABLE)),
        TOKENS,
        transitions,
        sources,
        (25, 5),
    )


def neighbours(x):
    return x + torch.nn.functional.pad(x, (0, 0, 1, 0))[:, :-1]


@pytest.mark.parametrize(
    "function, message",
    [
        (lambda x: x + torch.nn.functional.pad(x, (0, 0, 2, 0))[:, :-2], "that are not neighbours"),
        (lambda x: x + x.flip(0), "that are not neighbours"),
        (lambda x: x + x.flip(1), "that are not neighbours"),
        (lambda x: x.sum(1), "several tokens are added up"),
        (lambda x: x @ x.transpose(1, 2), "several tokens are added up"),
        (lambda x: x.cumsum(1), "cumsum: this operation is not looked into"),
        (lambda x: x.softmax(-1), "is not looked into"),
        (lambda x: x * torch.arange(4.0)[None, :, None], "a number of the position enters"),
        (lambda x: x * torch.tensor([1.0, 2.0, 3.0, 4.0])[None, :, None], "no function of the transition"),
        (lambda x: torch.add(x, x, alpha=3), "a multiple is added"),
        (lambda x: torch.sub(x, x, alpha=3), "a multiple is added"),
        (lambda x: torch.rsub(x, 1, alpha=3), "a multiple is added"),
        (lambda x: x[..., 0].addmm_(x[..., 0], x[0, :, 0].expand(4, 4)), "in the place of a term"),
        (lambda x: (x / 3).mean(-1) * 2, "a mean of up to 2.16667 is rounded, and does not vanish"),
        (lambda x: (x / 3).mean(-1) + 1e5, "does not vanish"),
        (lambda x: (x / 3).sum(-1), "may be rounded"),
        (lambda x: x * 1e38 * 1e38, "a number is not finite"),
        (lambda x: x / 0, "a number is divided by 0"),
        (lambda x: x.view(torch.int32), "the bits of a number are read as another"),
        (lambda x: x[:, 2:] * 2, "different numbers of operations"),
        (lambda x: x.flip(1), "the logits are not those of their token"),
        (lambda x: x.expand(3, 2, 4, 2)[0].flip(0) * 1, "the logits are not those of their token"),
        (lambda x: TABLE.clone().copy_(x[0, :1].expand(5, 2)) + x[:, :1], "that are not neighbours|was there before"),
    ],
)
def test_what_may_depend_on_more_than_the_numbers_of_a_token_is_refused(function, message):
    with pytest.raises(Refusal, match=message):
        read(function)


def test_what_depends_on_the_numbers_of_a_token_is_not():
    assert (read(lambda x: (x / 3).mean(-1, keepdim=True) + 1e9) == 1e9).all()
    assert np.array_equal(read(neighbours)[:, 1], TABLE[TOKENS[:, 0]] + TABLE[TOKENS[:, 1]])
    assert (read(lambda x: torch.nn.functional.logsigmoid(x - 3)) < 0).all()
    assert (read(lambda x: x.var(-1, keepdim=True, correction=0) + 2.0**40) == 2.0**40).all()


def test_what_is_kept_of_the_token_before_must_be_a_function_of_the_state_between():
    labels = np.array([[0, 1, 2, 3], [0, 4, 2, 3]])
    with pytest.raises(Refusal, match="no function of the (state|transition)"):
        read(neighbours, labels, np.zeros((2, 4), dtype=int))


@pytest.mark.parametrize("sign, message", [(1, ""), (-1, "numbers that are not those of the last two tokens")])
def test_what_a_state_keeps_belongs_to_the_last_two_tokens(sign, message):
    kept = []

    def run(tokens):
        x = torch.nn.functional.embedding(tokens, TABLE)
        kept.append(x[:, -2:] if sign > 0 else x[:, :2])
        return x * 2

    def look():
        recorded_run(Recorder(torch.nn.Identity()), run, TOKENS, 5 * BEFORE + TOKENS, BEFORE, (25, 5), lambda: [kept])

    if message:
        with pytest.raises(Refusal, match=message):
            look()
    else:
        look()


def test_what_a_state_keeps_is_a_function_of_what_it_is_of():
    kept = []

    def run(tokens):
        kept.append(torch.nn.functional.embedding(tokens, TABLE)[:, -2:])
        return torch.zeros(2, 4, 1)

    with pytest.raises(Refusal, match="no function of what it is of"):
        recorded_run(Recorder(torch.nn.Identity()), run, TOKENS, 0 * TOKENS, 0 * BEFORE, (1, 1), lambda: [kept])


def test_a_function_whose_bits_depend_on_the_place_is_refused():
    recorder, numbers = Recorder(torch.nn.Identity()), torch.tensor([1.0, 2.0])
    wrong = numbers.exp()
    wrong[1] = torch.nextafter(wrong[1], torch.tensor(0.0))
    with pytest.raises(Refusal, match="of 2 it gives other bits here"):
        recorder.numbers.function(torch.ops.aten.exp.default, "exp", (numbers,), {}, wrong)
    with pytest.raises(Refusal, match="of 1 it gives other bits here"):
        recorder.numbers.function(torch.ops.aten.exp.default, "exp", (torch.ones(2),), {}, wrong)
    with recorded(recorder):
        torch.tensor([3.0]).exp()
    assert recorder.numbers.values == 3


def test_a_root_is_a_function_that_kernels_round_as_they_like():
    """On some builds of torch one in five is not the nearest number."""
    recorder = Recorder(torch.nn.Identity())
    with recorded(recorder):
        torch.tensor([3.0, 5.0]).sqrt()
    assert recorder.numbers.values == 2


@pytest.mark.parametrize("rest, exact", [(2.0**-28, True), (2.0**-26, False), (0.5, False)])
def test_a_term_beside_which_others_vanish(rest, exact):
    """1 + 2^-28, in units of 2^-50, is 1 in any order."""
    recorder, terms = Recorder(torch.nn.Identity()), torch.tensor([2.0**-50, 1.0, rest - 2.0**-50])
    if exact:
        with recorded(recorder):
            assert terms.sum() == 1
    else:
        with pytest.raises(Refusal, match="may be rounded"), recorded(recorder):
            terms.sum()


def test_many_small_terms_beside_a_great_one_do_not_vanish_in_doubles():
    """Together they are a unit of the last place below 1, which the rounded size of all terms does not show."""
    recorder = Recorder(torch.nn.Identity())
    terms = torch.tensor([1.0] + [-0.6 * 2.0**-54] * 6, dtype=torch.float64)
    with pytest.raises(Refusal, match="may be rounded"), recorded(recorder):
        terms.sum()


@pytest.mark.parametrize("sign", [1, -1])
def test_terms_of_one_sign_bound_a_sum_in_any_order(sign):
    """In halves 2^25 - 3 of both signs, and 2^24 - 1 of one."""
    recorder, terms = Recorder(torch.nn.Identity()), sign * torch.tensor([2.0**23 - 1, -(2.0**23 - 1), 0.5])
    with recorded(recorder):
        assert terms.sum() == sign * 0.5
    assert recorder.numbers.largest == 2.0**24 - 1


def test_check_says_what_the_certificate_proves(tmp_path, capsys):
    folder, report = str(tmp_path / "model"), tmp_path / "report.json"
    build(compile(language("tomita-1").machine, "recognise", target="recurrent_gemma"), "recurrent_gemma").save(folder)
    command = ["check", folder, "tomita-1", "--mode", "recognise", "--strings", "3", "--bins", "20"]
    assert main([*command, "--json", str(report)]) == 0
    found = json.loads(report.read_text())["search"]
    outcomes = {way["name"]: way["outcome"] for way in found["ways"]}
    assert [outcomes[name] for name in ("single steps", "prefill", "full forward")] == ["proved"] * 3
    assert "proved: single steps, prefill, full forward" in found["reason"]


def test_check_says_why_there_is_no_certificate(tmp_path, capsys):
    folder = str(tmp_path / "model")
    build(compile(language("tomita-1").machine, "recognise", target="mamba2"), "mamba2").save(folder)
    assert main(["check", folder, "tomita-1", "--mode", "recognise", "--strings", "3", "--bins", "20"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "not proved, since there is no certificate by operations: cumsum of backbone.layers.0.mixer" in said
