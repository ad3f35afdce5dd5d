"""PARITY where a condition fails, what the demonstration shows, and that it shows only what holds."""

import json
from dataclasses import replace

import numpy as np
import pytest

from automata.catalogue import language
from automata.machine import ACCEPT, RECOGNISE
from constructions.paper.parity_models import parity, rounding_parity, unbounded_parity, wrapping_parity
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.random_ssm import random_ssm
from constructions.ssm.signed import lower_signed
from constructions.ssm.weights import SSM
from verify.__main__ import main
from verify.impossible.trajectories import panels_figure, random_models, small_case, symbolic_reason, trajectories
from verify.methods.bisimulation import Stepwise, bisimulation
from verify.methods.translation import Folded, find_translation

PARITY = language("parity").dfa()


# -- models that do it --------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [1, 2, 7, 52])
def test_wrapping_integers_do_parity(bits):
    ssm = wrapping_parity(Arithmetic("wrap", bits))
    assert bisimulation(PARITY, Engine(ssm), RECOGNISE).outcome == "proved"
    assert bisimulation(PARITY, Stepwise(ssm, RECOGNISE), RECOGNISE).outcome == "proved"


@pytest.mark.parametrize("model", [unbounded_parity, rounding_parity])
@pytest.mark.parametrize("bits", [0, 1, 4, 12])
def test_nonnegative_layers_do_parity_where_a_proviso_fails(model, bits):
    ssm = model(Arithmetic("fixed", bits))
    assert all((layer.gate.matrix.data >= 0).all() and (layer.gate.bias >= 0).all() for layer in ssm.layers)
    engine = Engine(ssm)
    proof = bisimulation(PARITY, Folded(engine, find_translation(ssm)), RECOGNISE)
    assert (proof.outcome, proof.horizon, proof.explored["joint states"]) == ("proved", None, 2)
    word = np.random.default_rng(bits).integers(0, 2, (1, 5000))
    _, outputs = engine.advance(engine.begin(1)[0], word)
    assert outputs.dense()[0, :, 0].tolist() == (np.cumsum(word[0]) % 2 == 0).tolist()
    state = ssm.initial
    for symbol in word[0, :50]:
        state = ssm.step(state, ssm.alphabet[symbol])
    assert ssm.accepts(state) == (word[0, :50].sum() % 2 == 0)


def test_the_cascade_is_parity():
    assert bisimulation(PARITY, Stepwise(parity(), RECOGNISE), RECOGNISE).outcome == "proved"


# -- translations -------------------------------------------------------------------------------------


def test_a_translation_changes_no_answer():
    ssm = unbounded_parity(Arithmetic.parse("fixed:3"))
    engine, moved = Engine(ssm), find_translation(ssm)
    word = np.random.default_rng(1).integers(0, 2, (1, 60))
    state, _ = engine.begin(1)
    after, outputs = engine.advance(state, word)
    for times in (-3, 1, 1000):
        there, same = engine.advance(state + times * moved, word)
        assert np.array_equal(there, after + times * moved)
        assert np.array_equal(same.dense(), outputs.dense())


def test_only_what_nothing_sees_is_a_translation():
    fixed = Arithmetic.parse("fixed:2")

    def model(phi, readout, gate=(1, 0)):
        layer = Layer(
            Affine(np.array([[0]]), np.array([gate[0]]), gate[1]),
            Affine(np.array([[1]]), np.array([0])),
            np.array([0]),
            phi,
            names=("h",),
        )
        return SSM(
            ("0", "1"),
            (ACCEPT,),
            np.array([[0], [1], [0]]),
            (layer,),
            Affine(np.array([readout]), np.array([0])),
            fixed,
        )

    whole = Affine(np.array([[1, 0]]), np.array([0]))
    assert find_translation(model((Mix(whole, "linear"),), [0])).tolist() == [1]
    assert find_translation(model((Mix(whole, "linear"),), [1])) is None
    assert find_translation(model((Mix(whole, "clip", 0, 1),), [0])) is None
    assert find_translation(model((Mix(whole, "relu"),), [0])) is None
    assert find_translation(model((Mix(whole, "linear"),), [0], gate=(1, 1))) is None
    assert find_translation(model((Mix(Affine(np.array([[1, 0]]), np.array([0]), 2), "linear"),), [0])).tolist() == [4]
    assert find_translation(lower_signed(parity(), Arithmetic("exact"))) is None
    unbounded = unbounded_parity(fixed)
    second = unbounded.layers[1]
    for gate in (1, 2):
        # A second layer that keeps what it has read, or that doubles it, moves on in every step.
        kept = replace(second, gate=replace(second.gate, bias=second.gate.bias + gate))
        silent = replace(
            unbounded,
            layers=(unbounded.layers[0], kept),
            readout=replace(unbounded.readout, matrix=unbounded.readout.matrix * 0),
        )
        assert find_translation(silent) is None


def test_a_broken_model_is_refuted_modulo_its_translation():
    ssm = unbounded_parity(Arithmetic.parse("fixed:3"))
    wrong = language("parity").dfa().complement()
    verdict = bisimulation(wrong, Folded(Engine(ssm), find_translation(ssm)), RECOGNISE)
    assert (verdict.outcome, verdict.witness.word) == ("refuted", ())


# -- what is shown ------------------------------------------------------------------------------------


def test_trajectories_are_those_of_the_reference():
    ssm = random_ssm(2, 2, 3, Arithmetic.parse("fixed:3"))
    shown = trajectories(Engine(ssm), periods=20)
    state = ssm.initial
    for n in range(21):
        assert shown.states[n].tolist() == [float(value) for layer in state.h for value in layer]
        assert shown.answers[n] == state.outputs
        state = ssm.step(state, "1")


