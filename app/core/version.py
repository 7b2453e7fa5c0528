"""Which version of Belfry this is."""

VERSION = "0.1.0"
