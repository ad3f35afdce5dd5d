"""A saved model beside a language in ``decide``: run on the strings that its architecture must get wrong."""

import json
from itertools import product

import pytest

from automata.dfa import DFA
from automata.machine import PREDICTIVE, RECOGNISE
from constructions.build import build
from constructions.compile.compiler import compile
from constructions.target import TARGETS
from verify.__main__ import main
from verify.commands.given_model import given_model
from verify.impossible.random_models import answers_of

ENDS_IN_1 = DFA("10", [[1, 0], [1, 0]], [1])
"""Its symbols stand in another order than those of the catalogue's languages over 0 and 1."""


def saved(folder, target="ssm", mode=RECOGNISE, dfa=ENDS_IN_1):
    build(compile(dfa, mode, target=target), target).save(folder)
    return str(folder)


@pytest.mark.parametrize("target", ["ssm", "mamba", "signed-diagonal", "longhorn", "mamba2", "rwkv"])
def test_a_model_is_run_on_strings_that_its_architecture_gets_wrong(target, tmp_path, capsys):
    if TARGETS.named(target).numbers == "dtype":
        pytest.importorskip("transformers")
    folder, path = saved(tmp_path / "model", target), tmp_path / "report.json"
    name = "tomita-6" if target == "signed-diagonal" else "parity"
    assert main(["decide", name, "--model", folder, "--json", str(path)]) == 0
    report = json.loads(path.read_text())
    (decision,), told = report["decisions"], report["the_given_model"]
    assert (decision["target"], decision["answer"], told["architecture"]) == (target, "impossible", target)
    # By hand: it accepts what ends in 1, and the language what has an even number of them, or as many of each modulo 3.
    right = (lambda w: w.count("1") % 2 == 0) if name == "parity" else lambda w: (len(w) - 2 * w.count("1")) % 3 == 0
    mistaken = [word for word in told["strings"] if (word[-1:] == ["1"]) != right(word)]
    assert told["wrong"] == bool(mistaken) and told["wrong"]
    out = capsys.readouterr().out
    assert f"architecture        {target}\n" in out and "answer              wrong: " in out


def test_a_model_that_nothing_forbids_is_not_run(tmp_path, monkeypatch, capsys):
    saved(tmp_path / "model", "signed-diagonal")
    monkeypatch.chdir(tmp_path)
    assert main(["decide", "parity", "ssm", "--model", "model"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "not run, as nothing forbids it" in out and "ssm " in out and "`check model parity`" in out


@pytest.mark.parametrize("target", ["ssm", "mamba", "gru"])
def test_its_symbols_are_found_by_their_names(target, tmp_path):
    if target == "mamba":
        pytest.importorskip("transformers")
    model = given_model(saved(tmp_path / "model", target), ("0", "1"))
    words = [word for length in range(4) for word in product("01", repeat=length)]
    for alone in (False, True):
        given = answers_of(model.draw, ("0", "1"), words, 1, alone=alone)
        assert given.tolist() == [[word[-1:] == ("1",) for word in words]]


def test_what_cannot_be_run_is_one_line(tmp_path, capsys):
    right = saved(tmp_path / "model")
    other = saved(tmp_path / "other", dfa=DFA("ab", [[1, 0], [1, 0]], [1]))
    predicts = saved(tmp_path / "predicts", mode=PREDICTIVE)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "config.json").write_text('{"model_type": "mamba"}')
    for words, message in (
        (["parity", "--model", predicts], "it predicts, and is asked what it accepts"),
        (["parity", "--model", other], "symbol '0' is in the alphabet of only one of language and model"),
        (["parity", "--model", str(tmp_path / "nowhere")], "is not a folder"),
        (["parity", "--model", str(tmp_path / "empty")], "empty"),
        (["--all", "--model", right], "goes with one language"),
        (["parity", "--mode", PREDICTIVE, "--model", right], "is asked what it accepts, and --mode is predictive"),
    ):
        assert main(["decide", *words]) == 2
        out, err = capsys.readouterr()
        assert out == "" and message in err and err.count("\n") == 1, words


def test_a_checkpoint_that_predicts_is_refused(tmp_path, capsys):
    pytest.importorskip("transformers")
    folder = saved(tmp_path / "model", "mamba", PREDICTIVE)
    assert main(["decide", "parity", "--model", folder]) == 2
    assert "it predicts" in capsys.readouterr().err
