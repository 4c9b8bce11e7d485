"""A study: which trainings, in which order, and what they say over data sets, without a training."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from mmseg_css.evaluation.comparison.study import Study, in_order, report, train
from mmseg_css.evaluation.statistics import holm
from tests.evaluation.studies import MIOU, finish, finish_part, write


def test_part_by_part_and_seed_by_seed_and_each_training_once(study: Study, tmp_path: Path) -> None:
    order = in_order(study.runs(tmp_path / "work", tmp_path / "records"))
    few = [
        (f"{data}{end} {name}", seed)
        for seed in (0, 1)
        for data in ("x", "y")
        for name, end in (("base", "_few"), ("all", ""), ("new", "_few"))
    ]
    assert [(one.name, one.seed) for one in order[:12]] == few
    assert len(order) == 12 + 8  # the ceilings were trained before
    assert len({one.folder for one in order}) == len({one.record for one in order}) == 20


def test_what_a_method_is_worth_over_data_sets(study: Study, tmp_path: Path) -> None:
    finish_part(study, tmp_path, "few")
    records = tmp_path / "records"
    found = report(study, study.runs(tmp_path / "work", records), records)
    assert list(found["parts"]) == ["few"]  # nothing of "many" is finished
    new, ceiling = (found["parts"]["few"]["methods"][name] for name in ("new", "all"))
    assert new["gain"]["mean"] == pytest.approx((10 + 12 + 2 + 4) / 4)
    assert new["pairs"] == 4
    # All four gains are positive: of 16 ways to swap, two are as extreme.
    assert new["gain"]["p"] == pytest.approx(2 / 16)
    assert new["gain"]["p_holm"] == pytest.approx(holm([2 / 16])[0])
    # The seeds of a data set differ by 2, so that their variance is 2; Student's quantile is 4.3027 at 0.975 with two
    # degrees of freedom. That the data sets differ by 8 is no chance.
    half = 4.3027 * np.sqrt(2 * (1 / 2 + 1 / 2)) / 2
    assert new["gain"]["interval"] == pytest.approx([7 - half, 7 + half], abs=1e-3)
    assert new["gains"]["x"] == pytest.approx([10, 12]) and new["gains"]["y"] == pytest.approx([2, 4])
    assert new["gain_per_data_set"] == pytest.approx({"x": 11, "y": 3})
    assert (records / "few" / "gains.png").stat().st_size > 0
    assert new["gain"]["freedom"] == 2
    assert new["gain"]["p_t_holm"] == pytest.approx(new["gain"]["p_t"]) and new["gain"]["p_t"] < 0.05
    assert new["headroom"]["share"] == pytest.approx((10 + 12 + 2 + 4) / (20 + 20 + 10 + 10))
    low, high = new["headroom"]["interval"]  # the rooms are the same with each seed
    assert (low, high) == pytest.approx(((7 - half) / 15, (7 + half) / 15), abs=1e-4)
    assert new["gain_rare"] == pytest.approx(7 * 2 / 3)
    assert ceiling["headroom"] is None and "p_holm" not in ceiling["gain"]
    assert json.loads((records / "study.json").read_text()) == found
    text = (records / "study.md").read_text()
    assert "| new" in text and "so few pairs cannot be below 0.12" in text  # 2 / 2^4
    assert "Welch's t within data sets (2 degrees of freedom; none where" in text
    assert json.loads((records / "few" / "x" / "results.json").read_text())["block"] == 2


def test_a_seed_counts_when_all_of_it_is_finished(study: Study, tmp_path: Path) -> None:
    finish_part(study, tmp_path, "few", seeds=(1,))
    records = tmp_path / "records"
    runs = study.runs(tmp_path / "work", records)
    finish(runs["few"]["x"]["new"][0], 99.0)
    part = report(study, runs, records)["parts"]["few"]
    assert part["methods"]["new"]["seeds"] == {"x": [1], "y": [1]}  # with seed 0 there is no baseline yet
    assert part["methods"]["new"]["gain_per_data_set"] == pytest.approx({"x": 12, "y": 4})
    assert part["trainings"] == {"finished": 7, "planned": 12}


def with_method(study: Study, tmp_path: Path, name: str) -> Study:
    """The part "few" of a study, with another method."""
    sets = {
        data: configs | {name: write(tmp_path / "configs" / f"{data}_few" / f"{name}.py")}
        for data, configs in study.parts["few"].items()
    }
    return Study(parts={"few": sets}, ceiling="all", seeds={"few": (0, 1)}, blocks={})


def test_a_method_that_has_not_begun_hides_no_other(study: Study, tmp_path: Path) -> None:
    both = with_method(study, tmp_path, "later")
    finish_part(study, tmp_path, "few")
    records = tmp_path / "records"
    runs = both.runs(tmp_path / "work", records)
    assert list(report(both, runs, records)["parts"]["few"]["methods"]) == ["all", "new"]
    finish(runs["few"]["x"]["later"][0], 45.0)
    methods = report(both, runs, records)["parts"]["few"]["methods"]
    assert [*methods] == ["all", "new", "later"] and methods["new"]["pairs"] == 4
    assert methods["later"]["seeds"] == {"x": [0]} and methods["later"]["gain"]["mean"] == pytest.approx(5)
    assert methods["later"]["headroom"] == {"share": pytest.approx(5 / 20), "interval": [None, None]}
    text = (records / "study.md").read_text()
    assert "means over other trainings: compare them by data set" in text and "13 of 16 trainings" in text
    results = json.loads((records / "few" / "x" / "results.json").read_text())
    assert results["seeds"] == [0, 1] and [*results["methods"]] == ["base", "all", "new"]  # what has all seeds


def test_while_no_method_is_through_those_that_have_begun_are_compared(study: Study, tmp_path: Path) -> None:
    records = tmp_path / "records"
    runs = study.runs(tmp_path / "work", records)
    for name, seeds in (("base", (0, 1)), ("all", (0, 1)), ("new", (1,))):
        for seed in seeds:
            finish(runs["few"]["x"][name][seed], MIOU["x"][name][seed])
    report(study, runs, records)
    results = json.loads((records / "few" / "x" / "results.json").read_text())
    assert results["seeds"] == [1] and [*results["methods"]] == ["base", "all", "new"]


def test_before_the_first_method_there_is_the_ceiling(study: Study, tmp_path: Path) -> None:
    records = tmp_path / "records"
    runs = study.runs(tmp_path / "work", records)
    for data, seed, name in product(MIOU, (0, 1), ("base", "all")):
        finish(runs["few"][data][name][seed], MIOU[data][name][seed])
    assert list(report(study, runs, records)["parts"]["few"]["methods"]) == ["all"]


def test_no_data_set_counts_for_more_than_another(study: Study, tmp_path: Path) -> None:
    finish_part(study, tmp_path, "few", seeds=(0,))
    records = tmp_path / "records"
    runs = study.runs(tmp_path / "work", records)
    for name in MIOU["x"]:
        finish(runs["few"]["x"][name][1], MIOU["x"][name][1])
    part = report(study, runs, records)["parts"]["few"]
    assert part["methods"]["new"]["seeds"] == {"x": [0, 1], "y": [0]}
    gain = part["methods"]["new"]["gain"]
    assert gain["mean"] == pytest.approx(((10 + 12) / 2 + 2) / 2)
    assert (gain["interval"], gain["freedom"], gain["p_t"]) == ([None, None], 0, None)  # y tells of no scatter
    assert "none where a data set has a single pair" in (records / "study.md").read_text()
    assert json.loads((records / "few" / "x" / "results.json").read_text())["seeds"] == [0, 1]


def test_methods_of_a_part_are_one_family(study: Study, tmp_path: Path) -> None:
    """Holm's factor is 2 for the smaller p-value and 1 for the other one."""
    both = with_method(study, tmp_path, "other")
    finish_part(study, tmp_path, "few")
    runs = both.runs(tmp_path / "work", tmp_path / "records")
    for data, mious in (("x", (50.0, 53.0)), ("y", (72.0, 66.0))):
        for one, miou in zip(runs["few"][data]["other"], mious, strict=True):
            finish(one, miou)
    methods = report(both, runs, tmp_path / "records")["parts"]["few"]["methods"]
    new, other = (methods[name]["gain"] for name in ("new", "other"))
    # Gains of 10, 12, 2 and 4: two of 16 ways to swap are as extreme; with -4 in place of 4 six: sums of 20, 24 and 28.
    assert (new["p"], other["p"]) == pytest.approx((2 / 16, 6 / 16))
    assert (new["p_holm"], other["p_holm"]) == pytest.approx((2 * 2 / 16, 6 / 16))
    assert new["p_t"] < other["p_t"] / 2
    assert (new["p_t_holm"], other["p_t_holm"]) == pytest.approx((2 * new["p_t"], other["p_t"]))


