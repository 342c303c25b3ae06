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
        *_commit(layout, with_submodule=ci is not None and filling.install == SUBMODULE),
        *_set_up_ci(layout, filling, ci),
        "in each clone: pip install pre-commit && pre-commit install",
    ]


def _read_server(result: StarterResult, manifests: str, env: str, token: str) -> Iterator[str]:
    if result.pulled or result.has_manifests:
        return
    if result.problem:
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


def _set_up_ci(layout: Layout, filling: Filling, ci: CiService | None) -> Iterator[str]:
    if ci is None:
        folder = "" if layout.folder == Path() else f" {shlex.quote(str(layout.folder))}"
        yield f"for CI: reconciler init{folder} --ci github, or --ci gitlab"
        return
    names = ", ".join(filling.environments)
    if ci is CiService.GITHUB:
        where = f"in each environment ({names})" if names else "in the settings"
        yield (
            f"{where} of the repository on GitHub: set the variable LABEL_STUDIO_URL and the "
            "secret LABEL_STUDIO_API_KEY"
        )
    else:
        scope = f", in the scope of each environment ({names})" if names else ""
        yield (
            "in the settings of the project on GitLab, under CI/CD: set the variables "
            f"LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY (masked){scope}"
        )
