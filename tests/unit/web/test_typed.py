"""What is shown of a form that has to be sent again."""

from app.web.typed import typed_fields


class TestTypedFields:
    def test_stand_under_the_labels_of_their_form(self) -> None:
        assert typed_fields([("cron", "@daily"), ("csrf_token", "x")]) == [("Cron text", "@daily")]

    def test_name_headers_and_hide_their_values(self) -> None:
        sent = [("headers", "Authorization: Bearer topsecret77\nX-Shop: 12\n")]

        assert typed_fields(sent) == [("Headers", "Authorization, X-Shop")]
