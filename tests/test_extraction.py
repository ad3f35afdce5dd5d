"""Which automaton is this?  The graph of a model's own states, minimised, against the language it was made for."""

import json

import pytest

pytest.importorskip("transformers")

import torch  # noqa: E402

from automata.catalogue import language  # noqa: E402
from automata.formats import read_dfa  # noqa: E402
from automata.machine import ACCEPT, PREDICTIVE, RECOGNISE  # noqa: E402
from constructions.compile.compiler import compile  # noqa: E402
from constructions.mamba.huggingface import random_model  # noqa: E402
from tests.soft_flip_flop import ONE, ZERO, W, pre_activation, save, soft_flip_flop, stepped  # noqa: E402
from verify import build  # noqa: E402
from verify.__main__ import main  # noqa: E402
from verify.learned.extraction import extract, known_as  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    "name, mode", [("dyck-2-2", PREDICTIVE), ("tomita-4", RECOGNISE), ("{a,b}*d{b,c}*", PREDICTIVE)]
)
def test_a_compiled_model_is_its_language(name, mode):
    known = language(name)
    with build(compile(known.machine, mode), "mamba").running() as model:
        found = extract(model, mode, 5_000)
    assert found.verdict.outcome == "proved" and found.states > 1
    assert found.dfa == found.dfa.minimise() and found.dfa.difference_from(known.dfa()) is None
    assert name in known_as(found.dfa)


def test_a_soft_model_is_its_language_where_it_holds():
    found = extract(stepped(soft_flip_flop()), PREDICTIVE, 5_000)
    assert found.verdict.outcome == "proved" and known_as(found.dfa) == ("flip-flop",)
    faded = extract(stepped(soft_flip_flop(pre_activation(0.99))), PREDICTIVE, 500)
    assert faded.dfa is None and faded.verdict.outcome == "undecided" and "--limit 500" in faded.verdict.reason


def test_what_a_model_implements_may_be_another_language():
    """A flip-flop that never writes 1: its automaton says so, and is no language with a name."""
    model = soft_flip_flop()
    with torch.no_grad():
        model.lm_head.weight[ONE, W] = -1
    found = extract(stepped(model), PREDICTIVE, 5_000)
    assert found.verdict.outcome == "proved" and known_as(found.dfa) == ()
    assert found.dfa.accepts_word("w0r0i1r0") and not found.dfa.accepts_word("w1")


def test_legal_symbols_of_no_language_are_refuted():
    """After w nothing may come, though w may: a string that cannot be ended."""
    model = soft_flip_flop()
    with torch.no_grad():
        model.lm_head.weight[[ONE, ZERO], W] = -1
    found = extract(stepped(model), PREDICTIVE, 5_000)
    assert found.verdict.outcome == "refuted" and "w" in found.verdict.witness.given - found.verdict.witness.expected


def test_a_recogniser_is_followed_along_all_symbols():
    model = random_model(("0", "1"), (ACCEPT,), 0)
    with torch.no_grad():
        model.runner.model.lm_head.weight.zero_()
    for block in model.runner.model.backbone.layers:
        block.mixer.dt_proj.bias.data.fill_(200)
        block.mixer.dt_proj.weight.data.zero_()
    found = extract(model.with_batch(16), RECOGNISE, 2_000)
    assert found.verdict.outcome == "proved" and found.dfa.states == 1 and not found.dfa.accepting


def test_the_command(tmp_path, capsys):
    folder = save(soft_flip_flop(), tmp_path / "stock")
    files = [tmp_path / name for name in ("report.json", "automaton.json")]
    arguments = ["extract", str(folder), "--json", str(files[0]), "--automaton", str(files[1])]
    assert main(arguments) == 0
    assert "flip-flop" in capsys.readouterr().out
    report = json.loads(files[0].read_text())
    assert report["automaton"]["names"] == ["flip-flop"] and report["outcomes"] == ["proved"]
    assert report["extraction"]["explored"]["joint states"] >= 8
    assert read_dfa(files[1]).difference_from(language("flip-flop").dfa()) is None
    assert main([*arguments[:2], "--limit", "2", "--quiet"]) == 3
    assert main([*arguments[:2], "--alphabet", "w r x", "--quiet"]) == 2
    assert "no token 'x'" in capsys.readouterr().err
    assert main([*arguments[:2], "--draw", str(tmp_path / "picture.txt")]) == 2


def test_the_automaton_of_a_proved_model_is_drawn(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    folder, picture = save(soft_flip_flop(), tmp_path / "stock"), tmp_path / "picture.svg"
    arguments = ["check", str(folder), "flip-flop", "--strings", "20"]
    assert main([*arguments, "--draw", str(picture)]) == 0
    assert "all states that the model met" in " ".join(capsys.readouterr().out.split())
    assert "<svg" in picture.read_text()
    faded, other = save(soft_flip_flop(pre_activation(0.8)), tmp_path / "faded"), tmp_path / "other.svg"
    assert main([arguments[0], str(faded), *arguments[2:], "--draw", str(other)]) == 1
    assert "only of a proved model" in capsys.readouterr().out and not other.exists()
