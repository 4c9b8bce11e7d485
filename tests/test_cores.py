"""How many processors are ours."""

import os

import pytest

from mmseg_css.cores import cores


def test_processors_that_others_were_given_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """By Slurm or `taskset`; where the system does not say, all are."""
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5}, raising=False)
    assert cores() == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    assert cores() == 64
