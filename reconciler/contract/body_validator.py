"""The last look at a PATCH before it leaves: what would break a task stays here."""

from __future__ import annotations

from collections.abc import Mapping

import jsonschema_rs
import msgspec

from reconciler.contract.attributes import Attributes
from reconciler.contract.date_time import is_date_time
from reconciler.contract.manifest_schema import build_patch_schema
from reconciler.errors import Refused


class BodyValidator:
    """Lets through what the contract says that a PATCH may be.

    The server itself takes a body that it cannot live with: data that is no object answers 500
    and is stored all the same, and a null project deletes the task.
    """

    def __init__(self, attributes: Attributes) -> None:
        self._schema = jsonschema_rs.Draft7Validator(
            build_patch_schema(attributes),
            formats={"date-time": is_date_time},
            validate_formats=True,
        )

    def check(self, task: int, body: Mapping[str, object]) -> None:
        """Raise Refused for a body that must not be sent."""
        # What lies inside objects came from the server or through the manifest's own checks.
        outline = {name: {} if isinstance(value, dict) else value for name, value in body.items()}
        if not self._schema.is_valid(outline):
            names = ", ".join(body)
            raise Refused(f"the update of task {task} would break it: {names} not as the API says")
        try:
            msgspec.json.encode(body)
        except UnicodeEncodeError as error:
            raise Refused(
                f"the update of task {task} would break it: the server stores half of a surrogate "
                "pair, and cannot read the task any more"
            ) from error
