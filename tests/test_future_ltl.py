"""LTL over finite words with operators of the future: the DFA against the definition, read off the page, on every short
word.
"""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automata.errors import InputError
from automata.notation.expressions import regex_to_dfa
from automata.notation.future_ltl import formula_to_dfa
from automata.notation.past_ltl import ltl_to_dfa
from automata.notation.temporal import FUTURE, PAST, parse_formula
from constructions.compile.past_formula import ltl_to_cascade

ALPHABET = "abc"
WORDS = [word for n in range(6) for word in map("".join, product(ALPHABET, repeat=n))]
BOOLEAN = {
    "&": lambda p, q: p and q,
    "|": lambda p, q: p or q,
    "->": lambda p, q: not p or q,
    "<->": lambda p, q: p == q,
}


def true_of(formula, word):
    """The definition, by recursion on the formula and with quantifiers over positions."""
    if isinstance(formula, str):
        return formula == "true" or (formula != "false" and word[:1] == formula)
    operator, *args = formula
    suffixes = [word[s:] for s in range(len(word))]
    if operator == "!":
        return not true_of(args[0], word)
    if operator == "X":
        return len(word) >= 2 and true_of(args[0], word[1:])
    if operator == "N":
        return len(word) < 2 or true_of(args[0], word[1:])
    if operator == "F":
        return any(true_of(args[0], suffix) for suffix in suffixes)
    if operator == "G":
        return all(true_of(args[0], suffix) for suffix in suffixes)
    if operator == "U":
        return any(
            true_of(args[1], s) and all(true_of(args[0], u) for u in suffixes[:i]) for i, s in enumerate(suffixes)
        )
    if operator == "W":
        return true_of(("U", *args), word) or true_of(("G", args[0]), word)
    if operator == "R":
        return all(
            true_of(args[1], s) or any(true_of(args[0], u) for u in suffixes[:i]) for i, s in enumerate(suffixes)
        )
    if operator == "M":
        return any(
            true_of(args[0], s) and all(true_of(args[1], u) for u in suffixes[: i + 1]) for i, s in enumerate(suffixes)
        )
    return BOOLEAN[operator](true_of(args[0], word), true_of(args[1], word))


def text_of(formula):
    if isinstance(formula, str):
        return formula
    operator, *args = formula
    texts = [f"({text_of(arg)})" for arg in args]
    return f"{operator}{texts[0]}" if len(texts) == 1 else f"{texts[0]} {operator} {texts[1]}"


FORMULAS = st.recursive(
    st.sampled_from([*ALPHABET, "true", "false"]),
    lambda inner: (
        st.tuples(st.sampled_from("!XNFG"), inner) | st.tuples(st.sampled_from([*BOOLEAN, *"UWRM"]), inner, inner)
    ),
    max_leaves=5,
)


@given(FORMULAS)
@settings(max_examples=200)
def test_the_language_is_the_definition(formula):
    # A conjunct that is always true makes it a formula of the future, whatever it has.
    text = f"({text_of(formula)}) & (X a | !X a)"
    dfa = formula_to_dfa(text, ALPHABET)
    assert dfa == dfa.minimise()
    for word in WORDS:
        assert dfa.accepts_word(word) == true_of(formula, word), (text, word)


@pytest.mark.parametrize(
    "formula, expression",
    [
        ("F a", ".*a.*"),
        ("G a", "a*"),
        ("X a", ".a.*"),
        ("N a", "()|.|.a.*"),
        ("X true", "..+"),
        ("!X true", "()|."),
        ("G(a -> X b)", "(ab|[bc])*"),
        ("a U b", "a*b.*"),
        ("a W b", "a*(b.*)?"),
        ("b R a", "a*"),
        ("(a | b) M c", "[]"),
        ("(b | c) M (a | c)", "a*c.*"),
        ("F(a & X F b)", ".*a.*b.*"),
        ("F G a", ".*a"),
        ("G F a", "()|.*a"),
        ("a U b U c", "a*b*c.*"),
    ],
)
def test_known_languages(formula, expression):
    assert formula_to_dfa(formula, ALPHABET) == regex_to_dfa(expression, ALPHABET)


@pytest.mark.parametrize(
    "text, same",
    [
        ("F a & b", "(F a) & b"),
        ("a U b U c", "a U (b U c)"),
        ("a W b R c", "a W (b R c)"),
        ("a & b U c", "a & (b U c)"),
        ("!a U b", "(!a) U b"),
        ("F a && X b || G c", "(F a & X b) | G c"),
        ("X <a>", "X a"),
        ("[](a -> <>b)", "G(a -> F b)"),
        ("□(¬a ∧ ~b → ◇○c ∨ a)", "G(!a & !b -> F X c | a)"),
        ("F a ↔ G b", "F a <-> G b"),
    ],
)
def test_precedence_and_spelling(text, same):
    assert parse_formula(text, ALPHABET).nodes[-1] == parse_formula(same, ALPHABET).nodes[-1]
    assert formula_to_dfa(text, ALPHABET) == formula_to_dfa(same, ALPHABET)


def test_the_tense_and_the_formulas_of_the_past():
    assert parse_formula("H a").tense == parse_formula("a").tense == PAST and parse_formula("G a").tense == FUTURE
    assert formula_to_dfa("O(a & Y b)", "ab") == ltl_to_dfa("O(a & Y b)", "ab")
    assert formula_to_dfa("a", "ab") == regex_to_dfa(".*a", "ab")
    assert formula_to_dfa("'F' S 'G'").alphabet == ("F", "G")
    for route in (ltl_to_dfa, ltl_to_cascade):
        with pytest.raises(InputError, match="speaks of the future, expected one with the past operators Y H O S"):
            route("F a")


@pytest.mark.parametrize(
    "text, message",
    [
        (
            "H(a -> F b)",
            (
                "column 8: found the future operator 'F' after the past operator "
                "'H' at column 1, expected operators of one kind"
            ),
        ),
        ("F a & Y b", "column 7: found the past operator 'Y' after the future operator 'F' at column 1"),
        ("a U (b S c)", "the symbol itself is written 'S'"),
        ("G", "column 2: found the end, expected a symbol or '('"),
        ("a U", "column 4: found the end"),
        ("U a", "column 1: found 'U', expected a symbol or '('"),
    ],
)
def test_errors_name_the_column_and_the_operators(text, message):
    with pytest.raises(InputError) as raised:
        formula_to_dfa(text)
    assert message in str(raised.value) and len(str(raised.value)) <= 400


def test_an_explosion_stops_at_a_limit_that_can_be_raised():
    with pytest.raises(InputError, match="more than 50 reachable states; raise the limit"):
        formula_to_dfa("F(a & X X X X X X X b)", "ab", limit=50)
