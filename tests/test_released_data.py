"""The released validation files against the definitions of the catalogue, prefix by prefix.

Files agree with the definitions but for two conventions of theirs, which are pinned here exactly:

* ``{0,1,2}*02*`` is labelled as ``{0,1,2}*02+``: right after a 0 the files say that the string may not end;
* Tomita-3 treats the state "an odd run of 1s, then an odd run of 0s" as dead, though one more 0 saves the word: a 0
  that leads there is labelled illegal, and the file's own strings take it 4,050 times.
"""

from __future__ import annotations

from typing import Callable

import numpy as np
import pytest

from automata.catalogue import language
from automata.dfa import DFA
from automata.machine import EOS
from automata.machines.bounded_dyck import DyckMachine
from automata.notation.expressions import regex_to_dfa

Label = Callable[[DFA, int, str], str]
"""The label of a prefix, from its state and its last symbol."""


def next_symbols(dfa: DFA, state: int, symbol: str) -> str:
    """One bit for each symbol: whether it may come next."""
    return "".join(str(int(follower in dfa.legal(state))) for follower in dfa.alphabet)


def membership(dfa: DFA, state: int, symbol: str) -> str:
    return str(int(dfa.accepts(state)))


def end_or_continue(dfa: DFA, state: int, symbol: str) -> str:
    return "e" if dfa.accepts(state) else "c"


def other_symbol(dfa: DFA, state: int, symbol: str) -> str:
    """What may come next besides the last symbol, T for the end."""
    (other,) = dfa.legal(state) - {symbol}
    return "T" if other == EOS else other


CONVENTIONS: dict[str, Label] = {
    **dict.fromkeys(["Tomita-1", "Tomita-2", "Tomita-3", "Tomita-4", "Tomita-7"], next_symbols),
    **dict.fromkeys(["D-2", "D-3", "D-4", "D-12", "ABStar_D_BCStar"], next_symbols),
    **dict.fromkeys(["Tomita-5", "Tomita-6", "Parity", "AAStar", "AAAAStar", "ABABStar"], membership),
    "012Star_0_2Star": end_or_continue,
    "AAStarBBStarCCStarDDStarEEStar": other_symbol,
}


class Released:
    """All prefixes of a file's strings: the last symbol, the state after it, the file's label."""

    def __init__(self, folder, dfa: DFA):
        words = (folder / "val_src_bin0.txt").read_text().splitlines()
        targets = (folder / "val_tgt_bin0.txt").read_text().splitlines()
        assert len(words) == len(targets) > 0
        lengths = np.array([len(word) for word in words])
        padded = np.zeros((len(words), lengths.max()), dtype=np.int64)
        inside = np.arange(lengths.max()) < lengths[:, None]
        padded[inside] = dfa.encode("".join(words))
        states = dfa.run_batch(padded)
        self.dfa = dfa
        self.symbols = padded[inside]
        self.states = states[:, 1:][inside]
        self.width = len(targets[0]) // len(words[0])
        assert all(len(target) == self.width * len(word) for word, target in zip(words, targets))
        self.labels = np.array(list("".join(targets))).reshape(-1, self.width)

    def expected(self, label: Label) -> np.ndarray:
        """The labels that the definition gives, in the shape of the file's: one table look-up for each prefix."""
        dfa = self.dfa
        table = np.full((dfa.states, len(dfa.alphabet), self.width), "?")
        for state, symbol in set(zip(self.states.tolist(), self.symbols.tolist())):
            table[state, symbol] = list(label(dfa, state, dfa.alphabet[symbol]))
        return table[self.states, self.symbols]

    def disagreements(self, label: Label) -> np.ndarray:
        """The prefixes, by index, at which file and definition differ."""
        return np.flatnonzero((self.labels != self.expected(label)).any(axis=1))


@pytest.fixture(scope="module")
def released(shared_data):
    """A function from a folder's name to its file and its language's convention."""
    return lambda name: Released(shared_data(f"released/{name}"), language(name).dfa())


@pytest.mark.parametrize("name", [name for name in CONVENTIONS if name not in ("Tomita-3", "012Star_0_2Star")])
def test_every_label_agrees(released, name):
    assert len(released(name).disagreements(CONVENTIONS[name])) == 0


@pytest.mark.parametrize("name", CONVENTIONS)
def test_labels_are_asked_on_prefixes_of_words_alone(released, name):
    data = released(name)
    assert data.dfa.live[data.states].all()


@pytest.mark.parametrize(
    "name, other", [("D-4", "d-3"), ("Tomita-5", "parity"), ("Tomita-7", "tomita-4"), ("AAAAStar", "aa-star")]
)
def test_another_language_disagrees(shared_data, name, other):
    data = Released(shared_data(f"released/{name}"), language(other).dfa())
    assert len(data.disagreements(CONVENTIONS[name])) > 0


def test_the_012_file_is_about_another_language(released, shared_data):
    data = released("012Star_0_2Star")
    wrong = data.disagreements(end_or_continue)
    # All of the prefixes that end in 0, and no others: the file says "continue", the definition "may end".
    assert np.array_equal(wrong, np.flatnonzero(data.symbols == data.dfa.index["0"]))
    assert (len(wrong), len(data.states)) == (18_919, 75_209)
    assert (data.labels[wrong] == "c").all()
    plus = Released(shared_data("released/012Star_0_2Star"), regex_to_dfa("[012]*02+"))
    assert len(plus.disagreements(end_or_continue)) == 0


def test_the_tomita_3_file_calls_a_live_state_dead(released):
    data = released("Tomita-3")
    dfa = data.dfa
    odd_odd = dfa.run_batch(dfa.encode("10")[None])[0, -1]
    assert dfa.live[odd_odd] and not dfa.accepts(odd_odd)
    wrong = data.disagreements(next_symbols)
    # All of the prefixes after which a 0 leads into that state, and no others.
    assert np.array_equal(wrong, np.flatnonzero(dfa.table[data.states, dfa.index["0"]] == odd_odd))
    assert (len(wrong), len(data.states)) == (27_234, 90_464)
    assert (data.labels[wrong] == list("01")).all() and (data.expected(next_symbols)[wrong] == list("11")).all()
    # The strings go where the labels say they cannot: they pass through the state, and are alive there.
    assert int((data.states == odd_odd).sum()) == 4_050


@pytest.mark.parametrize("file, depth", [("k8_m5.dev", 5), ("k8_m10.dev", 10)])
def test_bounded_dyck_strings_are_words_of_that_depth(shared_data, file, depth):
    """Every line is a word, legal at every prefix; some line reaches the depth, so a smaller one is refuted."""
    machine = DyckMachine(8, depth)
    deepest = 0
    for line in shared_data(f"bounded-dyck/{file}").read_text().splitlines():
        *word, end = line.split()
        assert end == "END"
        state = machine.initial
        for symbol in word:
            assert symbol in machine.legal(state)
            state = machine.step(state, symbol)
            deepest = max(deepest, len(state))
        assert machine.accepts(state)
    assert deepest == depth
