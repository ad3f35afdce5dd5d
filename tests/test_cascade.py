"""What a cascade means, symbol by symbol, and every way of writing one that is refused."""

import pytest

from automata.errors import InputError
from automata.machine import ACCEPT, BOS, EOS, run
from constructions.cascade import (
    Add,
    AtLeast,
    Bit,
    Cascade,
    Copy,
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
    Signal,
    bit_length,
)

A, B = In({"a"}), In({"b"})
LAST = Reset("last", 2, (Rule((A,), Set(0)), Rule((B,), Set(1))))
COUNT = Counter("count", (Rule((A,), Add(1)), Rule((B,), Add(-2))))
SWAP = Permutation("swap", 3, (Rule((A,), Permute((1, 2, 0))), Rule((B,), Set(0))))
EVERY = Emit((), {ACCEPT})


def cascade(*levels, emissions=(EVERY,), outputs=(ACCEPT,)):
    return Cascade(("a", "b"), tuple(levels), outputs, emissions)


def values(machine, word, *names):
    """The values of the named registers after each prefix, the empty one first."""
    order = [register.name for register in machine.registers]
    rows = [run(machine, word[:n]).values for n in range(len(word) + 1)]
    return [tuple(row[order.index(name)] for name in names) for row in rows]


# -- meaning ------------------------------------------------------------------------------------------


def test_registers_hold_are_set_count_and_permute():
    machine = cascade(Level((LAST, COUNT, SWAP)))
    assert values(machine, "aaba", "last", "count", "swap") == [(0, 0, 0), (0, 1, 1), (0, 2, 2), (1, 0, 0), (0, 1, 1)]


def test_increments_of_rules_that_fire_together_add_up():
    count = Counter("count", (Rule((A,), Add(1)), Rule((In({"a", "b"}),), Add(10))), initial=5)
    # BOS is named by neither rule.
    assert values(cascade(Level((count,))), "ab", "count") == [(5,), (16,), (26,)]


def test_a_rule_without_symbols_fires_on_bos_too():
    started = Counter("started", (Rule((), Add(1)),))
    marked = Reset("marked", 2, (Rule((In({BOS}),), Set(1)),))
    assert values(cascade(Level((started, marked))), "ab", "started", "marked") == [(1, 1), (2, 1), (3, 1)]


def test_lower_levels_read_upper_ones_before_and_after():
    before = Counter("before", (Rule((Is("last", 1, before=True),), Add(1)),))
    after = Counter("after", (Rule((Is("last", 1),), Add(1)),))
    machine = cascade(Level((LAST,)), Level((before, after)))
    assert values(machine, "bba", "before", "after") == [(0, 0), (0, 1), (1, 2), (2, 2)]
    assert machine.read_before == {"last"}


def test_counters_are_compared_before_and_after():
    reached = Reset("reached", 2, (Rule((AtLeast("count", 2),), Set(1)),))
    below = Reset("below", 2, (Rule((AtLeast("count", 2, before=True, negated=True), A), Set(1)),))
    exactly = Reset("exactly", 2, (Rule((Is("count", 3),), Set(1)),))
    machine = cascade(Level((COUNT,)), Level((reached, below, exactly)))
    assert values(machine, "aaa", "reached", "below", "exactly") == [(0, 0, 0), (0, 1, 0), (1, 1, 0), (1, 1, 1)]


def test_counters_are_set_and_copied_registers_follow():
    clock = Counter("clock", (Rule((A,), Add(1)), Rule((B,), Set(7))))
    copy = Reset("copy", 2, (Rule((A,), Copy("last", before=True)),))
    machine = cascade(Level((LAST, clock)), Level((copy,)))
    assert values(machine, "baa", "clock", "copy") == [(0, 0), (7, 0), (8, 1), (9, 0)]


def test_signals_are_combinational_and_may_be_off():
    """A one-hot signal that is off has no value; a binary one that is off reads as 0."""
    hot = Signal("hot", 3, (Rule((A,), Set(0)), Rule((B,), Copy("last"))))
    binary = Signal("binary", 3, (Rule((B,), Set(2)),), coding="binary")
    emissions = (
        Emit((Is("hot", 0),), {"a"}),
        Emit((Is("hot", 1),), {"b"}),
        Emit((Is("binary", 0),), {EOS}),
    )
    machine = cascade(Level((LAST,), (hot, binary)), emissions=emissions, outputs=("a", "b", EOS))
    assert [machine.legal(run(machine, word)) for word in ("", "a", "b")] == [{EOS}, {"a", EOS}, {"b"}]


