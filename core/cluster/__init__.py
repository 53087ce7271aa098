"""Many runs for many visitors: who is next, the Dask cluster that trains, and what it reports into the store."""
