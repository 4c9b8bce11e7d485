"""``mmseg-css diagnose``: every method has a report, whose page is whole and says what its JSON says."""

import json
import re
import shutil
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmseg_css.cli.main import call
from mmseg_css.deployment.diagnosis.batches import without_ignored
from mmseg_css.deployment.diagnosis.request import as_in_training
from mmseg_css.evaluation.diagnosis import report as reports
from mmseg_css.evaluation.diagnosis.report import draw_report
from mmseg_css.models import CPS, CSS
from mmseg_css.models.segmentors import Inspection
from mmseg_css.registry import MODELS
from mmseg_css.types import PseudoLabel
from tests.configs.groups import LOOKED_AT, METHODS
from tests.models.helpers import build_css
from tests.trained import MakeConfig

#: Elements that have no end tag.
VOID = {"meta", "img", "link", "br", "hr", "input"}


class Page(HTMLParser):
    """Notes what is not closed, what is loaded, and what has no words for those who cannot see it."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.without_words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        own = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.loaded += [own[key] for key in ("src", "href", "xlink:href") if key in own]
        if (tag == "img" and not own.get("alt")) or (
            tag == "svg" and not (own.get("role") == "img" and own.get("aria-label"))
        ):
            self.without_words.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)


def read(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    return page


def test_the_page_is_whole_and_loads_nothing(report: Path) -> None:
    text = (report / "report.html").read_text()
    page = read(text)
    assert not page.open and not page.without_words
    assert page.loaded and all(target.startswith(("data:image/png;base64,", "#")) for target in page.loaded)
    assert "@import" not in text and "url(http" not in text
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len({*ids})
    assert {path.stem for path in (report / "figures").iterdir()} == {
        *("thresholds", "classes", "regions", "calibration", "cells_by_region", "cells_by_class"),
        *("indicators", "iterations", "spaces_by_iteration", "errors_by_iteration", "indicators_by_iteration"),
    }


def test_words_are_the_numbers_of_the_json(report: Path) -> None:
    found = json.loads((report / "report.json").read_text())
    assert [one["iteration"] for one in found["checkpoints"]] == [2, 4]
    last = found["checkpoints"][-1]
    text = unescape((report / "report.html").read_text())
    mix = last["sources"]["mix"]
    assert mix["supervises"]
    for estimate in (mix["all"]["coverage"], last["spaces"]["corrections"]["mended"]):
        assert f"{100 * estimate['value']:.1f} %" in text
    assert f"{last['spaces']['phi']['value']:.2f} (" in text
    shares = [one["value"] for one in last["spaces"]["shares"].values()]
    assert sum(shares) == pytest.approx(1)
    assert f"agree on {100 * sum(shares[:2]):.1f} %" in text


def test_what_is_said_of_the_method_and_of_each_image(report: Path) -> None:
    found = json.loads((report / "report.json").read_text())
    assert found["notes"] == []  # the config of the training
    assert found["schema"] == 2 and found["indicator"] == "similarity"
    for checkpoint in found["checkpoints"]:
        assert 0 < checkpoint["prototypes"] <= len(found["classes"]) and 0 < checkpoint["highest_similarity"] <= 1
        kinds = ["confident_wrong", "not_learnt_from", "agree_wrong", "both_wrong"]
        assert len(checkpoint["images"]) == 4
        for image in checkpoint["images"]:
            assert [*image] == ["image", *kinds, "sources"]
            for name in ("logit", "representation", "mix"):
                assert [*image["sources"][name]] == ["precision", "coverage", "mIoU"]


def test_page_and_figures_come_from_the_json_alone(report: Path, tmp_path: Path) -> None:
    """They are the same anew, and others where a number is another."""
    again = tmp_path / "again"
    shutil.copytree(report, again, ignore=shutil.ignore_patterns("figures", "report.html"))
    page = draw_report(again / "report.json")
    assert page.read_bytes() == (report / "report.html").read_bytes()
    assert {path.name for path in (again / "figures").iterdir()} == {
        path.name for path in (report / "figures").iterdir()
    }
    found = json.loads((again / "report.json").read_text())
    own = found["checkpoints"][-1]["sources"]["mix"]["all"]
    own["coverage"] = {"value": 0.98765, "interval": [0.1, 0.2]}
    (again / "report.json").write_text(json.dumps(found))
    assert "they cover 98.8 % (10.0 to 20.0) of the pixels" in unescape(draw_report(again / "report.json").read_text())


def test_statistics_are_as_before_when_the_teacher_labelled_as_in_training() -> None:
    init_default_scope("mmseg")
    model = build_css().eval()
    before = {name: buffer.clone() for name, buffer in model.teacher.model.named_buffers()}
    with as_in_training(model):
        model.inspect(torch.rand(2, 3, 32, 32), (32, 32))
        assert any(not torch.equal(buffer, before[name]) for name, buffer in model.teacher.model.named_buffers())
    assert all(torch.equal(buffer, before[name]) for name, buffer in model.teacher.model.named_buffers())
    assert not model.teacher.training


@pytest.fixture
def numbers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a report its JSON: figures and page take longer than all else."""
    monkeypatch.setattr(reports, "draw_report", lambda path: path)


