"""Lengths of time in words, as everybody reads them. Pure."""

from datetime import timedelta

STEPS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def duration(value: float | timedelta) -> str:
    """“under 0.1 s”, “0.8 s”, “21 s”, “1 min 12 s”, “3 h 12 min”, “2 d 4 h”; never raw milliseconds."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 0.1:
        return "under 0.1 s"
    # Rounded down first, or 9.96 would print as 10.0 s.
    if seconds < 10:
        return f"{int(seconds * 10) / 10:.1f} s"
    whole = int(seconds)
    amounts, rest = [], whole
    for unit, length in STEPS:
        amounts.append((rest // length, unit))
        rest %= length
    first = next(index for index, (amount, _) in enumerate(amounts) if amount)
    return " ".join(f"{amount} {unit}" for amount, unit in amounts[first : first + 2] if amount)


def whole_seconds(seconds: int) -> str:
    """The same of what somebody set as a whole number: “5 s”, “1 min 12 s”."""
    return f"{seconds} s" if seconds < 10 else duration(seconds)
