"""Past LTL: the DFA, the cascade and the definition read off the page agree on every word, the empty one included."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import run
from automata.notation.expressions import regex_to_dfa
from automata.notation.past_ltl import ltl_to_dfa
from automata.notation.temporal import parse_formula
from constructions.cascade import CascadeState, Reset
from constructions.compile.past_formula import ltl_to_cascade

ALPHABET = "abc"
WORDS = [word for n in range(5) for word in map("".join, product(ALPHABET, repeat=n))]

# Formulas of the tests are nested tuples, written to text with all parentheses; the parser is not asked.
BOOLEAN = {
    "&": lambda p, q: p and q,
    "|": lambda p, q: p or q,
    "->": lambda p, q: (not p) or q,
    "<->": lambda p, q: p == q,
}


def true_of(formula, word):
    """The definition, by recursion on the formula and with quantifiers over positions."""
    if isinstance(formula, str):
        return formula == "true" or (formula != "false" and word[-1:] == formula)
    operator, *args = formula
    prefixes = [word[:s] for s in range(1, len(word) + 1)]
    if operator == "!":
        return not true_of(args[0], word)
    if operator == "Y":
        return len(word) >= 2 and true_of(args[0], word[:-1])
    if operator == "H":
        return all(true_of(args[0], prefix) for prefix in prefixes)
    if operator == "O":
        return any(true_of(args[0], prefix) for prefix in prefixes)
    if operator == "S":
        return any(
            true_of(args[1], prefix) and all(true_of(args[0], later) for later in prefixes[s + 1 :])
            for s, prefix in enumerate(prefixes)
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
        st.tuples(st.sampled_from("!YHO"), inner) | st.tuples(st.sampled_from([*BOOLEAN, "S", "S"]), inner, inner)
    ),
    max_leaves=7,
)


def dfa_of(cascade):
    """The cascade's own language; ``from_machine`` asks only step and accepts."""
    return DFA.from_machine(cascade).minimise()


@given(FORMULAS)
@settings(max_examples=300)
def test_three_opinions(formula):
    text = text_of(formula)
    dfa, cascade = ltl_to_dfa(text, ALPHABET), ltl_to_cascade(text, ALPHABET)
    assert dfa_of(cascade) == dfa
    for word in WORDS:
        assert dfa.accepts_word(word) == true_of(formula, word), (text, word)


@given(FORMULAS)
@settings(max_examples=300)
def test_one_two_state_register_for_each_temporal_subformula(formula):
    text = text_of(formula)
    nodes = parse_formula(text, ALPHABET).nodes
    cascade = ltl_to_cascade(text, ALPHABET)
    temporal = [node for node in nodes if node.operator in ("Y", "H", "O", "S")]
    assert len(cascade.registers) == cascade.memory_bits == len(temporal)
    assert all(isinstance(register, Reset) and register.values == 2 for register in cascade.registers)
    depth = []
    for node in nodes:
        depth.append(max((depth[i] for i in node.operands), default=0) + (node.operator in ("Y", "H", "O", "S")))
    assert len(cascade.levels) <= max(depth)


@pytest.mark.parametrize(
    "formula, expression",
    [
        ("a", ".*a"),
        ("!a", "~(.*a)"),
        ("true", ".*"),
        ("H false", "()"),
        ("O true", ".+"),
        ("Y true", "..+"),
        ("Y !a", ".*[bc]."),
        ("Y H b", "b+."),
        ("Y Y a", ".*a.."),
        ("H(a -> Y b)", "(b[bc]*a|[bc])*&~([ac]*a.*)&~(.*[ac]a.*)"),
        ("a S b", ".*ba*"),
        ("a S b S c", ".*c(b[ab]*)?"),
        ("a S (b S c)", ".*cb*a*"),
        ("O(a & Y O(b & Y O c))", ".*c.*b.*a.*"),
        ("H(a | b) <-> O c", "[]"),
    ],
)
def test_known_languages(formula, expression):
    assert ltl_to_dfa(formula, ALPHABET) == regex_to_dfa(expression, ALPHABET)


