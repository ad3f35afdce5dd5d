"""Saved folders carry their language, and ``check`` proves whatever is saved against it, or against another one."""

import json
import os

import pytest

import verify
import verify.commands.tasks
from automata.catalogue import language
from automata.errors import InputError
from automata.formats import write_dfa
from automata.saved_language import LANGUAGE_FILE, saved_language, saved_text
from constructions.ssm.storage import load as load_ssm
from constructions.ssm.storage import save as save_ssm
from verify.__main__ import main

FEW = ("--strings", "9", "--quiet")


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    """Every test runs in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(verify.commands.tasks, "LONG_LENGTH", 100)
    write_dfa(language("tomita-7").dfa(), "machine.att")
    return tmp_path


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def refused(capsys, *arguments):
    capsys.readouterr()  # what was printed before
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "") and err.count("\n") == 1 and len(err) <= 401
    return err


def saved(*words):
    assert main(["prove", *words, *FEW, "--save", "model"]) == 0
    return json.loads(open(f"model/{LANGUAGE_FILE}", encoding="utf-8").read())


WAYS = {
    "name": (["L_FF"], {"name": "flip-flop"}),
    "family": (["d-3", "--mode", "recognise"], {"name": "d-3"}),
    "counter": (["anbn"], {"name": "anbn"}),
    "regex": (["--regex", "(ab)*|c"], {"regex": "(ab)*|c"}),
    "alphabet": (["--regex", "(ab)*", "--alphabet", "b a"], {"regex": "(ab)*", "alphabet": ["b", "a"]}),
    "ltl": (["--ltl", "H(a -> Y b)", "--alphabet", "ab"], {"ltl": "H(a -> Y b)", "alphabet": ["a", "b"]}),
}


@pytest.mark.parametrize("words, source", WAYS.values(), ids=WAYS)
def test_a_folder_says_its_language_and_is_checked_without_a_word_more(capsys, words, source):
    mode = "recognise" if "recognise" in words else "predictive"
    assert saved(*words) == {"format": 1, "mode": mode, **source}
    capsys.readouterr()
    status, out, _ = run(capsys, "check", "model", "--strings", "9", "--json", "report")
    assert status == 0 and "from language.json" in out and "--method" not in out
    report = json.loads(open("report").read())
    assert report["outcomes"] == ["proved", "tested"] and report["proof"]["mode"] == mode
    assert report["command"] == "python -m verify check model"


def test_an_automaton_from_a_file_is_saved_itself(capsys):
    found = saved("--file", "machine.att")
    assert set(found) == {"format", "mode", "automaton"}
    os.remove("machine.att")
    assert run(capsys, "check", "model", *FEW)[0] == 0
    assert saved_language("model")[0].dfa().difference_from(language("tomita-7").dfa()) is None
    # Another automaton over the same symbols: the language is what the file says, not what the weights do.
    assert run(capsys, "check", "model", "tomita-4", *FEW)[0] == 1
    edges = found["automaton"]["transitions"]
    edges[0][2] = (edges[0][2] + 1) % len(found["automaton"]["states"])
    open(f"model/{LANGUAGE_FILE}", "w").write(json.dumps(found))
    status, out, _ = run(capsys, "check", "model", *FEW)
    assert status == 1 and "proof: refuted" in out


@pytest.mark.parametrize(
    "command, name",
    [
        (["dyck", "--k", "2", "--depth", "2"], "dyck-2-2"),
        (["flipflop"], "flip-flop"),
        (["counter", "anbncn"], "anbncn"),
        (["starfree", "--language", "tomita-4"], "tomita-4"),
    ],
)
def test_every_command_saves_the_language(capsys, command, name):
    assert main([*command, *FEW, "--save", "model"]) == 0
    assert saved_language("model")[0].name == name
    assert run(capsys, "check", "model", *FEW)[0] == 0


def test_another_language_overrides_and_that_is_said(capsys):
    saved("d-2")
    open(f"model/{LANGUAGE_FILE}", "w").write("broken")
    capsys.readouterr()
    status, out, _ = run(capsys, "check", "model", "d-3", "--strings", "9")
    assert status == 1 and "as named in the command, language.json is not looked at" in out and "a a" in out
    assert run(capsys, "check", "model", "--regex", "(a(ab)*b)*", *FEW)[0] == 0
    assert "symbol '0' is in the alphabet of only one of" in refused(capsys, "check", "model", "parity")


def test_a_folder_without_a_language_wants_one(capsys):
    saved("d-2")
    os.remove(f"model/{LANGUAGE_FILE}")
    assert "has no language.json, so a LANGUAGE is needed: check model LANGUAGE" in refused(capsys, "check", "model")
    assert run(capsys, "check", "model", "d-2", *FEW)[0] == 0
    os.mkdir("empty")
    assert "is neither a saved model nor a checkpoint" in refused(capsys, "check", "empty")
    assert "nowhere: is not a folder" in refused(capsys, "check", "nowhere")
    for command in (["check", ""], ["extract", ""], ["repair", "", "--to", "new"]):
        assert "argument DIR: is empty" in refused(capsys, *command)


def test_weights_that_are_wrong_are_refuted_whatever_the_folder_says(capsys):
    from dataclasses import replace

    import numpy as np

    saved("flip-flop")
    ssm = load_ssm("model")
    readout = replace(ssm.readout, bias=ssm.readout.bias + np.eye(len(ssm.outputs), dtype=np.int64)[0] * 1000)
    save_ssm(replace(ssm, readout=readout), "model", saved_text(language("flip-flop"), "predictive"))
    status, out, _ = run(capsys, "check", "model", *FEW)
    assert status == 1 and "proof: refuted" in out


def test_options_that_speak_of_another_kind_of_model_are_refused(capsys):
    saved("d-2")
    assert "--answer logit:1: does not speak about the paper's SSM" in refused(
        capsys, "check", "model", "--answer", "logit:1"
    )
    assert "--mode recognise: the model's outputs are those of predictive" in refused(
        capsys, "check", "model", "--mode", "recognise"
    )
    assert "--method caches: it reads the weights of a " in refused(capsys, "check", "model", "--method", "caches")


GOOD = {"format": 1, "mode": "predictive", "name": "d-2"}


@pytest.mark.parametrize(
    "content, culprit",
    [
        ("", "language.json, line 1, column 1: Expecting value"),
        ("[" * 100_000, "language.json: values are nested too deeply"),
        ("[]", "language.json: found [], expected an object"),
        ('{"format": 1, "format": 1}', "language.json: the key 'format' occurs twice"),
        ({**GOOD, "format": True}, "language.json: format: found True, expected 1"),
        ({**GOOD, "format": 2}, "format: found 2, expected 1"),
        ({**GOOD, "mode": "guess"}, "mode: found 'guess', expected predictive or recognise"),
        ({**GOOD, "mode": ["predictive"]}, "mode: found ['predictive'], expected"),
        ({**GOOD, "mode": "recognise"}, "language.json says recognise: the model's outputs are those of predictive"),
        ({"format": 1, "mode": "predictive"}, "found no language, expected one of name, regex, ltl, automaton"),
        ({**GOOD, "regex": "(ab)*"}, "found name and regex, expected one of"),
        ({**GOOD, "most": 10**9}, "unknown entry 'most', expected format, mode, name"),
        ({**GOOD, "name": "d-x"}, "language.json: unknown language 'd-x'"),
        ({**GOOD, "name": "d-999999999"}, "raise the limit (--most) to go on"),
        ({**GOOD, "name": 7}, "name: found 7, expected a text"),
        ({**GOOD, "name": "x" * 10**6}, "no name is that long"),
        ({**GOOD, "alphabet": ["a", "b"]}, "unknown entry 'alphabet'"),
        ({"format": 1, "mode": "predictive", "regex": "(a"}, "language.json: regular expression, column 3"),
        ({"format": 1, "mode": "predictive", "regex": "a\u0000\u001b[2J("}, "language.json: regular expression"),
        ({"format": 1, "mode": "predictive", "regex": "a", "alphabet": "abc"}, "expected a list of symbols"),
        ({"format": 1, "mode": "predictive", "regex": "[ab]*a[ab]{40}"}, "raise the limit (--unminimised)"),
        ({"format": 1, "mode": "predictive", "ltl": "Y X a"}, "language.json: "),
        ({"format": 1, "mode": "predictive", "automaton": 3}, "language.json, automaton: found 3, expected an object"),
        ({"format": 1, "mode": "predictive", "automaton": {"states": [0]}}, "the key 'initial' is missing"),
    ],
)
def test_a_hostile_language_is_one_line(capsys, content, culprit):
    saved("d-2")
    open(f"model/{LANGUAGE_FILE}", "w").write(content if isinstance(content, str) else json.dumps(content))
    assert culprit in refused(capsys, "check", "model", "--unminimised", "50")


def test_a_language_that_is_no_file(capsys):
    saved("d-2")
    os.remove(f"model/{LANGUAGE_FILE}")
    os.mkfifo(f"model/{LANGUAGE_FILE}")
    assert "language.json: is not a plain file" in refused(capsys, "check", "model")


def test_in_python_a_loaded_model_knows_its_language():
    saved("--regex", "(ab)*")
    found = verify.load("model")
    assert found.language.name == "(ab)*" and verify.prove(found.language, found).outcome == "proved"
    found.save("again")
    assert saved_language("again")[0].name == "(ab)*"
    open(f"model/{LANGUAGE_FILE}", "w").write("broken")
    assert verify.prove(verify.regex("(ab)*"), "model").outcome == "proved"
    with pytest.raises(InputError, match="language.json, line 1, column 1"):
        verify.load("model")
    os.remove(f"model/{LANGUAGE_FILE}")
    assert verify.load("model").language is None
    verify.build(verify.compile(verify.regex("(ba)*"))).save("built")
    assert verify.load("built").language.dfa().difference_from(verify.regex("(ba)*").dfa()) is None
    with pytest.raises(InputError, match="has no language.json"):
        saved_language("model")


def test_an_exported_checkpoint_is_checked_without_a_word_more(capsys):
    transformers = pytest.importorskip("transformers")
    assert main(["export", "--regex", "(ab)*", "--mode", "recognise", "--to", "stock", *FEW]) == 0
    assert json.loads(open(f"stock/{LANGUAGE_FILE}").read()) == {"format": 1, "mode": "recognise", "regex": "(ab)*"}
    assert "language.json" in open("stock/README.md").read()
    assert transformers.AutoModelForCausalLM.from_pretrained("stock").config.model_type == "mamba"
    capsys.readouterr()
    status, out, _ = run(capsys, "check", "stock", "--strings", "9")
    assert status == 0 and "from language.json" in out and "proved" in out and "recognise" in out
    assert run(capsys, "check", "stock", "--regex", "(ab)*a", "--mode", "recognise", *FEW)[0] == 1
    assert "--method search: does not speak about" in refused(capsys, "check", "stock", "--method", "search")
    # The older name of the same.
    assert run(capsys, "checkpoint", "stock", *FEW)[0] == 0
