"""What can be wrong with a cron text, and what is said about it: the same wherever somebody types it."""

CRON_MISTAKES = {
    "0 9 * *": "A cron line has 5 fields: minute hour day month weekday. This has 4.",
    "60 * * * *": "Minute 60 does not exist. Use 0 to 59.",
    "0 25 * * *": "Hour 25 does not exist. Use 0 to 23.",
    "0 0 32 * *": "Day 32 does not exist. Use 1 to 31, or L for the last day.",
    "0 9 * * 8": "Weekday 8 does not exist. Use 0 to 7 (0 and 7 are Sunday) or names like MON.",
    "0 9 * * MON-SUN": "MON-SUN runs backwards, because SUN counts as 0. Write 1-7 or *.",
    "5-1 * * * *": "5-1 runs backwards. Write 1-5, or 5-59,0-1.",
    "*/0 * * * *": "A step must be 1 or more.",
    "0 0 31 2 *": "This never happens: February has no day 31.",
}
