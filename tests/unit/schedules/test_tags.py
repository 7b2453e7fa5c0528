"""Tags: one spelling for each, and the words for what is none."""

import pytest

from app.schedules.tags import TagInvalid, clean_tags, read_tags


def test_tags_are_trimmed_lowered_sorted_and_kept_once() -> None:
    assert clean_tags([" Nightly", "finance", "NIGHTLY ", "", "team:eu-1_a.b"]) == (
        "finance",
        "nightly",
        "team:eu-1_a.b",
    )


def test_tags_typed_in_one_line_are_told_apart() -> None:
    assert read_tags("nightly, Finance  eu") == ("eu", "finance", "nightly")


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (["two words"], "A tag has letters, digits and - _ . : alone. “two words” has something else."),
        (["a\x00b"], "A tag has letters, digits and - _ . : alone. “ab” has something else."),
        (["x" * 33], f"A tag has at most 32 characters. “{'x' * 33}” has 33."),
        (["x" * 100_000], f"A tag has at most 32 characters. “{'x' * 32}…” has 100,000."),
        ([str(number) for number in range(13)], "A schedule has at most 12 tags. This has 13."),
    ],
)
def test_what_is_no_tag_is_refused_in_words(tags: list[str], message: str) -> None:
    with pytest.raises(TagInvalid) as caught:
        clean_tags(tags)

    assert (caught.value.message, caught.value.field) == (message, "tags")
