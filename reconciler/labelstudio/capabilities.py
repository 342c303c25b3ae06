"""Asking a server which attributes its PATCH stores, once for a plan and its apply."""

from __future__ import annotations

from reconciler.contract.honoured_attributes import read_honoured_names
from reconciler.errors import ServerError
from reconciler.labelstudio.client import Client
from reconciler.progress import NULL_PROGRESS, ProgressListener


class Capabilities:
    """What one server says about its updates; it is asked once.

    Not safe for several threads.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._asked = False
        self._honoured: frozenset[str] | None = None

    @property
    def known(self) -> frozenset[str] | None:
        """The attributes that an update stores; None if it was not asked, or did not say."""
        return self._honoured

    def ask(self, task: int, progress: ProgressListener = NULL_PROGRESS) -> frozenset[str] | None:
        """Return the attributes that an update stores; None if the server does not say.

        ``task`` is any task, which the request needs. Raises nothing.
        """
        if not self._asked:
            self._asked = True
            self._honoured = self._ask(task, progress)
        return self._honoured

    def _ask(self, task: int, progress: ProgressListener) -> frozenset[str] | None:
        message = "its response does not describe an update"
        try:
            honoured = read_honoured_names(self._client.options(f"/api/tasks/{task}/"))
        except ServerError as error:
            honoured, message = None, error.message
        if honoured is None:
            progress.detail(
                f"the server does not say which attributes it stores ({message}); its responses to "
                "updates will show that"
            )
        return honoured
