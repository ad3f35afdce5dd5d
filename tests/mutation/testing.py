"""Planted faults in what tests of other projects use: the assertion, the words, the corruptions."""

from .fault import Fault

_ASSERTING, _STRATEGIES, _CORRUPTION, _DFA = (
    "verify/testing/asserting.py",
    "verify/testing/strategies.py",
    "verify/testing/corruption.py",
    "automata/dfa.py",
)
_TESTS = "tests/test_testing.py::"

FAULTS = [
    Fault(
        _ASSERTING,
        "    if verdict.outcome != PROVED:\n",
        "    if verdict.outcome == REFUTED:\n",
        _TESTS + "test_evidence_is_no_proof",
        "what is undecided is no proof",
    ),
    Fault(
        _STRATEGIES,
        "        word += _completion(machine, state)\n",
        "        pass\n",
        _TESTS + "test_words_are_of_their_kind",
        "a member is a word of the language",
    ),
    Fault(
        _CORRUPTION,
        "    return tuple({0, -value, value + 1} - {value})\n",
        "    return tuple({0, -value} - {value})\n",
        _TESTS + "test_each_corruption_changes_one_number_and_names_it",
        "a weight is made larger by one, too",
    ),
    Fault(
        _DFA,
        'initial = f", initial={self.initial}" if self.initial else ""',
        'initial = ""',
        _TESTS + "test_an_automaton_prints_as_the_call_that_makes_it",
        "an automaton prints with its initial state",
    ),
]
