"""Counters on an LSTM: built, proved up to a horizon, and never proved where anything that the proof rests on fails."""

import dataclasses
import json
from itertools import product

import numpy as np
import pytest

from automata.catalogue import language
from automata.errors import InputError
from automata.machine import ACCEPT, PREDICTIVE, RECOGNISE, run
from automata.machines.counter_machine import CounterMachine, Move, counter_machine
from constructions.build import build
from constructions.cascade import Add, AtLeast, Cascade, Counter, Emit, In, Is, Level, Reset, Rule, Set
from constructions.compile.compiler import compile
from constructions.recurrent.counting import lower_to_counting
from constructions.target import TARGETS
from verify.__main__ import main
from verify.checkpoints import counting
from verify.checkpoints.checkpoint_search import runs_wrong
from verify.checkpoints.counting import prove_counting, searched
from verify.decision import EXPRESSIBLE, NOT_KNOWN, decide
from verify.evidence.sampling import check_words, random_words

torch = pytest.importorskip("torch")

BOTH = [(name, mode) for name in ("dyck-1", "anbn", "boolean-3", "boolean-5") for mode in (PREDICTIVE, RECOGNISE)]


def built(name, mode, dtype="float32", corrupt=lambda tensors: None):
    construction = compile(language(name).machine, mode, target="lstm")
    found = build(construction, "lstm", dtype=dtype)
    tensors = {key: tensor.copy() for key, tensor in found.weights.tensors.items()}
    corrupt(tensors)
    return dataclasses.replace(found, weights=dataclasses.replace(found.weights, tensors=tensors))


def why_not(name, mode, corrupt):
    with built(name, mode, corrupt=corrupt).running() as model:
        return prove_counting(language(name).machine, model, mode, limit=2_000)


def verdict_of(name, mode, dtype="float32", corrupt=lambda tensors: None, limit=10_000):
    machine = language(name).machine
    with built(name, mode, dtype, corrupt).running() as model:
        return searched(machine, model, mode, limit=limit)


@pytest.mark.parametrize("name, mode", [*BOTH, ("shuffle-2", PREDICTIVE)])
def test_counter_languages_are_proved_up_to_a_horizon(name, mode):
    machine = language(name).machine
    with built(name, mode).running() as model:
        words = list(random_words(machine, 20, 100, np.random.default_rng(0)))
        assert check_words(machine, model.by_full_forward, words, mode).outcome == "tested"
        verdict = searched(machine, model, mode, limit=10_000)
    signs = 1 if mode == PREDICTIVE else 2
    most = 10_000 // (signs * len(machine.alphabet))
    start = max(machine.initial[1])
    assert verdict.outcome == "proved" and verdict.horizon == (most - start) // machine.fastest
    assert "--limit" in verdict.reason and "one string at a time" in verdict.reason


@pytest.mark.slow
@pytest.mark.parametrize("mode", [PREDICTIVE, RECOGNISE])
@pytest.mark.parametrize("name", ["anbncn", "anbncndn", "shuffle-2", "shuffle-4"])
def test_several_counters_are_proved(name, mode):
    if (name, mode) != ("shuffle-4", RECOGNISE):
        assert verdict_of(name, mode, limit=100_000).outcome == "proved"


def test_the_horizon_of_a_format_is_found_by_running_it():
    verdict = verdict_of("dyck-1", PREDICTIVE, "bfloat16")
    assert verdict.outcome == "proved" and verdict.horizon == 255 and "--limit" not in verdict.reason
    with built("dyck-1", PREDICTIVE, "bfloat16").running() as model:
        machine = language("dyck-1").machine
        assert runs_wrong(machine, model, PREDICTIVE, tuple("(" * 256 + ")" * 256)) is None
        assert runs_wrong(machine, model, PREDICTIVE, tuple("(" * 257 + ")" * 257)) is not None


def test_a_count_of_float32_sticks_at_its_end():
    with built("dyck-1", PREDICTIVE).running() as model:
        state = np.zeros((2, 2, 1, model.runner.model.layer.hidden_size))
        for count, after in ((2**24 - 1, 2**24), (2**24, 2**24)):
            state[1, 0, 0, 0] = count
            assert model.runner.stepped(model.vocabulary.tokens[:1], state)[1][1, 0, 0, 0] == after


def words_up_to(alphabet, length):
    return (word for n in range(length + 1) for word in product(alphabet, repeat=n))


