"""Cells with a number that drifts: proved by boxes of states, or refuted by a long word; never proved where it comes to
matter, however late.
"""

import json
from dataclasses import replace

import numpy as np
import pytest

from automata.catalogue import language
from automata.dfa import DFA
from automata.machine import PREDICTIVE, RECOGNISE
from constructions.build import build
from constructions.compile.compiler import compile

torch = pytest.importorskip("torch")

from targets_matrix import DAMAGED, Cell, corrupted, judged, machine_of  # noqa: E402 - torch first

from constructions.mamba.reading import Reading  # noqa: E402
from constructions.mamba.stepping import SteppedMamba, Vocabulary  # noqa: E402
from constructions.recurrent.cells import CellWeights, shapes  # noqa: E402
from constructions.recurrent.running import CellRunner  # noqa: E402
from verify.__main__ import main  # noqa: E402
from verify.checkpoints.drifting_states import _Widening, prove_by_widening, searched_further  # noqa: E402
from verify.claim import Claim  # noqa: E402
from verify.learned.fading import fading_words  # noqa: E402
from verify.methods.cache import CACHES  # noqa: E402
from verify.progress import NO_PROGRESS  # noqa: E402
from verify.verdict import PROVED, Verdict  # noqa: E402

EVERYTHING, NOTHING = DFA("a", [[0]], [0]), DFA("a", [[0]], [])


def corruption(target, item, seed=1):
    """Of the matrix of targets, or drawn otherwise: the machine and the corrupted model, not run yet."""
    machine = machine_of(Cell("corrupted", target, item, RECOGNISE))
    built = build(compile(machine, RECOGNISE, target=target), target)
    weights, _ = corrupted(built.weights, np.random.default_rng([seed, int(item)]))
    return machine, replace(built, weights=weights)


@pytest.mark.parametrize(
    "target, item, outcome, method",
    [
        ("relu-rnn", "44", "proved", "boxes of states"),  # doubles to infinity, and rejects for ever after
        ("relu-rnn", "88", "proved", "boxes of states"),  # counts upwards
        ("gru", "40", "proved", "boxes of states"),  # forgets by halves
        ("lstm", "25", "proved", "boxes of states"),
        ("relu-rnn", "16", "refuted", "fading words"),  # infinite after 128 symbols: 0 times that is no number
        ("relu-rnn", "39", "refuted", "fading words"),
        ("gru", "25", "refuted", "fading words"),  # forgotten by halves until nothing is left
        ("lstm", "1", "refuted", "fading words"),  # a word that is wrong in a batch is right alone, and another is not
    ],
)
def test_what_a_search_leaves_undecided(target, item, outcome, method):
    machine, built = corruption(target, item)
    verdict, wrong = judged(built, machine, RECOGNISE, True, 2_000)
    assert (verdict.outcome, verdict.method, wrong) == (outcome, method, outcome == "refuted")
    if outcome == "refuted":
        assert len(verdict.witness.word) > 15 and "wrong in steps of 1 row too" in verdict.reason
    else:
        assert verdict.horizon is None and "sums in any order" in verdict.reason


def test_a_row_alone_has_words_of_its_own(monkeypatch):
    """Where a word is answered wrong in a batch alone, others are looked for one row at a time."""
    batches = []

    def words(machine, model, mode, **how):
        batches.append(model.batch)
        found = fading_words(machine, model, mode, **how)
        return found if model.batch == 1 else replace(found, witness=replace(found.witness, word=("1",)))

    monkeypatch.setattr("verify.checkpoints.drifting_states.fading_words", words)
    machine, built = corruption("lstm", "1")
    verdict, wrong = judged(built, machine, RECOGNISE, True, 2_000)
    assert (verdict.outcome, verdict.method, wrong) == ("refuted", "fading words", True)
    assert len(batches) == 2 and batches[0] > batches[1] == 1 and len(verdict.witness.word) > 20


def test_what_was_forgotten_matters_a_few_symbols_later():
    """A unit that is drawn halfway to 1 by each 1 makes three zeros look like two: after 16 ones, as it is rounded."""
    machine, built = corruption("gru", "109", seed=2)
    verdict, _ = judged(built, machine, RECOGNISE, True, 2_000)
    assert (verdict.outcome, verdict.method) == ("refuted", "fading words")
    assert verdict.witness.word == tuple("1" * 16 + "000") and not verdict.witness.expected


def test_a_proof_by_boxes_is_one_of_single_steps():
    machine, built = corruption("relu-rnn", "44")
    with built.running() as model:
        verdict = CACHES.run(Claim(machine, RECOGNISE, model, built.weights, built.construction, 2_000), NO_PROGRESS)
    assert (verdict.outcome, verdict.method) == (PROVED, "boxes of states")
    assert {way.name: way.outcome for way in verdict.ways}["single steps"] == "proved"
    assert {way.outcome for way in verdict.ways} == {"proved", "tested"}


