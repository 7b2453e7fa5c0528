"""The form of a schedule as a person sees it, and what they do with it."""

import pytest
from playwright.sync_api import Error, Locator, Page, Response, expect

from tests.journeys.schedules.site import Site


def go(page: Page, address: str) -> None:
    """Open a page, also where the one before goes somewhere by itself at that moment, which takes this one's place."""
    try:
        page.goto(address)
    except Error as error:
        if "ERR_ABORTED" not in error.message:
            raise
        page.goto(address)


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def name_field(page: Page) -> Locator:
    return page.get_by_label("Name", exact=True)


def text_field(page: Page) -> Locator:
    return page.get_by_label("Cron text")


def preview(page: Page) -> Locator:
    return page.locator("#form-preview")


def choice(page: Page, label: str) -> Locator:
    return page.get_by_role("radio", name=label, exact=True)


def toasts(page: Page) -> Locator:
    return page.locator("#toasts")


def row_of(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has_text=name)


def open_new(page: Page, site: Site) -> None:
    go(page, f"{site.url}/schedules")
    page.get_by_role("link", name="New schedule").first.click()
    expect(dialog(page)).to_be_visible()


def open_edit(page: Page, site: Site, name: str) -> None:
    go(page, f"{site.url}/schedules")
    row_of(page, name).get_by_label(f"Actions for {name}").click()
    row_of(page, name).get_by_role("link", name="Edit").click()
    expect(dialog(page)).to_be_visible()


def choose_zone(page: Page, name: str) -> None:
    """By what the picker of zones keeps its choice in."""
    page.locator("select#timezone").select_option(name, force=True)


def type_text(page: Page, text: str) -> None:
    """And wait for the answer to it."""
    text_field(page).fill(text)
    page.locator(f'[data-answer][data-text="{text}"]').wait_for(state="attached")


def save(page: Page) -> Response:
    """Press the button, and wait for the answer."""
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        page.get_by_role("button", name="Save schedule").click()
    return answered.value


def save_and_close(page: Page) -> None:
    save(page)
    expect(dialog(page)).to_be_hidden()


def tab_to(page: Page, wanted: Locator, most: int = 60) -> None:
    """Press Tab until the focus is there."""
    for _ in range(most):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not lead to {wanted}")
