"""POST /$batch (learn.microsoft.com: "Combine multiple HTTP requests using JSON batching")."""

from urllib.parse import unquote

import msgspec

from provisioning.sandbox.errors import GraphError
from provisioning.sandbox.graph import Graph, new_author, refusal
from provisioning.sandbox.identity import Caller
from provisioning.sandbox.wire import Request, Response, encode, json_response

BATCH = "batch"  # the route kind of the envelope
MOST_ITEMS = 20
_ENVELOPE_HEADERS = frozenset({"Strict-Transport-Security", "x-ms-ags-diagnostic"})
_REQUEST_IDS = frozenset({"request-id", "client-request-id"})


class BatchItem(msgspec.Struct):
    id: str
    method: str
    url: str
    headers: dict[str, str] = {}
    body: msgspec.Raw = msgspec.Raw(b"")
    dependsOn: list[str] = []


class BatchBody(msgspec.Struct):
    requests: list[BatchItem]


class BatchAnswer(msgspec.Struct, omit_defaults=True):
    id: str
    status: int
    headers: dict[str, str]
    body: msgspec.Raw | str | None = None


def read_batch(body: bytes) -> list[BatchItem]:
    """The items of a batch; raises the 400 that refuses the envelope as a whole."""
    try:
        items = msgspec.json.decode(body, type=BatchBody).requests
    except msgspec.DecodeError as error:
        raise _refused(f"Invalid batch payload format: {error}") from error
    if len(items) > MOST_ITEMS:
        raise _refused(f"Number of batch request steps exceeds the maximum value of {MOST_ITEMS}.")
    _require_unique(items)
    return items


def _require_unique(items: list[BatchItem]) -> None:
    ids = [item.id.lower() for item in items]
    if len(set(ids)) < len(ids):
        raise _refused("Request Id has to be unique in a batch.")
    for item in items:
        if not {needed.lower() for needed in item.dependsOn} <= set(ids):
            raise _refused("The dependsOn property of a batch request names an id that does not exist.")


def _refused(message: str) -> GraphError:
    return GraphError(400, "BadRequest", message)


class Batch:
    """One envelope on its way through: items in order, answers in any."""

    def __init__(self, graph: Graph, request: Request, caller: Caller) -> None:
        self._graph = graph
        self._request = request
        self._caller = caller
        self._statuses: dict[str, int] = {}
        self._written: set[str] = set()

    def answer(self) -> Response:
        """The envelope's answer; raises GraphError when the envelope is malformed."""
        items = read_batch(self._request.body)
        answers = [self._item_answer(item) for item in _in_order(items)]
        if self._graph.world.switches.shuffle_batch:
            self._graph.world.rng.shuffle(answers)
        return json_response({"responses": answers})

    def _item_answer(self, item: BatchItem) -> BatchAnswer:
        response = self._failed_dependency(item) or self._carried_out(item)
        self._statuses[item.id.lower()] = response.status
        return BatchAnswer(item.id, response.status, self._headers(response), _embedded(response))

    def _headers(self, response: Response) -> dict[str, str]:
        hidden = _ENVELOPE_HEADERS
        if not self._graph.world.switches.batch_items_name_requests:
            hidden |= _REQUEST_IDS
        return {name: value for name, value in response.headers.items() if name not in hidden}

    def _carried_out(self, item: BatchItem) -> Response:
        request = self._item_request(item)
        if request.body and "content-type" not in request.headers:
            message = "Write request contains a body but does not have a Content-Type header."
            return refusal(_refused(message), new_author(request))
        if self._is_collision(item, request):
            return self._graph.collide(request, self._caller)
        return self._graph.answer(request, self._caller)

    def _item_request(self, item: BatchItem) -> Request:
        headers = {name.lower(): value for name, value in item.headers.items()}
        path, _, query = item.url.partition("?")
        path = "/" + unquote(path).strip("/").removeprefix("v1.0/")
        return Request(item.method.upper(), path, query, headers, bytes(item.body), self._request.host)

    def _failed_dependency(self, item: BatchItem) -> Response | None:
        if all(self._statuses[needed.lower()] < 400 for needed in item.dependsOn):  # noqa: PLR2004 - an HTTP status
            return None
        message = "The request was not executed because a request that it depends on failed."
        return refusal(GraphError(424, "FailedDependency", message), new_author(self._request))

    def _is_collision(self, item: BatchItem, request: Request) -> bool:
        """Whether this is a second write to one object, running beside the first because nothing makes it wait."""
        written = None if request.method == "GET" else self._written_by(request)
        if written is None:
            return False
        is_second = written in self._written and not item.dependsOn
        self._written.add(written)
        return is_second

    def _written_by(self, request: Request) -> str | None:
        """The id of the user or group that a request writes to, where two writes at once are a collision."""
        switches = self._graph.world.switches
        kind, _, rest = request.path.strip("/").partition("/")
        subject = rest.partition("/")[0].lower()
        if kind.lower() == "users" and switches.same_user_in_batch_conflicts:
            return self._graph.world.tenants[self._caller.tenant_id].directory.find_id(subject)
        return subject or None if kind.lower() == "groups" and switches.same_group_in_batch_conflicts else None


def _in_order(items: list[BatchItem]) -> list[BatchItem]:
    """Items after those they depend on; raises the 400 for a circle."""
    done: list[BatchItem] = []
    waiting = list(items)
    while waiting:
        known = {item.id.lower() for item in done}
        ready = [item for item in waiting if {needed.lower() for needed in item.dependsOn} <= known]
        if not ready:
            raise _refused("The dependsOn properties of the batch requests form a circle.")
        done += ready
        waiting = [item for item in waiting if item not in ready]
    return done


def _embedded(response: Response) -> msgspec.Raw | str | None:
    if not response.body:
        return None
    is_json = response.headers.get("Content-Type", "").startswith("application/json")
    return msgspec.Raw(response.body if is_json else encode(response.body.decode()))
