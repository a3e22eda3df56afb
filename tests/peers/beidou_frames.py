"""Random frames of every Beidou sentence, with the fields they must decode to, and a share of broken ones.

Expected fields are written down from the values a frame is built of, never by decoding it: the decoder beside
this file is itself checked against them.
"""

import random
import re

from beidou_binary import xor
from beidou_broken import BREAKERS

# Characters that need GB18030: GBK beyond GB2312, Extension A and Extension B in four bytes. Code points whose
# mapping changed between editions of the standard are left out, decoders may differ over them.
RARE = "镕囧喆堃昇淼甯祎赟鎏㐱㑇㔾㖞㘎㙍㛃㟃㤘㥄𠀀𠅤𠙶𠮷𡋾𡒄𢈲𢘐𣆡𣏌𣗋𤅀𤘅𤚥𤩽𥆧𥕢𥖁𥻗"
LOWER_CASE_SUM = re.compile(rb"\A\$[A-Z0-9]{5},.*\*(?:[a-f][0-9A-Fa-f]|[0-9A-F][a-f])(?:\r\n)?\Z", re.DOTALL)
SENTENCE = "北斗短报文测试收到请回复我已到达村口桥断了需要药品饮水帐篷三十人明早六点集合平安，。！？（）：１２３ＡＢ　"
TALKERS = ("GN", "BD", "GP", "GB")


class Frame:
    """One frame and what must be read from it; see comparison.py for the names."""

    def __init__(self, protocol, direction, raw, fields, expect="decode", **checks):
        self.protocol, self.direction, self.raw = protocol, direction, raw
        self.fields, self.expect, self.checks = fields, expect, checks

    def case(self, number):
        return {
            "id": f"peer-{number:06d}",
            "protocol": self.protocol,
            "direction": self.direction,
            "hex": self.raw.hex().upper(),
            "charset": "gb18030",
            "expect": self.expect,
            "fields": self.fields,
            **{name: value for name, value in self.checks.items() if value},
        }


def binary(letters, address, body):
    raw = b"$" + letters.encode() + (len(body) + 11).to_bytes(2, "big") + address.to_bytes(3, "big") + body
    return raw + bytes([xor(raw)])


def text(rng, header, args):
    """Fields may be text or bytes. The checksum is on the wire bytes, in upper case: a port takes lower case too, but
    explain does not, because there one flipped bit makes the one of the other. CRLF optional."""
    body = header.encode() + b"," + b",".join(a if isinstance(a, bytes) else str(a).encode("gb18030") for a in args)
    digits = f"{xor(body):02X}"
    return b"$" + body + b"*" + digits.encode() + (b"\r\n" if rng.random() < 0.1 else b"")


# --- contents ---------------------------------------------------------------------------------------


def chinese(rng, most_bytes, pure=False):
    """Text of at most so many GB18030 bytes; `pure` keeps to GB2312 two-byte characters and ASCII."""
    aim, out = rng.choice((0, 2, rng.randint(0, most_bytes), most_bytes)), ""
    while True:
        kind = rng.random()
        if kind < 0.15:
            more = chr(rng.choice([c for c in range(0x20, 0x7F) if c not in b"$*,"]))
        elif kind < 0.3 and not pure:
            more = rng.choice(RARE)
        elif kind < 0.6:
            more = bytes((rng.randint(0xB0, 0xD6), rng.randint(0xA1, 0xFE))).decode("gb2312")
        else:
            more = rng.choice(SENTENCE)
        if len((out + more).encode("gb18030")) > min(aim, most_bytes):
            return out
        out += more


def is_utf8(data):
    """Bytes that are also UTF-8 with multi-byte sequences: which of the two they are is a setting (section 6)."""
    try:
        return not data.decode("utf-8").isascii()
    except UnicodeDecodeError:
        return False


