"""What the paper and others published: their numbers, and that counted sizes are right."""

import pandas as pd
import pytest

from analysis.results.published import found_nets, published_resnets
from autogrow.networks.flops import network_costs
from autogrow.networks.names import parse_network


def test_nets_that_the_paper_found_are_those_of_its_tables_and_their_costs_are_counted():
    found = found_nets()
    printed = {}
    for name in ("table5", "table6", "table7", "table9"):
        for row in (
            pd.read_csv(f"results/paper/{name}.csv", dtype=str).fillna("").to_dict("records")
        ):
            depth = row.get("found_net") or row["depth"]
            if row.get("method", "AutoGrow") == "AutoGrow":
                accuracy = row.get("top1") or row["accuracy"]
                printed[row["dataset"], row["network"], row.get("K", "3"), depth] = float(accuracy)
    own = found[["dataset", "network", "K", "depth"]].itertuples(index=False, name=None)
    assert [printed[key] for key in own] == list(found["accuracy"])
    assert set(found["dataset"] + found["K"]) == {"CIFAR103", "CIFAR1050", "ImageNet2", "ImageNet5"}
    images = {
        "CIFAR10": {"image_size": 32, "classes": 10},
        "ImageNet": {"image_size": 224, "classes": 1000, "stem": "imagenet"},
    }
    for row in found.itertuples():
        name = parse_network(f"{row.network}-{row.depth}")
        total = network_costs(name, image_channels=3, **images[row.dataset])[-1]
        assert (row.layers, row.parameters) == (total.layers, total.parameters)
        assert row.flops == total.flops


def test_published_resnets_are_those_of_torchvision():
    import torch
    from torchvision import models

    published = published_resnets().set_index(["source", "network"])
    for name in ("ResNet-18", "ResNet-34", "ResNet-50", "ResNet-101", "ResNet-152"):
        meta = getattr(models, f"{name.replace('-', '')}_Weights").IMAGENET1K_V1.meta
        ours = published.loc["torchvision", name]
        scores = meta["_metrics"]["ImageNet-1K"]
        assert (ours["top1"], ours["top5"]) == (scores["acc@1"], scores["acc@5"])
        assert ours["parameters"] == meta["num_params"]
        assert ours["flops"] == pytest.approx(meta["_ops"] * 1e9)
        with torch.device("meta"):
            network = getattr(models, name.lower().replace("-", ""))()
        shapes = network.named_parameters()
        without = name == "ResNet-18"  # shortcuts A have no parameters
        count = sum(p.numel() for n, p in shapes if not (without and "downsample" in n))
        assert published.loc["He et al. 2016", name]["parameters"] == count


def test_published_resnets_name_their_sources():
    published = published_resnets()
    he = published[published["source"] == "He et al. 2016"].set_index("network")
    errors = 100 - he["top1"]
    assert errors.round(2).tolist() == [27.88, 24.52, 22.85, 21.75, 21.43]
    assert (he["flops"] / 1e9).tolist() == [1.8, 3.6, 3.8, 7.6, 11.3]
    assert he["reference"].str.contains("10-crop").all()
    assert he["reference"].str.contains("Table [23]").all()
    assert published["reference"].notna().all()
    assert published.loc[published["block"] == "basic", "network"].nunique() == 2
