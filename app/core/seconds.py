"""Seconds inside a statement, as each engine counts them."""

from typing import Any

from sqlalchemy import BigInteger, Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class UnixSeconds(FunctionElement[int]):
    """An instant as whole seconds since 1970, rounded down."""

    type = BigInteger()
    inherit_cache = True


class SecondsBetween(FunctionElement[float]):
    """How many seconds lie between an instant and an earlier one. The later one is named first."""

    type = Float()
    inherit_cache = True


@compiles(UnixSeconds, "postgresql")
def _unix_seconds_there(element: UnixSeconds, compiler: SQLCompiler, **more: Any) -> str:
    return f"CAST(floor(EXTRACT(EPOCH FROM {compiler.process(element.clauses, **more)})) AS BIGINT)"


@compiles(UnixSeconds, "sqlite")
def _unix_seconds_in_a_file(element: UnixSeconds, compiler: SQLCompiler, **more: Any) -> str:
    # Not by julianday, whose fractions of a day put an instant on the wrong side of a full minute.
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **more)}) AS INTEGER)"


@compiles(SecondsBetween, "postgresql")
def _seconds_between_there(element: SecondsBetween, compiler: SQLCompiler, **more: Any) -> str:
    later, earlier = (compiler.process(each, **more) for each in element.clauses)
    return f"CAST(EXTRACT(EPOCH FROM {later} - {earlier}) AS DOUBLE PRECISION)"


@compiles(SecondsBetween, "sqlite")
def _seconds_between_in_a_file(element: SecondsBetween, compiler: SQLCompiler, **more: Any) -> str:
    later, earlier = (compiler.process(each, **more) for each in element.clauses)
    return f"((julianday({later}) - julianday({earlier})) * 86400.0)"
