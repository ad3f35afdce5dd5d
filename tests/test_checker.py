"""The checker of certificates: hand-made ones of each kind pass, and each condition that is broken alone fails."""

import ast
import copy
import gzip
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from automata.machines.counter_machine import NAMES
from tests.hand_made_certificates import (
    MAKERS,
    PARITY,
    REMOVED,
    certificate,
    check,
    counter_relation,
    cycle_certificate,
    dyck_relation,
    edited,
    flip_flop_closed,
    fresh,
    levels,
    made,
    tiny,
    with_a_silent_feature,
    word_certificate,
)
from verify import checker

FILE = Path(checker.__file__)


# -- what is true passes --------------------------------------------------------------------------


@pytest.mark.parametrize("name", MAKERS)
def test_what_is_true_is_verified(name):
    assert check(fresh(name)) is None


@pytest.mark.parametrize("mode", ["predictive", "recognise"])
@pytest.mark.parametrize("name", NAMES)
def test_all_counter_languages_are_verified_at_every_length(name, mode):
    if name != "shuffle-6":  # the same with fewer cases is shuffle-4
        assert check(counter_relation(name, mode)) is None


@pytest.mark.parametrize("k, h", [(1, 4), (3, 4), (8, 10)])
@pytest.mark.parametrize("mode", ["predictive", "recognise"])
def test_bounded_dyck_is_verified(k, h, mode):
    assert check(dyck_relation(k, h, mode)) is None


def test_a_closed_search_may_stop_in_a_dead_template():
    value = dyck_relation(2, 2, "recognise")
    state = value["evidence"]["relation"]["entries"][-1]["state"]
    value["evidence"] = {"closed": {"states": 1000, "dead": state}}
    assert check(copy.deepcopy(value)) is None
    drifting = copy.deepcopy(value)
    drifting["evidence"]["closed"]["dead"] = None
    assert "more than the 1000 pairs" in check(drifting)
    narrow = edited(copy.deepcopy(value), ["evidence", "closed", "dead", "layers", 2, 0], ["any", 0, None])
    assert "may be given" in check(narrow)
    assert "nothing is asked of dead strings" in check(
        {**dyck_relation(2, 2), "evidence": {"closed": {"states": 1000, "dead": state}}}
    )


def once_dead(start, neurons, template, accepts=(1, -1, 1)):
    """The words are a*, and h counts b from the start on.  A word is given by a relu of accepts[0] + accepts[1] h, and
    accepts[2] where b is read, and by neurons (bias, weight of h, readout).
    """
    model = tiny(symbols="ab")
    model["embedding"]["rows"] = [[0], [1], [0]]
    layer = model["layers"][0]
    layer["initial"] = {"exponent": 1, "values": [int(2 * start)]}
    neurons = [(accepts[0], [0, accepts[1], 1, accepts[2]], 1), *[(n, [0, w], out) for n, w, out in neurons]]
    layer["phi"][0]["affine"] = {
        "exponent": 0,
        "bias": [n for n, *_ in neurons],
        "rows": [row for _, row, _ in neurons],
    }
    model["readout"]["rows"] = [[n for i, (*_, out) in enumerate(neurons) for n in (i, out)]]
    dfa = {"symbols": ["a", "b"], "table": [[0, 1], [1, 1]], "accepting": [0], "start": 0}
    evidence = {"closed": {"states": 20, "dead": {"exponent": 0, "layers": [[template]]}}}
    return certificate("computes", evidence, mode="recognise", horizon=None, language={"dfa": dfa}, model=model)


@pytest.mark.parametrize(
    "start, accepts, bump, template, says",
    [
        # right; then a word is given after the first b, at 3, and at 7/2, which is no integer
        (0, (1, -1, -1), 0, ["any", 1, None], None),
        (0, (1, -1, 1), 0, ["any", 1, None], "closed: after 1 symbols the outputs are {'<accept>'}"),
        (0, (1, -1, -1), 6, ["any", 5, None], "closed: after 3 symbols the outputs are {'<accept>'}"),
        (0, (1, -1, -1), 6, ["any", 1, 1], "not what the template says"),
        (0.5, (1, -1, -1), 7, ["any", 1, None], "closed: after 3 symbols the outputs are {'<accept>'}"),
    ],
)
def test_a_dead_pair_is_left_where_it_gives_nothing_and_the_template_has_it(start, accepts, bump, template, says):
    bumps = [(1 - bump, 2, 1), (-bump, 2, -2), (-1 - bump, 2, 1)] if bump else []
    found = check(once_dead(start, bumps, template, accepts))
    assert found is None if says is None else says in found


