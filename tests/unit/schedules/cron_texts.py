"""Random cron texts in the dialect that Debian cron knows, biased towards the hours in which clocks change."""

import calendar
from random import Random

BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def random_cron(random: Random, *, hours: tuple[int, ...] = ()) -> str:
    """A text whose hour is often one of `hours`."""
    minute = _field(random, 0, chance_of_star=0.2)
    hour = str(random.choice(hours)) if hours and random.random() < 0.4 else _field(random, 1, chance_of_star=0.3)
    day = _field(random, 2, chance_of_star=0.75)
    month = _field(random, 3, chance_of_star=0.9)
    weekday = _field(random, 4, chance_of_star=0.7)
    return with_names(random, f"{minute} {hour} {day} {month} {weekday}")


def _field(random: Random, place: int, *, chance_of_star: float) -> str:
    if random.random() < chance_of_star:
        return "*"
    low, high = BOUNDS[place]
    kind = random.random()
    if kind < 0.2:
        return f"*/{random.randint(1, high + 2)}"
    if kind < 0.7:
        return str(random.randint(low, high))
    return ",".join(_item(random, low, high) for _ in range(random.randint(1, 3)))


def _item(random: Random, low: int, high: int) -> str:
    first, last = sorted((random.randint(low, high), random.randint(low, high)))
    shapes = (str(first), f"{first}-{last}", f"{first}-{last}/{random.randint(1, 9)}")
    return random.choice(shapes)


def with_names(random: Random, text: str) -> str:
    """The same text with a lone weekday or month written as a name."""
    *rest, month, weekday = text.split()
    if month.isdigit() and random.random() < 0.5:
        month = calendar.month_abbr[int(month)]
    if weekday.isdigit() and random.random() < 0.5:
        weekday = calendar.day_abbr[(int(weekday) - 1) % 7]
    return " ".join((*rest, month, weekday))
