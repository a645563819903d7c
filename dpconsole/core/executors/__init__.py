"""Who does the work: executors behind one small interface, of which the simulated one is the default."""
