"""The refuter: every pair of strings is checked here again, by other code; where nothing follows, nothing is
claimed.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
from test_settling import slow_model

from automata.catalogue import language
from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import ACCEPT, EOS, run
from automata.notation.expressions import regex_to_dfa
from constructions.paper.flip_flop import flip_flop
from constructions.paper.parity_models import parity, rounding_parity, unbounded_parity, wrapping_parity
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.lowering import lower
from constructions.ssm.number_formats import Rationals
from constructions.ssm.random_ssm import random_ssm
from constructions.ssm.signed import lower_signed
from constructions.ssm.storage import save
from constructions.ssm.weights import SSM
from verify.__main__ import main
from verify.impossible.cycles import find_cycle
from verify.impossible.refuter import Refutation, refute, refute_on, search
from verify.impossible.transients.enclosed import EnclosedRun
from verify.impossible.transients.settling import Settler
from verify.verdict import Pumped

NOT_STAR_FREE = ["parity", "aa-star", "aaaa-star", "abab-star", "tomita-3", "tomita-5", "tomita-6"]
PARITY = language("parity").dfa()


def assert_pair(found: Refutation, engine: Engine, dfa: DFA):
    """The two strings differ by one w, the right answers differ, and the model's, run here from the start, do not."""
    assert found.verdict.outcome == "refuted" and found.confirmed
    first, second = found.verdict.pair
    assert (first.u, first.w, first.v, first.n + 1) == (second.u, second.w, second.v, second.n)
    mode = engine.ssm.mode
    right = [
        dfa.legal(run(dfa, s.word)) if mode == "predictive" else dfa.accepts(run(dfa, s.word)) for s in (first, second)
    ]
    assert right[0] != right[1]
    if mode == "predictive":
        for string in (first, second):
            assert all(symbol in dfa.legal(run(dfa, string.word[:i])) for i, symbol in enumerate(string.word))
    given = []
    for string in (first, second):
        state, outputs = engine.begin(1)
        if string.length:
            state, outputs = engine.advance(state, engine.encode(string.word))
        given.append(engine.names(outputs.dense()[0, -1]))
    assert given[0] == given[1] == found.answer


# -- strings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["recognise", "predictive"])
@pytest.mark.parametrize("name", [*NOT_STAR_FREE, "(11)*0", "a((bc)(bc))*d"])
def test_right_answers_never_settle_on_the_strings(name, mode):
    dfa = language(name).dfa() if name in NOT_STAR_FREE else regex_to_dfa(name)
    cycle = find_cycle(dfa, mode)
    for n in range(3 * cycle.period):
        state, live = dfa.initial, True
        for symbol in Pumped(cycle.u, cycle.w, n, cycle.v).word:
            live &= symbol in dfa.legal(state)
            state = dfa.step(state, symbol)
        if mode == "predictive" and live:
            assert cycle.answer(n) == dfa.legal(state)
        elif mode == "recognise":
            assert (ACCEPT in cycle.answer(n)) == dfa.accepts(state)
        if n % cycle.period in cycle.residues:
            assert live or mode == "recognise"
            assert cycle.answer(n) != cycle.answer(n + 1)
            assert cycle.first_from(n) == n
    assert cycle.residues


@pytest.mark.parametrize("mode", ["recognise", "predictive"])
def test_star_free_languages_have_no_such_strings(mode):
    for name in ("tomita-1", "tomita-7", "d-3", "flip-flop"):
        assert find_cycle(language(name).dfa(), mode) is None


# -- random models ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arithmetic, gates, count",
    [("fixed:1", "affine", 70), ("fixed:4", "affine", 70), ("fixed:8", "affine", 50), ("float16", "sigmoid", 30)]
    + [
        ("float32", "affine", 25),
        ("float64", "affine", 15),
        ("float32", "sigmoid", 25),
        ("float64", "exp-softplus", 15),
    ],
)
def test_every_bounded_nonnegative_model_is_refuted(arithmetic, gates, count):
    rng = np.random.default_rng(5)
    cycle = find_cycle(PARITY, "recognise")
    for seed in range(count):
        depth, width = int(rng.integers(1, 5)), int(rng.integers(1, 17))
        engine = Engine(random_ssm(seed, depth, width, Arithmetic.parse(arithmetic), gates))
        found = refute_on(engine, cycle)
        assert found.verdict.method == "settling", (seed, found.verdict.reason)
        assert_pair(found, engine, PARITY)


