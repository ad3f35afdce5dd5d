"""What no weights can do, shown on random models: each is wrong on one of the strings that `decide` prints."""

import json
from contextlib import contextmanager

import numpy as np
import pytest
from test_languages import DEFINITIONS

from automata.algebra.quasi_aperiodic import is_quasi_aperiodic
from automata.catalogue import LANGUAGES, Language, language
from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import ACCEPT, RECOGNISE
from constructions.target import CLOCKED, MONOTONE, SIGNED, TARGETS
from verify.__main__ import main
from verify.decision import NOT_KNOWN, WITHOUT_WEIGHTS, decide
from verify.impossible.cycles import find_cycle
from verify.impossible.random_models import answers_of, cycle_word, on_few, on_powers, on_strings

pytest.importorskip("torch")
pytest.importorskip("transformers")

from impossible_matrix import FORBIDDEN, NONNEGATIVE, Cell, DrawnOnce, as_it_should, cells, decision, run  # noqa: E402
from impossible_matrix import main as matrix  # noqa: E402


def test_the_matrix_has_every_target_of_which_a_theorem_forbids_something():
    able = {name: TARGETS.named(name).motion for name in TARGETS if name != "mamba-ssm"}
    assert {*able, *WITHOUT_WEIGHTS} >= set(FORBIDDEN)
    assert {name for name, motion in able.items() if motion == MONOTONE} | {"minimax"} == set(NONNEGATIVE)
    assert [name for name, motion in able.items() if motion in (SIGNED, CLOCKED)] == ["signed-diagonal", "lru"]
    for known in LANGUAGES.values():
        assert (known.star_free is False) == (known.name in FORBIDDEN["ssm"])
        assert (known.star_free is not None) == (known.name in FORBIDDEN["lfm2"])


@pytest.mark.parametrize("target", FORBIDDEN)
def test_two_random_models_are_wrong(target):
    line = run(Cell("tomita-6", target), 2)
    assert as_it_should(line), line


@pytest.mark.slow
@pytest.mark.parametrize("target", FORBIDDEN)
def test_a_hundred_random_models_are_wrong(target):
    kept = DrawnOnce(target)
    for cell in cells():
        if cell.target == target:
            line = run(cell, target=kept)
            assert as_it_should(line), line


@pytest.mark.parametrize("name", [name for name in FORBIDDEN["lfm2"]])
def test_strings_are_told_apart_by_definition(name):
    targets = [target for target in ("ssm", "lru", "signed-diagonal", "lfm2") if name in FORBIDDEN[target]]
    for target in targets:
        one, other = decision(Cell(name, target), 1, DrawnOnce(target)).failures.strings
        assert DEFINITIONS[name]("".join(one)) != DEFINITIONS[name]("".join(other))


def test_a_line_is_as_it_should_be_only_where_all_models_are_wrong():
    line = run(Cell("parity", "ssm"), 3)
    assert as_it_should(line)
    for change in (
        {"answer": "open"}, {"wrong": 2}, {"wrong as decide says": 2}, {"in the language": 2}, {"finite": False},
        {"lengths": [1]},
    ):  # fmt: skip
        assert not as_it_should({**line, **change})


def test_an_interrupted_matrix_goes_on_where_it_was(tmp_path, capsys):
    out = tmp_path / "matrix.jsonl"
    words = ["--out", str(out), "--on", "ssm", "--models", "2"]
    assert matrix([*words, "--seconds", "0"]) == 0
    begun = out.read_text().count("\n") if out.exists() else 0
    assert matrix(words) == 0 and "7 of 7 cells, 2 models each" in capsys.readouterr().out
    lines = out.read_text().splitlines()
    assert len(lines) == 7 > begun
    assert matrix(words) == 0 and out.read_text().splitlines() == lines


# -- models of a known kind ---------------------------------------------------------------------------


class Automaton:
    """A model that is an automaton."""

    def __init__(self, dfa):
        self.dfa = dfa

    def begin(self, batch):
        return np.full(batch, self.dfa.initial), self._given(np.full((batch, 1), self.dfa.initial))

    def advance(self, states, words):
        seen = []
        for column in words.T:
            states = self.dfa.table[states, column]
            seen.append(states)
        return states, self._given(np.stack(seen, axis=1))

    def _given(self, states):
        return Given(np.isin(states, list(self.dfa.accepting))[..., None])


class Given:
    def __init__(self, array):
        self.array = array

    def dense(self):
        return self.array


def draws(*dfas):
    @contextmanager
    def draw(seed):
        yield Automaton(dfas[seed])

    return draw


PARITY = DFA("01", [[0, 1], [1, 0]], [0])
NEVER, ALWAYS = DFA("01", [[0, 0]], []), DFA("01", [[0, 0]], [0])
FEW_ONES = DFA("01", [[0, 1], [1, 2], [2, 3], [3, 4], [4, 4]], [0, 2])
"""Right about parity below four 1s."""


def test_strings_are_the_first_that_all_models_answer_alike():
    parity, cycle = language("parity"), find_cycle(PARITY, RECOGNISE)
    found = on_powers(draws(NEVER, FEW_ONES, ALWAYS), parity, cycle, 3)
    assert found.strings == (("1",) * 3, ("1",) * 4) and (found.models, found.wrong) == (3, 3)
    assert found.made == "1^n, n = 3 and 4"
    found = on_powers(draws(NEVER, PARITY), parity, cycle, 2)
    assert found.strings == ((), ("1",)) and (found.models, found.wrong) == (2, 1)


