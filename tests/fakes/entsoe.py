"""ENTSO-E's transparency platform as it really behaves, over real HTTP: its documents, its gaps, its limits."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile

from fakes.server import Answer, FakeServer, Request, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TOKEN = "3b1f8a52-9c1d-4a7e-8f60-5d2e7c90b1a4"  # noqa: S105 - of the fake alone
NO_DATA = "No matching data found for Data item and interval"
HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)
_ZONE = "10Y-THE-ASKED-ONE"
_XML = {"Content-Type": "text/xml"}
_SERVED = {("A65", "A16"), ("A65", "A01"), ("A75", "A16"), ("A69", "A01"), ("A69", "A40"), ("A44", "")}


@dataclass
class Platform:
    """What a test may change while it runs."""

    start: datetime
    end: datetime
    now: datetime
    step: timedelta = HOUR
    missing: set[str] = field(default_factory=set)  # document types that no data are there of
    status_of_nothing: int = 400
    is_zipped: bool = False
    curve: str = "A01"
    zones: set[str] = field(default_factory=set)  # that were asked for
    answers_of: str = ""  # a zone, whichever is asked for
    published_to: datetime | None = None  # end of the prices; None: of all that there is
    price_at: Callable[[datetime], float] | None = None  # [EUR/MWh]; None: they count their intervals


def acknowledgement(text: str = NO_DATA, code: str = "999", status: int = 400) -> Answer:
    """The answer where there is nothing to send, and where the request is wrong."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0">'
        f"<mRID>1</mRID><Reason><code>{code}</code><text>{text}</text></Reason></Acknowledgement_MarketDocument>"
    )
    return Answer(status, body.encode(), _XML)


def period(start: datetime, end: datetime, resolution: str, points: Sequence[tuple[int, str]], tag: str) -> str:
    """A period with the points that are sent."""
    told = "".join(f"<Point><position>{place}</position><{tag}>{value}</{tag}></Point>" for place, value in points)
    span = f"<timeInterval><start>{_minute(start)}</start><end>{_minute(end)}</end></timeInterval>"
    return f"<Period>{span}<resolution>{resolution}</resolution>{told}</Period>"


def series(periods: str, curve: str = "A01", **said: str) -> str:
    """A series of powers or prices; a name of two words is written with a dot as the platform does."""
    words = {"quantity_Measure_Unit.name": "MAW", **{name.replace("__", "."): value for name, value in said.items()}}
    psr = words.pop("psrType", None)
    told = "".join(f"<{name}>{value}</{name}>" for name, value in words.items() if value)
    kind = f"<MktPSRType><psrType>{psr}</psrType></MktPSRType>" if psr else ""
    return f"<TimeSeries><mRID>1</mRID>{told}<curveType>{curve}</curveType>{kind}{periods}</TimeSeries>"


def price_series(periods: str, curve: str = "A03", *, sequence: str = "", currency: str = "EUR", zone: str = "") -> str:
    """A series of day-ahead prices."""
    said = {
        "quantity_Measure_Unit__name": "",
        "contract_MarketAgreement__type": "A01",
        "currency_Unit__name": currency,
        "price_Measure_Unit__name": "MWH",
        "classificationSequence_AttributeInstanceComponent__position": sequence,
        "in_Domain__mRID": zone,
        "out_Domain__mRID": zone,
    }
    return series(periods, curve, **said)


def document(*parts: str, kind: str = "GL") -> bytes:
    """A document of series; ``kind`` is Publication for prices."""
    name = f"{kind}_MarketDocument"
    space = "urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0"
    body = f'<{name} xmlns="{space}"><type>A</type>{"".join(parts)}</{name}>'
    return f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode()


def zipped(*files: bytes) -> bytes:
    """A ZIP file of documents, as long answers come."""
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for number, content in enumerate(files):
            archive.writestr(f"{number:03}.xml", content)
    return buffer.getvalue()


