"""Regular expressions: against sets of words, against Python's ``re``, and what is refused."""

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automata.dfa import DFA
from automata.errors import InputError
from automata.notation.expressions import parse_regex, regex_to_dfa

LENGTH = 5
ALL = [word for n in range(LENGTH + 1) for word in map("".join, product("ab", repeat=n))]


def concatenated(left, right):
    return frozenset(u + v for u in left for v in right if len(u + v) <= LENGTH)


def repeated(words, least, most):
    """Words of length at most LENGTH; beyond LENGTH + least repetitions nothing new can appear."""
    power, result = frozenset({""}), frozenset()
    for count in range((least + LENGTH if most is None else most) + 1):
        if count >= least:
            result |= power
        power = concatenated(power, words)
    return result


def operations(children, everything):
    """Pairs (text, set of words) for every operator, each operand in parentheses."""
    unary = [
        ("({})*", lambda w: repeated(w, 0, None)),
        ("({})+", lambda w: repeated(w, 1, None)),
        ("({})?", lambda w: repeated(w, 0, 1)),
        ("({}){{2}}", lambda w: repeated(w, 2, 2)),
        ("({}){{1,3}}", lambda w: repeated(w, 1, 3)),
        ("({}){{0}}", lambda w: repeated(w, 0, 0)),
        ("({}){{2,}}", lambda w: repeated(w, 2, None)),
    ]
    binary = [("({})|({})", frozenset.union), ("({})({})", concatenated)]
    if everything:
        unary.append(("~({})", lambda w: frozenset(ALL) - w))
        binary.append(("({})&({})", frozenset.intersection))
    one = st.tuples(st.sampled_from(unary), children).map(lambda t: (t[0][0].format(t[1][0]), t[0][1](t[1][1])))
    two = st.tuples(st.sampled_from(binary), children, children).map(
        lambda t: (t[0][0].format(t[1][0], t[2][0]), t[0][1](t[1][1], t[2][1]))
    )
    return one | two


def expressions(everything):
    leaves = [("a", {"a"}), ("b", {"b"}), ("[ab]", {"a", "b"}), ("[^a]", {"b"}), (".", {"a", "b"})]
    if everything:
        leaves += [("()", {""}), ("[]", set())]
    leaves = st.sampled_from([(text, frozenset(words)) for text, words in leaves])
    return st.recursive(leaves, lambda children: operations(children, everything), max_leaves=8)


@given(expressions(everything=True))
def test_equals_the_set_of_words_by_definition(case):
    text, words = case
    dfa = regex_to_dfa(text, "ab")
    assert {word for word in ALL if dfa.accepts_word(word)} == words
    assert dfa == dfa.minimise()


@given(expressions(everything=False))
def test_equals_re_on_the_common_subset(case):
    text, _ = case
    dfa, compiled = regex_to_dfa(text, "ab"), re.compile(text)
    for word in ALL:
        assert dfa.accepts_word(word) == bool(compiled.fullmatch(word))


@pytest.mark.parametrize(
    "text, same",
    [
        ("a|bc", "a|(bc)"),
        ("ab*", "a(b*)"),
        ("a|b&c", "a|(b&c)"),
        ("a&bc", "a&(bc)"),
        ("~a*b", "(~(a*))b"),
        ("~ab", "(~a)b"),
        ("~~a|b|c", "a|b|c"),
        ("a b\t*", "ab*"),
        ("a**", "a*"),
        ("(a+)?", "a*"),
        ("a{,2}", "()|a|aa"),
        ("a{, 2}", "a{0,2}"),
        ("(a|)b", "ab|b"),
        ("(|a)b", "ab|b"),
        ("a|", "a?"),
        ("|a", "a?"),
        ("a||b", "a|()|b"),
        ("(|)a", "a"),
        ("(a|)&a", "a"),
        ("ε|a", "a?"),
        ("^(ab)*$", "(ab)*"),
        ("^a$|^b$", "a|b"),
        ("^a*$&^aa$", "aa"),
        ("^$|^a$", "a?"),
        ("(?:ab)*", "(ab)*"),
        ("(?:)a", "a"),
        ("[a b]", "a|b"),
        ("[$^]", r"\$|\^"),
        ("a{2}{3}", "a{6}"),
        ("a{ 1 , 2 }", "a|aa"),
        ("( )", "()"),
        ("∅|a", "a"),
        ("[^]", "."),
        ("[b-d]", "b|c|d"),
        ("[a-]", "a|\\-"),
        ("[-a]", "a|-"),
        (r"[\]\^]", r"\]|\^"),
        ("[<ab>c]", "<ab>|c"),
        ("[*+.]", r"\*|\+|\."),
        ("'<x'", r"<\<x>"),
        (r"'it\'s'", r"<it's>"),
    ],
)
def test_precedence_and_spelling(text, same):
    alphabet = ["a", "b", "c", "d", "ab", "-", "]", "^", "$", "*", "+", ".", "<x", "it's"]
    assert regex_to_dfa(text, alphabet) == regex_to_dfa(same, alphabet)


