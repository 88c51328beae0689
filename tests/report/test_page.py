"""report.html as a file: complete, self-contained, escaped, and its links lead somewhere."""

import csv
import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from damage import flipped, told_in_one_line
from reported import HOSTILE, REFERENCE, SEEDS

from analysis.__main__ import main
from analysis.experiments.catalogue import load_catalogue
from analysis.report.claim_cards import claim_cards
from analysis.report.curve_charts import MOST_POINTS, chart_of, lowest, read_test_curve


class Elements(HTMLParser):
    """Counts elements, and gathers ids, addresses and the text outside of scripts."""

    def __init__(self, file):
        super().__init__()
        self.tags, self.ids, self.links, self.sources, self.handlers = Counter(), [], [], [], []
        self.texts = []
        self.feed(file.read_text())

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        if ("http-equiv", "Content-Security-Policy") in attributes:
            self.policy = dict(attributes)["content"]
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            elif name == "href":
                self.links.append(value)
            elif name == "src":
                self.sources.append(value)
            elif name.startswith("on") or name == "style":
                self.handlers.append((tag, name))

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="module")
def page(report):
    return Elements(report)


def test_nothing_is_loaded_from_elsewhere(report, page):
    assert report.stat().st_size < 10_000_000
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert {link for link in page.links if not link.startswith("#")} == {"data:,"}
    assert (page.tags["script"], page.tags["style"], page.handlers) == (1, 1, [])
    assert page.policy.startswith("default-src 'none'; img-src data:; script-src 'sha256-")


def test_every_link_leads_to_one_place(page):
    assert max(Counter(page.ids).values()) == 1
    assert {link[1:] for link in page.links if link.startswith("#")} <= {*page.ids}


def test_every_run_table_claim_and_picture_is_there(page):
    catalogue = load_catalogue("mini")
    text = "".join(page.texts)
    assert all(run in text for run in catalogue.runs)
    with (REFERENCE / "claims.csv").open(newline="") as file:
        claims = {line["id"] for line in csv.DictReader(file)}
    wanted = {*claims, *catalogue.table_names, "figure2", "figure9"}
    wanted |= {f"run-{number}" for number in range(1, len(catalogue.runs) + 1)}
    assert wanted <= {*page.ids}
    assert page.tags["polyline"] == len(SEEDS) * len(catalogue.runs)


def test_the_first_words_are_the_verdicts(page):
    with (REFERENCE / "claims.csv").open(newline="") as file:
        decided = [line for line in csv.DictReader(file) if line["decides"] == "yes"]
    decided = [line for line in decided if line["id"].startswith("C")]  # S: the suite's own
    found = Counter(line["verdict"] for line in decided)
    assert (
        f"Of {len(decided)} claims of the paper, these runs support {found['supported']} "
        f"and contradict {found['contradicted']}"
    ) in page.texts


def test_a_cell_leads_to_the_run_that_it_is_of(report):
    """The delta's run is AutoGrow's, that of equal compute the baseline's."""
    [row] = re.findall(r'<tr id="table6-row-1">.*?</tr>', report.read_text(), re.DOTALL)
    [first, *_] = load_catalogue("mini").tables["table6"].rows
    order = list(load_catalogue("mini").runs)
    runs = {role: f"#run-{order.index(run) + 1}" for role, run in first.runs.items()}
    cells = re.findall(r'<td><a href="(#run-\d+)"><span>', row)
    assert {runs["main"], runs["equal_compute"], runs["never_grown"]} == {*cells}
    assert f'<a href="{runs["scratch"]}">from scratch</a>' in row


def test_markup_in_records_shows_as_text(hostile, page):
    text = hostile.read_text()
    assert HOSTILE not in text
    found = Elements(hostile)
    assert (found.tags["script"], found.tags["img"]) == (1, page.tags["img"])
    assert HOSTILE in "".join(found.texts)
    assert found.handlers == []


def test_verdicts_of_another_campaign_are_shown(campaign, tmp_path):
    """All are undecided there, so that the verdict depends on it wherever it is another here."""
    folder, other = tmp_path / "mini", tmp_path / "mini-released"
    for place in (folder, other):
        (place / "claims").mkdir(parents=True)
    text = (campaign / "claims" / "claims.csv").read_text()
    (folder / "claims" / "claims.csv").write_text(text)
    changed = text.replace(",supported,", ",undecided,").replace(",contradicted,", ",undecided,")
    (other / "claims" / "claims.csv").write_text(changed)
    cards, remarks = claim_cards(folder, {})
    assert all([line.basis for line in card.others] == ["mini-released"] for card in cards)
    decided = [card for card in cards if card.decided.verdict in ("supported", "contradicted")]
    assert decided
    assert not any(card.robust for card in decided)
    assert "24-24-24" in remarks[0]


def test_the_chart_of_a_run(tmp_path):
    file = tmp_path / "metrics.csv"
    rows = [(1, "growing", "1-1", 40), (2, "growing", "2-1", 60), (2, "adaminit", "2-1", "")]
    rows += [(3, "finetuning", "2-1", 80), (4, "finetuning", "2-1", "nan")]
    lines = ["epoch,phase,depth,test_accuracy", *(",".join(map(str, row)) for row in rows)]
    file.write_text("\n".join(lines) + "\n")
    assert lowest([read_test_curve(file)]) == 40
    chart = chart_of(read_test_curve(file), 40)
    assert chart.line == "37.5,90.0 112.5,60.0 187.5,30.0"
    assert [growth.text for growth in chart.growths] == ["epoch 2: grown to 2-1"]
    assert chart.finetuning == 187.5
    assert chart.points[-1].text == "epoch 3, finetuning, 2-1: 80.00 %"


def test_long_runs_show_fewer_values(tmp_path):
    file = tmp_path / "metrics.csv"
    lines = [f"{epoch},training,1-1,50" for epoch in range(1, 1001)]
    file.write_text("\n".join(["epoch,phase,depth,test_accuracy", *lines]) + "\n")
    assert MOST_POINTS * 0.9 < len(chart_of(read_test_curve(file), 0).points) <= MOST_POINTS + 1


def report_of(call, folder):
    return call(main, "report", "--scale", "mini", "--folder", folder, "--seeds", *SEEDS)


def test_without_verdicts_and_pictures_the_rest_is_shown(call, campaign, tmp_path):
    (tmp_path / "mini").mkdir()
    (tmp_path / "mini" / "runs").symlink_to(campaign / "runs")
    told = report_of(call, tmp_path / "mini")
    assert (told.status, told.out) == (0, f"Report: {tmp_path}/mini/report.html\n")
    found = "".join(Elements(tmp_path / "mini" / "report.html").texts)
    assert "No claim was judged here" in found
    assert "Figure 3" in found


def test_a_damaged_run_and_a_folder_without_runs_are_refused(call, campaign, tmp_path):
    (tmp_path / "mini").mkdir()
    assert "no finished run" in told_in_one_line(report_of(call, tmp_path / "mini"))
    [run, *_] = sorted(campaign.glob("runs/**/seed0"))
    place = tmp_path / "mini" / run.relative_to(campaign)
    place.mkdir(parents=True)
    for file in run.iterdir():
        (place / file.name).write_bytes(file.read_bytes())
    [damaged] = flipped((place / "metrics.csv").read_bytes(), 1)
    (place / "metrics.csv").write_bytes(damaged)
    told_in_one_line(report_of(call, tmp_path / "mini"), place / "metrics.csv")
    assert not (tmp_path / "mini" / "report.html").exists()