@pytest.mark.parametrize("target, item, status", [("gru", "40", 0), ("relu-rnn", "16", 1), ("lstm", "1", 3)])
def test_a_saved_cell_is_checked_by_boxes_too(target, item, status, tmp_path, capsys):
    """Nothing is known of a folder but its numbers."""
    _, built = corruption(target, item)
    built.save(tmp_path / "cell")
    path = tmp_path / "report.json"
    words = ["check", str(tmp_path / "cell"), "--strings", "20", "--bins", "20", "--limit", "2000", "--json", str(path)]
    assert main([*words, DAMAGED[int(item) % len(DAMAGED)], "--mode", RECOGNISE]) == status
    report = json.loads(path.read_text())
    if status == 1:
        assert "refuted" in report["conclusion"] and "boxes_of_states" not in report
        return
    assert report["boxes_of_states"]["outcome"] == ("proved" if status == 0 else "undecided")
    assert ("proved" in report["conclusion"]) == (status == 0)


def test_more_is_searched_where_nothing_decides(monkeypatch):
    """A model of which no long word is found is searched again, up to the limit that was asked for."""
    none = Verdict("undecided", "fading words", RECOGNISE, "float32", {}, "no word")
    monkeypatch.setattr("verify.checkpoints.drifting_states.fading_words", lambda *_, **__: none)
    machine, built = corruption("lstm", "1")
    with built.running() as model:
        verdict = searched_further(machine, model, RECOGNISE, limit=4_000)
    assert verdict.outcome == "undecided" and "limit 4000" in verdict.reason


def one_symbol(cell, units, edits, reading=Reading()):
    """A cell over one symbol, whose weights are all 0 but for these; tokens 1 and 2 are those of BOS and EOS."""
    tensors = {name: np.zeros(shape) for name, shape in shapes(cell, 4, units).items()}
    tensors["embedding.weight"] = np.eye(4)
    for name, place, number in edits:
        name = f"layer.{name}_l0" if name.startswith(("weight", "bias")) else name
        tensors[name][place] = np.float32(number)
    runner = CellRunner(CellWeights(cell, "float32", ("a",), ("<accept>",), ("",) * units, tensors))
    return SteppedMamba(runner, Vocabulary(("a",), ("<accept>",), [3], 1, 2), 4, reading)


def outcome(machine, model, mode=RECOGNISE):
    found = prove_by_widening(machine, model, mode, limit=2_000)
    return found.outcome if isinstance(found, Verdict) else found


def drifting(step, keeps, bias, weight, cell="relu"):
    """h = relu(keeps h + step), from 1; a word is accepted where weight h + bias > 0."""
    return one_symbol(
        cell,
        1,
        [
            ("weight_ih", (0, 1), 1.0),
            ("weight_ih", (0, 3), step),
            ("weight_hh", (0, 0), keeps),
            ("head.bias", 2, bias),
            ("head.weight", (2, 0), weight),
        ],
    )


@pytest.mark.parametrize(
    "step, keeps, bias, weight",
    [
        (1.0, 1.0, 1000.5, -1.0),  # passes a threshold after 10^3 steps
        (2.0**-20, 1.0, 2.0, -1.0),  # after 2^20
        (2.0**-22, 1.0, 1.0 + 2.0**-10, -1.0),
        (1.0, 1.0, 1e7, -1.0),  # after 10^7
        (-(2.0**-20), 1.0, 0.0, 1.0),  # comes down to 0 after 2^20
        (-(2.0**-24), 1.0, -0.25, 1.0),
        (0.0, 0.5, 0.0, 1.0),  # is 0 once it is less than any number: after 150
        (0.0, 1 - 2.0**-12, -1e-3, 1.0),  # fades below what is asked for, after 28,000
        (0.0, 2.0, 1e37, -1.0),
        (0.0, 2.0, 1.0, 0.0),  # infinite after 128, and 0 times that is no number
        (0.0, 1 + 2.0**-12, 1.0, 0.0),
        (1e36, 1.0, 1.0, 0.0),
    ],
)
def test_what_comes_to_matter_is_never_proved(step, keeps, bias, weight):
    model = drifting(step, keeps, bias, weight)
    assert (
        outcome(EVERYTHING, model) == "no closed boxes of states: what is given after 'a' is not decided on one of them"
    )
    # It is what the first 500 words say.
    rows, _ = model.begin(1)
    for _ in range(100):
        rows, outputs = model.advance(rows, np.zeros((1, 1), dtype=np.int64))
        assert outputs.dense()[0, 0].all()


@pytest.mark.parametrize(
    "step, keeps, bias, weight",
    [
        (1.0, 1.0, -0.5, 1.0),  # counts upwards from 1
        (2.0**-20, 1.0, -0.5, 1.0),
        (0.0, 0.5, 0.5, 1.0),  # fades
        (1.0, 0.5, -0.5, 1.0),  # tends to 2
        (1.0, 0.75, 5.0, -1.0),  # tends to 4
        (0.0, 2.0, -0.5, 1.0),  # infinite, and more than asked for
    ],
)
def test_what_never_matters_is_proved(step, keeps, bias, weight):
    assert outcome(EVERYTHING, drifting(step, keeps, bias, weight)) == PROVED