def test_methods_are_compared_with_each_other(study: Study, tmp_path: Path) -> None:
    """Over the pairs that both have; the better one comes first."""
    three = with_method(with_method(study, tmp_path, "other"), tmp_path, "third")
    finish_part(study, tmp_path, "few")
    runs = three.runs(tmp_path / "work", tmp_path / "records")
    for data, mious in (("x", (51.0, 55.0)), ("y", (75.0, 78.0))):
        for one, miou in zip(runs["few"][data]["other"], mious, strict=True):
            finish(one, miou)
    finish(runs["few"]["x"]["third"][1], 40.0)
    part = report(three, runs, tmp_path / "records")["parts"]["few"]
    assert [pair["methods"] for pair in part["pairs"]] == [["other", "new"], ["new", "third"], ["other", "third"]]
    first, second, last = (pair["difference"] for pair in part["pairs"])
    # 1 and 2 on x, 3 and 4 on y: variances of 1/2 within each; two of 16 ways to swap are as extreme.
    assert first["mean"] == pytest.approx(2.5)
    half = 4.3027 * np.sqrt(0.5 * (1 / 2 + 1 / 2)) / 2
    assert first["interval"] == pytest.approx([2.5 - half, 2.5 + half], abs=1e-3)
    assert first["p"] == first["p_holm"] == pytest.approx(2 / 16)  # alone in its family: single pairs have no p
    assert (second["mean"], last["mean"]) == pytest.approx((13, 15))
    assert second["p"] is last["p"] is None
    assert [pair["seeds"] for pair in part["pairs"]] == [{"x": [0, 1], "y": [0, 1]}, {"x": [1]}, {"x": [1]}]
    text = (tmp_path / "records" / "study.md").read_text()
    assert "| other | new | 4 | +2.5 |" in " ".join(text.split())


