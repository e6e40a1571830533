"""What goes wrong with the engines on this machine."""


class EnginesError(Exception):
    """The engines cannot be started or used; the sentence says where and what to do."""
