//! A datagram from a radio: read, judged, answered; what the parser takes comes out of the emitter the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yizhan_codecs::codec::Profile;
use yizhan_codecs::device;
use yizhan_codecs::device::hytera::wire::Hdap;

fuzz_target!(|datagram: &[u8]| {
    if let Ok((frame, rest)) = Hdap::parse(datagram) {
        let emitted = frame.emit().expect("a frame that was read fits its length field");
        assert_eq!([&emitted[..], rest].concat(), datagram);
    }
    // The checksum keeps most mutations out; put right, they reach the services.
    if let Some((summed, [_, _])) = datagram.split_last_chunk::<2>() {
        let sum = summed.iter().skip(1).fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        judge(&[summed, &[(!sum).wrapping_add(0x33), 3]].concat());
    }
    judge(datagram);
});

fn judge(datagram: &[u8]) {
    let codec = device::open("hytera", &Profile::default()).expect("a registered device opens");
    for signal in codec.decode(datagram, None).unwrap_or_default() {
        if let Some(answer) = codec.acknowledge(&signal) {
            codec.decode(&answer, None).expect("our own answers are frames");
        }
    }
}
