//! A device described in its profile, for a vendor who discloses a layout (or for a modem that is transparent).
//!
//! What it is: one kind of frame in each direction, told as offsets. What it is not: a protocol with sessions, answers or
//! several kinds of frame; such a device gets a folder of its own (CONTRIBUTING.md).
//!
//! **Invariants**
//! - Nothing is confirmed: written to the device is all that is ever known.
//! - A frame that is whole and not described further becomes a remark with its bytes; it is never dropped.
//! - Every error of a profile names its key.
//! - The bearer is fixed in the register, so all such devices are of bearer radio370, whatever carries them.
//!
//! **Profile keys** (default; offsets count from the frame's first byte, from 0; negative ones from behind its end):
//! `framing` · `idle` a burst, ended by `idle_ms` (30, of 20 to 50) of silence · `line` ended by `delimiter` (`0d0a`, hex) ·
//! `datagram` · `frame` begins with `head` (hex), may end with `tail` (hex), and `length` = `"offset,size,be|le,adds"`
//! says how long it is: the field's number plus `adds` = the whole frame · `fixed`, always `size` bytes.
//! `max` (512) bytes of the longest frame · `checksum` = `none`, or `"kind,from,to,at[,be|le]"`: of the bytes `from` up to,
//! not including, `to`, standing at `at`; kinds sum8, sum8c33 (the sum's complement plus 33 hex), xor8, crc16-ccitt
//! (1021, from FFFF), crc16-modbus · `id` = `"offset,size,be|le|ascii|bcd"`: the far terminal, sender of what is heard and
//! receiver of what is sent · `to`, in the same way: then `id` is always the sender, and `own` (1) is ours · `text` =
//! `"offset,length|rest"` · `text_if`, `position_if` = `"offset,hex"`: only in frames that have these bytes there ·
//! `charset` (`utf-8`), `gb18030`, `utf-16le`, `utf-16be` · `position` = `none`, `nmea` (a GGA or RMC sentence anywhere),
//! `"e7:offset,be|le"` (latitude, longitude, each a signed 32-bit number of 1e-7 degree), `"fraction:offset,n,be|le"` (of
//! 2^-n degree) · `far` (`0`) who it is that speaks, where the frame does not say · `send` (false) whether texts may be
//! sent with the same layout · `peer` (`ip:port`) where to, on a datagram link; a multicast group too · `pace_ms` (2000).
//!
//! Without `framing` the layout is [`wire::DEFAULT`], which is also what `explain` reads as protocol `raw`: invented, after
//! the `68 … 10` frames of common radio modules. `explain` has no profile to go by.

mod codec;
mod fields;
mod framer;
#[cfg(test)]
mod tests;
pub mod wire;

pub use framer::framer;

use super::Device;
use crate::message::Bearer;

/// The register's line.
pub const DEVICE: Device = Device {
    name: "raw",
    label: "按资料描述的设备",
    bearer: Bearer::Radio370,
    protocols: fields::PROTOCOLS,
    labels: fields::LABELS,
    open: codec::open,
};
