"""Execute a parameterized notebook with papermill, in a kernel of this very interpreter."""

import copy
import logging
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bnstudy.core import store

ATTEMPTS = 3


def execute(notebook: Path, parameters: Mapping[str, object], output: Path) -> None:
    """Run `notebook` with `parameters` and write the executed copy to `output`.

    The kernel is `sys.executable` with ipykernel, whatever kernels the user has registered; it sees this package
    wherever it was imported from, and none of the user's IPython start-up files. A kernel that doesn't start is
    tried again; a cell that fails is not. The copy appears whole or not at all.

    Raises:
        ValueError: The notebook does not declare a parameter in a cell tagged `parameters`, or has no such cell.
        papermill.exceptions.PapermillExecutionError: A cell fails; the error holds its traceback.
        RuntimeError: No kernel starts.
    """
    import nbformat
    import papermill

    logging.getLogger("papermill").setLevel(logging.WARNING)
    source = nbformat.read(notebook, as_version=4)
    if not (known := papermill.inspect_notebook(str(notebook))):
        raise ValueError(f"{notebook}: no cell is tagged `parameters`; tag the one that sets the notebook's inputs")
    if unknown := sorted(set(parameters) - set(known)):
        raise ValueError(f"{notebook}: unknown parameters {', '.join(unknown)}; it declares {', '.join(sorted(known))}")
    for attempt in range(1, ATTEMPTS + 1):
        with tempfile.TemporaryDirectory(prefix="bnstudy-") as scratch:
            try:
                done = papermill.execute_notebook(
                    copy.deepcopy(source), None, {k: str(v) if isinstance(v, Path) else v for k, v in parameters.items()}, kernel_name="python3",
                    language="python", progress_bar=False, start_timeout=60,
                    kernel_manager_class=_kernel(Path(scratch)),
                )  # fmt: skip
                break
            except Exception as error:
                if not _kernel_trouble(error):
                    raise
                if attempt == ATTEMPTS:
                    raise RuntimeError(
                        f"{notebook}: no Python kernel started in {ATTEMPTS} attempts ({error}). "
                        f"Check that `{sys.executable} -m ipykernel_launcher --version` works."
                    ) from error
                time.sleep(attempt)
    done.metadata.pop("papermill", None)  # clock times and paths of this machine
    with store.writing(output) as unfinished:
        nbformat.write(done, unfinished)


def _kernel(scratch: Path) -> type:
    """Return a kernel manager for this interpreter, whose files and sockets live in `scratch`."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    path = pythonpath()
    # Jupyter draws TCP ports before it binds them, so kernels started together can clash; sockets in a folder can't.
    files = os.name == "posix" and len(str(scratch)) < 60

    class Kernel(AsyncKernelManager):
        def __init__(self, **options: Any) -> None:
            transport = "ipc" if files else "tcp"
            super().__init__(connection_file=str(scratch / "kernel.json"), transport=transport, **options)

        @property
        def kernel_spec(self) -> KernelSpec:
            # its log would tell that it was interrupted, which is how it is ended; what a cell says comes by another way
            quiet = "--log-level=CRITICAL"
            command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", quiet]
            return KernelSpec(argv=command, display_name="Python 3", language="python")

        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
            scene = {"PYTHONPATH": path, "IPYTHONDIR": str(scratch), "MPLBACKEND": "agg", "JUPYTER_NO_CONFIG": "1"}
            options["env"] = {**os.environ, **options.get("env", {}), **scene}
            await super().start_kernel(**options)

    return Kernel


def pythonpath() -> str:
    """Return PYTHONPATH with this package in it, for a process of its own."""
    return os.pathsep.join([str(Path(__file__).resolve().parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])


def _kernel_trouble(error: Exception) -> bool:
    """Return whether the kernel failed, rather than the notebook's code."""
    from nbclient.exceptions import DeadKernelError
    from zmq import ZMQError

    failed = type(error) is RuntimeError and "ernel" in str(error)
    return failed or isinstance(error, (DeadKernelError, ZMQError, TimeoutError))
