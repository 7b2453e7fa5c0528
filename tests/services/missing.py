"""A server that is not on this machine, and how to get it."""


class ServiceMissing(Exception):
    """The tests need a program that is not installed. They fail: what is skipped is not tested."""

    def __init__(self, what: str, package: str) -> None:
        super().__init__(
            f"The tests need {what}, and it is not on this machine. Run `make services` as root, or install it, "
            f"for example: sudo apt-get install {package}"
        )
