"""Flask-SQLAlchemy on the engines and tables of `core.db`: one session per request, one transaction per session."""

from typing import Any

from flask import Flask, g, has_request_context, request
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Connection, Engine

from app.core.db import Base, Database, forget_after_commit, run_after_commit
from app.core.scopes import NOBODY, SCOPE, Scope

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class RequestSession(FlaskSession):
    """Reads go to the read engine, so that a page never waits behind a writer."""

    def get_bind(self, *_args: Any, **_kwargs: Any) -> Engine | Connection:
        database: Database = self._db.database
        if has_request_context() and request.method in SAFE_METHODS:
            return database.read
        return database.write


def request_scope() -> Scope:
    """As whom this request works: nobody, until its endpoint's demands are met."""
    scope: Scope = g.get(SCOPE, NOBODY)
    return scope


class RequestDatabase(SQLAlchemy):
    """The extension, without engines of its own."""

    database: Database

    def start(self, app: Flask, database: Database) -> None:
        """Attach to an app. The engines are the ones the whole process uses."""
        self.database = database
        app.config["SQLALCHEMY_DATABASE_URI"] = database.write.url.render_as_string(hide_password=False)
        self.init_app(app)

    def _make_engine(self, bind_key: str | None, options: dict[str, Any], app: Flask) -> Engine:
        return self.database.write


def make_request_database() -> RequestDatabase:
    """A new extension: one per app, so that two apps in one process do not share a session."""
    return RequestDatabase(
        metadata=Base.metadata,
        session_options={"class_": RequestSession, "expire_on_commit": False, "info": {SCOPE: request_scope}},
    )


def commit(db: RequestDatabase) -> None:
    """Commit the request's transaction, then do what was waiting for it."""
    db.session.commit()
    run_after_commit(db.session())


def roll_back(db: RequestDatabase) -> None:
    """Forget the request's changes and what was waiting for their commit."""
    forget_after_commit(db.session())
    db.session.rollback()
