"""ok-dmrlib (PyPI) as a second opinion on Hytera HDAP: registration (RRS), location (LP) and text (TMP),
alone and carried by HRNP or HSTRP.

Frames are built by the library's own classes from random values, so their bytes are its reading of the protocol
and not ours. It does not verify what it parses; checksum and length are checked here, with its own sum.

    hdap_peer.py generate --seed 1 --count 1000
    hdap_peer.py decode < cases
    hdap_peer.py check recorded.jsonl
    hdap_peer.py compare [--seed N] [--count N] [--protocol NAME] PROGRAM ARGS...
"""

import argparse
import datetime
import random
import sys

import comparison

try:
    from okdmr.dmrlib.hytera.pdu.hdap import HDAP, HyteraServiceType
    from okdmr.dmrlib.hytera.pdu.hrnp import HRNP, HRNPOpcodes
    from okdmr.dmrlib.hytera.pdu.hstrp import HSTRP, HSTRPOptions, HSTRPOptionType, HSTRPPacketType
    from okdmr.dmrlib.hytera.pdu.location_protocol import GPSData, LocationProtocol, LocationProtocolSpecificService
    from okdmr.dmrlib.hytera.pdu.radio_ip import RadioIP
    from okdmr.dmrlib.hytera.pdu.radio_registration_service import RadioRegistrationService, RRSTypes
    from okdmr.dmrlib.hytera.pdu.text_message_protocol import TextMessageProtocol, TMPResultCodes, TMPService
except ImportError as missing:
    sys.exit(f"{missing}; this peer needs ok-dmrlib 0.8.0 in its Python environment, see README.md")

PROTOCOLS = {"RRS": "hytera-rrs", "LP": "hytera-lp", "TMP": "hytera-hdap-tmp"}
HRNP_NAMES = {
    HRNPOpcodes.CONNECT: "connect",
    HRNPOpcodes.ACCEPT: "accept",
    HRNPOpcodes.DATA: "data",
    HRNPOpcodes.DATA_ACK: "data_ack",
}
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


# How the library says that it cannot read something; it has no error type of its own.
LIBRARY_FAILURES = (AssertionError, AttributeError, IndexError, KeyError, NotImplementedError, TypeError, ValueError)


class Refused(Exception):
    """The bytes must not be taken for a message; the argument says why."""


# --- reading ----------------------------------------------------------------------------------------


def decode_case(case):
    raw = bytes.fromhex(case["hex"])
    reader = {"hytera-hrnp": decode_hrnp, "hytera-hstrp": decode_hstrp}.get(case["protocol"], decode)
    try:
        return reader(raw)
    except LIBRARY_FAILURES as reason:
        raise Refused(f"ok-dmrlib: {reason!r}") from reason


def decode_hrnp(raw):
    if len(raw) < 12 or raw[0] != 0x7E or int.from_bytes(raw[8:10], "big") != len(raw):
        raise Refused("not one whole HRNP frame")
    pdu = HRNP.from_bytes(raw)
    if not pdu.checksum_correct:
        raise Refused(f"checksum {raw[10:12].hex()} is wrong")
    return {**hrnp_fields(pdu, raw), **({"hdap": decode(raw[12:])} if pdu.has_data() else {})}


def hrnp_fields(pdu, raw):
    fields = {"version": pdu.version[0], "block": pdu.block_number, "source": pdu.source}
    fields.update({"destination": pdu.destination, "packet_number": pdu.packet_number})
    fields.update({"length": len(raw), "checksum": f"0x{raw[10:12].hex()}"})
    if pdu.opcode in HRNP_NAMES:
        fields["opcode"] = HRNP_NAMES[pdu.opcode]
    return fields | ({"hdap_checksum_ok": True} if pdu.has_data() else {})


def decode_hstrp(raw):
    pdu = HSTRP.from_bytes(raw)
    if pdu is None:
        raise Refused("truncated")
    options = len(pdu.options) if pdu.options else 0
    return {**hstrp_fields(pdu, raw), **({"hdap": decode(raw[6 + options :])} if pdu.payload else {})}


