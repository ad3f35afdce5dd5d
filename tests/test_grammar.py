"""Grammars derived to a depth: against all derivations by hand, bounded Dyck, and every wrong file in one line."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automata.catalogue import language
from automata.dfa import DFA
from automata.errors import InputError, LimitError
from automata.notation.grammar import grammar_to_dfa, parse_grammar
from verify.__main__ import main

SUMS = "E -> T + E | T\nT -> x | ( E )"


def derived(grammar, depth, longest):
    """All words up to a length, by recursion on the definition: what waits while a nonterminal is worked on."""

    def of(rest, waiting, room):
        if not rest:
            return {()}
        first, after = rest[0], rest[1:]
        if first not in grammar.rules:
            return {(first, *word) for word in of(after, waiting, room - 1)} if room else set()
        inside = waiting + bool(after)
        if inside > depth:
            return set()
        found = set()
        for head in body(first, inside, room):
            found |= {(*head, *tail) for tail in of(after, waiting, room - len(head))}
        return found

    cache = {}

    def body(symbol, waiting, room):
        if (symbol, waiting, room) not in cache:
            cache[symbol, waiting, room] = set()  # a left recursion that reads nothing adds nothing
            while True:
                before = len(cache[symbol, waiting, room])
                for rest in grammar.rules[symbol]:
                    cache[symbol, waiting, room] |= of(rest, waiting, room)
                if len(cache[symbol, waiting, room]) == before:
                    break
        return cache[symbol, waiting, room]

    return body(grammar.start, 0, longest)


def words(dfa, longest):
    return {
        word for size in range(longest + 1) for word in product(dfa.alphabet, repeat=size) if dfa.accepts_word(word)
    }


@pytest.mark.parametrize("depth", range(4))
def test_brackets_are_bounded_dyck(depth):
    known = language(f"dyck-2-{depth}").dfa()
    opening = (
        known.alphabet[::2] if known.alphabet[0][0] == "(" and known.alphabet[1][-1] == ")" else known.alphabet[:2]
    )
    closing = [symbol for symbol in known.alphabet if symbol not in opening]
    rules = " | ".join(f"{left} S {right} S" for left, right in zip(opening, closing))
    dfa = grammar_to_dfa(parse_grammar(f"S -> {rules} | ε"), depth)
    assert words(dfa, 6) == words(known, 6) and dfa.states == known.states


@pytest.mark.parametrize("text", [SUMS, "S -> a S b | ε", "S -> S a | b", "S -> A A\nA -> a A | ε", "S -> A b\nA -> S"])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_the_automaton_has_the_words_of_all_derivations(text, depth):
    grammar = parse_grammar(text)
    assert words(grammar_to_dfa(grammar, depth), 6) == derived(grammar, depth, 6)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["S", "T", "a", "b"]), max_size=3), min_size=1, max_size=3),
    st.lists(st.lists(st.sampled_from(["S", "T", "a"]), max_size=2), min_size=1, max_size=2),
    st.integers(0, 2),
)
def test_random_grammars(first, second, depth):
    def side(alternatives):
        return " | ".join(" ".join(tokens) or "ε" for tokens in alternatives)

    grammar = parse_grammar(f"S -> {side(first)} | a\nT -> {side(second)}")
    assert words(grammar_to_dfa(grammar, depth), 4) == derived(grammar, depth, 4)


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "has no rule"),
        ("S = a", "line 1, column 3: expected NONTERMINAL -> "),
        ("S", "line 1, column 2: expected NONTERMINAL -> "),
        ("% all\n\nS -> a -> b", "line 3: '->' cannot stand in an alternative"),
        ("| -> a", "line 1: '|' cannot stand in a rule"),
        ("S -> a ε", "line 1: ε stands beside other tokens"),
        ("S -> S | ε", "has no symbol"),
    ],
)
def test_wrong_files_are_named_by_their_place(text, message, tmp_path, capsys):
    path = tmp_path / "wrong.cfg"
    path.write_text(text, encoding="utf-8")
    assert main(["prove", "--cfg", str(path), "--depth", "2"]) == 2
    err = capsys.readouterr().err
    assert message in err and str(path) in err and err.count("\n") == 1
    with pytest.raises(InputError):
        parse_grammar(text)


def test_options_go_together(tmp_path, capsys):
    path = tmp_path / "right.cfg"
    path.write_text("S -> a S b | ε\n")
    for words_given, message in (
        (["prove", "--cfg", str(path)], "--cfg and --depth: each needs the other"),
        (["prove", "d-2", "--depth", "2"], "--cfg and --depth: each needs the other"),
        (["prove", "--cfg", str(path), "--depth", "2", "--alphabet", "ab"], "--alphabet: a grammar has the symbols"),
        (["prove", "--cfg", str(tmp_path / "none"), "--depth", "2"], "cannot be read"),
    ):
        assert main(words_given) == 2 and message in capsys.readouterr().err


def test_deep_stacks_are_limited_by_all_that_waits_in_them():
    """3,000 states of one stack each are few, but the last of these stacks is 3,000 rests deep."""
    grammar = parse_grammar("S -> a S b | ε")
    with pytest.raises(LimitError, match="stacks have more than 5000000 rests of rules; raise the limit"):
        grammar_to_dfa(grammar, 10**8, limit=5000)
    assert grammar_to_dfa(grammar, 50, limit=5000).states == 102


def test_a_grammar_too_large_names_its_option():
    with pytest.raises(LimitError, match="raise the limit"):
        grammar_to_dfa(parse_grammar("S -> a S a | b S b | ε"), 12, 50)


@pytest.mark.parametrize("target", ["ssm", "ids4"])
def test_commands_take_a_grammar(target, tmp_path, capsys):
    path = tmp_path / "sums.cfg"
    path.write_text(SUMS)
    words_given = ["prove", "--cfg", str(path), "--depth", "2", "--target", target, "--strings", "50"]
    assert main([*words_given, "--save", str(tmp_path / "model")]) == 0
    assert "derived at most 2 deep" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "model"), "--strings", "50"]) == 0
    assert main(["trace", "--cfg", str(path), "--depth", "2", "( x + x )"]) == 0


def test_the_automaton_is_minimal():
    dfa = grammar_to_dfa(parse_grammar("S -> a S | a"), 3)
    assert isinstance(dfa, DFA) and dfa.states == 2
