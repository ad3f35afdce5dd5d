"""Proofs of trained Mambas by boxes: what is proved, what is refuted, and that a proof's every condition is checked."""

import json
from dataclasses import replace

import numpy as np
import pytest
from learned_models import machine_of, opened, stored, trained, with_a_pair

from automata.catalogue import language
from automata.errors import InputError
from automata.machine import PREDICTIVE
from constructions.build import build
from constructions.compile.compiler import compile
from constructions.mamba.reading import Reading
from verify.learned.abstract_step import AbstractMamba
from verify.learned.answers import answers_for
from verify.learned.behaviour import behaviour
from verify.learned.invariant import Invariant, prove_by_boxes, prove_running, verdict_of
from verify.learned.merging import MISTAKEN, UNSETTLED, BoxSearch
from verify.learned.proof import NoProof, read_proof, write_proof
from verify.learned.recheck import recheck_boxes
from verify.learned.weights import of_arrays, trained_mamba

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def compiled():
    """A compiled flip-flop as a running stock model, and its machine."""
    machine = language("flipflop").machine
    with build(compile(machine, target="mamba"), "mamba").running() as model:
        yield model, machine


@pytest.fixture(scope="module")
def proved(compiled):
    """Everything that :func:`recheck_boxes` takes."""
    model, machine = compiled
    found = prove_running(model, machine, PREDICTIVE)
    assert found.proof is not None, found.reason
    return found.proof, trained_mamba(model.runner.model), machine, model.vocabulary, Reading()


def test_a_compiled_model_is_proved_for_every_execution(compiled):
    model, machine = compiled
    found = prove_running(model, machine, PREDICTIVE)
    verdict = verdict_of(found, model, machine, PREDICTIVE)
    assert (verdict.outcome, verdict.horizon) == ("proved", None)
    assert verdict.explored == {"boxes": 10, "edges": 21} and 60 < found.checked.margin <= 64
    assert "by an invariant of 10 boxes (21 edges, least margin 64)" in verdict.reason
    assert verdict.reason.endswith(
        "for every float32 execution that rounds each operation, sums in any order, functions within 4 ulp"
    )


@pytest.mark.parametrize(
    "name, of, finder, most",
    [
        ("flip-flop-sharp", "flip-flop", "merging", 120),
        ("flip-flop-n16-sharp", "flip-flop", "windows", 42),
        ("tomita-4", "tomita-4", "windows", 20),
        ("d-2-sharp", "d-2", "windows", 12),
        ("flip-flop-S2L2", "flip-flop", "windows", 42),
        ("repair-d-2", "d-2", "merging", 30),
        ("repair-tomita-7", "tomita-7", "windows", 19),
    ],
)
def test_trained_models_are_proved(name, of, finder, most):
    machine = machine_of(of)
    model = opened(trained(name), machine)
    found = prove_running(model, machine, PREDICTIVE)
    assert (found.status, found.finder) == ("proved", finder)
    assert found.checked.boxes <= most and found.checked.margin > 0


def test_a_wrong_model_is_refuted_by_a_string_that_is_run():
    machine = machine_of("{0,1,2}*02*")
    model = opened(trained("012-0-2-seed13"), machine)
    verdict = verdict_of(prove_running(model, machine, PREDICTIVE), model, machine, PREDICTIVE)
    assert verdict.outcome == "refuted" and "".join(verdict.witness.word) == "022012"


def test_a_model_of_another_language_is_not_proved(compiled):
    model, machine = compiled
    found = prove_running(model, Stricter(machine), PREDICTIVE)
    assert (found.status, found.word) == ("refuted", ("w", "1", "i", "0"))


class Stricter:
    """The machine, but that no i may follow the string w 1 i 0."""

    def __init__(self, machine):
        self.machine, self.alphabet, self.initial = machine, machine.alphabet, (machine.initial, ())

    def step(self, state, symbol):
        return self.machine.step(state[0], symbol), (*state[1], symbol)[:5]

    def legal(self, state):
        return self.machine.legal(state[0]) - ({"i"} if state[1] == ("w", "1", "i", "0") else set())

    def accepts(self, state):
        return self.machine.accepts(state[0])


