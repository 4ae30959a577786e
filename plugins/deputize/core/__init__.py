"""No domain: the database, the clock, secrets, small values and what a rule raises."""
