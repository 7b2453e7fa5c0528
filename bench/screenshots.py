"""Takes the pictures of README and docs, or of every page: some days of history, written by the real ledger."""

import argparse
import shutil
import subprocess
import sys
import time
import urllib.request
from functools import partial
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

from app.core.paths import ROOT
from bench.camera import Camera
from bench.installation import Installation, free_port, installation
from bench.screenshot_data import fill
from bench.screenshot_figures import land_figures
from bench.screenshot_moments import People, begin, keep_reporting, make_people
from bench.screenshot_pages import every_page, find_places, shoot_docs
from bench.screenshot_telling import let_tell, settings_of
from tests.factories.tenants import PASSWORD
from tests.fakes.chat.server import ChatServer


def wait_for_pages(address: str) -> None:
    for _ in range(900):
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the pages did not come up")


def furnish(place: Installation) -> People:
    """People, their history, and what goes on."""
    with place.database.transaction() as session:
        people = make_people(session)
    let_tell(place, people.ana.actor)
    fill(place, people.ana.actor)
    land_figures(place, people.ana.actor)
    begin(place, people)
    return people


def shoot(camera: Camera, people: People, options: argparse.Namespace) -> None:
    """What was asked for."""
    places = find_places(camera)
    if options.docs:
        shoot_docs(camera, places)
        return
    for shot in every_page(places, people):
        if not options.only or any(shot.name.startswith(word) for word in options.only):
            try:
                camera.take_all(shot)
            except Error as error:
                print(f"{shot.name} was not taken: {error}", file=sys.stderr)


def main() -> None:
    """Fill, start, shoot, stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--docs", action="store_true", help="only those that the docs show")
    parser.add_argument("--only", nargs="*", default=[], help="only pages whose names begin like this")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with ChatServer() as chat, installation(BELFRY_LISTEN=f"127.0.0.1:{port}", **settings_of(chat)) as place:
        people = furnish(place)
        process = subprocess.Popen([sys.executable, "-m", "app.cli", "up"], cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            wait_for_pages(address)
            with sync_playwright() as playwright:
                path = shutil.which("chromium") or shutil.which("google-chrome")
                browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
                before = partial(keep_reporting, place)
                shoot(Camera(browser, address, options.folder, password=PASSWORD, before=before), people, options)
                browser.close()
        finally:
            process.terminate()
            process.wait(40)


if __name__ == "__main__":
    main()
