"""What a study's report says beside its figures: the picture of the gains, machines, and masks that do not fit."""

import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from mmseg_css.evaluation.comparison.study import Study, report
from tests.evaluation.studies import MIOU, finish, finish_part


def test_gains_are_drawn_where_no_ceiling_is_finished_and_are_gone_with_them(study: Study, tmp_path: Path) -> None:
    records = tmp_path / "records"
    runs = study.runs(tmp_path / "work", records)
    for name in ("base", "new"):
        finish(runs["few"]["x"][name][0], MIOU["x"][name][0])
    report(study, runs, records)
    assert (records / "few" / "gains.png").exists()
    shutil.rmtree(runs["few"]["x"]["new"][0].record)
    shutil.rmtree(runs["few"]["x"]["new"][0].folder)
    again = study.runs(tmp_path / "work", records)
    finish(again["few"]["x"]["all"][0], MIOU["x"]["all"][0])
    report(study, again, records)
    assert not (records / "few" / "gains.png").exists()


def test_machines_are_told(study: Study, tmp_path: Path) -> None:
    records = tmp_path / "records"
    runs = study.runs(tmp_path / "work", records)
    for (data, methods), seed in product(runs["few"].items(), (0, 1)):
        for name, own in methods.items():
            finish(own[seed], MIOU[data][name][seed])
            device = "H100" if (data, name, seed) == ("y", "new", 1) else "cpu"
            own[seed].finish({"minutes": 2.0, "memory_gib": 1.5, "made_with": {"device": device, "commit": "abc"}})
    part = report(study, runs, records)["parts"]["few"]
    assert part["methods"]["new"]["machines_differ"] == ["y"] and part["methods"]["all"]["machines_differ"] == []
    assert part["made_with"] == {"device": ["cpu", "H100"], "commit": "abc"}
    text = (records / "study.md").read_text()
    assert (
        "another machine, or with other threads, than their baseline, or one of the two on several: new on y." in text
        and "device cpu and H100, commit abc." in text
    )


def test_other_masks_are_no_comparison(study: Study, tmp_path: Path) -> None:
    finish_part(study, tmp_path, "few")
    records = tmp_path / "records"
    runs = study.runs(tmp_path / "work", records)
    file = runs["few"]["y"]["new"][1].record / "areas.npz"
    np.savez(file, **{**np.load(file), "label": np.tile([51, 30, 9], (4, 1))})
    with pytest.raises(ValueError, match="evaluated with different validation masks"):
        report(study, runs, records)