@pytest.mark.parametrize("name", NOT_STAR_FREE)
def test_a_hundred_models_are_refuted_for_each_language(name):
    dfa = language(name).dfa()
    cycle = find_cycle(dfa, "recognise")
    for seed in range(100):
        arithmetic = Arithmetic.parse(["fixed:1", "fixed:5", "float32"][seed % 3])
        engine = Engine(random_ssm(seed, 1 + seed % 3, 1 + seed % 5, arithmetic, alphabet=dfa.alphabet))
        assert_pair(refute_on(engine, cycle), engine, dfa)


@pytest.mark.parametrize("name", ["parity", "abab-star", "tomita-3"])
def test_predictors_are_refuted_on_prefixes_of_words(name):
    dfa = language(name).dfa()
    for seed in range(10):
        ssm = random_ssm(seed, 2, 4, Arithmetic.parse("fixed:3"), alphabet=dfa.alphabet, outputs=(*dfa.alphabet, EOS))
        engine = Engine(ssm)
        assert_pair(refute(engine, dfa), engine, dfa)


def test_a_string_after_the_period_is_read_too():
    dfa = regex_to_dfa("(11)*0", ("0", "1"))
    outcomes = []
    for seed in range(40):
        engine = Engine(random_ssm(seed, 2, 4, Arithmetic.parse("fixed:3" if seed % 2 else "float32")))
        found = refute(engine, dfa)
        outcomes.append(found.verdict.method)
        if found.verdict.outcome == "refuted":
            assert_pair(found, engine, dfa)
    assert outcomes.count("settling") > 20


def test_the_pair_agrees_with_the_slow_reference():
    for seed in range(5):
        ssm = random_ssm(seed, 2, 3, Arithmetic.parse("fixed:1"))
        first, second = refute(ssm, PARITY).verdict.pair
        assert first.n < 100
        assert ssm.accepts(run(ssm, first.word)) == ssm.accepts(run(ssm, second.word))


def test_the_free_family_is_refuted_where_that_is_possible_and_counted_where_not():
    cycle = find_cycle(PARITY, "recognise")
    outcomes = {}
    for seed in range(60):
        engine = Engine(
            random_ssm(
                seed, 1 + seed % 3, 1 + seed % 6, Arithmetic.parse(["fixed:2", "float32"][seed % 2]), bounded=False
            )
        )
        found = refute_on(engine, cycle)
        outcomes[found.verdict.outcome] = outcomes.get(found.verdict.outcome, 0) + 1
        if found.confirmed:
            assert_pair(found, engine, PARITY)
    assert set(outcomes) <= {"refuted", "undecided"} and outcomes["refuted"] > 50


# -- long transients ----------------------------------------------------------------------------------


@pytest.mark.parametrize("arithmetic", ["fixed:20", "float32", "float64"])
def test_strings_too_long_to_be_run_are_computed_all_the_same(arithmetic):
    found = refute(slow_model(arithmetic, 20), PARITY, confirm=False)
    assert found.verdict.outcome == "refuted" and found.verdict.method == "settling"
    assert found.n > 10_000_000 and not found.confirmed and found.verdict.witness is None
    assert json.loads(json.dumps(found.verdict.to_json()))["pair"][0]["n"] == found.n
    assert "not run" in found.verdict.reason


def test_with_strings_too_long_shorter_ones_are_looked_for():
    engine = Engine(slow_model("fixed:20", 20))
    found = refute(engine, PARITY)
    assert found.verdict.method == "running" and found.settled.periods > 10_000_000
    assert_pair(found, engine, PARITY)


def test_a_wrong_limit_is_noticed(monkeypatch):
    engine = Engine(slow_model("fixed:2", 5))
    answers = iter([frozenset(), frozenset((ACCEPT,))])
    monkeypatch.setattr("verify.impossible.refuter._Attempt._finish", lambda *_: next(answers))
    with pytest.raises(AssertionError, match="its limit was computed wrongly"):
        refute(engine, PARITY)


# -- nothing is claimed without a reason --------------------------------------------------------------


@pytest.mark.parametrize(
    "ssm",
    [
        lower_signed(parity(), Arithmetic("exact")),
        lower_signed(parity(), Arithmetic.parse("float32")),
        wrapping_parity(Arithmetic.parse("wrap:4")),
        unbounded_parity(Arithmetic.parse("fixed:3")),
        rounding_parity(Arithmetic.parse("fixed:3")),
    ],
)
def test_models_that_do_parity_are_undecided(ssm):
    found = refute(ssm, PARITY)
    assert found.verdict.outcome == "undecided" and found.verdict.exit_status == 3
    assert found.verdict.pair is None and found.verdict.witness is None


