"""Texts of a user's (descriptions, paths, devices) in the languages that outputs are written in."""

from __future__ import annotations

import html
import re

# `_` inside a word is an underscore; an address would become a link.
_MARKDOWN = re.compile(r"[\\`*\[\]|~!#$^]|(?<!\w)_|_(?!\w)|(?<=:)(?=//)|(?<=www)(?=\.)")
_LATEX = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    # Behind the end of a row these would be its options.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
}


def one_line(text: object) -> str:
    """Return a text in one line, with ``?`` for characters that cannot be printed."""
    line = " ".join(str(text).split())
    return "".join(char if char.isprintable() else "?" for char in line)


def markdown_text(text: object) -> str:
    """Return Markdown, for a cell of a table as well, that reads as the text."""
    return _MARKDOWN.sub(r"\\\g<0>", html.escape(one_line(text), quote=False))


def latex_text(text: object) -> str:
    """Return LaTeX that prints the text."""
    return "".join(_LATEX.get(char, char) for char in one_line(text))
