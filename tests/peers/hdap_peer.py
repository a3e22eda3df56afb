"""ok-dmrlib (PyPI) as a second opinion on Hytera HDAP: registration (RRS), location (LP) and text (TMP).

Frames are built by the library's own classes from random values, so their bytes are its reading of the protocol
and not ours. It does not verify what it parses; checksum and length are checked here, with its own sum.

    hdap_peer.py generate --seed 1 --count 1000
    hdap_peer.py decode < cases
    hdap_peer.py check recorded.jsonl
    hdap_peer.py compare [--seed N] [--count N] PROGRAM ARGS...
"""

import argparse
import datetime
import random
import sys

import comparison

try:
    from okdmr.dmrlib.hytera.pdu.hdap import HDAP
    from okdmr.dmrlib.hytera.pdu.location_protocol import GPSData, LocationProtocol, LocationProtocolSpecificService
    from okdmr.dmrlib.hytera.pdu.radio_ip import RadioIP
    from okdmr.dmrlib.hytera.pdu.radio_registration_service import RadioRegistrationService, RRSTypes
    from okdmr.dmrlib.hytera.pdu.text_message_protocol import TextMessageProtocol, TMPResultCodes, TMPService
except ImportError as missing:
    sys.exit(f"{missing}; this peer needs ok-dmrlib 0.8.0 in its Python environment, see README.md")

PROTOCOLS = {"RRS": "hytera-rrs", "LP": "hytera-lp", "TMP": "hytera-hdap-tmp"}
# Types that the recorded cases name. Others are compared by opcode alone.
TYPES = {
    RRSTypes.RadioRegistrationRequest: "register",
    RRSTypes.RadioRegistrationAnswer: "register_ack",
    RRSTypes.RegistrationStatusCheckRequest: "status_check",
    LocationProtocolSpecificService.StandardRequest: "standard_request",
    LocationProtocolSpecificService.StandardReport: "standard_report",
    TMPService.SendPrivateMessage: "private_message",
    TMPService.SendPrivateMessageAck: "private_ack",
    TMPService.SendGroupMessage: "group_message",
}


class Refused(Exception):
    """The bytes must not be taken for a message; the argument says why."""


# --- reading ----------------------------------------------------------------------------------------


def decode_case(case):
    return decode(bytes.fromhex(case["hex"]))


def decode(raw):
    if len(raw) < 7:
        raise Refused(f"truncated: {len(raw)} bytes, the shortest frame has 7")
    declared = int.from_bytes(raw[3:5], "big")
    if declared + 7 != len(raw):
        raise Refused(f"declares {declared} payload bytes, {len(raw) - 7} present")
    if HDAP.get_hdap_checksum(raw[1:-2]) != raw[-2:-1]:
        raise Refused(f"checksum {raw[-2]:02x} is wrong")
    try:
        pdu = HDAP.from_bytes(raw)
    except (AssertionError, IndexError, KeyError, UnicodeDecodeError, ValueError) as reason:
        raise Refused(f"ok-dmrlib: {reason!r}") from reason
    if pdu is None:
        raise Refused("ok-dmrlib does not know this opcode")
    service = pdu.get_service_type().name
    fields = {
        "service": service,
        "reliable": pdu.is_reliable,
        "opcode": f"0x{raw[1:3].hex()}",
        "payload_len": declared,
        "end": f"0x{raw[-1]:02x}",
    }
    return {**fields, **{"RRS": registration, "LP": location, "TMP": message}[service](pdu)}


def typed(opcode):
    return {"type": TYPES[opcode]} if opcode in TYPES else {}


def whose(name, ip):
    return {f"{name}_ip": ip.as_ip(), f"{name}_id": ip.radio_id}


def registration(pdu):
    fields = {**typed(pdu.opcode), **whose("radio", pdu.radio_ip)}
    if pdu.opcode == RRSTypes.RadioRegistrationAnswer:
        fields.update({"result": pdu.result.value, "renew_seconds": pdu.renew_time_seconds})
    return fields


def location(pdu):
    service = pdu.specific_service
    fields = {**typed(service), "request_id": pdu.request_id, **whose("radio", pdu.radio_ip)}
    if service == LocationProtocolSpecificService.StandardReport:
        fields.update({"result": pdu.result.value, "gps": position(pdu.gpsdata)})
    return fields


