"""The documented loops of one's own that need a library: run where the library is."""

import pytest
from documents import ROOT, blocks

DOCUMENT = ROOT / "docs/python.md"


@pytest.mark.parametrize("library", ["lightning", "accelerate"])
def test_growth_in_the_loop_of_a_library(library, capsys):
    pytest.importorskip(library)
    [example] = [b for b in blocks(DOCUMENT, "python") if f"import {library}" in b or (
        f"from {library} import" in b
    )]  # fmt: skip
    exec(compile(example, str(DOCUMENT), "exec"), {"__name__": "__main__"})
    depth = capsys.readouterr().out.splitlines()[-1]
    assert sum(map(int, depth.strip("()").split(", "))) > 3
