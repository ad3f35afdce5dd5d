"""Planted faults in the proof by search and in the verdicts that it gives."""

from .fault import Fault

_SEARCH = "verify/methods/bisimulation.py"
_VERDICT = "verify/verdict.py"
_CACHES = "verify/methods/cache.py"

FAULTS = [
    Fault(
        _CACHES,
        "        if classes <= claim.limit:\n",
        "        if classes < claim.limit:\n",
        "tests/test_cache_limit.py",
        "a search that the limit allows to close is not cut short",
    ),
    Fault(
        _CACHES,
        "min(claim.limit, HOPELESS_LIMIT)",
        "claim.limit",
        "tests/test_cache_limit.py",
        "a search that cannot close is cut short",
    ),
    Fault(
        _SEARCH,
        (
            "        if (wrong := self._compare(machines, outputs)) is not None:\n  "
            "          return self._refuted(-1, (), *wrong)\n"
        ),
        "",
        "tests/test_bisimulation.py",
        "the outputs after the empty word are compared",
    ),
    Fault(
        _SEARCH,
        "self.interned.table()[expected] != outputs.table",
        "~self.interned.table()[expected] & outputs.table",
        "tests/test_bisimulation.py",
        "an output that is expected and not given is a disagreement",
    ),
    Fault(
        _SEARCH,
        "legal = self.machine.legal(state) if self.mode == PREDICTIVE else self.alphabet",
        "legal = self.machine.legal(state) if self.mode == PREDICTIVE else self.alphabet[:1]",
        "tests/test_bisimulation.py",
        "in recognition every symbol is followed",
    ),
    Fault(
        _SEARCH,
        "if self.count > limit:",
        "if self.count > limit + 1:",
        "tests/test_bisimulation.py",
        "the limit is the number of joint states kept",
    ),
    Fault(
        _SEARCH,
        "return not self.machine.accepts(state) and all(",
        "return all(",
        "tests/test_bisimulation.py",
        "only a state that rejects may end the search",
        equivalent=(
            "outputs are compared before a pair may end the search, and a "
            "row that rejects for ever disagrees there "
            "with a state that accepts"
        ),
    ),
    Fault(
        _SEARCH,
        "for number in machines.tolist()], dtype=bool) & self.absorbed(rows)",
        "for number in machines.tolist()], dtype=bool)",
        "tests/test_bisimulation.py",
        "a pair ends the search only where the model's row is shown to reject for ever",
    ),
    Fault(
        _SEARCH,
        "for number in machines.tolist()], dtype=bool) & self.absorbed(rows)",
        "for number in machines.tolist()], dtype=bool) | self.absorbed(rows)",
        "tests/test_bisimulation.py",
        "a pair ends the search only where the machine rejects for ever",
    ),
    Fault(
        _VERDICT,
        "return next(status for status in (1, 3, 0) if status in statuses)",
        "return next(status for status in (3, 1, 0) if status in statuses)",
        "tests/test_bisimulation.py",
        "one refuted check among several makes the whole refuted",
    ),
    Fault(
        _VERDICT,
        "if (self.outcome == REFUTED) != (self.witness is not None or self.pair is not None):",
        "if False:",
        "tests/test_bisimulation.py",
        "a refutation shows a string, and nothing else does",
    ),
]
