"""The tables as the stores speak of them: names and types.

Keys, checks and indexes are said once, in the migrations; a test holds the two together.
"""
