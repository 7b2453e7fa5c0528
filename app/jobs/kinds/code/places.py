"""Where in the code something stands, as people read it: `jobs/sync.py:41`, the same on every machine. Pure."""

import sys
from pathlib import Path
from types import FrameType, TracebackType

from app.core.text import storable
from app.jobs.kinds.code.said import is_a, plain

LONGEST_PLACE = 255


def place_in(module: str, file: str, line: int) -> str:
    """A line of a module, named from where Python looks for it and not from where it lies on this machine."""
    if module == "__main__":
        return _short(f"{Path(file).name}:{line}")
    folders = module.split(".")
    name = "/".join([*folders, "__init__.py"] if Path(file).name == "__init__.py" else folders)
    return _short(f"{name.removesuffix('.py')}.py:{line}")


def place_of_frame(frame: FrameType, line: int | None = None) -> str:
    """Where a frame stands."""
    module = plain(frame.f_globals.get("__name__"))
    return place_in(module if is_a(module, str) else "__main__", frame.f_code.co_filename, line or frame.f_lineno)


def place_of_error(error: BaseException, *, module: str) -> str:
    """The line of the module that failed when it was loaded, or of what it imported when it is not to blame itself."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        return f"{_below_path(error.filename)}:{error.lineno or 1}"
    frames = [frame for frame in _frames(error.__traceback__) if not _is_importing(frame[0])]
    own = [frame for frame in frames if frame[0].f_globals.get("__name__") == module]
    found = next(reversed(own or frames), None)
    return module if found is None else place_of_frame(*found)


def _frames(trace: TracebackType | None) -> list[tuple[FrameType, int]]:
    found = []
    while trace is not None:
        found.append((trace.tb_frame, trace.tb_lineno))
        trace = trace.tb_next
    return found


def _is_importing(frame: FrameType) -> bool:
    # Python's own import, and our call of it.
    return "importlib" in frame.f_code.co_filename or frame.f_globals.get("__name__") == _LOADER


def _below_path(file: str) -> str:
    path = Path(file)
    roots = [Path(entry or ".").resolve() for entry in sys.path]
    found = [path.relative_to(root) for root in roots if path.is_relative_to(root)]
    return str(min(found, key=lambda each: len(each.parts), default=path.name))


def _short(place: str) -> str:
    """As long as its column is, by its end: that is what leads there."""
    text = storable(place)
    return text if len(text) <= LONGEST_PLACE else f"…{text[1 - LONGEST_PLACE :]}"


_LOADER = "app.jobs.kinds.code.loading"