def test_trainings_that_both_data_sets_share_are_no_further_evidence(study: Study, tmp_path: Path) -> None:
    """Whichever of the two methods they are of."""
    one = write(tmp_path / "configs" / "shared" / "other.py")
    sets = {data: configs | {"other": one} for data, configs in study.parts["few"].items()}
    both = Study(parts={"few": sets}, ceiling="all", seeds={"few": (0, 1)}, blocks={})
    finish_part(study, tmp_path, "few")
    runs = both.runs(tmp_path / "work", tmp_path / "records")
    for training, miou in zip(runs["few"]["x"]["other"], (45.0, 46.0), strict=True):
        finish(training, miou)
    [pair] = report(both, runs, tmp_path / "records")["parts"]["few"]["pairs"]
    assert pair["methods"] == ["new", "other"]
    # 5 and 7 on x, 27 and 28 on y: by seed 16 and 17.5, with Student's quantile for one degree of freedom.
    half = 12.7062 * 1.5 / 2
    assert pair["difference"]["interval"] == pytest.approx([16.75 - half, 16.75 + half], abs=1e-3)
    text = (tmp_path / "records" / "study.md").read_text()
    assert "Of other, a training of which several data sets share, all pairs of one seed count as one" in text


def test_no_data_set_counts_for_more_than_another_in_the_swaps(study: Study, tmp_path: Path) -> None:
    """Gains of 10 and 12 on x, and of -5.5 on y, where there is one pair."""
    finish_part(study, tmp_path, "few", seeds=(0,))
    runs = study.runs(tmp_path / "work", tmp_path / "records")
    for name in ("base", "new"):
        finish(runs["few"]["x"][name][1], MIOU["x"][name][1])
    finish(runs["few"]["y"]["new"][0], 64.5)
    gain = report(study, runs, tmp_path / "records")["parts"]["few"]["methods"]["new"]["gain"]
    # Of 5 + 6 - 5.5: also 5 + 6 + 5.5 and -5 + 6 + 5.5 are as extreme, and the three opposites, but not 5 - 6 + 5.5.
    assert gain["p"] == pytest.approx(6 / 8)


def test_where_all_labels_gain_nothing_there_is_no_share(study: Study, tmp_path: Path) -> None:
    records = tmp_path / "records"
    runs = study.runs(tmp_path / "work", records)
    for data, seed in product(MIOU, (0, 1)):
        for name, miou in (("base", 50.0), ("all", 50.1 + seed), ("new", 55.0)):
            finish(runs["few"][data][name][seed], miou)
    new = report(study, runs, records)["parts"]["few"]["methods"]["new"]
    assert new["gain"]["mean"] == pytest.approx(5) and new["headroom"]["share"] is None


def test_a_seed_counts_once(study: Study) -> None:
    with pytest.raises(ValueError, match="counts twice"):
        Study(parts=study.parts, ceiling="all", seeds={"few": (0, 1, 0)}, blocks={})


def test_one_training_of_each_tells_no_chance(study: Study, tmp_path: Path) -> None:
    one = Study(parts={"few": {"x": study.parts["few"]["x"]}}, ceiling="all", seeds={"few": (0,)}, blocks={})
    finish_part(one, tmp_path, "few", seeds=(0,))
    records = tmp_path / "records"
    gain = report(one, one.runs(tmp_path / "work", records), records)["parts"]["few"]["methods"]["new"]["gain"]
    assert (gain["mean"], gain["p"], gain["interval"]) == (pytest.approx(10), None, [None, None])


@pytest.mark.usefixtures("quick")
def test_it_trains_and_reports_and_is_not_trained_again(configs: dict[str, Path], tmp_path: Path) -> None:
    asked = Study(parts={"few": {"shapes": configs}}, ceiling="all", seeds={"few": (0,)}, blocks={})
    runs = asked.runs(tmp_path / "work", tmp_path / "records")
    train(runs, tmp_path / "work", tmp_path / "records", jobs=2)
    found = report(asked, runs, tmp_path / "records")["parts"]["few"]
    assert (found["baseline"], found["methods"]["new"]["pairs"]) == ("base", 1)
    elsewhere = asked.runs(tmp_path / "another machine", tmp_path / "records")
    assert all(run.finished() for own in elsewhere["few"]["shapes"].values() for run in own)
    assert report(asked, elsewhere, tmp_path / "records")["parts"]["few"] == found
