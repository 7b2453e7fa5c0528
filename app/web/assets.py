"""The static files, read once at the start: joined style and script, addresses that change with their content."""

import mimetypes
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import cast

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import NotFound

from app.edge.permissions import Access, declare

_EXTENSION = "belfry.assets"
# What is joined, from which folder, by its manifest.
_BUNDLES = {
    "app.css": "css",
    "app.js": "js",
    "form.js": "js/form",
    "log.js": "js/log",
    "run.js": "js/run",
    "list.js": "js/list",
}
# Whole lines alone, so that nobody has to read JavaScript to see that this is safe.
_COMMENT_LINE = re.compile(rb"//.*|/\*.*\*/")
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}


class AssetMissing(RuntimeError):
    """A page or a manifest names a static file that is not there."""


@dataclass(frozen=True)
class Asset:
    """One file as it is served."""

    content: bytes
    mimetype: str
    version: str


def install_assets(app: Flask, folder: Path) -> None:
    """Serve `/static/…` and give templates `asset(name)`. Raises AssetMissing when a manifest cannot be followed."""
    app.extensions[_EXTENSION] = read_assets(folder)
    app.add_url_rule("/static/<path:name>", "static", declare(_serve, Access(is_public=True, without_schema=True)))
    app.jinja_env.globals["asset"] = asset_address


def read_assets(folder: Path) -> dict[str, Asset]:
    """Every file of the folder by its relative name, and the bundles."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for bundle, kind in _BUNDLES.items():
        found[bundle] = _join(folder / kind)
    return {name: _asset(name, content) for name, content in found.items()}


def asset_address(name: str) -> str:
    """Where a static file is; another address as soon as its content is another."""
    found = _assets().get(name)
    if found is None:
        raise AssetMissing(f"there is no static file {name}")
    return f"/static/{name}?v={found.version}"


def _serve(name: str) -> Response:
    found = _assets().get(name)
    if found is None:
        raise NotFound
    response = Response(found.content, mimetype=found.mimetype)
    response.set_etag(found.version)
    # Only the address that names this content may be kept for good.
    is_exact = request.args.get("v") == found.version
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_exact else "no-cache"
    return cast("Response", response.make_conditional(request))


def _assets() -> dict[str, Asset]:
    return cast("dict[str, Asset]", current_app.extensions[_EXTENSION])


def _join(folder: Path) -> bytes:
    manifest = folder / "manifest.txt"
    try:
        names = manifest.read_text().split()
        return b"\n".join(_without_comments((folder / name).read_bytes()) for name in names)
    except OSError as error:
        raise AssetMissing(f"{manifest} and the files it lists are needed to start: {error}") from error


def _without_comments(content: bytes) -> bytes:
    """Without comment lines and indentation: a sixth of what a browser would load, and nothing it reads."""
    lines = (line.strip() for line in content.splitlines())
    return b"\n".join(line for line in lines if line and not _COMMENT_LINE.fullmatch(line))


def _asset(name: str, content: bytes) -> Asset:
    suffix = Path(name).suffix
    mimetype = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Asset(content=content, mimetype=mimetype, version=sha256(content).hexdigest()[:16])
