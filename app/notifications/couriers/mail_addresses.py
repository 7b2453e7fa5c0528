"""What can be written to by mail, and how many at once. Apart from what writes letters, which takes megabytes."""

import re

MOST_ADDRESSES = 20
LONGEST_ADDRESS = 254
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@" + rf"(?:{_LABEL}\.)*{_LABEL}")


def is_mail_address(text: str) -> bool:
    """Whether mail can be sent to it; also an address of one's own network, such as ops@mail."""
    return len(text) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None and ".." not in text
