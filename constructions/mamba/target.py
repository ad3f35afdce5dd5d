"""A stock Mamba as a target, run in transformers or in the official package."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator

from automata.errors import InputError
from automata.files import check_replaceable
from constructions.cascade import Cascade
from constructions.compile.compiler import ADD, DRIFT, READ_BEFORE, RESET, Construction, counts_too_far, needs
from constructions.mamba.certificate import certify
from constructions.mamba.checkpoint import A_CHECKPOINT, CHECKPOINT_FILES, CONFIG, write
from constructions.mamba.lowering import lower_to_mamba
from constructions.mamba.precision import precision
from constructions.mamba.weights import MambaWeights
from constructions.target import MONOTONE


class MambaInTransformers:
    """``MambaForCausalLM``: one block for each level and more, exact to the last bit (see
    :mod:`constructions.mamba`).
    """

    name = "mamba"
    title = "a stock Mamba, run in Hugging Face transformers"
    abilities = frozenset((RESET, READ_BEFORE, ADD, DRIFT))
    # The search over caches of a counter that drifts never closes.
    reluctant = frozenset((DRIFT,))
    motion = MONOTONE
    numbers = "dtype"
    # A full forward takes about a millisecond for each symbol of a batch.
    test_length = 200
    loads_with = {"loads with": "AutoModelForCausalLM.from_pretrained and AutoTokenizer.from_pretrained"}

    def cannot_hold(self, cascade: Cascade, numbers: str) -> InputError | None:
        """A counter that goes further than the format counts."""
        return counts_too_far(cascade, numbers, 1 << precision(numbers).digits)

    def lower(
        self, cascade: Cascade, numbers: str, advance: Callable[[int], object] = lambda rules: None
    ) -> MambaWeights:
        return lower_to_mamba(cascade, numbers)

    @contextmanager
    def running(self, weights: MambaWeights) -> Iterator:
        from constructions.mamba.surroundings import transformers_ready

        with transformers_ready():
            from constructions.mamba.huggingface import stepped

            yield stepped(weights)

    @contextmanager
    def random(self, alphabet: tuple[str, ...], outputs: tuple[str, ...], seed: int) -> Iterator:
        from constructions.mamba.surroundings import transformers_ready

        with transformers_ready():
            from constructions.mamba.huggingface import random_model

            yield random_model(alphabet, outputs, seed)

    def longest(self, weights: MambaWeights, construction: Construction | None, wanted: int) -> int:
        """Counters that drift are exact for some time; a string with an inserted symbol is one longer than asked
        for.
        """
        if construction is not None and DRIFT not in needs(construction.cascade):
            return wanted
        horizon = certify(weights).horizon
        return wanted if horizon is None else min(wanted, horizon - 1)

    def exact_range(self, weights: MambaWeights) -> str:
        return f"{weights.precision.name} counts exactly up to {certify(weights).greatest} here"

    def size(self, weights: MambaWeights) -> dict[str, int]:
        return {
            "blocks": len(weights.layout.blocks),
            "parameters": weights.parameters,
            "nonzero weights": weights.nonzero,
        }

    def describe(self, weights: MambaWeights, construction: Construction | None) -> dict[str, object]:
        """Blocks, sizes, norm and the certificate of exactness."""
        blocks = weights.layout.blocks
        certificate = certify(weights)
        return {
            "blocks": len(blocks),
            "d_model, d_inner": (weights.width, weights.inner),
            "channels used": tuple(len(block.channels) for block in blocks),
            "parameters": weights.parameters,
            "nonzero": weights.nonzero,
            "dtype": weights.precision.name,
            "norm": f"{weights.ballast.kind}: every RMSNorm divides by 2^{weights.ballast.exponent}",
            "certificate": f"{certificate.sums} sums of at most {certificate.largest} units; {certificate.sentence}",
        }

    def save(self, weights: MambaWeights, folder: str | Path, card: str = "", language: str = "") -> None:
        write(weights, Path(folder), card, language)

    def check_place(self, folder: str | Path) -> None:
        check_replaceable(folder, CHECKPOINT_FILES, A_CHECKPOINT)

    def owns(self, folder: Path) -> bool:
        return (folder / CONFIG).is_file()

    def load(self, folder: str | Path) -> MambaWeights:
        """Refuses: a checkpoint alone does not say which of its tokens are symbols, nor what its channels mean."""
        raise InputError(
            f"{folder}: a checkpoint is checked against a language: see `python -m verify check {folder} LANGUAGE`"
        )


class MambaInOfficialPackage(MambaInTransformers):
    """The same weights in ``mamba_ssm.MambaLMHeadModel``, in a process of its own."""

    name = "mamba-ssm"
    title = "a stock Mamba, run in the official package"

    @contextmanager
    def running(self, weights: MambaWeights) -> Iterator:
        from constructions.mamba.worker import WorkerModel

        with tempfile.TemporaryDirectory() as folder:
            write(weights, Path(folder), "")
            with WorkerModel(Path(folder)) as model:
                yield model

    def owns(self, folder: Path) -> bool:
        return False  # the folders are those of the other


MAMBA, MAMBA_SSM = MambaInTransformers(), MambaInOfficialPackage()
