"""Options with a variable, and ``--env``, which needs nothing of the engine."""

from __future__ import annotations

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


def _check_env(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    """Refuse an empty name, which a script may pass by mistake: it would choose no environment."""
    if name is not None and not name.strip():
        raise click.BadParameter("expected the name of an environment, found an empty one.")
    return name


env_option = click.option(
    "--env",
    cls=SettingOption,
    envvar="RECONCILER_ENV",
    metavar="NAME",
    callback=_check_env,
    shell_complete=ignore_context(complete_environments),
    help="Environment of reconciler.toml: its server, and the numbers of its projects.",
)
