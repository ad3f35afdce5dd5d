"""verify.testing: what is drawn is of its kind, shrinks, and prints as Python; the assertion shows what is wrong."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

import verify.testing
from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import EOS, RECOGNISE, run
from constructions.cascade import *  # noqa: F403 - what a cascade prints as
from constructions.cascade import Cascade, Counter
from constructions.ssm.layers import *  # noqa: F403 - what a model prints as
from constructions.ssm.weights import SSM, Arithmetic  # noqa: F401 - likewise
from verify import build, compile, language, regex
from verify.testing import answer, assert_proved, cascades, corrupt, corrupted, corruptions, dfas, models, words
from verify.testing.brute_force import accepts, moore_classes
from verify.testing.corruption import arrays

DYCK = language("dyck-2-3").machine


def weights(name: str, mode: str = "predictive") -> SSM:
    return build(compile(language(name), mode)).weights


# -- names -------------------------------------------------------------------------------------------------


def test_every_name_is_there_and_hypothesis_is_asked_for_only_by_the_strategies():
    for name in verify.testing.__all__:
        assert callable(getattr(verify.testing, name)) and name in dir(verify.testing)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(verify.testing, "nothing")  # noqa: B009
    program = """
import sys
sys.modules["hypothesis"] = None
from verify.testing import answer, assert_proved, corrupt, corruptions
try:
    from verify.testing import dfas
except ImportError as error:
    print(error)
