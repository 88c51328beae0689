"""The project's documents: their blocks of code, and the commands in them."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "config/README.md")),
    *sorted(ROOT.glob("docs/*.md")),
]
PROGRAMS = ("autogrow", "make", "python")
"""Commands between backticks that are looked at as well."""

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def name_of(document):
    return str(document.relative_to(ROOT))


def blocks(document, language):
    """The blocks of a language, in order."""
    return [text for _, found, text in _BLOCK.findall(document.read_text()) if found == language]


def languages(document):
    return {language for _, language, _ in _BLOCK.findall(document.read_text())}


def prose(document):
    """The document without its blocks."""
    return _BLOCK.sub("", document.read_text())


def _words(line):
    words = shlex.split(line, comments=True)
    if words:
        words[0] = words[0].removeprefix(".venv/bin/")
    return words


def commands(document):
    """The commands of all bash blocks as lists of words."""
    lines = "\n".join(blocks(document, "bash")).replace("\\\n", " ").splitlines()
    parts = [part for line in lines for part in re.split(r" && ", line)]
    return [words for words in map(_words, parts) if words]


def inline_commands(document):
    """The commands between backticks whose program is one of PROGRAMS."""
    spans = re.findall(r"`([^`]+)`", prose(document))
    found = [_words(" ".join(span.split())) for span in spans if re.match(r"[\w./]+ ", span)]
    return [words for words in found if words and words[0] in PROGRAMS]
