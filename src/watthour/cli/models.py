"""`watthour models`: what is saved, what serves, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from watthour.cli.context import chosen_context, opened, read_settings
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import number, show_json, show_table, utc_now
from watthour.core.errors import ModelError, ModelNotFound
from watthour.core.units import digits_for

if TYPE_CHECKING:
    from watthour.core.ports import ModelRegistry

Name = Annotated[str, typer.Argument(help="What is forecast, such as grid.ny.demand, or a region.")]


def build() -> typer.Typer:
    """Return the group of commands."""
    group = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Saved models: list, show, promote, roll back."
    )
    group.command("list")(list_models)
    group.command("show")(show)
    group.command("promote")(promote)
    group.command("rollback")(rollback)
    return group


def list_models(
    name: Annotated[str | None, typer.Argument(help="Only models of this channel or region.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List saved models, newest first; the star marks the one that serves."""
    registry = _registry()
    channel = _channel(name) if name else None
    manifests = registry.manifests(channel)
    for error in registry.damaged(channel):
        typer.echo(f"Left out: {error}", err=True)
    champions = {each: registry.champion(each) for each in {manifest.name for manifest in manifests}}
    if as_json:
        show_json(
            [
                {
                    "name": manifest.name,
                    "version": manifest.version,
                    "serves": champions[manifest.name] == manifest.version,
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
                "*" if champions[manifest.name] == manifest.version else " ",
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

    from watthour.forecasting.combination.model import members_of
    from watthour.registry.manifest import to_json

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
