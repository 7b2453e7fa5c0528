"""Whether a fetch that lacks what was there is believed. Pure.

A login that lost a right looks like an account that is empty.
"""

# Of so few figures any may go.
FEW = 10


def is_suspicious(*, had: int, unseen: int) -> bool:
    """Whether a window that had so many live figures lost too many of them: all, or more than half."""
    return had > FEW and 2 * unseen > had
