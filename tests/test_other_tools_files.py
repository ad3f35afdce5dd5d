"""Automata as other tools write them: what is read, to which language, and what is refused by name."""

import pytest

from automata.dfa import DFA
from automata.errors import InputError
from automata.formats import read_described, read_dfa, write_dfa
from automata.formats.guards import letters, parse_guard
from automata.notation.expressions import regex_to_dfa


@pytest.fixture
def written(tmp_path):
    def write(extension, content):
        path = tmp_path / f"automaton{extension}"
        path.write_text(content, encoding="utf-8")
        return path

    return write


def message_of(path, **options):
    with pytest.raises(InputError) as raised:
        read_described(path, **options).dfa()
    message = str(raised.value)
    assert message.startswith(str(path)) and "\n" not in message and len(message) <= 400
    return message


# -- nondeterminism -----------------------------------------------------------------------------------


def test_nondeterministic_files_are_made_deterministic(written):
    expected = regex_to_dfa("[ab]*a[ab]", "ab")
    att = "0 0 a\n0 0 b\n0 1 a\n1 2 a\n1 2 b\n2\n"
    assert read_dfa(written(".att", att)).minimise() == expected
    json = (
        '{"states": [0, 1, 2], "initial": 0, "accepting": [2], "transitions": '
        '[[0,"a",0],[0,"b",0],[0,"a",1],[1,"a",2],[1,"b",2]]}'
    )
    assert read_dfa(written(".json", json)).minimise() == expected
    dot = 'digraph { 0 [initial=true] 2 [peripheries=2] 0 -> 0 [label="a,b"] 0 -> 1 [label=a] 1 -> 2 [label="a,b"] }'
    assert read_dfa(written(".dot", dot)).minimise() == expected


def test_epsilon_is_followed_everywhere(written):
    chain = "0 1 <eps>\n1 2 @0@ @0@\n2 3 a\n3 0 ε ε 0.0\n3\n"
    assert read_dfa(written(".att", chain)).minimise() == regex_to_dfa("a+")
    assert read_dfa(written(".att", "0 1 <epsilon>\n1 0 @_EPSILON_SYMBOL_@\n1 1 b\n1\n")).minimise() == regex_to_dfa(
        "b*"
    )
    dot = 'digraph { 0 [initial=true] 1 [peripheries=2] 0 -> 1 [label="ε"] 1 -> 0 [label="&epsilon;, b"] }'
    assert read_dfa(written(".dot", dot)).minimise() == regex_to_dfa("b*")


def test_equal_transitions_are_one(written):
    described = read_described(written(".att", "0 1 a\n0 1 a\n1\n"))
    assert described.deterministic and described.dfa().states == 3
    assert not read_described(written(".att", "0 1 a\n0 0 a\n1\n")).deterministic
    assert not read_described(written(".att", "0 1 <eps>\n0 0 a\n1\n")).deterministic


def test_the_subset_construction_stops_at_a_limit_that_can_be_raised(written):
    lines = ["0 0 a", "0 0 b", "0 1 a", *(f"{i} {i + 1} {x}" for i in range(1, 12) for x in "ab"), "12"]
    path = written(".att", "\n".join(lines))
    with pytest.raises(
        InputError, match="too many sets of states: the machine has more than 100 reachable states; raise the limit"
    ):
        read_dfa(path, limit=100)
    assert read_dfa(path).states == 4096


# -- the AT&T format ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "0\t0\ta\ta\t0.0\n0\t1\tb\tb\t0.0\n1\t1\tb\tb\t0.0\n0\t0.0\n1\t0.0\n",
        "0 0 a a 0\n0 1 b b 0\n1 1 b b 0\n0 0\n1 0\n",
        "0 0 a 0\n0 1 b 0.0\n1 1 b 0.0\n0\n1 0.000000\n",
        "0\t0\ta\n0\t1\tb\n1\t1\tb\n0\n1\n",
        "0 0 a a\n0 1 b b\n1 1 b b\n0\n1\n1 0 b b Infinity\n2 Infinity\n",
        "0\t0 a\n0 \t 1 \t b \n1\t1\tb\n0\n1\n",
    ],
)
def test_weights_of_zero_and_separators(written, text):
    assert read_dfa(written(".att", text)).minimise() == regex_to_dfa("a*b*")


def test_zero_is_a_symbol_and_spaces_have_a_name(written):
    assert read_dfa(written(".att", "0 0 0 0\n0 0 1 1\n0\n")) == regex_to_dfa("[01]*")
    assert read_dfa(written(".att", "0 1 @_SPACE_@ @_SPACE_@ 0.0\n1 0.0\n")).accepts_word(["@_SPACE_@"])


# -- DOT: which nodes ---------------------------------------------------------------------------------

