"""All connectors in one screen: what each serves, when it is asked, and how it is built; nothing is imported before.

A connector's file holds its class, ``open_client`` (its options in, its HTTP client out) and, where it has any, a class
of options. The file's name is the name of its block in the settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from watthour.core.forecast import Context
    from watthour.sources.options import Options

_EIA, _METEO = "docs/reference/sources/eia.md", "docs/reference/sources/open_meteo.md"
_ELIA, _ENTSOE = "docs/reference/sources/elia.md", "docs/reference/sources/entsoe.md"


def _nothing(_context: Context) -> bool:
    return False


def _known_to(provider: str, code: str | None = None) -> Callable[[Context], bool]:
    """Return whether a provider knows a site, under this code if one is named."""

    def serves(context: Context) -> bool:
        known = context.site.code(provider)
        return known is not None and code in (None, known)

    return serves


def _is_elsewhere_in_europe(context: Context) -> bool:
    """Tell whether ENTSO-E knows a zone whose operator is not asked itself."""
    return context.site.code("entsoe") is not None and context.site.code("elia") is None


def _of_region_of(provider: str, country: str) -> Callable[[Context], bool]:
    """Return whether a provider knows a site as a part of a country."""

    def serves(context: Context) -> bool:
        return context.site.code(provider) not in (None, country)

    return serves


def _has_weather(context: Context) -> bool:
    """Tell whether a site is a real place."""
    site = context.site
    return not site.is_simulated and bool(site.points or site.place.latitude is not None)


def _is_real_region(context: Context) -> bool:
    """Tell whether a site is a region of the grid at a real place."""
    return context.site.prefix.startswith("grid.") and _has_weather(context)


@dataclass(frozen=True, slots=True)
class Way:
    """How a person gets real data by a connector, as the page of a fresh installation says it."""

    id: str
    title: str
    text: str
    command: str  # ``{region}`` stands for the region that the settings name


@dataclass(frozen=True, slots=True)
class Ask:
    """One question of the form by which a person adds a source: an option of its block, in words."""

    option: str
    label: str
    hint: str = ""
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """What a connector is, before it is imported."""

    target: str  # module:class; built from a context and, where its module opens one, its client
    delivers: str
    needs: str  # what a person must have
    page: str  # of the documentation
    serves: Callable[[Context], bool] = _nothing  # of files at hand: nothing by itself
    is_followed: bool = False  # asked regularly
    is_past: bool = False  # asked for the years before, or can be
    brings_load: bool = False  # measures what is forecast: a site can be followed once such a source can be asked
    is_optional: bool = (
        False  # what it needs may be missing: it stands by, and the other sources are asked all the same
    )
    stands_alone: bool = False  # of use by itself: asked for a site of which nothing else can be asked
    has_sites: bool = False  # its module's ``contexts`` knows sites of its own
    options: str = ""  # class of its block in the settings, in the same module; none: it can only be switched off
    way: Way | None = None  # shown until it can be asked; of files, always
    title: str = ""  # as a person who adds it would call it
    asks: tuple[Ask, ...] = ()  # what is asked when it is added from the page or by command; none: it cannot be

    @property
    def module(self) -> str:
        """Where it is written."""
        return self.target.partition(":")[0]

    @property
    def block(self) -> str:
        """The name of its block in the settings, which it may share with others of its file."""
        return self.module.rpartition(".")[2]


CATALOGUE: dict[str, Card] = {
    "eia": Card(
        "watthour.sources.eia:Eia",
        "hourly demand, net generation, interchange and the operator's day-ahead forecast of a US region",
        "a free API key",
        _EIA,
        _known_to("eia"),
        is_followed=True,
        is_past=True,
        brings_load=True,
        options="EiaOptions",
        way=Way(
            "eia_key",
            "Connect EIA with a free key",
            "Register at https://www.eia.gov/opendata/register.php, then set EIA_API_KEY and start again.",
            "EIA_API_KEY=... watthour up",
        ),
        title="EIA: demand of US regions",
        asks=(Ask("api_key", "API key", "Free at https://www.eia.gov/opendata/register.php", is_required=True),),
    ),
    "eia_fuel_mix": Card(
        "watthour.sources.eia:EiaFuelMix",
        "hourly generation by energy source of a US region",
        "a free API key",
        _EIA,
        _known_to("eia"),
        is_followed=True,
        is_past=True,
        options="EiaOptions",
    ),
    "eia_bulk": Card(
        "watthour.sources.eia_bulk:EiaBulk",
        "all of these from EIA's six-month files",
        "nothing",
        "docs/reference/sources/eia_bulk.md",
        _known_to("eia"),
        options="EiaBulkOptions",
        way=Way(
            "eia_files",
            "Read EIA's files, without a key",
            "Download a six-month file EIA930_BALANCE_*.csv from the EIA Grid Monitor and import it.",
            "watthour import EIA930_BALANCE_2026_Jul_Dec.csv --region {region}",
        ),
    ),
    "elia": Card(
        "watthour.sources.elia:Elia",
        "Belgium's quarter-hourly load and its operator's day-ahead forecast with P10 and P90",
        "nothing",
        _ELIA,
        _known_to("elia"),
        is_followed=True,
        is_past=True,
        brings_load=True,
        has_sites=True,
        options="EliaOptions",
    ),
    "elia_generation": Card(
        "watthour.sources.elia:EliaGeneration",
        "Belgium's quarter-hourly generation by fuel",
        "nothing",
        _ELIA,
        _known_to("elia"),
        is_followed=True,
        is_past=True,
        options="EliaOptions",
    ),
    "elia_wind_solar": Card(
        "watthour.sources.elia:EliaWindSolar",
        "the operator's forecasts of Belgium's wind and sun, made at 11:00 and at 18:00 of the day before",
        "nothing",
        _ELIA,
        _known_to("elia"),
        is_followed=True,
        is_past=True,
        options="EliaOptions",
    ),
    "elia_carbon": Card(
        "watthour.sources.elia:EliaCarbon",
        "the operator's hourly CO2 intensity of what Belgium produces and of what it uses",
        "nothing",
        _ELIA,
        _known_to("elia"),
        is_followed=True,
        is_past=True,
        options="EliaOptions",
    ),
    "entsoe": Card(
        "watthour.sources.entsoe:Entsoe",
        "load and the operator's day-ahead forecast of a European zone",
        "a free token, on request",
        _ENTSOE,
        _is_elsewhere_in_europe,
        is_followed=True,
        is_past=True,
        brings_load=True,
        options="EntsoeOptions",
        way=Way(
            "entsoe_token",
            "Connect a European zone with a free token",
            "Register at https://transparency.entsoe.eu and ask transparency@entsoe.eu for 'Restful API access'; then "
            "set ENTSOE_API_KEY, name your zone (`watthour regions Germany`) and start again.",
            "ENTSOE_API_KEY=... WATTHOUR_REGIONS=de_lu watthour up",
        ),
        title="ENTSO-E: load, generation and prices of Europe",
        asks=(
            Ask(
                "api_key",
                "Security token",
                "Free: register at https://transparency.entsoe.eu and ask transparency@entsoe.eu for 'Restful API "
                "access'; then make it under My Account Settings",
                is_required=True,
            ),
        ),
    ),
    "entsoe_generation": Card(
        "watthour.sources.entsoe:EntsoeGeneration",
        "hourly generation by type of plants of a European zone",
        "a free token, on request",
        _ENTSOE,
        _is_elsewhere_in_europe,
        is_followed=True,
        is_past=True,
        is_optional=True,
        options="EntsoeOptions",
    ),
    "entsoe_wind_solar": Card(
        "watthour.sources.entsoe:EntsoeWindSolar",
        "the operator's forecasts of wind and sun of a European zone",
        "a free token, on request",
        _ENTSOE,
        _is_elsewhere_in_europe,
        is_followed=True,
        is_past=True,
        is_optional=True,
        options="EntsoeOptions",
    ),
    "entsoe_prices": Card(
        "watthour.sources.entsoe:EntsoePrices",
        "day-ahead prices of a European zone",
        "a free token, on request",
        _ENTSOE,
        _known_to("entsoe"),
        is_followed=True,
        is_past=True,
        is_optional=True,
        options="EntsoeOptions",
    ),
    "open_meteo_forecast": Card(
        "watthour.sources.open_meteo:OpenMeteoForecast",
        "the weather forecast as it is now",
        "nothing (non-commercial)",
        _METEO,
        _has_weather,
        is_followed=True,
        options="OpenMeteoOptions",
    ),
    "open_meteo_previous_runs": Card(
        "watthour.sources.open_meteo:OpenMeteoPreviousRuns",
        "what was forecast one, two, ... days before each hour",
        "nothing (non-commercial)",
        _METEO,
        _has_weather,
        is_past=True,
        options="OpenMeteoOptions",
    ),
    "open_meteo_archive": Card(
        "watthour.sources.open_meteo:OpenMeteoArchive",
        "observed weather of a site's points",
        "nothing (non-commercial)",
        _METEO,
        _has_weather,
        options="OpenMeteoOptions",
    ),
    "open_meteo_single_runs": Card(
        "watthour.sources.open_meteo:OpenMeteoSingleRuns",
        "whole runs of one weather model by their init time",
        "nothing (non-commercial)",
        _METEO,
        _has_weather,
        options="OpenMeteoOptions",
    ),
    "nyiso": Card(
        "watthour.sources.nyiso:Nyiso",
        "New York's operator's own forecasts, by zone and in all",
        "nothing",
        "docs/reference/sources/nyiso.md",
        _known_to("eia", "NYIS"),
        is_followed=True,
        options="NyisoOptions",
    ),
    "watttime": Card(
        "watthour.sources.watttime:Watttime",
        "marginal CO2 of a region's grid, its forecast, and the rank of the hour",
        "a free account",
        "docs/reference/sources/watttime.md",
        _is_real_region,
        is_followed=True,
        is_optional=True,
        stands_alone=True,
        options="WatttimeOptions",
    ),
    "uk_carbon": Card(
        "watthour.sources.uk_carbon:UkCarbon",
        "carbon intensity of Great Britain, NESO's forecast of the next 48 hours, and the shares of fuels",
        "nothing",
        "docs/reference/sources/uk_carbon.md",
        _known_to("uk_carbon", "GB"),
        is_followed=True,
        is_past=True,
        brings_load=True,  # the intensity is what is forecast of Great Britain
        stands_alone=True,
        has_sites=True,
        options="UkCarbonOptions",
    ),
    "uk_carbon_regional": Card(
        "watthour.sources.uk_carbon:UkCarbonRegional",
        "NESO's forecast of the carbon intensity of a region of Great Britain",
        "nothing",
        "docs/reference/sources/uk_carbon.md",
        _of_region_of("uk_carbon", "GB"),
        is_followed=True,
        stands_alone=True,
        options="UkCarbonOptions",
    ),
    "electricity_maps": Card(
        "watthour.sources.electricity_maps:ElectricityMaps",
        "carbon intensity of what a region uses, imports traced, and its forecast where the plan includes it",
        "a free key for one zone",
        "docs/reference/sources/electricity_maps.md",
        _is_real_region,
        is_followed=True,
        is_optional=True,
        stands_alone=True,
        options="ElectricityMapsOptions",
    ),
    "awattar": Card(
        "watthour.sources.prices.awattar:Awattar",
        "hourly day-ahead prices of Germany and Austria",
        "nothing",
        "docs/reference/sources/prices.md",
        _known_to("awattar"),
        is_followed=True,
        is_past=True,
        brings_load=True,
        has_sites=True,
        options="AwattarOptions",
    ),
    "energyzero": Card(
        "watthour.sources.prices.energyzero:Energyzero",
        "quarter-hourly day-ahead prices of the Netherlands",
        "nothing",
        "docs/reference/sources/prices.md",
        _known_to("energyzero"),
        is_followed=True,
        is_past=True,
        brings_load=True,
        has_sites=True,
        options="EnergyzeroOptions",
    ),
    "octopus": Card(
        "watthour.sources.prices.octopus:Octopus",
        "half-hourly prices of Octopus Energy in Great Britain, tax included",
        "nothing",
        "docs/reference/sources/prices.md",
        _known_to("octopus"),
        is_followed=True,
        is_past=True,
        brings_load=True,
        has_sites=True,
        options="OctopusOptions",
    ),
    "nyiso_prices": Card(
        "watthour.sources.prices.nyiso_prices:NyisoPrices",
        "hourly day-ahead prices of New York's zones",
        "nothing",
        "docs/reference/sources/prices.md",
        _known_to("nyiso_prices"),
        is_followed=True,
        is_past=True,
        brings_load=True,
        has_sites=True,
        options="NyisoPricesOptions",
    ),
    "csv": Card(
        "watthour.sources.csv:CsvSource",
        "any CSV or Parquet table as one channel",
        "a file",
        "docs/reference/sources/csv.md",
    ),
    "datasets": Card(
        "watthour.sources.datasets:Dataset",
        "published research tables of demand and issued weather",
        "a file",
        "docs/reference/sources/datasets.md",
    ),
}

# What tells by itself, or is asked every few seconds: see ``sources.lines``.
LINES: dict[str, Card] = {
    "mqtt": Card(
        "watthour.sources.mqtt:open_line",
        "what Shelly, Tasmota, Zigbee2MQTT and Home Assistant tell a broker",
        "an MQTT broker",
        "docs/reference/sources/mqtt.md",
        options="MqttOptions",
        title="MQTT broker (Home Assistant, Shelly, Tasmota, Zigbee2MQTT)",
        asks=(
            Ask("host", "Address of the broker", "Such as 192.168.1.10 or homeassistant.local", is_required=True),
            Ask("port", "Port", "1883, or 8883 with TLS"),
            Ask("username", "User name"),
            Ask("password", "Password"),
            Ask("tls", "Use TLS"),
            Ask("announce", "Tell Home Assistant", "Your homes appear there by MQTT discovery"),
        ),
    ),
    "homewizard": Card(
        "watthour.sources.homewizard:open_line",
        "HomeWizard's P1 meter, kWh meters and sockets",
        "the address of a device",
        "docs/reference/sources/homewizard.md",
        options="HomewizardOptions",
        title="HomeWizard: P1 meter, kWh meters, sockets",
        asks=(
            Ask(
                "hosts",
                "Address of the device",
                "Such as 192.168.1.20; several with commas. First switch on Local API in HomeWizard's app",
                is_required=True,
            ),
        ),
    ),
    "shelly": Card(
        "watthour.sources.shelly:open_line",
        "Shelly's devices where no broker is",
        "the address of a device",
        "docs/reference/sources/shelly.md",
        options="ShellyOptions",
        title="Shelly without a broker",
        asks=(Ask("hosts", "Address of the device", "Such as 192.168.1.30; several with commas", is_required=True),),
    ),
    "home_assistant": Card(
        "watthour.sources.home_assistant:open_line",
        "Home Assistant's long-term statistics, years back and as they come",
        "a long-lived access token",
        "docs/reference/sources/home_assistant.md",
        is_past=True,
        options="HomeAssistantOptions",
        title="Home Assistant: its statistics, years back",
        asks=(
            Ask("url", "Address of Home Assistant", "Such as http://homeassistant.local:8123", is_required=True),
            Ask(
                "token",
                "Long-lived access token",
                "In Home Assistant: your profile, Security, Long-lived access tokens, Create token",
                is_required=True,
            ),
        ),
    ),
    "influxdb": Card(
        "watthour.sources.influxdb:open_line",
        "what Home Assistant or others keep in InfluxDB 3, the past and as it comes",
        "a database and a token that may read it",
        "docs/reference/sources/influxdb.md",
        is_past=True,
        options="InfluxdbOptions",
        title="InfluxDB 3",
        asks=(
            Ask("url", "Address of the server", "Such as http://192.168.1.10:8181", is_required=True),
            Ask("token", "Token that may read the database", "Made by: influxdb3 create token", is_required=True),
            Ask("database", "Name of the database", "homeassistant where nothing is said"),
        ),
    ),
}


def connector(name: str, cards: Mapping[str, Card] = CATALOGUE) -> type[object]:
    """Return the class of a connector.

    Raises:
        InvalidInput: there is none of this name.
    """
    if name not in cards:
        raise InvalidInput("source", name, "there is no such connector", remedy=f"There are: {', '.join(cards)}.")
    card = cards[name]
    found: type[object] = getattr(import_module(card.module), card.target.partition(":")[2])
    return found


def option_blocks() -> dict[str, Card]:
    """Return the names of the blocks that the settings may hold, each with a connector that reads it."""
    cards = (*CATALOGUE.values(), *LINES.values())
    return {card.block: card for card in sorted(cards, key=lambda card: bool(card.asks))}


def addable() -> dict[str, Card]:
    """Return what a person can add from the page or by command, by block of the settings."""
    return {block: card for block, card in option_blocks().items() if card.asks}


def options_class(card: Card) -> type[Options]:
    """Return the class of a connector's block in the settings."""
    from watthour.sources.options import Options

    found: type[Options] = getattr(import_module(card.module), card.options) if card.options else Options
    return found
