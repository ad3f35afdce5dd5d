"""Sizes: long chains, many symbols, long strings; what is too large is refused by name, with the option that helps."""

import time
import tracemalloc

import numpy as np
import pytest
from alone import alone

from automata.algebra.holonomy import Skeleton
from automata.algebra.monoid import TransitionMonoid
from automata.catalogue import language
from automata.dfa import DFA, TRANSITIONS_PER_STATE
from automata.errors import LimitError
from automata.machine import ACCEPT, MODES, PREDICTIVE, RECOGNISE
from automata.machines.bounded_dyck import DyckMachine
from automata.notation.expressions import regex_to_dfa
from constructions.cascade import Cascade, Emit, In, Is, Level, Reset, Rule, Set, Signal
from constructions.compile.krohn_rhodes import holonomy_cascade
from constructions.compile.smaller import Limits, cascades_of, compile_dfa
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.paper.counters import counter_cascade
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.features import AffineForm, Feature, Placement
from constructions.ssm.lowering import lower
from constructions.ssm.target import runs
from verify import progress as progress_module
from verify.__main__ import main
from verify.evidence.sampling import RandomWord, check_words, random_streams, random_words
from verify.methods.bisimulation import Stepwise, bisimulation
from verify.methods.sticky import find_sticky
from verify.progress import Progress
from verify.proving import naming_the_limit
from verify.verdict import PROVED, REFUTED, TESTED, UNDECIDED

EXACT = Arithmetic("exact")


def error_of(capsys, *arguments):
    """The one line of an error; a line of progress before it was erased."""
    assert main(list(arguments)) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    return captured.err.rpartition("\r")[2]


# -- features carried down many layers ------------------------------------------------------------------


def test_a_feature_is_carried_down_ten_thousand_layers_and_once_only():
    placement = Placement(("a", "<bos>"))
    feature = Feature("bit", AffineForm((((-1, 0), 1),)), 1)
    deep = 20_000
    read = placement.read(feature, deep)
    assert read.terms == (((deep - 2, 0), 1),)
    placed = sum(map(len, placement.neurons.values()))
    # The first mix of its layer, since the coordinate is visible there alone, and the second of each layer below.
    assert sorted(placement.neurons) == [1, *range(2, deep, 2)] and placed == deep // 2
    assert placement.read(feature, deep) == read and placement.read(feature, deep - 1) == read
    assert sum(map(len, placement.neurons.values())) == placed


def test_a_second_mix_of_the_same_layer_has_a_coordinate_carried_by_the_first():
    placement = Placement(("a", "<bos>"))
    feature = Feature("bit", AffineForm((((-1, 0), 1),)), 1)
    assert placement.read(feature, 1) == feature.expression
    assert placement.read(feature, 2).terms == (((1, 0), 1),) and list(placement.neurons) == [1]


def test_a_feature_cannot_be_read_before_it_is_ready():
    with pytest.raises(AssertionError, match="not ready"):
        Placement(("a", "<bos>")).read(Feature("late", AffineForm((((4, 0), 1),)), 5), 4)


def test_equal_neurons_of_one_slot_are_one():
    placement = Placement(("a", "<bos>"))
    expression = AffineForm((((0, 0), 1),), -1)
    first = placement.neuron("one", 1, expression)
    assert placement.neuron("two", 1, expression) is first and placement.neuron("three", 2, expression) is not first


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("arithmetic", ["fixed:1", "float32"])
def test_a_register_that_is_read_a_thousand_levels_below(mode, arithmetic):
    """Levels of one latch each: the last one is set by the first, read far below where it was made."""
    levels = [Level((Reset("first", 2, (Rule((In({"a"}),), Set(1)),)),))]
    levels += [Level((Reset(f"latch {i}", 2, (Rule((In({"b"}),), Set(1)),)),)) for i in range(1100)]
    levels.append(Level((Reset("last", 2, (Rule((In({"b"}), Is("first", 1)), Set(1)),)),)))
    outputs = (ACCEPT,) if mode == RECOGNISE else ("a", "b", "<eos>")
    given = {ACCEPT} if mode == RECOGNISE else {"a"}
    cascade = Cascade(("a", "b"), tuple(levels), outputs, (Emit((Is("last", 1),), given),))
    engine = Engine(lower(cascade, Arithmetic.parse(arithmetic)))
    assert len(engine.ssm.layers) == 1102
    for word, answer in (("bab", given), ("bbb", set()), ("ab", given), ("ba", set())):
        _, out = engine.advance(engine.begin(1)[0], engine.encode(word))
        assert engine.names(out.dense()[0, -1]) == answer


