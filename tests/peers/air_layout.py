"""The layouts between stations that need no key, from docs/air-format.md alone: header, rows, receipts, contents, positions."""

import math
from fractions import Fraction


class Refused(Exception):
    """The bytes must not be taken; the argument says why."""


def want(condition, why):
    if not condition:
        raise Refused(why)


class Bits:
    """Fields off the front, most significant bit first."""

    def __init__(self, data):
        self.value = int.from_bytes(data, "big")
        self.left = 8 * len(data)

    def take(self, width):
        want(width <= self.left, f"{width} bits wanted, {self.left} left")
        self.left -= width
        return self.value >> self.left & ((1 << width) - 1)

    def padding(self):
        want(self.take(self.left % 8) == 0, "padding is not zero")

    def end(self):
        want(self.left < 8, "bytes left over")
        self.padding()


# --- header and extension ---------------------------------------------------------------------------

SINGLE, SOURCE, REPAIR, RECEIPTS, BUNDLE, BEACON, RESERVED, EXTENDED = range(8)


def read_header(frame):
    want(len(frame) >= 5, "no header")
    bits = Bits(frame[:5])
    want(bits.take(2) == 1, "another version")
    header = {"kind": bits.take(3), "precedence": bits.take(2), "epoch_bit": bits.take(1)}
    want(header["kind"] != RESERVED, "kind 6 is reserved")
    header |= {"src": bits.take(10), "seq": bits.take(14), "dst": bits.take(8), "extended": None, "length": 5}
    if header["dst"] == 255:
        want(len(frame) >= 7, "no extended destination")
        extended = int.from_bytes(frame[5:7], "big")
        want(1 <= extended <= 1023 or extended >= 0x8000, "neither a station nor a group")
        header |= {"extended": extended, "length": 7}
    return header


def is_one_station(header):
    return header["dst"] == 255 and header["extended"] <= 1023


def read_extension(two):
    want(len(two) == 2, "no extension")
    bits = Bits(two)
    extension = {"n": bits.take(5) + 1, "index": bits.take(6), "pad": bits.take(5)}
    want(extension["pad"] < extension["n"], "padding of a whole row")
    return extension


def write_extension(n, index, pad):
    return ((n - 1) << 11 | index << 5 | pad).to_bytes(2, "big")


# --- rows -------------------------------------------------------------------------------------------

POWERS = [1]
while len(POWERS) < 255:
    doubled = POWERS[-1] << 1
    POWERS.append(doubled ^ 0x11D if doubled > 255 else doubled)
LOGS = {power: exponent for exponent, power in enumerate(POWERS)}


def multiply(a, b):
    return POWERS[(LOGS[a] + LOGS[b]) % 255] if a and b else 0


def divide(a, b):
    return POWERS[(LOGS[a] - LOGS[b]) % 255] if a else 0


def factor(n, index, column):
    if index < n:
        return int(index == column)
    return divide(1, index ^ (128 + column))


def make_row(n, source_rows, index):
    row = bytearray(len(source_rows[0]))
    for column, source in enumerate(source_rows):
        by = factor(n, index, column)
        for at, byte in enumerate(source):
            row[at] ^= multiply(by, byte)
    return bytes(row)


def join_rows(n, pad, rows):
    """The object out of {index: row}: the whole matrix is inverted, whatever is already known."""
    sizes = {len(row) for row in rows.values()}
    want(len(sizes) == 1 and 0 not in sizes, "rows of several sizes")
    want(all(index <= 63 for index in rows), "an index above 63")
    want(len(rows) >= n, f"{len(rows)} rows of {n}")
    chosen = sorted(rows)[:n]
    lines = [[factor(n, index, column) for column in range(n)] + list(rows[index]) for index in chosen]
    for column in range(n):
        pivot = next(at for at in range(column, n) if lines[at][column])
        lines[column], lines[pivot] = lines[pivot], lines[column]
        lead = lines[column][column]
        lines[column] = [divide(value, lead) for value in lines[column]]
        for at in range(n):
            by = lines[at][column]
            if at != column and by:
                lines[at] = [value ^ multiply(by, other) for value, other in zip(lines[at], lines[column])]
    joined = bytes(value for line in lines for value in line[n:])
    want(pad < len(joined), "nothing but padding")
    want(not any(joined[len(joined) - pad :]), "padding is not zero")
    return joined[: len(joined) - pad]


