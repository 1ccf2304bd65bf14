"""City packs: what a city is made of, loading one, and the built-in demo city."""
