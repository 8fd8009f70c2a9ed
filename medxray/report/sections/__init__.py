"""One section of the report a module: what it shows of a run."""
