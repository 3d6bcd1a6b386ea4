"""Record what a connector's provider answers, as small files for its tests.

    python scripts/record.py elia be --from 2024-03-30T22:00Z --hours 4

Keys are read from the settings, as in use, and struck out of what is kept. Look the files over before they are added.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

from watthour.bootstrap import open_app
from watthour.core.window import Window
from watthour.settings import load_settings
from watthour.sources.recording import MOST_ROWS, record
from watthour.workflows.sites import find_context


def main(words: list[str] | None = None) -> None:
    """Ask once and say which files were written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", help="a name of the catalogue")
    parser.add_argument("site", help="any name of a site it serves")
    parser.add_argument("--from", dest="since", required=True, help="first instant, such as 2024-03-30T22:00Z")
    parser.add_argument("--hours", type=float, default=3.0, help="how long the window is")
    parser.add_argument("--rows", type=int, default=MOST_ROWS, help="how many rows of a list are kept")
    parser.add_argument("--into", type=Path, default=Path("tests/recorded"), help="folder of the files")
    asked = parser.parse_args(words)
    start = datetime.fromisoformat(asked.since).astimezone(UTC)
    with open_app(load_settings()) as app:
        context = find_context(app.store, app.directories, asked.site)
        (source,) = app.past_sources(context, asked.source)
        written = record(
            source,
            app.connectors.http_clients(asked.source),
            Window(start, start + timedelta(hours=asked.hours)),
            now=datetime.now(UTC),
            folder=asked.into,
            most_rows=asked.rows,
        )
    for path in written:
        print(path)


if __name__ == "__main__":
    main()
