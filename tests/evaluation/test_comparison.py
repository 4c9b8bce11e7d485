"""Trainings that are compared, without a training."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from scipy import stats

from mmseg_css.cfg_options import merge_options, parse_options
from mmseg_css.cli.main import run
from mmseg_css.evaluation.comparison import Question, compare
from mmseg_css.evaluation.comparison.curves import _mean, styles_of
from mmseg_css.evaluation.comparison.lanes import locked
from mmseg_css.evaluation.comparison.results import summarise
from mmseg_css.evaluation.comparison.tables import tables
from mmseg_css.evaluation.statistics import holm
from mmseg_css.registry import HOOKS
from tests.evaluation.finished import CONFIG, MIOU, finish, finish_all


def test_what_finished_runs_say(configs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    question = Question(configs=configs, seeds=(0, 1, 2), ceiling="all")
    finish_all(question, tmp_path / "work")
    results = compare(question, tmp_path / "work", jobs=2)
    methods = results["methods"]
    assert methods["base"]["mIoU"] == pytest.approx(41)
    assert methods["new"]["mIoU_per_seed"] == pytest.approx([50, 52, 51])
    assert methods["new"]["gain"]["mean"] == pytest.approx(10)
    # Gains of 10, 11 and 9: Student's t with two degrees of freedom, whose quantile is 4.3027 at 0.975.
    assert methods["new"]["gain"]["interval"] == pytest.approx([10 - 4.3027 / 3**0.5, 10 + 4.3027 / 3**0.5], abs=1e-3)
    assert methods["new"]["gain"]["p_seeds_holm"] == pytest.approx(methods["new"]["gain"]["p_seeds"])
    # Six images: of 2^6 ways to swap, only "none" and "all" are as extreme.
    assert methods["new"]["gain"]["p_images"] == pytest.approx(2 / 64, abs=0.01)
    assert methods["new"]["headroom"]["share"] == pytest.approx(10 / 20)
    assert [point["iteration"] for point in methods["new"]["curves"][2]] == [400, 800]
    assert (results["baseline"], results["ceiling"]) == ("base", "all")
    assert results["made_with"] == {"threads": 1, "commit": ["c0", "c1"]}  # as each run noted
    assert "threads 1, commit c0 and c1" in (tmp_path / "work" / "results.md").read_text()
    assert json.loads((tmp_path / "work" / "results.json").read_text()) == results
    assert (tmp_path / "work" / "results.md").read_text().startswith("|")
    printed = capsys.readouterr().out
    assert "+10.0" in printed and "50%" in printed and "checkered" in printed
    if importlib.util.find_spec("matplotlib"):
        assert (tmp_path / "work" / "curves.png").stat().st_size > 1000


def test_methods_beside_each_other(configs: dict[str, Path], tmp_path: Path) -> None:
    """All pairs of them, the better first, are one family; baseline and ceiling have their own columns."""
    question = Question(
        configs=configs | {"good": configs["all"], "last": configs["all"]}, seeds=(0, 1, 2), ceiling="all"
    )
    scores = MIOU | {"good": (55.0, 56.0, 58.0), "last": (45.0, 50.0, 46.0)}
    for name, own in question.runs(tmp_path / "work").items():
        for one, miou in zip(own, scores[name], strict=True):
            finish(one, miou)
    pairs = compare(question, tmp_path / "work")["pairs"]
    assert [pair["methods"] for pair in pairs] == [["good", "new"], ["good", "last"], ["new", "last"]]
    assert [pair["difference"] for pair in pairs] == pytest.approx([16 / 3, 28 / 3, 4])
    p = [float(stats.ttest_rel(scores[a], scores[b]).pvalue) for a, b in (pair["methods"] for pair in pairs)]
    assert [pair["p_seeds"] for pair in pairs] == pytest.approx(p)
    assert [pair["p_seeds_holm"] for pair in pairs] == pytest.approx(holm(p))
    text = (tmp_path / "work" / "results.md").read_text()
    assert f"+5.3 ({holm(p)[0]:.4f})" in text and "above" in text


def test_methods_that_are_compared_are_one_family(configs: dict[str, Path], tmp_path: Path) -> None:
    """Three p-values against the baseline in ascending order: Holm's factors are 3, 2 and 1."""
    question = Question(configs=configs | {"same": configs["all"]}, seeds=(0, 1, 2))
    scores = MIOU | {"same": (40.0, 42.0, 43.0)}
    for name, own in question.runs(tmp_path / "work").items():
        for one, miou in zip(own, scores[name], strict=True):
            finish(one, miou)
    methods = compare(question, tmp_path / "work")["methods"]
    p = [float(stats.ttest_rel(scores[name], scores["base"]).pvalue) for name in ("all", "new", "same")]
    assert 3 * p[0] < 2 * p[1] < p[2]
    gains = [methods[name]["gain"] for name in ("all", "new", "same")]
    assert [gain["p_seeds_holm"] for gain in gains] == pytest.approx([3 * p[0], 2 * p[1], p[2]])
    # Of 2^6 ways to swap the images of a method two are as extreme.
    assert [gain["p_images_holm"] for gain in gains] == pytest.approx([3 * 2 / 64] * 3)


