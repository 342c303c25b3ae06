"""Connecting to the forge of a CI run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Final
from urllib.parse import urlsplit

from reconciler.engine.review.ci_run import CiRun, ForgeKind
from reconciler.errors import SettingsError
from reconciler.forges import github, gitlab
from reconciler.forges.forge import Forge
from reconciler.forges.forge_client import ForgeClient
from reconciler.labelstudio.certificates import find_authorities
from reconciler.labelstudio.network import Network
from reconciler.labelstudio.proxies import choose_proxy

_GITLAB_HINT: Final = (
    "set it to a project access token with the scope api: the token of a job cannot write notes"
)


@contextmanager
def connect_to_forge(
    run: CiRun, environment: Mapping[str, str], *, warn: Callable[[str], None]
) -> Iterator[Forge]:
    """Connect to the forge; raises SettingsError if a variable is missing."""
    with ExitStack() as stack:

        def connect(variable: str, headers: Mapping[str, str]) -> ForgeClient:
            return stack.enter_context(_connect(variable, environment, headers, warn))

        if run.kind is ForgeKind.GITLAB:
            headers = gitlab.build_headers(_read_token("GITLAB_TOKEN", environment, _GITLAB_HINT))
            yield gitlab.GitLab(connect("CI_API_V4_URL", headers), run.repository)
            return
        token = _read_token("GITHUB_TOKEN", environment, "pass the token of the job to this step")
        headers = github.build_headers(token)
        client, graphql = (
            connect(name, headers) for name in ("GITHUB_API_URL", "GITHUB_GRAPHQL_URL")
        )
        yield github.GitHub(client, graphql, run.repository)


def _read_token(variable: str, environment: Mapping[str, str], hint: str) -> str:
    token = environment.get(variable, "").strip()
    if not token:
        raise SettingsError(f"{variable} is not set", hint=hint)
    if not (token.isascii() and token.isprintable()):
        raise SettingsError(f"{variable}: a token has only printable ASCII characters")
    return token


def _connect(
    variable: str,
    environment: Mapping[str, str],
    headers: Mapping[str, str],
    warn: Callable[[str], None],
) -> ForgeClient:
    address = environment.get(variable, "")
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingsError(f"{variable}: expected an http(s) address, found {address!r:.100}")
    network = Network(
        choose_proxy(address, environment, warn=warn), authorities=find_authorities(environment)
    )
    return ForgeClient(address, headers, network)
