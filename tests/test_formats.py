"""Automata in files: round trips, the flavours of others, and what is refused with which words."""

import os

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automata.dfa import DFA
from automata.errors import InputError
from automata.files import write_text
from automata.formats import from_networkx, read_dfa, to_networkx, write_dfa
from automata.formats.dot import parse_dot
from automata.notation.expressions import regex_to_dfa

AWKWARD = [
    "a",
    "(a",
    "a)",
    "(",
    ")",
    "f(x,y)",
    "a/x",
    "a:x",
    "a|b",
    "!a",
    "~",
    "&",
    "&amp;",
    "true",
    "T",
    "a:0.5",
    "1",
    "not",
    "0",
    "ab",
    "é",
    "🙂",
    ",",
    "a,b",
    '"',
    "\\",
    "\\n",
    "n\\",
    "#",
    "'",
    "->",
    "{",
    "//",
    "start",
    "<eps>x",
    "=",
]
EXTENSIONS = [".att", ".json", ".dot", ".gv"]


@st.composite
def automata(draw):
    """Small DFAs over awkward symbols, with unreachable states and any accepting set."""
    alphabet = draw(st.lists(st.sampled_from(AWKWARD), min_size=1, max_size=4, unique=True))
    n = draw(st.integers(1, 5))
    states = st.integers(0, n - 1)
    table = draw(st.lists(st.lists(states, min_size=len(alphabet), max_size=len(alphabet)), min_size=n, max_size=n))
    return DFA(alphabet, table, draw(st.sets(states)), draw(states))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("formats")


@pytest.fixture
def written(tmp_path):
    """A function that writes a file with this extension and content, and gives its path."""

    def write(extension, content):
        path = tmp_path / f"automaton{extension}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_round_trips(folder, extension):
    path = folder / f"round{extension}"

    @given(automata())
    def check(dfa):
        write_dfa(dfa, path)
        back = read_dfa(path, dfa.alphabet)
        assert back.minimise() == dfa.minimise()
        if all(dfa.access_word(state) is not None for state in range(dfa.states)):
            assert back == dfa
        own = read_dfa(path)
        assert own.alphabet == (dfa.alphabet if extension == ".json" else tuple(sorted(dfa.alphabet)))
        assert own.difference_from(dfa) is None
        write_dfa(own, path)
        assert read_dfa(path) == own

    check()


@given(automata())
def test_networkx_round_trip(dfa):
    graph = to_networkx(dfa)
    assert isinstance(graph, networkx.MultiDiGraph)
    assert graph.number_of_edges() == dfa.table.size
    assert from_networkx(graph) == dfa


def test_ten_thousand_states(tmp_path):
    n = 10_000
    rng = np.random.default_rng(0)
    table = np.stack([np.r_[1:n, 0], rng.integers(n, size=n)], axis=1)
    dfa = DFA("ab", table, [7, n - 1])
    for extension in EXTENSIONS[:3]:
        write_dfa(dfa, tmp_path / f"large{extension}")
        assert read_dfa(tmp_path / f"large{extension}") == dfa


def test_openfst_text_as_others_write_it(written):
    path = written(".att", "3\t5\ta\ta\n5\t3\tb\tb\n\n3\n")
    assert read_dfa(path).minimise() == regex_to_dfa("(ab)*")
    assert read_dfa(path, "bac").minimise() == regex_to_dfa("(ab)*", "bac")
    assert read_dfa(written(".att", "0 1 open\n1\n")).accepts_word(["open"])
    assert read_dfa(written(".att", b"\xef\xbb\xbf0 0 a\r\n0\r\n")) == regex_to_dfa("a*")
    assert read_dfa(written(".att", "0\n"), "ab").minimise() == regex_to_dfa("()", "ab")


def test_json_with_names(written):
    content = """{"alphabet": ["b", "a"], "states": ["even", "odd"], "initial": "even", "accepting": ["even"],
                  "transitions": [["even", "a", "odd"], ["odd", "a", "even"]]}"""
    dfa = read_dfa(written(".json", content))
    assert dfa == DFA("ba", [[2, 1], [2, 0], [2, 2]], [0])