def test_bits_of_registers_and_binary_signals():
    letter = Reset("letter", 4, (Rule((A,), Set(1)), Rule((B,), Set(2))), initial=3)
    code = Signal("code", 4, (Rule((), Copy("letter")),), coding="binary")
    emissions = (
        Emit((Bit("letter", 0),), {"a"}),
        Emit((Bit("code", 1, 0),), {"b"}),
        Emit((Bit("letter", 1, before=True),), {EOS}),
    )
    machine = cascade(Level((letter,), (code,)), emissions=emissions, outputs=("a", "b", EOS))
    assert [machine.legal(run(machine, word)) for word in ("", "a", "b", "ba")] == [
        {"a", EOS},
        {"a", "b", EOS},
        {EOS},
        {"a", "b", EOS},
    ]


def test_a_signal_reads_signals_listed_before_it_and_a_level_may_have_no_register():
    first = Signal("first", 2, (Rule((B,), Set(1)),))
    second = Signal("second", 2, (Rule((Is("first", 1),), Set(1)),))
    machine = cascade(Level((), (first, second)), emissions=(Emit((Is("second", 1),), {ACCEPT}),))
    assert [machine.accepts(run(machine, word)) for word in ("", "a", "ab")] == [False, False, True]
    assert machine.memory_bits == 0


def test_memory_counts_the_bits_of_finite_registers():
    assert [bit_length(n) for n in (1, 2, 3, 4, 5, 8, 9)] == [0, 1, 2, 2, 3, 3, 4]
    assert cascade(Level((LAST, SWAP, COUNT, Reset("one", 1, ())))).memory_bits == 3


def test_the_mode_follows_from_the_outputs():
    assert cascade(Level()).mode == "recognise"
    assert cascade(Level(), outputs=("a", "b", EOS), emissions=()).mode == "predictive"


# -- refusals while it runs ---------------------------------------------------------------------------


def test_two_rules_that_fire_together_are_named():
    register = Reset("both", 2, (Rule((A,), Set(0)), Rule((In({"a", "b"}),), Set(1))))
    machine = cascade(Level((register,)))
    assert run(machine, "b").values == (1,)
    with pytest.raises(InputError, match="two rules of 'both' fire together on 'a'"):
        run(machine, "ba")


def test_a_counter_that_is_set_and_added_to_at_once_is_named():
    counter = Counter("clash", (Rule((A,), Set(0)), Rule((A,), Add(1))))
    with pytest.raises(InputError, match="counter 'clash' is set by one rule while another fires on 'a'"):
        run(cascade(Level((counter,))), "a")


def test_an_unknown_symbol_is_named():
    with pytest.raises(InputError, match="'c' is not in the alphabet"):
        run(cascade(Level()), "c")


# -- refusals at construction -------------------------------------------------------------------------


def register(*literals, then=Set(0), kind=Reset):
    """A level with one register whose only rule has these literals."""
    rule = Rule(tuple(literals), then)
    if kind is Counter:
        return Level((Counter("bad", (rule,)),))
    return Level((kind("bad", 2, (rule,)),))


HOT = Signal("hot", 2, ())
BINARY = Signal("binary", 3, (), coding="binary")
UPPER = Level((LAST, COUNT), (HOT, BINARY))


