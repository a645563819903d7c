"""Screens: what an operator works in. They know widgets and one `Services` object, never the store or the engine."""
