"""The report of two committed seeds of `mini`, and one with hostile texts in its records."""

import json
import shutil

import pytest
from reported import HOSTILE, REFERENCE, SEEDS

from analysis.experiments.catalogue import load_catalogue
from analysis.records.archives import archive_name, read_archive
from analysis.records.unpacking import unpack
from analysis.report.build import PAGE, write_report
from analysis.results.summaries import Results
from autogrow.files.seals import RUN, seal


@pytest.fixture(scope="session")
def campaign(tmp_path_factory):
    """The records, verdicts and two pictures of `mini`; not to be changed."""
    folder = tmp_path_factory.mktemp("results") / "mini"
    for seed in SEEDS:
        file = REFERENCE / archive_name(seed)
        unpack(read_archive(file), file.name, folder)
    (folder / "claims").mkdir()
    shutil.copy(REFERENCE / "claims.csv", folder / "claims")
    (folder / "figures").mkdir()
    for picture in REFERENCE.glob("figure*.png"):
        shutil.copy(picture, folder / "figures")
    return folder


@pytest.fixture(scope="session")
def report(campaign):
    """The page of these records."""
    write_report(load_catalogue("mini"), Results(campaign, SEEDS, "final"))
    return campaign / PAGE


@pytest.fixture(scope="session")
def hostile(campaign, tmp_path_factory):
    """The page of records with markup in every text that a user, or their machine, can choose."""
    folder = shutil.copytree(campaign, tmp_path_factory.mktemp("hostile") / "mini")
    for file in folder.glob("runs/**/summary.json"):
        content = json.loads(file.read_text())
        content |= {"device": HOSTILE, "git_commit": HOSTILE, "versions": {HOSTILE: HOSTILE}}
        content["data"]["name"] = HOSTILE
        file.write_text(json.dumps(content))
        spec = file.with_name("spec.yaml")
        spec.write_text(f"{spec.read_text()}# {HOSTILE}\n")
        seal(file.parent / RUN)
    claims = folder / "claims" / "claims.csv"
    claims.write_text(claims.read_text().replace("neither p value is small enough", HOSTILE))
    write_report(load_catalogue("mini"), Results(folder, SEEDS, "final"))
    return folder / PAGE
