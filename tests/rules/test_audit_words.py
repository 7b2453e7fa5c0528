"""Whatever code writes into the audit has words: the page, its filter and the API tell of it in them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from app.tenants.audit_words import ACTIONS

APP = Path(__file__).parents[2] / "app"
# What writes an entry, or hands one on to be written.
WRITERS = {"record", "record_for_platform", "record_change"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Place:
    """An expression, the module that it stands in, and the function around it."""

    expression: ast.expr
    module: ast.Module
    function: Function | None


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(APP.rglob("*.py")):
        yield str(path.relative_to(APP.parent)), ast.parse(path.read_text())


def calls_in(module: ast.Module) -> Iterator[tuple[ast.Call, Function | None]]:
    """Every call with the innermost function around it."""
    around: dict[ast.AST, Function | None] = {module: None}
    for node in ast.walk(module):
        inner = node if isinstance(node, Function) else around[node]
        for child in ast.iter_child_nodes(node):
            around[child] = inner
    yield from ((node, around[node]) for node in around if isinstance(node, ast.Call))


def called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def argument(call: ast.Call, function: Function, name: str) -> ast.expr | None:
    """What a call hands to a parameter of a function."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    names = [each.arg for each in (*function.args.posonlyargs, *function.args.args) if each.arg != "self"]
    place = names.index(name) if name in names else len(call.args)
    return call.args[place] if place < len(call.args) else None


def texts(place: Place) -> Iterator[str | None]:
    """Every text that an expression may be; None where that cannot be told."""
    found = place.expression
    if isinstance(found, ast.Constant):
        yield str(found.value)
    elif isinstance(found, ast.IfExp):
        for each in (found.body, found.orelse):
            yield from texts(Place(each, place.module, place.function))
    elif isinstance(found, ast.JoinedStr):
        yield from joined(found, place)
    elif isinstance(found, ast.Name) and place.function is not None:
        yield from named(found.id, place.module, place.function)
    else:
        yield None


def joined(found: ast.JoinedStr, place: Place) -> Iterator[str | None]:
    inner = [part.value if isinstance(part, ast.FormattedValue) else part for part in found.values]
    parts = [list(texts(Place(part, place.module, place.function))) for part in inner]
    for chosen in product(*parts):
        yield None if None in chosen else "".join(str(part) for part in chosen)


def named(name: str, module: ast.Module, function: Function) -> Iterator[str | None]:
    """What a variable of a function may be: what it is set to, or what callers of the function hand over."""
    set_to = [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    ]
    if set_to:
        for value in set_to:
            yield from texts(Place(value, module, function))
        return
    handed = [
        (argument(call, function, name), around) for call, around in calls_in(module) if called(call) == function.name
    ]
    if not handed:
        yield None
    for value, around in handed:
        yield from [None] if value is None else texts(Place(value, module, around))


def written() -> Iterator[tuple[str, str | None]]:
    """Each action that is written anywhere, with its place."""
    for name, module in modules():
        for call, function in calls_in(module):
            # They hand it on to one another.
            if called(call) not in WRITERS or (function is not None and function.name in WRITERS):
                continue
            for keyword in call.keywords:
                if keyword.arg == "action":
                    for text in texts(Place(keyword.value, module, function)):
                        yield f"{name}:{call.lineno}", text


def test_every_action_that_is_written_has_words() -> None:
    found = list(written())

    assert len({text for _place, text in found}) > 50
    assert [place for place, text in found if text is not None and text not in ACTIONS] == []


def test_every_action_can_be_read_from_the_code() -> None:
    # What is put together in another way would escape the test above: hand the verb over as it stands.
    assert [place for place, text in written() if text is None] == []


def test_nothing_else_has_words() -> None:
    assert set(ACTIONS) - {text for _place, text in written()} == set()
