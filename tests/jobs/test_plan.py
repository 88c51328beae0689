"""The plan: epochs, FLOPs and hours of every run before anything runs."""

import re
from pathlib import Path

import pytest
from made_up_summaries import made_up_summary, write_result

from analysis.__main__ import main
from analysis.experiments.catalogue import load_catalogue
from analysis.jobs import estimates, plan
from autogrow.errors import UserError
from autogrow.files.seals import seal
from autogrow.files.writing import write_csv
from autogrow.files.yaml import read_yaml
from autogrow.networks.flops import network_costs
from autogrow.networks.names import parse_network
from autogrow.training.metrics import METRICS_HEADER

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def paper():
    return load_catalogue("paper")


@pytest.fixture
def printed(capsys, tmp_path):
    """What the command prints for the paper's scale in an empty folder."""
    options = ["--scale", "paper", "--throughput", "1e12", "--folder", str(tmp_path)]
    assert main(["plan", *options]) == 0
    return capsys.readouterr().out


def forward(network):
    costs = network_costs(parse_network(network), image_size=32, image_channels=3, classes=10)
    return costs[-1].flops


def test_a_baseline_costs_its_epochs(paper):
    run = paper.runs["Basic3ResNet/CIFAR10/scratch-5-5-5"]
    estimate = estimates.estimate(run, paper)
    assert estimate.epochs == 200
    assert estimate.flops == 200 * forward("Basic3ResNet-5-5-5") * (3 * 50_000 + 10_000)


def test_autogrow_is_assumed_to_find_the_papers_net(paper):
    run = paper.runs["Basic3ResNet/CIFAR10/periodic-K3-GauInit"]
    estimate = estimates.estimate(run, paper)
    assert estimate.network == "Basic3ResNet-42-42-42"
    assert estimate.epochs == 3 * (41 * 3 + 1) + 200 == 572  # Figure 2's run
    scratch = paper.runs["Basic3ResNet/CIFAR10/scratch-as-deep-as-periodic-K3-GauInit"]
    assert estimates.estimate(scratch, paper).network == "Basic3ResNet-42-42-42"


def test_the_residual_counterpart_of_a_plain_net_has_half_its_sub_modules(paper):
    row = paper.tables["table9"].rows[2]
    estimate = estimates.estimate(paper.runs[row.runs["main"]], paper)
    assert estimate.network == "Basic4ResNet-3-3-3-3"


@pytest.mark.parametrize("scale", ["smoke", "mini", "paper"])
def test_every_run_has_an_estimate_and_a_reader(scale, tmp_path):
    catalogue = load_catalogue(scale)
    frame = plan.plan(catalogue, [0, 1], 1e12, tmp_path)
    assert len(frame) == len(catalogue.runs)
    assert (frame["flops"] > 0).all()
    assert (frame["tables"] != "").all()
    assert (frame["done"] == 0).all()
    assert frame["hours"].sum() == pytest.approx(frame["flops"].sum() / 1e12 / 3600)


def make_done(folder, run, depths, *, finetuning, **changed):
    """A finished run with an epoch at each depth."""
    rows = [[depth if c == "depth" else "" for c in METRICS_HEADER] for depth in depths]
    write_csv(folder / "runs" / run.id / "seed1/metrics.csv", METRICS_HEADER, rows)
    network = f"{run.spec.architecture.name}-{depths[-1]}"
    seconds = {"seconds_growing": 100.0, "seconds_finetuning": float(finetuning)}
    summary = made_up_summary(network, **seconds, **changed)
    write_result(folder / "runs" / run.id / "seed1", summary)


def test_what_is_done_is_counted(paper, tmp_path):
    run = "Basic3ResNet/CIFAR10/scratch-5-5-5"
    make_done(tmp_path, paper.runs[run], ["5-5-5"] * 200, finetuning=100)
    frame = plan.plan(paper, [0, 1], 1e12, tmp_path).set_index("run")
    assert frame.loc[run, "done"] == frame["done"].sum() == 1
    (tmp_path / "runs" / run / "seed1/summary.json").write_text("{}")
    with pytest.raises(UserError, match=r"summary.json: found 2 bytes"):
        plan.plan(paper, [0, 1], 1e12, tmp_path)


