"""The model index: every config is in it, our figures are those of the results, and others' are marked as theirs."""

import re
from pathlib import Path

import pytest
import yaml

from tests.configs.helpers import CONFIGS, ROOT

INDEX = yaml.safe_load((ROOT / "model-index.yml").read_text())["Import"]
METAFILES = {path: yaml.safe_load((ROOT / path).read_text()) for path in INDEX}
REPORTED = METAFILES.pop("configs/reported/metafile.yaml")
RESULTS = (ROOT / "docs" / "results.md").read_text()
SPEC = ROOT.parent / "shared" / "spec" / "protocols.md"


def test_every_config_is_in_the_index_once() -> None:
    named = [model["Config"] for metafile in METAFILES.values() for model in metafile["Models"]]
    assert sorted(named) == sorted(str(path.relative_to(ROOT)) for path in CONFIGS)


@pytest.mark.parametrize("path", METAFILES)
def test_entries_belong_to_their_collection_and_name_their_config(path: str) -> None:
    [collection] = METAFILES[path]["Collections"]
    assert (ROOT / collection["README"]).is_file()
    for model in METAFILES[path]["Models"]:
        assert model["In Collection"] == collection["Name"]
        assert Path(model["Config"]).stem == model["Name"]
        assert model["Metadata"]["Training Data"] in collection["Metadata"]["Training Data"]


def test_figures_are_those_of_the_results() -> None:
    """Ours only, and only where they were measured."""
    found = [model for metafile in METAFILES.values() for model in metafile["Models"] if "Results" in model]
    assert found
    for model in found:
        value = f"{model['Results']['Metrics']['mIoU']:.1f}"
        row = "supervised-only" if model["Name"].startswith("supervised") else model["In Collection"]
        assert any(line.startswith(f"| {row} |") and value in line.split("|")[2] for line in RESULTS.splitlines()), (
            f"{model['Name']}: {value}"
        )


# -- what others report -----------------------------------------------------------------------------------------------


def first_word(text: str) -> str:
    return re.findall(r"\w+", text)[0].lower()


def figures_of(text: str) -> dict[str, list[float]]:
    """Figures of the table of VOC classic, by the first word of their row."""
    table = text[text.index("| VOC classic |") :].split("\n\n")[0]
    rows = (line.strip("|").split("|") for line in table.splitlines()[2:])
    return {first_word(name): [float(value) for value in values] for name, *values in rows}


def test_reported_figures_say_whose_they_are() -> None:
    collections = {collection["Name"]: collection for collection in REPORTED["Collections"]}
    assert all("README of " in collection["Metadata"]["Source"] for collection in collections.values())
    assert all(collection["Code"]["URL"] in RESULTS for collection in collections.values())
    for model in REPORTED["Models"]:
        assert model["In Collection"] in collections
        assert "reported" in model["Name"] and "reported" in model["In Collection"]
        assert "Config" not in model  # no config of ours gave that figure


def test_reported_figures_are_those_of_the_results() -> None:
    found: dict[str, list[float]] = {}
    for model in REPORTED["Models"]:
        found.setdefault(first_word(model["In Collection"]), []).append(model["Results"]["Metrics"]["mIoU"])
    names = [model["Metadata"]["Labelled Images"] for model in REPORTED["Models"]]
    assert names == [f"voc-classic-{images}" for images in (92, 183, 366, 732, 1464)] * len(found)
    assert figures_of(RESULTS) == found


@pytest.mark.skipif(not SPEC.is_file(), reason=f"{SPEC} missing")
def test_reported_figures_are_those_of_the_specification() -> None:
    assert figures_of(RESULTS) == figures_of(SPEC.read_text())
