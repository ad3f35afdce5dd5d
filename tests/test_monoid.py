"""Transition monoids, Green's classes and group names, against brute force, libsemigroups and published counts."""

import itertools

import libsemigroups_pybind11 as libsemigroups
import numpy as np
import pytest
from baseline import ROWS, all_maps, chain_language, dyck, from_maps
from real_data import mlregtest

from automata.algebra.groups import group_name
from automata.algebra.monoid import TransitionMonoid, distinct_letters
from automata.dfa import DFA
from automata.errors import InputError
from verify.testing.random_automata import random_automata


@pytest.mark.parametrize(
    "dfa, size",
    [(chain_language(1), 6), (chain_language(2), 15), (chain_language(3), 31), (chain_language(4), 56),
     (chain_language(12), 820),
     (dyck(2, 1), 11), (dyck(2, 2), 60), (dyck(2, 3), 285)],
)  # fmt: skip
def test_sizes_of_families(dfa, size):
    assert len(TransitionMonoid(dfa)) == size


@pytest.mark.parametrize("row", [row for row in ROWS if row.semigroup], ids=lambda row: row.name)
def test_semigroup_sizes(row):
    dfa = row.build()
    assert dfa.states == row.states
    assert TransitionMonoid(dfa).semigroup_size == row.semigroup


def test_against_libsemigroups():
    for dfa in random_automata(60, states=(2, 6), letters=(1, 3), seed=1):
        generators = [libsemigroups.Transf(list(column)) for column in dfa.table.T.tolist()]
        oracle = libsemigroups.FroidurePin(generators)
        monoid = TransitionMonoid(dfa)
        assert monoid.semigroup_size == oracle.size()
        assert len(monoid.green().idempotents) - (len(monoid) - monoid.semigroup_size) == oracle.number_of_idempotents()


def test_words_are_shortest_and_give_their_elements():
    for dfa in random_automata(20, states=(2, 4), letters=(2, 2), seed=2):
        monoid = TransitionMonoid(dfa)
        shortest = {}
        for length in range(6):
            for word in itertools.product(dfa.alphabet, repeat=length):
                action = tuple(
                    DFA(dfa.alphabet, dfa.table, [], q).run_batch(dfa.encode(word)[None, :])[0, -1]
                    for q in range(dfa.states)
                )
                shortest.setdefault(action, length)
        for i, element in enumerate(monoid.elements.tolist()):
            assert shortest.get(tuple(element), len(monoid.word(i))) == len(monoid.word(i))
            assert [run_word(dfa, q, monoid.word(i)) for q in range(dfa.states)] == element


def run_word(dfa, state, word):
    for symbol in word:
        state = dfa.step(state, symbol)
    return state


def test_greens_relations_by_their_definition():
    for dfa in random_automata(25, states=(2, 4), letters=(2, 2), seed=3):
        monoid = TransitionMonoid(dfa)
        if len(monoid) > 120:
            continue
        rows = [tuple(row) for row in monoid.elements.tolist()]
        number = {row: i for i, row in enumerate(rows)}
        product = [[number[tuple(y[q] for q in x)] for y in rows] for x in rows]
        for a, column in enumerate(monoid.letters):
            generator = number[column.images]
            assert monoid.right[:, a].tolist() == [product[i][generator] for i in range(len(rows))]
            assert monoid.left[:, a].tolist() == product[generator]
        ideal_r = [frozenset(product[i]) for i in range(len(rows))]
        ideal_l = [frozenset(row[i] for row in product) for i in range(len(rows))]
        ideal_j = [frozenset(k for j in ideal_l[i] for k in product[j]) for i in range(len(rows))]
        green = monoid.green()
        for ideals, classes in ((ideal_r, green.r), (ideal_l, green.l), (ideal_j, green.d)):
            for i, j in itertools.combinations(range(len(rows)), 2):
                assert (ideals[i] == ideals[j]) == (classes[i] == classes[j])


