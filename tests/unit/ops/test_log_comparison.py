"""Where two logs part."""

import pytest

from app.ops.log_comparison import parting_place


@pytest.mark.parametrize(
    ("these", "others", "place"),
    [
        ([], [], None),
        (["Read 12 rows", "Done"], ["Read 4,012 rows", "Done"], None),
        (["12:30:01 begin"], ["07:01:59 begin"], None),
        (["job 3c02d8b2-d3fb-402b-a3cc-6834959e8404"], ["job 00000000-d3fb-402b-a3cc-6834959e8404"], None),
        (["begin", "503 Service"], ["begin", "200 fine"], 1),
        (["begin"], ["begin", "end"], 1),
        (["begin", "end"], [], 0),
    ],
)
def test_is_the_first_line_that_reads_otherwise(these: list[str], others: list[str], place: int | None) -> None:
    assert parting_place(these, others) == place
