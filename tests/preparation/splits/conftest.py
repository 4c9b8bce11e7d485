"""tools/make_split.py."""

from tests.test_tools import load_tool

tool = load_tool("make_split")
