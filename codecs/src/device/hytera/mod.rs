//! Hytera radios (海能达) of the 370 MHz network, over their data interface: bare HDAP in UDP datagrams.

pub mod wire;