def hstrp_fields(pdu, raw):
    kind = pdu.pkt_type
    flags = {"option": kind.have_options, "reject": kind.is_reject, "close": kind.is_close}
    flags.update({"connect": kind.is_connect, "heartbeat": kind.is_heartbeat, "ack": kind.is_ack})
    fields = {"version": raw[2], "type": f"0x{raw[3]:02x}", "flags": [name for name, is_set in flags.items() if is_set]}
    if pdu.options and pdu.options.options:
        values = [(option.value, int.from_bytes(data, "big")) for option, data in pdu.options.options]
        fields["options"] = [{"cmd": cmd, "value": value} for cmd, value in values]
    return {**fields, "sequence": pdu.sn}


def decode(raw):
    if len(raw) < 7:
        raise Refused(f"truncated: {len(raw)} bytes, the shortest frame has 7")
    # Control (RCP) alone is little-endian.
    order = "little" if raw[0] & 0x7F == HyteraServiceType.RCP.value else "big"
    declared = int.from_bytes(raw[3:5], order)
    if declared + 7 != len(raw):
        raise Refused(f"declares {declared} payload bytes, {len(raw) - 7} present")
    if HDAP.get_hdap_checksum(raw[1:-2]) != raw[-2:-1]:
        raise Refused(f"checksum {raw[-2]:02x} is wrong")
    pdu = HDAP.from_bytes(raw)
    if pdu is None:
        raise Refused("ok-dmrlib does not know this opcode")
    service = pdu.get_service_type().name
    fields = {
        "service": service,
        "reliable": pdu.is_reliable,
        "opcode": f"0x{int.from_bytes(raw[1:3], order):04x}",
        "payload_len": declared,
        "end": f"0x{raw[-1]:02x}",
    }
    readers = {"RRS": registration, "LP": location, "TMP": message}
    return {**fields, **(readers[service](pdu) if service in readers else {})}


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


def build(rng):
    """One HDAP frame: the library's object, its fields, its direction."""
    pdu, fields, direction = rng.choice((build_registration, build_location, build_message))(rng)
    raw, service = pdu.as_bytes(), pdu.get_service_type().name
    fields = {"service": service, "reliable": pdu.is_reliable, "opcode": f"0x{raw[1:3].hex()}", **fields}
    return pdu, {**fields, "payload_len": len(raw) - 7, "end": "0x03"}, direction


def hdap_frame(rng):
    pdu, fields, direction = build(rng)
    return PROTOCOLS[fields["service"]], direction, pdu.as_bytes(), fields, damage


def hrnp_frame(rng):
    opcode, carried, fields = rng.choice((HRNPOpcodes.DATA,) * 4 + tuple(HRNPOpcodes)), None, {}
    direction = rng.choice(("to_terminal", "from_terminal"))
    if opcode == HRNPOpcodes.DATA:
        carried, inner, direction = build(rng)
        fields = {"hdap": inner}
    source, version, number = rng.choice(((0x20, 0x10), (0x10, 0x20))), rng.choice((3, 4)), rng.randint(0, 0xFFFF)
    pdu = HRNP(carried, opcode, *source, packet_number=number, version=version)
    raw = pdu.as_bytes()
    return "hytera-hrnp", direction, raw, {**hrnp_fields(pdu, raw), **fields}, damage_hrnp


def hstrp_frame(rng):
    """Data with options from a repeater or without from a host, or one of the session's own datagrams."""
    options = HSTRPOptions()
    options.add_option(HSTRPOptionType.DeviceID, rng.randbytes(4))
    options.add_option(HSTRPOptionType.ChannelID, rng.randbytes(1))
    number, kind = rng.randint(0, 0xFFFF), rng.randrange(5)
    if kind < 2:
        carried, inner, direction = build(rng)
        pdu = HSTRP(HSTRPPacketType(have_options=kind == 0), number, options if kind == 0 else None, carried)
        raw = pdu.as_bytes()
        return "hytera-hstrp", direction, raw, {**hstrp_fields(pdu, raw), "hdap": inner}, damage_hstrp
    kinds = (HSTRPPacketType(True, is_connect=True), HSTRPPacketType(is_heartbeat=True), HSTRPPacketType(is_ack=True))
    pdu = HSTRP(kinds[kind - 2], 0 if kind == 3 else number, options if kind == 2 else None)
    raw = pdu.as_bytes()
    return "hytera-hstrp", rng.choice(("to_terminal", "from_terminal")), raw, hstrp_fields(pdu, raw), damage_hstrp


