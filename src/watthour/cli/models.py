"""`watthour models`: what is saved, what serves, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from watthour.cli.context import chosen_context, opened, read_settings
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import number, show_json, show_table, utc_now
from watthour.core.errors import InvalidInput, ModelError, ModelNotFound
from watthour.core.units import digits_for

if TYPE_CHECKING:
    from watthour.core.ports import ModelRegistry

Name = Annotated[str, typer.Argument(help="What is forecast, such as grid.ny.demand, or a region.")]


def build() -> typer.Typer:
    """Return the group of commands."""
    group = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Saved models: list, show, promote, roll back, try."
    )
    group.command("list")(list_models)
    group.command("show")(show)
    group.command("promote")(promote)
    group.command("rollback")(rollback)
    group.command("ab")(ab)
    return group


def list_models(
    name: Annotated[str | None, typer.Argument(help="Only models of this channel or region.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List saved models, newest first; the star marks the one that serves, A/B one that a trial tries against it."""
    registry = _registry()
    channel = _channel(name) if name else None
    manifests = registry.manifests(channel)
    for error in registry.damaged(channel):
        typer.echo(f"Left out: {error}", err=True)
    names = {manifest.name for manifest in manifests}
    champions = {each: registry.champion(each) for each in names}
    shares = {
        (each, trial.challenger): trial.share for each in names if (trial := registry.trial(each)) and not trial.until
    }
    if as_json:
        show_json(
            [
                {
                    "name": manifest.name,
                    "version": manifest.version,
                    "serves": champions[manifest.name] == manifest.version,
                    "trial_share": shares.get((manifest.name, manifest.version)),
                    "created_at": manifest.created_at.isoformat(),
                    "metrics": dict(manifest.metrics),
                }
                for manifest in manifests
            ]
        )
        return
    if not manifests:
        typer.echo("No model is saved yet: `watthour train` makes one.", err=True)
        return
    show_table(
        ("", "name", "version", "trained at", "MAE", "MAPE [%]"),
        [
            (
                _mark(manifest.version == champions[manifest.name], shares.get((manifest.name, manifest.version))),
                manifest.name,
                manifest.version,
                f"{manifest.created_at:%Y-%m-%d %H:%M}",
                _written(manifest.metrics.get("mae", manifest.metrics.get("mae_mwh"))),
                number(manifest.metrics.get("mape_percent"), 2),
            )
            for manifest in manifests
        ],
    )