def test_what_is_no_number_rejects():
    assert outcome(NOTHING, drifting(0.0, 2.0, -1.0, 0.0)) == PROVED
    assert outcome(NOTHING, drifting(1.0, 1.0, -1000.5, 1.0)) != PROVED
    assert outcome(NOTHING, drifting(1.0, 1.0, 1.0, 1.0)) != PROVED


def test_an_output_is_given_above_the_threshold_alone():
    model = drifting(0.0, 1.0, 0.0, 1.0)
    for threshold, accepted in ((0.5, True), (1.0, False)):
        read = SteppedMamba(model.runner, model.vocabulary, 4, Reading("logit", threshold))
        assert (outcome(EVERYTHING, read) == PROVED) == accepted
        assert (outcome(NOTHING, read) == PROVED) != accepted
    other = SteppedMamba(model.runner, model.vocabulary, 4, Reading("softmax", 0.1))
    assert outcome(EVERYTHING, other) == "no closed boxes of states: outputs are read off logits"


def test_what_is_given_after_no_symbol_is_compared():
    empty_alone_is_wrong = DFA("a", [[1], [1]], [1])
    assert outcome(empty_alone_is_wrong, drifting(1.0, 1.0, -0.5, 1.0)).endswith("at first is not decided")


def test_each_state_of_the_machine_has_boxes_of_its_own():
    """A unit that is on after every second symbol: one box for both would hold 0 and 1."""
    model = drifting(1.0, -1.0, -0.5, 1.0)
    assert outcome(DFA("a", [[1], [0]], [0]), model) == PROVED
    assert outcome(DFA("a", [[1], [0]], [1]), model) != PROVED


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_gate_that_forgets_late_is_never_proved(cell):
    """What is kept is multiplied by less than 1 at each step, and asked for beyond what fades in 10^3 to 10^6."""
    for bias in (4.0, 7.0, 11.0, 15.0):
        keep, new = 1, 2
        edits = [
            ("weight_ih", (keep, 1), -100.0),
            ("weight_ih", (keep, 3), bias),
            ("weight_ih", (new, 1), 100.0),
            ("head.weight", (2, 0), 1.0),
            ("head.bias", 2, -(2.0**-3)),
        ]
        if cell == "lstm":
            edits += [("bias_ih", 0, 100.0), ("bias_ih", 3, 100.0)]
        model = one_symbol(cell, 1, edits)
        assert outcome(EVERYTHING, model).endswith("not decided on one of them"), bias
        edits[3] = ("head.weight", (2, 0), 0.0)
        edits[4] = ("head.bias", 2, 1.0)
        # What rounding may add to what is kept is more than is lost of it, where next to nothing is.
        assert (outcome(EVERYTHING, one_symbol(cell, 1, edits)) == PROVED) == (cell == "lstm" or bias < 15)


def test_a_cell_that_counts_until_it_is_full_is_never_beyond_it():
    edits = [("weight_ih", (gate, 3), 100.0) for gate in range(4)]
    counts = [*edits, ("head.weight", (2, 0), 1.0), ("head.bias", 2, 0.5)]
    assert outcome(EVERYTHING, one_symbol("lstm", 1, counts)) == PROVED


@pytest.mark.parametrize("mode", [RECOGNISE, PREDICTIVE])
@pytest.mark.parametrize("target", ["relu-rnn", "tanh-rnn", "gru", "lstm"])
def test_right_models_are_proved_by_boxes_too(target, mode):
    machine = language("tomita-7").machine
    built = build(compile(machine, mode, target=target), target)
    with built.running() as model:
        assert outcome(machine, model, mode) == PROVED
        found = prove_by_widening(machine, model, mode, limit=5)
        assert found == "no closed boxes of states: 5 steps of boxes are the limit"


@pytest.mark.parametrize("target", ["relu-rnn", "tanh-rnn", "gru", "lstm"])
def test_no_corrupted_model_is_proved_that_a_search_refutes(target):
    seen = set()
    for item in range(0, 40, 5):
        machine, built = corruption(target, str(item))
        with built.running() as model:
            boxes = outcome(machine, model)
            found = searched_further(machine, model.with_batch(256), RECOGNISE, limit=2_000).outcome
        assert not (boxes == PROVED and found == "refuted")
        seen.add((boxes == PROVED, found))
    assert seen >= {(True, "proved"), (False, "refuted")}


def test_a_closed_set_of_boxes_holds_every_state_that_is_met():
    rng = np.random.default_rng(0)
    for target, item in (("relu-rnn", "88"), ("gru", "40"), ("lstm", "25")):
        machine, built = corruption(target, item)
        with built.running() as model:
            search = _Widening(machine, model, RECOGNISE)
            assert search.run(2_000, NO_PROGRESS) == ""
            state = machine.initial
            model.runner.start(torch.tensor([[1]]))
            for symbol in rng.integers(0, 2, 300).tolist():
                state = machine.step(state, machine.alphabet[symbol])
                model.runner.step(torch.tensor([[3 + symbol]]))
                box = search.boxes[search._states.number(state), symbol]
                values = torch.cat([tensor[0] for tensor in model.runner.caches()[0]]).detach().double().numpy()
                assert ((values >= box.low) & (values <= box.high) | np.isnan(values) & box.lost).all()
