"""What the log of a long-running command leaves out."""

from __future__ import annotations

import logging

from watthour.cli.logs import Seldom


def test_lines_of_one_kind_are_written_once_in_a_while_with_how_many_were_left_out() -> None:
    now, written = 0.0, []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append((now, record.getMessage()))

    handler, log = Kept(), logging.getLogger("tests.seldom")
    handler.addFilter(Seldom(60.0, clock=lambda: now))
    log.addHandler(handler)
    log.propagate = False
    for second in range(130):
        now = float(second)
        log.warning("refused %s", second)
    log.error("refused %s", "once")
    log.warning({"event": "ours"})
    log.warning({"event": "ours"})
    assert written == [
        (0.0, "refused 0"),
        (60.0, "refused 60 (59 more like it were left out)"),
        (120.0, "refused 120 (59 more like it were left out)"),
        (129.0, "refused once"),
        (129.0, "{'event': 'ours'}"),
        (129.0, "{'event': 'ours'}"),
    ]