def mixed_payload(rng, most_bytes):
    """Bytes behind A4, the fields they add, and the names they must not add."""
    kind = rng.random()
    if kind < 0.5:
        written = chinese(rng, most_bytes)
        payload = written.encode("gb18030")
        if written and not is_utf8(payload):
            return payload, {"payload_hex": payload.hex().upper(), "text": written}, ()
    elif kind < 0.6:
        return b"", {"payload_hex": ""}, ()
    size = rng.choice((1, 2, rng.randint(1, most_bytes), most_bytes))
    payload = bytearray(rng.randbytes(size))
    payload[rng.randrange(size)] = 0xFF  # never a byte of GB18030 nor of UTF-8: certainly not text
    return bytes(payload), {"payload_hex": payload.hex().upper()}, ("text",)


def digits(rng, most, odd=True):
    """Code content as hex digits whose first byte announces nothing (sections 3.1, 6: A0 to A4 do)."""
    while True:
        count = rng.choice((0, 1, 2, rng.randint(0, most), most))
        if not odd:
            count -= count % 2
        made = "".join(rng.choice("0123456789ABCDEF" if rng.random() < 0.3 else "0123456789") for _ in range(count))
        if made[:1] != "A":
            return made


def binary_content(rng, most_bytes):
    """(form, bits, content bytes, fields, checks) for TXSQ and TXXX."""
    kind = rng.random()
    if kind < 0.35:
        written = chinese(rng, most_bytes)
        content = written.encode("gb18030")
        if len(content) > 4 and rng.random() < 0.1 and content[-1] >= 0x80 and len(written[-1].encode("gb18030")) == 2:
            # Cut inside the last character, as networks do (trap 24).
            return 0, 8 * len(content) - 8, content[:-1], {"encoding": "hanzi"}, {"prefix": {"text": written[:-1]}}
        return 0, 8 * len(content), content, {"encoding": "hanzi", "text": written}, {}
    if kind < 0.65:
        nibbles = digits(rng, 2 * most_bytes)
        padded = nibbles + rng.choice("0F") if len(nibbles) % 2 else nibbles
        return 1, 4 * len(nibbles), bytes.fromhex(padded), {"encoding": "code", "nibbles": nibbles}, {}
    payload, fields, absent = mixed_payload(rng, most_bytes - 1)
    fields = {"encoding": "mixed", "prefix": "A4", **fields}
    return 1, 8 + 8 * len(payload), b"\xa4" + payload, fields, {"absent": list(absent)}


def text_content(rng, most_bytes, raw_marks=True):
    """(form, content on the wire, fields, checks) for TXA and TXR."""
    form = rng.choice("0122")
    if form == "0":
        written = chinese(rng, most_bytes)
        if raw_marks and written and rng.random() < 0.2:
            # Literal separators inside content (trap 6): the rest of the sentence is taken verbatim.
            at = rng.randrange(len(written))
            written = written[:at] + rng.choice((",", "*", "$", ",,", "*4F", "$BDTXR,1")) + written[at:]
        return form, written.encode("gb18030"), {"content": written}, {"if_present": {"text": written}}
    if form == "1":
        made = digits(rng, 2 * most_bytes, odd=False)
        if made and rng.random() < 0.1:
            made = made.lower()
        return form, made.encode(), {"content": made, "nibbles": len(made), "bits": 4 * len(made)}, {}
    payload, fields, absent = mixed_payload(rng, most_bytes - 1)
    made = "A4" + payload.hex().upper()
    made = made.lower() if rng.random() < 0.1 else made
    return form, made.encode(), {"content": made, **fields}, {"absent": list(absent)}


def address(rng):
    return rng.choice((0, 0xFFFFFF, rng.randint(1, 0xFFFFFE), rng.randint(100_000, 999_999)))


def card(rng):
    """A card number as modules print them: 7 digits padded, or 6, or 8 (trap 21)."""
    least, most, width = rng.choice(((1, 9_999_999, 7), (100_000, 999_999, 6), (1, 99_999_999, 8)))
    return f"{rng.randint(least, most):0{width}d}"


# --- RDSS 4.0 (section 2) ---------------------------------------------------------------------------


def four(rng, letters, direction, body, fields=None, **checks):
    own = address(rng)
    raw = binary(letters, own, body)
    fields = {"sentence": "$" + letters, "length": len(raw), "user_addr": own, **(fields or {})}
    return Frame("rdss40", direction, raw, fields, **checks)


