//! Beidou short-message terminals (北斗短报文): RDSS 4.0, 2.1, BDS-3 RSMC and NMEA on one port.

pub mod wire;

mod framer;

pub use framer::BeidouFramer;

#[cfg(test)]
mod vectors;
