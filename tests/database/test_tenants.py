"""Accounts, sessions and tries in the database."""

from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.db import Database
from app.core.ids import digest
from app.tenants.models import LoginSession, Membership, SetupLink, SignInFailure, User
from app.tenants.passwords import PasswordRefused
from app.tenants.profiles import revise_profile
from app.tenants.queries import find_account, find_signed_in, has_users
from app.tenants.service import (
    EmailTaken,
    SetupLinkUnknown,
    SetupOver,
    make_first_account,
    make_setup_link,
    make_user,
)
from app.tenants.sign_in import (
    NowhereToGo,
    SignInRefused,
    change_password,
    note_seen,
    sign_in,
    sign_out,
    start_session,
)
from app.tenants.tries import TooManyTries, count_try
from tests.factories.tenants import PASSWORD, make_member, make_organization
from tests.factories.tenants import make_user as make_bare_user
from tests.fakes.clock import ManualClock

GRACE = {"email": "grace@example.com", "name": "Grace", "password": "copper-lantern-77", "timezone": "UTC"}


def enter(database: Database, clock: ManualClock, password: str = PASSWORD, address: str = "203.0.113.7") -> str:
    return sign_in(
        database,
        email="ada@example.com",
        password=password,
        address=address,
        user_agent="Browser/1",
        now=clock.moment,
    )


class TestMakeUser:
    def test_makes_the_user_an_organization_and_its_owner(self, session: Session, clock: ManualClock) -> None:
        user_id = make_user(session, **GRACE, is_platform_admin=False, now=clock.moment)

        role = session.scalars(select(Membership.role).where(Membership.user_id == user_id)).one()
        assert role == "owner"
        assert has_users(session)

    def test_refuses_an_address_that_is_taken_in_any_case(self, session: Session, clock: ManualClock) -> None:
        make_user(session, **GRACE, is_platform_admin=False, now=clock.moment)

        with pytest.raises(EmailTaken) as refused:
            make_user(session, **{**GRACE, "email": "GRACE@example.com"}, is_platform_admin=False, now=clock.moment)

        assert refused.value.field == "email"

    def test_refuses_an_easy_password(self, session: Session, clock: ManualClock) -> None:
        with pytest.raises(PasswordRefused):
            make_user(session, **{**GRACE, "password": "changeme"}, is_platform_admin=False, now=clock.moment)

    def test_ends_the_setup_link(self, session: Session, clock: ManualClock) -> None:
        make_setup_link(session, now=clock.moment)

        make_user(session, **GRACE, is_platform_admin=False, now=clock.moment)

        assert session.scalars(select(SetupLink)).all() == []

    def test_finds_the_account_again_by_any_spelling(self, session: Session, clock: ManualClock) -> None:
        user_id = make_user(session, **GRACE, is_platform_admin=False, now=clock.moment)

        account = find_account(session, email=" Grace@EXAMPLE.com")

        assert account is not None
        assert account.user_id == user_id

    def test_is_the_only_way_an_address_can_be_written(self, session: Session) -> None:
        with pytest.raises(IntegrityError):
            make_bare_user(session, email="Ada@example.com")


