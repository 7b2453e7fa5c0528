"""What changed of a job, in words."""

from app.jobs.job_changes import change_lines, changed_fields

BEFORE = {"name": "A", "tries": 3, "priority": 1, "retry_not_on": "", "concurrency": None, "definition": {"a": 1}}


def test_only_what_differs_is_kept_by_the_words_of_the_api():
    after = BEFORE | {"priority": 0, "retry_not_on": "server,job", "concurrency": 2}

    found = changed_fields(BEFORE, after, does=("Calls", "Calls"))

    assert found == {"retry_not_on": [[], ["job", "server"]], "priority": ["normal", "high"], "concurrency": [None, 2]}
    assert change_lines(found) == [
        "no further try after: nothing but a refused credential → job, server",
        "priority: normal → high",
        "runs at once: any number → 2",
    ]


def test_what_it_does_is_told_in_a_line_and_never_what_it_holds():
    told = changed_fields(BEFORE, BEFORE | {"definition": {"a": 2}}, does=("GET a", "GET b"))
    untold = changed_fields(BEFORE, BEFORE | {"definition": {"a": 2}}, does=("GET a", "GET a"))

    assert change_lines(told) == ["what it does: GET a → GET b"]
    assert change_lines(untold) == ["details of what it does: not kept → not kept"]


def test_what_other_versions_kept_in_another_form_is_passed_over():
    assert change_lines({"added": ["fetch", "tell", "more"], "text": "x"}) == []
