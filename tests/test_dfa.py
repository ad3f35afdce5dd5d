"""Automata against brute force over all short words, and every refusal by name."""

from collections import Counter
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import automata.dfa
from automata.dfa import DFA, _refine
from automata.errors import InputError
from automata.machine import EOS, run
from verify.testing.brute_force import accepts, all_words, moore_classes, shortest_difference
from verify.testing.strategies import dfas

LENGTH = 6
ENDS_IN_B = DFA("ab", [[0, 1], [0, 1]], [1])


# -- membership and runs ------------------------------------------------------------------------------


@given(dfas())
def test_membership(dfa):
    for word in all_words("ab", LENGTH):
        state = run(dfa, word)
        assert dfa.accepts(state) == dfa.accepts_word(word) == accepts(dfa, word)


@given(dfas("abc"), st.lists(st.lists(st.integers(0, 2), min_size=5, max_size=5), min_size=1, max_size=4), st.data())
def test_a_batch_of_words_is_each_word_step_by_step(dfa, words, data):
    start = data.draw(st.none() | st.integers(0, dfa.states - 1))
    states = dfa.run_batch(np.array(words), start)
    assert states.shape == (len(words), 6)
    for row, word in zip(states.tolist(), words):
        state = dfa.initial if start is None else start
        for column, symbol in enumerate(word):
            assert row[column] == state
            state = dfa.step(state, dfa.alphabet[symbol])
        assert row[-1] == state


def test_a_batch_may_start_anywhere_and_be_empty():
    assert ENDS_IN_B.run_batch(np.zeros((2, 0), dtype=int), np.array([1, 0])).tolist() == [[1], [0]]
    assert ENDS_IN_B.run_batch(ENDS_IN_B.encode("bba")[None]).tolist() == [[0, 1, 1, 0]]


@given(dfas())
def test_legal_symbols_keep_a_word_possible(dfa):
    for word in all_words("ab", 4):
        legal = dfa.legal(run(dfa, word))
        assert (EOS in legal) == accepts(dfa, word)
        for symbol in "ab":
            # A word that is possible at all is possible within as many symbols as there are states.
            possible = any(accepts(dfa, (*word, symbol, *rest)) for rest in all_words("ab", dfa.states))
            assert (symbol in legal) == possible


# -- constructions ------------------------------------------------------------------------------------


@given(dfas())
def test_minimal_automata_keep_the_language_and_are_as_small_as_moores(dfa):
    minimal = dfa.minimise()
    assert shortest_difference(dfa, minimal, 7) is None
    assert minimal.states == moore_classes(dfa)
    assert minimal.minimise() == minimal


@pytest.mark.parametrize(
    "table, accepting",
    [
        ([[4, 4], [2, 5], [2, 2], [5, 2], [0, 4], [4, 2]], {1, 2, 4}),
        ([[1, 4, 4], [3, 2, 5], [4, 4, 4], [5, 3, 3], [5, 4, 2], [1, 0, 1]], {3, 4, 5}),
        ([[1, 0], [3, 3], [3, 5], [1, 0], [3, 4], [2, 2], [4, 0], [2, 4]], {1, 3, 7}),
    ],
)
def test_both_halves_of_a_block_that_waits_split(table, accepting):
    """Automata that keep too few classes where only the smaller half of every split block is used."""
    classes = [q in accepting for q in range(len(table))]
    for _ in table:
        signatures = [(classes[q], *(classes[target] for target in row)) for q, row in enumerate(table)]
        classes = [signatures.index(signature) for signature in signatures]
    found = _refine(table, [q in accepting for q in range(len(table))], len(table[0]))
    assert [found.index(block) for block in found] == [classes.index(block) for block in classes]


@given(dfas(), dfas())
def test_equal_languages_have_equal_minimal_automata(dfa, other):
    difference = shortest_difference(dfa, other, dfa.states + other.states)
    assert (dfa.minimise() == other.minimise()) == (difference is None)
    assert hash(dfa.minimise()) == hash(dfa.minimise().minimise())