def test_a_string_that_is_not_back_is_on_no_cycle():
    """The empty word alone: a leads from it to where a leads nowhere else."""
    dfa = {"symbols": ["a"], "table": [[1], [1]], "accepting": [0], "start": 0}
    cycle = {"cycle": {"u": [], "w": ["a"], "v": [], "period": 2}}
    assert "not back after 2 rounds" in check(certificate("not star-free", cycle, language={"dfa": dfa}))


# -- each condition, broken alone -----------------------------------------------------------------

BROKEN = [
    # the file and the claim
    ("flip-flop closed", ["claim"], "computes more", "claim is"),
    ("flip-flop closed", ["mode"], "predictive", "outputs are not those of mode"),
    ("flip-flop closed", ["mode"], "both", "mode is"),
    ("flip-flop closed", ["horizon"], REMOVED, "has no entry horizon"),
    ("flip-flop closed", ["horizon"], -1, "horizon is not an integer"),
    ("flip-flop closed", ["horizon"], True, "horizon is not an integer"),
    ("flip-flop closed", ["comment"], "text", "unknown entry"),
    ("flip-flop closed", ["evidence"], {"word": {"parts": []}}, "no object with one entry out of"),
    ("flip-flop closed", ["language"], {"name": "flip-flops"}, "not known"),
    ("flip-flop closed", ["language"], {"name": "anbn"}, "symbols are not those of"),
    ("anbn", ["language"], {"name": "dyck-1"}, "symbols are not those of"),
    ("anbn", ["language"], {"dyck": [1, 2, 3]}, "expected 2"),
    ("anbn", ["language"], {"dyck": [0, 2]}, "no bracket type"),
    ("anbn", ["language"], {"name": "shuffle-65"}, "not known"),
    # the model
    ("flip-flop closed", ["model", "arithmetic"], "fixed:33", "not known"),
    ("flip-flop closed", ["model", "arithmetic"], "bfloat16", "not known"),
    ("flip-flop closed", ["model", "arithmetic"], "fixed:0", "outputs are"),
    ("flip-flop closed", ["model", "symbols", 0], "<eos>", "cannot be a symbol"),
    ("flip-flop closed", ["model", "symbols", 0], "r", "occurs twice"),
    ("flip-flop closed", ["model", "symbols", 0], "\ud800", "cannot be a symbol"),
    ("flip-flop closed", ["model", "symbols", 0], "w w", "cannot be a symbol"),
    ("flip-flop predictive", ["model", "outputs", 0], "r", "outputs are those of no mode"),
    ("flip-flop closed", ["model", "embedding", "rows", 5], REMOVED, "has 5 entries, expected 6"),
    ("flip-flop closed", ["model", "embedding", "rows", 5, 0], REMOVED, "entries, expected"),
    ("flip-flop closed", ["model", "embedding", "rows", 5, 0], 2**62 + 1, "not an integer from"),
    ("flip-flop closed", ["model", "embedding", "exponent"], 63, "not an integer from 0 to 62"),
    ("flip-flop closed", ["model", "layers", 0, "initial", "exponent"], -1, "not an integer from 0 to 62"),
    ("flip-flop closed", ["model", "layers", 0, "gate", "exponent"], False, "not an integer from 0 to 62"),
    ("flip-flop closed", ["model", "layers", 0, "gate", "bias"], [], "entries, expected"),
    ("flip-flop closed", ["model", "layers", 0, "gate", "rows", 0], [0], "a weight is missing"),
    ("flip-flop closed", ["model", "layers", 0, "gate", "rows", 0], [0, 0], "a weight is missing or 0"),
    ("flip-flop closed", ["model", "layers", 0, "gate", "rows", 0], [1, 1, 0, 1], "columns do not ascend"),
    ("flip-flop closed", ["model", "layers", 0, "gate", "rows", 0], [1, 1, 1, 1], "columns do not ascend"),
    ("flip-flop closed", ["model", "layers", 0, "gate", "rows", 0], [-1, 1], "columns do not ascend"),
    ("flip-flop closed", ["model", "layers", 0, "gate", "rows", 0], [99, 1], "columns do not ascend"),
    ("flip-flop closed", ["model", "layers", 0, "phi"], [], "has not from 1 to 64 stages"),
    ("flip-flop closed", ["model", "layers", 0, "phi", 0, "activation"], "gelu", "not known"),
    ("flip-flop closed", ["model", "layers", 0, "phi", 0, "high"], 1, "does not clip"),
    ("flip-flop closed", ["model", "layers", 0, "phi", 0, "low"], 1, "high is not an integer"),
    ("flip-flop closed", ["model", "layers"], [], "is empty"),
    ("flip-flop closed", ["model", "readout", "rows", 0], [99, 1], "columns do not ascend"),
    # closed
    ("flip-flop closed", ["evidence", "closed", "states"], 9, "more than the 9 pairs"),
    ("flip-flop closed", ["model", "readout", "bias", 0], 1, "closed: after 1 symbols the outputs are {'<accept>'}"),
    ("flip-flop predictive", ["model", "embedding", "rows", 5], lambda row: [0] * len(row), "after 0 symbols"),
    ("flip-flop closed", ["model", "layers", 2, "initial", "values", 0], 2, "closed: after"),
    # relation: the entries' form
    ("anbn", ["evidence", "relation", "entries", 1, "control"], 0, "has an entry already"),
    ("anbn", ["evidence", "relation", "entries", 1, "control"], None, "in predictive mode nothing is asked"),
    ("anbn", ["evidence", "relation", "entries", 1, "ranges"], [], "has 0 entries, expected 1"),
    ("anbn", ["evidence", "relation", "entries", 1, "ranges", 0], [-1, None], "not an integer from 0"),
    ("anbn", ["evidence", "relation", "entries", 1, "ranges", 0], [2, 1], "not an integer from 2"),
    ("dyck", ["evidence", "relation", "entries", 1, "ranges", 0], [0, 1], "is not null"),
    ("dyck", ["evidence", "relation", "entries", 1, "ranges", 0], 0, "is not null"),
    ("anbn", ["evidence", "relation", "entries", 1, "state", "layers", 0, 0], ["r", 1], "is no term"),
    ("anbn", ["evidence", "relation", "entries", 1, "state", "layers", 0, 0], ["b", 0, 0], "is no term"),
    ("anbn", ["evidence", "relation", "entries", 1, "state", "layers", 0, 0], ["any", 0, 1, 1, 1], "is no term"),
    ("anbn", ["evidence", "relation", "entries", 1, "state", "layers", 0, 0], ["any", 1, 0], "is no term"),
    ("anbn", ["evidence", "relation", "entries", 1, "state", "layers", 0], [], "entries, expected"),
    ("dyck", ["evidence", "relation", "entries", 1, "state", "layers", 1, 0], ["b", 0, 1], "is no term"),
    # relation: what is checked
    ("anbn", ["evidence", "relation", "entries", 0], REMOVED, "after BOS: there is no entry for control 0"),
    ("anbn", ["evidence", "relation", "entries", 2], REMOVED, "there is no entry for control 2"),
    (
        "anbn",
        ["evidence", "relation", "entries", 0, "ranges", 0],
        [1, None],
        "after BOS: counter 0 may leave its range",
    ),
    ("anbn", ["evidence", "relation", "entries", 1, "ranges", 0], [2, None], "counter 0 may leave its range"),
    ("anbn", ["evidence", "relation", "entries", 1, "ranges", 0], [1, 7], "counter 0 may leave its range"),
    ("anbn", ["evidence", "relation", "entries", 1, "state", "layers", 0, 0], 1, "not what the template says"),
    (
        "anbn",
        ["evidence", "relation", "entries", 1, "state", "layers", 0, 0],
        ["any", 1, None],
        "not what the template says",
    ),
    (
        "anbn",
        ["evidence", "relation", "entries", 1, "state", "layers", 0, 0],
        ["any", 2, 3],
        "not what the template says",
    ),
    ("anbn", ["evidence", "relation", "entries", 0, "state", "layers", 0, 0], 1, "after BOS: coordinate 0 is not"),
    ("anbn", ["evidence", "relation", "entries", 0, "state", "layers", 0, 0], ["any", 1, 2], "after BOS: coordinate 0"),
    ("anbn", ["model", "layers", 0, "gate", "bias", 0], 2, "not what the template says"),
    ("anbn", ["model", "layers", 0, "gate", "bias", 0], -1, "not what the template says"),
    ("anbn", ["model", "readout", "bias", 0], 1, "output 'a' may be given"),
    ("anbn", ["model", "readout", "bias", 2], 1, "after BOS: output '<eos>' may be given"),
    ("anbn", ["model", "readout", "rows", 2], [], "output '<eos>' may be missing"),
    ("anbn", ["model", "embedding", "rows", 2], lambda row: row[::-1], "after BOS"),
    ("anbn recognise", ["evidence", "relation", "entries", 3], REMOVED, "there is no entry for control None"),
    ("anbn recognise", ["evidence", "relation", "entries", 3, "state", "layers", 1, 0], ["any", 0, 1], "may be given"),
    (
        "anbn recognise",
        ["evidence", "relation", "entries", 3, "state", "layers", 0, 0],
        ["any", 0, None],
        "not what the template says",
    ),
    ("anbn recognise", ["model", "layers", 1, "gate", "bias", 0], 0, "in control null"),
    (
        "dyck",
        ["evidence", "relation", "entries", 1, "state", "layers", 1, 0],
        ["any", 0, 1],
        "not what the template says",
    ),
    ("dyck", ["evidence", "relation", "entries", 1, "state", "layers", 0, 0], 2, "not what the template says"),
    (
        "dyck 3",
        ["evidence", "relation", "entries", 1, "state", "layers", 1, 1],
        ["b", 0, 0],
        "not what the template says",
    ),
    ("dyck", ["model", "embedding", "rows", 0], lambda row: [-n for n in row], "in control 0"),
    (
        "dyck recognise",
        ["evidence", "relation", "entries", 4, "state", "layers", 2, 0],
        ["any", 0, None],
        "may be given",
    ),
    ("dyck recognise", ["model", "layers", 2, "increment", "rows", 0], [], "not what the template says"),
    # relation: floats
    ("boolean horizon", ["horizon"], None, "no term"),
    ("boolean horizon", ["horizon"], 2000, "may not be exact in float16"),
    (
        "boolean horizon",
        ["evidence", "relation", "entries", 1, "state", "layers", 0, 0],
        ["any", -1, 2, 1, 0],
        "not what the template says",
    ),
    (
        "boolean horizon",
        ["evidence", "relation", "entries", 1, "state", "layers", 0, 0],
        ["any", -1, 2, 0, 2],
        "not what the template says",
    ),
    (
        "boolean horizon",
        ["evidence", "relation", "entries", 1, "state", "layers", 0, 0],
        ["any", 1, 2, 1, 2],
        "not what the template says",
    ),
    ("boolean horizon", ["model", "layers", 0, "gate", "bias", 0], 2, "not what the template says"),
    ("dyck float16", ["model", "layers", 1, "phi", 1, "affine", "bias", 0], -4096, "may not be exact"),
    ("dyck float16", ["model", "readout", "bias", 0], -4096, "may not be exact"),
    ("dyck float16", ["model"], lambda model: with_a_silent_feature(model, 2049), "would be rounded"),
    # levels
    ("levels", ["evidence", "levels", "root"], 1, "not the set of all states"),
    ("levels", ["evidence", "levels", "sets", 0, "tiles"], lambda tiles: tiles[:1], "tiles are not all of it"),
    ("levels", ["evidence", "levels", "sets", 0, "level"], 2, "not of a greater level"),
    ("levels", ["evidence", "levels", "sets", 1, "states"], [], "is empty, no part of it"),
    ("levels", ["evidence", "levels", "digits", 0], [], "level is not an integer"),
    ("levels", ["evidence", "levels", "digits", 0], [0, 0], "coordinate twice"),
    ("levels", ["evidence", "levels", "digits", 0], [9], "not an integer from 0"),
    ("levels", ["horizon"], 5, "without a horizon"),
    ("levels", ["model", "arithmetic"], "float32", "not for floats"),
    ("levels", ["language"], {"dyck": [1, 2]}, "symbols are not those"),
    ("levels", ["evidence", "levels", "sets", 0, "tiles"], lambda tiles: tiles[::-1], "levels"),
    ("levels", ["model", "readout", "bias", 0], 1, "outputs are"),
    ("levels recognise", ["model", "readout", "bias", 0], -1, "outputs are"),
    ("levels recognise", ["language", "dfa", "accepting"], [], "outputs are"),
    ("levels", ["model", "layers", 0, "initial", "values", 0], lambda n: n + 2, "levels"),
    ("levels", ["model", "layers", 0, "increment", "bias", 0], lambda n: n + 4, "no bit"),
    # word
    ("word", ["evidence", "word", "parts"], [], "the model is right"),
    ("word", ["evidence", "word", "parts", 0, 1], 0, "not an integer from 1"),
    ("word", ["evidence", "word", "parts", 0, 0], [], "has no symbols"),
    ("word", ["evidence", "word", "parts", 0, 0], ["b"], "is no symbol"),
    ("word", ["evidence", "word", "parts", 0, 1], 1028, "the model is right"),
    # cycle
    ("cycle", ["evidence", "cycle", "period"], 3, "not back after 3 rounds"),
    ("cycle", ["evidence", "cycle", "period"], 4, "not back after 4 rounds"),
    ("cycle", ["evidence", "cycle", "period"], 2**62, "not back after"),
    ("cycle", ["evidence", "cycle", "period"], 1, "not an integer from 2"),
    ("cycle", ["evidence", "cycle", "w"], ["a", "a"], "all of these strings are words, or none"),
    ("cycle", ["evidence", "cycle", "w"], [], "all of these strings are words, or none"),
    ("cycle", ["language", "regex"], lambda items: [["a"], *items[:-1], ".", items[-1]], "differ in state"),
    ("cycle", ["language", "regex"], "(aa)*", "regex is no array"),
    ("cycle", ["language", "regex"], [], "is no expression, but 0"),
    ("cycle", ["language", "regex"], [["a"], ["a"]], "is no expression, but 2"),
    ("cycle", ["language", "regex"], [["a"], "."], "regex[1]: operands are missing"),
    ("cycle", ["language", "regex"], ["~"], "regex[0]: operands are missing"),
    ("cycle", ["language", "regex", 0], ["b"], "regex[0][0] is 'b', which is not known"),
    ("cycle", ["language", "regex", 2], "+", "regex[2] is '+', which is not known"),
    ("cycle", ["language", "regex", 2], 1, "regex[2] is 1, no text"),
    ("cycle", ["language", "regex", 3, "most"], REMOVED, "regex[3] has no entry most"),
    ("cycle", ["language", "regex", 3], {"least": 2, "most": 1}, "regex[3] is from more to less"),
    ("cycle", ["language", "dfa", "accepting"], [1], "differ in state 0"),
    ("cycle", ["language", "dfa", "start"], 2, "not an integer from 0 to 1"),
    ("cycle", ["language", "dfa", "table", 0], [2], "not an integer from 0 to 1"),
    ("cycle", ["language", "dfa", "table", 0], [], "expected 1"),
    # bound
    ("bound", ["model", "layers", 0, "gate", "bias", 0], -1, "a gate of layer 0 is negative"),
    ("bound", ["evidence", "bound", "states"], 3, "more than 3 states"),
    ("bound", ["model", "arithmetic"], "wrap:4", "do not keep their order"),
    ("bound float16", ["model", "layers", 0, "gate", "bias", 0], 2**40, "negative or not finite"),
    ("bound float16", ["model", "layers", 0, "increment", "bias", 0], 2**40, "is not finite"),
]


