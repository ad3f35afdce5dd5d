"""Classes of joint states: all that a search through the layers of a Mamba reaches is proved by one step from each."""

from dataclasses import dataclass

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers", reason="transformers is not installed")

from automata.catalogue import language  # noqa: E402
from automata.dfa import DFA  # noqa: E402
from automata.machine import PREDICTIVE, RECOGNISE  # noqa: E402
from constructions.build import build  # noqa: E402
from constructions.compile.compiler import compile  # noqa: E402
from constructions.mamba import closed_classes as module  # noqa: E402
from constructions.mamba.closed_classes import JointClasses, closed_classes  # noqa: E402
from constructions.mamba.foreseen import foresee  # noqa: E402
from constructions.mamba.huggingface import HuggingFaceLayers  # noqa: E402
from constructions.mamba.layers import NotInLayers  # noqa: E402
from constructions.mamba.layerwise import LayerwiseMamba  # noqa: E402
from constructions.mamba.one_forward import in_one_forward  # noqa: E402
from tests.changed_blocks import change_blocks  # noqa: E402
from verify.methods.bisimulation import bisimulation  # noqa: E402
from verify.methods.machine_states import machine_states  # noqa: E402
from verify.verdict import PROVED, REFUTED, UNDECIDED  # noqa: E402


@dataclass
class Foreseen:
    """A model by its layers, and its classes."""

    layers: LayerwiseMamba
    classes: JointClasses
    targets: object

    def closed(self, **changed):
        """What is found of these classes, some parts of them replaced."""
        return closed_classes(self.layers, self.classes._replace(**changed), self.targets)


def running(name, mode=PREDICTIVE):
    return build(compile(language(name).machine, mode, target="mamba"), "mamba").running()


def foreseen(name, model, mode=PREDICTIVE):
    layers = model.by_layers
    targets = machine_states(language(name).machine, layers.alphabet, layers.outputs, mode).targets
    with torch.inference_mode():
        return Foreseen(layers, in_one_forward(layers, foresee(layers, targets)), targets)


@pytest.fixture(scope="module")
def stacks():
    """Dyck(2, 3) in prediction: some symbols are not followed; scan states alone are remembered."""
    with running("dyck-2-3") as model:
        yield foreseen("dyck-2-3", model)


@pytest.fixture(scope="module")
def remembering():
    """Dyck(2, 3) in recognition: three layers read their last input again."""
    with running("dyck-2-3", RECOGNISE) as model:
        yield foreseen("dyck-2-3", model, RECOGNISE)


def searched(name, layers, mode=PREDICTIVE, **how):
    verdict = bisimulation(language(name).machine, layers, mode, **how)
    return verdict.outcome, verdict.explored, verdict.witness


def test_the_names_of_classes_do_not_matter(stacks, remembering):
    for known in (stacks, remembering):
        start, after, machines, columns = known.classes
        expected = known.closed().explored
        for seed, first in ((0, 0), (1, len(machines) - 1), (2, None)):
            order = np.random.default_rng(seed).permutation(len(machines))
            if first is not None:
                # The first class is where it is asked for: at the beginning, at the end.
                at = int(np.flatnonzero(order == start)[0])
                order[at], order[first] = order[first], order[at]
            number = np.argsort(order)
            renamed = np.where(after[order] < len(order), number.take(after[order], mode="clip"), len(order))
            found = known.closed(
                start=int(number[start]), after=renamed, machines=machines[order], columns=columns[:, order]
            )
            assert found.explored == expected