@given(dfas())
def test_renaming_states_and_adding_unreachable_ones_changes_nothing(dfa):
    n = dfa.states
    mirrored = np.array([[n - 1 - t for t in row] for row in dfa.table.tolist()[::-1]] + [[n, 0]])
    other = DFA("ab", mirrored, [n - 1 - q for q in dfa.accepting] + [n], n - 1 - dfa.initial)
    assert other.minimise() == dfa.minimise()


@given(dfas(), dfas())
def test_boolean_operations(dfa, other):
    both, either, one, only, none = dfa & other, dfa | other, dfa ^ other, dfa - other, ~dfa
    for word in all_words("ab", LENGTH):
        a, b = accepts(dfa, word), accepts(other, word)
        assert [m.accepts_word(word) for m in (both, either, one, only, none)] == [
            a and b,
            a or b,
            a != b,
            a and not b,
            not a,
        ]


def test_products_match_symbols_by_name():
    swapped = DFA("ba", [[1, 0], [1, 0]], [1])
    assert (ENDS_IN_B & swapped).minimise() == ENDS_IN_B.minimise()
    assert ENDS_IN_B.difference_from(swapped) is None


@given(dfas(), dfas())
def test_a_difference_is_a_shortest_one(dfa, other):
    word = dfa.difference_from(other)
    expected = shortest_difference(dfa, other, dfa.states + other.states)
    if word is None:
        assert expected is None
    else:
        assert len(word) == expected and accepts(dfa, word) != accepts(other, word)


@given(dfas())
def test_shortest_words_and_ways_to_states(dfa):
    words = [w for w in all_words("ab", dfa.states) if accepts(dfa, w)]
    shortest = dfa.shortest_word()
    assert shortest == (words[0] if words else None) or len(shortest) == len(words[0])
    for state in range(dfa.states):
        ways = [w for w in all_words("ab", dfa.states) if run(dfa, w) == state]
        assert dfa.access_word(state) == (ways[0] if ways else None)


@given(dfas())
def test_any_machine_that_accepts_becomes_an_automaton(dfa):
    again = DFA.from_machine(dfa)
    assert again.minimise() == dfa.minimise() and again.initial == 0
    if again.states > 1:
        with pytest.raises(InputError, match="more than 1 reachable"):
            DFA.from_machine(dfa, limit=1)


# -- words --------------------------------------------------------------------------------------------


@given(dfas())
def test_words_are_all_words_in_order(dfa):
    expected = [word for word in all_words("ab", LENGTH) if accepts(dfa, word)]
    assert list(dfa.words(LENGTH)) == expected
    for length in range(LENGTH + 1):
        assert dfa.count_words(length) == sum(len(word) == length for word in expected)


def test_counts_are_exact_far_beyond_64_bits():
    assert DFA("abc", [[0, 0, 0]], [0]).count_words(200) == 3**200
    assert len(DFA("ab", [[0, 0]], [0]).random_word(300, np.random.default_rng(0))) == 300


@settings(max_examples=60)
@given(dfas(max_states=4), st.integers(0, 3))
def test_random_words_are_exactly_uniform(dfa, length):
    """Every way in which the draws can fall is followed, with its exact probability: each word gets the same."""
    total = dfa.count_words(length)
    if not total:
        with pytest.raises(InputError, match=f"no word of length {length}"):
            dfa.random_word(length, np.random.default_rng(0))
        return
    probability: Counter = Counter()
    with pytest.MonkeyPatch.context() as patch:
        todo: list[tuple[int, ...]] = [()]
        while todo:
            script = todo.pop()
            bounds: list[int] = []

            def draw(rng, bound):
                bounds.append(bound)
                return script[len(bounds) - 1] if len(bounds) <= len(script) else 0

            patch.setattr(automata.dfa, "_random_below", draw)
            word = dfa.random_word(length, None)
            if len(script) < len(bounds):
                todo.extend((*script, i) for i in range(bounds[len(script)]))
            else:
                probability[word] += Fraction(1, int(np.prod(bounds, dtype=object)))
    assert dict(probability) == {
        w: Fraction(1, total) for w in all_words("ab", length) if len(w) == length and accepts(dfa, w)
    }


