"""The last check of a PATCH before it is sent: a body that would break a task is refused."""

from __future__ import annotations

from collections.abc import Mapping

import jsonschema_rs
import msgspec

from reconciler.contract.attributes import Attributes
from reconciler.contract.date_time import is_date_time
from reconciler.contract.manifest_schema import build_patch_schema
from reconciler.errors import Refused


class BodyValidator:
    """Accepts the PATCH bodies that the contract allows.

    The server does not protect itself: for data that is not an object it returns 500 and stores it
    nevertheless, and with a null project nothing can find the task.
    """

    def __init__(self, attributes: Attributes) -> None:
        self._schema = jsonschema_rs.Draft7Validator(
            build_patch_schema(attributes),
            formats={"date-time": is_date_time},
            validate_formats=True,
        )

    def check(self, task: int, body: Mapping[str, object]) -> None:
        """Raise Refused for a body that must not be sent."""
        # Values inside objects came from the server, or passed the checks of manifests.
        outline = {name: {} if isinstance(value, dict) else value for name, value in body.items()}
        if not self._schema.is_valid(outline):
            found = f"these values of {', '.join(body)}" if body else "an empty update"
            raise Refused(f"the update of task {task} is invalid: the API does not allow {found}")
        try:
            msgspec.json.encode(body)
        except UnicodeEncodeError as error:
            raise Refused(
                f"the update of task {task} would break it: the server stores half of a surrogate "
                "pair, and cannot read the task afterwards"
            ) from error
