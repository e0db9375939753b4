"""Ways to damage a file."""


def flipped(content, position, mask):
    """The bytes with the bits of `mask` turned over at one position."""
    changed = bytearray(content)
    changed[position % len(content)] ^= mask
    return bytes(changed)
