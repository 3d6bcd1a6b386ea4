"""Files that keep what people have said, and may mend by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from watthour.core.errors import InvalidInput
from watthour.core.kept_file import KeptFile

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("since", ["9999-12-31T23:59:59-14:00", "soon", 7, None])
def test_an_instant_that_is_none_is_told_with_the_file_and_the_cure(tmp_path: Path, since: object) -> None:
    path = tmp_path / "since.json"
    path.write_text(json.dumps({"flat": since}), encoding="utf-8")

    def decode(content: bytes) -> dict[str, datetime]:
        return {name: datetime.fromisoformat(text).astimezone(UTC) for name, text in json.loads(content).items()}

    kept = KeptFile(path, decode=decode, encode=str, what="file", remedy="Mend it.")
    with pytest.raises(InvalidInput, match=r"since\.json.*cannot be read.*Mend it\.") as caught:
        kept.all()
    assert caught.value.remedy.startswith("Mend it.")
