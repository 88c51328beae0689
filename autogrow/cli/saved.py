"""Commands on what a finished run has found: evaluate, predict, export, plot and card."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from autogrow.cli.options import add_settings, positive
from autogrow.config.execution import Execution
from autogrow.errors import UserError, allowed
from autogrow.files.writing import write_bytes
from autogrow.using.formats import FORMATS, NAMES

if TYPE_CHECKING:
    from autogrow.using.loading import TrainedNetwork

PREDICTIONS_HEADER = ("image", "class", "probability")


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of a finished run")


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``autogrow evaluate``."""
    _add_folder(parser)
    parser.add_argument(
        "--data",
        metavar="NAME",
        help="the data set on whose test set the network is evaluated (default: the run's own)",
    )
    add_settings(parser, Execution, ("device", "threads", "workers", "data_root"))
    parser.set_defaults(command=_evaluate)


def _evaluate(options: argparse.Namespace) -> None:
    trained = _loaded(options)
    from autogrow.using.evaluating import evaluate_on

    told = evaluate_on(
        trained,
        options.data,
        data_root=getattr(options, "data_root", None),
        workers=getattr(options, "workers", None),
    )
    print(json.dumps(told.to_json(), indent=2))
    print(
        f"{options.folder} on {told.data}: accuracy {told.accuracy:.2f} %, "
        f"loss {told.loss:.4f} on {told.images:,} images",
        file=sys.stderr,
    )


def add_predict(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``autogrow predict``."""
    _add_folder(parser)
    parser.add_argument(
        "images", type=Path, nargs="+", metavar="IMAGE", help="PNG, JPEG, BMP or WebP, of any size"
    )
    parser.add_argument(
        "--top",
        type=positive,
        default=1,
        metavar="N",
        help="rows for each image: its N most probable classes (default: 1)",
    )
    add_settings(parser, Execution, ("device", "threads", "data_root"))
    parser.set_defaults(command=_predict)


def _predict(options: argparse.Namespace) -> None:
    trained = _loaded(options)
    from autogrow.using.predicting import predict_files

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(PREDICTIONS_HEADER)
    for file, name, probability in predict_files(trained, options.images, options.top):
        writer.writerow((file, name, f"{probability:.6f}"))


def add_export(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``autogrow export``."""
    _add_folder(parser)
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="onnx",
        help="onnx (needs the extra onnx), torch-export (for torch.export.load) or safetensors "
        "(the weights and their description); default: onnx",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=f"file to write (default: {allowed(NAMES.values())} in DIR)",
    )
    add_settings(parser, Execution, ("threads", "data_root"))
    parser.set_defaults(command=_export, device="cpu")


def _export(options: argparse.Namespace) -> None:
    trained = _loaded(options)
    from autogrow.using.exporting import export

    file = options.out or options.folder / NAMES[options.format]
    export(trained, file, options.format)
    print(f"{file}: {file.stat().st_size:,} bytes")


def add_plot(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``autogrow plot``."""
    _add_folder(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="a picture, .svg or .png (default: draw with characters on the terminal)",
    )
    parser.set_defaults(command=_plot)


def _plot(options: argparse.Namespace) -> None:
    from autogrow.using.curve import curve_of
    from autogrow.using.plotting import as_png, as_svg, as_text

    curve = curve_of(options.folder)
    if options.out is None:
        print(as_text(curve))
        return
    draw = {".svg": as_svg, ".png": as_png}.get(options.out.suffix.lower())
    if draw is None:
        raise UserError(f"--out: found {str(options.out)!r}; allowed: a file .svg or .png")
    write_bytes(options.out, draw(curve))
    print(options.out)


def add_card(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``autogrow card``."""
    _add_folder(parser)
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="file to write (default: standard output)"
    )
    parser.set_defaults(command=_card)


def _card(options: argparse.Namespace) -> None:
    from autogrow.using.card import model_card

    text = model_card(options.folder)
    if options.out is None:
        print(text, end="")
    else:
        write_bytes(options.out, text.encode())
        print(options.out)


def _loaded(options: argparse.Namespace) -> TrainedNetwork:
    from autogrow.process.device import find_device
    from autogrow.using.loading import load

    device = getattr(options, "device", "auto")
    find_device(device, getattr(options, "threads", None))
    return load(options.folder, device=device, data_root=getattr(options, "data_root", None))
