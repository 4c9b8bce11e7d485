"""What the shell lines of a page would call: bash itself reads them, with nothing on its path."""

import os
import re
import subprocess
from pathlib import Path

from tests.documentation.pages import Part

RECORD = r"""set -f
command_not_found_handle() { printf '%s\x1f' "$@" >&3; printf '\x1e' >&3; }
cd() { :; }
source() { :; }
"""


def lines_of(block: Part) -> str:
    """A block of commands, or those after ``$`` or an indented ``mmseg-css`` in a block that shows what is printed."""
    if block.language == "bash":
        return block.text
    if block.language:
        return ""
    return "\n".join(re.findall(r"^(?:\$ |  (?=mmseg-css ))((?:.*\\\n)*.*)$", block.text, re.MULTILINE))


def calls(block: Part, folder: Path) -> list[list[str]]:
    """The words of each command that the block calls, loops and variables worked out; nothing is run."""
    read, write = os.pipe()
    with os.fdopen(read) as stream:
        try:
            command = ["/bin/bash", "-c", f"exec 3>&{write}\n{RECORD}{lines_of(block)}"]
            environment = {"PATH": "/nonexistent", "HOME": "/home/reader"}
            done = subprocess.run(
                command, cwd=folder, env=environment, pass_fds=[write], capture_output=True, text=True, timeout=20
            )
        finally:
            os.close(write)
        recorded = stream.read()
    assert done.returncode == 0 and not done.stderr, f"{block}: bash says {done.stderr}"
    return [call.split("\x1f")[:-1] for call in recorded.split("\x1e")[:-1]]
