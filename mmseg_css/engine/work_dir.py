"""The folder of a training: of one training at a time."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

NAME: Final = ".training"
#: Where launchers say which of its processes this is, from 0, before any of them knows of the others.
RANK: Final = {"pytorch": "RANK", "slurm": "SLURM_PROCID", "mpi": "OMPI_COMM_WORLD_RANK"}


@contextmanager
def claimed(work_dir: str | os.PathLike[str], launcher: str = "none") -> Iterator[None]:
    """Hold a work dir for as long as a training lasts; the system lets it go when the process ends, however it does.

    Of the processes that a launcher starts, the first one holds it for all.

    Raises:
        FileExistsError: Another process trains there, and the two would overwrite each other's checkpoints.
    """
    if fcntl is None or int(os.environ.get(RANK.get(launcher, ""), 0)) > 0:
        yield
        return
    path = Path(work_dir) / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+") as file:
        if not _lock(file):
            file.seek(0)
            raise FileExistsError(
                f"another training is writing to {str(work_dir)!r} ({file.read().strip() or 'who is not known'}), and "
                "the two would overwrite each other's checkpoints: wait for it, end it, or say --work-dir"
            )
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


def _lock(file: IO[str]) -> bool:
    """Not inherited by worker processes, which may outlive this one for some seconds."""
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a file system without locks
        return True
    return True


def of_before(work_dir: str | os.PathLike[str]) -> list[str]:
    """A note on checkpoints that a training from the beginning will overwrite, if there are any."""
    found = sorted(Path(work_dir).glob("*.pth"), key=lambda path: path.stat().st_mtime)
    if not found:
        return []
    return [
        f"{work_dir} holds an earlier training's checkpoints: {len(found)}, the last {found[-1].name}; those of the "
        "same name will be overwritten. To go on from the last say --resume, to keep them --work-dir"
    ]
