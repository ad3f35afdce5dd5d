"""Many strings stepped at once, each with the bits of one alone: each condition, broken alone, is refused."""

import numpy as np
import pytest

from automata.catalogue import language
from automata.machine import ACCEPT, MODES, PREDICTIVE, RECOGNISE
from constructions.build import build
from constructions.compile.compiler import compile
from verify.checkpoints import checkpoint_search
from verify.checkpoints.checkpoint_search import search_checkpoint
from verify.checkpoints.greedy import greedy
from verify.methods.bisimulation import bisimulation
from verify.verdict import PROVED

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from constructions.mamba.followed import Made  # noqa: E402 - torch first
from constructions.mamba.followed_rows import FollowedRows  # noqa: E402
from constructions.mamba.numbers_alone import NumbersAlone, Refusal  # noqa: E402
from constructions.mamba.reading import Reading  # noqa: E402
from constructions.mamba.recorded import Recorder, recorded  # noqa: E402
from constructions.mamba.rows_apart import RowsApart  # noqa: E402
from constructions.mamba.stepping import SteppedMamba, Vocabulary  # noqa: E402

ROWS = 4
TABLE = torch.nn.Parameter(torch.arange(20.0).reshape(5, 4), requires_grad=False)
BUFFER = torch.zeros(4)


class Model(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, runner, tokens):
        runner.state = self.function(runner, runner.state, torch.nn.functional.embedding(tokens[:, 0], TABLE))
        return runner.state[:, :3] * 1


class Runner:
    """Anything that is stepped: a state of four numbers for each row, and a function of it and of what is read."""

    arithmetic, conditions, device = "float32", "a test", torch.device("cpu")

    def __init__(self, function):
        self.model, self.times, self.kept = Model(function), 0, torch.zeros(1, 4)

    def start(self, tokens):
        self.state = torch.zeros(len(tokens), 4)
        return self.state[:, :3]

    def step(self, tokens):
        return self.model(self, tokens)

    def caches(self):
        return [[self.state]]


def stepped(function, rows=ROWS, runner=Runner):
    model = SteppedMamba(runner(function), Vocabulary("ab", (ACCEPT,), [3, 4], 1, 2), rows)
    return RowsApart(model, rows)


def step(function, symbols=((0, 0, 1, 0), (1, 1, 1, 1), (0, 0, 0, 0))):
    """Three steps, each row with a state of its own."""
    model = stepped(function)
    rows = model.begin(ROWS)[0]
    for letters in symbols:
        model._taken.clear()  # what was taken before is taken again
        rows, _ = model.advance(rows, np.array(letters)[:, None])
    return model


def once(runner, change, otherwise):
    runner.times += 1
    return change if runner.times == 3 else otherwise


def called(runner):
    runner.times += 1
    return runner.times


def written_into(buffer, values):
    buffer.copy_(values)
    result = BUFFER + 0
    buffer.copy_(torch.zeros(4))
    return result


def remembered(runner, flag):
    """What the step before kept, which is always 0."""
    before = getattr(runner, "flag", torch.zeros(4))
    runner.flag = flag
    return before


def kept(runner, state, read):
    result = state + runner.kept[: len(state)] + read
    runner.kept = state.clone() if len(state) > 1 else torch.zeros(ROWS, 4)
    return result


def written(x, index, value):
    x[index] = value
    return x


def added(read, numbers):
    """A sum of these numbers, in each row."""
    return (read * 0 + torch.tensor(numbers)).sum(-1, keepdim=True)


FINE = [
    lambda runner, state, read: state + read,
    lambda runner, state, read: state @ TABLE[:4] * 0.125 + read,
    lambda runner, state, read: written(state.clone(), (slice(None), 0), read[:, 1]) + read.sum(-1, keepdim=True),
    lambda runner, state, read: state.copy_(read.flip(1)).sigmoid(),
    lambda runner, state, read: torch.cat([state.T, read.T])[4:].T.contiguous() + torch.full((len(state), 4), 2.0),
    lambda runner, state, read: (state[:, None] @ read[:, :, None]).view(-1, 1).expand(-1, 4) * TABLE[1] * 2.0**-9,
    lambda runner, state, read: torch.conv1d(state[:, None], torch.ones(1, 1, 3), padding=1)[:, 0] + read,
    lambda runner, state, read: (
        (read * torch.tensor([2.0**40, 1, 1, 1])).pow(2).sum(-1, keepdim=True) * 2.0**-70 + read
    ),
    lambda runner, state, read: torch.nn.functional.logsigmoid(state - read),
    lambda runner, state, read: torch.ops.aten.log_sigmoid_forward(state)[1] + read,
    lambda runner, state, read: (read.var(-1, keepdim=True, unbiased=False) + 2.0**60) * 2.0**-60 + read,
    lambda runner, state, read: added(read, [2.0**23, -(2.0**23), 1, 1]) + read,
]