class TestSetupLink:
    def test_is_refused_once_there_is_a_user(self, session: Session, clock: ManualClock) -> None:
        make_bare_user(session)

        with pytest.raises(SetupOver):
            make_setup_link(session, now=clock.moment)

    def test_makes_one_account_for_two_browsers_at_once(self, database: Database, clock: ManualClock) -> None:
        with database.transaction() as session:
            token = make_setup_link(session, now=clock.moment)
        start, refused = Barrier(2), []

        def set_up(number: int) -> None:
            start.wait()
            try:
                with database.transaction() as session:
                    person = {**GRACE, "email": f"grace{number}@example.com"}
                    make_first_account(session, token=token, **person, now=clock.moment)
            except (SetupOver, SetupLinkUnknown) as error:
                refused.append(error)

        threads = [Thread(target=set_up, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        with database.reading() as session:
            assert session.scalar(select(func.count()).select_from(User)) == 1
        assert len(refused) == 1


class TestProfile:
    def test_keeps_quiet_when_nothing_changed(self, session: Session, clock: ManualClock) -> None:
        member = make_member(session)

        said = {"name": "Ada", "timezone": "Europe/Riga"}
        revise_profile(session, actor=member.actor, user_id=member.user_id, said=said, now=clock.moment)

        assert not session.new


class TestSignIn:
    def test_counts_tries_that_arrive_together(self, database: Database, clock: ManualClock) -> None:
        with database.transaction() as session:
            make_member(session)
        start, outcomes = Barrier(8), []

        def guess() -> None:
            start.wait()
            try:
                enter(database, clock, "wrong-guess")
            except (SignInRefused, TooManyTries) as error:
                outcomes.append(type(error))

        threads = [Thread(target=guess) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(kind.__name__ for kind in outcomes) == ["SignInRefused"] * 5 + ["TooManyTries"] * 3

    def test_limits_one_address_over_many_accounts(self, session: Session, clock: ManualClock) -> None:
        for number in range(100):
            count_try(session, email=f"{number}@example.com", address="203.0.113.7", now=clock.moment)

        with pytest.raises(TooManyTries):
            count_try(session, email="one-more@example.com", address="203.0.113.7", now=clock.moment)

    def test_slows_guessing_at_one_account_from_many_addresses(self, session: Session, clock: ManualClock) -> None:
        for number in range(20):
            count_try(session, email="ada@example.com", address=f"203.0.113.{number}", now=clock.moment)
        count_try(session, email="ada@example.com", address="203.0.113.21", now=clock.advance(seconds=1))

        with pytest.raises(TooManyTries) as refused:
            count_try(session, email="ada@example.com", address="198.51.100.1", now=clock.moment)

        assert refused.value.wait_seconds == 2

    def test_never_makes_the_owner_wait_longer_than_half_a_minute(self, session: Session, clock: ManualClock) -> None:
        account = digest("ada@example.com")
        session.add_all(
            SignInFailure(email_digest=account, address=f"203.0.113.{number}", at=clock.moment) for number in range(200)
        )

        with pytest.raises(TooManyTries) as refused:
            count_try(session, email="ada@example.com", address="198.51.100.1", now=clock.moment)
        count_try(session, email="ada@example.com", address="198.51.100.1", now=clock.advance(seconds=30))

        assert refused.value.wait_seconds == 30

    def test_keeps_no_address_of_a_person_and_nothing_older_than_it_needs(
        self, session: Session, clock: ManualClock
    ) -> None:
        count_try(session, email="old@example.com", address="203.0.113.7", now=clock.moment)
        now = clock.advance(minutes=15)

        count_try(session, email="ada@example.com", address="203.0.113.7", now=now)

        kept = session.scalars(select(SignInFailure)).all()
        assert [row.email_digest for row in kept] == [digest("ada@example.com")]

    def test_needs_an_organization_to_go_to(self, session: Session, clock: ManualClock) -> None:
        user_id = make_bare_user(session)

        with pytest.raises(NowhereToGo):
            start_session(session, user_id=user_id, email="ada@example.com", user_agent="", now=clock.moment)

    def test_opens_the_personal_organization_first(self, session: Session, clock: ManualClock) -> None:
        team = make_member(session, organization_id=make_organization(session, name="Team"))
        own = make_organization(session, name="Ada", is_personal=True)
        session.add(Membership(organization_id=own, user_id=team.user_id, role="owner", created_at=clock.moment))

        token = start_session(session, user_id=team.user_id, email=team.email, user_agent="", now=clock.moment)

        found = find_signed_in(session, token_digest=digest(token), now=clock.moment)
        assert found is not None
        assert found.organization_name == "Ada"

    def test_clears_sessions_away_that_are_over(self, database: Database, clock: ManualClock) -> None:
        with database.transaction() as session:
            make_member(session)
        enter(database, clock)
        clock.advance(days=8)

        enter(database, clock)

        with database.reading() as session:
            assert session.scalar(select(func.count()).select_from(LoginSession)) == 1


class TestSession:
    @pytest.fixture
    def token(self, database: Database, clock: ManualClock) -> str:
        with database.transaction() as session:
            make_member(session)
        return enter(database, clock)

    def test_is_over_for_whoever_left_the_organization(
        self, database: Database, clock: ManualClock, token: str
    ) -> None:
        with database.transaction() as session:
            session.delete(session.scalars(select(Membership)).one())

        with database.reading() as session:
            assert find_signed_in(session, token_digest=digest(token), now=clock.moment) is None

    def test_can_be_ended_by_its_owner_alone(self, database: Database, clock: ManualClock, token: str) -> None:
        with database.transaction() as session:
            other = make_member(session, email="eve@example.com")
            row = session.scalars(select(LoginSession)).one()
            sign_out(session, actor=other.actor, session_id=row.id, now=clock.moment)

        with database.reading() as session:
            assert find_signed_in(session, token_digest=digest(token), now=clock.moment) is not None

    def test_is_noted_as_seen_only_when_a_minute_has_passed(
        self, database: Database, clock: ManualClock, token: str
    ) -> None:
        start = clock.moment
        with database.transaction() as session:
            row = session.scalars(select(LoginSession)).one()
            note_seen(session, session_id=row.id, now=clock.advance(seconds=59))

        with database.reading() as session:
            assert session.scalars(select(LoginSession.seen_at)).one() == start


class TestChangePassword:
    def test_keeps_only_the_browser_that_did_it(self, database: Database, clock: ManualClock) -> None:
        with database.transaction() as session:
            member = make_member(session)
        kept, other = enter(database, clock), enter(database, clock)
        with database.reading() as session:
            found = find_signed_in(session, token_digest=digest(kept), now=clock.moment)
        assert found is not None

        change_password(
            database,
            actor=member.actor,
            session_id=found.session_id,
            current=PASSWORD,
            new="another-harbour-43",
            address="203.0.113.7",
            now=clock.moment,
        )

        with database.reading() as session:
            assert find_signed_in(session, token_digest=digest(kept), now=clock.moment) is not None
            assert find_signed_in(session, token_digest=digest(other), now=clock.moment) is None
