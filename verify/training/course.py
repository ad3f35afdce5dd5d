"""A whole training: begin or go on, step by step, save, and measure at the end."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from transformers import MambaForCausalLM

from automata.errors import InputError
from automata.machine import Machine
from verify.progress import NO_PROGRESS, Progress
from verify.training.folder import Record, read_record, read_state, write_training
from verify.training.interrupts import Deferred
from verify.training.loop import Training, percent_right
from verify.training.models import compiled_model, fresh_model, perturb, stored_model
from verify.training.protocol import COMPILED, RANDOM, Protocol
from verify.training.strings import (
    CHUNK,
    LONG,
    TRAINING_FILE,
    VALIDATION_FILE,
    GivenStrings,
    OwnStrings,
    Source,
    Strings,
    Walker,
    overlap,
    read_words,
)

SAVED_EVERY = 5.0
"""Seconds after which what is done so far is saved."""

IN_A_BIN, OF_LONG_ONES = 200, (60, 20)
"""That validate: in each bin, and of each of the long lengths."""

_WARM, _TIMED = 3, 24
_VALIDATION = 0xFFFFFFFF

_CARD = """---
library_name: transformers
pipeline_tag: text-generation
tags: [mamba, formal-languages, trained]
---

# A Mamba trained on {title}

{parameters} parameters, {steps} steps{sharp}.  `training.json` says how it was trained, and how often it is right.
A symbol may come next when its logit is positive; the string may end when the logit of `<eos>` is.
`python -m verify check .` proves it right at every length, or looks for a string that it gets wrong.
"""


@dataclass(frozen=True)
class Course:
    """What is trained on what.

    Attributes:
        machine: the language.
        title: names it.
        language: the text of ``language.json``.
        protocol: how.
        released: the folder of strings of this language in a released data set; None for own walks.
        origin: the checkpoint that is trained on; empty where none is.
        seconds: of CPU time; the number of steps is then what fits into them.
    """

    machine: Machine
    title: str
    language: str
    protocol: Protocol
    released: Path | None = None
    origin: str = ""
    seconds: float | None = None

    def fits(self, record: Record) -> bool:
        """Whether the record is one of this training."""
        asked = self.protocol
        if self.seconds is not None:
            asked = replace(asked, steps=record.protocol.steps)
        found = (record.protocol, record.language.strip(), record.origin)
        return found == (asked, self.language.strip(), self.origin)


@dataclass(frozen=True)
class Measured:
    """Strings that validate.

    Attributes:
        name: their lengths.
        bin: its number, where it is one of the bins of validation, the first of the lengths of training.
        strings: how many.
        percent: of them that are right.
        overlap: the percentage that was trained on.
    """

    name: str
    bin: int | None
    strings: int
    percent: float | None
    overlap: float | None


def train(course: Course, folder: str | Path, progress: Progress = NO_PROGRESS, instead_of: bool = False) -> Record:
    """Trains, or goes on where the same training stopped; writes the folder as it goes.

    Args:
        instead_of: whether what another training wrote there is replaced.

    Returns:
        The record, with ``result``: ``bins``, ``parameters``, ``distinct`` (training strings) and ``source``.

    Raises:
        InputError: when the folder holds something else than this training, the strings cannot be read, or training
            diverges.
        KeyboardInterrupt, SystemExit: after what is done so far has been saved.
    """
    record = read_record(folder)
    if instead_of and record is not None and not course.fits(record):
        record = None
    if record is not None and not course.fits(record):
        raise InputError(
            f"{folder}: holds a model that was trained otherwise ({_difference(course, record)}): name another folder"
        )
    if record is not None and record.result:
        return record
    walker = Walker(course.machine)
    source, validation = _strings(course, walker)
    model = _first_model(course)
    if record is None:
        protocol = course.protocol
        if course.seconds is not None:
            protocol = replace(protocol, steps=_steps_within(course.seconds, model, source, protocol))
        record = Record(protocol, course.language, origin=course.origin)
    training = Training(model, source, record.protocol)
    if record.step:
        training.restore(record.step, read_state(folder))
    progress.advance(record.step)
    with Deferred() as interrupts:
        record = _run(training, course, folder, record, interrupts, progress)
    trained = source.distinct(record.step, record.protocol.batch)
    bins = [
        Measured(name, number, len(part), percent_right(model, part), overlap(part, trained))
        for number, name, part in validation
    ]
    result = {
        "bins": [vars(found) for found in bins],
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "distinct": len(trained),
        "source": source.title,
    }
    record = replace(record, result=result)
    _write(training, course, folder, record, None)
    return record


def _run(
    training: Training, course: Course, folder: str | Path, record: Record, interrupts: Deferred, progress: Progress
) -> Record:
    """All steps that are left."""
    earlier, began, saved = record.seconds, time.process_time(), time.monotonic()
    while True:
        record = replace(record, step=training.step, loss=training.loss, seconds=earlier + time.process_time() - began)
        if record.over or interrupts.pending or time.monotonic() - saved > SAVED_EVERY:
            _write(training, course, folder, record, training.state())
            interrupts.deliver()
            saved = time.monotonic()
        if record.over:
            return record
        training.advance()
        progress.advance(1)


def _write(training: Training, course: Course, folder: str | Path, record: Record, state: Any) -> None:
    protocol = record.protocol
    card = _CARD.format(
        title=course.title,
        parameters=sum(weight.numel() for weight in training.model.parameters()),
        steps=record.step,
        sharp=" that drove its gates to exactly 0 and 1" if protocol.sharpen else "",
    )
    write_training(
        folder, configuration(training.model), training.tensors(), tuple(course.machine.alphabet), record, card, state
    )


def configuration(model: MambaForCausalLM) -> dict[str, Any]:
    """config.json, with what the numbers depend on."""
    names = (
        "vocab_size hidden_size intermediate_size expand num_hidden_layers state_size conv_kernel time_step_rank "
        "layer_norm_epsilon hidden_act use_bias use_conv_bias residual_in_fp32 tie_word_embeddings pad_token_id "
        "bos_token_id eos_token_id use_cache"
    ).split()
    described = {"architectures": ["MambaForCausalLM"], "model_type": "mamba", "dtype": "float32"}
    return described | {name: getattr(model.config, name) for name in names}


def _first_model(course: Course) -> MambaForCausalLM:
    protocol = course.protocol
    if protocol.start == RANDOM:
        model = fresh_model(len(course.machine.alphabet), protocol)
    elif protocol.start == COMPILED:
        model = compiled_model(course.machine)
    else:
        model = stored_model(Path(course.origin), course.machine.alphabet)
    if protocol.noise:
        perturb(model, protocol.noise, protocol.seed)
    return model


def _strings(course: Course, walker: Walker) -> tuple[Source, list[tuple[int | None, str, Strings]]]:
    """Where training strings come from; and those that validate: number of the bin, lengths, strings."""
    protocol = course.protocol
    rng = np.random.default_rng([protocol.seed, _VALIDATION])
    validation: list[tuple[int | None, str, Strings]] = []
    source: Source
    if course.released is None:
        length = protocol.length
        source = OwnStrings(walker, length, protocol.seed)
        for number in range(3):
            low, high = number * length + 1, (number + 1) * length
            validation.append((number, f"{low} to {high}", walker.bin(IN_A_BIN, low, high, rng)))
    else:
        for number in range(3):
            path = course.released / VALIDATION_FILE.format(number)
            if number == 0 or path.is_file():
                strings = walker.along(read_words(path, walker.alphabet))
                lengths = strings.lengths
                validation.append((number, f"{lengths.min()} to {lengths.max()}, {path.name}", strings))
        path = course.released / TRAINING_FILE
        if path.is_file():
            strings = walker.along(read_words(path, walker.alphabet))
            source = GivenStrings(strings, f"{len(strings)} of {path}", protocol.seed)
        else:
            source = OwnStrings(walker, int(validation[0][2].lengths.max()), protocol.seed)
    for length, count in zip(LONG, OF_LONG_ONES):
        validation.append((None, str(length), walker.bin(count, length, length, rng)))
    return source, validation


def _steps_within(seconds: float, model: MambaForCausalLM, source: Source, protocol: Protocol) -> int:
    """How many steps fit into so many seconds of CPU time, as measured on a copy; at most those of the protocol."""
    began = time.process_time()
    source.batch(0, protocol.batch)
    drawn = (time.process_time() - began) * protocol.batch / CHUNK
    training = Training(copy.deepcopy(model), source, protocol)
    for number in range(_WARM + _TIMED):
        if number == _WARM:
            warm = time.process_time()
        training.step = number
        # Steps of the whole schedule, as gates that are pushed cost more.
        training.advance((number + 1) / (_WARM + _TIMED))
    each = drawn + (time.process_time() - warm) / _TIMED
    left = seconds - (time.process_time() - began)
    return max(1, min(protocol.steps, int(left / max(each, 1e-6))))


def _difference(course: Course, record: Record) -> str:
    """The first thing in which the two differ, as the folder has it."""
    if course.language.strip() != record.language.strip():
        return f"language {record.language.strip()[:80]}"
    if course.origin != record.origin:
        return f"from {record.origin or 'its own beginning'}"
    asked, found = course.protocol.to_json(), record.protocol.to_json()
    return ", ".join(f"{name} {value}" for name, value in found.items() if asked[name] != value)