def given_after(cascade, arithmetic, word):
    """What the weights give after BOS and each symbol."""
    engine = Engine(lower(cascade, Arithmetic.parse(arithmetic)))
    state, first = engine.begin(1)
    _, outputs = engine.advance(state, engine.encode(word))
    return [engine.names(row) for row in (first.dense()[0, 0], *outputs.dense()[0])]


def test_a_register_waits_for_a_chain_of_signals():
    """Each signal is an AND with the one before it, so one slot later; the register is read and set below all."""
    bits = Level(tuple(Reset(f"bit {i}", 2, (Rule((In({s}),), Set(1)),)) for i, s in enumerate("abc")))
    signals, below = [], Is("bit 0", 1)
    for i in range(9):
        signals.append(Signal(f"signal {i}", 2, (Rule((below, Is(f"bit {1 + i % 2}", 1)), Set(1)),)))
        below = Is(f"signal {i}", 1)
    levels = (bits, Level((), tuple(signals)), Level((Reset("last", 2, (Rule((below,), Set(1)),)),)))
    cascade = Cascade(tuple("abc"), levels, (ACCEPT,), (Emit((Is("last", 1),), {ACCEPT}),))
    assert given_after(cascade, "exact", "abbcaa") == [set()] * 4 + [{ACCEPT}] * 3


@pytest.mark.parametrize("arithmetic", ["fixed:1", "float32"])
@pytest.mark.parametrize("before", [False, True])
def test_a_register_starts_at_its_initial_value(arithmetic, before):
    register = Reset("bit", 2, (Rule((In({"a"}),), Set(0)),), initial=1)
    cascade = Cascade(tuple("ab"), (Level((register,)),), (ACCEPT,), (Emit((Is("bit", 1, before),), {ACCEPT}),))
    late = [{ACCEPT}] * before
    assert given_after(cascade, arithmetic, "bab") == [{ACCEPT}, {ACCEPT}, *late, set(), *[set()] * (not before)]


def test_a_negated_set_of_symbols():
    placement = Placement(("a", "b", "<bos>"))
    only_a = placement.symbol_feature("a", frozenset({(0, 1)}))
    assert placement.conjunction("not a", [(only_a, False)]).table == {(1, 1), (2, 1)}
    assert placement.conjunction("a", [(only_a, True)]).table == {(0, 1)}


# -- long chains ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expression, mode",
    [
        ("a{1100}", PREDICTIVE),
        ("[ab]{1100}", RECOGNISE),
        pytest.param("(ab){550}", PREDICTIVE, marks=pytest.mark.slow),
        pytest.param("(ab){550}", RECOGNISE, marks=pytest.mark.slow),
    ],
)
def test_chains_of_a_thousand_states_are_counters(expression, mode):
    dfa = regex_to_dfa(expression)
    cascade, route = compile_dfa(dfa, mode, limits=Limits(image_sets=50, thorough=1000))
    assert route.name == "counter" and route.bits <= 12
    engine = Engine(lower(cascade, Arithmetic("fixed", 1)))
    # A recogniser's counter drifts after a violation, which one register keeps.
    verdict = bisimulation(dfa, engine, mode, absorbed=find_sticky(engine) if mode == RECOGNISE else None)
    assert verdict.outcome == PROVED and verdict.explored["machine states"] >= 1101


def test_beyond_the_limit_only_a_counter_is_looked_for():
    dfa = regex_to_dfa("(a|bb){3}")
    assert (
        compile_dfa(dfa, PREDICTIVE, limits=Limits(thorough=dfa.states))[1].reason
        == compile_dfa(dfa, PREDICTIVE)[1].reason
    )
    dfa = language("tomita-7").dfa()
    assert compile_dfa(dfa, PREDICTIVE, limits=Limits(thorough=dfa.states))[1].name == "quotient"
    _, route = compile_dfa(dfa, PREDICTIVE, limits=Limits(thorough=dfa.states - 1))
    assert route.name == "holonomy" and f"beyond {dfa.states - 1} states" in route.reason


@pytest.mark.slow
def test_a_holonomy_cascade_of_a_thousand_levels(capsys):
    assert main(["starfree", "--regex", "a{1100}", "--route", "holonomy", "--strings", "5", "--quiet"]) == 0
    assert "proof: proved: every layer does its part" in capsys.readouterr().out


