"""The public face: languages, one road to weights, every way to prove, and what a user adds of their own."""

import subprocess
import sys

import numpy as np
import pytest

import verify
from automata.catalogue import LANGUAGES
from automata.errors import InputError
from automata.machine import ACCEPT, EOS
from constructions.compile.compiler import NotExpressible
from constructions.ssm.storage import load as load_ssm
from constructions.ssm.target import PaperSSM
from constructions.ssm.weights import SSM
from constructions.target import TARGETS
from verify import build, compile, language, load, ltl, prove, read, refute, regex, test, trace
from verify.__main__ import main
from verify.methods import METHODS
from verify.proving import prove_claim
from verify.verdict import PROVED, REFUTED, TESTED, UNDECIDED, Verdict


def same(one: SSM, other: SSM) -> bool:
    """Whether two models have the same arrays."""
    arrays = [
        (a.matrix.toarray(), a.bias, b.matrix.toarray(), b.bias)
        for (_, a), (_, b) in zip(one.affines(), other.affines())
    ]
    return (
        len(one.layers) == len(other.layers)
        and np.array_equal(one.embedding, other.embedding)
        and all(np.array_equal(a, b) and np.array_equal(c, d) for a, c, b, d in arrays)
    )


# -- names -------------------------------------------------------------------------------------------------