PLUS = 'q0 -> q1 [label="a"]; q1 -> q1 [label="a"];'


@pytest.mark.parametrize(
    "nodes",
    [
        "q1 [shape=doublecircle]; i [shape=point]; i -> q0;",
        "q1 [peripheries=2]; i [style=invis]; i -> q0;",
        'q1 [peripheries=3, shape=box]; i [style="invisible"]; i -> q0 [style=bold];',
        'q1 [shape=doubleoctagon]; __start0 [label="", shape=none]; __start0 -> q0 [label=""];',
        'q1 [accepting=true]; init [shape=plaintext, label=""]; init -> q0;',
        "q1 [final=true]; init -> q0;",
        (
            "subgraph f { node [shape=doublecircle]; q1 } i [shape=circle, "
            'style=filled, fillcolor=black, label=""]; i -> q0;'
        ),
        'node [shape=doublecircle]; q1; node [shape=circle]; start [shape=plain]; start -> q0 [label="start"];',
        "{ node [peripheries=2] q1 } q0 [root=true];",
        "q1 [shape=doublecircle] q0 [start=true];",
        'q0 [label="0", shape=circle, style=bold]; q1 [label="1", shape=doublecircle, style=solid];',
        'q1 [label="1/0", shape=doublecircle] q0 [initial=true];',
        'edge [label=b] q1 [shape=doublecircle] q0 [initial=true] edge [label=""];',
    ],
)
def test_initial_and_accepting_nodes(written, nodes):
    assert read_dfa(written(".dot", f"digraph {{ {nodes} {PLUS} }}")).minimise() == regex_to_dfa("a+")


@pytest.mark.parametrize(
    "graph, message",
    [
        (PLUS, "no initial state, expected one"),
        (
            "i [shape=point] i -> {q0 q1} q1 [peripheries=2]; q0 -> q0 [label=a]",
            "2 initial states (q0, q1), expected one",
        ),
        ("q0 [initial=true, peripheries=2] q0 -> q1 [label=a] q1 -> q0", "the edge from 'q1' to 'q0' has the label ''"),
        ("i -> q0 j -> q1 q0 -> q0 [label=a]", "2 initial states (q0, q1)"),
        (
            'q0 [initial=true] q1 [label="1/0.5", shape=doublecircle] ' + PLUS,
            "the accepting state 'q1' has the weight 0.5",
        ),
        ('label="Inf(0)\\n[Büchi]" q0 [initial=true] ' + PLUS, "it is about infinite words"),
        ('q0 [initial=true] q0 -> q1 [label="a,,b"]', "has the label 'a,,b', expected symbols separated by commas"),
        ('q0 [initial=true] q0 -> q1 [label="coin in"]', "where 'coin in' has blanks: a symbol cannot have any"),
        ('q0 [initial=true] q0 -> q1 [label="' + "x" * 900 + ' y"]', "has the label 'xxxxxxxxxx"),
    ],
)
def test_what_dot_files_are_refused(written, graph, message):
    assert message in message_of(written(".dot", f"digraph {{ {graph} }}"))


# -- DOT: what the edges read ---------------------------------------------------------------------------


def loop(*labels):
    """One accepting state with these labels on its loops."""
    edges = " ".join(f"q -> q [label={label}]" if label[0] in '<"' else f'q -> q [label="{label}"]' for label in labels)
    return f"digraph {{ q [initial=true, peripheries=2] {edges} }}"


@pytest.mark.parametrize(
    "labels, symbols",
    [
        (["a, b", "c\\nd"], "a b c d"),
        (["move(d1,left,mid)", "move(d2, left, mid)"], "move(d1,left,mid) move(d2,left,mid)"),
        (["f(a,g[b,c]), {x,y}"], "f(a,g[b,c]) {x,y}"),
        (["(0,1), (1,0)"], "(0,1) (1,0)"),
        (["(a, a)", "(a", "b"], "(a a) b"),
        (["(, )", "["], "( ) ["),
        (["(", ")"], "( )"),
        (["<a>", "<b<br/><B>c</B>>", "<&lt;d&gt;>"], "<d> a b c"),
        (["&lt;", "x&y"], "< x&y"),
        (["a:a", "b:b"], "a b"),
        (["a:x", "b"], "a:x b"),
        (["a/x", "b"], "a/x b"),
        (["a/x/y", "b/z"], "a/x/y b/z"),
        (["0", "1"], "0 1"),
        (["T", "F"], "F T"),
        (["true", "false"], "false true"),
        (["!", "~", "&", "|"], "! & | ~"),
        (["?coin", "!tea"], "!tea ?coin"),
        (["and", "or", "not", "x"], "and not or x"),
        (["1.5", "2.5"], "1.5 2.5"),
        (["a->b", "c"], "a->b c"),
    ],
)
def test_symbols(written, labels, symbols):
    assert read_dfa(written(".dot", loop(*labels))).alphabet == tuple(symbols.split())


