"""What a Mamba is run in: transformers without its remarks, PyTorch on one thread and without NNPACK.

A convolution is a sum of products, in whatever order, as the certificate of exactness says.  NNPACK, which PyTorch
takes for 16 rows or more where oneDNN is switched off or missing, transforms its inputs instead, and rounds: 128 - 128
may be -2^-18 there.
"""

from __future__ import annotations

import os
import warnings
from contextlib import ExitStack, contextmanager, suppress
from typing import Iterator

from automata.errors import InputError


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars, no warnings of transformers, nothing about kernels that are not installed: what matters is
    raised as an error.
    """
    from transformers import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def unprinted() -> Iterator[None]:
    """Nothing is printed, not by code in other languages either, which knows nothing of ``sys.stdout``."""
    with ExitStack() as after:
        for stream in (1, 2):
            with suppress(OSError):  # it may be closed
                kept, nowhere = os.dup(stream), os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream)
                os.close(nowhere)
                after.callback(os.close, kept)
                after.callback(os.dup2, kept, stream)
        yield


@contextmanager
def transformers_ready() -> Iterator[None]:
    """transformers, without its remarks, and PyTorch on one thread, as steps are too small for more, and without
    NNPACK; all as before afterwards.

    Raises:
        InputError: when torch or transformers is not installed, or too old.
    """
    try:
        import torch

        import constructions.mamba.huggingface  # noqa: F401 - all that it imports has to be there
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed: pip install 'ssm-compiler[mamba]'") from None
    except ImportError as error:
        what = str(error).partition(" (")[0].partition("\n")[0][:200]
        raise InputError(f"{what}, is it too old? pip install --upgrade 'ssm-compiler[mamba]'") from None
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with quiet(), torch.backends.nnpack.flags(enabled=False):
            yield
    finally:
        torch.set_num_threads(threads)
