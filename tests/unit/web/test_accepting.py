"""A page for who asks for one, the value for programs."""

import pytest

from provisioning.web.accepting import PAGE, TEXT, preferred

JSON = "application/json"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    "accept",
    [
        BROWSER,
        "text/html",
        "TEXT/HTML",
        "text/*",
        "text/html, application/json;q=0.9",
        "application/json;q=0, text/html",
    ],
)
def test_a_page(accept: str) -> None:
    assert preferred(accept, PAGE) == PAGE


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/json",
        "application/json, text/html",
        "text/html;q=0.5, application/json",
        "text/html;q=0",
        "text/html;q=much",
        "text/html;q=0.5, */*",
        ";;,,",
    ],
)
def test_the_value(accept: str) -> None:
    assert preferred(accept, PAGE) == JSON


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("text/plain", TEXT),
        ("text/plain, application/json;q=0.5", TEXT),
        ("text/plain;q=0.5, text/html", PAGE),
        ("text/html;q=0.4, text/plain;q=0.6", TEXT),
        ("text/plain, */*", JSON),
        ("text/plain;q=0.1, application/json", JSON),
        (BROWSER, PAGE),
        ("", JSON),
    ],
)
def test_plain_text_for_who_asks_for_that(accept: str, form: str) -> None:
    assert preferred(accept, PAGE, TEXT) == form
