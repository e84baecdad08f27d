"""The chart library of the report's page: TradingView's Lightweight Charts, fetched once per user with npm.

It is never part of this repository: the package of exactly this version is checked against its published digest and
kept in the user's cache folder. The page carries the library and its licence notice, and needs no network.
"""

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from topics.broker.maven import cache_folder

NAME: Final = "lightweight-charts"
VERSION: Final = "5.2.1"
INTEGRITY: Final = "IVwoK1RLFiLPubaKIjNbtjWLnpPMqiABSrTay6whmNa8L1+19292VtHJ+BWyPUuLCwF0tcQlhEWd1CLB2a1nsQ=="
"""SHA-512 of the package, as the registry publishes it."""
NOTICE: Final = (
    "TradingView Lightweight Charts™, Copyright (c) TradingView, Inc. https://www.tradingview.com/ "
    f"(version {VERSION}, Apache License 2.0)"
)
_SCRIPT: Final = "package/dist/lightweight-charts.standalone.production.js"
_LICENSE: Final = "package/LICENSE"


class ChartsMissing(Exception):
    """The chart library is not there and cannot be fetched; the reason says what would help."""


class Charts(NamedTuple):
    """The library's script, and its licence text."""

    script: str
    licence: str


def charts(cache: Path | None = None) -> Charts:
    """The library; the first call fetches it (0.7 MB). Raises ChartsMissing."""
    folder = (cache or cache_folder()) / f"{NAME}-{VERSION}"
    if not folder.is_dir():
        _fetch(folder)
    return Charts((folder / "script.js").read_text(), (folder / "LICENSE").read_text())


def _fetch(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise ChartsMissing("npm is not installed, it fetches the chart library once")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder.parent) as scratch:
        done = subprocess.run(
            [npm, "pack", "--silent", f"{NAME}@{VERSION}"],
            cwd=scratch, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        packages = list(Path(scratch).glob("*.tgz"))
        if done.returncode or len(packages) != 1:
            raise ChartsMissing(f"npm could not fetch {NAME} {VERSION}: {done.stderr.strip()[-500:]}")
        made = Path(scratch, "made")
        made.mkdir()
        _unpack(packages[0], made)
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():  # it is there where another process was faster
                raise


def _unpack(package: Path, into: Path) -> None:
    data = package.read_bytes()
    digest = base64.b64encode(hashlib.sha512(data).digest()).decode()
    if digest != INTEGRITY:
        raise ChartsMissing(
            f"{NAME} {VERSION} from the registry is not the package that was published: {digest}"
        )
    with tarfile.open(package) as archive:
        for member, name in ((_SCRIPT, "script.js"), (_LICENSE, "LICENSE")):
            file = archive.extractfile(member)
            if file is None:
                raise ChartsMissing(f"{NAME} {VERSION} has no {member}")
            (into / name).write_bytes(file.read())


if __name__ == "__main__":
    try:
        charts()
    except ChartsMissing as missing:
        sys.stderr.write(f"reports will have no charts: {missing}\n")
