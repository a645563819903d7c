"""Everything the console knows and does, without a screen: importable, testable and scriptable alone."""
