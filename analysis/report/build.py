"""Write ``report.html``: what was run, what it says about the paper's claims, and all behind it.

``python -m analysis report --scale mini --folder results/out/mini --seeds 0 1 2 3 4`` reads the
finished runs, ``claims/claims.csv``, ``compare.csv`` and the pictures in ``figures/`` of the
folder; what is not there is left out, and the page says so. It is one file without scripts, fonts
or pictures from elsewhere.
"""

from __future__ import annotations

import argparse
import io
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from analysis.commandline import add_campaign, seeds
from analysis.experiments.campaigns import named_campaign
from analysis.experiments.catalogue import Catalogue, Table
from analysis.experiments.scales import SCALES
from analysis.report import campaign, curve_charts, intervals
from analysis.report.claim_cards import ClaimCard, claim_cards, counts
from analysis.report.run_cards import run_cards
from analysis.report.table_views import table_view, title_of, uses
from analysis.results.summaries import Results
from autogrow.errors import UserError
from autogrow.files.reading import read_bytes, read_text
from autogrow.files.writing import write_bytes

PAGE = "report.html"

_HERE = Path(__file__).parent
_LARGEST = 50_000_000


@dataclass(frozen=True)
class Figure:
    """A picture in the page: ``source`` is the whole PNG as a data URL."""

    name: str
    title: str
    source: str


def page(catalogue: Catalogue, results: Results) -> str:
    """Return the page of a campaign's finished runs.

    Raises
    ------
    UserError
        If no run is finished, or naming the file that is damaged.
    """
    cards = run_cards(catalogue, results, uses(catalogue))
    if not cards:
        raise UserError(f"{results.folder}/runs: no finished run; allowed: at least one")
    done = {card.identity for card in cards if len(card.seeds) == len(results.seeds)}
    tables = [catalogue.tables[name] for name in catalogue.table_names]
    whole = [table for table in tables if {*table.runs} <= done]
    figures = [_figure(table, results.folder) for table in catalogue.tables.values()]
    shown = {table.name for table in whole} | {figure.name for figure in figures if figure}
    claims: list[ClaimCard] = []
    remarks: list[str] = []
    if (results.folder / "claims" / "claims.csv").exists():
        claims, remarks = claim_cards(
            results.folder, {card.identity: card.anchor for card in cards}
        )
    script, style = ((_HERE / name).read_text() for name in ("report.js", "report.css"))
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"duration": campaign.duration, "quantity": campaign.quantity}
    return environment.get_template("report.html.jinja").render(
        scale=catalogue.scale,
        description=catalogue.settings.description,
        facts=campaign.facts(
            catalogue, results.seeds, [seed.summary for card in cards for seed in card.seeds]
        ),
        stand_ins=campaign.stand_ins(catalogue),
        counts=counts(claim.decided for claim in claims if claim.papers),
        own_counts=counts(claim.decided for claim in claims if not claim.papers),
        papers_counts=counts(claim.papers for claim in claims if claim.papers),
        papers_remarks=remarks,
        claims=claims,
        tables=[table_view(table, catalogue, results) for table in whole],
        figures=[figure for figure in figures if figure],
        runs=cards,
        left_out=[title_of(t) for t in catalogue.tables.values() if t.name not in shown],
        shown=shown,
        compared=_first_lines(results.folder / "logs" / "compare.log"),
        script=script,
        style=style,
        policy=_policy(script, style),
        chart=curve_charts,
        interval=intervals,
    )


def _figure(table: Table, folder: Path) -> Figure | None:
    """Return the picture of a figure, if there is one."""
    file = folder / "figures" / f"{table.name}.png"
    if not (table.is_figure and file.exists()):
        return None
    content = b64encode(_small(file)).decode()
    return Figure(table.name, title_of(table), f"data:image/png;base64,{content}")


def _small(file: Path) -> bytes:
    """Return a picture in 256 colours, which takes a third of the bytes."""
    try:
        picture = Image.open(io.BytesIO(read_bytes(file, "a picture", _LARGEST)), formats=["PNG"])
        colours = picture.convert("RGB").quantize(256)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"{file}: is no picture: {error}; allowed: a whole PNG") from None
    small = io.BytesIO()
    colours.save(small, "PNG", optimize=True)
    return small.getvalue()


def _first_lines(log: Path) -> list[str]:
    """Return what `compare` has said first, if it has run."""
    return read_text(log, "a log", _LARGEST).splitlines()[:3] if log.exists() else []


def _policy(script: str, style: str) -> str:
    """Return what a browser may load and execute: this page's own script and style alone."""
    script_hash, style_hash = (
        b64encode(sha256(content.encode()).digest()).decode() for content in (script, style)
    )
    return (
        f"default-src 'none'; img-src data:; script-src 'sha256-{script_hash}'; "
        f"style-src 'sha256-{style_hash}'; base-uri 'none'; form-action 'none'"
    )


def write_report(catalogue: Catalogue, results: Results) -> None:
    """Write the page into the folder of the results; see :func:`page`."""
    write_bytes(results.folder / PAGE, page(catalogue, results).encode())


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--scale", choices=SCALES, required=True)
    parser.add_argument(
        "--accuracy",
        choices=("best", "overall", "final"),
        help="which accuracy of a run the tables show; default: the scale's",
    )
    add_campaign(parser)


def run(options: argparse.Namespace) -> int:
    """Write the page; return the exit status."""
    folder, catalogue = named_campaign(options)
    accuracy = options.accuracy or catalogue.settings.accuracy
    write_report(catalogue, Results(folder, seeds(options), accuracy))
    print(f"Report: {folder / PAGE}")
    return 0
