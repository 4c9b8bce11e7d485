"""How dataloaders are built, for training, validation and test alike: MMEngine's way, with what it leaves to the user.

MMEngine's loops and its Runner know one builder only, so ours takes its place.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmseg_css.datasets import checks
from mmseg_css.registry import DATASETS

#: Settings of worker processes, which torch refuses where there are none.
OF_WORKERS: Final = ("persistent_workers", "prefetch_factor")

#: How long a worker that is told to end leaves its process for the last step: Slurm's KillWait, if nobody changed it.
GRACE: Final = 30  # seconds

_original = Runner.build_dataloader


def build_dataloader(dataloader: DataLoader | dict, *args: Any, **kwargs: Any) -> DataLoader:
    """A dataloader whose folders and lists were looked for before, and whose errors name the image.

    ``num_workers=0`` loads in the process itself, whatever else is set for worker processes. Workers outlive a SIGTERM
    to all processes of a job, by at most `GRACE`, and leave Ctrl-C and the end of the terminal to their process.

    Raises:
        FileNotFoundError: A folder or list of its data set is missing.
        ValueError: A list is empty, or a folder has no image with the suffix that is looked for.
    """
    dataset: Any = None
    if isinstance(dataloader, Mapping):
        dataset = dataloader["dataset"]
        checks.check_training_paths(dataset)
        if not dataloader.get("num_workers"):
            dataloader = {key: value for key, value in dataloader.items() if key not in OF_WORKERS}
    try:
        loader = _original(dataloader, *args, **kwargs)
    except ValueError as error:
        if checks.NO_IMAGE in str(error):
            for config in checks.dataset_configs(dataset):
                checks.check_not_empty(DATASETS.build({**config, "lazy_init": True}), "dataloader's")
        raise
    checks.watch(loader.dataset)
    if loader.num_workers > 0 and hasattr(signal, "sigwaitinfo"):  # of POSIX, macOS apart
        loader.worker_init_fn = partial(_init_worker, loader.worker_init_fn)
    return loader


def _init_worker(init: Callable[[int], None] | None, number: int) -> None:
    if init is not None:
        init(number)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    # Not os.getppid(): with mp_start_method="forkserver" that is the server.
    process = multiprocessing.parent_process()
    threading.Thread(target=_end_when_told, args=(process,), name="SIGTERM", daemon=True).start()


def _end_when_told(process: Any) -> None:
    """End this worker at once if its process says so or is gone; otherwise after `GRACE`, or told again.

    Torch's workers end at once, and with them their process, which may have been told, too, and be about to finish the
    step after which it saves a checkpoint.
    """
    if signal.sigwaitinfo({signal.SIGTERM}).si_pid == process.pid:
        os._exit(0)
    for _ in range(GRACE):
        if signal.sigtimedwait({signal.SIGTERM}, 1) is not None or not process.is_alive():
            break
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def workers_explained() -> Iterator[None]:
    """Say what to do where workers were ended from outside, as for their memory.

    Raises:
        RuntimeError: They were.
    """
    try:
        yield
    except (RuntimeError, ConnectionResetError, EOFError) as error:  # the others in the middle of a batch
        ended = str(error).startswith("DataLoader worker") or not isinstance(error, RuntimeError)
        if not ended:
            raise
        raise RuntimeError(
            f"a loading worker was ended from outside ({error}), and no step can be finished without it: --resume goes "
            "on from the last checkpoint"
        ) from error


def use_everywhere() -> None:
    """Let every Runner build its dataloaders with `build_dataloader`. Idempotent."""
    Runner.build_dataloader = staticmethod(build_dataloader)
