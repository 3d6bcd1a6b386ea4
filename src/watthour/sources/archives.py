"""ZIP files that providers answer with, unpacked within bounds."""

from __future__ import annotations

import zlib
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from watthour.core.errors import PayloadChanged

_REPORT = "Update Watthour; if that does not help, report it with what was asked for."


def is_zip(content: bytes) -> bool:
    """Tell a ZIP file by how it begins."""
    return content.startswith(b"PK")


def unzip(content: bytes, source: str, name: str, *, most_bytes: int) -> dict[str, bytes]:
    """Return the files of an archive by name.

    Args:
        content: the archive.
        source: who sent it.
        name: of the archive, for the message.
        most_bytes: that its files may have together; no more than it announces is ever read.

    Raises:
        PayloadChanged: it is too large or damaged, or needs a password.
    """
    try:
        with ZipFile(BytesIO(content)) as archive:
            if sum(file.file_size for file in archive.infolist()) > most_bytes:
                raise PayloadChanged(source, f"{name} is larger than {most_bytes:,} bytes unpacked", remedy=_REPORT)
            return {file: archive.read(file) for file in archive.namelist() if not file.endswith("/")}
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):  # the last one: with a password
        raise PayloadChanged(source, f"{name} is not a ZIP file, or is damaged", remedy=_REPORT) from None