@pytest.mark.parametrize("name, mode", [("anbn", PREDICTIVE), ("dyck-1", RECOGNISE)])
def test_no_model_with_a_changed_weight_is_proved_and_wrong(name, mode):
    machine, rng, seen = language(name).machine, np.random.default_rng(3), []

    def corrupt(tensors):
        names = [key for key in tensors if key != "embedding.weight" and tensors[key].any()]
        tensor = tensors[names[int(rng.integers(len(names)))]]
        places = np.argwhere(tensor)
        place = tuple(places[int(rng.integers(len(places)))])
        tensor[place] *= rng.choice([-1, 0, 0.5, 2**-10])

    long = [first * n + second * m for first, second in [machine.alphabet] for n in (20, 40) for m in (19, 20, 39, 40)]
    words = [w for w in [*words_up_to(machine.alphabet, 8), *map(tuple, long)]]
    if mode == PREDICTIVE:
        words = [w for w in words if machine.legal(run(machine, w))]
    for _ in range(18):
        model = built(name, mode, corrupt=corrupt)
        with model.running() as running:
            verdict = searched(machine, running, mode, limit=1_200)
            right = check_words(machine, running.by_full_forward, words, mode).outcome == "tested"
        seen.append((verdict.outcome, right))
        assert (verdict.outcome == "proved") <= right
        assert verdict.outcome != "refuted" or not right or len(verdict.witness.word) > 8
    assert {("proved", True), ("refuted", False)} <= set(seen)


def _gate(gate, cell, value):
    def corrupt(tensors):
        units = tensors["layer.weight_hh_l0"].shape[1]
        tensors["layer.bias_ih_l0"][gate * units + cell] = value

    return corrupt


def test_a_gate_that_is_hardly_less_than_1_is_no_counter():
    # sigmoid(16.5) = 1 - 2^-24: the count falls behind from the first step on.
    assert why_not("dyck-1", PREDICTIVE, _gate(1, 0, 16.5)) == "no cell counts 'open ( )' by the token alone"


def test_a_gate_that_reads_the_state_is_no_counter():
    def corrupt(tensors):
        tensors["layer.weight_hh_l0"][0, 0] = 1e-3

    assert why_not("dyck-1", PREDICTIVE, corrupt) == "no cell counts 'open ( )' by the token alone"


@pytest.mark.parametrize("mode, word", [(PREDICTIVE, ("0",)), (RECOGNISE, ("0",))])
def test_a_count_that_begins_elsewhere_is_refuted(mode, word):
    def corrupt(tensors):
        tensors["layer.weight_ih_l0"][0, 1] = 1024  # BOS adds a unit, which is 2, and not 1

    verdict = verdict_of("boolean-3", mode, corrupt=corrupt)
    assert verdict.outcome == "refuted" and verdict.witness.word == word


class Later:
    """A runner that does otherwise where a count is reached, as no LSTM does: what is run must see it."""

    def __init__(self, runner, change):
        self.runner, self.change = runner, change

    def __getattr__(self, name):
        return getattr(self.runner, name)

    def stepped(self, tokens, state):
        logits, after = self.runner.stepped(tokens, state)
        logits = self.change(state, after, logits)
        return logits, after


def changed(change):
    """What is found of dyck-1, where a function changes the states after a step, and what it returns are the logits."""

    def changing(state, after, logits):
        found = change(state, after, logits)
        return logits if found is None else found

    with built("dyck-1", PREDICTIVE).running() as model:
        model.runner = Later(model.runner, changing)
        return prove_counting(language("dyck-1").machine, model, PREDICTIVE, limit=10_000)


def test_the_horizon_ends_before_the_first_count_that_is_rounded():
    def rounded(state, after, logits):
        after[1, 0, (state[1, 0, :, 0] == 3000) & (after[1, 0, :, 0] == 3001), 0] = 3000

    assert changed(rounded).horizon == 2999


def test_the_horizon_ends_before_the_first_count_that_looks_different():
    def different(state, after, logits):
        after[0, 0, state[1, 0, :, 0] == 2000, 0] = 0.5

    assert changed(different).horizon == 1999


def test_what_is_never_the_same_is_not_taken_as_one():
    def different(state, after, logits):
        after[0, 0, :, 0] = after[1, 0, :, 0] / 2**20

    assert "as they should be up to 128 alone" in changed(different)


