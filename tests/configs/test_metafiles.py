"""The model index: every config is in it, and its figures are those of the README."""

from pathlib import Path

import pytest
import yaml

from tests.configs.helpers import CONFIGS, ROOT

INDEX = yaml.safe_load((ROOT / "model-index.yml").read_text())["Import"]
METAFILES = {path: yaml.safe_load((ROOT / path).read_text()) for path in INDEX}


def test_every_config_is_in_the_index_once() -> None:
    named = [model["Config"] for metafile in METAFILES.values() for model in metafile["Models"]]
    assert sorted(named) == sorted(str(path.relative_to(ROOT)) for path in CONFIGS)


@pytest.mark.parametrize("path", INDEX)
def test_entries_belong_to_their_collection_and_name_their_config(path: str) -> None:
    [collection] = METAFILES[path]["Collections"]
    assert (ROOT / collection["README"]).is_file()
    for model in METAFILES[path]["Models"]:
        assert model["In Collection"] == collection["Name"]
        assert Path(model["Config"]).stem == model["Name"]
        assert model["Metadata"]["Training Data"] in collection["Metadata"]["Training Data"]


def test_figures_are_those_of_the_readme() -> None:
    """Ours only, and only where they were measured."""
    readme = (ROOT / "README.md").read_text()
    found = [model for metafile in METAFILES.values() for model in metafile["Models"] if "Results" in model]
    assert found
    for model in found:
        value = f"{model['Results']['Metrics']['mIoU']:.1f}"
        row = "supervised-only" if model["Name"].startswith("supervised") else model["In Collection"]
        assert any(line.startswith(f"| {row} |") and value in line.split("|")[2] for line in readme.splitlines()), (
            f"{model['Name']}: {value}"
        )