def test_too_many_levels_are_refused_by_name(capsys):
    options = ("starfree", "--regex", "a{30}", "--route", "holonomy", "--strings", "0")
    assert "has 31 levels, more than 30: raise the limit (--levels) to go on" in error_of(
        capsys, *options, "--levels", "30"
    )
    assert main([*options, "--levels", "31", "--quiet"]) == 0
    with pytest.raises(LimitError) as raised:
        compile_dfa(regex_to_dfa("a{30}"), PREDICTIVE, "holonomy", Limits(levels=30))
    assert raised.value.limit == "levels"


def no_search(*_):
    raise AssertionError("searched again")


def test_what_stopped_the_search_for_image_sets_is_raised_again(monkeypatch):
    dfa = regex_to_dfa("(a|bb){3}").minimise()
    with pytest.raises(LimitError) as first:
        Skeleton.of(dfa, 2)
    monkeypatch.setattr(Skeleton, "__init__", no_search)
    for route in ("auto", "holonomy"):
        with pytest.raises(LimitError, match="more than 2 image sets") as again:
            next(cascades_of(dfa, PREDICTIVE, route == "holonomy", Limits(image_sets=2, thorough=0)))
        assert again.value is first.value
    with pytest.raises(AssertionError, match="searched again"):
        Skeleton.of(dfa, 3)


def test_a_skeleton_that_is_known_is_not_searched_for_again(monkeypatch):
    dfa = regex_to_dfa("(ab)*").minimise()
    skeleton = Skeleton.of(dfa)
    monkeypatch.setattr(Skeleton, "__init__", no_search)
    assert next(cascades_of(dfa, PREDICTIVE, True))[0] == holonomy_cascade(dfa, PREDICTIVE, skeleton)
    # A smaller limit than it was found with is a limit still.
    with pytest.raises(AssertionError, match="searched again"):
        Skeleton.of(dfa, skeleton.large - 1)


def test_image_sets_of_a_large_automaton():
    skeleton = Skeleton(regex_to_dfa("a{300}"))
    assert skeleton.levels == 301 and [skeleton.size[i] for i in range(3)] == [302, 301, 300]
    assert skeleton.members(1) == tuple(range(1, 302)) and skeleton.aperiodic


# -- limits and their options ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            ("starfree", "--regex", "(a|b)*a(a|b){9}", "--unminimised", "500"),
            "more than 500 reachable states; raise the limit (--unminimised) to go on",
        ),
        (
            ("describe", "--ltl", "Y Y Y Y Y a", "--unminimised", "20", "--alphabet", "ab"),
            "more than 20 reachable states; raise the limit (--unminimised)",
        ),
        (("describe", "--language", "dyck-2-9", "--unminimised", "900"), "raise the limit (--unminimised)"),
        (
            ("describe", "--language", "dyck-300-2", "--unminimised", "90"),
            "more than 15 reachable states over 600 symbols; raise the limit (--unminimised)",
        ),
        (
            ("describe", "--language", "d-100001"),
            "N is 100001, expected from 1 to 100000: raise the limit (--most) to go on",
        ),
        (("describe", "--language", "d-13", "--most", "12"), "expected from 1 to 12: raise the limit (--most)"),
        (
            ("describe", "--language", "dyck-5-2", "--most", "4"),
            "K is 5, expected from 1 to 4: raise the limit (--most)",
        ),
        (
            ("describe", "--language", "d-12", "--image-sets", "5"),
            "more than 5 image sets: raise the limit (--image-sets) to go on",
        ),
        (
            ("starfree", "--language", "d-4999"),
            "the minimal automaton has 5001 states, more than 5000: raise the limit with --states to go on",
        ),
    ],
)
def test_the_option_that_raises_a_limit_is_named(capsys, arguments, message):
    error = error_of(capsys, *arguments)
    assert message in error and len(error) <= 401


def test_a_limit_is_reached_exactly():
    dfa = regex_to_dfa("(a|b)*a(a|b){3}")
    assert DFA.from_machine(dfa, dfa.states).states == dfa.states
    with pytest.raises(LimitError) as raised:
        DFA.from_machine(dfa, dfa.states - 1)
    assert raised.value.limit == "unminimised"
    monoid = TransitionMonoid(regex_to_dfa("(ab)*"))
    assert len(TransitionMonoid(regex_to_dfa("(ab)*"), len(monoid))) == len(monoid)
    with pytest.raises(LimitError) as raised:
        TransitionMonoid(regex_to_dfa("(ab)*"), len(monoid) - 1)
    assert raised.value.limit == "monoid"


