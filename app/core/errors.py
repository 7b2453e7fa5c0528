"""The five families of failure. Each error is named and defined beside its raiser; no HTTP statuses here."""


class AppError(Exception):
    """A failure a person can be told about: the message says what happened and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(AppError):
    """It does not exist, or it belongs to somebody else: the two must look alike."""


class Forbidden(AppError):
    """The person is known and may not do this."""


class Invalid(AppError):
    """The input cannot be accepted. `field` names the form field or JSON key, when there is one."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Conflict(AppError):
    """The input is fine, the state is not: somebody else was faster, or a name is taken."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Unavailable(AppError):
    """Something that is needed is away for now: the database, its schema, the broker."""