def show(
    name: Name,
    version: Annotated[str | None, typer.Argument(help="Which one; default: the one that serves.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show a model's manifest, what it is combined of, and its promotions; its files are checked on the way."""
    import json

    from watthour.core.manifest import to_json
    from watthour.forecasting.combination.model import members_of

    registry, channel = _registry(), _channel(name)
    manifest, files = registry.load(channel, version)
    members = members_of(files)
    promotions = [
        {
            "at": each.promoted_at.isoformat(),
            "version": each.version,
            "reason": each.reason,
            "rollback": each.is_rollback,
        }
        for each in registry.promotions(channel)
    ]
    if as_json:
        kept = {**json.loads(to_json(manifest)), "members": members}
        show_json({**kept, "champion": registry.champion(channel), "promotions": promotions})
        return
    typer.echo(to_json(manifest))
    if members:
        typer.echo(f"\nMade of {', '.join(f'{share:.0%} {name}' for name, share in members.items())}.")
    if promotions:
        typer.echo("\nPromotions:")
        for each in promotions:
            typer.echo(f"  {each['at']}  {each['version']}  {each['reason']}")


def promote(
    name: Name,
    version: Annotated[str, typer.Argument(help="The version that is to serve.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; kept with the promotion.")] = "promoted by hand",
) -> None:
    """Make a version serve, whatever the comparison said."""
    registry, channel = _registry(), _channel(name)
    _check(registry, channel, version)
    registry.promote(channel, version, now=utc_now(), reason=reason)
    typer.echo(f"{version} serves {channel} now.")


def rollback(name: Name) -> None:
    """Go back to the version that served before; one that cannot be read is passed over."""
    registry, channel, now = _registry(), _channel(name), utc_now()
    before = registry.champion(channel)
    while True:
        try:
            version = registry.rollback(channel, now=now)
        except ModelNotFound:
            if before is not None and registry.champion(channel) != before:
                registry.promote(channel, before, now=now, reason="no version before it can be read: rollback undone")
            raise
        try:
            _check(registry, channel, version)
        except ModelError as error:  # a model that cannot be read must not be left to serve
            typer.echo(f"Passed over: {error}", err=True)
        else:
            break
    typer.echo(f"{version} serves {channel} again.")


def ab(
    name: Name,
    version: Annotated[str | None, typer.Argument(help="The version to try against the one that serves.")] = None,
    *,
    share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the hours that it answers; both forecast always.")
    ] = 0.2,
    by: Annotated[str, typer.Option(help="Who begins the trial; kept with it.")] = "the command line",
    stop: Annotated[bool, typer.Option("--stop", help="End the trial: the champion answers alone.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let two versions forecast side by side (A/B), and show how both did on the same intervals."""
    from watthour.workflows import trial

    if stop and version is not None:
        problem = "a version cannot be begun and stopped at once"
        raise InvalidInput("--stop", version, problem, remedy="Leave the version out to end the trial.")
    now = utc_now()
    with opened() as app:
        context = chosen_context(app, name)
        if stop:
            trial.end(app.registry, context, now=now)
        elif version is not None:
            trial.begin(app.registry, context, version, share=share, now=now, asked_by=by)
        told: dict[str, Any] = trial.told(app.store, app.registry, context, now=now)
    if as_json:
        show_json(told)
    else:
        _show_trial(told)


def _show_trial(told: dict[str, Any]) -> None:
    made = told["trial"]
    if made is not None:
        simulated = " (SIMULATED)" if told["simulated"] else ""
        ended = f", ended {made['until']}" if made["until"] else f"; {made['answers_this_hour']} answers this hour"
        typer.echo(
            f"{told['channel']}{simulated}: {made['challenger']} answers {made['share']:.0%} of the hours in the place "
            f"of {made['champion']}, since {made['since']}, begun by {made['asked_by']}{ended}.",
            err=True,
        )
        digits = digits_for([side[score] for side in told["sides"] for score in ("mae", "pinball")])
        show_table(
            ("", "version", "answered", "n", f"MAE [{told['unit']}]", f"pinball [{told['unit']}]", "in 90 % [%]"),
            [
                (
                    *(side[each] for each in ("role", "version", "answered", "n")),
                    *(number(side[each], digits) for each in ("mae", "pinball")),
                    number(side["coverage90_percent"]),
                )
                for side in told["sides"]
            ],
        )
        for each in told["differences"]:
            error = number(each["standard_error"], digits)
            typer.echo(
                f"{each['score']}, challenger less champion: {each['mean']:+,.{digits}f} {told['unit']} "
                f"(standard error {error}, {each['days']} days, p = {number(each['p_value'], 3)})"
            )
        typer.echo(told["protocol"], err=True)
    typer.echo(told["verdict"], err=made is not None)


def _mark(serves: bool, share: float | None) -> str:  # noqa: FBT001 - read at its one place
    return "*" if serves else " " if share is None else f"A/B {share:.0%}"


def _check(registry: ModelRegistry, channel: str, version: str) -> None:
    """Refuse a model that is damaged, or that this version of Watthour cannot read."""
    from watthour.workflows.forecast import load_model

    load_model(registry, channel, version)


def _written(error: float | None) -> str:
    """Write an error to three digits; models of one table may be of channels in any unit."""
    return "-" if error is None else number(error, digits_for([error]))


def _registry() -> ModelRegistry:
    from watthour.bootstrap import open_registry

    return open_registry(read_settings())


def _channel(name: str) -> str:
    """Return the id of the channel that is forecast under a name; a channel's own id needs no store."""
    if "." in name:
        return name
    with opened() as app:
        return chosen_context(app, name).channel.id