@pytest.mark.parametrize(
    "text, same",
    [
        ("!a S b", "(!a) S b"),
        ("H a & b", "(H a) & b"),
        ("a & b S c", "a & (b S c)"),
        ("a | b & c", "a | (b & c)"),
        ("O a -> O b | O c", "O a -> (O b | O c)"),
        ("O a -> O b -> O c", "O a -> (O b -> O c)"),
        ("O a <-> O b -> O c", "O a <-> (O b -> O c)"),
        ("O a <-> O b <-> O c", "(O a <-> O b) <-> O c"),
        ("a S b S c", "(a S b) S c"),
        ("!Y H O a", "!(Y(H(O(a))))"),
        ("<a> | 'b' | \\-", "a | b | <->"),
    ],
)
def test_precedence_and_spelling(text, same):
    alphabet = [*ALPHABET, "-"]
    same = same.replace("<->", "'-'") if "\\" in text else same
    assert parse_formula(text, alphabet).nodes[-1] == parse_formula(same, alphabet).nodes[-1]
    assert ltl_to_dfa(text, alphabet) == ltl_to_dfa(same, alphabet)


def test_symbols_of_many_characters_unicode_and_keywords():
    formula = parse_formula("H(öffnen -> Y 'Y') & !<(a> & !🙂")
    assert formula.alphabet == ("(a", "Y", "öffnen", "🙂")
    dfa = ltl_to_dfa("H(öffnen -> Y 'Y') & !<(a> & !🙂")
    assert dfa.accepts_word(["🙂", "Y", "öffnen"]) and not dfa.accepts_word(["öffnen"])
    assert dfa_of(ltl_to_cascade("H(öffnen -> Y 'Y') & !<(a> & !🙂")) == dfa


def test_boolean_formulas_of_symbols_need_no_memory():
    cascade = ltl_to_cascade("(a | b) <-> !c -> a & !b", ALPHABET)
    assert cascade.levels == ()
    assert dfa_of(cascade) == ltl_to_dfa("(a | b) <-> !c -> a & !b", ALPHABET)


def test_a_boolean_operator_costs_at_most_one_signal():
    """The disjunctive normal form of this formula has 2^200 terms."""
    count = 200
    text = " <-> ".join(f"(O a{i} | H b & Y c{i})" for i in range(count))
    cascade = ltl_to_cascade(text)
    signals = [signal for level in cascade.levels for signal in level.signals]
    assert len(cascade.levels) == 1 and len(cascade.registers) == 2 * count + 1
    assert len(signals) <= 3 * count
    assert all(len(signal.rules) <= 2 for signal in signals)


def test_long_chains_do_not_recurse():
    cascade = ltl_to_cascade("Y " * 2000 + "a", "ab")
    assert len(cascade.levels) == cascade.memory_bits == 2000
    state = run(cascade, "a")
    assert isinstance(state, CascadeState) and not cascade.accepts(state)
    assert ltl_to_dfa("!" * 5001 + "a", "ab") == ltl_to_dfa("!a", "ab")
    assert ltl_to_dfa(" & ".join("a" for _ in range(5000)), "ab") == ltl_to_dfa("a", "ab")


@pytest.mark.parametrize(
    "text, alphabet, message",
    [
        ("", None, "column 1: found the end, expected a formula"),
        ("a &", None, "column 4: found the end, expected a symbol or '('"),
        ("a b", None, "column 3: found 'b', expected an operator, ')' or the end"),
        ("a ! b", None, "column 3: found '!', expected an operator, ')' or the end"),
        ("S a", None, "column 1: found 'S', expected a symbol or '('"),
        ("(a", None, "column 3: found the end, expected ')' for the '(' at column 1"),
        ("a)", None, "column 2: found ')', expected an operator or the end: no '(' is open"),
        ("a - b", None, r"column 3: found '-', expected a symbol or an operator (the symbol itself is written \-)"),
        ("a & <b", None, "column 7: found the end inside the symbol opened at column 5"),
        ("H a -> Y c", "ab", "column 10: found the symbol 'c', expected a symbol of the given alphabet"),
        ("true", None, "shows no symbol: give the alphabet"),
        ("(" * 5000 + "a" + ")" * 5000, None, "column 1001: found one more '('"),
    ],
)
@pytest.mark.parametrize("route", [ltl_to_dfa, ltl_to_cascade])
def test_errors_name_the_column_and_the_expectation(route, text, alphabet, message):
    with pytest.raises(InputError) as raised:
        route(text, alphabet)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_explosion_stops_at_a_limit_that_can_be_raised():
    text = " & ".join(f"O a{i}" for i in range(12))
    with pytest.raises(InputError, match="more than 1000 reachable states; raise the limit"):
        ltl_to_dfa(text, limit=1000)
    assert ltl_to_dfa(text).states == 4096