@contextmanager
def fake_entsoe(platform: Platform) -> Iterator[FakeServer]:
    """Serve series that count their intervals; a wrong token is refused, and so is more than a year."""

    def answer(request: Request) -> Answer:
        if request.one("securityToken") != TOKEN:
            return acknowledgement("Unauthorized. Missing or invalid security token.", "999", 401)
        asked = (request.one("documentType"), request.one("processType"))
        first, last = (_read(request.one(name)) for name in ("periodStart", "periodEnd"))
        zone = request.one("outBiddingZone_Domain") or request.one("in_Domain")
        platform.zones.add(zone)
        if asked not in _SERVED or not zone or (asked[0] == "A44" and request.one("out_Domain") != zone):
            return acknowledgement("The combination of parameters is not valid for this area")
        if last - first > timedelta(days=366):
            return acknowledgement("Delivered time interval is not valid for this Data item.")
        start, end = max(first, platform.start), min(last, platform.end)
        if asked[1] == "A16":
            end = min(end, platform.now.replace(minute=0, second=0, microsecond=0))
        if asked[0] == "A44" and platform.published_to is not None:
            end = min(end, platform.published_to)
        if asked[0] in platform.missing or start >= end:
            return acknowledgement(status=platform.status_of_nothing)
        body = _BODIES[asked](platform, start, end).replace(_ZONE.encode(), (platform.answers_of or zone).encode())
        return Answer(200, zipped(body), {"Content-Type": "application/zip"}) if platform.is_zipped else _xml(body)

    with serve(answer, "/api") as server:
        yield server


def _xml(body: bytes) -> Answer:
    return Answer(200, body, _XML)


def _counted(platform: Platform, start: datetime, end: datetime, base: float, step: timedelta, tag: str) -> str:
    """Values that count their intervals from the platform's first one on."""
    first = (start - platform.start) // step
    points = [(place + 1, f"{base + first + place:g}") for place in range((end - start) // step)]
    return period(start, end, f"PT{step // timedelta(minutes=1)}M", points, tag)


def _load(base: float) -> Callable[[Platform, datetime, datetime], bytes]:
    def body(platform: Platform, start: datetime, end: datetime) -> bytes:
        told = _counted(platform, start, end, base, platform.step, "quantity")
        return document(series(told, platform.curve, businessType="A04", outBiddingZone_Domain__mRID=_ZONE))

    return body


def _generation(platform: Platform, start: datetime, end: datetime) -> bytes:
    def told(base: float) -> str:
        return _counted(platform, start, end, base, platform.step, "quantity")

    taken = series(told(40), psrType="B10", outBiddingZone_Domain__mRID=_ZONE)
    bases = (("B04", 400), ("B10", 10), ("B14", 1000), ("B16", 50))
    made = [series(told(base), psrType=code, inBiddingZone_Domain__mRID=_ZONE) for code, base in bases]
    own_use = series(told(1), psrType="B16", outBiddingZone_Domain__mRID=_ZONE)
    return document(*made, taken, own_use)


def _wind_solar(base: float) -> Callable[[Platform, datetime, datetime], bytes]:
    def body(platform: Platform, start: datetime, end: datetime) -> bytes:
        kinds = [("B16", base), ("B18", base + 1000), ("B19", base + 2000)]
        parts = [(code, _counted(platform, start, end, value, platform.step, "quantity")) for code, value in kinds]
        return document(*(series(told, psrType=code, inBiddingZone_Domain__mRID=_ZONE) for code, told in parts))

    return body


def _prices(platform: Platform, start: datetime, end: datetime) -> bytes:
    told = _counted(platform, start, end, 20, QUARTER, "price.amount")
    if platform.price_at is not None:
        times = [start + place * QUARTER for place in range((end - start) // QUARTER)]
        points = [(place + 1, f"{platform.price_at(at):.2f}") for place, at in enumerate(times)]
        told = period(start, end, "PT15M", points, "price.amount")
    other = _counted(platform, start, end, 5000, QUARTER, "price.amount")
    auctions = [price_series(each, sequence=place, zone=_ZONE) for each, place in ((told, "1"), (other, "2"))]
    return document(*auctions, kind="Publication")


_BODIES: dict[tuple[str, str], Callable[[Platform, datetime, datetime], bytes]] = {
    ("A65", "A16"): _load(40_000),
    ("A65", "A01"): _load(40_500),
    ("A75", "A16"): _generation,
    ("A69", "A01"): _wind_solar(100),
    ("A69", "A40"): _wind_solar(500),
    ("A44", ""): _prices,
}


def _minute(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def _read(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d%H%M").replace(tzinfo=UTC)
