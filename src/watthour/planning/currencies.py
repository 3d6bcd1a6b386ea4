"""Currencies, and about what a kWh costs in them: enough to question a price that is ten times off."""

from __future__ import annotations

# ISO 4217, without metals, funds and codes for testing.
_CODES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF "
    "CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG "
    "HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA "
    "MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD "
    "RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX "
    "USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG"
)
CURRENCIES = frozenset(_CODES.split())

# About what a home pays for a kWh [currency/kWh]; to a factor of two, which is all that the question needs.
_USUAL = {
    **dict.fromkeys(("EUR", "GBP", "CHF"), 0.28),
    **dict.fromkeys(("USD", "CAD", "AUD", "NZD", "SGD"), 0.22),
    **dict.fromkeys(("BRL", "CNY", "PLN", "RON"), 0.9),
    **dict.fromkeys(("DKK", "MXN", "NOK", "SEK", "TRY", "UAH", "ZAR"), 2.2),
    **dict.fromkeys(("CZK", "INR"), 6.5),
    **dict.fromkeys(("HUF", "JPY"), 40.0),
    "KRW": 160.0,
}
_MOST, _LEAST = 5.0, 8.0  # times more, or less, than usual that is still believed without a question


def usual_price(currency: str) -> float | None:
    """Return about what a kWh costs a home, None where that is not known, in its currency."""
    return _USUAL.get(currency)


def times_off(price: float, currency: str) -> float | None:
    """Return how many times a price is the usual one, where that is hard to believe; None where it is not.

    >>> times_off(24.0, "JPY"), round(times_off(28.0, "EUR") or 0)
    (None, 100)
    """
    usual = usual_price(currency)
    if usual is None or price == 0:
        return None
    times = abs(price) / usual
    return times if times > _MOST or times < 1 / _LEAST else None