def test_symbols_beyond_a_hundred_count_as_states():
    assert TRANSITIONS_PER_STATE == 100
    machine = DyckMachine(100, 1)  # 200 symbols, 102 states
    assert DFA.from_machine(machine, 204).states == 102
    with pytest.raises(LimitError, match="more than 101 reachable states over 200 symbols"):
        DFA.from_machine(machine, 203)


def test_a_greater_number_may_be_asked_for():
    assert language("d-12", 12).dfa().states == 14
    assert len(language("shuffle-70", 70).machine.alphabet) == 140
    assert len(counter_cascade("shuffle-65", PREDICTIVE, 65).registers) == 65
    with pytest.raises(LimitError):
        counter_cascade("shuffle-65")


def test_the_command_that_repeats_names_raised_limits(capsys):
    few = ("--strings", "2", "--max-length", "4")
    assert (
        main(["starfree", "--regex", "a{3}", "--states", "6", "--auto-states", "2", "--unminimised", "77", *few]) == 0
    )
    printed = " ".join(capsys.readouterr().out.split())
    assert "--unminimised 77" in printed and "--states 6 --auto-states 2" in printed


def test_a_search_that_gave_up_says_which_option_takes_it_further(capsys):
    dyck = ["dyck", "--k", "2", "--depth", "3", "--limit", "10", "--strings", "0", "--quiet"]
    assert main([*dyck, "--method", "search"]) == 3
    assert "(limit 10)" in (out := capsys.readouterr().out) and "raise the limit with --limit" in out
    machine = DyckMachine(2, 3)
    model = Engine(lower(bounded_dyck(2, 3), EXACT))
    assert naming_the_limit(closed := bisimulation(machine, model, PREDICTIVE), 10) is closed
    stopped = bisimulation(machine, model, PREDICTIVE, limit=10)
    assert stopped.outcome == UNDECIDED and naming_the_limit(stopped, 10**9) is stopped


def test_equal_layers_are_described_together():
    assert runs(["1"] * 1100) == ["1100 × 1"] and runs("1 1 2 2 2".split()) == ["1", "1", "3 × 2"]
    long = runs(str(i) for i in range(100))
    assert len(long) == 41 and long[20] == "… (60 more)" and (long[0], long[-1]) == ("0", "99")


# -- random strings -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["valid", "arbitrary", "one-error"])
def test_a_random_word_is_the_same_each_time(kind):
    word = RandomWord(DyckMachine(2, 3), kind, 40, 7)
    assert tuple(word) == tuple(word) != tuple(RandomWord(DyckMachine(2, 3), kind, 40, 8))
    streams = [tuple(word) for word in random_streams(DyckMachine(2, 3), 9, 30, np.random.default_rng(3))]
    assert streams == list(random_words(DyckMachine(2, 3), 9, 30, np.random.default_rng(3)))


def test_a_word_longer_than_what_is_drawn_at_once(monkeypatch):
    whole = [tuple(RandomWord(DyckMachine(2, 3), kind, 100, 5)) for kind in ("valid", "arbitrary")]
    monkeypatch.setattr("verify.evidence.sampling._DRAWN", 7)
    assert whole == [tuple(RandomWord(DyckMachine(2, 3), kind, 100, 5)) for kind in ("valid", "arbitrary")]
    assert {len(tuple(RandomWord(DyckMachine(2, 3), "one-error", 100, seed))) for seed in range(40)} == {99, 100, 101}


def test_the_error_is_anywhere_in_a_walk_that_ends_early():
    """The only word is ab: with any length asked for, an error is met at each of its places."""
    single = DFA("ab", [[1, 3], [3, 2], [3, 3], [3, 3]], [2])
    met = {"".join(RandomWord(single, "one-error", 1000, seed)) for seed in range(300)}
    inserted = {"aab", "bab", "abb", "aba"}
    assert met == inserted | {"ab", "bb", "aa", "a", "b"}


def test_legal_sets_that_a_walk_keeps_are_bounded(monkeypatch):
    machine = DyckMachine(50, 2)
    whole = tuple(RandomWord(machine, "valid", 200, 3))
    monkeypatch.setattr("verify.evidence.sampling._CHOICES", 60)
    assert tuple(RandomWord(machine, "valid", 200, 3)) == whole


