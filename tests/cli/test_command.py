"""The command as a whole: quick help, exit status, errors, the doors in tools/."""

import io
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmseg_css.cfg_options import merge_options, parse_options
from mmseg_css.cli.main import _with_value_of_resume, app, run
from mmseg_css.version import __version__

ROOT = Path(__file__).resolve().parents[2]
DOORS = {
    "train": ["train"],
    "test": ["test"],
    "predict": ["predict"],
    "compare": ["compare"],
    "diagnose": ["diagnose"],
    "suggest": ["suggest"],
    "demo": ["demo"],
    "balance": ["balance"],
    "export_segmentor": ["export"],
    "init_dataset": ["init"],
    "make_split": ["split"],
    "prepare_data": ["data"],
    "make_demo_data": ["data", "demo"],
    "get_lite0_weights": ["data", "weights"],
}
# What each of many says when asked for help, its status, and which modules that take seconds to import are there then.
ASK = """
import contextlib, io, json, runpy, sys
sys.argv[0] = "mmseg-css"
def ask(call, *arguments, **settings):
    said, status = io.StringIO(), None
    with contextlib.redirect_stdout(said):
        try:
            status = call(*arguments, **settings)
        except SystemExit as stopped:
            status = stopped.code
    slow = {"torch", "mmengine", "mmseg", "mmcv", "scipy", "cv2"} & set(sys.modules)
    print(json.dumps([said.getvalue(), status or 0, sorted(slow)]))
"""
COMMANDS = f"""{ASK}
from mmseg_css.cli.main import run
for command in json.loads(sys.argv[1]):
    ask(run, [*command, "--help"])
"""
# As Python runs a file, but for the modules that it has by then.
TOOLS = f"""{ASK}
folder, *names = json.loads(sys.argv[1])
rest = sys.path[1:]
for name in names:
    sys.modules.pop("_door", None)
    sys.path[:] = [folder, *rest]
    path = f"{{folder}}/{{name}}.py"
    sys.argv[:] = [path, "--help"]
    ask(runpy.run_path, path, run_name="__main__")
"""


def run_python(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True
    )


def commands() -> list[list[str]]:
    """Every command and subcommand."""
    found = []
    for name in app:
        if not name.startswith("-"):
            found += [[name], *([name, below] for below in app[name] if not below.startswith("-"))]
    return found


def test_all_commands_are_there() -> None:
    names = {name for name, *_ in commands()}
    assert {"demo", "init", "data", "split", "train", "test", "predict", "compare", "export"} <= names


def answers(script: str, asked: list) -> list[list]:
    done = run_python("-c", script, json.dumps(asked))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_help_waits_for_neither_torch_nor_mmseg() -> None:
    asked = [[], *commands()]
    for command, (said, status, slow) in zip(asked, answers(COMMANDS, asked), strict=True):
        assert said.startswith(f"Usage: {' '.join(['mmseg-css', *command])}")
        assert (status, slow) == (0, []), command


def test_tools_are_doors() -> None:
    found = answers(TOOLS, [str(ROOT / "tools"), *DOORS])
    for (tool, command), (said, status, slow) in zip(DOORS.items(), found, strict=True):
        assert said.startswith(f"Usage: {' '.join(['mmseg-css', *command])}")
        assert (status, slow) == (0, []), tool


def test_a_tool_is_a_file_that_runs_from_any_folder(tmp_path: Path) -> None:
    done = run_python(str(ROOT / "tools" / "get_lite0_weights.py"), "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: mmseg-css data weights")


def test_every_tool_is_a_door() -> None:
    assert {path.stem for path in (ROOT / "tools").glob("*.py")} - {"_door"} == set(DOORS)


def test_module_is_the_command() -> None:
    """Without torch, in whichever import; imported itself, it runs nothing."""
    done = run_python("-P", "-m", "mmseg_css", "--version", PYTHONPROFILEIMPORTTIME="1", PYTHONPATH=str(ROOT))
    assert (done.returncode, done.stdout.strip()) == (0, __version__)
    assert re.search(r"\| +mmseg_css$", done.stderr, re.MULTILINE)
    assert not re.search(r"\| +torch\b", done.stderr)
    runpy.run_module("mmseg_css")