@pytest.mark.parametrize("name, path, new, reason", BROKEN, ids=[f"{b[0]}-{i}" for i, b in enumerate(BROKEN)])
def test_each_condition_is_checked(name, path, new, reason):
    value = fresh(name)
    if path == ["comment"]:
        value["comment"] = "text"
    else:
        edited(value, path, new)
    found = check(value)
    assert found is not None and reason in found, found


def test_sets_of_the_last_level_are_single_states():
    value = fresh("levels")
    sets = value["evidence"]["levels"]["sets"]
    single = next(s for s in sets if not s["tiles"])
    single["states"] = [0, 1, 2]
    assert check(value) is not None


def test_a_chart_that_does_not_nest_is_refused():
    """Root to {dead} to {start}: no fact would be left to check."""
    value = levels("(ab)*")
    value["model"]["readout"]["bias"] = [1] * 3
    value["evidence"]["levels"]["sets"] = [
        {"states": [0, 1, 2], "level": 0, "tiles": [1, 3]},
        {"states": [2], "level": 1, "tiles": [2]},
        {"states": [0], "level": 2, "tiles": []},
        {"states": [0, 1], "level": 1, "tiles": [2, 4]},
        {"states": [1], "level": 2, "tiles": []},
    ]
    value["evidence"]["levels"]["root"] = 0
    assert "sets[1]: set 2 is empty, no part of it" in check(copy.deepcopy(value))
    value["evidence"]["levels"]["sets"][0]["tiles"] = [1]
    assert "sets[0]: its tiles are not all of it" in check(value)


