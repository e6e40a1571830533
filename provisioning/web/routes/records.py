"""Facts that only people know."""

from typing import Any

import msgspec

from provisioning.domain.errors import InputError
from provisioning.intake.record_files import parse_records
from provisioning.services.import_records import ImportedRecords
from provisioning.web.bodies import Content, takes
from provisioning.web.calls import Person
from provisioning.web.routing import router as routes_about

router = routes_about("records")

_RECORD: dict[str, Any] = {
    "type": "object",
    "required": ["kind", "id"],
    "properties": {"kind": {"type": "string"}, "id": {"type": "string"}},
}


@router.post("", openapi_extra=takes("application/json", {"type": "array", "items": _RECORD}))
def import_records(caller: Person, content: Content) -> ImportedRecords:
    """Take in records, as a JSON array or as JSON Lines. The same ones twice have no second effect."""
    return caller.services.import_records(caller.identity, parse_records("The request", _lines(content)))


def _lines(content: bytes) -> bytes:
    if not content.lstrip().startswith(b"["):
        return content
    try:
        rows = msgspec.json.decode(content, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InputError(f"The request is cut off or no JSON array: {error}.") from None
    return b"\n".join(bytes(row).replace(b"\r", b" ").replace(b"\n", b" ") for row in rows)
