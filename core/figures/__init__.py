"""Pictures of runs, tables and networks."""