def txsq(rng):
    urgent = rng.random() < 0.2
    form, bits, content, fields, checks = binary_content(rng, 23 if urgent else 210)
    category = 0x40 | (0 if urgent else 4) | form << 1 | (rng.random() < 0.05)
    dest = address(rng)
    head = bytes([category]) + dest.to_bytes(3, "big") + bits.to_bytes(2, "big") + b"\0"
    fields.update({"category": f"{category:02X}", "kind": "message", "form": form, "password": category & 1})
    fields.update({"comm_class": "urgent" if urgent else "ordinary", "dest_addr": dest})
    fields.update({"bit_length": bits, "answer": 0})
    return four(rng, "TXSQ", "to_terminal", head + content, fields, **checks)


def txsq_query(rng):
    category = rng.choice([0x60 | mode << 2 for mode in (1, 2, 3)] + [0x70 | mode << 2 for mode in (0, 1, 2)])
    dest = address(rng)
    body = bytes([category]) + dest.to_bytes(3, "big") + b"\0\0\0"
    fields = {"category": f"{category:02X}", "kind": "query", "dest_addr": dest, "bit_length": 0}
    return four(rng, "TXSQ", "to_terminal", body, fields)


def txxx(rng):
    form, bits, content, fields, checks = binary_content(rng, 210)
    # Spare bits carry junk; receipt and query-result bits do not change the content's layout.
    receipt, via_query, junk = rng.random() < 0.1, rng.random() < 0.1, rng.choice((0, 0, 2, 3))
    category = 0x40 | form << 5 | receipt << 4 | via_query << 3 | junk
    sender, hour, minute, crc = address(rng), rng.choice((0, 23)), rng.choice((0, 59)), rng.choice((0, 0, 0, 1))
    head = bytes([category]) + sender.to_bytes(3, "big") + bytes([hour, minute]) + bits.to_bytes(2, "big")
    fields.update({"category": f"{category:02X}", "form": form, "receipt": int(receipt), "via_query": int(via_query)})
    fields.update({"has_key": 0, "sender_addr": sender, "hour": hour, "minute": minute})
    fields.update({"bit_length": bits, "crc_flag": crc})
    return four(rng, "TXXX", "from_terminal", head + content + bytes([crc]), fields, **checks)


def fkxx(rng):
    flag = rng.choice((0, 0, 1, 2, 3, 4, 4, 4, 5, 6, 7, 8, rng.randint(9, 0xA0), rng.randint(0xA1, 0xFF)))
    if flag in (0, 1, 6):
        command = rng.choice(("TXSQ", "DWSQ", "XTZJ", "ICJC", "SJSC"))
        fields = {"flag": flag, "command": command, **({"meaning": "success"} if flag == 0 else {})}
        return four(rng, "FKXX", "from_terminal", bytes([flag]) + command.encode(), fields)
    extra, checks = b"\0\0\0\0", {}
    if flag == 4:
        wait = rng.randint(1, 59)
        minutes = rng.randint(1, 5)
        extra, wait = rng.choice(
            (
                (bytes((0, 0, 0, wait)), wait),
                (bytes((wait, 0, 0, 0)), wait),
                (minutes.to_bytes(2, "big") + wait.to_bytes(2, "big"), minutes * 60 + wait),
            )
        )
        checks = {"if_present": {"wait_s": wait}}
    return four(rng, "FKXX", "from_terminal", bytes([flag]) + extra, {"flag": flag}, **checks)


def icxx(rng):
    if rng.random() < 0.2:
        page = bytes([rng.randint(1, 125)])
        members = b"".join(address(rng).to_bytes(3, "big") for _ in range(rng.randint(0, 40)))
        return four(rng, "ICXX", "from_terminal", page + members, {"frame_no": page[0]})
    broadcast, feature, level, encrypted = address(rng), rng.randint(0, 7), rng.randint(1, 5), rng.randint(0, 1)
    frequency, count = rng.choice((1, 40, 60, 300, 9999)), rng.choice((0, 1, 500, 0xFFFF))
    body = b"\0" + broadcast.to_bytes(3, "big") + bytes([feature]) + frequency.to_bytes(2, "big")
    body += bytes([level, encrypted]) + count.to_bytes(2, "big")
    fields = {"frame_no": 0, "broadcast_id": broadcast, "user_feature": feature, "service_freq_s": frequency}
    fields.update({"comm_level": level, "encrypted": encrypted, "subordinates": count})
    return four(rng, "ICXX", "from_terminal", body, fields)