def position(gps):
    """The library keeps ddmm.mmmm as one number, and an empty speed or course as the whole number 0."""
    lat, lon = f"{gps.latitude:09.4f}", f"{gps.longitude:010.4f}"
    return {
        "valid": gps.data_valid,
        "utc_time": gps.greenwich_time.strftime("%H%M%S") if gps.greenwich_time is not None else "",
        "utc_date_ddmmyy": gps.greenwich_date.strftime("%d%m%y") if gps.greenwich_date is not None else "",
        "ns": gps.north_south,
        "lat_raw": lat,
        "ew": gps.east_west,
        "lon_raw": lon,
        "speed_knots_raw": f"{gps.speed_knots:.1f}" if isinstance(gps.speed_knots, float) else "",
        "course_raw": f"{gps.direction:03d}" if gps.direction else "",
        "lat": degrees(lat[:2], lat[2:], gps.north_south),
        "lon": degrees(lon[:3], lon[3:], gps.east_west),
    }


def degrees(whole, minutes, side):
    value = int(whole) + float(minutes) / 60
    return round(-value if side in "SW" else value, 7)


def message(pdu):
    fields = {
        **typed(pdu.opcode),
        "flag_bit7": int(pdu.is_confirmed),
        "flag_option": int(pdu.has_option),
        "request_id": pdu.request_id,
        **whose("dest", pdu.destination_ip),
    }
    if pdu.source_ip is not None:
        fields.update(whose("src", pdu.source_ip))
    if pdu.result_code is not None:
        fields["result"] = pdu.result_code.value
    if pdu.opcode in (TMPService.SendPrivateMessage, TMPService.SendGroupMessage):
        # A half character at the end is dropped.
        whole = len(pdu.text_data) // 2 * 2
        fields["text"] = pdu.text_data[:whole].decode("utf-16-le", "replace")
    return fields


# --- building ---------------------------------------------------------------------------------------


def radio(rng):
    number = rng.choice((0, 1, 0xFFFFFF, rng.randint(1, 0xFFFFFE)))
    return RadioIP(radio_id=number, subnet=rng.choice((10, 10, 12, 0, 192)))


def build_registration(rng):
    opcode, ip = rng.choice(list(RRSTypes)), radio(rng)
    result, renew, state = rng.randint(0, 2), rng.choice((1, 60, 300, 3600, 65534)), rng.randint(0, 1)
    pdu = RadioRegistrationService(opcode, rng.random() < 0.3, ip, result, renew, state)
    fields = {**typed(opcode), **whose("radio", ip)}
    if opcode == RRSTypes.RadioRegistrationAnswer:
        fields.update({"result": result, "renew_seconds": renew})
    down = (RRSTypes.RadioRegistrationAnswer, RRSTypes.RegistrationStatusCheckRequest)
    return pdu, fields, "to_terminal" if opcode in down else "from_terminal"


def build_position(rng):
    """A GPS block and its fields; the library writes zero speed and course as NUL."""
    clock = datetime.time(rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59))
    day = datetime.date(rng.randint(2000, 2060), rng.randint(1, 12), rng.randint(1, 28))
    if rng.random() < 0.2:
        clock = day = b"\0" * 6
    lat = f"{rng.randint(0, 89):02d}{rng.randint(0, 59):02d}.{rng.randint(0, 9999):04d}"
    lon = f"{rng.randint(0, 179):03d}{rng.randint(0, 59):02d}.{rng.randint(0, 9999):04d}"
    speed, course = rng.choice((0, rng.randint(1, 99) / 10)), rng.choice((0, rng.randint(1, 359)))
    valid, ns, ew = rng.choice("AAAV"), rng.choice("NNNS"), rng.choice("EEEW")
    gps = GPSData(valid, clock, day, ns, float(lat), ew, float(lon), float(speed), course)
    fields = {"valid": valid, "ns": ns, "lat_raw": lat, "ew": ew, "lon_raw": lon}
    fields["utc_time"] = "" if isinstance(clock, bytes) else clock.strftime("%H%M%S")
    fields["utc_date_ddmmyy"] = "" if isinstance(day, bytes) else day.strftime("%d%m%y")
    fields["speed_knots_raw"] = f"{speed:.1f}" if speed else ""
    fields["course_raw"] = f"{course:03d}" if course else ""
    fields["lat"], fields["lon"] = degrees(lat[:2], lat[2:], ns), degrees(lon[:3], lon[3:], ew)
    return gps, fields


def build_location(rng):
    ip, request = radio(rng), rng.choice((0, 1, 0x20000001, 0xFFFFFFFF))
    reliable = rng.random() < 0.3
    if rng.random() < 0.3:
        service = LocationProtocolSpecificService.StandardRequest
        pdu = LocationProtocol(service, request, ip, is_reliable=reliable)
        return pdu, {**typed(service), "request_id": request, **whose("radio", ip)}, "to_terminal"
    service, result = LocationProtocolSpecificService.StandardReport, rng.choice((0, 0, 6, 105))
    gps, gps_fields = build_position(rng)
    pdu = LocationProtocol(service, request, ip, result, gps, reliable)
    fields = {**typed(service), "request_id": request, **whose("radio", ip), "result": result, "gps": gps_fields}
    return pdu, fields, "from_terminal"


