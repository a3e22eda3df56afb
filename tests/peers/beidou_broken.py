"""Ways to break a valid frame so that it must be refused."""

import re

from beidou_binary import BINARY, Refused, xor
from beidou_peer import decode


def refused(frame, raw):
    """The frame with other bytes, if they are certainly to be refused; else as it was."""
    try:
        decode(frame.protocol, frame.direction, raw)
    except Refused:
        frame.raw, frame.expect, frame.fields, frame.checks = raw, "refuse", {}, {}
    return frame


def resealed(raw):
    """A binary frame with its checksum put right again, so that only the damage before it can be noticed."""
    return raw[:-1] + bytes([xor(raw[:-1])])


def end_of_sentence(raw):
    return len(raw.rstrip(b"\r\n"))


def flip_bit(rng, frame):
    if frame.expect == "lenient":
        return frame
    raw = bytearray(frame.raw)
    at = rng.randrange(len(raw) if frame.protocol == "rdss40" else end_of_sentence(frame.raw))
    raw[at] ^= 1 << rng.randrange(8)
    return refused(frame, bytes(raw))


def truncate(rng, frame):
    end = len(frame.raw) if frame.protocol == "rdss40" else end_of_sentence(frame.raw)
    if frame.expect == "lenient":
        return frame
    return refused(frame, frame.raw[: rng.randrange(1, end)])


def wrong_checksum(rng, frame):
    if frame.expect == "lenient":
        return frame
    if frame.protocol == "rdss40":
        return refused(frame, frame.raw[:-1] + bytes([frame.raw[-1] ^ rng.randint(1, 255)]))
    end = end_of_sentence(frame.raw)
    body = frame.raw[: end - 2]
    right = xor(body[1:-1])
    # Any other sum, one that includes the $ (trap 1), a placeholder (trap 2), one digit.
    other = rng.choice((f"{right ^ rng.randint(1, 255):02X}", f"{right ^ 0x24:02X}", "XX", f"{right:X}"[:1]))
    return refused(frame, body + other.encode() + frame.raw[end:])


def wrong_length(rng, frame):
    """Binary: the length field lies and the sum is right. Text: fields are missing and the sum is right."""
    if frame.expect == "lenient":
        return frame
    if frame.protocol != "rdss40":
        return drop_fields(rng, frame)
    length = rng.choice((0, 10, len(frame.raw) - 1, len(frame.raw) + 1, len(frame.raw) + 256, 0xFFFF, 0x2431))
    return refused(frame, resealed(frame.raw[:5] + length.to_bytes(2, "big") + frame.raw[7:]))


def wrong_bits(rng, frame):
    """Bit length against what is there (trap 3); other frames lose the last byte of their body instead."""
    at = {b"TXSQ": 14, b"TXXX": 16}.get(frame.raw[1:5])
    if frame.protocol != "rdss40" or at is None:
        return short_body(rng, frame)
    bits = int.from_bytes(frame.raw[at : at + 2], "big") + 8 * rng.choice((-200, -2, -1, 1, 2, 200))
    if not 0 <= bits <= 0xFFFF:
        return flip_bit(rng, frame)
    return refused(frame, resealed(frame.raw[:at] + bits.to_bytes(2, "big") + frame.raw[at + 2 :]))


def short_body(rng, frame):
    letters = frame.raw[1:5].decode("ascii", "replace")
    if frame.protocol != "rdss40" or BINARY.get(letters, (None,))[0] in (None, (0,)):
        return truncate(rng, frame)
    raw = frame.raw[:5] + (len(frame.raw) - 1).to_bytes(2, "big") + frame.raw[7:-2] + b"\0"
    return refused(frame, resealed(raw))


# Sentences that mean nothing without all of their fields.
WHOLE = re.compile(rb"\$..(TXA|TXR|TCQ|TCI|DWR|WAA|PWI|MSG|MXX),")


def drop_fields(rng, frame):
    if not WHOLE.match(frame.raw):
        return wrong_checksum(rng, frame)
    body = frame.raw[1 : end_of_sentence(frame.raw) - 3]
    kept = b",".join(body.split(b",")[: rng.randint(2, 3)])
    return refused(frame, b"$" + kept + b"*" + f"{xor(kept):02X}".encode())


BREAKERS = (flip_bit, flip_bit, truncate, wrong_checksum, wrong_length, wrong_bits)