def test_every_public_name_is_there_and_nothing_is_imported_before_it_is_asked_for():
    for name in verify.__all__:
        assert callable(getattr(verify, name)) or name == "LANGUAGES"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(verify, "nothing")  # noqa: B009
    program = (
        "import sys, verify; assert not {'numpy', 'torch', 'constructions'} & "
        "set(sys.modules); assert 'prove' in dir(verify)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_name_stays_what_it_is_whatever_was_imported_before():
    program = (
        "import verify.commands.prove, verify.impossible.refuter, verify.show.tracing, verify.proving, "
        "verify.face\nfrom verify import prove, refute, trace; assert callable(prove)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


# -- languages ---------------------------------------------------------------------------------------------


def test_languages_from_everywhere(tmp_path):
    assert regex("(ab)*").star_free and not regex("(aa)*").star_free and ltl("F b", "ab").star_free
    (tmp_path / "a.att").write_text("0\t1\ta\ta\n1\t0\tb\tb\n0\n")
    found = read(tmp_path / "a.att")
    assert found.dfa().difference_from(language("d-1").dfa()) is None and found.star_free
    with pytest.raises(InputError, match="column"):
        regex("(ab")
    assert language("anbn").star_free is None


# -- one road ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tomita-4", "d-4", "flip-flop", "dyck-2-3", "anbn", "aa*bb*cc*dd*ee*"])
def test_all_commands_build_the_same_weights(name, tmp_path, capsys):
    wanted = build(compile(language(name))).weights
    commands = {"prove": ["prove", name]}
    if name != "anbn":
        commands["starfree"] = ["starfree", "--language", name]
    if name == "dyck-2-3":
        commands["own"] = ["dyck", "--k", "2", "--depth", "3"]
    if name in ("flip-flop", "anbn"):
        commands["own"] = ["flipflop"] if name == "flip-flop" else ["counter", name]
    for title, command in commands.items():
        assert main([*command, "--strings", "3", "--quiet", "--save", str(tmp_path / title)]) == 0
        assert same(load_ssm(tmp_path / title), wanted), title


@pytest.mark.parametrize("target", ["ssm", "mamba"])
@pytest.mark.parametrize("name", [known.name for known in LANGUAGES.values()])
def test_every_language_is_compiled_for_every_target_or_refused_by_its_register(name, target):
    known = language(name)
    if known.star_free is False:
        with pytest.raises(NotExpressible, match="permutes") as refused:
            compile(known, target=target)
        assert refused.value.register in str(refused.value)
        return
    for mode in ("predictive", "recognise"):
        found = compile(known, mode, target=target)
        assert found.mode == mode and found.cascade == compile(known, mode, target=target).cascade


# -- proofs ------------------------------------------------------------------------------------------------


def test_weights_builds_folders_and_running_models_are_models(tmp_path):
    word = language("dyck-2-3")
    built = build(compile(word)).save(tmp_path / "model")
    with built.running() as engine:
        for model in (
            built,
            built.weights,
            tmp_path / "model",
            str(tmp_path / "model"),
            load(tmp_path / "model"),
            engine,
        ):
            assert prove(word, model).outcome == PROVED
            assert test(word, model, strings=9).outcome == TESTED
    assert prove(language("dyck-2-2"), built).outcome == REFUTED
    assert prove(word, built, method="induction").method == "induction"
    with pytest.raises(InputError, match="--method levels: it speaks about"):
        prove(word, built, method="levels")
    with pytest.raises(InputError, match="unknown method 'serch': did you mean search"):
        prove(word, built, method="serch")
    with pytest.raises(InputError, match="a list is no model"):
        prove(word, [])
    with pytest.raises(InputError, match="is neither a saved model nor a checkpoint"):
        load(tmp_path)


def test_a_checkpoint_names_the_command_that_checks_it(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="see `python -m verify check .* LANGUAGE`"):
        prove(language("d-1"), tmp_path)


class TwoCells:
    """Somebody's own cell: remembers the last two bits."""

    alphabet, initial = ("0", "1"), (0, 0)

    def step(self, state, symbol):
        return state[1], int(symbol)

    def legal(self, state):
        return frozenset(("0", "1", EOS) if state[0] else ("0", "1"))


def test_a_cell_of_ones_own_is_proved_or_refuted():
    word = regex(".*1.", "01")
    assert prove(word, TwoCells()).outcome == PROVED
    verdict = prove(regex(".*1", "01"), TwoCells())
    assert verdict.outcome == REFUTED and verdict.witness.word == ("1",)


def test_refute_and_trace():
    from constructions.ssm.arithmetic import Arithmetic
    from constructions.ssm.random_ssm import random_ssm

    ssm = random_ssm(3, depth=2, width=4, arithmetic=Arithmetic.parse("fixed:3"))
    assert refute(language("parity"), ssm).outcome == REFUTED
    shown = trace(build(compile(language("flip-flop"))), "w 1 r")
    assert (
        len(shown.rows) == 4 and str(shown).splitlines()[0].startswith("step") and "<td>r</td>" in shown._repr_html_()
    )
    with pytest.raises(InputError, match="trace speaks about"):
        trace(TwoCells(), "01")


def test_verdicts_are_tables_in_notebooks():
    verdict = prove(regex(".*1", "01"), TwoCells())
    assert "<th>wrong on</th><td>1</td>" in verdict._repr_html_() and repr(verdict).startswith(
        "Verdict(refuted, search, predictive"
    )


# -- what a user adds --------------------------------------------------------------------------------------


class Toy(PaperSSM):
    """The paper's SSM under another name: without anything that counts."""

    name, title = "toy", "a target of a test"
    abilities = PaperSSM.abilities - {"add", "set counter", "drift"}


class Guess:
    """A method that never decides."""

    name, title, unit = "guess", "a method of a test", "guesses"

    def covers(self, claim):
        return "" if claim.mode == "predictive" else "it speaks about prediction"

    def cost(self, claim):
        return 0.0

    def run(self, claim, progress):
        return Verdict(UNDECIDED, self.name, claim.mode, claim.model.arithmetic, reason="not even tried")


@pytest.fixture
def additions(monkeypatch):
    monkeypatch.setitem(TARGETS, "toy", Toy())
    monkeypatch.setitem(METHODS, "guess", Guess())


def test_every_command_sees_a_target_and_a_method_of_ones_own(additions, capsys, tmp_path):
    few = ("--strings", "3", "--quiet")
    for command in (
        ["prove", "d-4"],
        ["starfree", "--language", "d-4"],
        ["flipflop"],
        ["dyck", "--k", "2", "--depth", "2"],
    ):
        assert main([*command, "--target", "toy", *few, "--save", str(tmp_path / command[0])]) == 0
        assert "proof: proved" in capsys.readouterr().out
    assert main(["counter", "anbn", "--target", "toy", *few]) == 2
    assert "counts, which this target cannot do" in capsys.readouterr().err
    assert main(["prove", "d-4", "--method", "guess", *few]) == 3
    assert "proof: undecided: not even tried" in capsys.readouterr().out
    assert main(["prove", "d-4", "--mode", "recognise", "--method", "guess", *few]) == 2
    assert "--method guess: it speaks about prediction" in capsys.readouterr().err
    # A method that gives up makes way for the next.
    assert main(["prove", "d-4", *few]) == 0 and "proof: proved: closed" in capsys.readouterr().out
    assert compile(language("d-4"), target="toy").route != compile(language("d-4")).route == "counter"


def test_no_method_of_a_hopeless_cost_is_tried_after_the_first():
    from constructions.ssm.engine import Engine
    from verify.claim import Claim
    from verify.proving import chosen

    construction = compile(language("dyck-8-10"))
    weights = build(construction).weights
    claim = Claim(construction.machine, "predictive", Engine(weights), weights, construction)
    assert [method.name for method in chosen(claim)] == ["induction"]
    assert prove_claim(claim).outcome == PROVED
    assert ACCEPT not in weights.outputs