@pytest.mark.parametrize(
    "text, speaks", [("a.", True), ("~a", True), ("[^a]b", True), ("a[ab]*&b", False), ("(a|)()", False)]
)
def test_what_speaks_of_the_symbols_that_are_not_shown(text, speaks):
    assert parse_regex(text).speaks_of_others is speaks


# -- against Python's own notation -----------------------------------------------------------------

PYTHON = st.recursive(
    st.sampled_from(["a", "b", "c", ".", "[ab]", "[^b]", "[a-c]", "[^a-b]", "[-a]", "()", "(?:)"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{,2}", "{1,}", "{1,3}", "{0}"])).map(
            lambda t: f"({t[0]}){t[1]}"
        ),
        st.lists(inner, min_size=2, max_size=3).map("".join),
        st.lists(inner | st.just(""), min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.lists(inner, min_size=1, max_size=2).map(lambda parts: f"({'|'.join(parts)})"),
    ),
    max_leaves=6,
)


@given(PYTHON, st.booleans())
@settings(max_examples=200)
def test_equals_python_on_what_both_have(text, anchored):
    text = f"^(?:{text})$" if anchored else text
    dfa, compiled = regex_to_dfa(text, "abc-"), re.compile(text)
    for n in range(4):
        for word in map("".join, product("abc-", repeat=n)):
            assert dfa.accepts_word(word) == bool(compiled.fullmatch(word)), (text, word)


def test_the_alphabet_is_what_is_shown_unless_given():
    assert parse_regex("b<open>.a").alphabet == ("a", "b", "open")
    assert parse_regex("a", "ba").alphabet == ("b", "a")
    assert regex_to_dfa("[^a]b") == regex_to_dfa("bb", "ab")
    assert regex_to_dfa("[^a]b", "abc") == regex_to_dfa("(b|c)b", "abc")


def test_unicode_symbols():
    dfa = regex_to_dfa("(α🙂|é)*")
    assert dfa.alphabet == ("é", "α", "🙂")
    assert dfa.accepts_word("éα🙂") and not dfa.accepts_word("α")


@pytest.mark.parametrize(
    "text, states", [("()", 2), ("[]", 1), ("~[]", 1), ("a", 3), ("(ab)*", 3), ("(a|b)*a(a|b){4}", 32)]
)
def test_sizes(text, states):
    assert regex_to_dfa(text, "ab").states == states


def test_many_symbols_that_behave_alike_cost_one_derivative():
    alphabet = [f"s{i}" for i in range(500)]
    expression = parse_regex("(.*<s0>.*){3}", alphabet)
    assert DFA.from_machine(expression).minimise().states == 4
    assert len(expression._derivatives) == 2


@pytest.mark.parametrize(
    "text, states",
    [
        ("a" * 3000, 3002),
        ("a{3000}", 3002),
        ("~" * 5001 + "a", 3),
        ("a" + "*" * 5000, 1),
        ("(" * 900 + "a" + ")*" * 900, 1),
    ],
    ids=["letters", "count", "complements", "stars", "parentheses"],
)
def test_long_and_deep_expressions(text, states):
    assert regex_to_dfa(text).states == states


@pytest.mark.parametrize(
    "text, alphabet, message",
    [
        ("", None, "column 1: found the end, expected an expression"),
        (" \n", None, "column 3: found the end, expected an expression"),
        ("(a|b", None, "column 5: found the end, expected ')' for the '(' at column 1"),
        ("a)b", None, "column 2: found ')', expected an operator or the end: no '(' is open"),
        ("a&", None, "column 3: found the end, expected a symbol or '('"),
        ("a&|b", None, "column 3: found '|'"),
        ("a|&b", None, "column 3: found '&', expected a symbol or '('"),
        ("a|~", None, "column 4: found the end, expected a symbol or '('"),
        ("(~|a)", None, "column 3: found '|', expected a symbol or '('"),
        ("(*a)", None, "column 2: found '*', expected a symbol or '('"),
        ("a~", None, "column 3: found the end"),
        ("a{", None, "column 3: found the end, expected a number"),
        ("a{,}", None, "column 4: found '}', expected a number"),
        ("a{2", None, "column 4: found the end, expected '}'"),
        ("a{3,2}", None, "column 5: found 2, expected at least 3"),
        ("a{1234567890123456789}", None, "column 3: found a number of 19 digits, expected at most 18"),
        ("[ab", None, "column 4: found the end, expected ']' for the '[' at column 1"),
        ("[b-a]", None, "column 2: found the range from 'b' to 'a'"),
        ("<open", None, "column 6: found the end inside the symbol opened at column 1, expected '>'"),
        ("a<>", None, "column 3: found '>', expected a symbol before it"),
        ("'a b'", None, "column 3: found ' '"),
        (r"a\d", None, r"column 3: found 'd' after a backslash, a class of characters elsewhere"),
        (r"a\b", None, "column 3: found 'b' after a backslash, an anchor or a boundary elsewhere"),
        (r"(a)\1", None, "column 5: found '1' after a backslash, a backreference elsewhere"),
        (r"a\n", None, "column 3: found 'n' after a backslash, a blank elsewhere (a blank cannot be a symbol)"),
        (r"a\x41", None, "column 3: found 'x' after a backslash, the code of a character"),
        (r"a\e", None, "column 3: found 'e' after a backslash, expected"),
        ("a\\", None, "column 3: found the end after a backslash, expected"),
        (
            "a+?",
            None,
            "column 3: found '+?', a lazy repetition elsewhere, expected parentheses around what is repeated twice",
        ),
        ("a{2}?b", None, "column 5: found '}?', a lazy repetition elsewhere"),
        ("a?? b", None, "column 3: found '??', a lazy repetition elsewhere"),
        ("a*+", None, "column 3: found '*+', a possessive repetition elsewhere"),
        ("(?=a)b", None, "column 1: found '(?=', lookahead elsewhere, expected a group ( ) or (?: )"),
        ("a(?!b)", None, "column 2: found '(?!', negative lookahead elsewhere"),
        ("(?<=a)b", None, "column 1: found '(?<=', lookbehind elsewhere"),
        ("(?P<x>a)", None, "column 1: found '(?P', a named group elsewhere"),
        ("(?i)a", None, "column 1: found '(?', flags elsewhere"),
        ("^ab", None, r"column 1: found the anchor '^', expected ^ and $ around every alternative or no anchor"),
        (
            "ab$",
            None,
            (
                r"column 3: found the anchor '$', expected ^ and $ around every alternative or no anchor (the symbol "
                r"itself is written \$)"
            ),
        ),
        ("^a|b$", None, "column 1: found the anchor '^'"),
        ("^a$|b", None, "column 1: found the anchor '^'"),
        ("a(^b$)", None, "column 3: found the anchor '^'"),
        ("^^a$", None, "column 2: found the anchor '^'"),
        ("~^a$", None, "column 2: found the anchor '^'"),
        ("[[:alpha:]]", None, "column 2: found '[:', a class of characters elsewhere, expected the symbols themselves"),
        ("[ -~]", None, "column 3: found a range from a blank"),
        ("[a- z]", None, "column 2: found a blank in the range from 'a'"),
        ("[a -z]", None, "column 2: found a blank in the range from 'a'"),
        ("[a-\uffff]", None, "column 2: found a range of 65439 characters, expected at most 4096"),
        ("a\ud800", None, r"column 2: '\ud800' cannot be a symbol: half a surrogate pair is not Unicode text"),
        ("a\x07", None, r"column 2: '\x07' cannot be a symbol"),
        ("a]", None, r"column 2: found ']', expected a symbol or an operator (the symbol itself is written \])"),
        ("ab|c", "ab", "column 4: found the symbol 'c', expected a symbol of the given alphabet"),
        ("a<open>", "ab", "column 2: found the symbol 'open'"),
        ("[a-c]", "ab", "found the symbol 'c'"),
        ("()", None, "shows no symbol: give the alphabet"),
        ("(" * 5000 + "a" + ")" * 5000, None, "column 1001: found one more '(', expected at most 1000 open at once"),
        ("(" * 5000, None, "column 1001"),
    ],
)
def test_errors_name_the_column_and_the_expectation(text, alphabet, message):
    with pytest.raises(InputError) as raised:
        regex_to_dfa(text, alphabet)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value) and len(str(raised.value)) <= 400


@pytest.mark.parametrize("text", ["(a|b)*a(a|b){60}", "a{1000000000000}"])
def test_an_explosion_stops_at_a_limit_that_can_be_raised(text):
    with pytest.raises(InputError, match="more than 2000 reachable states; raise the limit"):
        regex_to_dfa(text, limit=2000)


def test_an_unknown_symbol_is_refused():
    expression = parse_regex("ab")
    with pytest.raises(InputError, match="symbol 'c' is not in the alphabet"):
        expression.step(expression.initial, "c")
