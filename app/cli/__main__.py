"""`python -m app.cli` is `belfry`."""

from app.cli.root import main

main()