@alone
def test_memory_does_not_grow_with_the_length(monkeypatch):
    monkeypatch.setattr("verify.evidence.sampling._CELLS", 1 << 11)
    monkeypatch.setattr("verify.evidence.sampling._DRAWN", 1 << 9)
    machine, peaks = DFA("a", [[0]], [0]), []
    model = Stepwise(machine)
    check_words(machine, model, [["a"]], PREDICTIVE)
    for length in (6_000, 24_000):
        tracemalloc.start()
        verdict = check_words(machine, model, [RandomWord(machine, "arbitrary", length, 1)], PREDICTIVE)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert verdict.outcome == TESTED and verdict.explored["positions compared"] == length + 1
    assert peaks[1] < 1.5 * peaks[0]


def test_counts_over_chunks_of_time(monkeypatch):
    """A chunk of few positions: words end inside it, at its end, and after it."""
    monkeypatch.setattr("verify.evidence.sampling._CELLS", 16)
    machine = DyckMachine(1, 2)
    other = DyckMachine(1, 3)
    words = [["(a"] * n for n in range(4)] + [["(a", "a)"] * 4, [], ["(a", "a)"] * 2 + ["(a"] * 2]
    for mode in MODES:
        verdict = check_words(machine, Stepwise(other, mode), words, mode)
        assert verdict.explored["strings"] == 7 and verdict.explored["symbols"] == sum(map(len, words))
        assert verdict.explored["longest"] == 8
    verdict = check_words(machine, Stepwise(other), words, PREDICTIVE)
    # "((" is wrong in three words ("(((" among them, where nothing is asked any more), and after "()()((".
    assert verdict.outcome == REFUTED and verdict.explored["disagreements"] == 3
    assert verdict.witness.word == ("(a", "(a") and verdict.explored["positions compared"] == 1 + 2 + 3 + 3 + 9 + 1 + 7


def test_nothing_is_asked_after_a_dead_prefix_even_of_symbols_that_were_legal_before():
    machine = DyckMachine(1, 2)
    words = [["a)", "(a", "a)"], ["(a"] * 3 + ["a)"]]
    verdict = check_words(machine, Stepwise(machine), words, PREDICTIVE)
    assert verdict.outcome == TESTED and verdict.explored["positions compared"] == 1 + 3
    assert check_words(machine, Stepwise(machine, RECOGNISE), words, RECOGNISE).explored["positions compared"] == 4 + 5


def test_progress_tells_strings_and_symbols(monkeypatch):
    monkeypatch.setattr("verify.evidence.sampling._CELLS", 64)
    told = []

    class Listening(Progress):
        def advance(self, amount, **notes):
            told.append((amount, notes["symbols"]))

    machine = DyckMachine(1, 2)
    check_words(machine, Stepwise(machine), [["(a", "a)"] * 30, ["(a"]], PREDICTIVE, progress=Listening("strings"))
    assert sum(amount for amount, _ in told) == 2 and told[-1][1] == 61 and len(told) > 3
    assert [symbols for _, symbols in told] == sorted(symbols for _, symbols in told)


# -- progress -------------------------------------------------------------------------------------------


def test_a_phase_that_counts_nothing_shows_its_name_and_is_erased(monkeypatch, capsys):
    monkeypatch.setattr(progress_module, "DELAY", 0.01)
    monkeypatch.setattr(progress_module, "BEAT", 0.01)
    with Progress(phase="image sets") as shown:
        for _ in range(300):
            if shown._bar.last_print_t < shown._bar.start_t + 0.01:
                time.sleep(0.01)
    err = capsys.readouterr().err
    assert "image sets: 00:00" in err and err.endswith("\r") and "\n" not in err


def test_a_total_and_what_is_left_are_shown(monkeypatch, capsys):
    monkeypatch.setattr(progress_module, "DELAY", 0.0)
    monkeypatch.setattr(progress_module, "BEAT", 0.0)
    with Progress("strings", 10**12, phase="random test") as shown:
        time.sleep(0.01)
        shown.advance(10**11, symbols=5)
    err = capsys.readouterr().err
    assert "random test:" in err and "/1.00T" in err and "10%" in err and "symbols=5" in err


def test_quiet_is_quiet(monkeypatch, capsys):
    monkeypatch.setattr(progress_module, "DELAY", 0.0)
    with Progress("strings", quiet=True, phase="proof") as shown:
        shown.advance(3)
        time.sleep(0.02)
    assert capsys.readouterr().err == ""


def test_a_clock_that_stops_with_the_work():
    with pytest.raises(KeyboardInterrupt):
        with Progress(phase="lowering") as shown:
            clock = shown._clock
            raise KeyboardInterrupt
    assert not clock.is_alive()
