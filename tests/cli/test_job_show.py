"""`belfry jobs show` and `changes`: the policies in words, and from what to what they were changed."""

import pytest

from tests.cli.conftest import Terminal

WORKFLOW = '{"steps": [{"name": "Ask", "method": "GET", "url": "https://example.com/"}]}'


@pytest.fixture
def job_id(terminal: Terminal) -> str:
    return str(terminal.json("jobs", "create", "Ask", "--kind", "workflow", "--definition", WORKFLOW)["job"])


def test_shows_the_policies_in_words(terminal: Terminal, job_id: str) -> None:
    text = terminal.run("jobs", "show", job_id).output

    assert text.startswith("Ask (workflow): GET https://example.com/")
    assert "It is tried up to 3 times, the second time after 5 s; each further wait doubles, up to 1 h." in text
    assert "A try is stopped after 10 min, before its next call." in text
    assert "Its runs wait in the queue “workflow” with normal priority; any number go on at once." in text
    assert terminal.json("jobs", "show", job_id)["policies"][0].startswith("It is tried up to 3 times")


def test_lists_what_was_changed_from_what_to_what(terminal: Terminal, job_id: str) -> None:
    terminal.run("jobs", "edit", job_id, "--tries", "1", "--soft-limit", "30")

    newest = terminal.json("jobs", "changes", job_id)[0]
    text = terminal.run("jobs", "changes", job_id).output

    assert newest["changes"] == {"tries": [3, 1], "soft_limit_seconds": [None, 30]}
    assert "tries: 3 → 1; soft limit: none → 30 s" in text
