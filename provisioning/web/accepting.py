"""Which form of an answer somebody would rather have."""

from provisioning.words.assessments import Form

_PAGE, _VALUE = ("text/html", "text/*"), ("application/json", "application/*")


def prefers_html(accept: str) -> bool:
    """Whether the header `Accept` (RFC 9110, 12.5.1) ranks a page above JSON; as good is not enough."""
    return preferred_form(accept) is Form.PAGE


def preferred_form(accept: str) -> Form:
    """The value, unless a page or plain text is ranked above it."""
    weights = dict(map(_weighed, accept.lower().split(",")))
    value = next((weights[kind] for kind in _VALUE if kind in weights), weights.get("*/*", 0.0))
    page = next((weights[kind] for kind in _PAGE if kind in weights), 0.0)
    text = weights.get("text/plain", 0.0)
    if max(page, text) <= value:
        return Form.JSON
    return Form.PAGE if page >= text else Form.TEXT


def _weighed(part: str) -> tuple[str, float]:
    kind, *parameters = (one.strip() for one in part.split(";"))
    named = dict(one.partition("=")[::2] for one in parameters)
    try:
        return kind, float(named.get("q", "1"))
    except ValueError:
        return kind, 0.0
