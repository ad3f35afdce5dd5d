"""For the tests of other projects: random languages, words and models, corruptions, and an assertion that proves.

The strategies are Hypothesis's, which the extra ``testing`` installs; what is drawn shrinks and prints as Python::

    from hypothesis import given
    from verify.testing import assert_proved, dfas, words

    @given(dfas("ab"))
    def test_my_compiler(dfa):
        assert_proved(dfa, my_compiler(dfa))

Names are imported when they are first asked for (PEP 562): the assertion and the corruptions need no Hypothesis.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verify.testing.asserting import answer, assert_proved
    from verify.testing.corruption import corrupt, corruptions
    from verify.testing.strategies import cascades, corrupted, dfas, models, ssm_of, words

_HOME = {
    **{name: "strategies" for name in ("cascades", "corrupted", "dfas", "ssm_of", "models", "words")},
    **{name: "corruption" for name in ("corrupt", "corruptions")},
    **{name: "asserting" for name in ("answer", "assert_proved")},
}
"""Which module of this package each public name is in."""

__all__ = [
    "answer",
    "assert_proved",
    "cascades",
    "corrupt",
    "corrupted",
    "corruptions",
    "dfas",
    "ssm_of",
    "models",
    "words",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
