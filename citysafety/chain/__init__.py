"""One page, one timeline: the evidence chain of any kind of record. No models of its own, and it knows no app."""
