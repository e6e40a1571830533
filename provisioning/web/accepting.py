"""Which of two forms of an answer somebody would rather have."""

_PAGE, _VALUE = ("text/html", "text/*"), ("application/json", "application/*")


def prefers_html(accept: str) -> bool:
    """Whether the header `Accept` (RFC 9110, 12.5.1) ranks a page above JSON; as good is not enough."""
    weights = dict(map(_weighed, accept.lower().split(",")))
    page = next((weights[kind] for kind in _PAGE if kind in weights), None)
    value = next((weights[kind] for kind in _VALUE if kind in weights), weights.get("*/*", 0.0))
    return page is not None and page > value


def _weighed(part: str) -> tuple[str, float]:
    kind, *parameters = (one.strip() for one in part.split(";"))
    named = dict(one.partition("=")[::2] for one in parameters)
    try:
        return kind, float(named.get("q", "1"))
    except ValueError:
        return kind, 0.0
