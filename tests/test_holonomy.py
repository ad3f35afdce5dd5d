"""The holonomy skeleton, against published figures and against the definitions on the whole monoid."""

import itertools

import pytest
from baseline import ROWS, all_maps, chain_language, from_maps

from automata.algebra.groups import group_name
from automata.algebra.holonomy import Skeleton
from automata.algebra.monoid import TransitionMonoid
from automata.dfa import DFA
from automata.errors import InputError
from verify.testing.brute_force import aperiodic_by_brute_force
from verify.testing.random_automata import random_automata, random_order_preserving


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_published_figures(row):
    skeleton = Skeleton(row.build())
    assert skeleton.points == row.points
    assert skeleton.levels == len(row.points)
    assert skeleton.aperiodic == row.aperiodic
    if row.aperiodic:
        assert skeleton.bits == row.bits


def test_notation():
    notation = {row.name: Skeleton(row.build()).notation for row in ROWS if row.name in ("tomita-3", "L_FF", "A*aA^4")}
    assert notation == {"tomita-3": "2/2+2/[2]^2", "L_FF": "5/[2]^3", "A*aA^4": "2/2+2/4*2/8*2/16*2"}


def slow_figures(dfa):
    """Levels and components straight from the definitions: subduction by every word's action."""
    monoid = [tuple(row) for row in TransitionMonoid(dfa).elements.tolist()]
    sets = {frozenset(m) for m in monoid} | {frozenset({q}) for q in range(dfa.states)}
    images = {s: {frozenset(m[q] for q in s) for m in monoid} for s in sets}
    below = {(p, r): any(p <= image for image in images[r]) for p in sets for r in sets}
    inner = [s for s in sets if len(s) > 1]
    alike = {s: frozenset(r for r in inner if below[s, r] and below[r, s]) for s in inner}
    depth = {}
    for s in sorted(inner, key=lambda s: sum(below[s, r] for r in inner)):
        depth[s] = 1 + max((depth[r] for r in inner if below[s, r] and not below[r, s]), default=-1)
    points = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for members in set(alike.values()):
        s = next(iter(members))
        inside = [t for t in sets if t < s]
        points[depth[s]].append(sum(not any(t < u for u in inside) for t in inside))
    return tuple(tuple(sorted(level, reverse=True)) for level in points)


def test_against_the_definitions():
    for dfa in (
        *random_automata(120, (1, 5), (1, 3), seed=11),
        *random_order_preserving(20, (2, 5), 2, seed=12),
        all_maps(3),
        chain_language(3),
    ):
        skeleton = Skeleton(dfa)
        assert skeleton.points == slow_figures(dfa)
        assert skeleton.aperiodic == aperiodic_by_brute_force(dfa)


def test_tiles_are_the_maximal_image_sets_and_letters_carry_them():
    for dfa in random_automata(60, (2, 6), (2, 2), seed=13):
        skeleton = Skeleton(dfa)
        masks = skeleton.masks
        for s, mask in enumerate(masks):
            inside = [t for t in masks if t != mask and not t & ~mask]
            maximal = {t for t in inside if not any(t != u and not t & ~u for u in inside)}
            assert {masks[t] for t in skeleton.tiles[s]} == (maximal if skeleton.size[s] > 1 else set())
            assert all(skeleton.level[t] > skeleton.level[s] for t in skeleton.tiles[s])
        if skeleton.aperiodic:
            for s, targets in enumerate(skeleton.image):
                for a, target in enumerate(targets):
                    if skeleton.class_of[target] == skeleton.class_of[s]:
                        assert tuple(skeleton.image[t][a] for t in skeleton.tiles[s]) == skeleton.tiles[target]


def test_chains_end_in_their_states():
    for dfa in random_automata(40, (1, 6), (2, 2), seed=14):
        skeleton = Skeleton(dfa)
        for state in range(dfa.states):
            digits, here = skeleton.chain(state), 0
            while skeleton.size[here] > 1:
                here = skeleton.tiles[here][digits[skeleton.level[here]]]
            assert skeleton.members(here) == (state,)


@pytest.mark.parametrize(
    "dfa, groups",
    [(all_maps(4), ["S4", "S3", "C2"]), (all_maps(5), ["S5", "S4", "S3", "C2"]),
     (from_maps([[1, 2, 3, 4, 5, 0]]), ["C6"]),
     (from_maps([[1, 0, 3, 2], [2, 3, 0, 1]]), ["C2 x C2"]), (chain_language(4), ["C1"] * 5)],
)  # fmt: skip
def test_holonomy_groups(dfa, groups):
    assert [group_name(component.generators) for component in Skeleton(dfa).components] == groups


def test_one_state():
    skeleton = Skeleton(DFA("ab", [[0, 0]], [0]))
    assert (skeleton.levels, skeleton.bits, skeleton.aperiodic, skeleton.notation) == (0, 0, True, "")


def subsets_explode(n):
    """A cycle and a merge: every nonempty set of states is an image set."""
    return all_maps(n)


def test_explosion_stops_at_the_limit_with_the_count():
    with pytest.raises(InputError, match=r"24 states has more than 500 image sets: raise the limit .* 2\^24"):
        Skeleton(subsets_explode(24), limit=500)
    assert len(Skeleton(subsets_explode(8), limit=255 - 8).masks) == 255
    with pytest.raises(InputError):
        Skeleton(subsets_explode(8), limit=254 - 8)


def test_the_number_of_states_itself_is_no_limit():
    n = 3000
    skeleton = Skeleton(DFA("ab", list(itertools.repeat([0, 1], n)), [0]), limit=10)
    assert (skeleton.levels, skeleton.bits) == (1, (n - 1).bit_length())
