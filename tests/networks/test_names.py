import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrow.errors import UserError
from autogrow.networks.names import (
    ARCHITECTURES,
    MAX_DEPTH,
    NetworkName,
    format_depth,
    parse_architecture,
    parse_depth,
    parse_network,
)

FAMILIES = ["Basic3ResNet", "Basic4ResNet", "Bottleneck4ResNet", "Plain3Net", "Plain4Net"]


@st.composite
def network_names(draw):
    architecture = ARCHITECTURES[draw(st.sampled_from(FAMILIES))]
    n = architecture.sub_networks
    depth = draw(st.lists(st.integers(1, MAX_DEPTH), min_size=n, max_size=n))
    return NetworkName(architecture, tuple(depth))


@given(network_names())
def test_names_and_depths_parse_and_print_both_ways(name):
    depth = "-".join(map(str, name.depth))
    assert str(name) == f"{name.architecture.name}-{depth}"
    assert format_depth(name.depth) == depth
    assert parse_depth(depth, name.architecture) == name.depth
    assert parse_network(str(name)) == name


def test_the_families_are_the_papers():
    assert sorted(ARCHITECTURES) == FAMILIES
    shapes = {n: (a.block, a.channels, a.stems) for n, a in ARCHITECTURES.items()}
    three, four = (16, 32, 64), (64, 128, 256, 512)
    assert shapes == {
        "Basic3ResNet": ("basic", three, ("small",)),
        "Basic4ResNet": ("basic", four, ("small", "imagenet")),
        "Bottleneck4ResNet": ("bottleneck", four, ("imagenet",)),
        "Plain3Net": ("plain", three, ("small",)),
        "Plain4Net": ("plain", four, ("small", "imagenet")),
    }
    assert {n for n, a in ARCHITECTURES.items() if not a.residual} == {"Plain3Net", "Plain4Net"}
    assert parse_architecture("Basic3ResNet").seed_depth == (1, 1, 1)
    assert parse_architecture("Plain4Net").seed_depth == (1, 1, 1, 1)


def says(text, *parts, parse=parse_network):
    with pytest.raises(UserError) as error:
        parse(text)
    message = str(error.value)
    assert "\n" not in message
    assert all(part in message for part in parts)


ARCHITECTURE = ("architecture", *FAMILIES)
NO_DEPTH = ("no depth", "allowed", "Basic3ResNet-2-2-2")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Basic5ResNet-1-1-1", ("'Basic5ResNet'", *ARCHITECTURE)),
        ("basic3resnet-1-1-1", ("'basic3resnet'", *ARCHITECTURE)),
        ("", ("''", *ARCHITECTURE)),
        ("-1-1-1", ("''", *ARCHITECTURE)),
        (" Basic3ResNet-1", ("' Basic3ResNet'", *ARCHITECTURE)),
        ("Basic3ResNet", ("'Basic3ResNet'", *NO_DEPTH)),
        ("Basic3ResNet-", ("'Basic3ResNet-'", *NO_DEPTH)),
        ("Basic3ResNet-1-1", ("names 2 sub-networks", "has 3;", "allowed", "1-1-1")),
        ("Basic3ResNet-1-1-1-1", ("names 4 sub-networks", "has 3;", "allowed", "1-1-1")),
        ("Plain4Net-1-1-1", ("names 3 sub-networks", "has 4;", "allowed", "1-1-1-1")),
    ],
)
def test_wrong_names_are_told_in_one_line(text, parts):
    says(text, *parts)


@pytest.mark.parametrize(
    "part", ["0", "-1", "x", "1.5", "02", "", " 1", "+1", "1001", "99999999999", "²", "٣"]
)
def test_bad_number_of_sub_modules_is_named(part):
    wrong = "''" if part in ("", "-1") else repr(part)
    says(f"Plain3Net-2-{part}-3", wrong, "sub-modules", "allowed", f"1 to {MAX_DEPTH}")


def test_architecture_alone_refuses_a_depth_and_lists_all():
    told = ("depth ('1-1-1')", "write Basic3ResNet")
    says("Basic3ResNet-1-1-1", *told, parse=parse_architecture)
    says("Dense3Net", "'Dense3Net'", "allowed", *FAMILIES, parse=parse_architecture)
