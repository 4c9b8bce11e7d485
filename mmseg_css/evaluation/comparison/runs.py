"""The trainings of a comparison: what each is, what it needs, and whether it is finished."""

import json
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from mmengine.config import Config

from mmseg_css.compat import damage
from mmseg_css.evaluation.comparison.machine import together
from mmseg_css.evaluation.comparison.settings import differing
from mmseg_css.evaluation.comparison.source import Source
from mmseg_css.files import read_json, write_text

GIVEN: Final = ("curve.json", "areas.npz")
#: This package in a process of its own, which a clone in the current folder does not take the place of.
COMMAND: Final = (sys.executable, "-P", "-m", "mmseg_css")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training: a config, a seed, and the folder that holds it.

    Attributes:
        name: What the config is called in this comparison.
        source: The config file, with options of the command line.
        seed: ``randomness.seed``.
        folder: Its work dir, which also gets ``output.txt``.
        record: The folder that gets what it gave, in some kilobytes: ``run.json``, ``curve.json`` and ``areas.npz``.
        evaluations: How often it is evaluated, the end included, as far as that divides its iterations.
    """

    name: str
    source: Source
    seed: int
    folder: Path
    record: Path
    evaluations: int = 8

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What makes the run what it is, as it was when this was first asked of any run of its config."""
        return {**self.source.settings, "seed": self.seed}

    @property
    def iterations(self) -> int:
        total: int = self.source.trained.train_cfg.max_iters
        return total

    @property
    def steps_left(self) -> int:
        """Iterations after the last checkpoint."""
        return max(0, self.iterations - self._learned())

    def _learned(self) -> int:
        """The iteration of the last checkpoint, 0 without one."""
        made = [int(path.stem.removeprefix("iter_")) for path in self.folder.glob("iter_*.pth")]
        return max(made, default=0)

    def command(self) -> list[str]:
        """What is started."""
        cfg, total = self.source.trained, self.iterations
        interval = total // max(n for n in range(1, self.evaluations + 1) if total % n == 0)
        return [
            *(*COMMAND, "train", str(self.source.path)),
            *("--work-dir", str(self.folder), "--resume", "--cfg-options"),
            f"randomness.seed={self.seed}",
            "val_evaluator.type=PerImageIoUMetric",
            f"val_evaluator.areas_file={self.folder / 'areas.npz'}",
            "default_hooks.curve.type=CurveHook",
            f"default_hooks.curve.file={self.folder / 'curve.json'}",
            f"train_cfg.val_interval={interval}",
            *self._checkpoints(cfg, interval),
            *self.source.options,
        ]

    @staticmethod
    def _checkpoints(cfg: Config, interval: int) -> list[str]:
        """What is killed, and cannot save what it has learned, loses little.

        A checkpoint is written before the evaluation of its iteration, and one that is a step late holds that.
        """
        own = cfg.get("default_hooks", {}).get("checkpoint")
        counts = cfg.get("optim_wrapper", {}).get("accumulative_counts", 1)  # iterations of a step
        late = (interval // counts + 1) * counts
        if own is None or 0 < own.get("interval", -1) <= late:
            return []
        return [f"default_hooks.checkpoint.interval={late}", "default_hooks.checkpoint.max_keep_ckpts=2"]

    def made_with(self) -> dict[str, Any]:
        """What a finished run was made with, as far as it noted that."""
        noted: dict[str, Any] = (self.finished() or {}).get("made_with", {})
        return noted

    def finished(self) -> dict[str, Any] | None:
        """Minutes, memory and what it was made with if the run is finished.

        Raises:
            ValueError: The folder, or that of the record, holds a run of other settings, or one of which a part is
                missing or damaged.
        """
        settings = self.settings  # read now and kept, whether there is a run or not
        for place in (self.record, self.folder):
            if (file := place / "run.json").exists():
                known = read_json(file, f"put back a copy, or delete {place}, and it is trained again")
                if other := differing(known["settings"], settings):
                    if not known["finished"] and not any(place.glob("*.pth")):
                        continue  # it failed before anything was learned, and is begun anew
                    raise ValueError(
                        f"{place} holds a run of another config, seed or image list, or of other options, than "
                        f"{self.source.path} ({', '.join(other)}): name another --work-dir and --records, or delete it"
                    )
                if known["finished"]:
                    _check_whole(place)
                    if place != self.record:  # before records were asked for
                        self.finish(known["finished"])
                return known["finished"]
        if any(self.folder.glob("*.pth")) and not (self.folder / "run.json").exists():
            # They would be gone on from, and noted as those of this config.
            raise ValueError(
                f"{self.folder} holds checkpoints, and no run.json that says of which training: name another "
                "--work-dir, or delete it"
            )
        return None

    def last_checkpoint(self) -> Path | None:
        """Of the last iteration, if the folder holds one of a training with these settings; it may be another training
        than the record's, but is the same."""
        noted, checkpoint = self.folder / "run.json", self.folder / f"iter_{self.iterations}.pth"
        if not (noted.exists() and checkpoint.exists()) or damage(checkpoint) is not None:
            return None
        known = read_json(noted, "put back a copy, or delete it")
        return None if differing(known["settings"], self.settings) else checkpoint

    def begin(self, made_with: Mapping[str, Any]) -> dict[str, Any]:
        """Write down whose folder it is, and what the training is made with from here on; what it is made with in all,
        parts of it that are gone on from included."""
        noted, learned = self.folder / "run.json", self._learned()
        parts: list[dict[str, Any]] = []
        if learned and noted.exists():
            unknown = {"from": 0, "made_with": dict.fromkeys(made_with, "unknown")}
            before = read_json(noted, "put back a copy, or delete it").get("parts", [unknown])
            parts = [part for part in before if part["from"] < learned]  # the others ended before their checkpoint
        parts.append({"from": learned, "made_with": dict(made_with)})
        self._note(self.folder, None, parts=parts)
        return together(part["made_with"] for part in parts)

    def finish(self, finished: dict[str, Any]) -> None:
        """Write down that the run is finished, and what it gave.

        Raises:
            FileNotFoundError: Its folder lacks that.
        """
        if missing := _missing(self.folder):
            raise FileNotFoundError(f"the training left no {missing} in {self.folder}")
        if self.record != self.folder:
            self.record.mkdir(parents=True, exist_ok=True)
            for name in GIVEN:
                shutil.copyfile(self.folder / name, self.record / name)
        self._note(self.record, finished)

    def _note(self, place: Path, finished: dict[str, Any] | None, **more: Any) -> None:
        noted = {"settings": self.settings, "finished": finished, **more}
        write_text(place / "run.json", json.dumps(noted, indent=2) + "\n")


def unfinished(runs: Iterable[Run]) -> list[Run]:
    """Those that are to be trained, which can be.

    Raises:
        ValueError: A folder holds a run of other settings or has a comma in its path, or a config is none to compare.
    """
    wanted = [run for run in runs if run.finished() is None]
    for run in wanted:
        run.source.check()
        if "," in str(run.folder):  # it is given to the training as a setting
            raise ValueError(f"{run.folder}: a comma would part it in two: name another --work-dir or config")
    return wanted


def _missing(place: Path) -> str:
    """What a finished run gives, and is not there."""
    return " and ".join(name for name in GIVEN if not (place / name).exists())


def _check_whole(place: Path) -> None:
    """Refuse the record of a finished run that lacks what the run gave."""
    if missing := _missing(place):
        raise ValueError(
            f"{place} lacks {missing}, though its run.json says that the training is finished: put back a copy, or "
            f"delete {place}, and it is trained again"
        )
