"""How soon a browser shows the pages of a large organization: largest contentful paint, layout shift, nodes, requests.

Chromium on this machine opens each page anew, with nothing in its cache, from the real server; the database is as the
benchmark of pages fills it.
"""

import argparse
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from app.cli.children import children_of, surroundings
from app.factory import create_app
from bench.figures import percentile, print_figures
from bench.history import Large, fill_large
from bench.installation import STOP_SECONDS, Installation, free_port, installation
from bench.memory import ask
from bench.pages import RUNS, SCHEDULES, paths, signed_in
from bench.services import Engine

# Of three pages in four, as the measure of a page's paint is defined (web.dev/articles/lcp).
PERCENT = 75
BAR_MS, BAR_SHIFT, BAR_NODES, BAR_REQUESTS = 400.0, 0.02, 2_000, 7
OPENED = 12
# Somebody looks at these; the others are parts of pages or answers to scripts.
PAGES = ("overview", "schedules", "schedule", "runs", "failed run", "queue", "queue, failed", "jobs")
WATCH = """
    window.seen = {paint: 0, shift: 0};
    new PerformanceObserver(list => { for (const one of list.getEntries()) window.seen.paint = one.startTime; })
        .observe({type: 'largest-contentful-paint', buffered: true});
    new PerformanceObserver(list => { for (const one of list.getEntries())
        if (!one.hadRecentInput) window.seen.shift += one.value; }).observe({type: 'layout-shift', buffered: true});
"""
READ = """() => ({...window.seen, nodes: document.getElementsByTagName('*').length,
    requests: performance.getEntriesByType('resource').length + 1})"""


def main() -> None:
    """Fill, start the server, open, and say which bars were missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.EMBEDDED)
    parser.add_argument("--schedules", type=int, default=SCHEDULES)
    parser.add_argument("--runs", type=int)
    options = parser.parse_args()
    address = f"127.0.0.1:{free_port()}"
    with installation(options.engine, BELFRY_LISTEN=address) as place:
        large = fill_large(place, schedules=options.schedules, runs=options.runs or RUNS[options.engine])
        cookie = _cookie(place, large)
        with _server(place), _chromium() as browser:
            ask(f"http://{address}/login")
            shown = {name: path for name, path in paths(place, large).items() if name in PAGES}
            found = {name: _open(browser, f"http://{address}", path, cookie) for name, path in shown.items()}
    for name, page in found.items():
        print(f"{name:16}", " ".join(f"{figure} {value:g}" for figure, value in page.items()), _missed(page))
    worst = max(found, key=lambda name: found[name]["lcp_ms"])
    print(f"worst: {worst}")
    print_figures("paint", options.engine, {f"most_{figure}": max(page[figure] for page in found.values())
                                            for figure in found[worst]})  # fmt: skip


def _missed(page: dict[str, float]) -> str:
    bars = {"lcp_ms": BAR_MS, "shift": BAR_SHIFT, "nodes": BAR_NODES, "requests": BAR_REQUESTS}
    missed = [figure for figure, bar in bars.items() if page[figure] > bar]
    return f"  beyond: {', '.join(missed)}" if missed else ""


def _open(browser: Browser, address: str, path: str, cookie: dict[str, str]) -> dict[str, float]:
    paints, last = [], {}
    for _ in range(OPENED):
        context = browser.new_context(viewport={"width": 1360, "height": 850})
        context.add_cookies([{**cookie, "url": address}])
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto(address + path, wait_until="load")
        # What comes later than a moment after loading is no part of showing it.
        page.wait_for_timeout(500)
        last = page.evaluate(READ)
        if not last["paint"] or not page.url.endswith(path):
            raise SystemExit(f"{path}: {page.url} painted nothing that counts")
        paints.append(last["paint"])
        context.close()
    return {
        "lcp_ms": round(percentile(paints, PERCENT), 1), "shift": round(last["shift"], 4), "nodes": last["nodes"],
        "requests": last["requests"],
    }  # fmt: skip


def _cookie(place: Installation, large: Large) -> dict[str, str]:
    app = create_app(place.settings)
    cookie = signed_in(place, app, large).get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    return {"name": cookie.key, "value": cookie.value}


@contextmanager
def _server(place: Installation) -> Iterator[None]:
    folder = place.settings.data_dir
    environment = surroundings(os.environ, folder=folder, parent=os.getpid())
    web = subprocess.Popen(children_of(folder)[0].command, env=environment)
    try:
        yield
    finally:
        web.send_signal(signal.SIGTERM)
        web.wait(STOP_SECONDS)


@contextmanager
def _chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


if __name__ == "__main__":
    main()
