"""Grid city management: the life of a case, from report to closure."""