GRAPHVIZ_STYLE = """
// The style of the Graphviz gallery: defaults change on the way.
digraph finite_state_machine {
    rankdir = LR; size = "8,5"
    node [shape = doublecircle]; q0 q2;
    node [shape = circle];
    "" [shape = none];
    "" -> q0;
    q0 -> q1 [label = "a"];
    q1 -> q2 -> q1 [label = "b, c"]
    subgraph cluster_x { edge [label="a"]; q2 -> q0 }
}
"""


def test_dot_as_others_write_it(written):
    expected = regex_to_dfa("(a[bc]([bc][bc])*a)*(a[bc]([bc][bc])*)?")
    assert read_dfa(written(".dot", GRAPHVIZ_STYLE)).minimise() == expected
    learnlib = (
        'digraph g {\n__start0 [label="" shape="none"];\ns0 '
        '[shape="doublecircle"];\ns0->s0[label="x\\ny"] __start0 -> s0;}'
    )
    assert read_dfa(written(".gv", learnlib)) == regex_to_dfa("(x|y)*")
    marked = 'strict DIGRAPH { 0 [initial=true, peripheries=2] 0 -> 0 [symbol=","] /* no marker */ }'
    assert read_dfa(written(".dot", marked)) == regex_to_dfa(",*")


def test_dot_grammar():
    graph = parse_dot(
        'digraph { a:p:nw -> {b; subgraph s { c [k="x\\"" + "y"] }} -> d [l=<<b>h</b>>; m=-.5]\n# note\n e=f; }'
    )
    assert [(edge.source, edge.target) for edge in graph.edges] == [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]
    assert graph.nodes == {"a": {}, "b": {}, "c": {"k": 'x"y'}, "d": {}}
    assert graph.edges[0].attributes == {"l": "<<b>h</b>>", "m": "-.5"}
    scopes = parse_dot("digraph { node [k=1] a { b node [k=2] c } d }")
    assert [attributes["k"] for attributes in scopes.nodes.values()] == ["1", "1", "2", "1"]


def test_no_accepting_state_is_the_empty_language(written):
    for extension, content in [
        (".att", "0 1 a\n1 0 a\n"),
        (".json", '{"states": [0], "initial": 0, "accepting": [], "transitions": [[0, "a", 0]]}'),
        (".dot", "digraph { s [shape=point]; s -> 0; 0 -> 0 [label=a] }"),
    ]:
        assert read_dfa(written(extension, content)).minimise() == regex_to_dfa("[]", "a")


JSON = '{"states": [0, 1], "initial": 0, "accepting": [1], "transitions": [[0, "a", 1]]}'

