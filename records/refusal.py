"""The one kind of exception that a command turns into a sentence and exit code 2."""


class Refusal(Exception):
    """Something given cannot be used. The message names the thing, what was given, what is allowed and what to do.

    Anything else that escapes a command is a fault of Belong's own: exit code 1, with a traceback.
    """
