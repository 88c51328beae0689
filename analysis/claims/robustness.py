"""Whether a verdict changes under other conventions or another protocol, where runs exist."""

from __future__ import annotations

from pathlib import Path

from analysis.claims.verdict_files import Verdict, read_verdicts
from analysis.experiments.scales import SCALES


def other_campaigns(folder: Path, checksum: str) -> dict[str, dict[str, Verdict]]:
    """Return the deciding verdicts of other campaigns of the same scale, by folder and claim.

    They lie beside ``folder``, as ``mini-released`` beside ``mini``. Verdicts on another
    config/claims.yaml, which has another ``checksum``, are none to compare with.
    """
    scale = folder.name.split("-")[0]
    if scale not in SCALES:
        return {}
    found = {}
    for file in sorted(folder.resolve().parent.glob(f"{scale}*/claims/claims.csv")):
        name = file.parents[1].name
        if name == folder.name or name.split("-")[0] != scale:
            continue
        verdicts = read_verdicts(file)
        if verdicts[0].checksum == checksum:
            found[name] = {verdict.claim: verdict for verdict in verdicts if verdict.decides}
    return found
