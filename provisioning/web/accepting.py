"""Which of several forms of an answer somebody would rather have."""

from collections.abc import Mapping

PAGE, LIST, TEXT = "text/html", "text/csv", "text/plain"
_VALUE = "application/json"


def preferred(accept: str, *others: str) -> str:
    """JSON, unless the header `Accept` (RFC 9110, 12.5.1) ranks one of the others above it, as good is not enough; the
    first of those that it ranks highest.
    """
    weights = dict(map(_weighed, accept.lower().split(",")))
    value = _weight(weights, _VALUE)
    least = weights.get("*/*", 0.0) if value is None else value
    ranked = {kind: weight for kind in others if (weight := _weight(weights, kind)) is not None and weight > least}
    return max(ranked, key=ranked.__getitem__, default=_VALUE)


def _weight(weights: Mapping[str, float], kind: str) -> float | None:
    """As it is named, or else by its family; whoever takes anything at all asks for nothing in particular."""
    return weights.get(kind, weights.get(f"{kind.partition('/')[0]}/*"))


def _weighed(part: str) -> tuple[str, float]:
    kind, *parameters = (one.strip() for one in part.split(";"))
    named = dict(one.partition("=")[::2] for one in parameters)
    try:
        return kind, float(named.get("q", "1"))
    except ValueError:
        return kind, 0.0
