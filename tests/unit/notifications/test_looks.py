"""Previews show what is really sent, as its readers see it."""

import pytest

from app.notifications.messages.content import Content, MessageLink, Tone
from app.notifications.messages.looks import looks_of

HOSTILE = "<script>alert(1)</script> @everyone **bold** _low_ [x](https://evil.example) `code` & \\"
LINKS = (MessageLink("Run", "https://belfry.example/runs/1"),)


def content(**more: object) -> Content:
    values = {"title": HOSTILE, "body": f"{HOSTILE}\nline two", "rows": (("Error", HOSTILE),), "links": LINKS}
    return Content("run_failed", Tone.BAD, **{**values, "organization": "Acme", **more})  # type: ignore[arg-type]


def test_every_form_shows_what_was_typed() -> None:
    for look in looks_of(content()):
        assert look.heading == f"✕ {HOSTILE}"
        assert f"{HOSTILE}\nline two" in look.text
        assert dict(look.rows).get("Error", HOSTILE) == HOSTILE


@pytest.mark.parametrize("rows", [(), (("Error", "no"),)])
def test_every_form_names_its_links_and_whose_it_is(rows: tuple[tuple[str, str], ...]) -> None:
    for look in looks_of(content(rows=rows)):
        said = f"{look.text} {look.rows} {look.foot}"
        assert ("Run" in said, "Acme" in said) == (True, True)


def test_what_a_form_cuts_is_cut() -> None:
    mail, text, discord, telegram = looks_of(content(body="x" * 4_000))

    assert [len(look.text) > 3_500 for look in (mail, text, discord, telegram)] == [True, True, False, False]
