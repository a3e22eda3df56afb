"""ok-dmrlib's HSTRP and RRS classes play a repeater over UDP against a host on loopback.

    hstrp_peer.py PORT RENEW_SECONDS

Connects, registers a radio, wants the answer with that renew time, shows a heartbeat. Exits 0 when the host did all of
it rightly, 1 and says what was wrong otherwise.
"""

import socket
import sys

if sys.argv[1:] == ["--help"]:
    print(__doc__)

try:
    from okdmr.dmrlib.hytera.pdu.hstrp import HSTRP, HSTRPOptions, HSTRPOptionType, HSTRPPacketType
    from okdmr.dmrlib.hytera.pdu.radio_ip import RadioIP
    from okdmr.dmrlib.hytera.pdu.radio_registration_service import RadioRegistrationService, RRSTypes
except ImportError as missing:
    sys.exit(f"{missing}; this peer needs ok-dmrlib 0.8.0 in its Python environment, see README.md")

RADIO = bytes([10, 35, 56, 99])


def options():
    chosen = HSTRPOptions()
    chosen.add_option(HSTRPOptionType.DeviceID, (99_999).to_bytes(4, "big"))
    chosen.add_option(HSTRPOptionType.ChannelID, b"\x01")
    return chosen


def heard(host):
    raw = host.recv(2_000)
    return HSTRP.from_bytes(raw), raw


def want(holds, what, raw):
    if not holds:
        sys.exit(f"{what}: {raw.hex()}")


def main():
    port, renew = int(sys.argv[1]), int(sys.argv[2])
    host = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    host.settimeout(20)
    host.connect(("127.0.0.1", port))

    host.send(HSTRP(HSTRPPacketType(True, is_connect=True), 0, options()).as_bytes())
    pdu, raw = heard(host)
    want(pdu.pkt_type.is_connect and pdu.pkt_type.is_ack and pdu.sn == 0, "no answer to the connect", raw)

    request = RadioRegistrationService(RRSTypes.RadioRegistrationRequest, False, RadioIP.from_bytes(RADIO))
    host.send(HSTRP(HSTRPPacketType(have_options=True), 7, options(), request).as_bytes())
    pdu, raw = heard(host)
    want(pdu.pkt_type.is_ack and not pdu.pkt_type.is_connect and pdu.sn == 7, "no ack of the registration", raw)
    pdu, raw = heard(host)
    answer = pdu.payload
    want(isinstance(answer, RadioRegistrationService), "no registration answer", raw)
    want(answer.opcode == RRSTypes.RadioRegistrationAnswer, "another answer", raw)
    want(answer.as_bytes()[5:9] == RADIO and answer.as_bytes()[9] == 0, "another radio or result", raw)
    want(answer.as_bytes()[10:14] == renew.to_bytes(4, "big"), "another renew time", raw)
    host.send(HSTRP(HSTRPPacketType(is_ack=True), pdu.sn).as_bytes())

    host.send(HSTRP(HSTRPPacketType(is_heartbeat=True), 0).as_bytes())
    pdu, raw = heard(host)
    want(pdu.pkt_type.is_heartbeat, "no heartbeat in answer", raw)


if __name__ == "__main__" and sys.argv[1:] != ["--help"]:
    main()