"""
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert shown == "the strategies need hypothesis: pip install 'ssm-compiler[testing]'\n"


# -- shrinking ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("states", [1, 2, 3])
def test_a_failing_property_of_automata_shrinks_to_the_smallest(states):
    found = find(dfas("ab"), lambda dfa: moore_classes(dfa) >= states)
    assert found.states == states and len(found.accepting) <= 1


def test_a_failing_property_fails_with_the_smallest_automaton_in_its_report():
    @given(dfas("a"))
    @settings(database=None)
    def nothing_accepts_aa(dfa):
        assert not dfa.accepts_word("aa")

    with pytest.raises(AssertionError) as failed:
        nothing_accepts_aa()
    assert "dfa=DFA('a', [[0]], [0])" in "".join(failed.value.__notes__)


def test_words_cascades_and_models_shrink():
    assert find(words("ab"), lambda word: "b" in word) == ("b",)
    assert find(words(DYCK), lambda word: len(word) >= 2) == ("(a", "(a")
    with_counter = find(
        cascades("a", max_levels=1), lambda cascade: any(isinstance(r, Counter) for r in cascade.registers)
    )
    assert len(with_counter.levels) == len(with_counter.registers) == 1 and not with_counter.registers[0].rules
    assert find(models("a", max_levels=1), lambda model: model.hidden_size).hidden_size == 1


# -- what is drawn -----------------------------------------------------------------------------------------


@given(dfas("abc", 5, minimal=True))
def test_minimal_automata_are_minimal(dfa):
    assert dfa.states == moore_classes(dfa) and dfa == dfa.minimise()


def legal_prefix(word) -> int:
    """How many symbols can be read, one after the other, each of them legal."""
    state = DYCK.initial
    for number, symbol in enumerate(word):
        if symbol not in DYCK.legal(state):
            return number
        state = DYCK.step(state, symbol)
    return len(word)


@given(st.data())
def test_words_are_of_their_kind(data):
    def one(kind):
        return data.draw(words(DYCK, max_length=8, kinds=[kind]))

    valid, member, arbitrary = one("valid"), one("member"), one("arbitrary")
    assert legal_prefix(valid) == len(valid) <= 8
    assert EOS in DYCK.legal(run(DYCK, member))
    assert len(arbitrary) <= 8 and set(arbitrary) <= set(DYCK.alphabet)


def test_words_around_a_language_leave_it():
    assert find(words(DYCK, kinds=["one-error"]), lambda word: legal_prefix(word) < len(word)) == ("a)",)
    assert find(words(DYCK, kinds=["arbitrary"]), lambda word: word and not legal_prefix(word)) == ("a)",)
    # An error late in a word, whose beginning is legal.
    late = find(words(DYCK, kinds=["one-error"]), lambda word: 3 <= legal_prefix(word) < len(word))
    assert len(late) == 4


def test_words_of_what_says_nothing_of_legal_symbols():
    class Toggle:
        alphabet, initial = ("0", "1"), 0

        def step(self, state, symbol):
            return state ^ (symbol == "1")

        def accepts(self, state):
            return state == 0

    assert find(words(Toggle()), lambda word: len(word) == 2) == ("0", "0")
    with pytest.raises(ValueError, match="only arbitrary words"):
        words(Toggle(), kinds=["valid"])
    with pytest.raises(ValueError, match="'near' is not one of the kinds"):
        words(DYCK, kinds=["near"])


# -- what is printed ---------------------------------------------------------------------------------------


@given(dfas("ab"))
def test_an_automaton_prints_as_the_call_that_makes_it(dfa):
    assert eval(repr(dfa)) == dfa


def test_symbols_of_many_characters_and_large_automata():
    two = DFA(("open", "close"), [[1, 0], [1, 0]], [0], 1)
    assert eval(repr(two)) == two
    assert repr(language("dyck-2-5").dfa()) == "<DFA of 64 states over (a a) (b b), 1 of them accepting>"


@settings(max_examples=40)
@given(cascades())
def test_a_cascade_prints_as_the_call_that_makes_it(cascade):
    assert eval(repr(cascade)) == cascade


@settings(max_examples=40)
@given(st.sampled_from(["exact", "fixed:3", "float32"]).flatmap(lambda name: models("ab", arithmetic=name)))
def test_a_model_prints_as_the_call_that_makes_it(model):
    again = eval(repr(model))
    assert repr(again) == repr(model) and again.arithmetic == model.arithmetic
    assert all(np.array_equal(one, two) for (_, one), (_, two) in zip(arrays(model), arrays(again), strict=True))
    assert [layer.names for layer in again.layers] == [layer.names for layer in model.layers]


def test_a_drawn_model_prints_with_its_cascade():
    @given(models("a", max_levels=1))
    @settings(database=None)
    def no_model_has_memory(model):
        assert not model.hidden_size

    with pytest.raises(AssertionError) as failed:
        no_model_has_memory()
    assert "model=ssm_of(Cascade(" in "".join(failed.value.__notes__).replace("\n", "").replace(" ", "")


def test_a_large_model_is_summed_up():
    shown = repr(weights("dyck-8-10"))
    assert shown == "<SSM of 2 layers, 31 coordinates, 748 nonzero weights>" and len(shown) < 100


# -- corruptions -------------------------------------------------------------------------------------------


def test_each_corruption_changes_one_number_and_names_it():
    model = weights("dyck-1-2")
    originals = dict(arrays(model))
    seen = set()
    for what, changed in corruptions(model):
        ((array, place),) = [
            (name, tuple(at))
            for name, numbers in arrays(changed)
            for at in np.argwhere(numbers != originals[name]).tolist()
        ]
        before, after = originals[array][place], dict(arrays(changed))[array][place]
        assert what.startswith(f"{array}{list(place)} = {after}, was {before}") and before != 0
        assert after in (0, -before, before + 1)
        assert what not in seen
        seen.add(what)
    # Minus one is made larger by one and set to zero at once.
    assert len(seen) == sum(2 if n == -1 else 3 for found in originals.values() for n in found[found != 0].tolist())
    assert any(what.endswith("(coordinate depth, feature symbol (a)") for what in seen)


def test_a_corruption_that_cannot_be_is_refused():
    model = weights("dyck-1-2")
    with pytest.raises(InputError, match="no array 'layers.9.gate'"):
        corrupt(model, "layers.9.gate", (0, 0), 1)
    with pytest.raises(InputError, match=r"readout has shape .*nothing at \[99, 0\]"):
        corrupt(model, "readout", (99, 0), 1)


@given(corrupted(weights("dyck-1-2")))
@settings(max_examples=20)
def test_a_drawn_corruption_is_one_of_them(model):
    assert repr(model) in {repr(changed) for _, changed in corruptions(weights("dyck-1-2"))}


# -- the assertion -----------------------------------------------------------------------------------------


def failure(*arguments, **options) -> str:
    with pytest.raises(AssertionError) as failed:
        assert_proved(*arguments, **options)
    return str(failed.value)


def rerun(message: str) -> None:
    """Runs what the message says, which fails in its last line."""
    lines = message.split("to see it again:\n")[1].replace("\n  ", "\n").strip()
    with pytest.raises(AssertionError):
        exec(lines, {})
    exec(lines.rpartition("\n")[0], {})


def test_what_is_proved_passes():
    assert assert_proved(language("dyck-2-3"), build(compile(language("dyck-2-3")))).horizon is None
    assert assert_proved(language("tomita-1"), language("tomita-1").dfa(), RECOGNISE).outcome == "proved"


@given(dfas("ab", 4), dfas("ab", 4))
@settings(max_examples=60)
def test_the_assertion_holds_exactly_for_equal_languages(one, other):
    shortest = one.difference_from(other)
    if shortest is None:
        assert_proved(one, other, RECOGNISE)
        return
    message = failure(one, other, RECOGNISE)
    shown = " ".join(shortest) or "the empty string"
    (line,) = [line for line in message.splitlines() if "shortest wrong string" in line]
    assert len(line.split()[3:]) == len(shown.split())
    rerun(message)


@pytest.mark.parametrize("mode", ["predictive", RECOGNISE])
def test_a_corrupted_model_fails_with_its_shortest_witness_and_python_that_shows_it(mode):
    name, seen = "flip-flop", 0
    for _, model in corruptions(weights(name, mode)):
        try:
            assert_proved(language(name), model)
        except AssertionError as failed:
            rerun(str(failed))
            seen += 1
        if seen == 3:
            return
    raise AssertionError("no corruption was seen")


def test_a_cascade_fails_with_python_that_shows_it():
    cascade = compile(regex("(ab)*")).cascade
    wrong = Cascade(cascade.alphabet, cascade.levels, cascade.outputs, cascade.emissions[:1])
    rerun(failure(regex("(ab)*"), wrong))


def test_evidence_is_no_proof():
    """A search that gives up is undecided, which fails as a refutation does, without a string."""
    message = failure(language("dyck-2-5"), language("dyck-2-5").machine, limit=3)
    assert message.startswith("not proved, but undecided") and "to see it again" not in message


def test_answers():
    flip_flop = weights("flip-flop")
    assert answer(flip_flop, ["w", "1", "r"]) == {"1"} and answer(flip_flop, []) == {"w", EOS}
    assert accepts(language("tomita-1").dfa(), "11") and answer(language("tomita-1").dfa(), "11", RECOGNISE)
    with pytest.raises(InputError, match="'x' is not one of the model's symbols"):
        answer(flip_flop, ["x"])
