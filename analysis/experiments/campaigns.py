"""The finished runs that a command's options name: their folder and their catalogue."""

from __future__ import annotations

import argparse
from pathlib import Path

from analysis.commandline import data_source
from analysis.experiments.catalogue import Catalogue, load_catalogue
from autogrow.files.reading import require_folder


def named_campaign(options: argparse.Namespace) -> tuple[Path, Catalogue]:
    """Return the folder and the catalogue that ``--scale`` and the options of campaigns name.

    Raises
    ------
    UserError
        If there is no such folder, or the catalogue is malformed.
    """
    folder = options.folder or Path("results/out") / options.scale
    require_folder(folder, "a folder of finished runs")
    sources = data_source(options)
    return folder, load_catalogue(options.scale, sources=sources, protocol=options.protocol)
