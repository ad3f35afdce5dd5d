"""Compiled Mambas in the official package mamba-ssm: proofs there, and the same bits as in transformers.

Skipped where the package is absent; ``make test-mamba-ssm`` installs it and runs this file.  On a machine with a GPU
the same comparisons run the package's own kernels (``make test-gpu``).
"""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from automata.catalogue import language  # noqa: E402
from automata.errors import InputError  # noqa: E402
from automata.machine import PREDICTIVE, RECOGNISE  # noqa: E402
from constructions.compile.compiler import compile  # noqa: E402
from constructions.mamba import worker  # noqa: E402
from constructions.mamba.ballast import GIANT  # noqa: E402
from constructions.mamba.checkpoint import write  # noqa: E402
from constructions.mamba.huggingface import HuggingFaceRunner, stock_model  # noqa: E402
from constructions.mamba.lowering import lower_to_mamba  # noqa: E402
from constructions.mamba.precision import PRECISIONS  # noqa: E402
from constructions.mamba.surroundings import quiet  # noqa: E402
from constructions.mamba.weights import BOS_TOKEN, FIRST_SYMBOL  # noqa: E402
from constructions.mamba.worker import WorkerModel  # noqa: E402
from verify.__main__ import main  # noqa: E402
from verify.methods.bisimulation import bisimulation  # noqa: E402
from verify.verdict import PROVED  # noqa: E402

CHECKPOINTS = [
    *(("flip-flop", RECOGNISE, dtype, None) for dtype in PRECISIONS),
    *(("dyck-2-3", PREDICTIVE, dtype, GIANT) for dtype in PRECISIONS),
    ("shuffle-2", PREDICTIVE, "float32", None),
    ("d-4", RECOGNISE, "float32", None),
]


def installed() -> bool:
    try:
        worker.find_package()
    except InputError:
        return False
    return True


needs_mamba_ssm = pytest.mark.skipif(
    not installed(), reason="mamba-ssm is not installed: make test-mamba-ssm installs it"
)


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    """One process for all comparisons: starting it takes seconds."""
    folder = tmp_path_factory.mktemp("first")
    write(lower_to_mamba(compile(language("flip-flop").machine, PREDICTIVE, target="mamba").cascade), folder, "")
    try:
        model = WorkerModel(folder)
    except InputError as error:
        pytest.skip(f"mamba-ssm does not run here: {error}")
    yield model
    model.close()


def first_difference(ours: np.ndarray, theirs: np.ndarray) -> str | None:
    """Where two float32 arrays have other bits, or None."""
    assert ours.shape == theirs.shape
    places = np.argwhere(ours.view(np.uint32) != theirs.view(np.uint32))
    return (
        f"{len(places)} differ, first at {places[0].tolist()}: {ours[tuple(places[0])]} and {theirs[tuple(places[0])]}"
        if len(places)
        else None
    )


def compare(process, folder, name, mode, dtype, norm, fused) -> tuple[str, list[str]]:
    """The device, and the differences between mamba-ssm and transformers on the CPU, in logits and in caches."""
    known = language(name)
    weights = lower_to_mamba(compile(known.machine, mode, target="mamba").cascade, dtype, norm)
    write(weights, folder, "")
    tokens = np.random.default_rng(0).integers(FIRST_SYMBOL, weights.vocabulary, (16, 40))
    tokens[:, 0] = BOS_TOKEN
    runner = HuggingFaceRunner(stock_model(weights))
    with quiet(), torch.no_grad():
        result = runner.model(torch.from_numpy(tokens), use_cache=True)
    logits = result.logits.float().numpy()
    caches = [
        t.float().numpy()
        for layer in result.cache_params.layers
        for t in (layer.conv_states[0], layer.recurrent_states[0])
    ]
    process.open(folder, fused=fused)
    full, stepped, official_caches = process.compare(tokens)
    differences = [
        first_difference(logits, full),
        first_difference(logits, stepped),
        *map(first_difference, caches, official_caches),
    ]
    return process.device, [difference for difference in differences if difference]


@needs_mamba_ssm
@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("name, mode, dtype, norm", CHECKPOINTS)
def test_logits_and_caches_are_those_of_transformers(process, tmp_path, name, mode, dtype, norm, fused):
    """Full forward and single steps, bit for bit; strings are arbitrary, so that the dead states are seen too."""
    assert compare(process, tmp_path, name, mode, dtype, norm, fused)[1] == []


@pytest.mark.gpu
@needs_mamba_ssm
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("name, mode, dtype, norm", [c for c in CHECKPOINTS if c[2] != "float64"])
def test_the_kernels_on_a_gpu_give_the_same_bits(process, tmp_path, name, mode, dtype, norm, fused):
    """Selective scan, causal convolution and fused norm, against transformers on the CPU."""
    device, differences = compare(process, tmp_path, name, mode, dtype, norm, fused)
    assert device == "cuda" and differences == []


@needs_mamba_ssm
def test_a_search_in_mamba_ssm_closes(process, tmp_path):
    known = language("dyck-2-3")
    write(lower_to_mamba(compile(known.machine, PREDICTIVE, target="mamba").cascade, "bfloat16"), tmp_path, "")
    process.open(tmp_path)
    verdict = bisimulation(known.machine, process)
    assert verdict.outcome == PROVED and verdict.explored["joint states"] == 123
    assert "mamba-ssm" in process.conditions and "1 thread" in process.conditions


@needs_mamba_ssm
@pytest.mark.slow
def test_the_command_line_has_the_target(capsys):
    assert main(["flipflop", "--target", "mamba-ssm", "--strings", "20", "--quiet"]) == 0
    assert "mamba-ssm" in capsys.readouterr().out


@needs_mamba_ssm
def test_a_checkpoint_that_the_worker_cannot_load_is_one_line(tmp_path):
    with pytest.raises(InputError, match="^mamba-ssm: FileNotFoundError: [^\n]*$"):
        WorkerModel(tmp_path)


def test_without_the_package_one_line_says_how_to_install_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(worker, "PACKAGE", "no_such_package")
    assert main(["flipflop", "--target", "mamba-ssm", "--quiet"]) == 2
    assert "mamba-ssm is not installed: run `make mamba-ssm`" in capsys.readouterr().err
