"""Asking a server what its PATCH stores: once, and only when that matters."""

from __future__ import annotations

from reconciler.contract.attributes import Attributes
from reconciler.contract.honoured_attributes import mark_ignored, read_honoured_names
from reconciler.errors import ServerError
from reconciler.labelstudio.client import Client
from reconciler.progress import NULL_PROGRESS, ProgressListener


class Capabilities:
    """The table of attributes as this server honours it.

    Not for several threads at once.
    """

    def __init__(self, client: Client, attributes: Attributes) -> None:
        self._client = client
        self._attributes = attributes
        self._asked = False
        self._silent = False

    @property
    def are_unknown(self) -> bool:
        """Tell whether the server was asked and did not say."""
        return self._silent

    def attributes(self, task: int, progress: ProgressListener = NULL_PROGRESS) -> Attributes:
        """Give the table, what is ignored marked; ``task`` is one to ask about.

        Raises nothing: where the server does not say, nothing is marked.
        """
        if not self._asked:
            self._asked = True
            self._ask(task, progress)
        return self._attributes

    def _ask(self, task: int, progress: ProgressListener) -> None:
        message = "its answer does not describe an update"
        try:
            written = read_honoured_names(self._client.options(f"/api/tasks/{task}/"))
        except ServerError as error:
            written, message = None, error.message
        if written is None:
            self._silent = True
            progress.detail(
                f"the server does not tell which attributes it stores ({message}); answers will "
                "show"
            )
        else:
            self._attributes = mark_ignored(self._attributes, written)
