"""Parts of a model as the Python that makes them again."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

import numpy as np
from scipy import sparse

SHOWN_WEIGHTS = 5_000
"""A map or a model of up to so many weights, zeros among them, is shown as the Python that makes it again."""


def constructor(part: Any, **shown: Any) -> str:
    """The call that makes a dataclass again, arrays as lists and defaults left out.

    A matrix without rows, whose columns no list can tell, is a ``sparse.csr_array`` of its shape.

    Args:
        part: the object.
        shown: stand for fields that are shown otherwise.
    """
    arguments = []
    for member in fields(part):
        value = shown.get(member.name, getattr(part, member.name))
        if isinstance(value, sparse.csr_array):
            arguments.append(f"{member.name}=sparse.csr_array({value.shape})")
        elif isinstance(value, np.ndarray):
            arguments.append(f"{member.name}={value.tolist()}")
        elif member.default is MISSING or value != member.default:
            arguments.append(f"{member.name}={value!r}")
    return f"{type(part).__name__}({', '.join(arguments)})"


def integers_if_empty(numbers: Any) -> np.ndarray:
    """The numbers as an array; a list without any says nothing of their type, and they are integers."""
    array = np.asarray(numbers)
    return array if array.size else array.astype(np.int64)
