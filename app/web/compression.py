"""Answers as they travel: text of some size is compressed for whoever takes it, unless another site asked for it."""

import gzip

from flask import Flask, Response, request

# Smaller ones fit into one packet as they are.
SMALLEST_BYTES = 600
# Half the time of the highest level, and 3 of 100 bytes more.
_LEVEL = 6
_TEXTS = frozenset({"application/json", "text/javascript", "image/svg+xml", "application/yaml"})
# Whoever is led here by another site may have been led thousands of times, to compare sizes.
_OURS = frozenset({"same-origin", "none", ""})


def install_compression(app: Flask) -> None:
    """Compress what the app answers. To be installed first: what is installed later is done before it."""
    app.after_request(_compress)


def is_compressible(mimetype: str) -> bool:
    """Whether content of this type gets smaller."""
    return mimetype.startswith("text/") or mimetype in _TEXTS


def takes_gzip() -> bool:
    """Whether who asks reads gzip, and may see how small the answer gets."""
    return request.accept_encodings.quality("gzip") > 0 and request.headers.get("Sec-Fetch-Site", "") in _OURS


def mark_compressed(response: Response) -> None:
    """Say that the content is gzip now. Its tag is no longer that of these very bytes."""
    response.headers["Content-Encoding"] = "gzip"
    tag, _ = response.get_etag()
    if tag is not None:
        response.set_etag(tag, weak=True)


def _compress(response: Response) -> Response:
    if not is_compressible(response.mimetype or ""):
        return response
    # Also where it is not compressed, or a cache would give one browser's answer to another.
    response.vary.update(("Accept-Encoding", "Sec-Fetch-Site"))
    # What streams has no size yet, and a part of a file no meaning once compressed.
    is_whole = not response.is_streamed and response.status_code != 206
    if "Content-Encoding" in response.headers or not is_whole or not takes_gzip():
        return response
    content = response.get_data()
    if len(content) >= SMALLEST_BYTES:
        response.set_data(gzip.compress(content, _LEVEL, mtime=0))
        mark_compressed(response)
    return response
