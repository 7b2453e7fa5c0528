"""The vault on a real database: putting away, opening, replacing, retiring, and sealing again with a newer key."""

from dataclasses import replace as with_other
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.core.sealing import KeyUnknown, SealBroken, Sealer
from app.vault import service as vault
from app.vault.models import Secret
from app.vault.service import SecretNotFound, SecretOwner
from tests.factories.work import make_organization
from tests.fakes.clock import utc
from tests.fakes.vault import sealer_with, vault_key

NOW = utc("2027-01-05 12:00")
LATER = utc("2027-03-01 12:00")
FIELD = "header:authorization"
OLD = sealer_with(vault_key(1))
BOTH = sealer_with(vault_key(2), vault_key(1))
NEW = sealer_with(vault_key(2))


@pytest.fixture
def owner(session: Session) -> SecretOwner:
    return SecretOwner.job(make_organization(session), new_id())


def put(session: Session, owner: SecretOwner, value: str = "hush", sealer: Sealer = OLD) -> UUID:
    return vault.seal(session, sealer=sealer, owner=owner, field=FIELD, value=value, now=NOW)


def opened(session: Session, owner: SecretOwner, secret_id: UUID, sealer: Sealer = BOTH, field: str = FIELD) -> str:
    return vault.open_secret(session, sealer=sealer, owner=owner, secret_id=secret_id, field=field)


def rotate(session: Session, owner: SecretOwner, sealer: Sealer = BOTH, **more: object) -> vault.Rotated:
    more = {"limit": 100} | more
    return vault.rotate_batch(session, sealer=sealer, organization_id=owner.organization_id, **more)  # type: ignore[arg-type]


def change_row(session: Session, secret_id: UUID, **values: object) -> None:
    session.execute(update(Secret).where(Secret.id == secret_id).values(**values))


class TestASecret:
    def test_comes_back_to_its_owner(self, session: Session, owner: SecretOwner) -> None:
        secret_id = put(session, owner)

        row = session.get_one(Secret, secret_id)
        assert opened(session, owner, secret_id) == "hush"
        assert "hush" not in row.sealed
        assert row.key_id == OLD.newest_key_id

    def test_is_nobody_elses(self, session: Session, owner: SecretOwner) -> None:
        secret_id = put(session, owner)
        others = [with_other(owner, id=new_id()), with_other(owner, organization_id=make_organization(session, "B"))]

        for other in others:
            with pytest.raises(SecretNotFound):
                opened(session, other, secret_id)

    def test_opens_for_its_field_alone(self, session: Session, owner: SecretOwner) -> None:
        secret_id = put(session, owner)

        with pytest.raises(SealBroken):
            opened(session, owner, secret_id, field="header:x-other")

    def test_does_not_open_in_another_row(self, session: Session, owner: SecretOwner) -> None:
        mine, moved = put(session, owner), put(session, owner, "other")

        change_row(session, moved, sealed=session.get_one(Secret, mine).sealed)

        with pytest.raises(SealBroken):
            opened(session, owner, moved)

    def test_does_not_open_for_an_owner_it_was_moved_to(self, session: Session, owner: SecretOwner) -> None:
        secret_id, thief = put(session, owner), SecretOwner.job(make_organization(session, "Thief"), new_id())

        change_row(session, secret_id, organization_id=thief.organization_id, owner_id=thief.id)

        with pytest.raises(SealBroken):
            opened(session, thief, secret_id)

    def test_stays_shut_without_its_key(self, session: Session, owner: SecretOwner) -> None:
        secret_id = put(session, owner)

        with pytest.raises(KeyUnknown):
            opened(session, owner, secret_id, sealer=NEW)


class TestReplacing:
    def test_changes_the_value_under_the_same_id(self, session: Session, owner: SecretOwner) -> None:
        secret_id = put(session, owner)

        is_done = vault.replace(session, sealer=NEW, owner=owner, secret_id=secret_id, field=FIELD, value="louder")

        assert is_done
        assert opened(session, owner, secret_id, sealer=NEW) == "louder"

    def test_finds_nothing_of_others_and_nothing_retired(self, session: Session, owner: SecretOwner) -> None:
        secret_id = put(session, owner)
        place = {"sealer": NEW, "secret_id": secret_id, "field": FIELD, "value": "x"}
        other = with_other(owner, id=new_id())

        assert not vault.replace(session, owner=other, **place)  # type: ignore[arg-type]
        vault.retire(session, owner=owner, now=NOW)
        assert not vault.replace(session, owner=owner, **place)  # type: ignore[arg-type]


