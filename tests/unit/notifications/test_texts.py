"""Texts that people write: names are replaced, and nothing else happens."""

import time

import pytest

from app.notifications.messages.texts import (
    LONGEST_BODY_TEXT,
    MessageText,
    TextInvalid,
    clean_text,
    fill_body,
    fill_title,
)

KNOWN = {"job", "error", "link"}


class TestFilling:
    def test_names_become_values(self):
        assert fill_body("{{job}} failed: {{ error }}", {"job": "Ads", "error": "no"}) == "Ads failed: no"

    @pytest.mark.parametrize(
        "text",
        [
            "{{ 7*7 }}",
            "{% for x in range(9) %}x{% endfor %}",
            "{{ ''.__class__.__mro__ }}",
            "${7*7}",
            "<%= 7*7 %>",
            "#{7*7}",
            "{{config.items()}}",
            "{0.__class__}",
            "%(job)s",
            "{{{job}",
        ],
    )
    def test_template_code_stays_text(self, text):
        assert fill_body(text, {"job": "Ads"}) == text

    def test_what_a_value_contains_is_not_looked_at_again(self):
        assert fill_body("{{job}}", {"job": "{{error}}", "error": "secret"}) == "{{error}}"

    def test_a_title_is_one_line_whatever_its_values_are(self):
        assert fill_title("{{job}} failed", {"job": "Ads\r\nBcc: eve@example.com"}) == "Ads Bcc: eve@example.com failed"

    def test_many_long_values_are_cut(self):
        text = "{{job}}" * (LONGEST_BODY_TEXT // 7)

        assert len(fill_body(text, {"job": "x" * 100_000}).encode()) <= 64 * 1024

    @pytest.mark.parametrize("text", ["{{" * 2_000, "{{ " * 1_300, "{{a" * 1_300, "}}{{" * 1_000])
    def test_odd_texts_take_no_time(self, text):
        started = time.process_time()
        for _ in range(20):
            fill_body(text, {"a": "b"})

        assert (time.process_time() - started) / 20 <= 0.05


class TestCleaning:
    def test_unknown_names_are_named_with_those_there_are(self):
        with pytest.raises(TextInvalid, match=r"Nothing is called \{\{jobb\}\}.*\{\{job\}\}"):
            clean_text(MessageText("{{jobb}} failed", ""), known=KNOWN)

    @pytest.mark.parametrize(
        ("text", "field"),
        [
            (MessageText("", "x"), "title"),
            (MessageText("a\nb", ""), "title"),
            (MessageText("a\rb", ""), "title"),
            (MessageText("x" * 301, ""), "title"),
            (MessageText("a", "x" * 4_001), "body"),
            (MessageText("a", "b\x1b[2J"), "body"),
            (MessageText("a\u202e", ""), "title"),
        ],
    )
    def test_what_cannot_be_a_text_is_refused_by_field(self, text, field):
        with pytest.raises(TextInvalid) as caught:
            clean_text(text, known=KNOWN)

        assert caught.value.field == field

    def test_a_good_text_is_kept_as_it_is(self):
        text = MessageText("{{job}} failed", "Because of\n{{error}}")

        assert clean_text(text, known=KNOWN) == text
