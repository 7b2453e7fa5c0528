"""PostgreSQL and Redis for the tests: found on the machine, started when first needed, gone with the tests."""