@pytest.mark.parametrize("function", FINE)
def test_rows_that_go_their_own_way_have_the_bits_of_one_alone(function):
    found, alone = step(function), SteppedMamba(Runner(function), Vocabulary("ab", (ACCEPT,), [3, 4], 1, 2), 1)
    rows = alone.begin(1)[0]
    for letter in (1, 1, 0):
        rows, _ = alone.advance(rows, np.array([[letter]]))
    assert torch.equal(found.runner.state[2, :3], alone.runner.state[0, :3])  # what it gives


@pytest.mark.parametrize(
    "function, message",
    [
        (lambda runner, state, read: state + read.flip(0), "numbers of several rows are brought together"),
        (lambda runner, state, read: state.flip(0), "numbers of several rows are brought together"),
        (lambda runner, state, read: state + read.mean(0), "numbers of several rows are added up"),
        (lambda runner, state, read: state + read @ read.T, "numbers of several rows are brought together"),
        (lambda runner, state, read: state + read[:1], "numbers of several rows|one row alone"),
        (lambda runner, state, read: state.cumsum(1), "this operation is not looked into"),
        (lambda runner, state, read: state.softmax(-1), "this operation is not looked into"),
        (lambda runner, state, read: state[torch.zeros(len(state), dtype=torch.long)], "is not looked into"),
        (lambda runner, state, read: state + torch.arange(len(state))[:, None], "rows read other numbers than each"),
        (lambda runner, state, read: written(state.clone(), 0, 5.0), "fill: this operation is not looked into"),
        (
            lambda runner, state, read: state * torch.cat([TABLE[:1], TABLE[: len(state) - 1]]),
            "rows read other numbers",
        ),
        (lambda runner, state, read: written(state.clone(), 0, read[0] * 2), "in some rows and not in others"),
        (lambda runner, state, read: state + len(state), "one row alone goes through other operations"),
        (lambda runner, state, read: state + torch.full((1, 4), len(state)), "alone goes through other operations"),
        (lambda runner, state, read: state if len(state) == 1 else state + 0, "alone goes through other operations"),
        (lambda runner, state, read: state if len(state) == 1 else state.flip(1), "goes through other operations"),
        (lambda runner, state, read: read if len(state) == 1 else state, "goes through other operations"),
        (lambda runner, state, read: read.to([torch.bfloat16, torch.half][len(state) > 1]) * 1.0, "other operations"),
        (lambda runner, state, read: read.half().float() if len(state) > 1 else read, "other operations"),
        (lambda runner, state, read: state + torch.empty(len(state), 4), "it reads what is not looked into"),
        (lambda runner, state, read: state + torch.ones(4).softmax(-1), "it reads what is not looked into"),
        (lambda runner, state, read: state + 1 if state.sum() > 0 else state, "is not looked into"),
        (lambda runner, state, read: state + (TABLE.mul_(1) if len(state) else 0)[0], "was there before"),
        (lambda runner, state, read: state + torch.add(read, read, out=torch.zeros(len(state), 4)), "was there before"),
        (
            lambda runner, state, read: torch.baddbmm(
                state[:, None], read[:, None], TABLE[:4][None].expand(len(state), 4, 4), alpha=2
            )[:, 0],
            "scaled",
        ),
        (lambda runner, state, read: state + (read / 3).sum(-1, keepdim=True), "may be rounded"),
        (lambda runner, state, read: state + read / 0, "a number is divided by 0"),
        (lambda runner, state, read: state + (read - read).pow(-1), "a number is divided by 0"),
        (lambda runner, state, read: state + read.view(torch.int32), "the bits of a number are read as another"),
        (lambda runner, state, read: state + once(runner, 2, 1), "a step does other operations than another"),
        (lambda runner, state, read: once(runner, state, state + 1), "a step does other operations than another"),
        (lambda runner, state, read: once(runner, state * 1 + 1, state + 1), "other operations than another"),
        (lambda runner, state, read: once(runner, (state + 1) + read, (state + 1) + state), "other operations"),
        (lambda runner, state, read: state + torch.tensor(once(runner, 2.0, 1.0)), "reads other numbers than another"),
        (kept, "what an earlier step has made"),
        (lambda runner, state, read: state + (len(state) == 1 and called(runner) > 1), "other operations than another"),
        (
            lambda runner, state, read: (state.bfloat16() * (read[:, :1].long() + 257)).float() * 2.0**-9,
            "several formats",
        ),
        (lambda runner, state, read: torch.div(state, read + 1, rounding_mode="trunc"), "rounded to a whole number"),
        (lambda runner, state, read: state.mul_((read[:, 0] * 0.1).double().squeeze()[..., None]), "several formats"),
        (lambda runner, state, read: state + torch.cat([read[:, :2], read[:, 2:].double()], 1), "several formats"),
        (lambda runner, state, read: state + written_into(BUFFER[:], read[0]), "was there before"),
        (
            lambda runner, state, read: read + torch.nn.functional.embedding(torch.tensor([1]), TABLE * len(state)),
            "table",
        ),
        (
            lambda runner, state, read: state + (read.long() & 2**60 + torch.arange(len(state))[:, None]).float(),
            "rows read other numbers",
        ),
        (lambda runner, state, read: state + read.long().sum(-1, keepdim=True), "it cannot be looked into"),
        (lambda runner, state, read: state + remembered(runner, (read * 0)[0]), "what an earlier step has made"),
        (
            lambda runner, state, read: torch.ops.aten.log_sigmoid_forward(read)[len(state) > 1],
            "alone goes through other operations",
        ),
        (lambda runner, state, read: read.var(-1, keepdim=True) + 2.0**60, "only a variance that is a mean of squares"),
        (
            lambda runner, state, read: read.var(-1, keepdim=True, correction=0) + read,
            "is rounded, and does not vanish",
        ),
        (
            lambda runner, state, read: (read * 2.0**62).var(-1, keepdim=True, correction=0) + 2.0**60,
            "a sum of squares is not finite",
        ),
        (
            lambda runner, state, read: (read * 2.0**20).var(-1, keepdim=True, correction=0) + 2.0**60,
            "is rounded, and does not vanish",
        ),
        (lambda runner, state, read: added(read, [2.0**24, -(2.0**24), 1, 1]) + read, "may be rounded"),
        (lambda runner, state, read: added(read, [-(2.0**24), 2.0**24, -1, -1]) + read, "may be rounded"),
    ],
)
def test_rows_that_may_matter_to_each_other_are_refused(function, message):
    with pytest.raises(Refusal, match=message):
        step(function)


