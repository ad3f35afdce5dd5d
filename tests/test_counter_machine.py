"""The counter machines against plain definitions of the languages, string by string."""

from itertools import islice, product

import pytest

from automata.catalogue import language
from automata.errors import InputError
from automata.machine import EOS, run
from automata.machines import counter_machine as kept_by
from automata.machines.counter_machine import (
    NAMES,
    OPERANDS,
    OPERATORS,
    RUNS,
    CounterMachine,
    Move,
    counter_machine,
    parse_name,
    satisfies,
    shuffle_brackets,
)


def balanced(word, opening, closing):
    """Brackets of one type, by cancelling neighbours; other symbols are passed over."""
    text = [symbol for symbol in word if symbol in (opening, closing)]
    while (opening, closing) in zip(text, text[1:]):
        at = list(zip(text, text[1:])).index((opening, closing))
        del text[at : at + 2]
    return not text


def parses(word):
    """A Boolean expression in prefix notation, by recursive descent."""

    def rest(position):
        if position >= len(word):
            return None
        if word[position] in OPERANDS:
            return position + 1
        position, arity = position + 1, OPERATORS.index(word[position]) + 1
        for _ in range(arity):
            position = rest(position)
            if position is None:
                return None
        return position

    return rest(0) == len(word)


def is_word(name, word):
    """The definition of the language, in one line of its own."""
    if name in RUNS:
        letters, n = RUNS[name], len(word) // len(RUNS[name])
        return n >= 1 and "".join(word) == "".join(letter * n for letter in letters)
    family, number = parse_name(name)
    if family == "boolean":
        return parses(word)
    return all(balanced(word, *pair) for pair in shuffle_brackets(number))


LENGTHS = {
    "dyck-1": 10,
    "shuffle-2": 7,
    "shuffle-3": 5,
    "boolean-1": 7,
    "boolean-3": 6,
    "boolean-5": 5,
    "anbn": 11,
    "anbncn": 9,
    "anbncndn": 8,
}


@pytest.mark.parametrize("name", LENGTHS)
def test_accepts_exactly_the_words(name):
    machine = counter_machine(name)
    words = 0
    for length in range(LENGTHS[name] + 1):
        for word in product(machine.alphabet, repeat=length):
            assert machine.accepts(run(machine, word)) == is_word(name, word), "".join(word)
            words += is_word(name, word)
    assert words >= 2


def completion(machine, state):
    """A shortest word from a state to acceptance."""
    queue, seen = [(state, ())], {state}
    for state, word in queue:
        if machine.accepts(state):
            return word
        for symbol in machine.alphabet:
            following = machine.step(state, symbol)
            if following is not None and following not in seen:
                seen.add(following)
                queue.append((following, (*word, symbol)))
    raise AssertionError("the machine is not trim")


@pytest.mark.parametrize("name", LENGTHS)
def test_legal_symbols_are_those_with_which_some_word_goes_on(name):
    """Every word is legal throughout, and every legal symbol is followed by a word."""
    machine = counter_machine(name)
    prefixes = {()}
    for length in range(LENGTHS[name] + 1):
        for word in product(machine.alphabet, repeat=length):
            if is_word(name, word):
                prefixes |= {word[:i] for i in range(length)}
                assert all(symbol in machine.legal(run(machine, word[:i])) for i, symbol in enumerate((*word, EOS)))
    for prefix in sorted(prefixes, key=len)[:400]:
        for symbol in machine.legal(run(machine, prefix)) - {EOS}:
            word = (*prefix, symbol)
            assert is_word(name, word + completion(machine, run(machine, word)))


@pytest.mark.parametrize("name", NAMES)
def test_the_empty_word(name):
    machine = counter_machine(name)
    assert machine.accepts(machine.initial) == is_word(name, ()) == name.startswith(("dyck", "shuffle"))
    assert (EOS in machine.legal(machine.initial)) == is_word(name, ())


