"""All that a search through the layers of a Mamba reaches, a class of joint states at a time, where it was foreseen.

Joint states are in one *class* where the machine is in the same state, each layer has the same scan state, and the same
is read of the last input that each layer's convolution holds.  A layer is looked up by just that, so a symbol gives the
same outputs in all states of a class, and leads from all of them into one class.  What was foreseen is a state of each
class, and the class to which each symbol leads: a guess.  A step is taken from every one of them with every symbol that
the machine follows.  Where each comes into the class that was foreseen, and BOS leads into the first, no search would
come to a state of another class; where each can be reached, it would come to a state of each of them.

A convolution holds two inputs, and the older one is not read again.  Joint states of a class differ in inputs as far as
these are not read, so they are counted by the last two steps: what these have left in all layers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Callable, NamedTuple

import numpy as np

from constructions.ssm.engine import Outputs

if TYPE_CHECKING:
    from constructions.mamba.layerwise import LayerwiseMamba

INPUTS = 2
"""That a convolution holds, in the models that are looked into."""
_MOST = 1 << 62


class JointClasses(NamedTuple):
    """Classes of joint states.

    Attributes:
        start: the class after BOS.
        after: the class to which each symbol leads, shape (classes, symbols); something else where none does.
        machines: the states of the machine.
        columns: of a state of each class.
    """

    start: int
    after: np.ndarray
    machines: np.ndarray
    columns: np.ndarray


class Closed(NamedTuple):
    """Classes that no step leaves.

    Attributes:
        machines: the states of the machine after all steps, one from each class with each symbol that is followed.
        outputs: those after the same steps.
        explored: how many states of the machine, joint states and transitions a search would meet.
    """

    machines: np.ndarray
    outputs: Outputs
    explored: dict[str, int]


def closed_classes(
    model: LayerwiseMamba, classes: JointClasses, targets: Callable[[np.ndarray], np.ndarray]
) -> Closed | None:
    """Takes all steps from these classes; None where they are not just what a search would reach.

    O(classes times symbols), and O(joint states).

    Args:
        targets: as :func:`constructions.mamba.foreseen.foresee` takes them.
    """
    target, start = targets(classes.machines), classes.start
    after = np.where(target >= 0, classes.after, start)
    if after.min() < 0 or after.max() >= len(after) or not _all_reached(start, after):
        return None
    sources, symbols = np.nonzero(target >= 0)
    into = after[sources, symbols]
    stepped, outputs = model.look_up(classes.columns.take(sources, axis=1), symbols)
    read = model.read(classes.columns)
    as_foreseen = (
        classes.machines[start] == 0
        and np.array_equal(model.read(model.first)[:, 0], read[:, start])
        and np.array_equal(target[sources, symbols], classes.machines.take(into))
        and np.array_equal(model.read(stepped), read.take(into, axis=1))
    )
    steps = np.bincount(sources, minlength=len(after))
    joint = _joint_states(model, start, steps, into, stepped) if as_foreseen else None
    if joint is None:
        return None
    explored = {
        "machine states": len(np.unique(classes.machines)),
        "joint states": len(joint),
        "transitions": int(steps.take(joint).sum()),
    }
    return Closed(target[sources, symbols], outputs, explored)


def _all_reached(start: int, after: np.ndarray) -> bool:
    """Whether steps lead from this class to all others."""
    reached, frontier = np.zeros(len(after), dtype=bool), np.array([start])
    while len(frontier):
        reached[frontier] = True
        new = np.zeros(len(after), dtype=bool)
        new[after.take(frontier, axis=0)] = True
        frontier = (new & ~reached).nonzero()[0]
    return bool(reached.all())


def _joint_states(
    model: LayerwiseMamba, start: int, steps: np.ndarray, into: np.ndarray, stepped: np.ndarray
) -> np.ndarray | None:
    """The class of each joint state; None where there are too many kinds of inputs to count.

    Args:
        steps: how many are taken from each class, one class after the other.
        into: the classes to which they lead.
        stepped: the columns after them.
    """
    sizes, amount = [len(layer.inputs) for layer in model.layers], len(steps)
    if (len(into) + 1) * math.prod(sizes) > _MOST:
        return None

    def left(columns: np.ndarray, place: int) -> np.ndarray:
        return np.ravel_multi_index(tuple(columns[place :: 1 + INPUTS]), sizes)

    # First what the last step has left, and where; then what the one before it has left, too.
    newest, before = np.append(left(stepped, INPUTS), left(model.first, INPUTS)), left(model.first, INPUTS - 1)
    ends, end = np.unique(newest * amount + np.append(into, start), return_inverse=True)
    former, classes = np.divmod(ends, amount)
    further, first = steps.take(classes), (np.cumsum(steps) - steps).take(classes)
    step = np.arange(further.sum()) + np.repeat(first - np.cumsum(further) + further, further)
    states = np.append(np.repeat(former, further) * len(ends) + end.take(step), before * len(ends) + end[-1])
    return classes.take(np.unique(states) % len(ends))