class TestRetiring:
    def test_spares_what_is_still_used_and_what_others_have(self, session: Session, owner: SecretOwner) -> None:
        kept, gone = put(session, owner), put(session, owner)
        put(session, with_other(owner, id=new_id()))

        count = vault.retire(session, owner=owner, keep=[kept], now=NOW)

        session.expire_all()
        assert count == 1
        assert session.get_one(Secret, gone).retired_at == NOW
        assert session.get_one(Secret, kept).retired_at is None

    def test_leaves_runs_that_hold_its_id_able_to_open_it(self, session: Session, owner: SecretOwner) -> None:
        secret_id = put(session, owner)

        vault.retire(session, owner=owner, now=NOW)

        assert opened(session, owner, secret_id) == "hush"

    def test_ends_with_erasing_after_a_while(self, session: Session, owner: SecretOwner) -> None:
        in_use, retired = put(session, owner), put(session, owner)
        vault.retire(session, owner=owner, keep=[in_use], now=NOW)

        counts = [
            vault.erase_retired(session, organization_id=owner.organization_id, before=before)
            for before in (NOW, LATER)
        ]

        assert counts == [0, 1]
        assert opened(session, owner, in_use) == "hush"
        with pytest.raises(SecretNotFound):
            opened(session, owner, retired)


class TestRotating:
    def test_seals_everything_with_the_newest_key(self, session: Session, owner: SecretOwner) -> None:
        ids = [put(session, owner, f"value {number}") for number in range(3)]
        vault.retire(session, owner=owner, keep=ids[1:], now=NOW)

        done = rotate(session, owner)

        assert (done.resealed, done.last_id) == (3, None)
        assert [opened(session, owner, each, sealer=NEW) for each in ids] == ["value 0", "value 1", "value 2"]
        assert vault.count_by_key(session, organization_id=owner.organization_id) == {NEW.newest_key_id: 3}

    def test_goes_batch_by_batch_and_then_has_nothing_to_do(self, session: Session, owner: SecretOwner) -> None:
        for _ in range(3):
            put(session, owner)

        first = rotate(session, owner, limit=2)
        second = rotate(session, owner, limit=2, after=first.last_id)

        assert (first.resealed, second.resealed, second.last_id) == (2, 1, None)
        assert rotate(session, owner) == vault.Rotated()

    def test_leaves_what_it_cannot_open_and_does_the_rest(self, session: Session, owner: SecretOwner) -> None:
        locked = put(session, owner, sealer=sealer_with(vault_key(3)))
        broken, fine = put(session, owner), put(session, owner)
        change_row(session, broken, sealed=session.get_one(Secret, fine).sealed)

        done = rotate(session, owner)

        assert (done.resealed, done.locked, done.broken) == (1, 1, 1)
        assert session.scalar(select(Secret.key_id).where(Secret.id == locked)) not in {None, NEW.newest_key_id}

    def test_keeps_to_one_organization(self, session: Session, owner: SecretOwner) -> None:
        other = SecretOwner.job(make_organization(session, "Other"), new_id())
        put(session, other)

        assert rotate(session, owner) == vault.Rotated()
        assert vault.count_by_key(session, organization_id=other.organization_id) == {OLD.newest_key_id: 1}

    def test_never_writes_over_what_was_replaced_after_it_looked(self, session: Session, owner: SecretOwner) -> None:
        secret_id = put(session, owner)

        class ReplacedMeanwhile(Sealer):
            """Its owner replaces the value between the look and the write of a rotation."""

            def open(self, sealed: str, context: object) -> str:
                place = {"secret_id": secret_id, "field": FIELD, "value": "newer"}
                vault.replace(session, sealer=OLD, owner=owner, **place)  # type: ignore[arg-type]
                return super().open(sealed, context)  # type: ignore[arg-type]

        done = rotate(session, owner, sealer=ReplacedMeanwhile(BOTH.ring))

        assert (done.resealed, done.overtaken) == (0, 1)
        assert opened(session, owner, secret_id) == "newer"
