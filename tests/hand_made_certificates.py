"""Certificates of each kind for the tests of the checker.

None of them comes from the program's own writers: models are lowered, and everything else is written down here.
"""

import copy
import json
import re
from functools import lru_cache

from automata.algebra.holonomy import Skeleton
from automata.machines.counter_machine import counter_machine
from automata.notation.expressions import regex_to_dfa
from constructions.compile.krohn_rhodes import holonomy_cascade
from constructions.compile.pair_graph import chart_of
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.paper.counters import counter_cascade
from constructions.paper.flip_flop import flip_flop
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.lowering import lower
from verify import checker


def affine(weights):
    matrix = weights.matrix
    spans = zip(matrix.indptr, matrix.indptr[1:])
    rows = [[int(n) for pair in zip(matrix.indices[i:j], matrix.data[i:j]) for n in pair] for i, j in spans]
    return {"exponent": weights.exponent, "bias": weights.bias.tolist(), "rows": rows}


def model(ssm):
    layers = []
    for layer in ssm.layers:
        phi = [
            {"affine": affine(mix.affine), "activation": mix.activation, "low": mix.low, "high": mix.high}
            for mix in layer.phi
        ]
        for stage in phi:
            if stage["activation"] != "clip":
                stage["low"] = stage["high"] = 0
        initial = {"exponent": layer.initial_exponent, "values": layer.initial.tolist()}
        layers.append(
            {"initial": initial, "gate": affine(layer.gate), "increment": affine(layer.increment), "phi": phi}
        )
    embedding = {"exponent": ssm.embedding_exponent, "rows": ssm.embedding.tolist()}
    return {
        "arithmetic": str(ssm.arithmetic),
        "symbols": list(ssm.alphabet),
        "outputs": list(ssm.outputs),
        "embedding": embedding,
        "layers": layers,
        "readout": affine(ssm.readout),
    }


def dfa_of(dfa):
    start, accepting = int(dfa.initial), sorted(int(q) for q in dfa.accepting)
    return {"symbols": list(dfa.alphabet), "table": dfa.table.tolist(), "accepting": accepting, "start": start}


def computes(ssm, language, evidence, horizon=None):
    return {
        "format": "ssm-certificate 2",
        "claim": "computes",
        "mode": ssm.mode,
        "horizon": horizon,
        "language": language,
        "model": model(ssm),
        "evidence": evidence,
    }


def flip_flop_closed(mode="recognise", arithmetic="fixed:1"):
    ssm = lower(flip_flop(mode), Arithmetic.parse(arithmetic))
    return computes(ssm, {"name": "flip-flop"}, {"closed": {"states": 10000, "dead": None}})


def dyck_state(ssm, depth, dead=False):
    """Depth, dead register and slots as the construction means them; when dead, whatever they may drift to."""
    layers = []
    for layer in ssm.layers:
        terms = []
        for name in layer.names:
            slot = re.match(r"slot (\d+)(?: bit (\d+))?", name)
            if slot:
                terms.append(["any", 0, 1] if dead else ["b", int(slot[1]) - 1, int(slot[2] or 0)])
            elif name == "depth":
                terms.append(["any", None, None] if dead else depth)
            else:
                terms.append(["any", 1, None] if dead else 0)
        layers.append(terms)
    return {"exponent": 0, "layers": layers}


def dyck_relation(k, h, mode="predictive", arithmetic="exact"):
    ssm = lower(bounded_dyck(k, h, mode), Arithmetic.parse(arithmetic))
    entries = [{"control": d, "ranges": [None] * h, "state": dyck_state(ssm, d)} for d in range(h + 1)]
    if mode == "recognise":
        entries.append({"control": None, "ranges": [], "state": dyck_state(ssm, 0, dead=True)})
    return computes(ssm, {"dyck": [k, h]}, {"relation": {"entries": entries}})


def counter_relation(name, mode="predictive", arithmetic="exact", horizon=None):
    ssm = lower(counter_cascade(name, mode), Arithmetic.parse(arithmetic))
    letters = {"anbn": "ab", "anbncn": "abc", "anbncndn": "abcd"}.get(name, "")
    registers = [n for n in ssm.state_names if re.match("open|pending|unmatched", n)]
    fastest = max(1, counter_machine(name).fastest)
    drifting = ["any", None, None] if horizon is None else ["any", -1, fastest, 1, fastest]

    def state(control, dead=False):
        def term(coordinate):
            if coordinate in registers:
                return drifting if dead else ["r", registers.index(coordinate)]
            if coordinate == "dead":
                return int(dead)
            return ["any", 0, 1] if dead else int(letters.index(coordinate.split()[1]) < control)

        return {"exponent": 0, "layers": [[term(n) for n in layer.names] for layer in ssm.layers]}

    entries = []
    for control in range(len(letters) + 1) if letters else [0]:
        ranges = [[0, None]] * len(registers)
        if letters:
            ranges = [
                [int(i == control - 1), None if control - 2 <= i <= control - 1 else 0] for i in range(len(registers))
            ]
        entries.append({"control": control, "ranges": ranges, "state": state(control)})
    if mode == "recognise":
        entries.append({"control": None, "ranges": [], "state": state(0, dead=True)})
    return computes(ssm, {"name": name}, {"relation": {"entries": entries}}, horizon)