def test_a_digit_of_a_set_that_stays_is_0():
    """A counter that accepts below 2: at 1 the digit would be 1, and from there nothing would be looked at."""
    language = {"dfa": {"symbols": ["a"], "table": [[0]], "accepting": [0], "start": 0}}
    evidence = {"levels": {"digits": [[0]], "root": 0, "sets": [{"states": [0], "level": 1, "tiles": []}]}}
    parts = {"mode": "recognise", "horizon": None, "language": language}
    right = tiny(increment=0, phi=(([1, 0], 0, "linear"),), readout=(-1, 2))
    assert check(certificate("computes", evidence, model=right, **parts)) is None
    wrong = tiny(increment=1, phi=(([1, 0], 0, "linear"),), readout=(-1, 2))
    assert "digit 1 names no tile of set 0" in check(certificate("computes", evidence, model=wrong, **parts))


def test_recognisers_are_asked_of_dead_strings():
    """A model of all strings but those of (ab)*, of a language that leaves out those which never come back, too."""
    value = levels("~((ab)*)", "recognise")
    dfa = value["language"]["dfa"]
    (sink,) = [q for q, row in enumerate(dfa["table"]) if set(row) == {q}]
    assert check(copy.deepcopy(value)) is None
    dfa["accepting"].remove(sink)
    assert "outputs are" in check(value)


