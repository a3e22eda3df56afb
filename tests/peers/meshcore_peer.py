"""The real MeshCore client (PyPI meshcore) at a serial port or over TCP: says what it understood, one JSON object a line.

    meshcore_peer.py PORT FAR TEXT     connects, lists contacts, sends TEXT to FAR, waits for its ack and for one text;
                                   PORT is a path, or HOST:NUMBER for TCP
"""

import asyncio
import json
import sys

import serial
from meshcore import EventType, MeshCore

WITHIN = 30

# A pseudo-terminal has no modem lines, and the client sets them.
serial.Serial._update_dtr_state = lambda self: None
serial.Serial._update_rts_state = lambda self: None


def say(**what):
    print(json.dumps(what, ensure_ascii=False), flush=True)


async def main(port, far, text):
    host, colon, number = port.rpartition(":")
    client = await (MeshCore.create_tcp(host, int(number)) if colon else MeshCore.create_serial(port, 115200))
    if client is None:
        sys.exit("the radio did not answer")
    me = client.self_info
    say(self=me["public_key"][:12], name=me["name"])
    contacts = await client.commands.get_contacts()
    say(contacts={key[:12]: contact["adv_name"] for key, contact in contacts.payload.items()})
    heard = asyncio.get_running_loop().create_future()

    async def on_text(event):
        if not heard.done():
            heard.set_result(event.payload)

    client.subscribe(EventType.CONTACT_MSG_RECV, on_text)
    await client.start_auto_message_fetching()
    acks = asyncio.Queue()

    async def on_ack(event):
        await acks.put(event.payload["code"])

    client.subscribe(EventType.ACK, on_ack)
    sent = await client.commands.send_msg(far, text)
    if sent.type != EventType.MSG_SENT:
        sys.exit(f"not sent: {sent.payload}")
    code = await asyncio.wait_for(acks.get(), WITHIN)
    say(acked=code == sent.payload["expected_ack"].hex())
    battery = await client.commands.get_bat()
    say(battery=battery.payload["level"])
    say(ready=True)
    payload = await asyncio.wait_for(heard, WITHIN)
    say(heard=payload["text"], sender=payload["pubkey_prefix"])
    await client.disconnect()


if __name__ == "__main__":
    if sys.argv[1:] == ["--help"]:
        print(__doc__)
    else:
        asyncio.run(main(*sys.argv[1:4]))
