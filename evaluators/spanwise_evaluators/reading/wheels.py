"""Data files inside installed packages, found without running the packages' code."""

import importlib.util
from pathlib import Path


class DataFileError(Exception):
    """A data file that comes with a dependency is not there; the message names the remedy."""


def data_file(package: str, inside: str, distribution: str) -> Path:
    """The path of a file inside an installed package.

    Args:
        package: name of the package, as imported; it is not imported, since what we use may write logs or fetch files.
        inside: path below the package's folder.
        distribution: name under which it is installed.

    Raises:
        DataFileError: the package is missing, or this release of it has the file elsewhere.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise DataFileError(f"{distribution} is not installed: pip install 'spanwise[collector]'")
    for folder in spec.submodule_search_locations:
        path = Path(folder) / inside
        if path.is_file():
            return path
    raise DataFileError(
        f"{distribution} is installed without {inside}: pip install --force-reinstall 'spanwise[collector]'"
    )
