"""What is read of files that a person gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from watthour.bootstrap.opening import Opened
from watthour.core.errors import InvalidInput
from watthour.sources.device_events import DeviceUses, is_device_events, read_device_events
from watthour.sources.files import file_sources, preview, unknown_files
from watthour.sources.table_channels import Known

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from watthour.core.ports import Source
    from watthour.core.window import Window
    from watthour.sources.previews import Preview
    from watthour.sources.table_options import TableOptions


@dataclass(frozen=True)
class Files(Opened):
    """The readers of files, with the sites that this process knows."""

    def file_sources(
        self,
        path: Path,
        region: str | None,
        options: TableOptions,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> list[tuple[Source, Window]]:
        """Return what a file, or each file of a directory, holds, and the window that covers it.

        ``progress`` is told how many bytes more of a long table were read.

        Raises:
            InvalidInput: no such file, none of the known layouts and no channel named, or nobody knows the site.
        """
        return file_sources(path, region, _with_calendar(options), self._known(), progress=progress)

    def preview(
        self, path: Path, region: str | None, options: TableOptions, *, is_sample: bool = False
    ) -> Preview | None:
        """Return what is understood of a table before it is kept; None where the file has a known layout.

        Args:
            path: of the file.
            region: of the file, if it does not name it.
            options: what a person says of it.
            is_sample: the beginning of a large file is enough.

        Raises:
            InvalidInput: no such file, not a table, or something that was said cannot be.
        """
        return preview(path, region, _with_calendar(options), self._known(), is_sample=is_sample)

    def unknown_files(self, directory: Path, region: str | None) -> list[str]:
        """Return the names of the files in a directory that ``file_sources`` leaves aside."""
        return unknown_files(directory, region, self._known())

    def device_uses(self, path: Path, home: str | None, *, now: datetime) -> DeviceUses | None:
        """Return the uses of devices that a file tells; None where it is no table of them.

        Raises:
            UnknownSite: there is no such home.
            InvalidInput: it is not said which home it is, or the file cannot be read.
        """
        from watthour.workflows.homes import home_named

        if not is_device_events(path):
            return None
        if home is None:
            problem = "it tells uses of devices, and it is not said of which home"
            remedy = "Name the home with --home (`site` over HTTP); `watthour home add` adds one."
            raise InvalidInput("site", None, problem, remedy=remedy)
        return read_device_events(path, home_named(self.store, home), now=now)

    def _known(self) -> Known:
        return Known(self.find, self.store.sites(), self.store.channels(), self.near)


def _with_calendar(options: TableOptions) -> TableOptions:
    """Return the options with a calendar of holidays that exists.

    Raises:
        InvalidInput: there is no such calendar.
    """
    if options.holidays is None:
        return options
    from watthour.forecasting.holiday_calendars import checked_calendar

    return replace(options, holidays=checked_calendar(options.holidays))
