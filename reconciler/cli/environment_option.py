"""Options with a variable, and ``--env``, which needs nothing of the engine."""

from __future__ import annotations

from collections.abc import Sequence

import click
from click.core import ParameterSource

from reconciler.cli.completion_values import complete_environments, ignore_context


class SettingOption(click.Option):
    """An option with a variable; an error names whichever of the two had the value."""

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """Return the name that an error gives for the value."""
        source = ctx.get_parameter_source(self.name) if ctx and self.name else None
        if source is ParameterSource.ENVIRONMENT and isinstance(self.envvar, str):
            return self.envvar
        return super().get_error_hint(ctx)


class SingleOption(SettingOption):
    """An option that chooses a server: passed twice, it is refused instead of the last one taken.

    It is declared as ``multiple``, with `take_single` in its callback.
    """

    def value_from_envvar(self, ctx: click.Context) -> list[str] | None:
        """Return the value of the variable as a whole: spaces do not separate several."""
        value = self.resolve_envvar_value(ctx)
        return None if value is None else [value]


def take_single(
    _context: click.Context, _option: click.Parameter, values: Sequence[str]
) -> str | None:
    """Return the value that was passed, None for none; several different ones are an error."""
    different = set(values)
    if len(different) > 1:
        # They are not quoted: users swap variables, and an address may be the token.
        message = f"expected one value, found {len(different)} different ones (pass one of them)."
        raise click.BadParameter(message)
    return values[0] if values else None


def _check_env(context: click.Context, option: click.Parameter, names: Sequence[str]) -> str | None:
    """Refuse an empty name, which a script may pass by mistake: it would choose no environment."""
    name = take_single(context, option, names)
    if name is not None and not name.strip():
        raise click.BadParameter("expected the name of an environment, found an empty one.")
    return name


env_option = click.option(
    "--env",
    cls=SingleOption,
    multiple=True,
    envvar="RECONCILER_ENV",
    metavar="NAME",
    callback=_check_env,
    shell_complete=ignore_context(complete_environments),
    help="Environment of reconciler.toml: its server, and the numbers of its projects.",
)