def test_only_so_many_counts_may_look_different():
    def until(last):
        def different(state, after, logits):
            after[0, 0, after[1, 0, :, 0] == last, 0] = 0.5

        return different

    assert "counts up to 128 is never the same" in changed(until(128))
    assert "never the same" not in str(changed(until(127)))


def test_a_cell_that_gives_something_else_beside_other_numbers_is_no_counter():
    def beside(state, after, logits):
        after[0, 0, state[0, 0, :, 0] == 1, 0] = 0.5  # only in the search is what the cell gave before not 0

    assert "gives another number beside other numbers" in changed(beside)


def test_a_cell_that_counts_otherwise_beside_other_numbers_is_no_counter():
    def beside(state, after, logits):
        after[1, 0, state[0, 0, :, 0] == 1, 0] += 1

    assert "counts otherwise beside other numbers" in changed(beside)


@pytest.mark.parametrize("count", [5, 10, 11])
def test_every_kind_of_count_is_stepped_from(count):
    def wrong(state, after, logits):
        # 10 and more are one, and closing a bracket leads back from 10 alone.
        closing = after[1, 0, :, 0] == count - 1
        return torch.where(torch.tensor((state[1, 0, :, 0] == count) & closing)[:, None], -logits, logits)

    assert "is answered wrong, and not when it is run" in changed(wrong)


def test_single_rows_are_run_besides():
    def in_rows_of_one(state, after, logits):
        if state.shape[2] == 1 and state.any():
            after[0, 0, :, 0] = 0.25

    assert "gives another number" in changed(in_rows_of_one)


def test_a_machine_that_adds_by_its_control_is_not_covered():
    moves = (Move("p", "a", "*", "q", (1,)), Move("q", "a", "*", "p", (0,)), Move("p", "b", "+", "p", (-1,)))
    other = CounterMachine("every other", ("(", ")"), ("p", "q"), ("n",), ("p", (0,)), (), (("p", "0"),))
    renamed = tuple(dataclasses.replace(move, symbol="()"["ab".index(move.symbol)]) for move in moves)
    other = dataclasses.replace(other, moves=renamed)
    with built("dyck-1", RECOGNISE).running() as model:
        verdict = searched(other, model, RECOGNISE, limit=1_000)
    assert verdict.outcome == "refuted"
    with built("dyck-1", RECOGNISE).running() as model:
        assert prove_counting(other, model, RECOGNISE, limit=1_000) == "'(' does not add the same wherever it is read"


def test_what_would_take_too_long_is_said_and_searched_a_little():
    verdict = verdict_of("shuffle-12", PREDICTIVE, limit=5_000)
    assert verdict.outcome == "undecided" and "12 counters of 3 values" in verdict.reason


def test_joint_states_have_a_limit(monkeypatch):
    monkeypatch.setattr(counting, "MOST_COUNTED", 4)
    assert "take too long" in why_not("anbn", RECOGNISE, lambda tensors: None)


def test_few_counts_prove_nothing():
    with built("anbn", PREDICTIVE).running() as model:
        why = prove_counting(language("anbn").machine, model, PREDICTIVE, limit=200)
    assert "up to 100 alone, and --limit 200 allows no more" in why


def test_a_saved_folder_is_checked(tmp_path, capsys):
    folder, report = tmp_path / "counts", tmp_path / "report.json"
    common = ["--mode", "recognise", "--quiet", "--strings", "20"]
    assert main(["prove", "anbn", "--target", "lstm", "--limit", "5000", "--save", str(folder), *common]) == 0
    assert main(["check", str(folder), "--strings", "20", "--quiet", "--json", str(report)]) == 0
    verdict = json.loads(report.read_text())["search"]
    assert verdict["outcome"] == "proved" and verdict["method"] == "counting" and verdict["horizon"] == 5_000
    assert {way["outcome"] for way in verdict["ways"]} == {"proved", "tested"}


def test_a_saved_folder_counts_without_this_project(tmp_path):
    from safetensors.torch import load_file

    build(compile(counter_machine("dyck-1"), RECOGNISE, target="lstm"), "lstm").save(tmp_path / "cell")
    config = json.loads((tmp_path / "cell" / "config.json").read_text())
    arrays = load_file(tmp_path / "cell" / "model.safetensors")
    layer = torch.nn.LSTM(5, config["hidden_size"], num_layers=config["num_layers"], batch_first=True)
    layer.load_state_dict({name[6:]: tensor for name, tensor in arrays.items() if name.startswith("layer.")})
    for word, right in (("", True), ("(" * 5000 + ")" * 5000, True), ("(" * 5000 + ")" * 4999, False), (")(", False)):
        tokens = torch.tensor([1, *(3 + "()".index(symbol) for symbol in word)])
        with torch.no_grad():
            hidden = layer(arrays["embedding.weight"][tokens][None])[0][0, -1]
        assert bool((arrays["head.weight"] @ hidden + arrays["head.bias"])[2] > 0) is right


