"""How rows go out: JSON for scripts, CSV and workbooks for spreadsheets."""