def test_models_that_do_parity_are_refuted_for_another_language():
    for ssm in (wrapping_parity(Arithmetic.parse("wrap:4")), rounding_parity(Arithmetic.parse("fixed:3"))):
        engine = Engine(ssm)
        assert_pair(refute(engine, language("tomita-6").dfa()), engine, language("tomita-6").dfa())


def test_for_star_free_languages_a_real_disagreement_is_searched_for():
    ssm = lower(flip_flop(), Arithmetic("exact"))
    found = refute(ssm, language("flip-flop").dfa())
    assert (found.verdict.outcome, found.cycle, found.settled) == ("proved", None, None)
    layer = ssm.layers[1]
    broken = replace(ssm, layers=(ssm.layers[0], replace(layer, initial=layer.initial + 1), *ssm.layers[2:]))
    for model in (broken, random_ssm(1, 1, 2, Arithmetic("exact"), alphabet=ssm.alphabet, outputs=ssm.outputs)):
        found = refute(model, language("flip-flop").dfa())
        assert found.verdict.outcome in ("proved", "refuted") and found.verdict.pair is None
        if found.verdict.witness:
            state = run(model, found.verdict.witness.word)
            assert model.legal(state) != language("flip-flop").dfa().legal(
                run(language("flip-flop").dfa(), found.verdict.witness.word)
            )


def test_a_search_that_does_not_close_is_a_test(monkeypatch):
    """A counter that is never read: right everywhere, with infinitely many states."""
    monkeypatch.setattr("verify.impossible.refuter._SEARCH_PAIRS", 500)
    ssm = unbounded_parity(Arithmetic.parse("fixed:1"))
    everything = replace(ssm, readout=replace(ssm.readout, matrix=ssm.readout.matrix * 0))
    verdict = search(Engine(everything), regex_to_dfa("(0|1)*"))
    assert (verdict.outcome, verdict.exit_status) == ("tested", 0)


def test_alphabets_must_agree():
    with pytest.raises(InputError, match="symbol '0'"):
        refute(random_ssm(0, 1, 1, Arithmetic("exact")), language("abab-star").dfa())


def test_alphabets_may_be_ordered_differently():
    dfa = DFA(("1", "0"), [[1, 0], [0, 1]], accepting=[0])
    engine = Engine(random_ssm(2, 2, 3, Arithmetic.parse("fixed:2")))
    assert_pair(refute(engine, dfa), engine, dfa)


def test_periods_are_counted_in_words_not_in_symbols():
    dfa = language("abab-star").dfa()
    ssm = random_ssm(3, 1, 3, Arithmetic.parse("fixed:2"), alphabet=dfa.alphabet)
    found = refute(ssm, dfa)
    state, _ = Engine(ssm).begin(1)
    assert found.verdict.pair[0].w == ("a", "b")
    assert found.n <= 8 + Settler(ssm).settle(state[0], ("a", "b")).periods


# -- the command --------------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path):
    def write(ssm, name="model"):
        save(ssm, tmp_path / name)
        return str(tmp_path / name)

    return write


def test_exit_statuses(saved, tmp_path, capsys):
    nonnegative = saved(random_ssm(0, 2, 3, Arithmetic.parse("fixed:2")), "nonnegative")
    signed = saved(lower_signed(parity(), Arithmetic("exact")), "signed")
    right = saved(lower(flip_flop(), Arithmetic("exact")), "right")
    report = tmp_path / "report.json"
    assert main(["refute", "--weights", nonnegative, "--language", "parity", "--json", str(report)]) == 1
    printed = capsys.readouterr().out
    content = json.loads(report.read_text())
    assert content["outcomes"] == ["refuted"] and f"1^{content['refutation']['pair'][0]['n']}" in printed
    assert main(["refute", "--weights", nonnegative, "--regex", "((0|1)(0|1))*", "--quiet"]) == 1
    assert capsys.readouterr().out.startswith("refutation: refuted")
    assert main(["refute", "--weights", nonnegative, "--language", "parity", "--no-run"]) == 1
    assert "not run" in capsys.readouterr().out
    assert main(["refute", "--weights", signed, "--language", "parity"]) == 3
    assert "gates down to -1" in capsys.readouterr().out
    assert main(["refute", "--weights", right, "--language", "flip-flop"]) == 0
    assert "nothing is impossible here" in capsys.readouterr().out


