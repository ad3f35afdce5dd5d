"""States that differ in nothing that matters are one: what matters, and what that rests on, broken alone."""

import numpy as np
import pytest

from automata.dfa import DFA
from automata.machine import ACCEPT, RECOGNISE
from verify.checkpoints import checkpoint_search
from verify.checkpoints.checkpoint_search import search_checkpoint
from verify.verdict import PROVED

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from constructions.mamba.numbers_alone import Refusal  # noqa: E402 - torch first
from constructions.mamba.rows_apart import MoreMatters  # noqa: E402
from constructions.mamba.stepping import SteppedMamba, Vocabulary  # noqa: E402
from tests.test_rows_apart import ROWS, Runner, stepped  # noqa: E402

ZERO = torch.nn.Parameter(torch.zeros(1), requires_grad=False)
TAPS = torch.nn.Parameter(torch.tensor([[[0.0, 1.0]]]), requires_grad=False)


def put(*columns):
    """A state of four numbers."""
    return torch.cat(columns, dim=1)


def begun(function, letters=(0, 0, 1, 0), runner=Runner):
    model = stepped(function, runner=runner)
    rows, _ = model.advance(model.begin(ROWS)[0], np.array(letters)[:, None])
    return model, rows


def kinds(function, **how):
    """Of each number of the state: r for read, s for silenced, i for idle."""
    model, _ = begun(function, **how)
    ((read, silenced),) = model._matters
    assert not (read & silenced).any()
    return "".join("r" if a else "s" if b else "i" for a, b in zip(read.tolist(), silenced.tolist()))


@pytest.mark.parametrize(
    "function, expected",
    [
        # What is given are the first three numbers of the next state.
        (lambda runner, s, read: s + read, "rrri"),
        (lambda runner, s, read: put(read[:, :1], s[:, :3]), "rrii"),
        (lambda runner, s, read: put(read[:, :3], s[:, 3:] + 1), "iiii"),
        (lambda runner, s, read: put(read[:, :2], s[:, 3:], s[:, 2:3] * 1), "iirr"),
        (lambda runner, s, read: put(read[:, :2], s[:, 3:], s[:, 1:2]), "irir"),
        (lambda runner, s, read: put(read[:, :2], s.sum(1, keepdim=True), read[:, 3:]), "rrrr"),
        # What is 0 silences a number of the state, but not one that is made of it.
        (lambda runner, s, read: s * (read - read) + read, "sssi"),
        (lambda runner, s, read: (read - read) * s + read, "sssi"),
        (lambda runner, s, read: s.mul_(read - read) + read, "sssi"),
        (lambda runner, s, read: s * ZERO + read, "sssi"),
        (lambda runner, s, read: (s * 2) * (read - read) + read, "rrri"),
        (lambda runner, s, read: s * read + read, "rrri"),
        # Numbers of a state that were 0 in every row do not silence each other.
        (lambda runner, s, read: put(s[:, :1] * s[:, 1:2], read[:, 1:]), "rrii"),
        # A silenced number stays finite: what it is made of matters, and what is moved there stays finite, too.
        (lambda runner, s, read: put(read[:, :1] + s[:, 3:] * ZERO, read[:, 1:3], s[:, 1:2] * 2), "iris"),
        (lambda runner, s, read: put(read[:, :1] + s[:, 3:] * ZERO, read[:, 1:3], s[:, 1:2]), "isis"),
        # Of a convolution the second place is read alone: there the first tap, which is 0, silences.
        (lambda runner, s, read: put(torch.conv1d(s[:, None, :3], TAPS)[:, 0, 1:], read[:, :3]), "isri"),
        (lambda runner, s, read: put(torch.conv1d(s[:, None, :3], TAPS + 1)[:, 0, 1:], read[:, :3]), "irri"),
    ],
)
def test_what_matters_of_a_state(function, expected):
    assert kinds(function) == expected


def gated(runner, s, read):
    """The gate is 0 after the first letter alone."""
    return s * torch.relu(read[:, :1] - 15) + read


def test_what_silences_has_to_stay_0():
    model, rows = begun(gated, (0, 0, 0, 0))
    with pytest.raises(Refusal, match="what silenced a number of the state in one step is not 0 in another"):
        model.advance(rows, np.array([[0], [0], [0], [1]]))


