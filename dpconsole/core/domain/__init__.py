"""The words and the rules of the field: values in, values out, no clock, no store, no screen.

`RULES.md` beside this file states the rules; a section number in a docstring refers to it.
"""