@pytest.mark.parametrize("size, status", [(-1e3, "refuted"), (0.0, "undecided")])
def test_a_model_that_is_wrong_or_open_before_the_first_symbol(size, status):
    """Strings shorter than what a convolution sees are strings: here only what is said after BOS is touched."""
    machine = machine_of("tomita-4")
    model = opened(trained("tomita-4"), machine)
    stock, answers = model.runner.model, model.vocabulary.answers
    with torch.no_grad():
        towards = (stock.lm_head.weight[answers] * stock.backbone.norm_f.weight).sum(0)
        stock.backbone.embeddings.weight[model.vocabulary.bos] = size * towards
    found = prove_running(model, machine, PREDICTIVE, limit_steps=2_000)
    assert found.status == status and found.word == (() if status == "refuted" else None)
    # The search that merges boxes ends before its first one, whatever was found out of windows.
    expected = behaviour(machine, model.vocabulary.alphabet, model.vocabulary.outputs, PREDICTIVE, 100)
    tokens, bos = model.vocabulary.tokens.tolist(), model.vocabulary.bos
    asked = answers_for(Reading(), answers, len(stock.lm_head.weight), PREDICTIVE)
    search = BoxSearch(AbstractMamba(trained_mamba(stock)), expected, tokens, bos, asked)
    merged = search.run(3, 1.0, 100, 2_000)
    assert merged.outcome == (MISTAKEN if status == "refuted" else UNSETTLED)
    assert merged.successors.shape == (0, len(tokens)) and merged.word == ()


def test_limits_are_said(compiled):
    model, machine = compiled
    found = prove_running(model, machine, PREDICTIVE, limit_boxes=3)
    assert found.status == "undecided" and "3" in found.reason


# -- a proof as a file --------------------------------------------------------------------------------


def test_a_proof_survives_its_file(proved, tmp_path):
    proof, *rest = proved
    size = write_proof(proof, tmp_path / "p.json")
    again = read_proof(tmp_path / "p.json")
    assert size == len((tmp_path / "p.json").read_text())
    assert recheck_boxes(again, *rest) == recheck_boxes(proof, *rest)
    assert (again.low == proof.low).all() and (again.high == proof.high).all()


@pytest.mark.parametrize(
    "edit, said",
    [
        (lambda c: c.pop("kind"), "is no proof by boxes"),
        (lambda c: c.pop("bos"), "'bos' is lacking or unknown"),
        (lambda c: c.update(more=1), "'more' is lacking or unknown"),
        (lambda c: c.update(bos=True), "'bos' is not what"),
        (lambda c: c.update(low=[["0x1p+0"], []]), "'low' is not what"),
        (lambda c: c.update(states=[0.5]), "'states' is not what"),
        (lambda c: c.update(states=[2**70]), "'states' is not what"),
        (lambda c: c["high"][0].__setitem__(0, "much"), "'high' is not what"),
        (lambda c: c.update(tokens="3456"), "'tokens' is not what"),
    ],
)
def test_a_file_that_is_none_is_refused(proved, tmp_path, edit, said):
    path = tmp_path / "p.json"
    write_proof(proved[0], path)
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=said):
        read_proof(path)


def test_a_file_that_is_no_json_is_refused(tmp_path):
    (tmp_path / "p.json").write_text("{")
    with pytest.raises(InputError, match="is no JSON"):
        read_proof(tmp_path / "p.json")


# -- what a proof is checked for ----------------------------------------------------------------------


def edited(array, place, value):
    changed = np.array(array)
    changed[place] = value
    return changed


def narrowed(proof, box):
    """The boxes' lower ends, one number's of one box raised to the middle."""
    number = int((proof.high[box] - proof.low[box]).argmax())
    return edited(proof.low, (box, number), (proof.low[box, number] + proof.high[box, number]) / 2)


def claimed(proof, boxes, constant):
    """Half-spaces that say no more than that a constant is positive."""
    count, scanned = len(boxes), proof.low.shape[1] // 3 // 2
    weights, constants = np.zeros((count, scanned)), np.full(count, constant)
    return {"form_boxes": np.array(boxes), "form_weights": weights, "form_constants": constants}


