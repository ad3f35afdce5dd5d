"""Listed numbers: models whose counts are seen by their quotients alone are proved for all of these, and only then."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from automata.machine import RECOGNISE  # noqa: E402 - torch first
from constructions.mamba.followed import NOBODY  # noqa: E402
from constructions.mamba.reading import Reading  # noqa: E402
from tests.test_loose_numbers import ALL, BOS, EOS, NO_B, A, B, ToyRunner, damaged, is_proof  # noqa: E402
from tests.test_loose_numbers import found as found_by  # noqa: E402
from verify.checkpoints import listed_numbers, listed_values  # noqa: E402
from verify.checkpoints.divided_by_zero import ZeroDivisions  # noqa: E402
from verify.checkpoints.drifting_states import prove_drifting  # noqa: E402
from verify.checkpoints.listed_numbers import prove_by_listed_numbers  # noqa: E402
from verify.checkpoints.listed_steps import StepsOfListed  # noqa: E402
from verify.checkpoints.listed_values import listed_classes  # noqa: E402
from verify.checkpoints.recipes import NO_ROW, ONE_BY_ONE, OneOperation, Recipe, RecipeTable, one_by_one  # noqa: E402
from verify.numbers.boxes import NotCovered  # noqa: E402
from verify.progress import NO_PROGRESS  # noqa: E402
from verify.verdict import Verdict  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


GLANCE = listed_numbers._GLANCE
"""Of a real model, which has more states before a number drifts."""


@pytest.fixture(autouse=True)
def few_states_at_first(monkeypatch):
    monkeypatch.setattr(listed_numbers, "_GLANCE", 40)


def found(*args, **how):
    return found_by(*args, **{"limit": 500, "prove": prove_by_listed_numbers, **how})


def proved(*args, **how):
    return is_proof(found(*args, **how))


def normed(x):
    """What has seen all numbers of a row."""
    return torch.nn.functional.layer_norm(x, x.shape[1:], torch.ones(x.shape[1]), torch.zeros(x.shape[1]), 1.0)


def quotient(logit, begun=0.0, most=200.0):
    """A numerator and a denominator that count until a number, and what is given of their quotient."""

    def step(x, b):
        n, d = torch.minimum(x[:, :1] + 1, torch.full_like(x[:, :1], most)), x[:, 1:2]
        d = torch.minimum(d + 1, torch.full_like(d, most + 1))
        return torch.cat([n, d], 1), logit(n / d)

    return [begun, begun + 1], step


@pytest.mark.parametrize("passes", [None, 100, 199])
def test_a_quotient_that_passes_a_threshold_some_day_is_never_proved(passes):
    least = 2.0 if passes is None else passes / (passes + 1)

    def seen(q):
        # More than the sign of the logit is seen by a sum of two of these.
        spread = torch.cat([q, -q, 0 * q], 1)
        return least - q + 0 * normed(spread)[:, 2:]

    assert proved(*quotient(seen)) == (passes is None)
    assert proved(*quotient(lambda q: least - q)) == (passes is None)


@pytest.mark.parametrize("last, right", [
    (10.0**3, False), (10.0**5, False), *(pytest.param(*one, marks=pytest.mark.slow) for one in (
        (10.0**7, False), (2.0**24, False), (2.0**24 + 2, True),
    )),
])  # fmt: skip
def test_a_count_of_millions_is_followed_to_where_it_sticks(monkeypatch, last, right):
    if last < 10.0**6:
        monkeypatch.setattr(listed_values, "_MOST_VALUES", 200_000)
    verdict = found([1.0], lambda x, b: (torch.minimum(x + 1, 150_000 + 0 * x) if last < 1e6 else x + 1, last - x))
    assert isinstance(verdict, Verdict) == right
    if right:
        assert verdict.explored["values"] == 2**24 and "listed" in verdict.reason
    else:
        assert "wrong" in verdict


def test_what_is_seen_may_be_wrong_of_one_value_alone():
    def narrow(q):
        near = torch.sigmoid(1e7 * (q - 150 / 151.3)) * torch.sigmoid(1e7 * (151 / 151.7 - q))
        return 0.5 - near

    assert not proved(*quotient(narrow))
    assert proved(*quotient(lambda q: 0.5 - 0 * torch.sigmoid(q)))


def test_each_state_of_the_machine_has_values_of_its_own():
    def since(x, b):
        # Read since the last b, and whether b was ever read.
        seen = torch.maximum(x[:, 1:], b)
        return torch.cat([torch.minimum(x[:, :1] + 1, 90 + 0 * b) * (1 - b), seen], 1), 0.5 - seen

    assert proved([0.0, 0.0], since, NO_B)
    assert not proved([0.0, 0.0], since, ALL)

    def late(x, b):
        after, logit = since(x, b)
        return after, logit + 2 * torch.relu(x[:, :1] - 88) * x[:, 1:]

    assert not proved([0.0, 0.0], late, NO_B)


def test_what_is_left_elsewhere_is_seen():
    def copied(x, b):
        n = torch.minimum(x[:, :1] + 1, 80 + 0 * b)
        return torch.cat([n, torch.relu(n - 69)], 1), 0.5 - x[:, 1:]

    assert not proved([0.0, 0.0], copied)


def test_how_listed_numbers_are_treated_may_depend_on_other_numbers():
    def faster(x, b):
        # By 1 up to 100, by 2 up to 200 once b has been read, by 3 up to 300 when it is again.
        by = torch.minimum(x[:, 1:] + b, 3 + 0 * b)
        return torch.cat([torch.minimum(x[:, :1] + by, 100 * by), by], 1), -x[:, :1]

    def below(least):
        return lambda x, b: (faster(x, b)[0], least - x[:, :1])

    assert proved([0.0, 1.0], below(300.5))
    assert not proved([0.0, 1.0], below(299.5))
    assert not proved([0.0, 1.0], below(250.0))


def test_idle_numbers_may_take_any_values():
    def noisy(x, b):
        idle = normed(torch.cat([x[:, :1], b], 1))[:, :1]
        return torch.cat([torch.minimum(x[:, :1] + 1, 60 + 0 * b), idle], 1), 1 - x[:, 1:2] * torch.zeros(1)

    assert proved([0.0, 0.0], noisy)
    assert not proved([0.0, 0.0], lambda x, b: (noisy(x, b)[0], 0.49 - x[:, 1:2]))
    # A logit is read, even if nothing else is done to it.
    assert not proved([0.0, 1.0], lambda x, b: (noisy(x, b)[0], x[:, 1:2]))
    # What an idle number is multiplied by is 0 whatever is read.
    assert not proved([0.0, 0.0], lambda x, b: (noisy(x, b)[0], 1 - 9 * x[:, 1:2] * torch.relu(x[:, :1] - 50)))


def test_outputs_are_read_above_the_threshold_off_logits_alone():
    def step(x, b):
        return torch.minimum(x + 1, 50 + 0 * b), x * 0 + 0.5

    assert proved([1.0], step)
    assert not proved([1.0], step, reading=Reading("logit", 0.5))
    assert not proved([1.0], step, reading=Reading("softmax", 0.1))
    assert not proved([1.0], step, first=-1.0)


def test_numbers_that_are_not_finite_are_not_looked_into():
    for step in (lambda x, b: (x * 2, x * 0 + 1), lambda x, b: (x * x, x * 0 + 1)):
        assert "finite" in found([2.0], step)
    assert "finite" in found([float("inf")], lambda x, b: (x, torch.ones_like(x)))


def test_a_division_by_zero_is_seen_though_nothing_shows_it(monkeypatch):
    def hidden(x, b):
        n = torch.minimum(x + 1, 99 + 0 * b)
        # Made of what has seen the count, so that no list says of it that it is not finite.
        return n, 1 + torch.relu(0 * torch.sigmoid(1 / torch.clamp(n - 70, -5, 5)))

    assert "divided by 0" in found([2.0], hidden)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert "several threads" in found([2.0], hidden)


def test_a_processor_without_notes_is_not_relied_on(monkeypatch):
    monkeypatch.setattr(ZeroDivisions, "_notes", lambda self, size, divisor: 0x20)
    with pytest.raises(NotCovered, match="keeps no note"):
        ZeroDivisions()


def test_limits_are_kept(monkeypatch):
    monkeypatch.setattr(listed_values, "_MOST_CLASSES", 20)

    def many(x, b):
        return torch.cat([x[:, :1] + 1, torch.remainder(x[:, 1:], 8) + 1], 1), x[:, :1] * 0 + 1

    def spread(x, b, most=99.0):
        return torch.minimum(x + 1, most + 0 * b), normed(torch.cat([x, b], 1))[:, :1] * 0 + 1

    assert "look different" in found([0.0], spread)
    assert "do not look the same" in found([0.0], lambda x, b: spread(x, b, 50.0))
    by = torch.tensor([[1.0, 2.0, 3.0]])
    assert "at most 2" in found([0.0] * 3, lambda x, b: (x + by, x[:, :1] + x[:, 1:2] + x[:, 2:]))
    assert "not looked into" in found([0.0, 0.0], many)


# -- one step -----------------------------------------------------------------------------------------


class Stepped:
    """A function of rows of numbers as a model that is stepped."""

    def __init__(self, step, state):
        self.runner = ToyRunner(list(state), lambda x, b: (step(x), x[:, :1] * 0 + 1), 1.0)
        self.runner.start(torch.tensor([[BOS]]))
        self.steps = StepsOfListed(self.runner)

    def recipe(self, state, listed):
        state = np.array(state, dtype=np.float32)
        mask = np.isin(np.arange(len(state)), listed)
        return self.steps.recipe(state, A, mask, np.zeros(len(state), dtype=bool), (EOS,))


def test_a_recipe_does_what_the_step_does():
    rng = np.random.default_rng(1)
    weight = torch.tensor([[0.0, 3.0], [0.1, 0.0]])

    def step(x):
        n, d, e = x[:, :1], x[:, 1:2], x[:, 2:]
        q = torch.maximum(n * 3 + e, d - n) / (torch.abs(d) + 1)
        filled = torch.relu(n).masked_fill((n == 2) & (e == 1), 7.0)
        made = torch.mm(torch.cat([0.5 - q, torch.zeros_like(q)], 1), weight)[:, 1:]
        return torch.cat([torch.minimum(filled, -made), q * e, e], 1)

    toy = Stepped(step, [1.0, 1.0, 1.0])
    recipe = toy.recipe([1.0, 1.0, 1.0], [0, 1])
    assert {operation.name for operation in recipe.made} == set(ONE_BY_ONE)
    assert not recipe.seen
    values = np.concatenate([rng.integers(-4, 5, (50, 2)), rng.standard_normal((50, 2))]).astype(np.float32)
    left, shown = recipe.done(values, 0.0)
    assert shown.shape == (100, 0)
    for value, after in zip(values, left):
        state, _ = toy.steps.exact(np.array([*value, 1.0], dtype=np.float32), A)
        assert (state[:2] == after).all()


@pytest.mark.parametrize("step, seen", [
    (lambda x: torch.cat([x[:, :1] + 1, torch.exp(x[:, :1]), x[:, 2:]], 1), True),
    (lambda x: torch.cat([x[:, :1] + 1, x[:, :1] - 1, x[:, 2:]], 1), False),
    (lambda x: torch.cat([x[:, :1] + 1, x.sum(1, keepdim=True), x[:, 2:]], 1), True),
    (lambda x: torch.cat([x[:, :1] + 1, normed(x)[:, 1:]], 1), True),
    (lambda x: torch.cat([x[:, :1] + 1, torch.add(x[:, 2:], x[:, :1], alpha=3), x[:, 2:]], 1), True),
    (lambda x: torch.cat([x[:, :1] + 1, torch.mm(x, torch.ones(3, 1)), x[:, 2:]], 1), True),
    (lambda x: torch.cat([x[:, :1] + 1, torch.mm(x[:, :1], x[:, :1]), x[:, 2:]], 1), True),
    (lambda x: torch.cat([x[:, :1] + 1, torch.mm(x, torch.tensor([[0.0], [1.0], [1.0]])), x[:, 2:]], 1), False),
    (lambda x: torch.cat([x[:, :1] + 1, x[:, :1] * torch.zeros(1), x[:, 2:]], 1), False),
    (lambda x: torch.cat([x[:, :1] + 1, x[:, 1:]], 1), False),
    (lambda x: torch.cat([x[:, :1] + 1, torch.where(x[:, :1] > 5, x[:, 1:2], x[:, 2:]), x[:, 2:]], 1), True),
])  # fmt: skip
def test_whatever_reads_a_listed_number_otherwise_has_seen_it(step, seen):
    assert (0 in Stepped(step, [2.0, 3.0, 4.0]).recipe([2.0, 3.0, 4.0], [0]).seen) == seen


def test_what_is_brought_together_with_what_has_seen_others_is_seen():
    def step(x):
        return torch.cat([x[:, :2] + 1, x[:, :1] * torch.exp(x[:, 1:2])], 1)

    assert Stepped(step, [2.0, 3.0, 4.0]).recipe([2.0, 3.0, 4.0], [0, 1]).seen == (0, 1)


def test_listed_numbers_are_made_of_what_has_seen_none():
    with pytest.raises(NotCovered, match="seen others"):
        Stepped(lambda x: x + torch.exp(x[:, 1:]), [0.0, 0.0]).recipe([0.0, 0.0], [0, 1])
    with pytest.raises(NotCovered, match="not looked into"):
        Stepped(lambda x: torch.cumsum(x, 1), [0.0, 0.0]).recipe([0.0, 0.0], [0])


@pytest.mark.parametrize("step, idle", [
    (lambda x: torch.stack([x[:, 1] * 0.0, x[:, 0], x[:, 2]], 1), [True, True, True]),
    (lambda x: torch.stack([x[:, 1] + 0.0, x[:, 0], x[:, 2]], 1), [False, False, True]),
    (lambda x: torch.stack([x[:, 1] * 2.0, x[:, 0], x[:, 2]], 1), [False, False, True]),
    (lambda x: torch.stack([x[:, 1], x[:, 0], x[:, 0] * x[:, 2]], 1), [False, False, False]),
    (lambda x: torch.stack([x[:, 1], torch.exp(x[:, 1]), x[:, 2]], 1), [True, False, True]),
    (lambda x: torch.stack([torch.exp(x[:, 1]), x[:, 2], x[:, 0]], 1), [False, False, False]),
])  # fmt: skip
def test_idle_numbers_are_those_that_nothing_reads(step, idle):
    # The first case moves what only 0 is multiplied by; in the last one each is read three steps later.
    assert Stepped(step, [0.0, 0.0, 0.0]).steps.idle(np.zeros(3, dtype=np.float32), (A, B)).tolist() == idle


# -- lists --------------------------------------------------------------------------------------------


def counting(by, most=None):
    made = [OneOperation("add", ((0, 0.0), (NOBODY, by)))]
    if most is not None:
        made.append(OneOperation("minimum", ((1, 0.0), (NOBODY, most))))
    return Recipe(1, tuple(made), (), (), ((len(made), 0.0),))


LEAPING = Recipe(
    1,
    (OneOperation("eq", ((0, 0.0), (NOBODY, 100.0))), OneOperation("mul", ((1, 0.0), (NOBODY, 500.0)))),
    (),
    (),
    ((2, 0.0),),
)
"""To 500 from 100, and to 0 from elsewhere."""


def classes_of(recipes, start=0.0):
    return listed_classes(np.array([start], dtype=np.float32), recipes, 0.0, NO_PROGRESS)


@pytest.mark.parametrize("recipes, count", [
    ([counting(1.0, 100.0)], 101), ([counting(1.0, 100.0), counting(2.0, 100.0)], 101),
    ([counting(1.0, 100.0), Recipe(1, (), (), (), ((NOBODY, 7.0),))], 101),
    ([counting(1.0, 100.0), LEAPING], 102),
    ([Recipe(1, (OneOperation("sub", ((NOBODY, 3.0), (0, 0.0))),), (), (), ((1, 0.0),))], 2),
    ([Recipe(1, (OneOperation("mul", ((0, 0.0), (NOBODY, 0.5))),), (), (), ((1, 0.0),))], 1),
])  # fmt: skip
def test_a_list_has_all_values_and_no_others(recipes, count):
    assert classes_of(recipes).size == count


def test_a_list_is_not_made_without_end(monkeypatch):
    monkeypatch.setattr(listed_values, "_MOST_VALUES", 1_000)
    for recipes in ([counting(1.0)], [counting(0.3), counting(0.7)]):
        with pytest.raises(NotCovered):
            classes_of(recipes)


def test_a_list_that_is_not_closed_is_refused():
    values = np.arange(5, dtype=np.float32)[:, None]
    keys = listed_values._keys(values)
    with pytest.raises(NotCovered, match="out of the list"):
        listed_values._followed_by(keys, values, np.zeros(5, dtype=np.int32), 1, counting(1.0), 0.0)


def test_values_are_in_one_class_where_all_recipes_show_the_same(monkeypatch):
    monkeypatch.setattr(listed_values, "_AT_ONCE", 7)
    half = Recipe(
        1, (*counting(1.0, 40.0).made, OneOperation("maximum", ((0, 0.0), (NOBODY, 30.0)))), (3,), (), ((2, 0.0),)
    )
    above = Recipe(1, counting(1.0, 40.0).made, (), ((1, 0),), ((2, 0.0),))
    found = classes_of([half, above], -3.0)
    assert found.size == 44
    # Up to -1 the logit is not above 0; from 30 on the first recipe shows each.
    assert len(found.values) == 2 + 10
    assert found.next[0][found.start] == (0, 1) or len(found.next[0][found.start]) == 2


def test_an_operation_is_that_of_torch():
    rng = np.random.default_rng(2)
    bits = rng.integers(0, 2**32, (2, 20_000), dtype=np.uint64).astype(np.uint32).view(np.float32)
    ok = np.isfinite(bits).all(axis=0) & (bits[1] != 0)
    x, y = bits[:, ok]
    for name in ("add", "sub", "mul", "div", "maximum", "minimum"):
        with np.errstate(all="ignore"):
            made = one_by_one(name, [x, y])
        theirs = getattr(torch, name)(torch.from_numpy(x), torch.from_numpy(y)).numpy() + 0
        assert (made.view(np.uint32) == theirs.view(np.uint32)).all()


def test_what_is_run_is_what_was_written_down():
    assert NO_ROW == NOBODY
    table = RecipeTable(np.array([3.0], dtype=np.float32))
    assert table.add("add", ((0, 0.0), (NOBODY, 1.0)), 4.0) == 1
    assert table.add("add", ((0, 0.0), (NOBODY, 1.0)), 4.0) == 1
    assert table.add("mul", ((0, 0.0), (NOBODY, 0.0)), 0.0) == NOBODY
    with pytest.raises(ValueError, match="another"):
        table.add("add", ((0, 0.0), (NOBODY, 1.0)), 5.0)


def test_a_number_is_filled_where_the_mask_says():
    table = RecipeTable(np.array([3.0], dtype=np.float32))
    for mask, row, run in ((0.0, 0, 3.0), (1.0, NOBODY, 7.0)):
        assert table.add("masked_fill", ((0, 0.0), (NOBODY, mask), (NOBODY, 7.0)), run) == row


def test_steps_are_counted(monkeypatch):
    monkeypatch.setattr(listed_numbers, "_MOST_STEPS", 3)
    begun, step = quotient(lambda q: 2 - torch.sigmoid(q))
    assert "are the limit" in found(begun, step)
    assert "joint states" in found(*quotient(lambda q: 2 - q), limit=0)


def test_lists_are_made_where_boxes_decide_nothing():
    begun, step = quotient(lambda q: 0.5 - 0 * torch.sigmoid(q))
    assert found(begun, step, prove=prove_drifting).method == "boxes of loose numbers"
    begun, step = quotient(lambda q: 0.99 - q)
    both = found(begun, step, prove=prove_drifting)
    assert "no closed boxes of loose numbers" in both and "no list of drifting numbers" in both


@pytest.mark.slow
def test_a_damaged_model_whose_numerator_and_denominator_count_has_a_list(monkeypatch):
    monkeypatch.setattr(listed_numbers, "_GLANCE", GLANCE)
    machine, built = damaged("rwkv", 71)
    with built.running() as model:
        search = listed_numbers._Search(machine, model.with_batch(1), RECOGNISE, 2_000)
        begun, ways = (
            search._begun,
            [search._recipe(search._number_of(search._begun), s, search._begun[search.listed]) for s in (0, 1)],
        )
    assert search.listed.sum() == 2 and search.idle.sum() == 192 and ways == [0, 1]
    classes = listed_classes(begun[search.listed], list(search._known), 0.0, NO_PROGRESS)
    assert classes.size == 2**24 + 1 and len(classes.values) == 8_192
