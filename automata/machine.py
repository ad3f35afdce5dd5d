"""The Machine protocol: everything that reads symbols and can be asked what may come next.

A DFA, a counter machine, a cascade, a state space model and a running Mamba are all machines,
so one search compares any two of them.

Two questions can be asked of a machine after each prefix (Sarrof, Veitsman, Hahn 2024, section 3):

* *predictive*: ``legal(state)``, the set of symbols that may come next, with :data:`EOS` in it when the
  prefix is itself a word of the language.  Asked only on prefixes of words.
* *recognition*: ``accepts(state)``, asked on every string.
"""

from __future__ import annotations

from typing import Any, Iterable, Protocol

BOS = "<bos>"
"""Read by every model before the first symbol, so that the empty prefix has an output."""

EOS = "<eos>"
"""The element of a legal set that says "the word may end here"."""

ACCEPT = "<accept>"
"""The single output of a recogniser."""

PREDICTIVE = "predictive"
RECOGNISE = "recognise"
MODES = (PREDICTIVE, RECOGNISE)


class Acceptor(Protocol):
    """A deterministic machine over a finite alphabet, with hashable states; all members are read only.

    ``initial`` is the state after the empty prefix; ``step`` is total on the alphabet.
    """

    @property
    def alphabet(self) -> tuple[str, ...]: ...

    @property
    def initial(self) -> Any: ...

    def step(self, state: Any, symbol: str) -> Any: ...

    def accepts(self, state: Any) -> bool: ...


class Machine(Acceptor, Protocol):
    """An acceptor that also says which symbols, and EOS, may come next."""

    def legal(self, state: Any) -> frozenset[str]: ...


def run(machine: Acceptor, symbols: Iterable[str]) -> Any:
    """The state of ``machine`` after the symbols, starting from its initial state."""
    state = machine.initial
    for symbol in symbols:
        state = machine.step(state, symbol)
    return state
