"""A connection to the server that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx

from reconciler.contract.attributes import Attributes
from reconciler.contract.openapi import load_contract
from reconciler.core.plan_model import ServerIdentity
from reconciler.engine.settings.run_settings import Settings
from reconciler.labelstudio.authentication import parse_token
from reconciler.labelstudio.client import Client
from reconciler.labelstudio.origins import Origins
from reconciler.labelstudio.task_api import TaskApi


@dataclass(frozen=True, slots=True)
class Connection:
    """A server and the attributes of its tasks, shared by a plan and its apply.

    ``environment`` is the one of the settings; empty for none.
    """

    api: TaskApi
    attributes: Attributes
    environment: str = ""

    def identify(self) -> ServerIdentity:
        """Ask the server what it is, and add the environment; raises ServerError."""
        return replace(self.api.identity(), environment=self.environment or None)


@contextmanager
def connect(
    settings: Settings, *, transport: httpx.BaseTransport | None = None
) -> Iterator[Connection]:
    """Connect to the server; raises SettingsError if the token is not valid text.

    ``transport`` replaces the network in tests.
    """
    attributes = load_contract()
    credentials = parse_token(settings.token)
    with Client(
        settings.url,
        credentials,
        network=settings.network,
        timeout=settings.timeout,
        origins=Origins(settings.url_from, settings.token_from),
        transport=transport,
        hides_answers=bool(settings.redaction),
    ) as client:
        yield Connection(TaskApi(client, attributes), attributes, settings.environment)
