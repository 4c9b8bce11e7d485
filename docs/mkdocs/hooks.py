"""What the site has beside the pages of docs/.

The API reference; the notebook as a page; and, since nothing is fetched, each file of the repository that a page links
to, so that relative links work here as they do on GitHub. Nothing is written to the disk: MkDocs holds it in memory.
"""

import base64
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"
#: Where files from outside of docs/ are, in the site.
REPOSITORY: Final = "repository"
LINK: Final = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")
FUNCTIONAL: Final = sorted(p.stem for p in (ROOT / "mmseg_css/functional").glob("*.py") if p.stem != "__init__")
#: Pages of the API reference: title, and the modules whose public names stand there.
REFERENCE: Final = {
    "segmentors": ("Segmentors", ["models.segmentors"]),
    "heads": ("Heads", ["models.heads"]),
    "losses": ("Losses", ["models.losses"]),
    "parts": (
        "Parts of methods",
        [
            f"models.{name}"
            for name in ("augmentation", "strong_view", "teacher", "prototype_bank", "data_preprocessor")
        ],
    ),
    "datasets": ("Data sets", ["datasets"]),
    "hooks": ("Hooks and loops", ["engine.hooks", "engine.loops"]),
    "deployment": ("Prediction", ["deployment"]),
    "evaluation": ("Measuring", ["evaluation", "evaluation.statistics"]),
    "functional": ("Functions", [f"functional.{name}" for name in FUNCTIONAL]),
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here."""
    for name, (title, modules) in REFERENCE.items():
        body = "\n\n".join(f"## `mmseg_css.{module}`\n\n::: mmseg_css.{module}" for module in modules)
        if len(modules) == 1:
            body = f"::: mmseg_css.{modules[0]}"
        options = "" if len(modules) == 1 else "\n    options:\n      heading_level: 3"
        text = f"# {title}\n\n" + re.sub(r"(?m)^(::: .*)$", rf"\1{options}", body)
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    for uri, content in notebook(DOCS / "notebook.ipynb"):
        files.append(File.generated(config, uri, content=content))
    for uri, content in linked_files():
        kind = InclusionLevel.NOT_IN_NAV
        files.append(File.generated(config, uri, content=content, inclusion=kind))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links where the site has their targets."""
    return rewritten(markdown, page.file.src_uri)


def source_of(uri: str) -> Path:
    """The file of the repository that a page of the site shows."""
    inside = uri.removeprefix(f"{REPOSITORY}/")
    return ROOT / inside if inside != uri else DOCS / uri


def uri_of(path: Path) -> str:
    """The page of the site that shows a file or folder of the repository."""
    if path.is_dir():
        path = path / "index.md"
    elif path.suffix == ".ipynb":
        path = path.with_suffix(".md")
    if path.is_relative_to(DOCS):
        return path.relative_to(DOCS).as_posix()
    inside = path.relative_to(ROOT).as_posix()
    return f"{REPOSITORY}/{inside}" + ("" if path.suffix == ".md" else ".md")


def targets(text: str, source: Path) -> Iterator[Path]:
    for match in LINK.finditer(text):
        yield Path(os.path.normpath(source.parent / match[1]))


def rewritten(text: str, uri: str) -> str:
    source = source_of(uri)

    def lead(match: re.Match) -> str:
        target = Path(os.path.normpath(source.parent / match[1]))
        if not target.exists():
            return match[0]  # left for MkDocs to complain of
        return os.path.relpath(uri_of(target), os.path.dirname(uri) or ".") + (match[2] or "")

    return LINK.sub(lead, text)


def linked_files() -> Iterator[tuple[str, str]]:
    """Files outside of docs/, and folders, that pages link to, and what these link to."""
    waiting, seen = [*DOCS.rglob("*.md"), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"], set[Path]()
    while waiting:
        source = waiting.pop()
        if source in seen or not source.exists():
            continue
        seen.add(source)
        if source.is_dir():
            inside = sorted(p for p in source.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
            waiting += inside
            names = [p.relative_to(source).as_posix() for p in inside]
            yield uri_of(source), f"# {source.name}/\n\n" + "\n".join(f"- [{name}]({name})" for name in names)
        elif source.suffix == ".md":
            text = source.read_text(encoding="utf-8")
            waiting += targets(text, source)
            if not source.is_relative_to(DOCS):
                yield uri_of(source), text
        elif not source.is_relative_to(DOCS):
            yield uri_of(source), as_code(source)


def as_code(source: Path) -> str:
    name = source.relative_to(ROOT).as_posix()
    kind = {".py": "python", ".sh": "bash"}.get(source.suffix, "text")
    text = source.read_text(encoding="utf-8")
    return f"---\nsearch: {{exclude: true}}\n---\n# `{name}`\n\n~~~~{kind}\n{text}\n~~~~\n"


def notebook(path: Path) -> Iterator[tuple[str, str | bytes]]:
    """The page of a notebook and its pictures, as they were when it was run."""
    name, parts, pictures = path.stem, [], 0
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        for output in cell.get("outputs", ()):
            if "text" in output:
                parts.append("```text\n" + "".join(output["text"]).rstrip() + "\n```")
            elif encoded := output.get("data", {}).get("image/png"):
                pictures += 1
                picture = f"{name}_{pictures}.png"
                yield picture, base64.b64decode(encoded)
                parts.append(f"![{cell['metadata'].get('alt', '')}]({picture})")
    parts.insert(1, f'<a href="{path.name}" download>The notebook</a> to run or change it.')
    yield f"{name}.md", "\n\n".join(parts)