def test_neighbouring_images_are_swapped_together(configs: dict[str, Path], tmp_path: Path) -> None:
    """Six images are two blocks of three: of four ways to swap, two are as extreme."""
    question = Question(configs=configs, seeds=(0,), block=3)
    finish_all(question, tmp_path / "work")
    results = compare(question, tmp_path / "work")
    assert results["block"] == 3
    assert results["methods"]["new"]["gain"]["p_images"] == pytest.approx(2 / 4)


@pytest.mark.parametrize("ceiling", ["all", None])
def test_no_two_curves_look_alike(ceiling: str | None) -> None:
    names = ["base", "all", *map(str, range(20))]
    styles = styles_of({"methods": dict.fromkeys(names), "baseline": "base", "ceiling": ceiling})
    assert len({(styles[name]["color"], styles[name]["linestyle"]) for name in names}) == len(names)


def test_one_seed_has_no_interval(configs: dict[str, Path], tmp_path: Path) -> None:
    question = Question(configs=configs, seeds=(0,))
    finish_all(question, tmp_path / "work")
    results = compare(question, tmp_path / "work")
    gain = results["methods"]["new"]["gain"]
    assert gain["mean"] == pytest.approx(10)
    assert gain["interval"] == [None, None]
    assert gain["p_seeds"] is gain["detectable"] is None
    table = tables(results)
    assert "gain" in table and "p over images" in table
    assert not any(title in table for title in ("95 % interval", "detectable", "p over seeds", "headroom"))
    assert "One training of each says nothing of other trainings: give several --seeds." in table


def test_a_tiny_p_is_not_called_zero(configs: dict[str, Path], tmp_path: Path) -> None:
    question = Question(configs=configs)
    finish_all(question, tmp_path / "work")
    results = compare(question, tmp_path / "work")
    assert "< 0.0001" not in tables(results)
    results["methods"]["new"]["gain"]["p_seeds"] = 1e-7
    assert "< 0.0001" in tables(results) and "0.0000" not in tables(results)


def test_classes_of_a_config_of_ones_own(tmp_path: Path) -> None:
    """They stand in the config, not in the data set's class."""
    config = tmp_path / "config.py"
    config.write_text(
        "val_dataloader = dict(dataset=dict(type='FolderDataset', metainfo=dict(classes=['ground', 'tree'])))\n"
        "train_cfg = dict(max_iters=8)\n"
    )
    question = Question(configs={"base": config})
    finish(question.runs(tmp_path / "work")["base"][0], 50.0, classes=2)
    assert list(compare(question, tmp_path / "work")["methods"]["base"]["IoU"]) == ["ground", "tree"]


def test_classes_that_an_option_names(tmp_path: Path) -> None:
    config = tmp_path / "config.py"
    config.write_text(f"{CONFIG}val_dataloader['dataset'] = dict(type='FolderDataset', metainfo=dict(classes=['a']))\n")
    question = Question(configs={"base": config}, options=("val_dataloader.dataset.metainfo.classes=[ground,tree]",))
    finish(question.runs(tmp_path / "work")["base"][0], 50.0, classes=2)
    assert list(compare(question, tmp_path / "work")["methods"]["base"]["IoU"]) == ["ground", "tree"]