def test_strings_alone_leave_the_question_open(saved, monkeypatch, capsys):
    monkeypatch.setattr("verify.impossible.refuter._SEARCH_PAIRS", 500)
    ssm = unbounded_parity(Arithmetic.parse("fixed:1"))
    everything = saved(replace(ssm, readout=replace(ssm.readout, matrix=ssm.readout.matrix * 0)))
    assert main(["refute", "--weights", everything, "--regex", "(0|1)*", "--quiet"]) == 3
    assert capsys.readouterr().out == "refutation: tested: no disagreement\n"


def test_what_is_no_model_of_the_paper_is_named(tmp_path, capsys):
    (tmp_path / "stock").mkdir()
    (tmp_path / "stock" / "config.json").write_text('{"model_type": "mamba"}')
    (tmp_path / "file").write_text("")
    for name, message in (
        ("nowhere", "nowhere: is not a folder"),
        ("file", "file: is not a folder"),
        ("stock", "is no model of the paper's SSM, which alone is refuted by its weights"),
    ):
        for named in ([], ["parity"])[name == "stock" :]:
            assert main(["refute", "--weights", str(tmp_path / name), *named]) == 2
            captured = capsys.readouterr()
            assert captured.out == "" and message in captured.err and captured.err.count("\n") == 1


def test_bad_input_is_one_line(saved, tmp_path, capsys):
    folder = saved(random_ssm(0, 1, 2, Arithmetic.parse("fixed:2")))
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    (pickled / "weights.safetensors").write_bytes(b"\x80\x04cos\nsystem\n")
    (pickled / "model.json").write_text((tmp_path / "model" / "model.json").read_text())
    for arguments, culprit in (
        (["--weights", folder, "--language", "abab-star"], "symbol '0'"),
        (["--weights", folder, "--language", "dyck-1"], "not regular"),
        (["--weights", str(tmp_path / "none"), "--language", "parity"], "none"),
        (["--weights", str(pickled), "--language", "parity"], "not a safetensors file"),
        (["--weights", folder], "so a LANGUAGE is needed"),
    ):
        assert main(["refute", *arguments]) == 2
        streams = capsys.readouterr()
        assert streams.err.count("\n") == 1 and culprit in streams.err and not streams.out


@pytest.mark.parametrize("fault", ["missing", "extra", "shape", "nan", "infinite"])
def test_faulty_arrays_are_named(saved, tmp_path, capsys, fault):
    from safetensors.numpy import load_file, save_file

    path = tmp_path / "model" / "weights.safetensors"
    folder = saved(random_ssm(0, 1, 2, Arithmetic.parse("fixed:2")))
    arrays = load_file(path)
    if fault == "missing":
        del arrays["readout.bias"]
    elif fault == "extra":
        arrays["more"] = arrays["readout.bias"]
    elif fault == "shape":
        arrays["embedding"] = arrays["embedding"][:2]
    else:
        arrays["readout.bias"] = np.array([np.nan if fault == "nan" else np.inf])
    save_file(arrays, path)
    assert main(["refute", "--weights", folder, "--language", "parity"]) == 2
    streams = capsys.readouterr()
    assert streams.err.count("\n") == 1 and not streams.out
    assert ("embedding" if fault == "shape" else "more" if fault == "extra" else "readout.bias") in streams.err


# -- exact fractions ----------------------------------------------------------------------------------


def test_exact_models_are_refuted_by_the_sign_of_their_limit():
    """As short as the pairs are, fractions of a few hundred bits have to be run to confirm them here."""
    cycle, settled = find_cycle(PARITY, "recognise"), 0
    for seed in range(24):
        engine = Engine(random_ssm(seed, 1 + seed % 3, 1 + seed % 7, Arithmetic("exact")))
        found = refute_on(engine, cycle)
        settled += found.verdict.method == "settling"
        assert found.n < 20
        assert_pair(found, engine, PARITY)
    assert settled >= 22


def test_exact_models_answer_as_their_limit_from_where_they_are_said_to():
    """Between bounds, as far as that is certain, up to the period that is said and beyond."""
    cycle, certain = find_cycle(PARITY, "recognise"), 0
    for seed in range(100, 112):
        engine = Engine(random_ssm(seed, 1 + seed % 3, 1 + seed % 5, Arithmetic("exact")))
        computed = refute_on(engine, cycle, confirm=False)
        assert computed.verdict.outcome == "refuted" and not computed.confirmed
        periods, run = computed.verdict.explored["periods at most"], EnclosedRun(engine.ssm)
        if periods > 300:
            continue
        state, _ = run.begin()
        state, answer = run.read(state, [1] * periods)
        expected = frozenset((ACCEPT,)) if computed.settled.answers[0] else frozenset()
        for _ in range(30):
            assert answer in (expected, None)
            certain += answer is not None
            state, answer = run.read(state, [1])
    assert certain > 150


