"""Which files make up a report."""

from pathlib import Path

import pytest

from mmseg_css.evaluation.diagnosis.report import check_free, names_of_report


@pytest.mark.parametrize("name", ["figures", "report.html", "checkpoint_1"])
def test_what_would_be_in_the_way_is_told_before_the_pass(name: str, tmp_path: Path) -> None:
    """Figures of somebody, or left of a report whose JSON was deleted."""
    (tmp_path / "logs").mkdir()
    check_free(tmp_path, overwrite=False)
    (tmp_path / name).mkdir()
    for overwrite in (False, True):
        with pytest.raises(FileExistsError, match=rf"{name} is where a report would go, and no report.json says"):
            check_free(tmp_path, overwrite=overwrite)


def test_a_damaged_report_is_not_taken_for_one(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text('{"schema": 2, ')
    with pytest.raises(ValueError, match=r"report\.json is damaged .*: name another --out, or delete what is left"):
        names_of_report(tmp_path)
