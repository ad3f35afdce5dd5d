"""Cascades as Mamba weights, without torch: cubes, layouts, ballasts, the certificate, and the equations in NumPy."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automata.catalogue import language
from automata.errors import InputError
from automata.machine import ACCEPT
from automata.machines.flip_flop import FlipFlopMachine
from constructions.cascade import (
    Add,
    AtLeast,
    Cascade,
    Counter,
    Emit,
    In,
    Is,
    Level,
    Permutation,
    Permute,
    Reset,
    Rule,
    Set,
)
from constructions.compile.krohn_rhodes import holonomy_cascade
from constructions.conditions.cases import Case, cube, meet, tidy, without
from constructions.conditions.network import network
from constructions.mamba.ballast import CONSTANT, GIANT, four_squares
from constructions.mamba.blocks import layout
from constructions.mamba.certificate import certify
from constructions.mamba.checkpoint import tensor_bytes
from constructions.mamba.lowering import lower_to_mamba
from constructions.mamba.precision import PRECISIONS, precision
from constructions.mamba.reference import Reference
from constructions.mamba.weights import assemble
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.paper.counters import counter_cascade
from constructions.paper.flip_flop import flip_flop
from verify.methods.bisimulation import bisimulation
from verify.testing.strategies import LETTERS, cascades, words
from verify.verdict import PROVED, REFUTED

# -- cubes --------------------------------------------------------------------------------------------

A, B, C = ("register", "a"), ("register", "b"), ("signal", "c")
SIZES = {A: 3, B: 2, C: 4}
POINTS = [dict(zip(SIZES, values)) for values in product(*(range(size) for size in SIZES.values()))]


def holds(where, point):
    return all(point[key] in values for key, values in where)


cubes = st.builds(
    lambda sides: cube({key: frozenset(values) for key, values in sides.items()}),
    st.fixed_dictionaries(
        {}, optional={key: st.sets(st.integers(0, size - 1), min_size=1) for key, size in SIZES.items()}
    ),
)


@given(cubes, cubes)
def test_cubes_meet_and_subtract_as_sets_do(one, other):
    both, rest = meet(one, other), without(one, other, SIZES)
    for point in POINTS:
        assert (both is not None and holds(both, point)) == (holds(one, point) and holds(other, point))
        assert sum(holds(part, point) for part in rest) == (holds(one, point) and not holds(other, point))


@given(st.lists(st.builds(Case, cubes, st.integers(0, 2)), max_size=5))
def test_tidy_cases_decide_alike_and_exclude_each_other(cases):
    tidied = tidy(cases, SIZES)
    for point in POINTS:
        decided = [case.value for case in tidied if holds(case.cube, point)]
        wanted = {case.value for case in cases if holds(case.cube, point)}
        # Where cases of different values overlap, either may decide; a cascade's rules never do.
        assert len(decided) == bool(wanted) and set(decided) <= wanted


def test_too_many_cases_are_refused():
    with pytest.raises(InputError, match="6000 conditions on one register or signal need as many neurons"):
        tidy([Case((), 0)] * 6000, SIZES)


# -- random cascades ----------------------------------------------------------------------------------


@settings(max_examples=60)
@given(cascades(counters=False), st.sampled_from([CONSTANT, GIANT]))
def test_random_cascades_are_proved_by_closed_searches(cascade, norm):
    weights = lower_to_mamba(cascade, norm=norm)
    assert weights.ballast.kind == norm
    assert bisimulation(cascade, Reference(weights), cascade.mode, limit=20_000).outcome == PROVED


@settings(max_examples=30)
@given(cascades(counters=False, max_levels=2))
def test_signals_in_blocks_of_their_own(cascade):
    """Without inlining, signals and their default values are written to the residual stream."""
    for complete in (True, False):
        weights = assemble(layout(network(cascade), complete), precision("float32"))
        certify(weights)
        assert bisimulation(cascade, Reference(weights), cascade.mode, limit=20_000).outcome == PROVED


@settings(max_examples=40)
@given(cascades(), st.lists(words(LETTERS), min_size=1, max_size=3))
def test_random_cascades_with_counters(cascade, strings):
    model = Reference(lower_to_mamba(cascade))
    for word in strings:
        rows, outputs = model.begin(1)
        expected = cascade.initial
        for symbol in (None, *word):
            if symbol is not None:
                expected = cascade.step(expected, symbol)
                rows, outputs = model.advance(rows, np.array([[cascade.alphabet.index(symbol)]]))
            given_out = {name for name, given in zip(model.outputs, outputs.dense()[0, 0]) if given}
            assert given_out == expected.outputs, word


# -- sizes, norms, formats ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cascade, blocks, width, kind",
    [
        (flip_flop(), 3, 32, CONSTANT),
        (flip_flop("recognise"), 4, 32, CONSTANT),
        (holonomy_cascade(language("(ab)*").dfa()), 3, 32, CONSTANT),
        (holonomy_cascade(language("tomita-4").dfa()), 4, 32, CONSTANT),
        (holonomy_cascade(language("d-2").dfa()), 4, 32, CONSTANT),
        (bounded_dyck(2, 5), 4, 32, GIANT),
        (bounded_dyck(8, 10), 5, 128, GIANT),
        (counter_cascade("shuffle-6"), 8, 64, GIANT),
    ],
)
def test_sizes(cascade, blocks, width, kind):
    weights = lower_to_mamba(cascade)
    assert (len(weights.layout.blocks), weights.width, weights.ballast.kind) == (blocks, width, kind)
    names = [name for name in weights.coordinate_names() if name]
    assert len(set(names)) == len(names)
    assert [sum(map(bool, row)) for row in weights.channel_names()] == [len(b.channels) for b in weights.layout.blocks]


@pytest.mark.parametrize("norm", [CONSTANT, GIANT])
def test_the_certificate_holds_in_every_format(norm):
    for name, format_ in PRECISIONS.items():
        certificate = certify(lower_to_mamba(flip_flop(), name, norm))
        assert certificate.digits == format_.digits and certificate.horizon is None


def test_horizons_of_a_counter():
    horizons = {name: certify(lower_to_mamba(counter_cascade("dyck-1"), name)).horizon for name in PRECISIONS}
    assert horizons == {"float32": 8388608, "bfloat16": 128, "float16": 510, "float64": 16777216}


def test_every_number_up_to_a_thousand_is_a_sum_of_four_squares():
    for n in range(1000):
        assert sum(root**2 for root in four_squares(n)) == n


def test_a_number_that_the_dtype_does_not_have_is_named():
    with pytest.raises(InputError, match=r"D\[1\] is 257.0, which is not a number of bfloat16"):
        tensor_bytes("D", np.array([256.0, 257.0]), "bfloat16")
    with pytest.raises(InputError, match="is 100000.0, which is not a number of float16"):
        tensor_bytes("D", np.array([1e5]), "float16")


# -- refusals -----------------------------------------------------------------------------------------


def _one_register(register, alphabet="ab"):
    return Cascade(tuple(alphabet), (Level((register,)),), (ACCEPT,), (Emit((), {ACCEPT}),))


def test_permutations_are_refused_with_the_reason():
    parity = Permutation("parity", 2, (Rule((In({"a"}),), Permute((1, 0))),))
    with pytest.raises(InputError, match="'parity' permutes its values .*0 goes to 1.* order-preserving"):
        lower_to_mamba(_one_register(parity))
    with pytest.raises(InputError, match="permutes its values"):
        lower_to_mamba(holonomy_cascade(language("parity").dfa()))


def test_counters_that_are_set_are_refused():
    counter = Counter("n", (Rule((In({"a"}),), Add(1)), Rule((In({"b"}),), Set(0))))
    with pytest.raises(InputError, match="counter 'n' is set by a rule"):
        lower_to_mamba(_one_register(counter))


@pytest.mark.parametrize(
    "k, depth, dtype, message",
    [
        (1, 100, "bfloat16", "counter 'depth' reaches 100, and bfloat16 is exact up to 63 here"),
        (1, 300, "bfloat16", r"can add up to \d+ units, and bfloat16 is exact up to 256"),
        (1, 600, "float16", r"can add up to \d+ units, and float16 is exact up to 511"),
        (300, 2, "float32", "2104 coordinates .* do not fit a d_model of 2048"),
        (1000, 1000, "float32", "registers with 999000 values besides their first do not fit a d_model of 2048"),
    ],
)
def test_what_is_too_large_for_a_format_is_refused_with_the_number(k, depth, dtype, message):
    with pytest.raises(InputError, match=message):
        lower_to_mamba(bounded_dyck(k, depth), dtype)


def test_a_constant_norm_is_refused_where_there_is_none():
    with pytest.raises(InputError, match="no constant norm: the counter 'depth' is in the residual stream"):
        lower_to_mamba(bounded_dyck(2, 3), norm=CONSTANT)


def test_unknown_formats_are_named():
    with pytest.raises(InputError, match="'int8' is not one of float32, bfloat16, float16, float64"):
        lower_to_mamba(flip_flop(), "int8")


# -- faults -------------------------------------------------------------------------------------------

EXAMPLES = {
    "flip-flop": (flip_flop("recognise"), FlipFlopMachine()),
    "dyck-2-3": (bounded_dyck(2, 3), language("dyck-2-3").machine),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_corrupted_array_is_refuted_or_uncertified_or_does_no_harm(name):
    """The certificate is about rounding, the search about answers: what passes both is right."""
    cascade, machine = EXAMPLES[name]
    weights, rng = lower_to_mamba(cascade), np.random.default_rng(5)
    refuted = uncertified = 0
    for _ in range(40):
        key = str(rng.choice([k for k in weights.tensors if weights.tensors[k].any() and "embeddings" not in k]))
        tensor = weights.tensors[key].copy()
        place = tuple(rng.choice(np.argwhere(tensor)))
        tensor[place] *= rng.choice([0, -1, 2, 3])
        corrupted = replace(weights, tensors={**weights.tensors, key: tensor})
        with np.errstate(all="ignore"):
            outcome = bisimulation(machine, Reference(corrupted), cascade.mode, limit=1500).outcome
        refuted += outcome == REFUTED
        try:
            certify(corrupted)
        except InputError as error:
            assert "\n" not in str(error) and "no certificate of exactness" in str(error)
            uncertified += 1
        else:
            assert outcome in (PROVED, REFUTED)
    assert refuted >= 10 and uncertified >= 20


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize(
    "tensor, message",
    [
        (
            "layers.1.mixer.in_proj.weight",
            "weighs the values of one variable differently|reads a counter together with something else",
        ),
        ("layers.1.mixer.conv1d.weight", "has the taps"),
        ("layers.1.mixer.dt_proj.bias", "step size is neither"),
        ("layers.1.mixer.x_proj.weight", "C is not the constant|not driven by cubes alone, with weight 2"),
        ("layers.2.mixer.out_proj.weight", "can write .* to the variable of"),
        ("embeddings.weight", "is not one-hot"),
        ("layers.0.norm.weight", "is not a power of two"),
    ],
)
def test_the_certificate_names_what_is_wrong(name, tensor, message):
    weights = lower_to_mamba(EXAMPLES[name][0])
    array = 3 * weights.tensors[f"backbone.{tensor}"]
    with pytest.raises(InputError, match=message):
        certify(replace(weights, tensors={**weights.tensors, f"backbone.{tensor}": array}))


def test_the_answers_of_a_lowered_cascade_can_be_wrong_only_if_the_cascade_is():
    """A cascade for another language is refuted with a shortest string."""
    verdict = bisimulation(language("dyck-2-2").machine, Reference(lower_to_mamba(bounded_dyck(2, 3))))
    assert verdict.outcome == REFUTED and verdict.witness.word == ("(a", "(a")


def test_emissions_on_the_empty_string_come_from_bos():
    register = Reset("r", 2, (Rule((), Set(1)),))
    cascade = Cascade(("a",), (Level((register,)),), (ACCEPT,), (Emit((Is("r", 1, before=True),), {ACCEPT}),))
    assert bisimulation(cascade, Reference(lower_to_mamba(cascade)), "recognise").outcome == PROVED


def test_a_window_with_distant_cuts():
    counter = Counter("n", (Rule((In({"a"}),), Add(3)), Rule((In({"b"}),), Add(-2))))
    when = (AtLeast("n", 5), AtLeast("n", 40, negated=True))
    cascade = Cascade(("a", "b"), (Level((counter,)),), (ACCEPT,), (Emit(when, {ACCEPT}),))
    verdict = bisimulation(cascade, Reference(lower_to_mamba(cascade)), "recognise", limit=5000, length=60)
    assert verdict.outcome == PROVED and verdict.horizon == 60
