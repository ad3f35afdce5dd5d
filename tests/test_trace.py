"""A run is shown in words: names of values, the step at which a string left the language, what tiles mean."""

import pytest

from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import MODES, PREDICTIVE, RECOGNISE
from constructions.cascade import Reset
from verify import build, compile, language, regex, trace
from verify.show.legend import legend, meanings


def last(found):
    return [row[-1] for row in found.rows]


def test_values_have_their_words():
    shown = trace(build(compile(language("flip-flop"))), "w1i")
    assert [row[3] for row in shown.rows] == [f"instruction={x}" for x in ("w bit=0", "w bit=0", "w bit=1", "i bit=1")]
    shown = trace(build(compile(language("dyck-2-3"))), "( [ ]")
    assert shown.rows[3][3] == "depth=1 slot 1=(a slot 2=(b slot 3=(a" and "stale" in shown.legend[0]


def test_a_previous_digit_is_not_part_of_the_value():
    """In fixed:1 the coordinate is the digit and half the digit before; what is shown is the digit."""
    construction = compile(regex(".*a...", "ab"), RECOGNISE)
    assert construction.cascade.read_before
    shown = trace(build(construction), "abaab")
    state = construction.cascade.initial
    for symbol, cells in zip(shown.symbols, shown.cells):
        state = state if symbol == "<bos>" else construction.cascade.step(state, symbol)
        words = [register.words for register in construction.cascade.registers]
        assert [cell.value for cell in cells] == [w[v] if w else str(v) for w, v in zip(words, state.values)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["dyck-2-3", "tomita-4", "flip-flop", "anbn", "tomita-1"])
def test_a_string_leaves_the_language_at_the_step_after_which_nothing_leads_to_a_word(name, mode):
    word = language(name)
    machine, model = word.machine, build(compile(word, mode))
    for seed in range(8):
        symbols = [machine.alphabet[(seed * 7 + i * i + i * seed) % len(machine.alphabet)] for i in range(9)]
        state, left = machine.initial, None
        for step, symbol in enumerate(symbols, start=1):
            state = machine.step(state, symbol)
            if left is None and not machine.legal(state) and not machine.accepts(state):
                left = step
        shown = trace(model, symbols)
        assert shown.left == left
        for step, answer in enumerate(last(shown)):
            assert ("left the language at step" in answer) == (left is not None and step >= left)
            assert ("no continuation is legal" in answer) == (step == left)
        if mode == RECOGNISE:
            assert last(shown)[-1].startswith("accept" if machine.accepts(state) else "reject")


def test_without_its_construction_a_predictors_own_answers_say_when_a_string_left():
    model = build(compile(language("dyck-2-3"))).weights
    shown = trace(model, ["(a", "b)", "(a"])
    assert shown.left == 2 and last(shown)[2] == "left the language at step 2: no continuation is legal"
    assert trace(build(compile(language("flip-flop"))).weights, "w1i0r1w").left is None
    assert shown.legend == () and shown.rows[1][3].startswith("depth=1 slot 1=0")
    assert trace(build(compile(language("dyck-2-3"), RECOGNISE)).weights, ["(a", "b)"]).left is None


def test_a_language_without_words_is_left_before_it_begins():
    nothing = DFA("a", [[0]], [])
    assert last(trace(build(compile(nothing)), "a"))[0] == "the language has no word"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["tomita-2", "tomita-4", "tomita-7", "d-3"])
def test_a_legend_says_the_states_that_go_with_each_value(name, mode):
    """Against all short strings, run one by one."""
    dfa = language(name).dfa()
    construction = compile(dfa, mode, "holonomy")
    cascade, wanted = construction.cascade, {}
    ends = [((), dfa.initial, cascade.initial)]
    for _ in range(8):
        for word, state, values in ends:
            if mode == RECOGNISE or dfa.live[state]:
                for register, value in zip(cascade.registers, values.values):
                    wanted.setdefault((register.name, value), ({}, word))[0][state] = None
        ends = [
            ((*word, symbol), dfa.step(state, symbol), cascade.step(values, symbol))
            for word, state, values in ends
            for symbol in dfa.alphabet
            if mode == RECOGNISE or dfa.live[dfa.step(state, symbol)]
        ]
    found = meanings(construction)
    assert found.keys() == wanted.keys()
    for key, (states, word, _) in found.items():
        assert states == sorted(wanted[key][0]) and len(word) == len(wanted[key][1])


def test_a_legend_that_would_take_too_long_is_left_out(monkeypatch):
    construction = compile(language("tomita-4").dfa())
    assert list(legend(construction))[0] == "tile 1 = 0: states {q1, q2}, e.g. after 0"
    monkeypatch.setattr("verify.show.legend.STEPS", 3)
    assert list(legend(construction)) == []


def test_words_are_for_readers_alone():
    plain, named = Reset("r", 2, ()), Reset("r", 2, (), words=("off", "on"))
    assert plain == named and hash(plain) == hash(named) and repr(plain) == repr(named)
    cascade = compile(language("flip-flop"), PREDICTIVE).cascade
    (level, *rest) = cascade.levels
    with pytest.raises(InputError, match="'instruction' has 3 values and words for 2"):
        type(cascade)(
            cascade.alphabet,
            (type(level)((Reset("instruction", 3, level.registers[0].rules, words=("w", "r")),)), *rest),
            cascade.outputs,
            cascade.emissions,
        )