def test_a_slow_exact_model_is_computed():
    found = refute(slow_model("exact", 20), PARITY, confirm=False)
    assert found.verdict.outcome == "refuted" and found.n > 1_000_000
    assert "not run" in found.verdict.reason


def vanishing(sign, added=0, readout_bias=0):
    """h -> 7/8 h + added/8, from ``sign``; the sign of h is read."""
    layer = Layer(
        Affine([[0]], [7], 3), Affine([[0]], [added], 3), np.array([sign]), (Mix(Affine([[1, 0]], [0]), "clip", -1, 1),)
    )
    return SSM(
        ("0", "1"), (ACCEPT,), np.array([[0], [1], [0]]), (layer,), Affine([[1]], [readout_bias]), Arithmetic("exact")
    )


@pytest.mark.parametrize("sign, added, bias", [(1, 0, 0), (-1, 0, 0), (0, 0, 0), (1, -1, 0), (-1, 1, 0), (1, 1, -1)])
def test_a_limit_of_zero_or_beside_it_is_refuted_all_the_same(sign, added, bias):
    engine = Engine(vanishing(sign, added, bias))
    found = refute(engine, PARITY)
    assert_pair(found, engine, PARITY)
    if (sign, added, bias) == (1, 0, 0):
        assert found.verdict.method == "running" and "limit too close to 0" in found.verdict.reason


def test_a_sign_that_is_not_certain_is_no_answer():
    """h = (7/8)^n is positive for ever, and with four binary digits its lower bound is soon 0."""
    run_ = EnclosedRun(vanishing(1), bits=4)
    bounds, answer = run_.begin()
    answers = [answer]
    for _ in range(40):
        bounds, answer = run_.read(bounds, [1])
        answers.append(answer)
    assert set(answers) == {frozenset((ACCEPT,)), None}


def test_strings_answered_alike_that_may_be_are_no_refutation():
    """A counter modulo 4 is right about (1 1 1 1)*, whose words and their neighbours are two of four."""
    dfa = regex_to_dfa("(1111)*", ("1",))
    layer = Layer(Affine([[0]], [1]), Affine([[1]], [0]), np.array([0]), (Mix(Affine([[1, 0]], [0]), "linear"),))
    ssm = SSM(("1",), (ACCEPT,), np.array([[1], [0]]), (layer,), Affine([[-1]], [1]), Arithmetic.parse("wrap:2"))
    assert find_cycle(dfa, "recognise").residues == (0, 3)
    assert refute(ssm, dfa).verdict.outcome == "undecided"


def test_long_words_before_and_after_the_period_are_run_between_bounds():
    dfa = regex_to_dfa("0000(11)*0", ("0", "1"))
    for seed in range(6):
        engine = Engine(random_ssm(seed, 2, 3, Arithmetic("exact")))
        found = refute(engine, dfa)
        assert found.verdict.outcome == "refuted"
        assert_pair(found, engine, dfa)


def test_a_run_between_bounds_holds_the_fractions():
    rng = np.random.default_rng(3)
    for seed in range(12):
        ssm = random_ssm(seed, 1 + seed % 3, 3, Arithmetic("exact"), bounded=seed % 2 == 0)
        run_, engine = EnclosedRun(ssm, bits=8 if seed % 4 < 2 else 192), Engine(ssm)
        state, outputs = engine.begin(1)
        bounds, answer = run_.begin()
        for symbol in rng.integers(0, 2, 9).tolist():
            state, outputs = engine.advance(state, np.array([[symbol]]))
            bounds, answer = run_.read(bounds, [symbol])
            low, high = run_.numbers(bounds)
            assert (low <= state[0]).all() and (state[0] <= high).all()
            assert answer in (None, engine.names(outputs.dense()[0, 0]))


def test_a_search_among_fractions_that_grow_is_a_short_one_and_others_still_close():
    """Both accept everything: a gate of 7/8 makes more fractions for ever, one of 0 does not."""
    dfa = regex_to_dfa("(0|1)*")
    growing = vanishing(1, 3, 2)
    assert refute(growing, dfa).verdict.outcome == "tested"
    layer = growing.layers[0]
    finite = replace(growing, layers=(replace(layer, gate=Affine([[0]], [0], 3)),))
    assert isinstance(Engine(finite).numbers, Rationals)
    assert refute(finite, dfa).verdict.outcome == "proved"