@pytest.mark.parametrize(
    "labels, message",
    [
        (["a:0.3", "b:0.7"], "has the label 'a:0.3' with a number: a weighted or probabilistic automaton"),
        (["a, 0.3", "b"], "has the label 'a, 0.3' with a number"),
        (["a (0.3)", "b"], "with a number"),
        (["a / 0.25", "b"], "with a number"),
        (["a [.5]", "b"], "with a number"),
        (["a: 1/2", "b: 1/2"], "with a number"),
        (["a 30%", "b"], "with a number"),
        (["a/x:0.5"], "with a number"),
        (["a, p=1e-3", "b, p=.5"], "with a number"),
        (["a, Z -> AZ", "b, A -> "], "has the label 'a, Z -> AZ', where"),
        (["a, Z -> AZ", "b, A → e"], "a pushdown automaton or Turing machine"),
        (["0 -> 1, R"], "a pushdown automaton or Turing machine"),
        (
            ["a|b", "c"],
            "has the label 'a|b', a formula over propositions or not: --labels formulas or --labels symbols says which",
        ),
        (["p", "true"], "has the label 'true', a formula over propositions or not"),
        (["true"], "has the label 'true', a formula over propositions or not"),
        (
            ["money/ding", "press / tea"],
            "gives the output 'ding': a Mealy machine, expected an acceptor (--accept says after which",
        ),
        (["a, b/x"], "the output 'x': a Mealy machine"),
        (["a:x", "b:b"], "the output 'x': a Mealy machine"),
        (
            ["~p & " + " & ".join(f"q{i}" for i in range(10))],
            "11 propositions make more letters than are read, expected at most 10",
        ),
    ],
)
def test_labels_that_say_more_than_symbols(written, labels, message):
    assert message in message_of(written(".dot", loop(*labels)))


def test_the_option_says_what_labels_are(written):
    path = written(".dot", loop("a/x", "b/0.5", "c:0.3", "d|e", "~p"))
    assert read_described(path, labels="symbols").dfa().alphabet == ("a/x", "b/0.5", "c:0.3", "d|e", "~p")
    path = written(".dot", loop("p|q"))
    assert read_described(path, labels="formulas").dfa().alphabet == ("{p,q}", "{p}", "{q}")
    assert "has the label 'a/x', expected a Boolean formula" in message_of(
        written(".dot", loop("p", "a/x")), labels="formulas"
    )


GUARDS = """digraph MONA_DFA {
 node [shape = doublecircle]; 2;
 node [shape = circle]; 1;
 init [shape = plaintext, label = ""];
 init -> 1;
 1 -> 1 [label="~p"];
 1 -> 2 [label="p"];
 2 -> 2 [label="true"];
}"""


def test_formulas_over_propositions(written):
    dfa = read_dfa(written(".dot", GUARDS))
    assert dfa.alphabet == ("{p}", "{}")
    assert dfa.minimise() == regex_to_dfa(".*<{p}>.*", ["{p}", "{}"])
    both = GUARDS.replace("~p", "!(p & q)").replace('"p"', '"p && q"').replace("true", "T")
    assert read_dfa(written(".dot", both)).minimise() == regex_to_dfa(".*<{p,q}>.*", ["{p,q}", "{p}", "{q}", "{}"])
    words = GUARDS.replace("~p", "not p or (q and false)").replace('"p"', '"p and (true or q)"')
    assert read_dfa(written(".dot", words)).accepts_word(["{q}", "{p,q}"])


@pytest.mark.parametrize(
    "text",
    ["p | q & r", "p or (q and r)", "~(~p & ~(q & r))", "p || q && r", "¬¬p ∨ q ∧ r", "p | q & r & true | false"],
)
def test_the_operators_of_formulas(text):
    guard = parse_guard(text)
    for letter in letters({"p", "q", "r"}).values():
        assert guard.holds(letter) == ("p" in letter or {"q", "r"} <= letter)


MEALY = """digraph { t0; t1; __start0 [label="", shape=none]; __start0 -> t0 [label=""];
t0 -> t1 [label="money/ding"]; t0 -> t0 [label="press/idle"]; t1 -> t1 [label="money/ding"];
t1 -> t0 [label="press/tea"]; }"""
MOORE = (
    'digraph { i [shape=point] i -> q0 q0 [label="q0|even"] q1 [label="{q1 | odd}"] q0 -> q1 [label=a] q1 -> q0 '
    "[label=a] q0 -> q0 [label=b] q1 -> q1 [label=b] }"
)


