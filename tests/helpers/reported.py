"""The records that the tests of the report show, and a text that no page may take as markup."""

from analysis.experiments.scales import ROOT

REFERENCE = ROOT / "results" / "reference" / "mini"
SEEDS = (0, 1)
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