def test_gates_that_double_grow_past_any_horizon():
    """Dead counters that a letter multiplies: no growth by steps covers them."""
    value = fresh("boolean horizon")
    gate = value["model"]["layers"][0]["gate"]
    gate["rows"][0] = [0, 1]
    assert check(value) is not None


def test_predictive_mode_needs_a_word():
    value = flip_flop_closed("predictive", "exact")
    table = [[0] * 5]
    value["language"] = {"dfa": {"symbols": list("wri01"), "table": table, "accepting": [], "start": 0}}
    assert "the language has no word" in check(value)


def test_words_in_predictive_mode_are_prefixes():
    value = fresh("flip-flop predictive")
    value.update(claim="is wrong about", evidence={"word": {"parts": [[["r"], 1]]}})
    del value["horizon"]
    assert "no prefix of a word" in check(value)


def test_a_horizon_ends_a_closed_search():
    """A counter in floats is right as far as it counts: 2^11 in float16."""
    value = certificate(
        "computes",
        {"closed": {"states": 10**5, "dead": None}},
        mode="recognise",
        horizon=40,
        language={"dfa": {"symbols": ["a"], "table": [[1], [1]], "accepting": [1], "start": 0}},
        model=tiny(arithmetic="float16"),
    )
    assert check(copy.deepcopy(value)) is None
    value["model"]["readout"]["bias"] = [-30]
    assert check(copy.deepcopy(value)) is not None
    value["horizon"] = 0
    assert check(copy.deepcopy(value)) is None


