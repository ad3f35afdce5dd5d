"""Associative recall and copying: machines against their definitions, classes counted, cascades proved."""

from itertools import product

import pytest

from automata.catalogue import language
from automata.errors import InputError
from automata.machine import EOS, PREDICTIVE, RECOGNISE, run
from automata.machines.copying import CopyMachine, FreeCopyMachine, without_equal_grams
from automata.machines.recall import RecallMachine
from constructions.attention.copying import copying_weights
from constructions.attention.induction_heads import induction_weights
from constructions.build import build
from constructions.compile.compiler import compile
from constructions.compile.emulation import emulates
from constructions.target import TARGETS
from verify.__main__ import main
from verify.claim import Claim
from verify.evidence.sampling import check_words
from verify.impossible.copying import copies
from verify.proving import prove_claim
from verify.show.memory import classes_of


def is_recall(word):
    """By the definition: pairs, and a key that comes again has the value that it had."""
    known = {}
    return len(word) % 2 == 0 and all(
        key[0] == "k" and value[0] == "v" and known.setdefault(key, value) == value
        for key, value in zip(word[::2], word[1::2])
    )


def agrees_with(machine, accepts, length):
    for size in range(length + 1):
        for word in product(machine.alphabet, repeat=size):
            assert machine.accepts(run(machine, word)) == accepts(word), word


def test_recall_is_its_definition():
    agrees_with(RecallMachine(2, 2), is_recall, 6)
    agrees_with(RecallMachine(1, 3), is_recall, 5)


def is_copy(word, length):
    first = word[:length]
    return "#" not in first and word == (*first, "#", *first) and len(first) == length


def test_copying_is_its_definition():
    for length in (1, 2, 3):
        agrees_with(CopyMachine(length), lambda word: is_copy(word, length), 2 * length + 1)  # noqa: B023


@pytest.mark.parametrize("machine", [RecallMachine(2, 2), RecallMachine(3, 2), RecallMachine(3, 1), CopyMachine(4)])
def test_classes_are_those_of_the_minimal_automaton(machine):
    from automata.dfa import DFA

    dfa = DFA.from_machine(machine).minimise()
    assert classes_of(machine, RECOGNISE) == dfa.states and classes_of(machine, PREDICTIVE) == int(dfa.live.sum())


@pytest.mark.parametrize("target", ["ssm", "signed-diagonal"])
@pytest.mark.parametrize("name", ["mqar-1-1", "mqar-2-3", "mqar-4-2", "copy-1", "copy-5"])
def test_their_own_cascades_are_proved(name, target):
    machine = language(name).machine
    construction = compile(machine, PREDICTIVE, target=target)
    assert construction.route == "paper" and emulates(construction.cascade, language(name).dfa()) is None
    built = build(construction, target)
    with built.running() as model:
        verdict = prove_claim(Claim(machine, PREDICTIVE, model, built.weights, construction))
    assert verdict.outcome == "proved" and verdict.horizon is None


def test_recognition_goes_by_the_automaton():
    for name in ("mqar-2-2", "copy-3"):
        assert main(["prove", name, "--mode", "recognise", "--strings", "50"]) == 0


def test_names_and_folders(tmp_path, capsys):
    assert language("MQAR-2-3").machine.keys == 2 and language("copy_7").machine.length == 7
    for name in ("mqar-0-2", "mqar-2-0", "copy-0"):
        with pytest.raises(InputError, match="expected from 1"):
            language(name)
    folder = str(tmp_path / "model")
    assert main(["prove", "mqar-2-2", "--save", folder, "--strings", "50"]) == 0
    assert main(["check", folder, "--strings", "50"]) == 0
    assert "mqar-2-2: pairs of a key" in capsys.readouterr().out


def test_what_is_asked_before_it_was_told_is_open():
    machine = RecallMachine(2, 2)
    assert machine.legal(run(machine, ["k2"])) == {"v1", "v2"}
    assert machine.legal(run(machine, ["k2", "v1"])) == {"k1", "k2", EOS}
    assert machine.legal(run(machine, ["k2", "v1", "k2"])) == {"v1"}
    assert machine.legal(run(machine, ["v1"])) == frozenset()


def test_two_words_that_leave_one_state_are_found(capsys):
    machine = CopyMachine(4)
    with TARGETS.named("ids4").random(machine.alphabet, ("<accept>",), 0) as model:
        kept = copies(model, machine)
        assert kept.words == 16 and kept.states <= 6 and len(set(kept.alike)) == 2
        ends = []
        for word in kept.alike:
            start, _ = model.begin(1)
            ends.append(model.advance(start, model.encode([*word, "#"]))[0].tolist())
        assert ends[0] == ends[1]
    construction = compile(machine, PREDICTIVE)
    with build(construction).running() as model:
        assert copies(model, machine).states == 16 and copies(model, machine).alike == ()
    pytest.importorskip("transformers")
    assert main(["decide", "copy-3", "--on", "ids4", "--mode", "predictive"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "2^3 states when # is read" in shown and "leave the same one" in shown
    assert "right on every legal string, 8 words run" in shown
    assert "in which no 3 letters stand twice: right on all 235, up to 10 letters" in shown


@pytest.mark.parametrize("length", [1, 2, 4, 7])
def test_one_layer_of_attention_copies_every_word(length):
    pytest.importorskip("transformers")
    from constructions.attention.running import AttentionModel

    machine = CopyMachine(length)
    config, tensors = copying_weights(machine)
    words = [[*word, "#", *word] for word in product("ab", repeat=length)]
    assert check_words(machine, AttentionModel(config, tensors, machine.alphabet), words, PREDICTIVE).witness is None
    attention = tensors["transformer.h.0.attn.c_attn.weight"].copy()
    attention[attention > 1] = 1.0  # scores that are not sharp mix what stands before
    blurred = {**tensors, "transformer.h.0.attn.c_attn.weight": attention}
    wrong = check_words(machine, AttentionModel(config, blurred, machine.alphabet), words, PREDICTIVE)
    assert length == 1 or wrong.outcome == "refuted"


@pytest.mark.parametrize("grams, count, longest", [(1, 5, 2), (2, 25, 5), (3, 235, 10)])
def test_two_layers_of_attention_copy_every_word_without_equal_grams_and_no_other(grams, count, longest):
    pytest.importorskip("transformers")
    from constructions.attention.running import AttentionModel

    machine, words = FreeCopyMachine(), without_equal_grams(grams)
    assert (len(words), max(map(len, words))) == (count, longest)
    config, tensors = induction_weights(grams, longest)
    model = AttentionModel(config, tensors, machine.alphabet)
    strings = [[*word, "#", *word] for word in words]
    assert check_words(machine, model, strings, PREDICTIVE).witness is None
    # Where n letters stand twice two places agree, and the mean of what stands there is given out.
    others = ["".join(w) for w in product("ab", repeat=min(longest, 7)) if "".join(w) not in words][:20]
    assert all(check_words(machine, model, [[*w, "#", *w]], PREDICTIVE).outcome == "refuted" for w in others)
    for layer in (0, 1):  # each of the two is needed
        name = f"transformer.h.{layer}.attn.c_attn.weight"
        without = AttentionModel(config, {**tensors, name: 0 * tensors[name]}, machine.alphabet)
        assert check_words(machine, without, strings, PREDICTIVE).outcome == "refuted"
