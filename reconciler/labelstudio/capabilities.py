"""Asking a server what its PATCH stores: once, and only when that matters."""

from __future__ import annotations

from reconciler.contract.attributes import Attributes
from reconciler.contract.honoured_attributes import marked, written_by
from reconciler.errors import ServerError
from reconciler.labelstudio.client import Client
from reconciler.progress import NOBODY, Watch


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

    def attributes(self, task: int, watch: Watch = NOBODY) -> Attributes:
        """Give the table, what is ignored marked; ``task`` is one to ask about.

        Raises nothing: where the server does not say, nothing is marked.
        """
        if not self._asked:
            self._asked = True
            self._ask(task, watch)
        return self._attributes

    def _ask(self, task: int, watch: Watch) -> None:
        said = "its answer does not describe an update"
        try:
            written = written_by(self._client.options(f"/api/tasks/{task}/"))
        except ServerError as error:
            written, said = None, error.message
        if written is None:
            self._silent = True
            watch.detail(
                f"the server does not tell which attributes it stores ({said}); answers will show"
            )
        else:
            self._attributes = marked(self._attributes, written)
