"""How the work on hazards is evaluated, and what in it gives reason to ask: figures with formulas as data, doubts with evidence."""
