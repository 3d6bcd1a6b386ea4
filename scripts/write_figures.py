"""Write the figures of the committed benchmark results into the README and the docs, between their marks.

Run: python scripts/write_figures.py
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGES = (
    ROOT / "README.md",
    *(
        ROOT / "docs" / "explanation" / f"{name}.md"
        for name in (
            "carbon-forecast",
            "forecasting",
            "day-process",
            "features",
            "first-weeks",
            "global-model",
            "insights",
            "nilm",
            "planning",
            "rare-use",
            "store",
        )
    ),
)
MARKED = re.compile(r"<!-- figures: (\w+) (\S+) -->\n.*?<!-- end of figures -->", re.DOTALL)
LABELS = {
    "operator_raw": "the operator's forecast",
    "operator_debiased": "the same, de-biased by hour over 28 days",
    "seasonal_naive": "seasonal naive",
    "persistence": "the last known day again",
    "hourly_mean": "the mean of the last seven days, hour by hour",
    "carboncast_tier1": "CarbonCast, first tier",
    "last_week": "the same time last week",
    "yesterday": "the same time yesterday",
    "persistence_ensemble": "the mean of the last four same weekdays, or what there is of it",
    "shared_trees": "trees of all series, which answered before",
    "similar_series": "`similar_series`",
    "global_model": "**Watthour**, the shared model alone (`global_model`)",
    "quantiles_8_weekdays": "quantiles of the last eight same weekdays",
    "auto_ets": "exponential smoothing of each home alone (`auto_ets`)",
    "nhits": "N-HiTS of each home alone (`nhits`)",
    "ours_local": "trees of each home alone (`gradient_boosting`)",
    "ours_pooled_before": "trees of all homes (`gradient_boosting`)",
    "ours_global": "**Watthour**, the shared model, `day_regression` and `similar_days` combined",
    "day_ahead": "**Watthour**, `DayAhead()`, which chooses by itself",
    "served": "**Watthour**, a store after `watthour train --homes`: the same, without the last four weeks learned",
    "never_seen": "**Watthour**, the shared model for a home never seen, all of whose past is known",
    "first_month": "the same, 28 days known",
    "first_week": "the same, 7 days known",
    "first_day": "the same, one day known",
    "watthour": "**Watthour**: `similar_series`, from a week on with trees",
    "naive_168h": "the same hour last week",
    "lear_ensemble": "LEAR, ensemble of 4",
    "dnn_ensemble": "DNN, ensemble of 4",
    "mean_of_both": "mean of both ensembles",
    "lightgbm": "LightGBM, without the operator's forecast",
    "lightgbm_with_operator": "LightGBM, with it",
    "ours": "**Watthour**",
    "ours_with_operator": "**Watthour, with the operator's forecast**",
    **{f"after_{days}_days": f"after {days} days" for days in (3, 7, 14, 28)},
    "after_1_day": "after 1 day",
    "no_control": "everything at once, the battery rests",
    "own_sun": "everything at once, the battery minds its own sun",
    "rules": "rules of thumb",
    "ours_one_course": "Watthour, load and sun as foreseen",
    "oracle": "all known beforehand",
    "always_off": "always off",
    "mean": "the mean power of the houses learned from",
    "ours_own_constants": "Watthour, constants learned on the task's own data only",
}
MODELS = {  # behind our rows, by its name in the catalogue
    "ny_day_ahead": "day_process",
    "europe_day_ahead": "day_process",
    "gefcom2014": "hour_process",
    "prices": "day_regression",
    "carbon": "relative_days",
    "carbon_europe": "relative_days",
}
COLUMNS = {  # metric -> heading and decimals
    "mape_percent": ("MAPE %", 2),
    **{f"mape_day{day}": (f"MAPE % of day {day}", 2) for day in range(1, 5)},
    "oracle_share_percent": ("share of the oracle's saving, %", 1),
    "random_share_percent": ("of a random start, %", 1),
    "mae_mwh": ("MAE MWh", 0),
    "mae": ("MAE", 3),
    "mae_percent_of_mean": ("MAE, % of the mean", 1),
    "pinball_percent_of_mean": ("quantile loss, % of the mean", 1),
    "coverage90_percent": ("inside the 90 % band, %", 1),
    "coverage90_worst_month_percent": ("worst month, %", 1),
    "mape_over_best_percent": ("MAPE over that of the best rival, %", 1),
    "mape_settled_percent": ("MAPE % of the second and third week after the change", 2),
    "mape_unchanged_percent": ("MAPE % of the same days without it", 2),
    "sql": ("SQL", 3),
    "mase": ("MASE", 3),
    "wape": ("WAPE", 4),
    "train_seconds": ("training, s", 1),
    "predict_seconds": ("20 forecasts, s", 1),
    "recall": ("found, share", 2),
    "found_share": ("found, share", 2),
    "told_per_week": ("told a week", 2),
    "alarms_per_week": ("false alarms a week", 2),
    "device_recall": ("found", 2),
    "device_alarms_per_week": ("false alarms a week", 2),
    "alarms_per_home": ("false alarms a home", 2),
    "error_percent": ("median error, %", 1),
    "brier": ("Brier score", 4),
    "energy_rmse_kwh": ("energy of a day, kWh", 3),
    "mae_gain_percent": ("gain in MAE, %", 1),
    "rmse_gain_percent": ("gain in RMSE, %", 1),
    "pinball_gain_percent": ("gain in quantile loss, %", 1),
    "share_won_percent": ("homes won, %", 0),
    "readings_per_s": ("kept a second", 0),
    "errors": ("errors", 0),
    "p50_ms": ("median, ms", 0),
    "p95_ms": ("95th percentile, ms", 0),
    "ack_p50_ms": ("median of acknowledgements, ms", 0),
    "ack_p95_ms": ("95th percentile of acknowledgements, ms", 0),
    "rss_begin_mb": ("memory at the beginning, MB", 0),
    "rss_end_mb": ("memory at the end, MB", 0),
    "load_begin": ("load of the machine at the beginning", 0),
    "load_end": ("load at the end", 0),
    "share_over_own_sun_percent": ("share of the saving over a battery that minds its own sun, %", 1),
    "worst_month_percent": ("least saving of a month, %", 1),
    "mae_w": ("mean absolute error, W", 2),
    "mr": ("matching ratio", 3),
    "f1": ("F1", 3),
    "teca": ("TECA", 3),
    "least_coverage90_percent": ("least inside the 90 % band, %", 1),
}


def filled(page: str) -> str:
    """Return a page with each marked table made anew from the results.

    A mark names a benchmark and one of its tests, or a metric, whose table has a column for each test; tasks of
    fev-bench have a row each.
    """

    def table(mark: re.Match[str]) -> str:
        if mark.group(1) == "fev_energy":
            return _by_task(mark.group(1), mark.group(2))
        made = _across if mark.group(2) in COLUMNS else _marked
        return made(mark.group(1), mark.group(2))

    return MARKED.sub(table, page)


def _across(benchmark: str, metric: str) -> str:
    """Return one metric of all tests, a row for each row of the benchmark."""
    content = json.loads((RESULTS / f"{benchmark}.json").read_text(encoding="utf-8"))
    tests = list(dict.fromkeys(row["test"] for row in content["rows"] if row.get(metric) is not None))
    lines = ["| | " + " | ".join(tests) + " |", "|---|" + "--:|" * len(tests)]
    for name in dict.fromkeys(row["row"] for row in content["rows"]):
        of_test = {row["test"]: row.get(metric) for row in content["rows"] if row["row"] == name}
        values = [of_test.get(test) for test in tests]
        if any(value is not None for value in values):
            cells = ["" if value is None else f"{value:,.{COLUMNS[metric][1]}f}" for value in values]
            lines.append(f"| {_label(name, MODELS.get(benchmark))} | " + " | ".join(cells) + " |")
    table = "\n".join(lines)
    return f"<!-- figures: {benchmark} {metric} -->\n{table}\n<!-- end of figures -->"


def _by_task(benchmark: str, metric: str) -> str:
    """Return one metric of each task of fev-bench: ours and what is published."""
    sys.path.append(str(ROOT / "benchmarks"))
    from fev_energy import PUBLISHED, closing_line

    place = ("sql", "mase", "wape").index(metric)
    digits = COLUMNS[metric][1]
    content = json.loads((RESULTS / f"{benchmark}.json").read_text(encoding="utf-8"))
    lines = ["| | **Watthour** | best untrained | Chronos-2 | seasonal naive |", "|---|--:|--:|--:|--:|"]
    for test in dict.fromkeys(row["test"] for row in content["rows"]):
        of_row = {row["row"]: row[metric] for row in content["rows"] if row["test"] == test}
        published = PUBLISHED[test]
        best = next(name for name in published if name.startswith("best"))
        least = published[best][place]
        ours = f"{of_row['ours']:.{digits}f}"
        cells = [
            f"**{ours}**" if of_row["ours"] < least else ours,
            f"{least:.{digits}f} ({best.split(': ')[1]})",
            f"{published['Chronos-2'][place]:.{digits}f}",
            f"{of_row['seasonal_naive']:.{digits}f}",
        ]
        lines.append(f"| {test} | " + " | ".join(cells) + " |")
    words = closing_line(content["rows"])
    table = "\n".join([*lines, "", words[:1].upper() + words[1:]])
    return f"<!-- figures: {benchmark} {metric} -->\n{table}\n<!-- end of figures -->"


def _marked(benchmark: str, test: str) -> str:
    content = json.loads((RESULTS / f"{benchmark}.json").read_text(encoding="utf-8"))
    rows = [row for row in content["rows"] if row["test"] == test]
    if not rows:
        raise KeyError(f"{benchmark} has no test {test}; if that is a metric, name it in COLUMNS")
    columns = [name for name in COLUMNS if any(row.get(name) is not None for row in rows)]
    lines = ["| | " + " | ".join(COLUMNS[name][0] for name in columns) + " |", "|---|" + "--:|" * len(columns)]
    lines += [_line(row, columns, MODELS.get(benchmark)) for row in rows]
    table = "\n".join(lines)
    return f"<!-- figures: {benchmark} {test} -->\n{table}\n<!-- end of figures -->"


def _line(row: Mapping[str, Any], columns: list[str], model: str | None) -> str:
    cells = ["" if row.get(name) is None else f"{row[name]:,.{COLUMNS[name][1]}f}" for name in columns]
    return f"| {_label(row['row'], model)} | " + " | ".join(cells) + " |"


def _label(name: str, model: str | None) -> str:
    label = LABELS.get(name, name)
    return f"{label} (`{model}`)" if model is not None and name.startswith("ours") else label


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