def zjxx(rng):
    body = bytes([rng.choice((0, 1, 0xFF)), rng.choice((0, 0x80)), rng.randint(0, 255), rng.choice((2, 0, 0x80))])
    powers = [rng.randint(0, 4) for _ in range(6)]
    fields = dict(zip(("ic_state", "hw_state", "battery", "inbound_state"), body), beam_power=powers)
    return four(rng, "ZJXX", "from_terminal", body + bytes(powers), fields)


def dwsq(rng):
    emergency, mode, high = rng.randint(0, 1), rng.randint(0, 3), rng.randint(0, 1)
    category, rest, period = emergency << 5 | mode << 2 | high, rng.randbytes(8), rng.randint(0, 0xFFFF)
    fields = {"category": f"{category:02X}", "emergency": emergency, "height_mode": mode, "high_altitude": high}
    fields.update({"height_and_antenna": rest[:4].hex().upper(), "pressure_temperature": rest[4:].hex().upper()})
    fields["freq_s"] = period
    return four(rng, "DWSQ", "to_terminal", bytes([category]) + rest + period.to_bytes(2, "big"), fields)


def sixty(rng, most_degrees):
    """Degrees, minutes, seconds, tenths, and the decimal degrees they make."""
    parts = (rng.randint(0, most_degrees), rng.randint(0, 59), rng.randint(0, 59), rng.randint(0, 9))
    return bytes(parts), parts[0] + parts[1] / 60 + (parts[2] + parts[3] / 10) / 3600


def dwxx(rng):
    category, query = rng.choice((0, 4, 8, 0x20)), rng.choice((0, address(rng)))
    clock = (rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59), rng.randint(0, 99))
    (lon, lon_deg), (lat, lat_deg) = sixty(rng, 179), sixty(rng, 89)
    height, anomaly = rng.randint(-8000, 16000), rng.randint(-200, 200)
    wire = (abs(height) | (0x4000 if height < 0 else 0)).to_bytes(2, "big")
    checks = {}
    fields = {"category": f"{category:02X}", "query_addr": query, "lon_deg": lon_deg, "lat_deg": lat_deg}
    fields.update({"time": "{:02d}:{:02d}:{:02d}.{:02d}".format(*clock), "height_m": height})
    if anomaly < 0 and rng.random() < 0.3:
        # The other width, told by the bits above the short one (section 13).
        checks = {"if_present": {"height_anomaly_m": anomaly}}
        wire += (abs(anomaly) | 0x4000).to_bytes(2, "big")
    else:
        fields["height_anomaly_m"] = anomaly
        wire += (abs(anomaly) | (0x100 if anomaly < 0 else 0)).to_bytes(2, "big")
    body = bytes([category]) + query.to_bytes(3, "big") + bytes(clock) + lon + lat + wire
    return four(rng, "DWXX", "from_terminal", body, fields, **checks)


def gpsx(rng):
    day = (rng.randint(0, 50), rng.randint(1, 12), rng.randint(1, 28))
    clock = (rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59))
    (lon, lon_deg), (lat, lat_deg), tail = sixty(rng, 179), sixty(rng, 89), rng.randbytes(11)
    fields = {"date": "20{:02d}-{:02d}-{:02d}".format(*day), "time": "{:02d}:{:02d}:{:02d}".format(*clock)}
    fields.update({"ew": "E", "lon_deg": lon_deg, "ns": "N", "lat_deg": lat_deg, "tail_hex": tail.hex().upper()})
    return four(rng, "GPSX", "from_terminal", bytes(day + clock) + b"E" + lon + b"N" + lat + tail, fields)