def levels(text, mode="predictive"):
    dfa = regex_to_dfa(text)
    ssm = lower(holonomy_cascade(dfa, mode), Arithmetic.parse("fixed:1"))
    chart = chart_of(Skeleton.of(dfa))
    number = {mask: i for i, mask in enumerate(chart.level)}
    sets = [
        {
            "states": [q for q in range(dfa.states) if mask >> q & 1],
            "level": level,
            "tiles": [number[tile] for tile in chart.tiles.get(mask, ())],
        }
        for mask, level in chart.level.items()
    ]
    digits = [[i for i, n in enumerate(layer.names) if n.startswith("tile")] for layer in ssm.layers]
    return computes(ssm, {"dfa": dfa_of(dfa)}, {"levels": {"digits": digits, "root": number[chart.root], "sets": sets}})


PARITY = {"symbols": ["a"], "table": [[1], [0]], "accepting": [0], "start": 0}


def tiny(
    gate=1, increment=1, arithmetic="exact", phi=(([1, 0], 0, "relu"),), readout=(1, 0), symbols="a", mode="recognise"
):
    """One layer of one coordinate; each symbol and BOS has the feature 1; stages are (weights of [z; x], bias,
    activation).
    """

    def rows(bias, weights):
        pairs = [n for i, w in enumerate(weights) if w for n in (i, w)]
        return {"exponent": 0, "bias": [bias], "rows": [pairs]}

    stages = [
        {"affine": rows(bias, weights), "activation": activation, "low": 0, "high": int(activation == "clip")}
        for weights, bias, activation in phi
    ]
    layer = {
        "initial": {"exponent": 0, "values": [0]},
        "gate": rows(gate, [0]),
        "increment": rows(0, [increment]),
        "phi": stages,
    }
    return {
        "arithmetic": arithmetic,
        "symbols": list(symbols),
        "outputs": ["<accept>"] if mode == "recognise" else [*symbols, "<eos>"],
        "embedding": {"exponent": 0, "rows": [[1]] * len(symbols) + [[0]]},
        "layers": [layer],
        "readout": rows(readout[1], [readout[0]]),
    }


def certificate(claim, evidence, **parts):
    return {"format": "ssm-certificate 2", "claim": claim, "evidence": evidence, **parts}


def word_certificate(times=1026, arithmetic="wrap:2"):
    """A counter modulo 4 accepts lengths that are no multiple of 4; it is wrong about even lengths."""
    weights = tiny(arithmetic=arithmetic)
    return certificate(
        "is wrong about",
        {"word": {"parts": [[["a"], times]]}},
        mode="recognise",
        language={"dfa": {**PARITY, "accepting": [1]}},
        model=weights,
    )


def cycle_certificate():
    evidence = {"cycle": {"u": [], "w": ["a"], "v": [], "period": 2}}
    pairs = [["a"], ["a"], ".", {"least": 0, "most": None}]
    return certificate("not star-free", evidence, language={"regex": pairs, "dfa": copy.deepcopy(PARITY)})


def bound_certificate(arithmetic="fixed:1"):
    weights = model(lower(flip_flop("recognise"), Arithmetic.parse(arithmetic)))
    return certificate("at most star-free", {"bound": {"states": 100}}, model=weights)


MAKERS = {
    "flip-flop closed": flip_flop_closed,
    "flip-flop predictive": lambda: flip_flop_closed("predictive", "exact"),
    "flip-flop float16": lambda: flip_flop_closed(arithmetic="float16"),
    "dyck": lambda: dyck_relation(2, 3),
    "dyck 3": lambda: dyck_relation(3, 2),
    "dyck float16": lambda: dyck_relation(2, 3, arithmetic="float16"),
    "dyck recognise": lambda: dyck_relation(2, 3, "recognise"),
    "anbn": lambda: counter_relation("anbn"),
    "anbn recognise": lambda: counter_relation("anbn", "recognise"),
    "boolean horizon": lambda: counter_relation("boolean-3", "recognise", "float16", 100),
    "levels": lambda: levels("(a(ab)*b)*"),
    "levels recognise": lambda: levels("(a(ab)*b)*", "recognise"),
    "word": word_certificate,
    "cycle": cycle_certificate,
    "bound": bound_certificate,
    "bound float16": lambda: bound_certificate("float16"),
}


@lru_cache(maxsize=None)
def made(name):
    return json.dumps(MAKERS[name]())


def fresh(name):
    return json.loads(made(name))


def check(value, work=10**8):
    """None when verified, else the reason."""
    checker.Work.left = checker.Work.limit = work
    try:
        claim = checker._Claim(value)
        claim.check()
    except checker.Failed as reason:
        return str(reason)
    return None


def edited(value, path, new):
    """The certificate with another value at a path; None removes an entry."""
    at = value
    for key in path[:-1]:
        at = at[key]
    if new is REMOVED:
        del at[path[-1]]
    else:
        at[path[-1]] = new(at[path[-1]]) if callable(new) else new
    return value


REMOVED = object()


def with_a_silent_feature(model, weight):
    """The first gate reads a feature that is always 0."""
    rows = model["embedding"]["rows"]
    model["layers"][0]["gate"]["rows"][0] += [len(rows[0]), weight]
    return {**model, "embedding": {**model["embedding"], "rows": [[*row, 0] for row in rows]}}
