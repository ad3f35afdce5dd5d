"""A saved model of any architecture that a command is given beside a language, to be run on strings."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator, NamedTuple

from automata.errors import InputError
from automata.machine import ACCEPT, PREDICTIVE, RECOGNISE

if TYPE_CHECKING:
    from verify.impossible.random_models import Draw


class GivenModel(NamedTuple):
    """A folder, its target's name, and what runs it, whatever the seed."""

    folder: str
    target: str
    draw: Draw


def given_model(folder: str, alphabet: tuple[str, ...]) -> GivenModel:
    """The model of a folder, which answers whether a string is in a language over this alphabet.

    Raises:
        InputError: when it is no model, or one that predicts, or is of other symbols.
    """
    from constructions.target import owner

    target = owner(folder)
    if target.numbers == "dtype":
        from constructions.mamba.checkpoint import COORDINATES_FILE
        from verify.checkpoints.declared import declared_mode
        from verify.checkpoints.opening import kind_of

        # A checkpoint from elsewhere does not say what its answers are, and is asked for acceptance.
        said = (Path(folder) / COORDINATES_FILE).exists() and declared_mode(Path(folder)) == PREDICTIVE
        _check_mode(folder, PREDICTIVE if said else RECOGNISE)
        found = GivenModel(folder, kind_of(Path(folder))[1].name, lambda seed: _checkpoint(folder, alphabet))
    else:
        weights: Any = target.load(folder)
        _check_mode(folder, weights.mode)
        for symbol in sorted(set(weights.alphabet) ^ set(alphabet))[:1]:
            raise InputError(f"{folder}: symbol {symbol!r} is in the alphabet of only one of language and model")
        found = GivenModel(folder, target.name, lambda seed: target.running(weights))
    with found.draw(0):
        return found  # it can be opened, which a command should know before it prints anything


def _check_mode(folder: str, mode: str) -> None:
    if mode != RECOGNISE:
        raise InputError(
            f"--model {folder}: it predicts, and is asked what it accepts; `check {folder}` asks the other"
        )


@contextmanager
def _checkpoint(folder: str, alphabet: tuple[str, ...]) -> Iterator[Any]:
    from constructions.mamba.reading import Reading
    from constructions.mamba.surroundings import transformers_ready
    from verify.checkpoints.opening import open_checkpoint

    with transformers_ready():
        yield open_checkpoint(Path(folder), alphabet, (ACCEPT,), Reading()).model
