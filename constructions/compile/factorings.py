"""Which transposition a permutation takes at which level of a split register, so that few permutations are met there.

A level is moved by transpositions that what stands above it may have conjugated by any permutation met there.  Those
make a group, and a group made by transpositions is all permutations within the blocks of points that they join: the
product of the factorials of the blocks' sizes.  The last level follows one point, and meets no more than its block.
The factorings that are kept have the least product of these numbers.

Source: a connected graph of transpositions generates the symmetric group of its points (Cayley).
"""

from __future__ import annotations

from math import factorial
from typing import Iterator, NamedTuple, Sequence

Swapped = tuple[int, int]
Images = tuple[int, ...]
Blocks = tuple[int, ...]
"""For each point the least of its block."""

MOST_POINTS = 6
"""Up to so many points, all ways to part them are tried (Bell's numbers: 203 of 6 points)."""

_KEPT = 16
"""The ways to fill the upper levels from which a search goes on."""


class _Begun(NamedTuple):
    """The upper levels: how many permutations they meet at most, what each rule has left, and the blocks of all."""

    met: int
    left: tuple[Images, ...]
    words: tuple[tuple[Swapped | None, ...], ...]
    above: Blocks


def length(images: Sequence[int]) -> int:
    """The least number of transpositions whose product is the permutation.

    >>> length((1, 2, 0)), length((1, 0, 2)), length((0, 1))
    (2, 1, 0)
    """
    seen: set[int] = set()
    for start in range(len(images)):
        point = images[start] if start not in seen else start
        while point not in seen and point != start:
            seen.add(point)
            point = images[point]
    return len(seen)


def factorings(permutations: Sequence[Images], initial: int) -> list[tuple[Swapped | None, ...]]:
    """For each permutation a transposition at each level, the last applied first; None where a level leaves it out.

    Args:
        permutations: each as the images of all points; at least one.
        initial: the point that the last level follows.

    O(levels * parts * permutations * points^3), with the number of ways to part the points up to MOST_POINTS of them;
    beyond, each takes the first transposition that shortens it.

    >>> factorings([(1, 2, 3, 0), (0, 2, 3, 1)], 0)
    [((0, 3), (1, 2), (0, 2)), (None, (1, 2), (2, 3))]
    """
    points = len(permutations[0])
    depth = max(map(length, permutations))
    apart = tuple(range(points))
    begun = [_Begun(1, tuple(permutations), ((),) * len(permutations), apart)]
    parts = list(_parts(points)) if points <= MOST_POINTS else [(0,) * points]
    for level in range(1, depth + 1):
        last = initial if level == depth else None
        found: dict[tuple[tuple[Images, ...], Blocks], _Begun] = {}
        for upper in begun:
            for allowed in parts:
                more = _one_more(upper, allowed, depth - level, last)
                if more is not None:
                    key = more.left, more.above
                    found[key] = min(more, found.get(key, more), key=lambda one: one.met)
        begun = sorted(found.values(), key=lambda one: one.met)[:_KEPT]
    return list(begun[0].words)


def _one_more(upper: _Begun, allowed: Blocks, levels: int, last: int | None) -> _Begun | None:
    """One level more, of transpositions within blocks; None where a rule needs more than so many further levels."""
    taken, left = [], []
    for images in upper.left:
        options = [(length(after), swapped, after) for swapped, after in _options(images, allowed)]
        least = min(options, key=lambda option: option[0])
        if least[0] > levels:
            return None
        taken.append(least[1])
        left.append(least[2])
    here, above = tuple(range(len(allowed))), upper.above
    for swapped in filter(None, taken):
        here = _joined(here, [point for point, block in enumerate(upper.above) if block in _blocks(upper, swapped)])
        above = _joined(above, swapped)
    sizes = [here.count(block) for block in set(here)] if last is None else [here.count(here[last])]
    met = upper.met
    for size in sizes:
        met *= factorial(size) if last is None else size
    words = tuple((*word, swapped) for word, swapped in zip(upper.words, taken))
    return _Begun(met, tuple(left), words, above)


def _blocks(upper: _Begun, swapped: Swapped) -> set[int]:
    return {upper.above[point] for point in swapped}


def _options(images: Images, allowed: Blocks) -> Iterator[tuple[Swapped | None, Images]]:
    """What a level may take, and the permutation that is left: t times it."""
    yield None, images
    for one in range(len(allowed)):
        for other in range(one + 1, len(allowed)):
            if allowed[one] == allowed[other]:
                swap = {one: other, other: one}
                yield (one, other), tuple(swap.get(image, image) for image in images)


def _joined(blocks: Blocks, points: Sequence[int]) -> Blocks:
    """The blocks of some points made one."""
    together = {blocks[point] for point in points}
    return tuple(min(together) if block in together else block for block in blocks)


def _parts(points: int) -> Iterator[Blocks]:
    """All ways to part the points into blocks."""
    if points == 0:
        yield ()
        return
    for blocks in _parts(points - 1):
        for block in sorted({*blocks, points - 1}):
            yield (*blocks, block)