def test_strings_of_which_both_or_none_are_words_show_nothing():
    empty_alone = DFA("01", [[1, 1], [1, 1]], [0])
    known = language("tomita-6")
    found = on_powers(draws(empty_alone), known, find_cycle(known.dfa(), RECOGNISE), 1)
    assert found.strings == (("0",) * 2, ("0",) * 3) and found.wrong == 1


@pytest.mark.parametrize("target", ["ssm", "lru", "mamba2", "rwkv"])
def test_strings_together_and_alone_have_one_answer(target):
    words = [(), ("1",), ("0", "1", "1"), ("1", "1", "0", "0", "1"), ("1", "1")]

    def draw(seed):
        return TARGETS.named(target).random(("0", "1"), (ACCEPT,), seed)

    together, alone = (answers_of(draw, ("0", "1"), words, 3, alone=alone) for alone in (False, True))
    assert (together == alone).all()


def test_more_powers_are_tried_where_few_do_not_settle():
    count = 30
    table = [[min(q + 1, count)] for q in range(count)] + [[count]]
    slow = DFA("a", table, [q for q in range(0, count, 2)])
    even = Language("even", "", lambda: DFA("a", [[1], [0]], [0]), False)
    found = on_powers(draws(slow, slow), even, find_cycle(even.dfa(), RECOGNISE), 2)
    assert found.wrong == 2 and [len(word) for word in found.strings] == [29, 30]


def test_a_model_may_be_right_on_given_strings():
    strings = ((), ("1",))
    found = on_strings(draws(PARITY, NEVER, ALWAYS), language("parity"), strings, "given", 3)
    assert (found.models, found.wrong, found.made) == (3, 2, "given")


def test_few_strings_catch_every_model_that_any_of_the_short_ones_does():
    found = on_few(draws(NEVER, ALWAYS, PARITY, FEW_ONES), language("parity"), 4)
    assert (found.models, found.wrong) == (4, 3) and len(found.strings) <= 3
    given = answers_of(draws(NEVER, ALWAYS, FEW_ONES), ("0", "1"), found.strings, 3)
    assert (given != [PARITY.accepts_word(word) for word in found.strings]).any(axis=1).all()


# -- groups that no solvable ones make, signs, and clocks -----------------------------------------------


def test_few_strings_show_what_complex_gates_cannot_have(tmp_path, capsys):
    generators = ((1, 2, 0, 3, 4), (1, 2, 3, 4, 0))
    elements = {tuple(range(5)): 0}
    for element in (waiting := [tuple(range(5))]):
        for g in generators:
            if (product := tuple(g[x] for x in element)) not in elements:
                elements[product] = len(elements)
                waiting.append(product)
    lines = ["0"]
    for element, number in elements.items():
        lines += [f"{number} {elements[tuple(g[x] for x in element)]} {s} {s}" for g, s in zip(generators, (1, 2))]
    (tmp_path / "a5.att").write_text("\n".join([*lines[1:], "0"]) + "\n")
    path = tmp_path / "report.json"
    words = ["decide", "--file", str(tmp_path / "a5.att"), "--on", "complex-diagonal", "--models", "4"]
    assert main([*words, "--json", str(path)]) == 0
    assert "A5" in capsys.readouterr().out
    (row,) = json.loads(path.read_text())["decisions"]
    assert row["answer"] == "impossible" and row["random_models"] == row["wrong_models"] == 4


def test_signed_gates_are_shown_a_period_that_is_no_power_of_two():
    # a swaps two of three, and b turns all: the shortest word that permutes is the swap.
    s3 = DFA("ab", [[1, 1], [0, 2], [2, 0]], [0])
    assert find_cycle(s3, RECOGNISE).period == 2
    cycle = find_cycle(s3, RECOGNISE, apart=4)
    assert cycle.period == 3 and cycle.w == ("b",)
    assert cycle.residues
    for n in cycle.residues:
        assert s3.accepts_word(cycle_word(cycle, n)) != s3.accepts_word(cycle_word(cycle, n + 4))
    assert find_cycle(PARITY, RECOGNISE, apart=4) is None


def test_words_of_a_length_that_a_number_divides_permute_where_symbols_are_counted():
    cycle = find_cycle(PARITY, RECOGNISE, multiple=6)
    assert len(cycle.w) == 6 and cycle.w.count("1") % 2
    assert find_cycle(language("(aa)*").dfa(), RECOGNISE, multiple=2) is None


@pytest.mark.parametrize("name", [known.name for known in LANGUAGES.values() if known.star_free is not None])
def test_quasi_aperiodic_are_those_that_no_length_of_words_permutes(name):
    least = language(name).dfa().minimise()
    columns = [tuple(least.table[:, a].tolist()) for a in range(len(least.alphabet))]
    actions = {tuple(range(least.states))}
    for _ in range(24):  # the lengths of the catalogue's cycles divide 12
        actions = {tuple(column[q] for q in action) for action in actions for column in columns}

    def permutes(action):
        seen = [action]
        while (power := tuple(action[q] for q in seen[-1])) not in seen:
            seen.append(power)
        return seen[-1] != power

    assert is_quasi_aperiodic(least) == (not any(map(permutes, actions)))
    assert is_quasi_aperiodic(least) == (name not in FORBIDDEN["lru"])


def test_what_no_theorem_forbids_clocks_is_open():
    for name in ("tomita-3", "flip-flop"):
        assert decide(language(name), RECOGNISE, TARGETS.named("lru")).answer == NOT_KNOWN


def test_many_actions_are_refused():
    with pytest.raises(InputError, match="act in more than 10 ways"):
        is_quasi_aperiodic(language("flip-flop").dfa(), 10)
