"""The changes of experiments.yaml that docs/extending.md shows, run by the real Snakemake."""

import numpy as np
import pandas as pd
import yaml
from documents import ROOT, blocks

SMOKE = ("--config", "scale=smoke", "--")
OUT = "results/out/smoke"


def test_the_four_commonest_changes(fresh):
    shown = [yaml.safe_load(block) for block in blocks(ROOT / "docs/extending.md", "yaml")[:4]]
    tables = {name: table for block in shown for name, table in block.items()}
    assert list(tables) == ["table5", "table4", "table2", "longer_window"]
    experiments = fresh.folder / "config/experiments.yaml"
    scale = fresh.folder / "config/scales/smoke.yaml"
    scale.write_text(scale.read_text().replace("\nK: {", "\nK: {7: 1, "))
    experiments.write_text(yaml.safe_dump({"train": tables["table5"]}))
    told = fresh.snakemake("-n", *SMOKE, "all", status=1)
    assert "found the name 'train', which a rule of train.smk has" in told
    assert "Traceback" not in told

    experiments.write_text(yaml.safe_dump(tables, sort_keys=False))
    labels = np.arange(80) % 2
    images = np.random.default_rng(0).integers(0, 256, (80, 8, 8), dtype=np.uint8)
    images[labels == 1] //= 2
    arrays = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels}
    np.savez(fresh.folder / "images.npz", **arrays)
    fresh.snakemake(*SMOKE, "tables", "longer_window")

    read = {
        name: pd.read_csv(fresh.folder / OUT / f"tables/{name}.csv", keep_default_na=False)
        for name in tables
    }
    papers = {
        "table5": {"CIFAR10/Basic3ResNet/7": "", "CIFAR10/Basic3ResNet/3": "94.27"},
        "table4": {"CIFAR10/Basic3ResNet/1-1-1": "94.27", "npz:images.npz/Basic3ResNet/1-1-1": ""},
        "table2": {"Basic3ResNet/3-3-3/5-5-5/GauInit": ""},
    }
    for name, numbers in papers.items():
        frame = read[name].set_index("row")
        assert frame["paper_accuracy"].astype(str).to_dict() == numbers
        assert pd.to_numeric(frame["accuracy"]).between(0, 100).all()
        [without] = [row for row, number in numbers.items() if not number]
        told = (fresh.folder / OUT / f"tables/{name}.md").read_text()
        assert f"The paper does not have {without}." in told
    own = read["longer_window"]
    assert {"found_net", "layers", "accuracy", "n"} < {*own.columns}
    assert "paper_accuracy" not in own.columns
    runs = [file.parent.parent.name for file in fresh.found("summary.json")]
    assert sorted(runs) == [
        *("morph-1-1-1-to-2-2-2-GauInit", "periodic-K1-GauInit", "periodic-K1-GauInit"),
        *("periodic-K1-GauInit-J=9", "scratch-2-2-2"),
    ]

    told = fresh.snakemake(*SMOKE, "compare", status=1)
    assert "compare: results/reference/smoke: holds no table of smoke to compare with" in told
    assert "MissingInputException" not in told
