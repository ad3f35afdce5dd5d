"""What a Mamba is run in: transformers without its remarks, PyTorch on one thread."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator

from automata.errors import InputError


@contextmanager
def transformers_ready() -> Iterator[None]:
    """transformers, without its remarks, and PyTorch on one thread, as steps are too small for more; both as before
    afterwards.

    Raises:
        InputError: when torch or transformers is not installed, or too old.
    """
    try:
        import torch

        from constructions.mamba.huggingface import quiet
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed: pip install 'ssm-compiler[mamba]'") from None
    except ImportError as error:
        what = str(error).partition(" (")[0].partition("\n")[0][:200]
        raise InputError(f"{what}, is it too old? pip install --upgrade 'ssm-compiler[mamba]'") from None
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with quiet():
            yield
    finally:
        torch.set_num_threads(threads)
