"""Sealing: what comes back, and everything that must not open."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.sealing import KeyUnknown, SealBroken, SealContext
from tests.fakes.vault import sealer_with, vault_key

OLD, NEW = vault_key(1), vault_key(2)
PLACE = SealContext(uuid4(), uuid4(), "job", uuid4(), "header:authorization")
HUSH = "Bearer hush-hush"

texts = st.text(max_size=300)
words = st.text(min_size=1, max_size=40)
places = st.builds(SealContext, st.uuids(), st.uuids(), words, st.uuids(), words)
SEALER = sealer_with(NEW, OLD)


class TestOpening:
    @given(text=texts, place=places)
    def test_gives_back_any_text_in_the_place_it_was_sealed_for(self, text: str, place: SealContext) -> None:
        assert SEALER.open(SEALER.seal(text, place).text, place) == text

    @given(text=texts, place=places, other=places)
    def test_is_refused_in_any_other_place(self, text: str, place: SealContext, other: SealContext) -> None:
        sealed = SEALER.seal(text, place).text

        if other != place:
            with pytest.raises(SealBroken):
                SEALER.open(sealed, other)

    @pytest.mark.parametrize("part", ["organization_id", "secret_id", "owner_kind", "owner_id", "field"])
    def test_is_refused_when_one_part_of_the_place_differs(self, part: str) -> None:
        is_id = isinstance(getattr(PLACE, part), UUID)
        elsewhere = replace(PLACE, **{part: uuid4() if is_id else "other"})

        with pytest.raises(SealBroken):
            SEALER.open(SEALER.seal(HUSH, PLACE).text, elsewhere)

    def test_does_not_take_parts_for_others_that_read_the_same_in_a_row(self) -> None:
        sealed = SEALER.seal(HUSH, replace(PLACE, owner_kind="job", field='x", "y'))

        with pytest.raises(SealBroken):
            SEALER.open(sealed.text, replace(PLACE, owner_kind='job", "x', field="y"))

    @given(position=st.integers(0, 10_000), character=st.sampled_from("AZaz09-_.=~ é"))
    def test_is_refused_after_any_change_of_a_character(self, position: int, character: str) -> None:
        sealed = SEALER.seal(HUSH, PLACE).text
        place = position % len(sealed)
        changed = sealed[:place] + character + sealed[place + 1 :]

        if changed != sealed:
            with pytest.raises((SealBroken, KeyUnknown)):
                SEALER.open(changed, PLACE)

    @given(text=texts)
    def test_is_refused_for_what_was_never_sealed(self, text: str) -> None:
        with pytest.raises((SealBroken, KeyUnknown)):
            SEALER.open(text, PLACE)

    @given(cut=st.integers(1, 60))
    def test_is_refused_for_a_part(self, cut: int) -> None:
        sealed = SEALER.seal(HUSH, PLACE).text

        with pytest.raises((SealBroken, KeyUnknown)):
            SEALER.open(sealed[:-cut], PLACE)


class TestSealing:
    def test_never_gives_the_same_twice(self) -> None:
        assert len({SEALER.seal(HUSH, PLACE).text for _ in range(100)}) == 100

    def test_names_version_and_key(self) -> None:
        sealed = SEALER.seal(HUSH, PLACE)

        assert sealed.text.startswith(f"v1.{SEALER.newest_key_id}.")
        assert (len(sealed.key_id), sealed.key_id) == (8, SEALER.newest_key_id)

    def test_uses_the_first_of_several_keys_and_opens_with_all(self) -> None:
        before = sealer_with(OLD).seal(HUSH, PLACE)

        assert SEALER.open(before.text, PLACE) == HUSH
        assert SEALER.seal(HUSH, PLACE).key_id == sealer_with(NEW).newest_key_id != before.key_id

    def test_with_another_key_is_told_by_its_id(self) -> None:
        sealed = SEALER.seal(HUSH, PLACE)

        with pytest.raises(KeyUnknown, match=sealed.key_id) as refused:
            sealer_with(OLD).open(sealed.text, PLACE)

        assert refused.value.key_id == sealed.key_id

    def test_cannot_be_passed_off_as_another_keys(self) -> None:
        sealed = SEALER.seal(HUSH, PLACE)
        other = sealer_with(OLD).newest_key_id

        with pytest.raises(SealBroken):
            SEALER.open(sealed.text.replace(sealed.key_id, other), PLACE)


class TestWhatIsSaid:
    def test_never_shows_a_key(self) -> None:
        ring = sealer_with(NEW).ring

        assert NEW not in repr(ring.all_keys())
        assert repr(ring.all_keys()[0].material) not in repr(ring.all_keys())

    def test_of_a_failure_never_shows_the_text(self) -> None:
        sealed = SEALER.seal(HUSH, PLACE).text

        with pytest.raises(SealBroken) as refused:
            SEALER.open(sealed, replace(PLACE, field="other"))

        assert "hush" not in f"{refused.value!r} {refused.value}"
        assert refused.value.__cause__ is None
