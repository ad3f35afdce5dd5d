"""Small Mambas that ``train`` made, kept beside the tests: ``trained/NAME`` is a checkpoint with its training.json."""

from __future__ import annotations

from pathlib import Path

TRAINED = Path(__file__).resolve().parent / "trained"

PROVED = (
    "flip-flop-sharp",
    "flip-flop-2-sharp",
    "flip-flop-n16-sharp",
    "d-2-sharp",
    "tomita-1",
    "tomita-2",
    "tomita-4",
    "tomita-7-sharp",
    "abstar-d-bcstar-sharp",
    "012star-0-2star-sharp-s1",
    "aabbccddee-sharp",
    "dyck-2-2-sharp-s1",
    "d-2-2-sharp",
    "tomita-7-2-sharp",
    "abstar-d-bcstar-2-sharp",
)
"""Right at every length in float32; ``-sharp`` have gates of exactly 0 and 1, ``-2`` two blocks, ``-n16``
16 numbers in each channel, ``-s1`` the second seed."""

WRONG = {
    "flip-flop": ["w", "1", *["i", "0"] * 19, "r"],
    "flip-flop-long": ["w", "0", *["i", "1"] * 64, "r"],
    "parity": ["1", "0", "1", "1"],
    "aa-star": ["a"] * 8,
    "tomita-3": [*"111110"],
    "d-2": [*"aab", *"ab" * 57, "a"],
    "tomita-7": [*"0" * 77, "1", "1"],
    "abstar-d-bcstar": ["d", *"c" * 257, "b", "b"],
}
"""Plainly trained, with a string after which each is wrong, though most are right on random strings of the lengths of
training: what has to be held fades.  ``-long`` was trained on strings of up to 500 symbols.
"""


def trained(name: str) -> Path:
    """The folder of a model."""
    return TRAINED / name