REFUSED = [
    (".att", "", "the file is empty"),
    (".att", b"\x89PNG\r\n\x1a\n\x00\x00", "not a text file (byte 8 is 0)"),
    (".att", b"0 1 \xff\n", "not UTF-8 text (byte 4 is 0xff)"),
    (".att", "0 1 a a 0.5\n", "line 1: the weight '0.5' is not 0: a weighted automaton"),
    (".att", "0 1 a 0.5\n", "line 1: the weight '0.5' is not 0"),
    (".att", "0 1 a\n1 0.5\n", "line 2: the weight '0.5' is not 0"),
    (".att", "0 1 a a 0 0\n", "line 1: found '0' in field 6, expected the end of the line"),
    (".att", "0 1 a b\n1\n", "line 1: reads 'a' and writes 'b': a transducer, expected an acceptor"),
    (".att", "0 1 a a 0\n1 1 <eps> b 0\n1\n", "line 2: reads '<eps>' and writes 'b': a transducer"),
    (".att", "0 1 1 0\n1 1 0 1\n1\n", "line 1: reads '1' and writes '0': a transducer"),
    (".att", "0\t1\ta\n1\t2\t\n2\n", "line 2: field 3 is empty (epsilon is written <eps> or @0@, a space @_SPACE_@)"),
    (".att", "0\t1\t \t \t0.0\n1\n", "line 1: field 3 is empty"),
    (".att", "0\t1\ta\n1\n--\n0\t1\tb\n1\n", "line 3: '--' begins another automaton"),
    (
        ".att",
        "0 1 @_IDENTITY_SYMBOL_@ @_IDENTITY_SYMBOL_@\n1\n",
        "line 1: '@_IDENTITY_SYMBOL_@' stands for symbols that are not in the file",
    ),
    (".att", "0 1 @P.CASE.NOM@ @P.CASE.NOM@\n1\n", "line 1: '@P.CASE.NOM@' is a flag diacritic"),
    (".att", "0 1 a x y\n1\n", "line 1: found 'y', expected a weight of 0"),
    (".att", "0 1 a nan\n1\n", "line 1: reads 'a' and writes 'nan'"),
    (".att", "0 1 a\n" + "1" * 500 + " 1 a\n1\n", "line 2: found '1111111111"),
    (".att", b"\xff\xfe0\x00", "not UTF-8 text (it begins as UTF-16 does)"),
    (".att", "0 1 a\nq 0 b\n", "line 2: found 'q', expected the number of a state"),
    (".att", "0 -1 a\n", "line 1: found '-1', expected the number of a state"),
    (".att", "0\n", "give the alphabet"),
    (".att", "0 1 a\n2 2 a\n2\n", "no accepting state can be reached from 0 (accepting: 2)"),
    (".att", "0\n1 1 a\n", "no transition leaves the initial state 0"),
    (".json", "", "line 1, column 1: Expecting value"),
    (".json", JSON[:40], "line 1, column"),
    (".json", "[" * 100_000, "nested too deeply"),
    (".json", "[1]", "found [1], expected an object"),
    (".json", "{}", "the key 'states' is missing"),
    (".json", JSON.replace('"initial": 0', '"initial": 2'), "initial: 2 is not one of the states"),
    (".json", JSON.replace('"initial": 0', '"initial": false'), "initial: false is not one of the states"),
    (".json", JSON.replace("[1]", "[[1]]"), "accepting: [1] is not one of the states"),
    (".json", JSON.replace("[1]", '{"a": 1}'), 'accepting: found {"a": 1}, expected a list'),
    (".json", JSON.replace("[0, 1]", "[0, 0]"), "states: 0 occurs twice"),
    (".json", JSON.replace("[0, 1]", "[0, 1.5]"), "states: found 1.5, expected a number or a string"),
    (".json", JSON.replace('"a", 1]', '"a", 5]'), "transition 1: 5 is not one of the states"),
    (".json", JSON.replace('"a", 1]', "1]"), "transition 1: found [0, 1], expected [source, symbol, target]"),
    (".json", JSON.replace('"a"', '"\\ud800"'), r"transition 1: '\ud800' cannot be a symbol: half a surrogate"),
    (".json", JSON.replace('"initial"', '"start": 0, "initial"'), "unknown key 'start'"),
    (".json", JSON.replace('"initial"', '"initial": 1, "initial"'), "the key 'initial' occurs twice"),
    (
        ".json",
        JSON.replace('"initial"', '"alphabet": ["b"], "initial"'),
        "transition 1: symbol 'a' is not in the alphabet",
    ),
    (".json", JSON.replace('"initial"', '"alphabet": ["a", 1], "initial"'), "1 cannot be a symbol"),
    (".json", JSON.replace('"a"', '""'), "'' cannot be a symbol"),
    (".json", JSON.replace("1]]", "9" * 5000 + "]]"), "digits"),
    (".dot", "", "line 1, column 1: found the end, expected 'digraph'"),
    (".dot", "graph { a -- b }", "found 'graph', expected 'digraph'"),
    (".dot", "digraph {\n a -- b }", "line 2, column 4: found '--', expected '->'"),
    (".dot", "digraph {\n a -> }", "line 2, column 7: found '}', expected a name"),
    (".dot", 'digraph {\n a [label="x }', "line 2, column 11: found the end inside a string"),
    (".dot", "digraph { a [shape] }", "line 1, column 19: found ']', expected '='"),
    (".dot", "digraph { a ", "found the end"),
    (".dot", "digraph { a } b", "column 15: found 'b', expected the end after the graph"),
    (".dot", "digraph { /* a }", "the end inside a comment"),
    (".dot", "digraph { a [l=<b }", "the end inside an HTML string"),
    (".dot", "digraph { a @ b }", "column 13: found '@'"),
    (".dot", "digraph " + "{" * 5000, "subgraphs inside each other"),
    (".dot", "digraph { a -> a [label=x] }", "no initial state, expected one"),
    (".dot", "digraph { a [initial=true] b [initial=true] }", "2 initial states (a, b), expected one"),
    (".dot", "digraph { a [initial=true] a -> b }", "the edge from 'a' to 'b' has the label ''"),
    (
        ".dot",
        "digraph { a [initial=true] a -> b [label=<<table>x</table>>] }",
        "has an HTML label with '<table>', expected text",
    ),
    (
        ".dot",
        "digraph { "
        + "{"
        + " ".join(f"a{i}" for i in range(3000))
        + "} -> {"
        + " ".join(f"b{i}" for i in range(3000))
        + "} }",
        "found one more edge",
    ),
    (".txt", "", "the extension is '.txt', expected one of .att, .json, .dot, .gv"),
    ("", "", "there is no extension"),
]