def test_import_registers_everything_elsewhere_and_says_nothing() -> None:
    script = "import mmseg_css; from mmseg.registry import MODELS; assert MODELS.get('CSS') is not None"
    done = run_python("-c", script)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["train"], 2, "requires an argument"),
        (["trian"], 2, 'Did you mean "train"?'),
        (["train", "setup.py", "--launchr", "none"], 2, "Did you mean --launcher?"),
        (["train", "nowhere.py"], 2, "does not exist"),
        (["data", "voc", "--check", "--overwrite"], 2, "Mutually exclusive"),
        (["init", "nowhere", "neither"], 1, "error: there is no folder 'nowhere'"),
    ],
)
def test_exit_status_and_reason(
    arguments: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        assert run(arguments) == status
    except SystemExit as stopped:
        assert stopped.code == status
    error = capsys.readouterr().err
    assert said in " ".join(error.split())
    assert "Traceback" not in error


def test_errors_that_are_not_ours_keep_their_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        int("a bug")

    monkeypatch.setattr("mmseg_css.engine.training.load_cfg", broken)
    assert run(["train", "setup.py"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Traceback")
    assert lines[-1] == "error: invalid literal for int() with base 10: 'a bug'"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["c.py", "--resume"], ["c.py", "--resume", "auto"]),
        (["c.py", "--resume", "--amp"], ["c.py", "--resume", "auto", "--amp"]),
        (["c.py", "--resume", "a.pth"], ["c.py", "--resume", "a.pth"]),
        (["c.py", "--resume=a.pth"], ["c.py", "--resume=a.pth"]),
    ],
)
def test_resume_alone_is_resume_auto(given: list[str], meant: list[str]) -> None:
    assert _with_value_of_resume(given) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["train", "c.py", "--resume"], ["train", "c.py", "--resume", "auto"]),
        (["train", "--resume", "c.py"], ["train", "--resume", "auto", "c.py"]),
        (["train", "c.py", "--resume", "-h"], ["train", "c.py", "--resume", "auto", "-h"]),
        (["train", "c.py", "--resume", "--amp"], ["train", "c.py", "--resume", "auto", "--amp"]),
        (["train", "c.py", "--resume", "iter_5.pth"], ["train", "c.py", "--resume", "iter_5.pth"]),
    ],
)
def test_resume_stands_alone_as_in_mmseg(typed: list[str], meant: list[str]) -> None:
    assert _with_value_of_resume(typed) == meant


def test_without_a_command_it_helps(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert capsys.readouterr().out.startswith("Usage: mmseg-css COMMAND")


def fault_of_ours() -> None:
    read_config_of(None)


def read_config_of(nothing: Any) -> None:
    merge_options(nothing, {"a": 1})


def while_a_file_is_missing() -> None:
    try:
        Path("nowhere").read_text()
    except OSError:
        int("a bug")


@pytest.mark.parametrize("fault", [fault_of_ours, while_a_file_is_missing])
def test_faults_keep_their_traceback(
    fault: Callable, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the package itself, too, and whatever was being handled."""
    monkeypatch.setattr("mmseg_css.engine.training.load_cfg", lambda *_, **__: fault())
    assert run(["train", "setup.py"]) == 1
    assert capsys.readouterr().err.startswith("Traceback")


def test_what_a_refusal_caused_is_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def passed_on(*_: Any, **__: Any) -> None:
        try:
            parse_options(["a"])
        except ValueError as error:
            raise RuntimeError(f"said again: {error}") from error

    monkeypatch.setattr("mmseg_css.engine.training.load_cfg", passed_on)
    assert run(["train", "setup.py"]) == 1
    assert capsys.readouterr().err.startswith("error: said again: --cfg-options: expected KEY=VALUE")


def test_names_that_the_terminal_cannot_show(monkeypatch: pytest.MonkeyPatch) -> None:
    def named(*_: Any, **__: Any) -> None:
        print("wrote caf\udce9.png and \u65e5.png")
        raise ValueError("done")

    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii", write_through=True))
    monkeypatch.setattr("mmseg_css.engine.training.load_cfg", named)
    assert run(["train", "setup.py"]) == 1
    assert written.getvalue().strip() == rb"wrote caf\udce9.png and \u65e5.png"