def test_the_mean_curve_holds_what_all_runs_have(configs: dict[str, Path], tmp_path: Path) -> None:
    curves = [[{"iteration": at, "mIoU": float(at)} for at in points] for points in ((100, 200, 400), (200, 300, 400))]
    assert _mean(curves, "iteration") == ([200, 400], [200.0, 400.0])


def test_records_stand_for_the_trainings(configs: dict[str, Path], tmp_path: Path) -> None:
    """What another machine trained is not trained here, and a run's record holds all that the results need."""
    question = Question(configs=configs, seeds=(0,))
    records = tmp_path / "records"
    for name, [one] in question.runs(tmp_path / "there", records).items():
        finish(one, MIOU[name][0])
    results = compare(question, tmp_path / "here", records=records)
    assert results["methods"]["new"]["mIoU"] == pytest.approx(50)
    assert json.loads((records / "results.json").read_text()) == results
    assert sorted(path.name for path in (records / "new_seed0").iterdir()) == ["areas.npz", "curve.json", "run.json"]
    assert not (tmp_path / "here" / "results.json").exists()
    configs["new"].write_text(CONFIG + "load_from = 'x'\n")
    with pytest.raises(ValueError, match=r"records/new_seed0 holds a run of another config"):
        compare(Question(configs=configs, seeds=(0,)), tmp_path / "here", records=records)


def test_two_comparisons_keep_apart(configs: dict[str, Path], tmp_path: Path) -> None:
    with locked(tmp_path / "work"), pytest.raises(RuntimeError, match="another comparison is at work in"):
        compare(Question(configs=configs), tmp_path / "work")


