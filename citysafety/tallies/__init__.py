"""Figures that are kept, not counted: periods of subjects, folded into tallies by position."""
