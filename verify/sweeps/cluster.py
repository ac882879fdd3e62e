"""The door to Dask: a cluster of machines as an executor."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from verify.errors import UnavailableError

SECONDS = 10
"""How long a scheduler has to answer."""

RETRIES = 5
"""How often a chunk is tried again when its worker dies."""


@contextmanager
def connected(address: str) -> Iterator[tuple[Executor, int]]:
    """An executor on the workers of a Dask scheduler such as "tcp://10.0.0.1:8786", and their threads.

    Raises ``UnavailableError`` without the package ``distributed``, and where no scheduler answers or it
    has no worker.
    """
    try:
        distributed = importlib.import_module("distributed")
    except ImportError as error:
        raise UnavailableError("Dask is not installed; pip install 'lossproof[dask]'") from error
    try:
        client = distributed.Client(address, timeout=SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        told = (str(error).strip().splitlines() or ["no answer"])[0]
        raise UnavailableError(
            f"no Dask scheduler answers at {address!r} ({told}); start one with `dask scheduler`, and give "
            "its address as in tcp://host:8786"
        ) from None
    try:
        slots = sum(client.nthreads().values())
        if not slots:
            raise UnavailableError(
                f"the Dask scheduler at {address} has no worker; start one with `dask worker`"
            )
        yield client.get_executor(pure=False, retries=RETRIES), slots
    finally:
        client.close()
