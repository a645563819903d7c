"""How rows are asked for: one small language, compiled to SQL."""