@pytest.mark.parametrize("extension, content, message", REFUSED)
def test_errors_are_one_line_that_names_file_and_place(written, extension, content, message):
    path = written(extension, content)
    with pytest.raises(InputError) as raised:
        read_dfa(path)
    assert message in str(raised.value)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value) and len(str(raised.value)) <= len(str(path)) + 300


def test_a_symbol_outside_the_given_alphabet_is_named_with_its_line(written):
    with pytest.raises(InputError, match="line 2: symbol 'b' is not in the alphabet"):
        read_dfa(written(".att", "0 1 a\n1 0 b\n0\n"), "a")


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(InputError, match="nowhere.att: cannot be read .No such file"):
        read_dfa(tmp_path / "nowhere.att")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(InputError, match="folder.json: cannot be read .Is a directory"):
        read_dfa(tmp_path / "folder.json")
    with pytest.raises(InputError, match="cannot be written"):
        write_dfa(regex_to_dfa("a"), tmp_path / "nowhere" / "x.json")


def test_a_symbol_that_a_format_cannot_write():
    with pytest.raises(InputError, match="symbol '<eps>' means epsilon in OpenFst text"):
        write_dfa(DFA(["<eps>"], [[0]], []), "never-written.att")
    assert not os.path.exists("never-written.att")


@pytest.mark.parametrize("operation", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, operation):
    path = tmp_path / "kept.json"
    write_dfa(regex_to_dfa("a*"), path)
    before = path.read_bytes()

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, operation, full)
    with pytest.raises(InputError, match="kept.json: cannot be written .No space left on device"):
        write_dfa(regex_to_dfa("(ab)*"), path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["kept.json"]


def test_a_symbol_that_is_not_unicode_text(tmp_path):
    with pytest.raises(InputError, match="cannot be a symbol: half a surrogate pair is not Unicode text"):
        write_dfa(DFA(["\ud800"], [[0]], []), tmp_path / "x.dot")
    with pytest.raises(InputError, match="cannot be written as UTF-8"):
        write_text(tmp_path / "x.dot", "\ud800")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda g: g.add_node(2, initial=True), "2 nodes are initial, expected one"),
        (lambda g: g.add_edge(0, 1), "edge from 0 to 1: the symbol is None, expected a string"),
        (lambda g: g.add_edge(0, 0, symbol="a b"), "edge from 0 to 0: 'a b' cannot be a symbol"),
    ],
)
def test_networkx_errors(build, message):
    graph = networkx.MultiDiGraph()
    graph.add_node(0, initial=True)
    graph.add_edge(0, 1, symbol="a")
    build(graph)
    with pytest.raises(InputError, match=message):
        from_networkx(graph)
    with pytest.raises(InputError, match="have a direction"):
        from_networkx(networkx.Graph([(0, 1)]))


def test_real_files_are_read_and_written_back(shared_data, tmp_path):
    """The minimal DFA has the published number of states (without a sink, where there is one)."""
    folder = shared_data("mlregtest")
    sizes = {}
    for line in (folder / "counts.tsv").read_text().splitlines()[1:]:
        fields = line.split("\t")
        sizes[".".join(fields[:6])] = int(fields[6])
    for number, path in enumerate(sorted(folder.glob("*.att"))):
        dfa = read_dfa(path)
        live = int(dfa.minimise().live.sum())
        assert live == sizes[path.stem], path.stem
        if number % 40 == 0:
            for extension in EXTENSIONS:
                write_dfa(dfa, tmp_path / f"again{extension}")
                assert read_dfa(tmp_path / f"again{extension}").minimise() == dfa.minimise()
    assert number + 1 == 390