def test_dead_is_dead():
    machine = counter_machine("anbncn")
    dead = run(machine, "ac")
    assert dead is None and machine.legal(dead) == frozenset() and not machine.accepts(dead)
    assert all(machine.step(dead, symbol) is None for symbol in machine.alphabet)


def test_the_catalogue_knows_them():
    assert language("shuffle-4").machine == counter_machine("shuffle-4")


@pytest.mark.parametrize(
    "name, message",
    [
        ("dyk-1", "unknown counter language 'dyk-1': did you mean dyck-1?"),
        ("anbncnd", "unknown counter language 'anbncnd': did you mean anbncndn or anbncn or anbn?"),
        ("tomita", "expected one of dyck-1"),
        ("shuffle-0", "shuffle-0: the number is 0, expected from 1 to 64"),
        ("shuffle-65", "shuffle-65: the number is 65, expected from 1 to 64"),
        ("boolean-6", "boolean-6: the number is 6, expected from 1 to 5"),
        ("dyck-2", "dyck-2: the number is 2, expected 1"),
        ("shuffle-", "did you mean shuffle"),
        ("shuffle--1", "did you mean shuffle"),
        ("", "unknown counter language ''"),
    ],
)
def test_bad_names(name, message):
    with pytest.raises(InputError) as error:
        counter_machine(name)
    assert message in str(error.value) and "\n" not in str(error.value)


def machine_of(*moves, accepting=(("q", "0"),)):
    return CounterMachine("M", ("a", "b"), ("q",), ("c",), ("q", (0,)), moves, accepting)


@pytest.mark.parametrize(
    "moves, accepting, message",
    [
        ([Move("q", "a", "*", "q", (1,)), Move("q", "a", "0", "q", (0,))], (("q", "0"),), "two moves apply together"),
        ([Move("q", "a", "*", "q", (-1,))], (("q", "0"),), "negative"),
        ([Move("q", "a", "+", "q", (-2,))], (("q", "0"),), "negative"),
        ([Move("q", "a", "?", "q", (0,))], (("q", "0"),), "unknown test"),
        ([Move("q", "c", "*", "q", (0,))], (("q", "0"),), "does not have"),
        ([Move("p", "a", "*", "q", (0,))], (("q", "0"),), "does not have"),
        ([Move("q", "a", "**", "q", (0,))], (("q", "0"),), "one test and one amount"),
        ([], (("p", "0"),), "accepting condition"),
    ],
)
def test_bad_machines(moves, accepting, message):
    with pytest.raises(InputError, match=message):
        machine_of(*moves, accepting=accepting)


def test_unknown_symbol():
    with pytest.raises(InputError, match="symbol 'x' is not in the alphabet of anbn"):
        run(counter_machine("anbn"), "ax")


@pytest.mark.parametrize("name", NAMES)
def test_the_move_is_the_one_whose_tests_hold(name):
    """Found once for each pattern of zeros, and again for other values with the same."""
    machine = counter_machine(name)
    for control, values in product(machine.controls, product((0, 1, 7), repeat=len(machine.counters))):
        for symbol in machine.alphabet:
            able = [
                m for m in machine.moves if (m.control, m.symbol) == (control, symbol) and satisfies(values, m.tests)
            ]
            assert [machine.move((control, values), symbol)] == (able or [None])


@pytest.mark.parametrize("most", [1, 3, 1 << 16])
@pytest.mark.parametrize("name", (*NAMES, "shuffle-7"))
def test_what_is_legal_is_what_has_a_move_however_little_is_kept(name, most, monkeypatch):
    monkeypatch.setattr(kept_by, "_MOST_KEPT", most)
    machine = counter_machine(name)
    for control in machine.controls:
        for values in islice(product((0, 1, 7), repeat=len(machine.counters)), 100):
            state = control, values
            able = {symbol for symbol in machine.alphabet if machine.move(state, symbol)}
            assert machine.legal(state) == able | ({EOS} if machine.accepts(state) else set())
    assert max(len(machine._moves), len(machine._legal)) <= most
