"""The public side of hazards: report without an account, follow by a code, say that it is not solved."""
