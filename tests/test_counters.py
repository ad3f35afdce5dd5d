"""The constructions for counter languages: cascade, weights, released data, long strings."""

from dataclasses import replace

import numpy as np
import pytest

from automata.machine import MODES, PREDICTIVE, RECOGNISE
from automata.machines.counter_machine import NAMES, counter_machine
from constructions.cascade import Counter, Reset
from constructions.paper.counters import counter_cascade
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.lowering import lower
from verify.evidence.long_words import long_words
from verify.evidence.released import FOLDERS, check_released, label, read_released
from verify.evidence.sampling import check_long, check_words, random_words
from verify.methods.bisimulation import Stepwise, bisimulation
from verify.methods.bounded_search import bounded_search
from verify.verdict import REFUTED, TESTED, UNDECIDED

EXACT = Arithmetic("exact")

both_modes = pytest.mark.parametrize("mode", MODES)
every_language = pytest.mark.parametrize("name", (*NAMES, "shuffle-7", "boolean-1"))


def words_of(name, count=60, length=60):
    rng = np.random.default_rng(0)
    machine = counter_machine(name)
    words = random_words(machine, count, length, rng)
    return [*words, *(names(machine, word) for word in long_words(machine, count // 3, length, rng))]


def names(machine, word):
    return tuple(machine.alphabet[i] for i in word.tolist())


@both_modes
@every_language
def test_the_cascade_is_right_on_random_strings(name, mode):
    machine = counter_machine(name)
    verdict = check_words(machine, Stepwise(counter_cascade(name, mode), mode), words_of(name), mode)
    assert verdict.outcome == TESTED and verdict.explored["positions compared"] > 300


@both_modes
@every_language
def test_the_weights_are_right_on_random_strings(name, mode):
    ssm = lower(counter_cascade(name, mode), EXACT)
    assert check_words(counter_machine(name), Engine(ssm), words_of(name), mode).outcome == TESTED


@both_modes
@pytest.mark.parametrize("name", ["shuffle-2", "boolean-3", "anbncn"])
@pytest.mark.parametrize("arithmetic", ["fixed:2", "float32", "float16"])
def test_other_arithmetics(name, mode, arithmetic):
    ssm = lower(counter_cascade(name, mode), Arithmetic.parse(arithmetic))
    assert check_words(counter_machine(name), Engine(ssm), words_of(name, 30), mode).outcome == TESTED


LONG = ["dyck-1", "shuffle-4", "boolean-5", "anbn", "anbncndn"]


@pytest.mark.parametrize("name, mode", [*((name, PREDICTIVE) for name in LONG), ("anbncn", RECOGNISE)])
def test_long_strings(name, mode):
    """Up to 120,000 symbols: counters in the ten thousands, and down to zero again."""
    machine = counter_machine(name)
    (word,) = long_words(machine, 1, 120_000, np.random.default_rng(3))
    assert len(word) > 100_000 or machine.accepts(_end(machine, names(machine, word)))
    engine = Engine(lower(counter_cascade(name, mode), EXACT))
    verdict = check_long(machine, engine, 1, 120_000, mode, seed=3)
    assert verdict.outcome == TESTED and verdict.explored["symbols"] > 50_000


def _end(machine, word):
    state = machine.initial
    for symbol in word:
        state = machine.step(state, symbol)
    return state


@pytest.mark.parametrize("name", NAMES)
def test_the_shape_is_that_of_the_theorem(name):
    """One layer of counters with gate 1; recognition adds the dead register and, for runs, one latch for each later
    letter.
    """
    predictor, recogniser = (counter_cascade(name, mode) for mode in MODES)
    assert all(isinstance(register, Counter) for register in predictor.registers)
    assert [r.name for r in predictor.registers] == [r.name for r in recogniser.registers if isinstance(r, Counter)]
    latches = [r.name for r in recogniser.registers if isinstance(r, Reset)]
    letters = counter_machine(name).alphabet[1:] if name.startswith("an") else ()
    assert latches == [f"reached {letter}" for letter in letters] + ["dead"]
    ssm = lower(predictor, EXACT)
    assert len(ssm.layers) == 1 and len(lower(recogniser, EXACT).layers) == 2
    gate = ssm.layers[0].gate
    assert gate.matrix.nnz == 0 and (gate.bias == 1).all()


# -- released data ------------------------------------------------------------------------------------


@both_modes
@pytest.mark.parametrize("name", NAMES)
def test_every_released_line_agrees(shared_data, name, mode):
    lines = read_released(shared_data("released"), name)
    verdict = check_released(counter_machine(name), Engine(lower(counter_cascade(name, mode), EXACT)), lines)
    assert verdict.outcome == TESTED and verdict.explored["disagreements"] == 0
    assert verdict.explored["strings"] == len(lines) > 40 and verdict.explored["labels"] >= verdict.explored["symbols"]


def small_release(tmp_path, name, strings, labels):
    folder = tmp_path / FOLDERS[name]
    folder.mkdir()
    (folder / "val_src_bin0.txt").write_text("\n".join(strings))
    (folder / "val_tgt_bin0.txt").write_text("\n".join(labels))
    return read_released(tmp_path, name)


def test_a_wrong_label_is_found(tmp_path):
    lines = small_release(tmp_path, "shuffle-2", ["([])", "[]"], ["10110100", "0100"])
    machine, engine = counter_machine("shuffle-2"), Engine(lower(counter_cascade("shuffle-2"), EXACT))
    assert [line.word for line in lines] == [tuple("([])"), tuple("[]")]
    verdict = check_released(machine, engine, lines)
    assert verdict.outcome == UNDECIDED and "first of them line 1" in verdict.reason
    lines = [line for line in lines if line.number == 2]
    assert check_released(machine, engine, lines).outcome == TESTED


def test_a_wrong_model_is_found(tmp_path):
    lines = small_release(tmp_path, "dyck-1", ["()()"], ["1010"])
    other = Engine(lower(counter_cascade("boolean-1"), EXACT))
    engine = Engine(lower(counter_cascade("dyck-1"), EXACT))
    engine.ssm.readout.bias[:] += 1
    engine = Engine(engine.ssm)
    assert check_released(counter_machine("dyck-1"), engine, lines).outcome == REFUTED
    assert other.ssm.alphabet == ("~", "0", "1")


def test_labels():
    legal = counter_machine("anbn").legal
    assert [label("anbn", legal(state)) for state in (("a", (2,)), ("b", (1,)), ("b", (0,)))] == ["a", "b", "T"]


def test_a_missing_or_broken_release(tmp_path):
    with pytest.raises(ValueError, match="val_src_bin0.txt: cannot be read"):
        read_released(tmp_path, "dyck-1")
    with pytest.raises(ValueError, match="no strings were released for shuffle-3"):
        read_released(tmp_path, "shuffle-3")
    with pytest.raises(ValueError, match="2 strings, but 1 lines of labels"):
        small_release(tmp_path, "dyck-1", ["()", "()"], ["10"])


def test_a_bounded_search_says_among_which_strings_its_witness_is_shortest():
    """Reading one letter makes a register of this model larger than the bound, so strings with it are not followed."""
    ssm = lower(counter_cascade("anbncn", RECOGNISE), Arithmetic("exact"))
    embedding = ssm.embedding.copy()
    embedding.flat[7] = 2
    wrong = Engine(replace(ssm, embedding=embedding))
    verdict = bounded_search(counter_machine("anbncn"), wrong, 1)
    assert verdict.outcome == REFUTED and verdict.reason.endswith(
        "among strings on which no coordinate of the state exceeds 1"
    )
    shortest = bisimulation(counter_machine("anbncn"), wrong, RECOGNISE, limit=1000).witness.word
    assert len(shortest) < len(verdict.witness.word)