def test_a_bound_of_a_clip_is_a_float_too():
    """2049 is 2048 in float16: the exact clip at 2049 would count one further."""
    value = counter_relation("anbn", arithmetic="float16", horizon=100)
    assert check(copy.deepcopy(value)) is None
    value["model"]["layers"][0]["phi"][0].update(activation="clip", high=2049)
    assert "would be rounded" in check(copy.deepcopy(value))
    value["model"]["layers"][0]["phi"][0]["high"] = 2048
    assert check(value) is None


def test_what_drifts_may_not_come_from_what_drifts_faster():
    """anbn with a coordinate that counts a, and that nobody reads: in the run of b it is what the run of a made of
    it.
    """
    value = counter_relation("anbn", horizon=100)
    layer = value["model"]["layers"][0]
    layer["initial"]["values"].append(0)
    layer["gate"]["bias"].append(1)
    layer["gate"]["rows"].append([])
    layer["increment"]["bias"].append(0)
    layer["increment"]["rows"].append([0, 1])
    stage = layer["phi"][0]["affine"]
    stage["rows"] = [[n + (n > 0) if i % 2 == 0 else n for i, n in enumerate(row)] for row in stage["rows"]]
    for entry in value["evidence"]["relation"]["entries"]:
        entry["state"]["layers"][0].append(["any", 0, 1, 0, 1] if entry["control"] == 2 else ["r", 0])
    assert check(copy.deepcopy(value)) is None
    value["evidence"]["relation"]["entries"][2]["state"]["layers"][0][1] = ["any", 0, 1, 0, 0]
    assert "not what the template says" in check(value)


def dyck_1_by_hand(bias=0):
    """( is always given, ) where the depth + bias is positive, and <eos> at depth 0."""

    def rows(*rows):
        return {"exponent": 0, "bias": [bias for bias, _ in rows], "rows": [row for _, row in rows]}

    stage = {"affine": rows((bias, [0, 1]), (1, [0, -1])), "activation": "relu", "low": 0, "high": 0}
    layer = {
        "initial": {"exponent": 0, "values": [0]},
        "gate": rows((1, [])),
        "increment": rows((0, [0, 1])),
        "phi": [stage],
    }
    weights = {
        "arithmetic": "exact",
        "symbols": ["(", ")"],
        "outputs": ["(", ")", "<eos>"],
        "embedding": {"exponent": 0, "rows": [[1], [-1], [0]]},
        "layers": [layer],
        "readout": rows((1, []), (0, [0, 1]), (0, [1, 1])),
    }
    entry = {"control": 0, "ranges": [[0, None]], "state": {"exponent": 0, "layers": [[["r", 0]]]}}
    evidence = {"relation": {"entries": [entry]}}
    language = {"name": "dyck-1"}
    return certificate("computes", evidence, mode="predictive", horizon=None, language=language, model=weights)


