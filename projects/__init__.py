"""Plans, measures, projects and supervision: the room stands, its furniture comes with the programme."""