WORDS = ("收到", "请回复", "村口桥断了", "OK", "\r\n", "𠮷", "🆘", "药品30箱，", "Ready", " ", "Ж", "é")


def build_message(rng):
    texts = (TMPService.SendPrivateMessage, TMPService.SendGroupMessage)
    results = (TMPService.SendPrivateMessageAck, TMPService.SendGroupMessageAck)
    opcode = rng.choice(texts * 3 + results * 2 + (TMPService.PrivateShortDataAck, TMPService.GroupShortDataAck))
    option = rng.randbytes(rng.randint(0, 6)) if rng.random() < 0.2 else None
    source, dest, request = radio(rng), radio(rng), rng.choice((0, 1, 0x30000001, 0xFFFFFFFF))
    confirmed, words = rng.random() < 0.5, "".join(rng.choice(WORDS) for _ in range(rng.choice((0, 1, 5, 25))))
    fields = {**typed(opcode), "flag_bit7": int(confirmed), "flag_option": int(option is not None)}
    fields.update({"request_id": request, **whose("dest", dest)})
    pdu = TextMessageProtocol(opcode, source, dest, rng.random() < 0.3, confirmed, option is not None, request)
    pdu.option_data = option
    if opcode in texts:
        pdu.text_data = words.encode("utf-16-le") + (b"\x20" if rng.random() < 0.05 else b"")
        fields.update({**whose("src", source), "text": words})
    else:
        pdu.result_code = rng.choice(list(TMPResultCodes))
        fields["result"] = pdu.result_code.value
        if not pdu.is_group():
            fields.update(whose("src", source))
    return pdu, fields, rng.choice(("to_terminal", "from_terminal"))


def damage(rng, raw):
    """Bytes that must be refused. The service byte is outside the sum, the end byte is not insisted on."""
    kind = rng.randrange(4)
    if kind == 0:
        at = rng.randrange(1, len(raw) - 1)
        return raw[:at] + bytes([raw[at] ^ 1 << rng.randrange(8)]) + raw[at + 1 :]
    if kind == 1:
        return raw[: rng.randrange(1, len(raw) - 1)]
    if kind == 2:
        return raw[:-2] + bytes([raw[-2] ^ rng.randint(1, 255)]) + raw[-1:]
    longer = raw[:3] + (len(raw) - 7 + rng.randint(1, 300)).to_bytes(2, "big") + raw[5:-2]
    return longer + HDAP.get_hdap_checksum(longer[1:]) + raw[-1:]


def generate(seed, count):
    rng = random.Random(seed)
    for number in range(count):
        pdu, fields, direction = rng.choice((build_registration, build_location, build_message))(rng)
        raw, service = pdu.as_bytes(), pdu.get_service_type().name
        fields = {"service": service, "reliable": pdu.is_reliable, "opcode": f"0x{raw[1:3].hex()}", **fields}
        fields.update({"payload_len": len(raw) - 7, "end": "0x03"})
        broken = rng.random() < 0.15
        yield {
            "id": f"hdap-{number:06d}",
            "protocol": PROTOCOLS[service],
            "direction": direction,
            "hex": (damage(rng, raw) if broken else raw).hex(),
            "expect": "refuse" if broken else "decode",
            "fields": {} if broken else fields,
        }


# --- what is known to differ ------------------------------------------------------------------------


def opcode_of(case):
    return bytes.fromhex(case["hex"])[1:3].hex()


# Reason -> is it this? Only for `check`, the library against recorded cases. Nothing is excused in `compare`.
KNOWN_DIFFERENCES = {
    "ok-dmrlib reads only A001 and A002 of LP; other reports are refused": lambda case, answer: (
        case["protocol"] == "hytera-lp" and opcode_of(case) not in ("a001", "a002") and not answer["ok"]
    ),
    "ok-dmrlib drops the ninth byte of an A001 request": lambda case, answer: (
        opcode_of(case) == "a001" and "extra_hex" in case["fields"] and answer["ok"]
    ),
    "ok-dmrlib forgets the reliable bit of an A001 request": lambda case, answer: (
        opcode_of(case) == "a001" and case["fields"].get("reliable") is True and answer["ok"]
    ),
}


def known(reason, is_it):
    return lambda case, answer: reason if is_it(case, answer) else None


def main():
    parser = argparse.ArgumentParser(description="ok-dmrlib as a second reading of Hytera HDAP")
    rules = [known(reason, is_it) for reason, is_it in KNOWN_DIFFERENCES.items()]
    comparison.run_command_line(parser, generate, decode_case, Refused, rules, tuple(PROTOCOLS.values()))


if __name__ == "__main__":
    main()
