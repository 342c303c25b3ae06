"""What a project's label config requires of its tasks."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from defusedxml.ElementTree import fromstring

from reconciler.contract.label_config import find_required_keys
from reconciler.sandbox.exchange import make_invalid

EMPTY = "<View></View>"
_UNDEFINED = "$undefined$"


def parse_config(label_config: str) -> ET.Element:
    """Return the config's root element; refuse a config that is not XML, as the server does."""
    try:
        return fromstring(label_config, forbid_dtd=True)
    except (ET.ParseError, ValueError) as problem:
        raise make_invalid({"label_config": [str(problem)]}) from problem


def rename_undefined(data: dict[str, object], label_config: str) -> dict[str, object]:
    """Return data with the key ``$undefined$``, if any, renamed to the first required key.

    Plain text files are imported under ``$undefined$``, which the server itself resolves.
    """
    keys = find_required_keys(label_config) if _UNDEFINED in data else ()
    if not keys:
        return data
    rest = {key: value for key, value in data.items() if key != _UNDEFINED}
    return {**rest, keys[0]: data[_UNDEFINED]}


def parse_controls(label_config: str) -> dict[str, object]:
    """Return the config's controls, each with the objects it names: ``parsed_label_config``.

    Objects that no control names are left out, so it does not show all required keys.
    """
    tags = [tag for tag in parse_config(label_config).iter() if tag.get("name")]
    named = {tag.get("name", ""): tag for tag in tags}
    return {name: _parse_control(tag, named) for name, tag in named.items() if tag.get("toName")}


def _parse_control(control: ET.Element, named: dict[str, ET.Element]) -> dict[str, object]:
    targets = control.get("toName", "").split(",")
    labels = [child.get("value", "") for child in control if child.get("value")]
    return {
        "type": control.tag,
        "to_name": targets,
        "inputs": [_parse_input(named[target]) for target in targets if target in named],
        "labels": labels,
        "labels_attrs": {label: {"value": label} for label in labels},
    }


def _parse_input(tag: ET.Element) -> dict[str, object]:
    value = tag.get("value", "").lstrip("$")
    return {"type": tag.tag, "valueType": tag.get("valueType"), "value": value}
