"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced(file: Path) -> Iterator[Path]:
    """Give a temporary path beside a file; what is written there takes the file's place when the block ends well."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        yield part
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)


def write(file: Path, content: str | bytes) -> Path:
    """Write a text (UTF-8, line ends as they are) or bytes in one step; return the file."""
    with replaced(file) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
    return file