def test_eggboxes_hold_all_elements_once_in_equal_cells():
    for dfa in (all_maps(4), chain_language(4), *random_automata(10, states=(3, 5), letters=(2, 2), seed=4)):
        monoid = TransitionMonoid(dfa)
        boxes = monoid.green().eggboxes()
        assert sorted(e for box in boxes for cell in box.cells.values() for e in cell) == list(range(len(monoid)))
        for box in boxes:
            assert len(box.cells) == box.rows * box.columns
            assert len({len(cell) for cell in box.cells.values()}) == 1
            if box.regular:
                assert len(box.group()) == len(next(iter(box.cells.values())))
                assert {i for i, _ in box.idempotents} == set(range(box.rows))
                assert {j for _, j in box.idempotents} == set(range(box.columns))


def test_all_maps_of_four_points():
    assert [str(box) for box in TransitionMonoid(all_maps(4)).green().eggboxes()] == [
        "1 x 1 of S4", "6 x 4 of S3", "7 x 6 of C2", "1 x 4 of C1"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "generators, name",
    [
        ([(0, 1)], "C1"),
        ([(1, 0)], "C2"),
        ([(1, 2, 3, 4, 5, 0)], "C6"),
        ([(1, 0, 2, 3), (0, 1, 3, 2)], "C2 x C2"),
        ([(1, 0, 3, 2, 4, 5, 6, 7), (0, 1, 2, 3, 5, 6, 7, 4)], "C2 x C4"),
        ([(1, 0, 2), (1, 2, 0)], "S3"),
        ([(1, 2, 0, 4, 5, 3), (3, 5, 4, 0, 2, 1)], "S3"),
        ([(1, 2, 3, 0), (3, 2, 1, 0)], "D4"),
        ([(1, 2, 3, 4, 0), (4, 3, 2, 1, 0)], "D5"),
        ([(1, 2, 3, 0, 5, 6, 7, 4), (4, 7, 6, 5, 2, 1, 0, 3)], "Q8"),
        ([(1, 2, 0, 3), (1, 0, 3, 2)], "A4"),
        ([(1, 0, 2, 3), (1, 2, 3, 0)], "S4"),
        ([(1, 2, 0, 3, 4), (1, 2, 3, 4, 0)], "A5"),
        ([(1, 0, 2, 3, 4), (1, 2, 3, 4, 0)], "S5"),
    ],
)
def test_group_names(generators, name):
    assert group_name(generators) == name


def test_group_names_do_not_depend_on_the_action():
    """The regular action of a group has the name of its small action."""
    for generators, name in [([(1, 0, 2, 3), (1, 2, 3, 0)], "S4"), ([(1, 2, 0, 3), (1, 0, 3, 2)], "A4"),
                             ([(1, 2, 3, 0), (3, 2, 1, 0)], "D4"),
                             ([(1, 2, 3, 4, 0), (1, 2, 0, 3, 4)], "A5")]:  # fmt: skip
        elements = [tuple(row) for row in TransitionMonoid(from_maps([list(g) for g in generators])).elements.tolist()]
        number = {e: i for i, e in enumerate(elements)}
        regular = [tuple(number[tuple(g[p] for p in e)] for e in elements) for g in generators]
        assert group_name(regular) == name


def test_unnamed_groups_show_order_and_generators():
    seven_three = [(1, 2, 3, 4, 5, 6, 0), (0, 2, 4, 6, 1, 3, 5)]
    assert group_name(seven_three).startswith("order 21, generated by ")


def test_letters_with_equal_maps_collapse():
    letters = distinct_letters(DFA("abcd", [[1, 0, 1, 0], [0, 1, 0, 1]], [0]))
    assert [letter.symbols for letter in letters] == [("a", "c"), ("b", "d")]


def test_limit_gives_the_count_and_the_remedy():
    with pytest.raises(InputError, match="more than 1000 elements .* raise the limit"):
        TransitionMonoid(all_maps(5), limit=1000)
    assert len(TransitionMonoid(all_maps(5), limit=3125)) == 3125


def test_real_automata_have_the_published_counts(shared_data):
    seen = 0
    for name, dfa, counts in mlregtest(shared_data):
        monoid = TransitionMonoid(dfa)
        dead = int(np.count_nonzero(~dfa.live))
        assert (dfa.states - dead, len(monoid), monoid.green().d_classes) == counts, name
        seen += 1
    assert seen == 390