@pytest.mark.usefixtures("numbers_alone")
def test_training_mode(trained: Path, make_config: MakeConfig, tmp_path: Path) -> None:
    """Three images and batches of four, of which two are labelled as unlabelled ones: all three go at once."""
    config = make_config("odd", {"test_dataloader.dataset.indices": 3, "train_dataloader.batch_size": 4})
    arguments = ["diagnose", str(config), str(trained / "iter_4.pth"), "--training-mode"]
    call([*arguments, "--out", str(tmp_path)])
    found = json.loads((tmp_path / "report.json").read_text())
    assert found["norm_layers"] == "as in training" and found["images"] == 3


def test_what_supervises_and_contrasts_under_cross() -> None:
    model = build_css(strategy="cross", cross_warmup=10, confidence_decay=0.9).eval()
    for iteration, supervises in ((9, "logit"), (10, "representation")):
        model.progress = model.progress._replace(iteration=iteration)
        found = model.inspect(torch.rand(1, 3, 32, 32), (32, 32))
        assert (found.supervises, found.contrasts) == (supervises, "logit")


def test_the_ignored_value_is_no_class_even_if_it_is_the_index_of_one() -> None:
    inspection = Inspection(
        {"logit": PseudoLabel(torch.tensor([[[0, 1]]]), torch.ones(1, 1, 2))},
        *2 * ["logit"],
        torch.zeros(1, 2, 1, 1),
        {},
    )
    model = SimpleNamespace(ignore_index=0)
    said = without_ignored(model, [], [], torch.tensor([[[0, 1]]]), inspection)
    assert said.truth.tolist() == said.inspection.sources["logit"].label.tolist() == [[[-1, 1]]]


@pytest.mark.parametrize("method", LOOKED_AT)
def test_one_method_of_each_kind(method: str, make_config: MakeConfig, tmp_path: Path) -> None:
    init_default_scope("mmseg")
    config = make_config(f"diagnosed_{method}", method=method)
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(config).model)
    for bank in getattr(model, "banks", ()):
        bank.prototypes.uniform_(generator=torch.Generator().manual_seed(0))
        bank.seen.fill_(True)
    torch.save({"state_dict": model.state_dict(), "meta": {"iter": 7}}, tmp_path / "some.pth")
    call(["diagnose", str(config), str(tmp_path / "some.pth"), "--out", str(tmp_path / "out")])
    found = json.loads((tmp_path / "out" / "report.json").read_text())
    [checkpoint] = found["checkpoints"]
    sources = {name: own["supervises"] for name, own in checkpoint["sources"].items()}
    assert ("spaces" in checkpoint) == (METHODS[method] is CSS)
    if METHODS[method] is CSS:
        assert sources == {"logit": False, "representation": False, "mix": True}
        shares = [one["value"] for one in checkpoint["spaces"]["shares"].values()]
        assert sum(shares) == pytest.approx(1) and shares[0] + shares[1] > 0 and sum(shares[2:]) > 0
    elif METHODS[method] is CPS:  # each network learns what the other says
        assert sources == {"logit": False, "peer": True}
    else:  # PC2Seg learns from no labels
        assert sources == {"logit": method != "pc2seg"}
    assert all(("not_learnt_from" in image) == (method != "pc2seg") for image in checkpoint["images"])
    assert checkpoint["sources"]["logit"]["all"]["coverage"]["value"] == pytest.approx(1)
    assert not read((tmp_path / "out" / "report.html").read_text()).open


