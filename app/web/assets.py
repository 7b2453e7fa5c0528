"""The static files, read once at the start: joined style and script, addresses that change with their content."""

import gzip
import mimetypes
import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import cast

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import NotFound

from app.edge.permissions import Access, declare
from app.web.compression import SMALLEST_BYTES, is_compressible, mark_compressed, takes_gzip

_EXTENSION = "belfry.assets"
# What is joined, from which folder, by its manifest.
_BUNDLES = {
    "app.css": "css", "app.js": "js", "bulk.js": "js/bulk", "dialog.js": "js/dialog", "form.js": "js/form",
    "keys.js": "js/keys", "log.js": "js/log", "run.js": "js/run", "table.js": "js/table", "zone.js": "js/zone",
}  # fmt: skip
# Whole lines alone, so that nobody has to read JavaScript to see that this is safe.
_COMMENT_LINE = re.compile(rb"//.*|/\*.*\*/")
# A picture of the sprite in a style, which cannot name one of a file that holds many: it is written out.
_PICTURE = re.compile(rb'url\("sprite:([a-z-]+)"\)')
_SPRITE = "icons/sprite.svg"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}


class AssetMissing(RuntimeError):
    """A page or a manifest names a static file that is not there."""


@dataclass(frozen=True)
class Asset:
    """One file as it is served, `packed` to those who read gzip; None where that would not be smaller."""

    content: bytes
    packed: bytes | None
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
    found["app.css"] = _PICTURE.sub(lambda name: _picture(found.get(_SPRITE, b""), name[1]), found["app.css"])
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
    packed = found.packed if takes_gzip() else None
    response = Response(packed or found.content, mimetype=found.mimetype)
    response.set_etag(found.version)
    if packed:
        mark_compressed(response)
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


def _picture(sprite: bytes, name: bytes) -> bytes:
    symbol = re.search(rb'<symbol id="%s" (viewBox="[^"]+")>(.*)</symbol>' % name, sprite)
    if symbol is None:
        raise AssetMissing(f"the style shows {name.decode()}, which is not in {_SPRITE}")
    drawn = b"stroke-width='2' stroke-linecap='round' stroke-linejoin='round'"
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' %s fill='none' stroke='red' %s>%s</svg>" % (
        symbol[1],
        drawn,
        symbol[2],
    )
    return b'url("data:image/svg+xml,%s")' % svg.replace(b'"', b"'")


def _without_comments(content: bytes) -> bytes:
    """Without comment lines and indentation: a sixth of what a browser would load, and nothing it reads."""
    lines = (line.strip() for line in content.splitlines())
    return b"\n".join(line for line in lines if line and not _COMMENT_LINE.fullmatch(line))


def _asset(name: str, content: bytes) -> Asset:
    suffix = Path(name).suffix
    mimetype = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    is_smaller = len(content) >= SMALLEST_BYTES and is_compressible(mimetype)
    packed = _pack(content) if is_smaller else None
    return Asset(content=content, packed=packed, mimetype=mimetype, version=sha256(content).hexdigest()[:16])


@cache
def _pack(content: bytes) -> bytes:
    # Once in a process: tests make thousands of apps.
    return gzip.compress(content, 9, mtime=0)
