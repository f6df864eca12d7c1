"""What can be wrong with a bag."""


class DataError(ValueError):
    """A bag or message that cannot be used; the message names the file or topic and what is wrong."""
