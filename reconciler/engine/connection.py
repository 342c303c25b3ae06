"""A connection to the server that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from reconciler.contract.attributes import Attributes
from reconciler.engine.settings.run_settings import Settings
from reconciler.labelstudio.authentication import parse_token
from reconciler.labelstudio.client import Client
from reconciler.labelstudio.task_api import TaskApi


@contextmanager
def connect(
    settings: Settings, attributes: Attributes, *, transport: httpx.BaseTransport | None = None
) -> Iterator[TaskApi]:
    """Connect to the server; raises SettingsError for a token that cannot be one.

    ``transport`` takes the network's place in tests.
    """
    credentials = parse_token(settings.token)
    with Client(
        settings.url,
        credentials,
        network=settings.network,
        timeout=settings.timeout,
        transport=transport,
    ) as client:
        yield TaskApi(client, attributes)
