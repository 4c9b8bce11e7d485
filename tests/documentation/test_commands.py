"""Every shell line of the pages is one that works: commands, options, configs, targets. Nothing is run."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest
from cyclopts import CycloptsError

from mmseg_css.cli.compare import named_configs
from mmseg_css.cli.main import _with_value_of_resume, app
from tests.documentation.pages import PAGES, ROOT, Part, blocks, inline
from tests.documentation.shell import calls, lines_of

BLOCKS: Final = [block for page in PAGES for block in blocks(page) if lines_of(block)]
INLINE: Final = [part for page in PAGES for part in inline(page)]
#: Programs that are not ours.
OTHERS: Final = {"apt-get", "cat", "cp", "git", "jupyter", "mkdir", "pip", "pre-commit", "tar", "unzip"}
#: Stands for files that the reader has, has written or is to name.
A_CONFIG: Final = "configs/css/css_lite0_demo.py"
THEIRS: Final = re.compile(
    r"CONFIG$|configs/(own|street)/|work_dirs/|my_methods/|photographs|drive\.mp4|list\.txt|data/street/"
)
MAKEFILE: Final = (ROOT / "Makefile").read_text()


@pytest.fixture(autouse=True)
def _in_the_clone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_blocks(block: Part, tmp_path: Path) -> None:
    for call in calls(block, tmp_path):
        check(call)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_sentences(page: Path) -> None:
    """Of commands in sentences, which leave out much: subcommands, options and targets are there."""
    for part in INLINE:
        if part.page != page:
            continue
        words = part.text.split()
        if words[0] == "make":
            check_make(words[1:])
        elif words[0] == "mmseg-css" and words[1:] and words[1] not in ("X", "..."):
            known = options(words[1:])
            wrong = [w for w in words if w.startswith("--") and w.partition("=")[0] not in known]
            assert not wrong, f"{part}: no option {wrong}"


def test_the_checks_notice(tmp_path: Path) -> None:
    wrong = (
        "mmseg-css trane CONFIG",
        "mmseg-css train CONFIG --rezume",
        "mmseg-css train configs/css/css_r101_vok_1-8.py",
        "mmseg-css compare css=configs/css/none.py --work-dir DIR",
        "mmseg-css split generate --images DIR --out FILE",
        "for n in 1 2; do python tools/trane.py CONFIG; done",
        "make tests",
        "mmsegcss train CONFIG",
        "pip install -r requirements/none.txt",
    )
    for text in wrong:
        [call, *_] = calls(Part(ROOT / "README.md", 1, "bash", text), tmp_path)
        with pytest.raises((AssertionError, CycloptsError, OSError, ValueError)):
            check(call)


def check(call: list[str]) -> None:
    """Raises if a command does not exist, or not with these options and files."""
    program, *words = call
    if program == "mmseg-css":
        check_command(words)
    elif program == "make":
        check_make(words)
    elif program in ("python", "bash"):
        check_script(words)
    else:
        assert program in OTHERS, call
        for file in re.findall(r"requirements/\S+", " ".join(words)):
            assert (ROOT / file).is_file(), call


def check_command(words: list[str]) -> None:
    if words[0].startswith("--"):
        return
    words = [standing(word) for word in words]
    function, bound, _ = app.parse_args(_with_value_of_resume(words), print_error=False, exit_on_error=False)
    if words[0] == "compare":
        named_configs(bound.arguments["configs"])
    assert function is not None


def standing(word: str) -> str:
    """What the reader is to supply, replaced by something that is there."""
    if word == "DATA_SET":
        return "voc"
    name, equals, path = word.rpartition("=")
    path = path.removeprefix("CLONE/")
    return f"{name}{equals}{A_CONFIG if THEIRS.match(path) else path}"


def check_script(words: list[str]) -> None:
    script, *words = words
    if script == "-c":
        compile(words[0], "-c", "exec")
        return
    if script == "-m":
        assert words[0] == "mmseg_css", words
        check_command(words[1:])
        return
    text = (ROOT / script).read_text()
    if script.endswith(".sh"):
        check_command([("test" if "test" in script else "train"), words[0]] + ["FILE"] * ("test" in script))
    elif door := re.search(r"^ +enter\((.*)\)$", text, re.MULTILINE):
        check_command([*ast.literal_eval(f"[{door[1]}]"), *words])
    else:
        assert all(word in text for word in words if word.startswith("--")), (script, words)


def check_make(words: list[str]) -> None:
    for word in words:
        assert "=" in word or re.search(rf"^{re.escape(word)}:", MAKEFILE, re.MULTILINE), f"no target {word}"


def options(words: list[str]) -> set[str]:
    """Of the subcommand that the words begin with."""
    chain, apps, _ = app.parse_commands(words)
    assert chain or words[0].startswith("--"), f"no command {words[0]}"
    own = {"--help", "--install-completion", "--version"}
    if apps[-1].default_command is None:  # `mmseg-css data`, of which each data set is a command
        return own
    return own | {name for argument in apps[-1].assemble_argument_collection() for name in argument.names}