# --- receipts and beacons ---------------------------------------------------------------------------


def read_receipts(data):
    count = 8 * len(data) // 22
    want(count > 0 and -(-22 * count // 8) == len(data), "no whole number of receipts")
    bits = Bits(data)
    receipts = [[bits.take(14), bits.take(2), bits.take(6)] for _ in range(count)]
    bits.end()
    return receipts


def read_bundle(data):
    want(data and len(data) % 4 == 0, "no whole number of receipts")
    bits = Bits(data)
    receipts = [[bits.take(10), bits.take(14), bits.take(2), bits.take(6)] for _ in range(len(data) // 4)]
    want(all(receipt[0] for receipt in receipts), "from station 0")
    return receipts


def read_beacon(body):
    want(len(body) == 9, "a beacon has nine bytes")
    bits = Bits(body)
    return {"epoch": bits.take(8), "counter": bits.take(32), "models": bits.take(24), "flags": bits.take(8)}


# --- content ----------------------------------------------------------------------------------------


def read_content(data):
    """What was protected, with the receipts that rode along."""
    want(data, "nothing")
    kind, codec, body = data[0] >> 5, data[0] & 31, data[1:]
    riding = []
    if kind == 3 and codec:
        length = -(-22 * codec // 8)
        bits = Bits(body[:length])
        riding = [[bits.take(14), bits.take(2), bits.take(6)] for _ in range(codec)]
        bits.end()
        main = body[length:]
        want(main and main[0] >> 5 != 3, "no content after receipts")
        return read_content(main) | {"riding": riding}
    want(kind <= 5, "a reserved type")
    shown = body.hex()
    if kind in (1, 2):
        want(body, "no form")
    elif kind == 3:
        shown = read_receipts(body)
    elif kind == 4:
        read_positions(codec, body, {"id": None, "lat_e7": 0, "lon_e7": 0})
    elif kind == 5:
        want(codec == 0 and body, "no control")
    return {"riding": riding, "type": kind, "codec": codec, "body": shown}


def has_receipts(content):
    return bool(content["riding"]) or content["type"] == 3


# --- positions --------------------------------------------------------------------------------------

SPEEDS = [*range(11), *range(15, 61, 5), *range(80, 261, 20), None]
BATTERIES = [None, 0, 10, 25, 40, 55, 70, 85]


def read_status(bits):
    age, battery, speed, course = bits.take(6), bits.take(3), bits.take(5), bits.take(4)
    exponent, mantissa = age >> 2, age & 3
    return {
        "age_s": None if age == 63 else 2 * ((4 + mantissa) * 2**exponent - 4),
        "battery": BATTERIES[battery],
        "kmh": SPEEDS[speed],
        "course_ddeg": 225 * course,
    }


def nearest(value):
    return math.floor(value + Fraction(1, 2))


def read_positions(variant, body, origin):
    want(variant in (0, 1), "another variant")
    before, each = ((5, 59), (0, 80))[variant]
    count = max(0, 8 * len(body) - before) // each
    want(count > 0 and -(-(before + each * count) // 8) == len(body), "no whole number of positions")
    bits = Bits(body)
    if variant == 0:
        number = bits.take(5)
        want(origin["id"] in (None, number), "another origin")
        degrees = abs(origin["lat_e7"]) // 10_000_000
        east_step = round(90 / math.cos(math.radians(degrees + 0.5)))
    units = []
    for _ in range(count):
        unit = bits.take(13)
        if variant == 0:
            lat = origin["lat_e7"] + 90 * (bits.take(14) - 8192)
            lon = origin["lon_e7"] + east_step * (bits.take(14) - 8192)
            lon = (lon + 1_800_000_000) % 3_600_000_000 - 1_800_000_000
        else:
            lat = nearest(Fraction(bits.take(24) * 1_800_000_000, 2**24)) - 900_000_000
            lon = nearest(Fraction(bits.take(25) * 1_800_000_000, 2**24)) - 1_800_000_000
        units.append({"unit": unit, "lat_e7": lat, "lon_e7": lon} | read_status(bits))
    bits.end()
    return units
