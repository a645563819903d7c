"""Snapshots are taken of the night that the screens are tested on."""

from __future__ import annotations

from tests.screens.conftest import app, night, night_file, no_pause, nobody_sleeps, planted_file, planted_night

__all__ = ["app", "night", "night_file", "no_pause", "nobody_sleeps", "planted_file", "planted_night"]