@pytest.mark.parametrize("bound", [1, 2, 3, 7, 8, 100, 255, 256, 257, 1000])
def test_draws_below_a_bound_are_exactly_uniform(bound):
    """Every value of the random bytes is fed in once: each result comes out equally often."""
    size = (bound.bit_length() + 7) // 8

    class Exhausted(Exception):
        pass

    class Scripted:
        def __init__(self, first):
            self.values = [first]

        def bytes(self, count):
            assert count == size
            if not self.values:
                raise Exhausted
            return self.values.pop().to_bytes(size, "little")

    counts: Counter = Counter()
    for value in range(256**size):
        try:
            counts[automata.dfa._random_below(Scripted(value), bound)] += 1
        except Exhausted:
            continue  # rejected: drawn again
    assert set(counts) == set(range(bound)) and len(set(counts.values())) == 1


# -- refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("ab", [[0, 1]], []), "state 0 goes by symbol 'b' to 1, which is not a state (0..0)"),
        (("ab", [[0, -1]], []), "state 0 goes by symbol 'b' to -1"),
        (("ab", [[0]], []), "shape (1, 1), expected (states >= 1, 2)"),
        (("ab", np.zeros((0, 2)), []), "shape (0, 2)"),
        (("ab", [[0, 0], [0]], []), "differ in length"),
        (("a", [[0.5]], []), "entries of type float64, expected integers"),
        (("ab", [[0, 0]], [1]), "1 is not a state (0..0)"),
        (("ab", [[0, 0]], [], 2), "2 is not a state"),
        (("aa", [[0, 0]], []), "symbol 'a' occurs twice"),
        (("", np.zeros((1, 0)), []), "the alphabet is empty"),
        ((["a", ""], [[0, 0]], []), "'' cannot be a symbol"),
        ((["a", "b c"], [[0, 0]], []), "'b c' cannot be a symbol"),
        ((["<eos>"], [[0]], []), "'<eos>' cannot be a symbol: it is reserved"),
        ((["a", 3], [[0, 0]], []), "3 cannot be a symbol"),
    ],
)
def test_what_is_wrong_is_named(arguments, message):
    with pytest.raises(InputError) as caught:
        DFA(*arguments)
    assert message in str(caught.value)


def test_unknown_symbols_are_named():
    with pytest.raises(InputError, match="'c' is not in the alphabet"):
        ENDS_IN_B.step(0, "c")
    with pytest.raises(InputError, match="'c' at position 2"):
        ENDS_IN_B.encode("abc")
    with pytest.raises(InputError, match="'c' is in only one"):
        ENDS_IN_B & DFA("abc", [[0, 0, 0]], [])


def test_automata_cannot_be_changed():
    with pytest.raises(ValueError):
        ENDS_IN_B.table[0, 0] = 1
    table = np.array([[0, 1], [0, 1]])
    dfa = DFA("ab", table, [1])
    table[0, 0] = 1
    assert dfa == ENDS_IN_B


def test_presentations_are_compared_not_languages():
    twice = DFA("ab", [[0, 1], [0, 2], [0, 1]], [1, 2])
    assert twice != ENDS_IN_B and twice.difference_from(ENDS_IN_B) is None
    assert ENDS_IN_B != "ab" and len({ENDS_IN_B, DFA("ab", [[0, 1], [0, 1]], [1])}) == 1


def test_words_of_a_small_language_in_full():
    finite = DFA("ab", [[1, 3], [3, 2], [3, 3], [3, 3]], [0, 2])
    assert list(finite.words(5)) == [(), ("a", "b")]
    assert [finite.count_words(n) for n in range(4)] == [1, 0, 1, 0]
    assert list(product("ab", repeat=2))[1] == finite.random_word(2, np.random.default_rng(5))
