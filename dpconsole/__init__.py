"""The on-call console of a data platform: see what broke, know why, mend it."""

__version__ = "0.1.0"