def test_an_output_may_be_missing_in_a_part_of_the_box():
    assert check(dyck_1_by_hand()) is None
    assert "output ')' may be missing" in check(dyck_1_by_hand(-1))


def test_two_unbounded_counters_are_not_compared():
    """relu(x - y) of two counters: refused, not decided by accident."""
    value = counter_relation("shuffle-2")
    stage = value["model"]["layers"][0]["phi"][0]["affine"]
    stage["rows"][0] = [0, 1, 1, -1]
    assert "two unbounded numbers" in check(value)


@pytest.mark.parametrize("times", [1026, 1027, 1028, 2 * 10**15 + 2])
def test_rounds_are_skipped(times):
    value = word_certificate(times)
    assert check(value) is None if times % 2 == 0 and times % 4 else check(value) is not None


def test_a_word_of_floats():
    value = word_certificate(5000, "float16")
    value["language"] = {"dfa": {"symbols": ["a"], "table": [[0]], "accepting": [], "start": 0}}
    value["model"]["readout"]["bias"] = [-2047]
    assert check(copy.deepcopy(value)) is None  # 2048 + 1 is 2048: the counter stays there
    value["model"]["readout"]["bias"] = [-2048]
    assert check(value) is not None


def test_a_clip_bounds_what_a_negative_gate_would_not():
    value = certificate("at most star-free", {"bound": {"states": 100}}, model=tiny(0, 1, "fixed:0"))
    assert check(copy.deepcopy(value)) is None
    value["model"]["layers"][0]["gate"]["bias"] = [-1]
    assert "negative" in check(copy.deepcopy(value))
    value["model"]["layers"][0]["gate"]["bias"] = [1]
    assert "more than 100 states" in check(value)


# -- the file and the command ---------------------------------------------------------------------


