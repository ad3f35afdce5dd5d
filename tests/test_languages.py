"""The catalogue: definitions by words, published sizes and verdicts, and names; and the bestiary."""

from itertools import groupby, product

import pytest
from bestiary import BESTIARY

from automata.algebra.aperiodic import is_star_free
from automata.algebra.monoid import TransitionMonoid
from automata.catalogue import LANGUAGES, language
from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import EOS, run
from automata.machines.bounded_dyck import DyckMachine, type_name
from automata.machines.flip_flop import FlipFlopMachine
from automata.notation.expressions import regex_to_dfa


def runs(word):
    return [(symbol, len(list(group))) for symbol, group in groupby(word)]


def nested(word, depth):
    """Whether a word of a's and b's is balanced, at most ``depth`` deep."""
    height = 0
    for symbol in word:
        height += 1 if symbol == "a" else -1
        if not 0 <= height <= depth:
            return False
    return height == 0


def ascending(word):
    return sorted(word) == list(word)


DEFINITIONS = {
    "tomita-1": lambda w: "0" not in w,
    "tomita-2": lambda w: w == "10" * (len(w) // 2),
    "tomita-3": lambda w: not any(a == "1" and m % 2 and n % 2 for (a, m), (_, n) in zip(runs(w), runs(w)[1:])),
    "tomita-4": lambda w: "000" not in w,
    "tomita-5": lambda w: w.count("0") % 2 == 0 == w.count("1") % 2,
    "tomita-6": lambda w: (w.count("0") - w.count("1")) % 3 == 0,
    "tomita-7": lambda w: len(runs(w)) <= 3 + (w[:1] != "1"),
    "parity": lambda w: w.count("1") % 2 == 0,
    "aa-star": lambda w: len(w) % 2 == 0,
    "aaaa-star": lambda w: len(w) % 4 == 0,
    "abab-star": lambda w: w == "abab" * (len(w) // 4),
    "d-2": lambda w: nested(w, 2),
    "d-3": lambda w: nested(w, 3),
    "d-4": lambda w: nested(w, 4),
    "d-12": lambda w: nested(w, 12),
    "aa*bb*cc*dd*ee*": lambda w: ascending(w) and set(w) == set("abcde"),
    "{a,b}*d{b,c}*": lambda w: w.count("d") == 1 and "c" not in w.split("d")[0] and "a" not in w.split("d")[1],
    "{0,1,2}*02*": lambda w: "0" in w and "1" not in w[w.rindex("0") :],
    "flip-flop": lambda w: is_flip_flop(w),
}


def is_flip_flop(word):
    instructions, bits = word[::2], word[1::2]
    if (
        len(word) % 2
        or not set(instructions) <= set("wri")
        or not set(bits) <= set("01")
        or instructions[:1] not in ("", "w")
    ):
        return False
    reads = [i for i, instruction in enumerate(instructions) if instruction == "r"]
    return all(bits[i] == bits[instructions.rindex("w", 0, i)] for i in reads)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_definitions(name):
    dfa, inside = language(name).dfa(), DEFINITIONS[name]
    length = {1: 16, 2: 12, 3: 8, 4: 7, 5: 6}[len(dfa.alphabet)]
    for n in range(length + 1):
        for word in map("".join, product(dfa.alphabet, repeat=n)):
            assert dfa.accepts_word(word) == inside(word), word


def test_the_catalogue_is_the_27_languages_and_the_flip_flop_language():
    assert len(LANGUAGES) == 28
    assert {name for name, known in LANGUAGES.items() if known.kind == "regular"} == set(DEFINITIONS)
    assert all(known.star_free is None for known in LANGUAGES.values() if known.kind == "counter")


# Minimal complete DFA states, transition monoid with identity, star-free.
SIZES = {
    "tomita-1": (2, 2, True),
    "tomita-2": (3, 6, True),
    "tomita-3": (5, 26, False),
    "tomita-4": (4, 12, True),
    "tomita-5": (4, 4, False),
    "tomita-6": (3, 3, False),
    "tomita-7": (5, 9, True),
    "parity": (2, 2, False),
    "aa-star": (2, 2, False),
    "aaaa-star": (4, 4, False),
    "abab-star": (5, 10, False),
    "aa*bb*cc*dd*ee*": (7, 17, True),
    "{a,b}*d{b,c}*": (3, 5, True),
    "{0,1,2}*02*": (2, 3, True),
    "flip-flop": (9, 81, True),
    "d-2": (4, 15, True),
    "d-3": (5, 31, True),
    "d-4": (6, 56, True),
    "d-12": (14, 820, True),
    "dyck-2-1": (4, 11, True),
    "dyck-2-2": (8, 60, True),
    "dyck-2-3": (16, 285, True),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_and_verdicts(name):
    states, monoid, star_free = SIZES[name]
    dfa = language(name).dfa()
    assert (dfa.states, len(TransitionMonoid(dfa))) == (states, monoid)
    assert language(name).star_free == is_star_free(dfa) == star_free


@pytest.mark.parametrize("name", ["d-2", "d-4", "tomita-3", "flip-flop", "dyck-2-2", "aa*bb*cc*dd*ee*"])
def test_the_monoid_by_another_library(name):
    """libsemigroups counts the actions of words; the identity is added where no word acts as it."""
    semigroups = pytest.importorskip("libsemigroups_pybind11")
    dfa = language(name).dfa()
    letters = [semigroups.Transf(dfa.table[:, a].tolist()) for a in range(len(dfa.alphabet))]
    semigroup = semigroups.FroidurePin(letters)
    identity = semigroups.Transf(list(range(dfa.states)))
    assert semigroup.size() + (not semigroup.contains(identity)) == SIZES[name][1]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_d_n_by_its_equation(n):
    expression = "()"
    for _ in range(n):
        expression = f"(a({expression})b)*"
    assert language(f"d-{n}").dfa() == regex_to_dfa(expression, "ab")


@pytest.mark.parametrize("name", ["flip-flop", "dyck-1-3", "dyck-2-2", "dyck-3-0"])
def test_direct_machines_give_the_legal_sets_of_their_automata(name):
    """The machine says what is legal by rule, the DFA by looking for words ahead."""
    machine, dfa = language(name).machine, language(name).dfa()
    seen, waiting = {machine.initial: dfa.initial}, [machine.initial]
    while waiting:
        state = waiting.pop()
        assert machine.legal(state) == dfa.legal(seen[state])
        assert machine.accepts(state) == dfa.accepts(seen[state]) == (EOS in machine.legal(state))
        for symbol in machine.alphabet:
            target = machine.step(state, symbol)
            if target not in seen:
                seen[target] = dfa.step(seen[state], symbol)
                waiting.append(target)
            assert seen[target] == dfa.step(seen[state], symbol)
    assert len(seen) == dfa.states  # the machine is minimal: no two of its states are equivalent


@pytest.mark.parametrize("k, depth", [(1, 0), (1, 5), (2, 0), (2, 4), (3, 3), (5, 2)])
def test_bounded_dyck_classes(k, depth):
    machine = DyckMachine(k, depth)
    live = int(DFA.from_machine(machine).minimise().live.sum())
    assert machine.classes() == live == sum(k**j for j in range(depth + 1))


def test_large_bounded_dyck():
    machine = DyckMachine(1024, 64)
    assert machine.classes() == (1024**65 - 1) // 1023
    assert len(machine.alphabet) == 2048 and type_name(1023) == "amj"
    state = run(machine, [f"({type_name(i)}" for i in range(64)])
    assert machine.legal(state) == {type_name(63) + ")"}
    assert machine.legal(state) is machine.legal(state)


def test_plain_brackets():
    machine = DyckMachine(4, 2)
    assert [machine.parse_symbol(token) for token in "()[]{}<>"] == list(machine.alphabet)
    assert machine.parse_symbol("(d") == "(d"
    for wrong, k in (("[", 1), ("(", 5), ("()", 2), ("", 2), ("e)", 4)):
        with pytest.raises(InputError, match=r"is not a bracket of Dyck.*expected \(a"):
            DyckMachine(k, 2).parse_symbol(wrong)


@pytest.mark.parametrize("k, depth, culprit", [(0, 3, "types is 0"), (-1, 3, "types is -1"), (2, -1, "depth is -1")])
def test_bounded_dyck_arguments(k, depth, culprit):
    with pytest.raises(InputError, match=culprit):
        DyckMachine(k, depth)


@pytest.mark.parametrize("machine", [FlipFlopMachine(), DyckMachine(2, 2)])
def test_unknown_symbols_are_refused_even_when_dead(machine):
    for state in (machine.initial, None):
        with pytest.raises(InputError, match="symbol 'x' is not in the alphabet"):
            machine.step(state, "x")


@pytest.mark.parametrize(
    "name, same",
    [
        ("Tomita-4", "tomita-4"),
        ("AAAAStar", "aaaa-star"),
        ("(aa)*", "aa-star"),
        ("ABABStar", "abab-star"),
        ("AAStarBBStarCCStarDDStarEEStar", "aa*bb*cc*dd*ee*"),
        ("ABStar_D_BCStar", "{a,b}*d{b,c}*"),
        ("{0, 1, 2}*02*", "{0,1,2}*02*"),
        ("012Star_0_2Star", "{0,1,2}*02*"),
        ("D-12", "d-12"),
        ("D_7", "d-7"),
        ("(ab)*", "d-1"),
        ("L_FF", "flip-flop"),
        ("Dyck(8, 10)", "dyck-8-10"),
        ("dyck1", "dyck-1"),
        ("Shuffle4", "shuffle-4"),
        ("boolean-2", "boolean-2"),
    ],
)
def test_names(name, same):
    assert language(name).name == same


@pytest.mark.parametrize(
    "name, message",
    [
        ("tomita-44", "unknown language 'tomita-44': did you mean tomita-4"),
        ("flipflap", "did you mean flip-flop?"),
        ("dyck-8", "did you mean dyck-1 or dyck-K-H?"),
        ("nonsense!", "expected one of tomita-1, tomita-2"),
        ("nonsense!", "flip-flop, d-N, dyck-K-H, shuffle-K, boolean-N, mqar-K-V or copy-N"),
        ("mqar", "did you mean mqar-K-V?"),
        ("copy-x", "did you mean copy-N?"),
        ("", "unknown language '': expected one of"),
        ("d-0", "d-0: N is 0, expected from 1 to 100000"),
        ("d-1000000000000", "N is 1000000000000, expected from 1 to 100000"),
        ("dyck-0-3", "K is 0, expected from 1"),
        ("dyck-3-999999", "H is 999999, expected from 0"),
        ("shuffle-99", "shuffle-99: the number is 99, expected from 1 to 64"),
    ],
)
def test_unknown_names(name, message):
    with pytest.raises(InputError) as raised:
        language(name)
    assert message in str(raised.value) and "\n" not in str(raised.value)


def test_a_counter_language_has_no_finite_automaton():
    with pytest.raises(InputError, match="anbn is not regular"):
        language("anbn").dfa()


@pytest.mark.parametrize("case", BESTIARY, ids=lambda case: case.name)
def test_bestiary(case):
    assert is_star_free(case.dfa) == case.star_free
    assert case.why


def test_bestiary_names_are_distinct():
    assert len({case.name for case in BESTIARY}) == len(BESTIARY)
