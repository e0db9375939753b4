"""Which source files a model is made of: its own module and the models that it builds on, by their imports.

A change of one market's model must not make the fits of another one stale, and a change that a fit cannot see (in the
evidence room, say, whose product enters the key as arrays) must not either.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from telemed_forecast import paths

MODELS = "telemed_forecast.models"
"""The package whose modules are followed."""


def files(module: str, package: Path = paths.PACKAGE) -> list[Path]:
    """Source files of a module and of every model that it imports, directly or not, sorted.

    Parameters
    ----------
    module
        Name of an imported module, such as that of a model's `build`.
    package
        Folder of the package.
    """
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = _file(name, package)
        waiting += _models_imported_by(found[name].read_bytes())
    return sorted(found.values())


def _file(module: str, package: Path) -> Path:
    if module.startswith(MODELS):
        return package.joinpath(*module.split(".")[1:]).with_suffix(".py")
    return Path(str(sys.modules[module].__file__))


@lru_cache(maxsize=256)
def _models_imported_by(source: bytes) -> tuple[str, ...]:
    """Names of the modules of the models' room that a source imports anywhere, also within functions."""
    return tuple(sorted(set(_imports(ast.parse(source)))))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == MODELS:
            yield from (f"{MODELS}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{MODELS}."):
            yield str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith(f"{MODELS}."))
