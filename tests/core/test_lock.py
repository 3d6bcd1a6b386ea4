"""Files of a home directory that several processes change at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from processes import add_and_remove_links, add_hosts

from watthour.sources.own import OwnSources
from watthour.sources.polling import PolledOptions
from watthour.workflows.links import Links

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext
    from pathlib import Path

N_PROCESSES = 4
N_EACH = 10


def test_no_source_and_no_thing_is_lost_where_many_processes_add_at_once(
    tmp_path: Path, fresh: ForkServerContext
) -> None:
    works = [(work, number) for work in (add_hosts, add_and_remove_links) for number in range(N_PROCESSES)]
    working = [fresh.Process(target=work, args=(tmp_path, number, N_EACH)) for work, number in works]
    for process in working:
        process.start()
    for process in working:
        process.join()
    assert [process.exitcode for process in working] == [0] * len(working)
    hosts = {f"192.168.{process}.{number}" for process in range(N_PROCESSES) for number in range(N_EACH)}
    options = OwnSources(tmp_path).all()["shelly"]
    assert isinstance(options, PolledOptions)
    assert set(options.hosts) == hosts
    kept = {f"mqtt/{process}-{number}" for process in range(N_PROCESSES) for number in range(0, N_EACH, 2)}
    assert Links(tmp_path).all().keys() == kept


def test_what_was_added_is_for_its_owner_alone_and_a_killed_process_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "things.part").write_text("half", encoding="utf-8")
    add_and_remove_links(tmp_path, 0, 1)
    assert Links(tmp_path).all().keys() == {"mqtt/0-0"}
    assert (tmp_path / "things.json").stat().st_mode & 0o077 == 0