TAMPERED = {
    "another digest": (lambda p: {"digest": "0" * 64}, "the weights are not those"),
    "another semantics": (lambda p: {"semantics": {**p.semantics, "ulps": 1}}, "another float32"),
    "another answer": (lambda p: {"answer": "logit:1"}, "reads outputs by logit:1"),
    "other tokens": (lambda p: {"tokens": p.tokens[::-1]}, "other tokens"),
    "another beginning": (lambda p: {"bos": 2}, "other tokens"),
    "other symbols": (lambda p: {"alphabet": p.alphabet[::-1]}, "other symbols or outputs"),
    "another mode": (lambda p: {"mode": "recognise"}, "the question of mode"),
    "no mode": (lambda p: {"mode": "x"}, "the question of mode"),
    "an expectation": (lambda p: {"expected": ~p.expected}, "expects other outputs"),
    "an edge less": (lambda p: {"next": edited(p.next, (0, p.next[0] >= 0), -1)}, "does not follow"),
    "an edge elsewhere": (lambda p: {"next": edited(p.next, (1, p.next[1] >= 0), 1)}, "goes elsewhere|expects other"),
    "a narrow first box": (lambda p: {"low": narrowed(p, 0)}, "after BOS are not inside box 0"),
    "a narrow box": (lambda p: {"low": narrowed(p, 3)}, "the image is not inside box 3"),
    "an empty box": (lambda p: {"low": p.high + 1}, "empty or unbounded"),
    "an infinite box": (lambda p: {"high": edited(p.high, (0, 0), np.inf)}, "empty or unbounded"),
    "no number": (lambda p: {"low": edited(p.low, (0, 0), np.nan)}, "empty or unbounded"),
    "a shape": (lambda p: {"low": p.low[:, 1:]}, "low has the shape"),
    "no boxes": (lambda p: {n: getattr(p, n)[:0] for n in ("low", "high", "states", "successors")}, "no state"),
    "a state out of range": (lambda p: {"states": edited(p.states, 1, 99)}, "no state of the automaton"),
    "a wrong state": (lambda p: {"states": edited(p.states, 1, p.states[0])}, "successor|not decided|inside"),
    "no successor": (lambda p: {"successors": np.full_like(p.successors, -1)}, "is not a box of"),
    "a half-space at the start": (lambda p: claimed(p, [0], -1.0), "of box 0 does not hold after BOS"),
    "a half-space": (lambda p: claimed(p, [3], -1.0), "a half-space of box 3 does not follow"),
    "no half-space": (lambda p: claimed(p, [3], np.nan), "not made of finite numbers"),
    "half a half-space": (lambda p: {**claimed(p, [3], 1.0), "form_boxes": np.zeros(0, "i8")}, "has the shape"),
    "another successor": (lambda p: {"successors": np.zeros_like(p.successors)}, "is not a box of"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_every_condition_of_a_proof_is_checked(proved, name):
    proof, *rest = proved
    edit, said = TAMPERED[name]
    recheck_boxes(proof, *rest)
    with pytest.raises(NoProof, match=said):
        recheck_boxes(replace(proof, **edit(proof)), *rest)


def test_half_spaces_that_follow_are_no_harm(proved):
    proof, *rest = proved
    everywhere = list(range(len(proof.states)))
    with_them = recheck_boxes(replace(proof, **claimed(proof, everywhere, 1.0)), *rest)
    assert with_them.forms == len(everywhere)
    assert replace(with_them, forms=0) == recheck_boxes(proof, *rest)


def test_half_spaces_decide_what_boxes_do_not():
    machine = machine_of("tomita-4")
    vocabulary = opened(trained("tomita-4"), machine).vocabulary
    tensors, epsilon = stored(trained("tomita-4"))
    model = of_arrays(with_a_pair(tensors, 2, 10.0), epsilon)
    found = prove_by_boxes(model, machine, vocabulary, PREDICTIVE, limit_steps=600)
    forms = len(found.proof.form_boxes)
    assert found.checked.half_spaces > 0 < forms
    assert f"an invariant of 14 boxes and {forms} half-spaces" in found.reason
    rest = model, machine, vocabulary, Reading()
    with pytest.raises(NoProof, match="an output is not decided"):
        recheck_boxes(replace(found.proof, **claimed(found.proof, [], 0.0)), *rest)
    with pytest.raises(NoProof, match="does not follow"):
        recheck_boxes(replace(found.proof, form_constants=found.proof.form_constants - 1e4), *rest)
    with pytest.raises(NoProof, match="an output is not decided"):  # what is known is too little
        recheck_boxes(replace(found.proof, form_constants=found.proof.form_constants + 1e4), *rest)
    with pytest.raises(
        NoProof, match="reads outputs by|an output is not decided"
    ):  # signs say nothing of other numbers
        other = Reading("logit", 1e-3)
        recheck_boxes(replace(found.proof, answer=other.option), *rest[:-1], other)


def test_an_output_that_is_not_decided_is_no_proof(proved):
    proof, model, machine, vocabulary, _ = proved
    high = Reading("logit", 100.0)
    with pytest.raises(NoProof, match="an output is not decided"):
        recheck_boxes(replace(proof, answer=high.option), model, machine, vocabulary, high)
    assert prove_by_boxes(model, machine, vocabulary, PREDICTIVE, reading=high).status == "refuted"
    found = prove_by_boxes(model, machine, vocabulary, PREDICTIVE, reading=Reading("logit", 20.0))
    assert found.status == "proved" and found.checked.margin < 45


def test_a_string_is_shown_only_where_the_model_as_run_is_wrong():
    machine = machine_of("tomita-4")
    model = opened(trained("tomita-4"), machine)
    verdict = verdict_of(Invariant("refuted", "wrong", word=("0", "1")), model, machine, PREDICTIVE)
    assert verdict.outcome == "undecided" and verdict.witness is None
    assert "the model as run is right on 0 1" in verdict.reason
