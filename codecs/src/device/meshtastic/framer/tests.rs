use super::*;
use crate::frame::conformance::{self, Specimen, items};

fn frame(payload: &[u8]) -> Bytes {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&MAGIC, length.as_slice(), payload].concat().into()
}

#[test]
fn the_stream_framer_keeps_what_all_framers_keep() {
    let framer = StreamFramer::default();
    let frames = vec![frame(b""), frame(&[0x40, 1]), frame(&[0x94; 30]), frame(&[10, 13, 10, 0x94, 0xC3, 0, 1, 7])];
    conformance::check(&Specimen {
        framer: Box::new(framer),
        frames,
        largest: frame(&[0x94; PAYLOAD_MAX]),
        broken: [b"\x94\xC3\xFF\xFF".as_slice(), b"\x94", b"\x94\x94\x94", b"\x94\xC3\x02\x01", b"INFO | boot ok\r\n"]
            .map(Bytes::from_static)
            .to_vec(),
        half: Some(Bytes::from_static(b"\x94\xC3\x02\x00")),
    });
}

#[test]
fn console_text_is_noise_a_line_at_a_time() {
    let stream = [b"INFO | one\r\nDEBUG | two\n".as_slice(), &frame(b"x"), b"DEBUG"].concat();
    let found = items(&StreamFramer::default(), &stream, || 5);
    let noise: Vec<&[u8]> =
        found.all().filter(|found| matches!(found, Found::Noise { .. })).map(|found| found.bytes().as_ref()).collect();
    assert_eq!(noise, [b"INFO | one\r\n".as_slice(), b"DEBUG | two\n", b"DEBUG"]);
    assert_eq!(found.frames(), [frame(b"x")]);
}
