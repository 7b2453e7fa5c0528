"""Addresses that forms are sent to lead to a page when somebody opens them, for example by a reload."""

import pytest

from tests.web.conftest import Browser

ID = "01a1fc46-3413-7445-8be5-ba2d8356c7e3"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/account/password", "/account"),
        (f"/jobs/{ID}/run", f"/jobs#j-{ID}"),
        (f"/schedules/{ID}/enabled", f"/schedules/{ID}"),
        (f"/schedules/{ID}/run", f"/schedules/{ID}"),
        (f"/runs/{ID}/retry", f"/runs/{ID}"),
        (f"/runs/{ID}/removal", f"/runs/{ID}"),
    ],
)
def test_an_address_of_a_form_leads_to_its_page(admin: Browser, path: str, target: str) -> None:
    answer = admin.visit(path)

    assert (answer.status_code, answer.location) == (303, target)


def test_none_of_them_is_open_to_nobody(anonymous: Browser) -> None:
    assert anonymous.visit(f"/jobs/{ID}").location == f"/login?next=/jobs/{ID}"
