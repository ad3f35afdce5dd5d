"""The caches that a search has seen, beside a list that keeps each once."""

import tracemalloc

import numpy as np
import pytest
from alone import alone

torch = pytest.importorskip("torch")

from constructions import joint_states  # noqa: E402
from constructions.growing import Growing  # noqa: E402
from constructions.mamba.stepping import StateTable  # noqa: E402


def caches(seed, rows, dtype):
    """Two layers of two tensors each, with few different values, -0 among them."""
    rng = np.random.default_rng(seed)
    values = torch.tensor([0.0, -0.0, 1.0, 0.5])
    return [
        [values[torch.from_numpy(rng.integers(0, 4, (rows, *shape)))].to(dtype) for shape in ((3, 2), (1, 1))]
        for _ in range(2)
    ]


def followed(dtype):
    layers = caches(0, 1, dtype)
    table, known = StateTable(layers), [[], []]
    for seed in range(12):
        layers = caches(seed, 200, dtype)
        numbers = table.rows(layers)
        for layer, tensors in enumerate(layers):
            for row in range(200):
                # Equality of lists: -0 is 0.
                key = [tensor[row].to(torch.float64).tolist() for tensor in tensors]
                if key not in known[layer]:
                    known[layer].append(key)
            back = table.caches(layer, numbers[:, layer])
            assert [(t.dtype, t.shape) for t in back] == [(t.dtype, t.shape) for t in tensors]
            assert all(bool((a == b).all()) for a, b in zip(back, tensors))
            # As many numbers as there are different caches.
            distinct = {str([tensor[row].to(torch.float64).tolist() for tensor in back]) for row in range(200)}
            assert len(set(numbers[:, layer].tolist())) == len(distinct)
    return table, known


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_caches_are_numbered_by_all_their_bytes(dtype):
    table, known = followed(dtype)
    for layer in range(2):
        assert len(table._layers[layer]._rows) == len(known[layer])


def test_caches_whose_sums_are_alike_are_told_apart(monkeypatch):
    made = joint_states.Rows.__init__

    def alike(self, width):
        made(self, width)
        self._factors[:] = 0

    monkeypatch.setattr(joint_states.Rows, "__init__", alike)
    test_caches_are_numbered_by_all_their_bytes(torch.float32)


@alone
def test_what_is_known_already_makes_no_step_dearer(monkeypatch):
    """Bytes that are copied and taken, at 2,000 known caches and at 64,000."""
    copied = []
    append = Growing.append

    def counted(growing, rows):
        before, kept = growing._array, growing.rows.nbytes
        append(growing, rows)
        if growing._array is not before:
            copied.append(kept)

    monkeypatch.setattr(Growing, "append", counted)
    numbers, batch = np.random.default_rng(0).permutation(1 << 17).astype(np.float32), 512
    table = StateTable([[torch.zeros(1, 8)]])
    taken: dict[int, list[int]] = {2_000: [], 64_000: []}
    for first in range(0, 66_048, batch):
        caches = torch.from_numpy(numbers[first : first + batch, None]).repeat(1, 8)
        growths = len(copied)
        tracemalloc.start()
        found = table.rows([[caches]])
        back = table.caches(0, found[:, 0])[0]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert sorted(found[:, 0].tolist()) == list(range(first, first + batch)) and bool((back == caches).all())
        for known, peaks in taken.items():
            if known <= first < known + 2_048 and len(copied) == growths:
                peaks.append(peak)
    assert sum(copied) < 3 * first * 32
    # All words of a batch a few times over, and not the table: that has 64,000 rows of them.
    early, late = (min(peaks) for peaks in taken.values())
    assert late < 2 * early < 64_000 * 32 / 8