def test_where_it_does_not_more_matters():
    model, rows = begun(gated, (0, 0, 0, 0))
    assert kinds(gated, letters=(0, 0, 0, 0)) == "sssi"
    model.glance(True)
    with pytest.raises(MoreMatters):
        model.advance(rows, np.array([[0], [0], [0], [1]]))
    ((read, silenced),) = model._matters
    assert read.tolist() == [True, True, True, False] and not silenced.any()
    model.advance(model.begin(ROWS)[0], np.array([[0], [0], [0], [1]]))


@pytest.mark.parametrize("infinite", [lambda steps: 1 - steps, lambda steps: steps - 1])
def test_what_is_silenced_has_to_be_finite(infinite):
    """It is infinite after the first step alone, or from the third on."""

    def function(runner, s, read):
        kept = torch.relu(infinite(s[:, 1:2])) * 2.0**127 * 4
        return put(read[:, :1] + s[:, 3:] * ZERO, s[:, 1:2] + 1, read[:, 2:3], kept)

    with pytest.raises(Refusal, match="a number that is multiplied by 0 is not finite"):
        model, rows = begun(function)
        for _ in range(3):
            rows, _ = model.advance(rows, np.zeros((ROWS, 1), dtype=int))


def test_a_number_that_is_silenced_in_the_beginning_has_to_be_finite():
    class Infinite(Runner):
        def start(self, tokens):
            super().start(tokens)
            self.state[:, 3] = float("inf")
            return self.state[:, :3]

    with pytest.raises(Refusal, match="a number that is multiplied by 0 is not finite"):
        begun(lambda runner, s, read: put(read[:, :1] * (s[:, 3:] * ZERO > 1), read[:, :3]), runner=Infinite)


def test_what_a_module_that_is_not_looked_into_reads_matters():
    class Idle(Runner):
        attending = ("idle",)

        def __init__(self, function):
            super().__init__(function)
            self.model.idle = torch.nn.Identity()
            self.model.idle.forward = lambda x: x * 0

    def function(runner, s, read):
        return read + runner.model.idle(s[:, 1:2] * 1)

    assert kinds(function, runner=Idle) == "irii"


def test_states_that_differ_in_nothing_that_matters_are_one():
    """A number that counts for ever and is never read: the search closes."""

    def function(runner, s, read):
        return put(read[:, :3], s[:, 3:] + 1)

    model, rows = begun(function)
    again, _ = model.advance(rows, np.array([[0], [0], [1], [0]]))
    assert (rows == rows[0]).all() and (again == rows).all()


def test_rows_that_were_looked_at_are_not_stepped_again(monkeypatch):
    model, rows = begun(lambda runner, s, read: s + read)
    steps = []
    monkeypatch.setattr(model.runner, "step", lambda tokens: steps.append(1))
    first = model.begin(ROWS)[0]
    assert (model.advance(first, np.array([[0], [0], [1], [0]]))[0] == rows).all() and not steps
    model.glance(True)
    with pytest.raises(TypeError):  # it is asked, and gives nothing
        model.advance(first, np.array([[0], [0], [1], [0]]))
    assert steps


@pytest.mark.parametrize("anew, said", [(30, "each with the bits of one string alone"), (1, "one string at a time")])
def test_a_search_begins_anew_where_more_matters_and_not_for_ever(anew, said, monkeypatch):
    """In the first step, from the beginning, a gate is 0 that is 1 in all others: whether there was a b is kept."""
    machine = DFA("ab", [[0, 1], [1, 1]], [1])

    def function(runner, s, read):
        seen = torch.maximum(torch.relu(read[:, :1] - 15), s[:, 2:3] * torch.relu(s[:, 1:2] * 2 - 1))
        return put(read[:, :1], read[:, :1] * 0 + 1, seen, read[:, 1:2])

    monkeypatch.setattr(checkpoint_search, "_FEW", 0)
    monkeypatch.setattr(checkpoint_search, "_ANEW", anew)
    model = SteppedMamba(Runner(function), Vocabulary("ab", (ACCEPT,), [3, 4], 1, 2), ROWS)
    verdict = search_checkpoint(machine, model, RECOGNISE, limit=100)
    assert verdict.outcome == PROVED and said in verdict.reason
