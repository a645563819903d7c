"""The schema's history: one revision a file, applied by `open_store` in one transaction."""