def test_the_ceiling_must_be_compared(configs: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--ceiling full is none of the configs: base, new, all"):
        compare(Question(configs=configs, ceiling="full"), tmp_path / "work")


@pytest.mark.parametrize(("iterations", "interval"), [(800, 100), (100, 20), (7, 1), (11, 11)])
def test_evaluations_divide_the_iterations(tmp_path: Path, iterations: int, interval: int) -> None:
    """MMEngine's loop evaluates where the interval divides the iteration; the end must be one of these."""
    config = tmp_path / "config.py"
    config.write_text(CONFIG)
    [one] = Question(configs={"a": config}, options=(f"train_cfg.max_iters={iterations}",)).runs(tmp_path)["a"]
    assert f"train_cfg.val_interval={interval}" in one.command()


@pytest.mark.parametrize(
    ("own", "counts", "interval"),
    [(None, 1, None), (dict(interval=800), 1, 101), (dict(interval=50), 1, 50), (dict(interval=800), 3, 102)],
)
def test_what_is_killed_loses_little(tmp_path: Path, own: dict | None, counts: int, interval: int | None) -> None:
    """A checkpoint after each evaluation, which holds it; a config that saves more often does so. None between the
    iterations of a step."""
    config = tmp_path / "config.py"
    hooks = dict(checkpoint={"type": "DurableCheckpointHook", "by_epoch": False, **own}) if own else {}
    config.write_text(f"{CONFIG}default_hooks = {hooks}\noptim_wrapper = dict(type='OptimWrapper')\n")
    options = (f"optim_wrapper.accumulative_counts={counts}",)
    [one] = Question(configs={"a": config}, options=options).runs(tmp_path)["a"]
    cfg = Config.fromfile(config)
    merge_options(cfg, parse_options(one.command()[one.command().index("--cfg-options") + 1 :]))
    assert (cfg.train_cfg.max_iters, cfg.train_cfg.val_interval) == (800, 100)
    assert cfg.default_hooks.get("checkpoint", {}).get("interval") == interval
    if own:
        HOOKS.build(cfg.default_hooks.checkpoint)  # which refuses what it cannot keep


def test_trainings_that_are_compared_across_machines_are_named(configs: dict[str, Path], tmp_path: Path) -> None:
    runs = Question(configs=configs, seeds=(0, 1, 2)).runs(tmp_path / "work")
    for name, own in runs.items():
        for one, miou in zip(own, MIOU[name], strict=False):
            finish(one, miou)
            # Of seed 0 all on one machine, of seed 1 one elsewhere, and of seed 2 one with all threads.
            made = {"processor": "EPYC", "device": "H100" if (name, one.seed) == ("new", 1) else "cpu"}
            made["threads"] = 2 if (name, one.seed) == ("base", 2) else 1
            if name == "all":  # a run of before, which does not say
                del made["device"]
            one.finish({"minutes": 2.0, "memory_gib": 1.5, "made_with": made})
    results = summarise(runs)
    assert results["machines_differ"] == [1, 2]
    said = tables(results)
    where = "ran on different machines, one after the other or each on its own, or with other threads"
    assert f"The trainings of seed 1 and 2 {where}" in said and "minutes compare nothing" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["css=no/such/file.py"], "expected NAME=CONFIG with an existing config file, got 'css=no/such/file.py'"),
        ([], "nothing to compare"),
        (["a={0}", "a={1}"], "two configs have one name: a, a"),
        (["a={0}", "--seeds", "0", "1", "0"], "--seeds 0 1 0: a seed that counts twice is no second run"),
        (["a={0}", "--block", "0"], "--block must be at least 1, got 0"),
        (["a={0}", "--evaluations", "0"], "--evaluations must be at least 1, got 0"),
        (["a={0}", "--cfg-options", "train_cfg.max_epochs=3"], "a comparison counts iterations; set train_cfg.max_it"),
        (["a={0}", "--cfg-options", "randomness.seed=5"], "each training has its own; choose them with --seeds"),
        (["a={0}", "/b={1}"], "'/b' is no name of a config: a folder is named after it"),
        (["={0}"], "'' is no name of a config: a folder is named after it"),
    ],
)
def test_arguments_are_checked_in_words(
    arguments: list[str], said: str, configs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    arguments = [argument.format(configs["base"], configs["new"]) for argument in arguments]
    assert run(["compare", *arguments, "--work-dir", str(tmp_path / "work")]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("command", [["compare", "a=b.py", "--work-dir", "w"], ["study", "a.py"], ["demo"]])
def test_no_lane_is_refused_in_words(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run([*command, "--jobs", "0"])
    assert "Must be >= 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("val_dataloader = None", "a comparison evaluates each training; set val_dataloader, as one dict"),
        ("val_evaluator = dict(type='CityscapesMetric')", "take the place of val_evaluator.type='CityscapesMetric'"),
        ("val_evaluator = [dict(type='IoUMetric')]", "set val_evaluator, as one dict"),
        (
            "val_evaluator = dict(type='IoUMetric', iou_metrics=['mDice'])",
            r"new.py: a comparison goes by mIoU, and val_evaluator.iou_metrics=\['mDice'\] lacks it",
        ),
        ("val_evaluator = dict(type='IoUMetric', prefix='val')", "val_evaluator.prefix='val' gives it another name"),
        (
            "val_dataloader = dict(dataset=dict(type='ConcatDataset', datasets=[dict(type='DemoDataset')]))",
            "a ConcatDataset, names no classes",
        ),
    ],
)
def test_configs_that_cannot_be_compared_are_refused_before_the_first_start(
    line: str, said: str, configs: dict[str, Path], tmp_path: Path
) -> None:
    configs["new"].write_text(f"{CONFIG}{line}\n")
    with pytest.raises(ValueError, match=said):
        compare(Question(configs=configs), tmp_path / "work")
    assert not (tmp_path / "work" / "base_seed0").exists()


def test_runs_that_were_evaluated_with_other_masks_are_not_compared(configs: dict[str, Path], tmp_path: Path) -> None:
    question = Question(configs=configs, seeds=(0,))
    finish_all(question, tmp_path / "work")
    file = tmp_path / "work" / "new_seed0" / "areas.npz"
    np.savez(file, **{**np.load(file), "label": np.full((6, 5), 61)})
    with pytest.raises(ValueError, match="evaluated with different validation masks"):
        compare(question, tmp_path / "work")


def test_records_asked_for_later(configs: dict[str, Path], tmp_path: Path) -> None:
    question = Question(configs=configs, seeds=(0,))
    finish_all(question, tmp_path / "work")
    results = compare(question, tmp_path / "work", records=tmp_path / "records")
    assert results["methods"]["new"]["mIoU"] == pytest.approx(50)
    assert (tmp_path / "records" / "new_seed0" / "areas.npz").exists()