def outcome(*arguments, cwd, python=sys.executable):
    command = [python, "-I", "-S", str(FILE), *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr and (done.stdout + done.stderr).count("\n") == 1, done
    return done.returncode, done.stdout + done.stderr


def test_the_command_says_what_it_found(tmp_path):
    value = fresh("flip-flop closed")
    (tmp_path / "true.json").write_text(json.dumps(value))
    (tmp_path / "true.json.gz").write_bytes(gzip.compress(json.dumps(value).encode()))
    value["model"]["readout"]["bias"] = [1]
    (tmp_path / "false.json").write_text(json.dumps(value))
    status, text = outcome("true.json", cwd=tmp_path)
    model = json.dumps(fresh("flip-flop closed")["model"], sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(model.encode()).hexdigest()
    assert status == 0 and text.startswith(f"VERIFIED: the model of sha256 {digest} ")
    assert "recognises flip-flop" in text
    assert "fixed:1 arithmetic" in text
    assert outcome("true.json.gz", cwd=tmp_path) == (status, text)
    status, text = outcome("false.json", cwd=tmp_path)
    assert status == 1 and text.startswith("FAILED: closed: after 1 symbols the outputs ")
    status, text = outcome("--work", "100", "true.json", cwd=tmp_path)
    assert status == 1 and "--work N raises this bound" in text
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["false.json", "true.json", "true.json.gz"]


MALFORMED = [
    (b"", "JSON"),
    (b"[]", "format"),
    (b'{"format": "ssm-certificate 1"}', "format"),
    (b'{"format": "ssm-certificate 2", "format": "ssm-certificate 2"}', "twice"),
    (b'{"format": "ssm-certificate 2", "x": 1.0}', "no integer"),
    (b'{"format": "ssm-certificate 2", "x": 1e9}', "no integer"),
    (b'{"format": "ssm-certificate 2", "x": NaN}', "no integer"),
    (b'{"format": "ssm-certificate 2", "x": -Infinity}', "no integer"),
    (b'{"format": "ssm-certificate 2", "x": ' + b"9" * 5000 + b"}", "digits"),
    (b'{"format": "ssm-certificate 2", "x": ' + b"9" * 30 + b"}", "a number of 30 digits"),
    (b'{"format": "ssm-certificate 2", "x": "\xff"}', "JSON"),
    (b"[" * 200000, "nested too deeply"),
    (b'{"format":' * 100000, "nested too deeply"),
    (b"\x1f\x8b\x08\x00broken", "cannot be read"),
    (gzip.compress(b" " * (17 << 20)), "more than"),
    (b" " * (17 << 20), "more than"),
]


@pytest.mark.parametrize("data, reason", MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_no_certificate(data, reason, tmp_path, capsys):
    path = tmp_path / "file.json"
    path.write_bytes(data)
    assert checker.main([str(path)]) == 2
    found = capsys.readouterr()
    assert found.out == "" and found.err.count("\n") == 1 and reason in found.err


def test_what_is_no_file(tmp_path, capsys):
    for arguments in (
        [str(tmp_path)],
        [str(tmp_path / "none")],
        ["\0"],
        [],
        ["--help"],
        ["--work", "x", "f"],
        ["a", "b"],
    ):
        assert checker.main(arguments) == 2
        found = capsys.readouterr()
        assert found.out == "" and found.err.count("\n") == 1


@pytest.mark.parametrize("value", [None, [], {}, 1, "x", True, [[]], {"a": 1}], ids=repr)
@pytest.mark.parametrize("most", [20, pytest.param(60, marks=pytest.mark.slow)])
def test_any_part_may_be_anything(value, most):
    """Every object and array of each certificate, replaced: a reason, never an exception of another kind."""
    for name in ("flip-flop predictive", "anbn recognise", "levels", "word", "cycle", "bound"):
        places = [path for path in paths(fresh(name)) if path]
        for path in places[:: max(1, len(places) // most)]:
            found = check(edited(fresh(name), path, value))
            assert found is None or len(found) < 2000


def paths(value, path=()):
    yield list(path)
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in pairs:
        yield from paths(part, (*path, key))


def test_hostile_sizes_end_with_a_reason(tmp_path, capsys):
    doubling = certificate(
        "is wrong about",
        {"word": {"parts": [[["a"], 10**15]]}},
        mode="recognise",
        language={"dfa": PARITY},
        model=tiny(gate=2),
    )
    assert "4096 bits" in check(doubling)
    counting = copy.deepcopy(doubling)
    counting["model"] = tiny()
    assert "--work N raises this bound" in check(counting, 10**5)
    letter, star = ["a", "b"], {"least": 0, "most": None}
    expression = {
        "regex": [letter, star, ["a"], "."] + 60 * [letter, "."],
        "dfa": {"symbols": ["a", "b"], "table": [[0, 0]], "accepting": [], "start": 0},
    }
    value = {**cycle_certificate(), "language": expression}
    assert "--work N raises this bound" in check(value, 10**6)
    value["language"]["regex"] = [["a"]] + 5000 * [["b"], ".", {"least": 0, "most": 1}]
    value["language"]["dfa"]["accepting"] = [0]
    path = tmp_path / "deep.json"
    path.write_text(json.dumps(value))
    assert checker.main(["--work", str(10**9), str(path)]) == 1
    assert "beyond the checker's means (RecursionError)" in capsys.readouterr().out
    value["language"]["regex"] = [["a"], {"least": 10**18, "most": 10**18}]
    assert check(value, 10**6) is not None


def test_the_checker_is_one_small_file_that_needs_nothing():
    source = FILE.read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 8))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    known = {"fractions", "functools", "gzip", "hashlib", "json", "math", "operator", "os", "re", "struct", "sys"}
    known |= {"gc", "io", "unicodedata", "zlib"}
    assert imported <= known
    assert source.count("\n") <= 1100


PYTHONS = sorted((Path.home() / ".pyenv" / "versions").glob("*/bin/python")) + sorted(
    Path("/usr/bin").glob("python3.[0-9]*")
)
PYTHONS = [path for path in PYTHONS if re.fullmatch(r"python(3\.\d+)?", path.name)]


@pytest.mark.parametrize("python", PYTHONS, ids=str)
def test_every_python_of_this_machine_says_the_same(python, tmp_path):
    version = subprocess.run(
        [python, "-c", ("import sys; print(sys.version_info >= (3, 8))")], capture_output=True, text=True
    )
    if version.stdout.strip() != "True":
        pytest.skip(f"{python} is older than 3.8, or does not run")
    (tmp_path / "a.json").write_text(made("anbn recognise"))
    assert outcome("a.json", cwd=tmp_path, python=str(python))[0] == 0