def damage_hrnp(rng, raw):
    if rng.random() < 0.3:
        return raw[: rng.randrange(1, len(raw))]
    at = rng.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ 1 << rng.randrange(8)]) + raw[at + 1 :]


def damage_hstrp(rng, raw):
    """It has no sum of its own: the head is broken, or the frame it carries."""
    if len(raw) < 20 or rng.random() < 0.3:
        return rng.choice((raw[: rng.randrange(1, 6)], bytes([raw[0] ^ 1]) + raw[1:]))
    at = len(raw) - 2
    return raw[:at] + bytes([raw[at] ^ rng.randint(1, 255)]) + raw[at + 1 :]


CARRIERS = {"hytera-hrnp": hrnp_frame, "hytera-hstrp": hstrp_frame}


def generate(seed, count, protocols=()):
    """Bare HDAP by default, as radios speak it over UDP; carriers are built when they are asked for."""
    rng = random.Random(seed)
    makers = [CARRIERS[name] for name in protocols if name in CARRIERS]
    if not protocols or not set(protocols) <= set(CARRIERS):
        makers.append(hdap_frame)
    for number in range(count):
        protocol, direction, raw, fields, harm = rng.choice(makers)(rng)
        if protocols and protocol not in protocols:
            continue
        broken = rng.random() < 0.15
        yield {
            "id": f"hdap-{number:06d}",
            "protocol": protocol,
            "direction": direction,
            "hex": (harm(rng, raw) if broken else raw).hex(),
            "expect": "refuse" if broken else "decode",
            "fields": {} if broken else fields,
        }


# --- what is known to differ ------------------------------------------------------------------------


def carried(case):
    """The HDAP bytes of a case, behind HRNP or HSTRP if it has one of them."""
    raw = bytes.fromhex(case["hex"])
    if case["protocol"] == "hytera-hrnp":
        return raw[12:]
    if case["protocol"] == "hytera-hstrp":
        return raw[15 if raw[3] & 0x20 else 6 :]  # device id and slot are the options in use
    return raw


def service_and_opcode(case):
    found = carried(case)
    return (found[0] & 0x7F, found[1:3].hex()) if len(found) > 2 else (None, None)


def rewritten(frame):
    """Whether the library would write other bytes than it read, or fails to."""
    try:
        return HDAP.from_bytes(frame).as_bytes() != frame
    except LIBRARY_FAILURES:
        return True


# Reason -> is it this? Only for `check`, the library against recorded cases. Nothing is excused in `compare`.
KNOWN_DIFFERENCES = {
    "of control (RCP) only the header is compared": lambda case, _answer: service_and_opcode(case)[0] == 0x02,
    "ok-dmrlib sums HRNP over its own rewriting of the carried frame": lambda case, _answer: (
        case["protocol"] == "hytera-hrnp" and rewritten(carried(case))
    ),
    "ok-dmrlib reads a text with an empty option field but cannot count its length": lambda case, answer: (
        (case["protocol"], answer["ok"]) == ("hytera-hstrp", False)
        and carried(case)[1] & 0x40
        and rewritten(carried(case))
    ),
    "ok-dmrlib reads only A001 and A002 of LP; other reports are refused": lambda case, answer: (
        case["protocol"] == "hytera-lp" and service_and_opcode(case)[1] not in ("a001", "a002") and not answer["ok"]
    ),
    "ok-dmrlib drops the ninth byte of an A001 request": lambda case, answer: (
        service_and_opcode(case) == (0x08, "a001") and "extra_hex" in case["fields"] and answer["ok"]
    ),
    "ok-dmrlib forgets the reliable bit of an A001 request": lambda case, answer: (
        service_and_opcode(case) == (0x08, "a001") and carried(case)[0] == 0x88 and answer["ok"]
    ),
}


def known(reason, is_it):
    return lambda case, answer: reason if is_it(case, answer) else None


def main():
    parser = argparse.ArgumentParser(description="ok-dmrlib as a second reading of Hytera HDAP")
    rules = [known(reason, is_it) for reason, is_it in KNOWN_DIFFERENCES.items()]
    comparison.run_command_line(parser, generate, decode_case, Refused, rules, (*PROTOCOLS.values(), *CARRIERS))


if __name__ == "__main__":
    main()