@pytest.mark.parametrize(
    "levels, message",
    [
        ([Level((Reset("", 2, ()),))], "the name '' is empty or used twice"),
        ([Level((LAST,)), Level((LAST,))], "the name 'last' is empty or used twice"),
        ([Level((LAST,), (Signal("last", 2, ()),))], "the name 'last' is empty or used twice"),
        ([Level((Reset("none", 0, ()),))], "'none' has 0 values"),
        ([Level((), (Signal("none", 0, ()),))], "'none' has 0 values"),
        ([Level((Reset("late", 2, (), initial=2),))], "'late' starts at 2"),
        ([Level((Permutation("early", 2, (), initial=-1),))], "'early' starts at -1"),
        ([Level((), (Signal("odd", 2, (), coding="gray"),))], "signal 'odd' has coding 'gray'"),
        ([register(In({"c"}))], "a rule of 'bad' names the symbol 'c'"),
        ([register(In({EOS}))], "a rule of 'bad' names the symbol '<eos>'"),
        ([register(then=Add(1))], "a rule of 'bad' has the action Add(amount=1), which a Reset cannot do"),
        ([register(then=Permute((1, 0)))], "which a Reset cannot do"),
        ([register(then=Add(1), kind=Permutation)], "which a Permutation cannot do"),
        ([UPPER, register(then=Copy("last"), kind=Counter)], "which a Counter cannot do"),
        ([register(then=Set(2))], "a rule of 'bad' sets it to 2"),
        ([register(then=Set(-1))], "a rule of 'bad' sets it to -1"),
        ([register(then=Permute((0, 0)), kind=Permutation)], "(0, 0), which is not a permutation of 0..1"),
        ([register(then=Permute((0,)), kind=Permutation)], "(0,), which is not a permutation of 0..1"),
        (
            [register(Is("last", 0)), Level((LAST,))],
            "a rule of 'bad' reads 'last', which is not a register or signal of an upper level",
        ),
        ([register(Is("bad", 0))], "a rule of 'bad' reads 'bad'"),
        ([Level((LAST, Reset("peer", 2, (Rule((Is("last", 1),), Set(1)),))))], "a rule of 'peer' reads 'last'"),
        ([register(then=Copy("nowhere"))], "a rule of 'bad' reads 'nowhere'"),
        ([Level((), (Signal("x", 2, (Rule((Is("y", 1),), Set(1)),)), Signal("y", 2, ())))], "a rule of 'x' reads 'y'"),
        ([UPPER, register(then=Copy("count"))], "a rule of 'bad' copies 'count', whose values do not fit"),
        ([UPPER, register(then=Copy("binary"))], "a rule of 'bad' copies 'binary', whose values do not fit"),
        ([UPPER, register(Is("hot", 1, before=True))], "'hot' before this step, but a signal has no memory"),
        ([UPPER, register(then=Copy("binary", before=True))], "'binary' before this step"),
        ([UPPER, register(AtLeast("last", 1))], "does not fit a Reset"),
        ([UPPER, register(Bit("count", 0))], "does not fit a Counter"),
        ([UPPER, register(Is("last", 2))], "asks whether 'last' is 2, which it never is"),
        ([UPPER, register(Is("hot", -1))], "asks whether 'hot' is -1"),
        ([UPPER, register(Bit("last", 1))], "reads bit 1 of 'last', which has 1"),
        ([UPPER, register(Bit("last", 0, 2))], "asks whether a bit of 'last' is 2"),
        ([UPPER, register(Bit("hot", 0))], "reads a bit of 'hot', which is coded one-hot"),
    ],
)
def test_what_is_wrong_is_named(levels, message):
    with pytest.raises(InputError) as caught:
        cascade(*levels)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "alphabet, outputs, emissions, message",
    [
        ((), (ACCEPT,), (), "the alphabet is empty"),
        (("a", "a"), (ACCEPT,), (), "symbol 'a' occurs twice"),
        (("a", "b"), ("b", "a", EOS), (), "outputs are either (ACCEPT,) or its alphabet followed by EOS"),
        (("a", "b"), (ACCEPT,), (Emit((), {EOS}),), "an emission gives '<eos>'"),
        (("a", "b"), ("a", "b", EOS), (Emit((), {"c"}),), "an emission gives 'c'"),
        (("a", "b"), (ACCEPT,), (Emit((Is("nowhere", 1),), {ACCEPT}),), "an emission reads 'nowhere'"),
        (("a", "b"), (ACCEPT,), (Emit((In({"x"}),), {ACCEPT}),), "an emission names the symbol 'x'"),
    ],
)
def test_wrong_alphabets_outputs_and_emissions_are_named(alphabet, outputs, emissions, message):
    with pytest.raises(InputError) as caught:
        Cascade(alphabet, (Level((LAST,)) if "b" in alphabet else Level(),), outputs, emissions)
    assert message in str(caught.value)