def test_a_machine_in_another_state_is_seen(stacks, monkeypatch):
    """In one that has the same legal symbols and leads to the same states, too."""
    machines, targets = stacks.classes.machines, stacks.targets
    monkeypatch.setattr(stacks, "targets", lambda states: targets(states % 1000))
    assert machines.max() < 1000 and stacks.closed() is not None
    for changed in (1, len(machines) // 2, len(machines) - 1):
        for other in (1000 + machines[changed], machines[changed - 1]):
            found = machines.copy()
            found[changed] = other
            assert other != machines[changed] and stacks.closed(machines=found) is None


def test_a_search_begins_in_the_first_state_of_the_machine(stacks, monkeypatch):
    """Everything is as foreseen, of a search that begins where the first bracket has been read."""
    start, after, _, columns = stacks.classes
    begun = int(after[start].min())
    assert len(np.unique(after[after < len(after)])) == len(after), "all classes are reached from there"
    monkeypatch.setattr(stacks.layers, "first", columns[:, [begun]])
    assert stacks.closed(start=begun) is None


def test_bos_leads_into_the_first_class(stacks, monkeypatch):
    columns = stacks.classes.columns
    for other in range(len(columns[0])):
        monkeypatch.setattr(stacks.layers, "first", columns[:, [other]])
        assert (stacks.closed() is not None) == (other == stacks.classes.start)


def test_a_class_that_is_not_reached_is_not_counted(stacks):
    """The first class once more: symbols lead from the second one to the same, and none leads to it."""
    start, after, machines, columns = stacks.classes
    twice = np.concatenate([after, after[[start]]])
    twice[twice == len(after)] = len(after) + 1
    again = {"machines": np.append(machines, machines[start]), "columns": columns[:, [*range(len(after)), start]]}
    assert stacks.closed(after=twice, **again) is None


@pytest.mark.parametrize("number", ["too large", "negative"])
def test_symbols_lead_to_classes_that_exist(stacks, number):
    after = stacks.classes.after.copy()
    followed = np.argwhere(after < len(after))[0]
    # The last class, counted from the end.
    after[tuple(followed)] = len(after) if number == "too large" else after[tuple(followed)] - len(after)
    assert stacks.closed(after=after) is None


def test_each_symbol_leads_to_the_class_that_was_foreseen(remembering):
    classes, tried = remembering.classes, 0
    for state in np.unique(classes.machines):
        alike = np.flatnonzero(classes.machines == state)
        into = np.argwhere(np.isin(classes.after, alike))
        if len(alike) < 2 or tried == 5:
            continue
        after = classes.after.copy()
        place = tuple(into[0])
        after[place] = alike[0] if after[place] != alike[0] else alike[1]
        assert remembering.closed(after=after) is None
        tried += 1
    assert tried


def test_the_last_input_is_told_apart_as_far_as_it_is_read(remembering):
    """Of one class another input is taken: none that shows the same, but one that shows something else."""
    layers, classes = remembering.layers, remembering.classes
    for layer in layers.layers:
        if not layer.views:
            continue
        place, shown = 3 * layer.number + 2, layer.views[1].take(np.arange(len(layer.inputs)))
        held = classes.columns[place, classes.start]
        other = next(number for number, seen in enumerate(shown) if seen != shown[held])
        columns = classes.columns.copy()
        columns[place, classes.start] = other
        assert remembering.closed(columns=columns) is None
        same = [number for number, seen in enumerate(shown) if seen == shown[held]]
        columns[place, classes.start] = same[-1]
        assert remembering.closed(columns=columns).explored == remembering.closed().explored


def test_where_numbers_are_too_large_nothing_is_counted(stacks, monkeypatch):
    monkeypatch.setattr(module, "_MOST", 1 << 10)
    assert stacks.closed() is None


@pytest.mark.parametrize("name, mode", [("dyck-2-3", PREDICTIVE), ("dyck-2-3", RECOGNISE), ("tomita-7", PREDICTIVE)])
def test_the_verdict_is_that_of_a_search(name, mode, monkeypatch):
    with running(name, mode) as model:
        at_once = searched(name, model.by_layers, mode)
        assert at_once[0] == PROVED
        monkeypatch.setattr(LayerwiseMamba, "closed", lambda self, targets: None)
        assert searched(name, model.by_layers, mode) == at_once


def test_limits_are_those_of_a_search(monkeypatch):
    """Of joint states and of lengths, where a search needs as many or one more, and far from that."""
    with running("dyck-2-3") as model:
        joint = searched("dyck-2-3", model.by_layers)[1]["joint states"]
        limits = 3, 20, joint - 1, joint, 1000
        ways = [{"limit": most, "length": length} for most in limits for length in (None, 1000)]
        ways += [{"length": length} for length in limits]
        found = [bisimulation(language("dyck-2-3").machine, model.by_layers, **how) for how in ways]
        monkeypatch.setattr(LayerwiseMamba, "closed", lambda self, targets: None)
        assert [bisimulation(language("dyck-2-3").machine, model.by_layers, **how) for how in ways] == found
    assert [verdict.outcome for verdict in found] == [UNDECIDED] * 6 + [PROVED] * 9
    assert [verdict.horizon for verdict in found[10:]] == [3, None, None, None, None]


@pytest.mark.parametrize("wrong", ["after a step", "after BOS"])
def test_outputs_are_compared(wrong, monkeypatch):
    """The layers are as ever, and what is read off them is not."""
    numbered = LayerwiseMamba.numbered
    with running("dyck-2-3") as model:
        layers = model.by_layers
        nothing = layers._given.number(np.zeros((1, len(layers.outputs)), dtype=bool))
        if wrong == "after BOS":
            layers._begin = nothing
        else:

            def wrong_once(self, logits):
                found = numbered(self, logits)
                found[len(found) // 2] = nothing.item()
                return found

            monkeypatch.setattr(LayerwiseMamba, "numbered", wrong_once)
            monkeypatch.setattr(LayerwiseMamba, "_compare", lambda *_: None)
        outcome, _, witness = searched("dyck-2-3", layers)
        assert outcome == REFUTED and (witness.word == ()) == (wrong == "after BOS")


def test_a_language_of_the_empty_word_alone_takes_no_step():
    machine = DFA("a", [[1], [1]], [0])
    with build(compile(machine, target="mamba"), "mamba").running() as model:
        assert bisimulation(machine, model.by_layers).outcome == PROVED


def test_layers_that_differ_from_what_was_foreseen_are_searched(monkeypatch):
    """A guess that is wrong of one gate alone."""
    moves = HuggingFaceLayers.moves

    def other(self, number, *of):
        gates, increments = moves(self, number, *of)
        return gates.index_fill(0, torch.tensor([0]), 0.5), increments

    with running("dyck-2-3") as model:
        right = searched("dyck-2-3", model)
        monkeypatch.setattr(HuggingFaceLayers, "moves", other)
        assert searched("dyck-2-3", model.by_layers) == right and right[0] == PROVED


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("name", ["dyck-2-3", "dyck-2-5"])
def test_layers_that_read_what_they_have_no_weights_for_are_seen(name, place, monkeypatch):
    """An input that the convolution holds moves the scan state."""

    def other(number, hidden, cache, step):
        held = cache.conv[:, :, place].clone()
        given = step()
        cache.scan.add_(held[:, :, None] / 1024)
        return given

    with running(name) as model:
        layers = model.by_layers
        assert not any(one.views for one in layers.layers)
        change_blocks(monkeypatch, other)
        with pytest.raises(NotInLayers):
            searched(name, layers)
