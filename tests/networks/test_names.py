import re

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
def test_printed_names_parse_to_the_same_network(name):
    assert parse_network(str(name)) == name


@given(network_names())
def test_parsed_names_print_as_they_were_written(name):
    text = f"{name.architecture.name}-{'-'.join(map(str, name.depth))}"
    assert str(parse_network(text)) == text


@given(network_names())
def test_depths_parse_and_print_both_ways(name):
    text = format_depth(name.depth)
    assert parse_depth(text, name.architecture) == name.depth
    assert str(name) == f"{name.architecture.name}-{text}"


def test_the_papers_example():
    name = parse_network("Basic3ResNet-2-3-2")
    assert name.architecture.name == "Basic3ResNet"
    assert name.depth == (2, 3, 2)


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


def test_only_plain_nets_have_no_shortcuts():
    assert {n for n, a in ARCHITECTURES.items() if not a.residual} == {"Plain3Net", "Plain4Net"}


@pytest.mark.parametrize(
    ("name", "seed"), [("Basic3ResNet", (1, 1, 1)), ("Plain4Net", (1, 1, 1, 1))]
)
def test_seed_network_has_one_sub_module_each(name, seed):
    assert parse_architecture(name).seed_depth == seed


def says(text, *parts):
    with pytest.raises(UserError) as error:
        parse_network(text)
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert part in message
    return message


@pytest.mark.parametrize(
    "text", ["Basic5ResNet-1-1-1", "basic3resnet-1-1-1", "", "-1-1-1", "ResNet", " Basic3ResNet-1"]
)
def test_unknown_architecture_is_named_and_all_are_listed(text):
    says(text, repr(text.partition("-")[0]), "architecture", *FAMILIES)


@pytest.mark.parametrize("text", ["Basic3ResNet", "Basic3ResNet-"])
def test_missing_depth_is_told_with_an_example(text):
    assert "Basic3ResNet-2-2-2" in says(text, repr(text), "no depth", "allowed")


@pytest.mark.parametrize(
    "part", ["0", "-1", "x", "1.5", "02", "", " 1", "+1", "1001", "99999999999", "²", "٣"]
)
def test_bad_number_of_sub_modules_is_named(part):
    wrong = "''" if part in ("", "-1") else repr(part)
    says(f"Plain3Net-2-{part}-3", wrong, "sub-modules", "allowed", f"1 to {MAX_DEPTH}")


@pytest.mark.parametrize(
    ("text", "found", "wanted"),
    [
        ("Basic3ResNet-1-1", "2", "3"),
        ("Basic3ResNet-1-1-1-1", "4", "3"),
        ("Plain4Net-1-1-1", "3", "4"),
    ],
)
def test_wrong_number_of_sub_networks_is_told(text, found, wanted):
    message = says(text, f"names {found} sub-networks", "allowed", "-".join("1" * int(wanted)))
    assert re.search(rf"has {wanted}\b", message)


def test_architecture_alone_refuses_a_depth():
    with pytest.raises(UserError, match=r"depth \('1-1-1'\).*write Basic3ResNet"):
        parse_architecture("Basic3ResNet-1-1-1")


def test_unknown_architecture_alone_lists_all():
    with pytest.raises(UserError) as error:
        parse_architecture("Dense3Net")
    assert all(part in str(error.value) for part in ["'Dense3Net'", "allowed", *FAMILIES])
