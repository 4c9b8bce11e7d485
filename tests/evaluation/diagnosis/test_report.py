"""Which files make up a report."""

from pathlib import Path

import pytest

from mmseg_css.evaluation.diagnosis.report import names_of_report


def test_a_damaged_report_is_not_taken_for_one(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text('{"schema": 2, ')
    with pytest.raises(ValueError, match=r"report\.json is damaged .*: delete it, or name another --out"):
        names_of_report(tmp_path)
