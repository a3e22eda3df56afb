"""RDSS 4.0 binary frames (section 2 of the protocol facts), one frame at a time."""

import re

LONGEST_BINARY = 512


class Refused(Exception):
    """The bytes must not be taken for a message; the argument says why."""


def xor(data):
    total = 0
    for byte in data:
        total ^= byte
    return total


def u16(body, at):
    return int.from_bytes(body[at : at + 2], "big")


def u24(body, at):
    return int.from_bytes(body[at : at + 3], "big")


def decode_binary(raw):
    if len(raw) < 11:
        raise Refused(f"truncated: {len(raw)} bytes, the shortest frame has 11")
    if raw[0] != 0x24 or not re.fullmatch(rb"[A-Z]{4}", raw[1:5]):
        raise Refused("no $ and four letters at the start")
    length = u16(raw, 5)
    if length != len(raw) or length > LONGEST_BINARY:
        raise Refused(f"declares {length} bytes, {len(raw)} present")
    if xor(raw[:-1]) != raw[-1]:
        raise Refused(f"checksum {raw[-1]:02X}, computed {xor(raw[:-1]):02X}")
    letters = raw[1:5].decode("ascii")
    fields = {"sentence": "$" + letters, "length": length, "user_addr": u24(raw, 7)}
    body = raw[10:-1]
    sizes, reader = BINARY.get(letters, (None, read_opaque))
    if sizes is not None and len(body) not in sizes:
        raise Refused(f"{letters} body has {len(body)} bytes, expected {sizes}")
    fields.update(reader(body))
    return fields


def read_opaque(body):
    return {"body_hex": body.hex().upper()}


def read_value(body):
    return {"value": body[0]}


def read_period(body):
    return {"freq_s": u16(body, 0)}


def read_nothing(_body):
    return {}


def read_card_query(body):
    return {"frame_no": body[0]}


def read_card(body):
    """2.6: page 0 is the card itself; later pages are lists of subordinates."""
    if not body:
        raise Refused("ICXX without a frame number")
    if body[0] != 0:
        if (len(body) - 1) % 3:
            raise Refused(f"subordinate list of {len(body) - 1} bytes is not whole addresses")
        return {"frame_no": body[0], "subordinate_addrs": [u24(body, at) for at in range(1, len(body), 3)]}
    if len(body) != 11:
        raise Refused(f"ICXX page 0 has {len(body)} body bytes, expected 11")
    return {
        "frame_no": 0,
        "broadcast_id": u24(body, 1),
        "user_feature": body[4],
        "service_freq_s": u16(body, 5),
        "comm_level": body[7],
        "encrypted": body[8],
        "subordinates": u16(body, 9),
    }


def read_self_test(body):
    state = dict(zip(("ic_state", "hw_state", "battery", "inbound_state"), body[:4]))
    return {**state, "beam_power": list(body[4:10])}


def read_beams(body):
    return {"beam_power": list(body)}