def test_machines_with_outputs(written):
    path = written(".dot", MEALY)
    tea = read_described(path, accept=["tea"]).dfa().minimise()
    assert tea == regex_to_dfa("(.*<money>)?<press> & .*<money><press>", ["money", "press"])
    assert read_described(path, accept=["tea", "ding", "idle"]).dfa().minimise() == regex_to_dfa(
        ".+", ["money", "press"]
    )
    assert "'coffee' is not one of the outputs ding, idle, tea" in message_of(path, accept=["coffee"])
    assert "nothing is not one of the outputs" in message_of(path, accept=[])
    path = written(".dot", MOORE)
    assert read_described(path, accept=["even"]).dfa() == regex_to_dfa("(b*ab*a)*b*")
    assert "the state 'q0' gives the output 'even': a Moore machine" in message_of(path)
    assert "gives no outputs, so they cannot say what is accepted" in message_of(
        written(".dot", loop("a")), accept=["x"]
    )
    slashed = MOORE.replace("q0|even", "q0/0").replace("{q1 | odd}", "q1/1")
    assert read_described(written(".dot", slashed), accept=["1"]).dfa().minimise() == regex_to_dfa("b*a(b*ab*a)*b*")


# -- JFLAP --------------------------------------------------------------------------------------------

JFLAP = """<?xml version="1.0" encoding="UTF-8" standalone="no"?><!--Created with JFLAP 6.4.--><structure>&#13;
	<type>fa</type>&#13;
	<automaton>&#13;
		<state id="0" name="q0">&#13;<x>1.0</x><y>1.0</y><initial/></state>
		<state id="1" name="q1"><x>2</x><y>1</y><final/></state>
		<transition><from>0</from><to>1</to><read>a</read></transition>
		<transition><from>1</from><to>0</to><read>b</read></transition>
		<transition><from>1</from><to>1</to><read/></transition>
	</automaton>&#13;
</structure>"""


def test_jflap(written):
    assert read_dfa(written(".jff", JFLAP)).minimise() == regex_to_dfa("a(ba)*")
    assert read_dfa(written(".jff", JFLAP.replace("<read>b<", "<read>cd<"))).minimise() == regex_to_dfa("a(cda)*")
    assert read_dfa(written(".jff", JFLAP.replace("<read>b<", "<read>[c-e]<"))).minimise() == regex_to_dfa("a([cde]a)*")
    old = JFLAP.replace("<automaton>", "").replace("</automaton>", "")
    assert read_dfa(written(".jff", old)).minimise() == regex_to_dfa("a(ba)*")
    path = written(".jff", "")
    dfa = regex_to_dfa("(<&>|<\\<>|a)*b&...")
    write_dfa(dfa, path)
    assert read_dfa(path) == dfa
    with pytest.raises(InputError, match="symbol 'ab' has several characters"):
        write_dfa(DFA(["ab"], [[0]], []), path)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("<type>fa", "<type>pda", "the type is 'pda': a pushdown automaton, expected 'fa'"),
        ("<type>fa", "<type>turing", "the type is 'turing': a Turing machine"),
        ("<type>fa", "<type>mealy", "the type is 'mealy': a Mealy machine"),
        ("<type>fa", "<type>moore", "the type is 'moore': a Moore machine"),
        ("<type>fa", "<type>x", "the type is 'x': unknown"),
        ("<type>fa</type>", "", "found the element 'structure', expected a structure with a type"),
        ("<initial/>", "", "0 states are initial, expected one"),
        ("<final/>", "<initial/>", "2 states are initial, expected one"),
        ('id="1"', 'id="0"', "line 5: the state '0' occurs twice"),
        ('id="1" ', "", "line 5: the state has no id"),
        ("<to>1<", "<to>7<", "line 6: the transition is to '7', which is not a state"),
        ("<from>0</from>", "", "line 6: the transition has 0 elements 'from', expected one"),
        ("<read>a</read>", "<read>a</read><read>b</read>", "line 6: the transition has 2 elements 'read'"),
        ("<read>a<", "<read>a b<", "line 6: ' ' cannot be a symbol"),
        ("</structure>", "", "line 10, column 1: no element found"),
        (
            "<structure>",
            '<!DOCTYPE s [<!ENTITY a "aaaa">]><structure>',
            "line 1: has a document type, expected plain XML",
        ),
        ("<automaton>", "<a>" * 200, "more than 100 elements inside each other"),
    ],
)
def test_what_jflap_files_are_refused(written, old, new, message):
    assert message in message_of(written(".jff", JFLAP.replace(old, new, 1)))


@pytest.mark.parametrize(
    "extension, message",
    [
        (".hoa", "the Hanoi format is about infinite words"),
        (".fst", "fstprint"),
        (".txt", "expected one of .att, .json, .dot, .gv, .jff"),
    ],
)
def test_formats_that_are_not_read(tmp_path, extension, message):
    assert message in message_of(tmp_path / f"x{extension}")
