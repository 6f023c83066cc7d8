"""Inspections of premises: versioned checklists, a plan by risk, and failed items that become hazards by themselves."""