def read_content(content, bits, form):
    """Section 6: Chinese text, digits, or A4 and bytes. The bit length drops a padding nibble."""
    if form == 0:
        return {"encoding": "hanzi", "text": content.decode("gb18030", "replace")}
    if content[:1] == b"\xa4":
        payload = content[1:]
        return {"encoding": "mixed", "prefix": "A4", **readable(payload)}
    return {"encoding": "code", "nibbles": content.hex().upper()[: bits // 4]}


def readable(payload):
    """Bytes as hex, and as text when they are certainly text."""
    fields = {"payload_hex": payload.hex().upper()}
    text = certain_text(payload)
    if text is not None:
        fields["text"] = text
    return fields


def certain_text(payload):
    if not payload:
        return None
    try:
        text = payload.decode("gb18030")
    except UnicodeDecodeError:
        return None
    if all(c.isprintable() or c in "\u3000\r\n\t" for c in text):
        return text
    return None


def read_send(body):
    """2.3 TXSQ."""
    if len(body) < 7:
        raise Refused(f"TXSQ body has {len(body)} bytes, the shortest has 7")
    category, bits, content = body[0], u16(body, 4), body[7:]
    check_bits(bits, content)
    fields = {"category": f"{category:02X}", "dest_addr": u24(body, 1), "bit_length": bits, "answer": body[6]}
    kind = {0b010: "message", 0b011: "query"}.get(category >> 5, "unknown")
    fields["kind"] = kind
    if kind != "message":
        return fields
    comm_class = {0: "urgent", 1: "ordinary"}.get(category >> 2 & 3, "unknown")
    form = category >> 1 & 1
    fields.update({"comm_class": comm_class, "form": form, "password": category & 1})
    return {**fields, **read_content(content, bits, form)}


def read_received(body):
    """2.4 TXXX. Spare category bits are masked, hour and minute are not a timestamp."""
    if len(body) < 9:
        raise Refused(f"TXXX body has {len(body)} bytes, the shortest has 9")
    category, bits, content = body[0], u16(body, 6), body[8:-1]
    check_bits(bits, content)
    form = category >> 5 & 1
    return {
        "category": f"{category:02X}",
        "form": form,
        "receipt": category >> 4 & 1,
        "via_query": category >> 3 & 1,
        "has_key": category >> 2 & 1,
        "sender_addr": u24(body, 1),
        "hour": body[4],
        "minute": body[5],
        "bit_length": bits,
        "crc_flag": body[-1],
        **read_content(content, bits, form),
    }


def check_bits(bits, content):
    need = (bits + 7) // 8
    if need != len(content):
        raise Refused(f"{bits} bits need {need} bytes, {len(content)} present")


def read_feedback(body):
    """2.5 FKXX: the four extra bytes are letters, a wait, or nothing, by flag."""
    flag, extra = body[0], body[1:]
    fields = {"flag": flag}
    if flag == 0:
        fields["meaning"] = "success"
    if flag in (0, 1, 6):
        fields["command"] = extra.decode("ascii", "replace")
    if flag == 4:
        fields["wait_s"] = feedback_wait(extra)
    return fields


def feedback_wait(extra):
    """2.5, the reading that agrees with every source where they can agree."""
    if not any(extra[:3]):
        return extra[3]
    if not any(extra[1:]):
        return extra[0]
    return u16(extra, 0) * 60 + u16(extra, 2)


def read_fix_request(body):
    category = body[0]
    return {
        "category": f"{category:02X}",
        "emergency": category >> 5 & 1,
        "height_mode": category >> 2 & 3,
        "high_altitude": category & 1,
        "height_and_antenna": body[1:5].hex().upper(),
        "pressure_temperature": body[5:9].hex().upper(),
        "freq_s": u16(body, 9),
    }


def degrees(body, at):
    """Degrees, minutes, seconds, tenths."""
    return round(body[at] + body[at + 1] / 60 + (body[at + 2] + body[at + 3] / 10) / 3600, 7)


def read_fix(body):
    """2.8 DWXX, heights in sign and magnitude."""
    hour, minute, second, hundredths = body[4:8]
    height = u16(body, 16)
    fields = {
        "category": f"{body[0]:02X}",
        "query_addr": u24(body, 1),
        "time": f"{hour:02d}:{minute:02d}:{second:02d}.{hundredths:02d}",
        "lon_deg": degrees(body, 8),
        "lat_deg": degrees(body, 12),
        "height_m": -(height & 0x3FFF) if height & 0x4000 else height & 0x3FFF,
    }
    anomaly = signed_anomaly(u16(body, 18))
    if abs(anomaly) <= 200:
        fields["height_anomaly_m"] = anomaly
    return fields


def signed_anomaly(value):
    """Section 13: 8 bits and a sign at 0x0100 if nothing stands above it, else 14 bits and a sign at 0x4000."""
    if value & 0xFE00 == 0:
        return -(value & 0xFF) if value & 0x100 else value & 0xFF
    return -(value & 0x3FFF) if value & 0x4000 else value & 0x3FFF


def read_clock(body):
    return {
        "date": f"{u16(body, 0):04d}-{body[2]:02d}-{body[3]:02d}",
        "time": f"{body[4]:02d}:{body[5]:02d}:{body[6]:02d}",
    }


def read_vendor_fix(body):
    """2.10 GPSX."""
    east_west, north_south = chr(body[6]), chr(body[11])
    return {
        "date": f"{2000 + body[0]:04d}-{body[1]:02d}-{body[2]:02d}",
        "time": f"{body[3]:02d}:{body[4]:02d}:{body[5]:02d}",
        "ew": east_west,
        "lon_deg": degrees(body, 7) * (-1 if east_west == "W" else 1),
        "ns": north_south,
        "lat_deg": degrees(body, 12) * (-1 if north_south == "S" else 1),
        "tail_hex": body[16:].hex().upper(),
    }


# Letters -> allowed body sizes (None: the reader judges) and reader. Total on the wire is body + 11.
BINARY = {
    "TXSQ": (None, read_send),
    "TXXX": (None, read_received),
    "FKXX": ((5,), read_feedback),
    "ICJC": ((1,), read_card_query),
    "ICXX": (None, read_card),
    "XTZJ": ((2,), read_period),
    "ZJXX": ((10,), read_self_test),
    "DWSQ": ((11,), read_fix_request),
    "DWXX": ((20,), read_fix),
    "GLJC": ((1,), read_value),
    "GLZK": ((6,), read_beams),
    "SJSC": ((2,), read_period),
    "SJXX": ((7,), read_clock),
    "BBDQ": ((0,), read_nothing),
    "XHDQ": ((0,), read_nothing),
    "CKSC": ((1,), read_value),
    "GNPS": ((2,), read_period),
    "GNVS": ((2,), read_period),
    "GNPX": ((21,), read_opaque),
    "GPSX": ((27,), read_vendor_fix),
}
