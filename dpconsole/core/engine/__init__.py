"""What the clock does: generate, release, admit, dispatch, collect, retry - under one lease a database."""