# Letters, direction, body sizes, and the common name of the body where it has one.
SMALL = (
    ("ICJC", "to_terminal", (1,), "frame_no"),
    ("XTZJ", "to_terminal", (2,), "freq_s"),
    ("SJSC", "to_terminal", (2,), "freq_s"),
    ("GLJC", "to_terminal", (1,), "value"),
    ("CKSC", "to_terminal", (1,), "value"),
    ("GPSP", "to_terminal", (4,), "body_hex"),
    ("BSSZ", "to_terminal", (4, 7), "body_hex"),
    ("BBDQ", "to_terminal", (0,), None),
    ("XHDQ", "to_terminal", (0,), None),
    ("GNPS", "to_terminal", (2,), None),
    ("GNVS", "to_terminal", (2,), None),
    ("GNTS", "to_terminal", (3,), None),
    ("JSZL", "to_terminal", (3, 4), None),
    ("JMSZ", "to_terminal", (1,), None),
    ("BBXX", "from_terminal", (1, 12, 60), None),
    ("XHXX", "from_terminal", (4,), None),
    ("GLZK", "from_terminal", (6,), "beam_power"),
    ("GNTX", "from_terminal", (7,), None),
)


def small(rng):
    letters, direction, sizes, name = rng.choice(SMALL)
    size = rng.choice(sizes)
    body = bytes(rng.randint(0, 4) for _ in range(size)) if name == "beam_power" else rng.randbytes(size)
    if letters == "BBXX":
        body = bytes(rng.randint(0x20, 0x7E) for _ in range(size))
    if name == "body_hex":
        return four(rng, letters, direction, body, {name: body.hex().upper()})
    if name == "beam_power":
        return four(rng, letters, direction, body, if_present={name: list(body)})
    return four(rng, letters, direction, body, {name: int.from_bytes(body, "big")} if name else {})


def small_layouts(rng):
    """Layouts of section 2.9 and 2.10 whose fields have no common names yet: they must at least be accepted."""
    when = bytes((rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59)))
    kind = rng.randrange(4)
    if kind == 0:
        year = rng.randint(2000, 2060)
        shown = {"date": f"{year}-{when[0]:02d}-{when[1]:02d}", "time": "{:02d}:{:02d}:{:02d}".format(*when[2:])}
        return four(rng, "SJXX", "from_terminal", year.to_bytes(2, "big") + when, if_present=shown)
    if kind == 1:
        count = rng.randint(0, 5)
        receipts = b"".join(bytes((rng.randint(0, 23), rng.randint(0, 59)) * 2) for _ in range(count))
        return four(rng, "TXHZ", "from_terminal", address(rng).to_bytes(3, "big") + bytes([count]) + receipts)
    if kind == 2:
        count = rng.randint(0, 12)
        satellites = b"".join(bytes((i + 1, rng.randint(0, 90), 0, rng.randint(0, 255), 40)) for i in range(count))
        return four(rng, "GNVX", "from_terminal", bytes([rng.randint(1, 2), count]) + satellites)
    (lon, _), (lat, _) = sixty(rng, 179), sixty(rng, 89)
    tail = bytes((0, 20, 0, 0, 0, 0, 9, 1, 12, 0, 5))
    return four(rng, "GNPX", "from_terminal", b"E" + lon + b"N" + lat + tail)


FOUR = (
    [txsq] * 6 + [txxx] * 6 + [fkxx] * 3 + [small] * 4 + [icxx, zjxx, dwsq, dwxx, gpsx, small_layouts, txsq_query]
)


def generate(seed, count):
    """`count` cases from one seed; about 15 in 100 are broken in some way."""
    from beidou_sentences import BDS2, BDS3, POSITIONS

    rng = random.Random(seed)
    families = (FOUR, BDS2, BDS3, POSITIONS)
    for number in range(count):
        family = rng.choices(families, (4, 4, 3, 1))[0]
        frame = rng.choice(family)(rng)
        if rng.random() < 0.15:
            frame = rng.choice(BREAKERS)(rng, frame)
        if frame.expect == "decode" and LOWER_CASE_SUM.search(frame.raw):
            # One bit makes a capital of it: whether it is taken is a setting, and refusing finds every flipped bit.
            frame.expect = "lenient"
        yield frame.case(number)