def test_the_plan_of_what_is_left_learns_from_what_is_done(paper, tmp_path):
    done, left = (f"Basic3ResNet/CIFAR10/periodic-K{K}-GauInit" for K in (3, 5))
    depths = ["1-1-1"] * 3 + ["2-1-1"] * 10
    make_done(tmp_path, paper.runs[done], depths, finetuning=200, processes=4)
    before = plan.plan(paper, [1], 1e12, tmp_path / "empty").set_index("run")
    after = plan.plan(paper, [1], 1e12, tmp_path).set_index("run")
    assert (before["hours_left"] == before["hours"]).all()
    assert (after["hours"] == before["hours"]).all()
    spent = 160_000 * sum(forward(f"Basic3ResNet-{depth}") for depth in depths)
    assert list(after.loc[done, ["spent_epochs", "due_epochs"]]) == [13, 572]
    assert after.loc[done, "spent_flops"] == pytest.approx(spent)
    assert after.loc[done, "hours_left"] == 0
    ratio, speed = spent / before.loc[done, "flops"], spent / 1200
    hours = before.loc[left, "flops"] * ratio / speed / 3600
    assert after.loc[left, "hours_left"] == pytest.approx(hours)
    # Only the speed tells something of a baseline, and nothing of another network.
    baseline, other = "Basic3ResNet/CIFAR10/scratch-5-5-5", "Plain3Net/SVHN/periodic-K3-GauInit"
    for run, rate in {baseline: speed, other: 1e12}.items():
        assert after.loc[run, "hours_left"] == pytest.approx(after.loc[run, "flops"] / rate / 3600)
    panels = plan.plan_landscapes(paper, [1], 1e12, tmp_path)
    text = plan.report(after.reset_index(), panels, paper, [1], "")
    cells = rf" +13/572 +{re.escape(f'{spent:.2e}/3.70e+16')} +1/1 +0$"
    assert re.search(rf"^{done} .*{cells}", text, re.M)
    assert re.search(rf"^figure2 .*{cells}", text, re.M)


def test_six_jobs_of_the_cluster_are_enough_for_the_longest_run(paper, tmp_path):
    jobs = read_yaml(ROOT / "slurm/cluster.yaml")["cluster"]["jobs"]
    longest = plan.plan(paper, [0], 1e12, tmp_path).groupby("machine")["hours"].max()
    assert all(
        longest[name] <= 6 * jobs[name]["gpus"] * jobs[name]["hours"] for name in longest.index
    )


def test_the_loss_around_a_network_costs_a_forward_pass_a_point_and_image(paper, tmp_path):
    folder = tmp_path / "landscapes/Basic3ResNet/CIFAR10/scratch-5-5-5/seed1/trajectory"
    folder.mkdir(parents=True)
    (folder / "contour.csv").touch()
    seal(folder / "contour.csv")
    frame = plan.plan_landscapes(paper, [2, 1], 1e12, tmp_path)
    assert list(frame["figure"] + frame["panel"]) == [
        *("figure5a", "figure5b", "figure6a", "figure6b", "figure6c", "figure6d"),
        *("figure7a", "figure7b", "figure7c", "figure7d", "figure7e", "figure7f"),
    ]
    scratch = frame.iloc[1]
    assert scratch["flops"] == 31**2 * 50_000 * forward("Basic3ResNet-5-5-5")
    assert frame.iloc[7]["flops"] == 51**2 * 50_000 * forward("Plain3Net-23-22-22")
    assert frame.iloc[6]["flops"] == frame.iloc[7]["flops"]
    assert list(frame["done"]) == [False, True] + [False] * 10


def test_the_report_says_how_depth_is_assumed(printed):
    assert "the paper's found net" in printed
    assert "figure7d" in printed


def test_throughput_is_measured_where_none_is_given(capsys, tmp_path):
    assert main(["plan", "--scale", "smoke", "--folder", str(tmp_path)]) == 0
    assert "measured on this machine" in capsys.readouterr().out


def test_an_impossible_throughput_is_told(capsys):
    assert main(["plan", "--throughput", "0"]) == 2
    assert "above 0" in capsys.readouterr().err


def test_the_gpu_hours_of_the_documentation_are_the_plans(paper, printed):
    text = (ROOT / "docs/cluster.md").read_text()
    rows = re.findall(r"^\| ([a-z][^|`]*) \| (\d+) \| ([\d.]+) \|$", text, re.M)
    assert len(rows) == len(paper.tables) + 1
    for name, runs, hours in rows:
        assert re.search(rf"^{name} +{runs} +\d+ +\S+ +{hours} +0/{runs} ", printed, re.M), name
    [panels] = re.findall(r"takes (\d+) GPU-hours more", text)
    assert re.search(rf"^all panels +\S+ +{panels} ", printed, re.M)
