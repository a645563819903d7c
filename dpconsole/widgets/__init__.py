"""Widgets: what a screen is built of. They know Textual and the core's words, never the store or the engine."""