class Counting(Runner):
    """Counts its steps, beside its state, and says so."""

    def __init__(self, function):
        super().__init__(function)
        self.count = torch.tensor([0])
        self.view, self.weight = self.count.view(1, 1), torch.nn.Parameter(self.count, requires_grad=False)

    def counts_of_steps(self):
        return [self.count]

    def counted(self, result):
        self.count += 1
        return result


def counted(function, runner=Counting):
    model = stepped(function, runner=runner)
    rows = model.begin(ROWS)[0]
    for letters in ((0, 0, 1, 0), (1, 1, 1, 1), (0, 0, 0, 0)):
        rows, _ = model.advance(rows, np.array(letters)[:, None])
    return model


def test_a_count_of_steps_that_nothing_reads_is_no_state():
    model = counted(lambda runner, state, read: runner.counted(state + read))
    assert model.runner.count > 3
    with pytest.raises(Refusal, match="it writes into a tensor that was there before"):
        counted(
            lambda runner, state, read: runner.counted(state + read), type("", (Counting,), {"counts_of_steps": list})
        )


@pytest.mark.parametrize(
    "function",
    [
        lambda runner, state, read: runner.counted(state + runner.count),
        lambda runner, state, read: runner.counted(state) + runner.count,
        lambda runner, state, read: runner.counted(state) + runner.count[0],
        lambda runner, state, read: runner.counted(state) + runner.view,
        lambda runner, state, read: runner.counted(state) + runner.weight,
        lambda runner, state, read: runner.counted(state.clone()).add_(runner.count),
        lambda runner, state, read: state + 0 * int(runner.count),
        lambda runner, state, read: state.add_(read, alpha=1) if runner.count.mul_(2) is not None else state,
    ],
)
def test_a_count_of_steps_that_is_read_is_refused(function):
    with pytest.raises(Refusal, match="it reads a count of steps, which is another one at every step"):
        counted(function)


def test_nor_may_the_one_who_runs_the_model_read_it():
    class Asking(Counting):
        def step(self, tokens):
            return super().step(tokens) * (1 if int(self.count) < 100 else 2)

    with pytest.raises(Refusal, match="it reads a count of steps"):
        counted(FINE[0], Asking)


