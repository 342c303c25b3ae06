"""What to do once the files are there, in order."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from reconciler.core.starter_result import StarterResult
from reconciler.engine.settings.environments import name_token_variable
from reconciler.engine.starter.ci_service import CiService
from reconciler.engine.starter.package_source import SUBMODULE
from reconciler.engine.starter.starter_files import MANIFESTS, Filling, Layout


def list_steps(
    result: StarterResult, layout: Layout, filling: Filling, ci: CiService | None
) -> Sequence[str]:
    """List the steps: pull if nothing was pulled, plan, commit, and what CI needs."""
    manifests = shlex.quote(f"{Path(layout.folder) / MANIFESTS}/")
    environment = filling.environment or next(iter(filling.environments), "")
    env = f" --env {environment}" if environment else ""
    return [
        *_read_server(result, manifests, env, name_token_variable(filling.environment)),
        f"reconciler plan {manifests}{env}",
        *_commit(layout, with_submodule=_needs_submodule(filling, ci)),
        *_set_up_ci(layout, filling, ci),
        "in each clone: pip install pre-commit && pre-commit install",
    ]


def _read_server(result: StarterResult, manifests: str, env: str, token: str) -> Iterator[str]:
    if result.pulled or result.has_manifests:
        return
    if result.problem and not result.server:
        yield f"set or correct LABEL_STUDIO_URL and {token} (reconciler doctor checks them)"
    yield f"reconciler pull --project NUMBER --out {manifests}{env}"


def _commit(layout: Layout, *, with_submodule: bool) -> Iterator[str]:
    where = shlex.quote(str(layout.root))
    if not (layout.root / ".git").exists():
        # The workflows apply what is pushed to main.
        yield f"git init --initial-branch main{'' if where == '.' else f' {where}'}"
    at = "" if where == "." else f"-C {where} "
    if with_submodule and not (layout.root / "reconciler").exists():
        yield f"git {at}submodule add ADDRESS reconciler (CI installs reconciler from there)"
    yield f"git {at}add -A && git {at}commit -m Manifests"


def _needs_submodule(filling: Filling, ci: CiService | None) -> bool:
    if ci is CiService.GITHUB:
        return filling.source.action == SUBMODULE.action
    return ci is CiService.GITLAB and filling.source.install == SUBMODULE.install


def _set_up_ci(layout: Layout, filling: Filling, ci: CiService | None) -> Iterator[str]:
    if ci is CiService.GITHUB:
        yield from _set_up_github(filling.environments)
    elif ci is CiService.GITLAB:
        yield from _set_up_gitlab(filling.environments)
    else:
        folder = "" if layout.folder == Path() else f" {shlex.quote(str(layout.folder))}"
        yield f"for CI: reconciler init{folder} --ci github, or --ci gitlab"


def _set_up_github(names: Sequence[str]) -> Iterator[str]:
    where = "on GitHub, in the settings of the repository:"
    url, read_key = "the variable LABEL_STUDIO_URL", "the secret LABEL_STUDIO_READ_KEY"
    api_key, approve = "the secret LABEL_STUDIO_API_KEY", "choose who approves what is applied"
    if not names:
        yield f"{where} set {url}, and {read_key} (for plans: a token that may only read is enough)"
        yield f"there, add the environment label-studio: set {api_key}, and {approve}"
        return
    plans = ", ".join(f"{name}-plan" for name in names)
    yield (
        f"{where} add the environments {plans}; in each, set {url}, and {read_key} (a token that "
        "may only read is enough)"
    )
    yield (
        f"there, add the environments {', '.join(names)}; in each, set {url} and {api_key}, and "
        f"{approve}"
    )


def _set_up_gitlab(names: Sequence[str]) -> Iterator[str]:
    scopes = ", ".join(f"{name}*" for name in names)
    scope = f", once in the scope of each environment ({scopes})" if names else ""
    yield (
        "on GitLab, in Settings > CI/CD > Variables: set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY "
        f"(masked, and not protected, because merge requests need them){scope}"
    )
    yield (
        "there, set GITLAB_TOKEN (masked, not protected), a project access token with the role "
        "Reporter and the scope api, which writes the notes"
    )
