"""Whatever the text, reading it gives an automaton or one line that says what is wrong, never another exception."""

import random

import pytest

from automata.catalogue import language
from automata.errors import InputError
from automata.formats import read_described
from automata.notation.expressions import regex_to_dfa
from automata.notation.future_ltl import formula_to_dfa
from verify.evidence.strings_file import read_strings

EXAMPLES = {
    ".att": "0\t1\ta\ta\t0.0\n1\t0\t<eps>\t<eps>\n1 1 @_SPACE_@ @_SPACE_@ Infinity\n1\t0\n",
    ".json": (
        '{"alphabet": ["a", "b"], "states": [0, "q"], "initial": 0, '
        '"accepting": ["q"], "transitions": [[0, "a", "q"], '
        '[0, "b", 0]]}'
    ),
    ".dot": (
        "digraph g { node [shape=doublecircle]; q1; i [shape=point] i "
        '-> q0 q0 -> q1 -> q0 [label="a, f(b,c)\\nd"] '
        "subgraph { q1 -> q1 [label=<x>] } }"
    ),
    ".gv": (
        'digraph { label="x"; q [initial=true, peripheries=2] q -> q '
        '[label="~p & (q | true)"] q -> r [label="not p or '
        '1"] r [label="r|1"] }'
    ),
    ".jff": '<?xml version="1.0"?><structure><type>fa</type><automaton><state id="0"><initial/></state><state '
    'id="1"><final/></state>'
    "<transition><from>0</from><to>1</to><read>ab</read></transition></automaton></structure>",
    "regex": r"^(?:(a|(b|)c{,2})*~(<open>[^a-c]).&\*[x'y'-])$",
    "ltl": "G(a -> F <b> && X !c) | (d U 'e') W true <-> a R b",
    "past": "H(a -> Y b) S !(O c | false)",
    "language": "dyck-2-3",
    "strings": "a b <c> END\n\nb a\n",
}
PIECES = list("(){}[]<>|&~!^$*+?.,;:=/\\\"'#@%-_ \t\n\r\x00\x07\x85\ufeff\u2028\ud800\ue000é🙂ε∅→01239aqFGXUY") + [
    "<eps>", "@0@", "-->", "->", "--", "0.5", "inf", "NaN", "1e999", "9" * 30, "x" * 300, "label=", "[[:", "(?=",
    "{1,", "\\d", "true", "null", "]]>",
    "<!DOCTYPE a>", "<read/>", "<final/>", "&amp;", "&lol;", "digraph{", "END", "dyck-", "{}" * 50, "(" * 200,
    "[" * 500, "\\ud800", "~" * 99,
]  # fmt: skip


def mutated(text: str, rng: random.Random) -> str:
    """The text with some pieces put in, taken out, doubled or moved; or pieces alone."""
    if rng.random() < 0.15:
        return "".join(rng.choices(PIECES, k=rng.randint(0, 12)))
    for _ in range(rng.randint(1, 4)):
        i, j = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
        j = min(j, i + rng.choice((1, 3, 40)))
        text = rng.choice(
            (
                text[:i] + rng.choice(PIECES) + text[i:],
                text[:i] + text[j:],
                text[:j] + text[i:j] + text[j:],
                text[:i] + rng.choice(PIECES) + text[j:],
            )
        )
    return text


def read(kind: str, text: str, folder) -> None:
    if kind == "regex":
        regex_to_dfa(text, limit=200)
    elif kind in ("ltl", "past"):
        formula_to_dfa(text, limit=200)
    elif kind == "language":
        language(text)
    else:
        path = folder / f"text{kind if kind[0] == '.' else '.txt'}"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        if kind == "strings":
            read_strings(path, _letter)
        else:
            read_described(path).dfa(limit=200)


def _letter(token: str) -> str:
    if token not in ("a", "b", "<c>"):
        raise InputError("not one of a b <c>")
    return token


@pytest.mark.parametrize("kind", EXAMPLES)
def test_any_text_is_read_or_refused_in_one_line(kind, tmp_path, count=150):
    rng = random.Random(kind)
    refused = 0
    for number in range(count):
        text = EXAMPLES[kind] if number == 0 else mutated(EXAMPLES[kind], rng)
        try:
            read(kind, text, tmp_path)
        except InputError as error:
            assert number, (text, error)
            refused += 1
            message = str(error).replace(str(tmp_path), "")
            assert 0 < len(message) <= 400 and "\n" not in message and message.isprintable(), (text, message)
        except Exception as error:
            raise AssertionError(f"{text!r} raises {error!r}") from error
    assert 0 < refused < count