def test_a_rounded_mean_that_is_left_is_refused():
    recorder = Recorder(torch.nn.Identity(), (), [FollowedRows({}, Made())])
    recorder.followers[0].follow([torch.zeros(1, 1)])
    with recorded(recorder):
        mean = (torch.ones(4) / 3).mean()
    with pytest.raises(Refusal, match="a mean that is rounded is left"):
        recorder.numbers.settled([mean])


def test_a_batch_that_begins_in_another_state_is_refused():
    class Other(Runner):
        def start(self, tokens):
            self.state = torch.full((len(tokens), 4), float(len(tokens)))
            return torch.zeros(len(tokens), 3)

    with pytest.raises(Refusal, match="one row alone begins in another state"):
        stepped(FINE[0], runner=Other)


def test_outputs_are_read_off_each_row_alone(monkeypatch):
    model, asked = stepped(FINE[0]), []
    given = Reading.given
    monkeypatch.setattr(
        Reading, "given", lambda self, logits, tokens: asked.append(len(logits)) or given(self, logits, tokens)
    )
    model.advance(model.begin(ROWS)[0], np.array([[0], [1], [0], [1]]))
    assert set(asked) == {1}


def test_a_function_that_gives_other_bits_at_other_places_is_refused(monkeypatch):
    numbers, seen = torch.tensor([1.0, 2.0]), NumbersAlone()
    shifted = torch.ops.aten.exp.default

    class Packet:
        @staticmethod
        def default(values):
            result = shifted(values)
            result[..., -1:] *= 1.5
            return result

    monkeypatch.setattr(torch.ops.aten, "exp", Packet)
    with pytest.raises(Refusal, match="of 1 it gives other bits at other places of a tensor"):
        seen.function(shifted, "exp", (numbers,), {}, shifted(numbers))


@pytest.mark.parametrize("which", [0, 1])
def test_and_so_is_each_of_its_results(which):
    numbers, both = torch.tensor([1.0, 2.0]), torch.ops.aten.log_sigmoid_forward.default
    NumbersAlone().function(both, "log_sigmoid_forward", (numbers,), {}, both(numbers))
    wrong = both(numbers)
    wrong[which][1] *= 1.5
    with pytest.raises(Refusal, match="of 2 it gives other bits here"):
        NumbersAlone().function(both, "log_sigmoid_forward", (numbers,), {}, wrong)


@pytest.mark.parametrize("target", ["mamba2", "olmo_hybrid", "xlstm"])
def test_a_stock_model_is_searched_with_rows_apart(target, monkeypatch):
    """The same search as one row at a time makes, but for states that differ in nothing that matters."""
    machine, mode = language("tomita-4").machine, RECOGNISE
    built = build(compile(machine, mode, target=target), target)
    monkeypatch.setattr(checkpoint_search, "_FEW", 0)
    with built.running() as model:
        alone = bisimulation(machine, model.with_batch(1), mode)
        verdict = search_checkpoint(machine, model.with_batch(64), mode, limit=1000)
    assert verdict.outcome == alone.outcome == PROVED
    assert verdict.explored["machine states"] == alone.explored["machine states"]
    assert verdict.explored["joint states"] <= alone.explored["joint states"]
    assert "steps of 256 rows, each with the bits of one string alone: " in verdict.reason
    assert "one string at a time" not in verdict.reason


def test_a_model_that_is_judged_by_its_most_likely_token_is_searched_so_too(monkeypatch):
    machine = language("tomita-4").machine
    built = build(compile(machine, PREDICTIVE, target="mamba2"), "mamba2")
    monkeypatch.setattr(checkpoint_search, "_FEW", 0)
    with built.running() as model:
        model.reading = Reading.parse("top")
        found = search_checkpoint(machine, greedy(model, machine, PREDICTIVE), PREDICTIVE, limit=1000)
        assert found.outcome == PROVED and "each with the bits of one string alone: " in found.reason
        model.reading = Reading.parse("logit:0")
        assert search_checkpoint(machine, model.with_batch(64), PREDICTIVE, limit=1000).explored == found.explored


def refused(*_):
    raise Refusal("a test")


@pytest.mark.parametrize("mode", MODES)
def test_what_is_refused_is_searched_one_string_at_a_time(mode, monkeypatch):
    machine = language("tomita-1").machine
    built = build(compile(machine, mode, target="mamba2"), "mamba2")
    monkeypatch.setattr(checkpoint_search, "_FEW", 0)
    monkeypatch.setattr(NumbersAlone, "function", refused)
    with built.running() as model:
        verdict = search_checkpoint(machine, model, mode, limit=1000)
    assert verdict.outcome == PROVED and "of one string at a time in" in verdict.reason and "1 row;" in verdict.reason