def test_decide_has_it_on_the_lstm_and_on_no_other_cell():
    found = decide(language("anbn"), RECOGNISE, TARGETS.named("lstm"), limit=5_000)
    assert found.answer == EXPRESSIBLE and "up to 1250 symbols" in found.reason
    assert decide(language("anbn"), RECOGNISE, TARGETS.named("gru")).answer == NOT_KNOWN


# -- what is not built ------------------------------------------------------------------------------------

UP = Counter("n", (Rule((In("a"),), Add(1)), Rule((In("b"),), Add(-1))))
SEEN = Reset("seen", 2, (Rule((In("b"),), Set(1)),))


POSITIVE = (AtLeast("n", 1),)


def cascade(registers, when=POSITIVE, below=()):
    levels = (Level(tuple(registers)), *([Level(tuple(below))] if below else []))
    return Cascade(("a", "b"), levels, (ACCEPT,), (Emit(when, {ACCEPT}),))


def reading(*when):
    return Reset("dead", 2, (Rule(when, Set(1)),))


@pytest.mark.parametrize(
    "bad, message",
    [
        (
            cascade([Counter("n", (Rule((In("a"),), Set(0)),))]),
            "register 'n': a cell of an LSTM counts by symbols alone",
        ),
        (cascade([Counter("n", (Rule((), Add(1)),))]), "counts by symbols alone"),
        (compile(language("dyck-2-3").machine, route="paper").cascade, "an LSTM that counts has registers alone"),
        (cascade([UP, Reset("r", 3, ())]), "register 'r': an LSTM that counts sets a register to 1, and never back"),
        (cascade([UP, Reset("r", 2, (Rule((In("a"),), Set(0)),))]), "sets a register to 1, and never back"),
        (cascade([UP], (AtLeast("n", 2),)), "a counter is compared with 1 alone"),
        (cascade([UP], (AtLeast("n", 1, before=True),)), "an emission reads 'n' before the step"),
        (cascade([UP], below=[reading(In("a"), AtLeast("n", 1))]), "register 'dead' reads 'n' after a step"),
        (cascade([UP], below=[reading(AtLeast("n", 1, before=True))]), "register 'dead': a rule that names no symbol"),
        (cascade([Counter("n", (Rule((In("a"),), Add(5)),))]), "--dtype float32: register 'n' counts by 5 at once"),
    ],
)
def test_what_an_lstm_cannot_count_is_refused_by_name(bad, message):
    with pytest.raises(InputError) as refused:
        lower_to_counting(bad, "float32")
    assert message in str(refused.value) and len(str(refused.value)) <= 400


def test_too_many_counters_at_once_are_refused():
    counters = [dataclasses.replace(UP, name=f"n{i}") for i in range(6)]
    with pytest.raises(InputError, match="too many counters have to be positive at once"):
        lower_to_counting(cascade(counters, tuple(AtLeast(c.name, 1) for c in counters)), "float32")
    lower_to_counting(cascade(counters[:3], tuple(AtLeast(c.name, 1) for c in counters[:3])), "float32")


def test_a_latch_of_several_rules_is_read_as_not_set_alone():
    twice = Reset("seen", 2, (*SEEN.rules, Rule((In("a"), AtLeast("n", 1, before=True)), Set(1))))
    with pytest.raises(InputError, match="register 'seen' has several rules"):
        lower_to_counting(cascade([UP], (Is("seen", 1),), [twice]), "float32")
    lower_to_counting(cascade([UP], (Is("seen", 0),), [twice]), "float32")


def test_bfloat16_has_no_quarters():
    with pytest.raises(InputError, match="--dtype bfloat16: register 'pending' counts by 4 at once"):
        build(compile(language("boolean-5").machine, RECOGNISE, target="lstm"), "lstm", dtype="bfloat16")


def test_regular_languages_stay_tables():
    assert build(compile(language("tomita-4").machine, RECOGNISE, target="lstm"), "lstm").weights.layers == 1
