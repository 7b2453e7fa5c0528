"""Numbers of answers that are no whole ones. Pure."""


class Fraction(str):
    """A number with a fraction, as it stood in an answer without quotes. A text that looks alike is none."""
