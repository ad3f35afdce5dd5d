"""Has a step of a model divided by 0?

Two runs that are the same but for the sign of zeros are so to the end, unless one divides by a zero, or takes its
logarithm.  A processor keeps note of that, in whatever operation of whatever kernel it happens, until the note is
taken back; to look at every operation of torch takes four times as long as the step.
"""

from __future__ import annotations

import ctypes
import ctypes.util

import torch

from verify.numbers.boxes import NotCovered

_ALL = 0x3F
"""Notes of any processor are among these bits, or it is not relied on."""


class ZeroDivisions:
    """The processor's note that something was divided by 0, in the thread that steps a model.

    Raises:
        NotCovered: where no note is seen of such a division, short or long, or one is seen of another division, or
            torch uses several threads.
    """

    def __init__(self) -> None:
        if torch.get_num_threads() != 1:
            raise NotCovered(
                "torch uses several threads, each with a note of its own of divisions by 0: set OMP_NUM_THREADS=1"
            )
        name = ctypes.util.find_library("m")
        if name is None:
            raise NotCovered("there is no library that reads the processor's note of divisions by 0")
        self._library = ctypes.CDLL(name)
        self._bits = _ALL
        plain = 0
        for size in (1, 5, 64):
            plain |= self._notes(size, 3.0)
        for size in (1, 5, 64):
            self._bits &= self._notes(size, 0.0) & ~plain
        if not self._bits:
            raise NotCovered("the processor keeps no note of divisions by 0")

    def forget(self) -> None:
        """Takes the note back."""
        self._library.feclearexcept(_ALL)

    def seen(self) -> bool:
        """Whether it was made since then."""
        return bool(self._library.fetestexcept(_ALL) & self._bits)

    def _notes(self, size: int, divisor: float) -> int:
        one, by = torch.ones(size), torch.full((size,), divisor)
        self.forget()
        _ = one / by
        return int(self._library.fetestexcept(_ALL))
