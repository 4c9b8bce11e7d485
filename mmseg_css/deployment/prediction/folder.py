"""Many images, one after the other: read, predicted, written, counted."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple, TypeVar

import numpy as np
from tqdm import tqdm

from mmseg_css.deployment.prediction.inputs import Inputs, count_frames, fewer_frames, frames_of
from mmseg_css.deployment.prediction.outputs import Outputs
from mmseg_css.deployment.prediction.pipeline import Prepared
from mmseg_css.deployment.prediction.predictor import Predictor
from mmseg_css.deployment.prediction.sources import Source, source_of

#: Threads that read ahead, each one image.
READERS: Final = 2
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class Summary:
    """What became of the images.

    Attributes:
        predicted: How many were predicted and written.
        there: How many were done before.
        slid: How many of the predicted ones went in windows.
        seconds: How long it took.
        faults: What could not be read, in words that name it.
        notes: What was odd, likewise.
        corrected: Masks that were changed by hand, of images that were changed, too.
        unknown: Masks of which nothing says what they were made of.
    """

    predicted: int = 0
    there: int = 0
    slid: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    corrected: list[Path] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)

    def __str__(self) -> str:
        images = f"{self.predicted} image{'' if self.predicted == 1 else 's'}"
        rate = f" ({self.predicted / self.seconds:.1f} per second)" if self.predicted and self.seconds else ""
        parts = [f"predicted {images} in {self.seconds:.0f} s{rate}"]
        if self.slid:
            parts.append(f"{self.slid} of them in sliding windows")
        if self.there:
            parts.append(f"{self.there} {'was' if self.there == 1 else 'were'} there already")
        if self.faults:
            parts.append(f"{len(self.faults)} could not be read")
        return ", ".join(parts)


class _Task(NamedTuple):
    """A file, the frame of a video, or why it cannot be read; its path in the output; and what it is made of."""

    image: Path | np.ndarray | Exception
    name: PurePosixPath
    source: Path | Source


class _Read(NamedTuple):
    """An image that was read, its path in the output, and the file that it was read from."""

    image: Prepared
    name: PurePosixPath
    source: Source


def predict_all(predictor: Predictor, inputs: Inputs, outputs: Outputs, *, batch_size: int = 1) -> Summary:
    """Predict all that was found. What cannot be read is noted, and the rest done.

    Args:
        predictor: The network.
        inputs: The images and videos.
        outputs: Where predictions go.
        batch_size: How many images are predicted at once; those of one size go through the network together.

    Raises:
        ValueError: ``batch_size`` is less than 1.
        FileExistsError: There are predictions of other files under the same names.
    """
    if batch_size < 1:
        raise ValueError(f"--batch-size must be at least 1, got {batch_size}")
    for item in inputs.images:
        outputs.state(item.name, item.path)  # of others nothing is predicted before it is refused
    for video in inputs.videos:
        outputs.state(_frame(video.name, 0), video.path)
    summary, start = Summary(), time.perf_counter()
    total = len(inputs.images) + sum(count_frames(video.path) for video in inputs.videos)
    tasks = _tasks(inputs, outputs, summary)
    with tqdm(total=total, desc="predicting", unit="image", leave=False) as progress:
        for group in _groups(ahead(lambda task: _read(predictor, task), tasks), batch_size):
            readable = [found for found in group if isinstance(found, _Read)]
            summary.faults += [str(found) for found in group if isinstance(found, Exception)]
            predictions = predictor.predict(
                [found.image for found in readable], probabilities="probabilities" in outputs.kinds
            )
            for found, prediction in zip(readable, predictions, strict=True):
                outputs.write(found.name, found.source, found.image.picture, prediction)
                summary.slid += prediction.slid
            summary.predicted += len(readable)
            progress.update(summary.there + summary.predicted + len(summary.faults) - progress.n)
    summary.seconds = time.perf_counter() - start
    summary.notes += _left(summary, outputs.sources.file)
    return summary


def _left(summary: Summary, sources: Path) -> Iterator[str]:
    """What to say of masks that were left as they are."""
    for masks, why in (
        (summary.corrected, "changed by hand, of images that were changed after their prediction"),
        (summary.unknown, f"of which {sources} does not say what they were made of"),
    ):
        if masks:
            count = f"{len(masks)} mask{'' if len(masks) == 1 else 's'}"
            yield f"{count} {why}, {masks[0]} for one, left as they are; --overwrite predicts anew"


def _tasks(inputs: Inputs, outputs: Outputs, summary: Summary) -> Iterator[_Task]:
    """What is left to do; what is done is counted."""
    for item in inputs.images:
        if not _is_done(outputs, item.name, item.path, summary):
            yield _Task(item.path, item.name, item.path)
    for video in inputs.videos:
        number = -1
        try:
            source = source_of(video.path)
            for number, frame in enumerate(frames_of(video.path)):
                if not _is_done(outputs, name := _frame(video.name, number), video.path, summary):
                    yield _Task(frame, name, source)
        except ValueError as fault:
            yield _Task(fault, video.name, video.path)
        else:
            if note := fewer_frames(video.path, number + 1):
                summary.notes.append(note)


def _frame(video: PurePosixPath, number: int) -> PurePosixPath:
    return video / f"{number:06d}"


def _is_done(outputs: Outputs, name: PurePosixPath, path: Path, summary: Summary) -> bool:
    state = outputs.state(name, path)
    if state in ("missing", "changed"):
        return False
    summary.there += 1
    if state == "corrected":
        summary.corrected.append(outputs.mask_of(name))
    if state == "unknown":
        summary.unknown.append(outputs.mask_of(name))
    return True


def _read(predictor: Predictor, task: _Task) -> _Read | Exception:
    if isinstance(task.image, Exception):
        return task.image
    try:
        # Before the file is read: what is changed in between is then known as changed.
        source = source_of(task.source) if isinstance(task.source, Path) else task.source
        return _Read(predictor.prepare(task.image), task.name, source)
    except (ValueError, OSError) as fault:
        return fault if isinstance(task.source, Path) else ValueError(f"{task.source.path!r}, {task.name}: {fault}")


def ahead(function: Callable[[Item], Result], items: Iterable[Item], threads: int = READERS) -> Iterator[Result]:
    """``map`` by threads that stay at most a result each ahead of what is asked for, so that memory does not fill."""
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _groups(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while group := list(islice(items, size)):
        yield group


def check_all_read(summary: Summary) -> None:
    """Check that nothing was passed over.

    Raises:
        ValueError: Some files could not be read; all of them are named.
    """
    if summary.faults:
        files = f"{len(summary.faults)} file{'' if len(summary.faults) == 1 else 's'}"
        raise ValueError(f"{files} could not be read, all others are done:\n  " + "\n  ".join(summary.faults))