def test_trajectories_say_from_where_they_are_steady():
    for _, engine in random_models(3, 8, families=(("fixed:2", "affine"),)):
        shown = trajectories(engine, periods=100)
        for i in range(len(shown.names)):
            start, step = shown.steady_from(i)
            steps = np.diff(shown.states[:, i])
            assert (steps[start:] == step).all() and (start == 0 or steps[start - 1] != step)
        if shown.settled_from is not None:
            assert shown.settled_from == max(shown.steady_from(i)[0] for i in range(len(shown.names)))


def test_the_symbolic_reason_holds_for_numbers():
    import sympy

    lines = symbolic_reason()
    names = sympy.symbols("a b h_0 n")
    for a, b, start in ((sympy.Rational(1, 2), 3, -5), (-1, 1, 0), (sympy.Rational(-2, 3), 1, 7), (2, -1, 4)):
        h = start
        for n in range(8):
            formula = sympy.sympify(lines["h_n for a != 1"], locals={str(name): name for name in names})
            assert formula.subs(dict(zip(names, (a, b, start, n)))) == h
            h = a * h + b


@pytest.mark.parametrize("bits", [0, 1])
def test_the_small_case_is_complete_and_its_pairs_are_pairs(bits):
    """Every model again, one by one, as weights in the slow reference; letters and numbers in other loops."""
    unit = 1 << bits
    found: dict[int, int] = {}
    gates, numbers = range(0, 2 * unit + 1), range(-unit, unit + 1)
    for gate in gates:
        for increment in numbers:
            for start in numbers:
                layer = Layer(
                    Affine(np.array([[gate]]), np.array([0]), bits),
                    Affine(np.array([[increment]]), np.array([0]), bits),
                    np.array([start]),
                    (Mix(Affine(np.array([[1, 0]]), np.array([0])), "linear"),),
                    bits,
                )
                embedding = np.array([[0], [1], [0]])
                # The symbol BOS must not change the start: its gate is 1.
                layer = Layer(
                    Affine(np.array([[gate - unit]]), np.array([unit]), bits),
                    layer.increment,
                    layer.initial,
                    layer.phi,
                    bits,
                )
                ssm = SSM(
                    ("0", "1"),
                    (ACCEPT,),
                    embedding,
                    (layer,),
                    Affine(np.array([[1]]), np.array([0])),
                    Arithmetic("fixed", bits),
                )
                states = [ssm.initial]
                for _ in range(3):
                    states.append(ssm.step(states[-1], "1"))
                values = [state.h[0][0] * unit for state in states]
                for threshold in numbers:
                    answers = [value >= threshold for value in values]
                    k = next(k for k in range(3) if answers[k] == answers[k + 1])
                    # For each letter 0 and for accepting above or below.
                    found[k] = found.get(k, 0) + 2 * len(gates) * len(numbers)
    case = small_case(bits)
    assert case.pairs == found and sum(found.values()) == case.models


def test_every_model_of_two_fractional_bits_has_its_pair():
    case = small_case(2)
    assert case.models == 2 * (9 * 9) ** 2 * 9 * 9 == sum(case.pairs.values())


def test_the_figure_has_a_panel_for_each_run():
    runs = [(title, trajectories(engine, periods=5)) for title, engine in random_models(0, 3)]
    figure = panels_figure(runs)
    assert [panel.get_title() for panel in figure.axes[:3]] == [title for title, _ in runs]
    assert len(figure.axes[0].lines) == len(runs[0][1].names)


# -- the command --------------------------------------------------------------------------------------


def test_the_command_shows_everything(tmp_path, capsys):
    report, picture = tmp_path / "report.json", tmp_path / "states.svg"
    assert main(["parity", "--models", "4", "--json", str(report), "--plot", str(picture)]) == 0
    printed = capsys.readouterr().out
    for line in (
        "the group C2",
        "4 of 4",
        "all 1062882 models have a pair",
        "taken modulo the translation [2, 1]",
        "no bound known",
    ):
        assert line in printed
    assert json.loads(report.read_text())["outcomes"] == ["proved"] * 4
    assert picture.read_text().startswith("<?xml")


@pytest.mark.parametrize("arithmetic", ["wrap:5", "fixed:0", "float32", "exact"])
def test_the_command_takes_an_arithmetic(arithmetic, capsys):
    assert main(["parity", "--arithmetic", arithmetic, "--models", "1", "--quiet"]) == 0
    assert capsys.readouterr().out.count("proved: closed: holds at every length") == 4


def test_what_is_not_shown_changes_the_exit_status(monkeypatch, capsys):
    monkeypatch.setattr(
        "constructions.paper.parity_models.wrapping_parity", lambda arithmetic: unbounded_parity(Arithmetic("fixed", 2))
    )
    monkeypatch.setattr("verify.methods.translation.find_translation", lambda ssm: None)
    monkeypatch.setattr("verify.methods.bisimulation.bisimulation", lambda *args: bisimulation(*args, limit=50))
    assert main(["parity", "--models", "1", "--quiet"]) == 3
    assert "not everything could be shown" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["--arithmetic", "fixed:x"], ["--plot", "/proc/none/x.svg"], ["--plot", "states.txt"], ["--models", "-1"]],
)
def test_bad_options_are_one_line(arguments, capsys):
    assert main(["parity", *arguments]) == 2
    streams = capsys.readouterr()
    assert streams.err.count("\n") == 1 and not streams.out