def test_labels_alone(make_config: MakeConfig, tmp_path: Path) -> None:
    """A network of MMSegmentation, whose labels are as right as its predictions in a test."""
    cfg = Config.fromfile(make_config("alone"))
    preprocessor = {**cfg.model.data_preprocessor, "type": "SegDataPreProcessor"}
    cfg.model = {**cfg.model.segmentor, "data_preprocessor": preprocessor}
    cfg.dump(str(tmp_path / "alone.py"))
    init_default_scope("mmseg")
    torch.manual_seed(0)
    torch.save({"state_dict": MODELS.build(cfg.model).state_dict()}, tmp_path / "some.pth")
    arguments = [str(tmp_path / "alone.py"), str(tmp_path / "some.pth")]
    call(["diagnose", *arguments, "--out", str(tmp_path / "out")])
    found = json.loads((tmp_path / "out" / "report.json").read_text())
    [checkpoint] = found["checkpoints"]
    [(name, source)] = checkpoint["sources"].items()
    assert name == "logit" and not source["supervises"] and "spaces" not in checkpoint
    page = unescape((tmp_path / "out" / "report.html").read_text())
    assert "Supervised-only: no method learns from pseudo-labels here" in page
    assert "<h3>Wrong</h3>" in page and "Confident and wrong" not in page  # there is no threshold
    call(["test", *arguments, "--work-dir", str(tmp_path / "test")])
    [figures] = [json.loads(path.read_text()) for path in (tmp_path / "test").glob("*/*.json")]
    assert 100 * source["all"]["mIoU"]["value"] == pytest.approx(figures["mIoU"], abs=0.01)


@pytest.mark.usefixtures("numbers_alone")
@pytest.mark.parametrize("kind", ["paired", "wrapped", "supervised"])
def test_unlabelled_images_with_masks(kind: str, trained: Path, config: Path, tmp_path: Path) -> None:
    """Of both halves, also of a config that learns one and names the other, and below wrappers."""
    cfg = Config.fromfile(config)
    dataset = cfg.train_dataloader.dataset
    masks = Path(dataset.labeled.data_root) / "data" / "demo" / "labels" / "train"
    dataset.unlabeled.indices = 3
    if kind == "wrapped":
        for half in ("labeled", "unlabeled"):
            repeated = {"type": "RepeatDataset", "times": 2, "dataset": dataset[half]}
            dataset[half] = {"type": "ConcatDataset", "datasets": [repeated]}
    elif kind == "supervised":
        cfg.unlabeled, cfg.train_dataloader.dataset = dataset.unlabeled, dataset.labeled
    cfg.dump(str(tmp_path / "own.py"))
    arguments = ["diagnose", str(tmp_path / "own.py"), str(trained / "iter_4.pth"), "--out", str(tmp_path / "out")]
    call([*arguments, "--masks", str(masks)])
    found = json.loads((tmp_path / "out" / "report.json").read_text())
    assert found["looked_at"] == "unlabelled images" and found["images"] == 3
    [checkpoint] = found["checkpoints"]
    assert checkpoint["sources"]["logit"]["all"]["coverage"]["value"] == pytest.approx(1)
