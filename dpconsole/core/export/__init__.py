"""How rows go out: JSON for scripts, CSV for spreadsheets."""
