"""Answers as they travel: compressed where that is smaller and safe, and with another token text in each page."""

import gzip
import re
from itertools import pairwise

import pytest
from flask import Flask

from app.edge.masked_tokens import mask, unmask
from tests.web.conftest import Browser

GZIP = {"Accept-Encoding": "gzip, deflate, br"}


def token_of(text: str) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', text)
    assert found is not None
    return found[1]


class TestPages:
    @pytest.mark.parametrize("path", ["/", "/runs", "/account", "/no-such-page"])
    def test_travel_compressed(self, owner: Browser, path: str) -> None:
        plain, packed = owner.visit(path), owner.visit(path, headers=GZIP)

        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.status_code == plain.status_code
        assert b"<html" in gzip.decompress(packed.data)
        assert packed.content_length == len(packed.data) < len(plain.data) * 0.7

    @pytest.mark.parametrize("accepted", ["", "br", "identity", "gzip;q=0"])
    def test_travel_as_they_are_to_whoever_reads_no_gzip(self, owner: Browser, accepted: str) -> None:
        answer = owner.visit("/runs", headers={"Accept-Encoding": accepted})

        assert "Content-Encoding" not in answer.headers
        assert "Accept-Encoding" in answer.headers["Vary"]

    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_tell_another_site_no_compressed_size(self, owner: Browser, site: str) -> None:
        answer = owner.visit("/runs", headers={**GZIP, "Sec-Fetch-Site": site})

        assert "Content-Encoding" not in answer.headers
        assert "Sec-Fetch-Site" in answer.headers["Vary"]

    @pytest.mark.parametrize("site", ["same-origin", "none"])
    def test_travel_compressed_to_our_own(self, owner: Browser, site: str) -> None:
        assert "Content-Encoding" in owner.visit("/runs", headers={**GZIP, "Sec-Fetch-Site": site}).headers

    @pytest.mark.parametrize("path", ["/live", "/healthz"])
    def test_are_left_alone_where_they_are_tiny(self, owner: Browser, path: str) -> None:
        assert "Content-Encoding" not in owner.visit(path, headers=GZIP).headers

    def test_have_the_right_length_when_only_asked_about(self, owner: Browser) -> None:
        asked = owner.head("/account", headers=GZIP)

        assert asked.data == b""
        assert asked.headers["Content-Encoding"] == "gzip"

    def test_of_the_api_travel_compressed(self, owner: Browser) -> None:
        answer = owner.visit("/api/v1/openapi.json", headers=GZIP)

        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(answer.data) == owner.visit("/api/v1/openapi.json").data


class TestStaticFiles:
    def test_are_compressed_as_tight_as_it_gets(self, app: Flask, anonymous: Browser) -> None:
        plain, packed = anonymous.visit("/static/app.css"), anonymous.visit("/static/app.css", headers=GZIP)

        assert packed.data == gzip.compress(plain.data, 9, mtime=0)
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in packed.headers["Vary"]

    def test_have_one_tag_for_both_ways(self, anonymous: Browser) -> None:
        tag = anonymous.visit("/static/app.css", headers=GZIP).headers["ETag"]

        again = [anonymous.visit("/static/app.css", headers={"If-None-Match": tag, **way}) for way in (GZIP, {})]

        assert [answer.status_code for answer in again] == [304, 304]
        assert [answer.data for answer in again] == [b"", b""]
        # It is the same file, but not the same bytes.
        assert tag.startswith("W/")

    def test_are_left_alone_where_that_saves_nothing(self, anonymous: Browser) -> None:
        answer = anonymous.visit("/static/vendor/htmx-4.0.1/LICENSE", headers=GZIP)

        assert answer.status_code == 200
        assert "Content-Encoding" not in answer.headers


class TestTokens:
    def test_are_another_text_in_each_page(self, owner: Browser) -> None:
        tokens = [token_of(owner.visit("/account").text) for _ in range(5)]

        assert len(set(tokens)) == 5
        # Nowhere two of the same letter in a row of many: what is constant is not seen.
        assert all(one[:8] != other[:8] and one[-40:-10] != other[-40:-10] for one, other in pairwise(tokens))

    def test_are_one_text_within_a_page(self, owner: Browser) -> None:
        text = owner.visit("/account").text

        assert set(re.findall(r'name="csrf_token" value="([^"]+)"', text)) == {token_of(text)}

    def test_are_good_for_a_form_each(self, owner: Browser) -> None:
        tokens = [token_of(owner.visit("/account").text) for _ in range(2)]
        form = {"name": "Olga", "timezone": "Europe/Riga"}

        answers = [owner.post("/account", data={**form, "csrf_token": token}) for token in tokens]

        assert [answer.status_code for answer in answers] == [303, 303]

    def test_of_somebody_else_are_refused(self, owner: Browser, viewer: Browser) -> None:
        token = token_of(viewer.visit("/account").text)

        assert owner.post("/account", data={"name": "X", "csrf_token": token}).status_code == 400

    @pytest.mark.parametrize("text", ["", "x", "é", "A" * 5_000, "a.b.c", "====", "AAA"])
    def test_that_no_mask_covers_stay_as_they_are_or_say_nothing(self, text: str) -> None:
        assert unmask(text) in {text, ""}

    @pytest.mark.parametrize("token", ["a.b.c", "x", "Ünicode.token"])
    def test_come_out_from_behind_the_mask(self, token: str) -> None:
        assert unmask(mask(token)) == token
