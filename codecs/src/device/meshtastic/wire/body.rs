//! The payloads of the ports.

use prost::Message;

#[derive(Clone, Copy, PartialEq, Message)]
pub struct Position {
    /// 1e-7 degree; absent without a fix.
    #[prost(sfixed32, optional, tag = "1")]
    pub latitude_i: Option<i32>,
    #[prost(sfixed32, optional, tag = "2")]
    pub longitude_i: Option<i32>,
    /// Metres above the sea.
    #[prost(int32, optional, tag = "3")]
    pub altitude: Option<i32>,
    /// The radio's clock.
    #[prost(fixed32, tag = "4")]
    pub time: u32,
    /// The time of the fix.
    #[prost(fixed32, tag = "7")]
    pub timestamp: u32,
    /// km/h.
    #[prost(uint32, optional, tag = "15")]
    pub ground_speed: Option<u32>,
    /// 1e-5 degree in the GNSS code, 1e-2 degree in the schema: above 36000 it is the former.
    #[prost(uint32, optional, tag = "16")]
    pub ground_track: Option<u32>,
    #[prost(uint32, tag = "19")]
    pub sats_in_view: u32,
    /// 32 exact, fewer deliberately blurred, 0 not said.
    #[prost(uint32, tag = "23")]
    pub precision_bits: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct User {
    #[prost(bytes = "vec", tag = "1")]
    pub id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub long_name: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub short_name: Vec<u8>,
    #[prost(uint32, tag = "5")]
    pub hw_model: u32,
    #[prost(bool, tag = "6")]
    pub is_licensed: bool,
    #[prost(uint32, tag = "7")]
    pub role: u32,
    #[prost(bytes = "vec", tag = "8")]
    pub public_key: Vec<u8>,
}

/// What became of a packet. Empty bytes are success.
#[derive(Clone, PartialEq, Message)]
pub struct Routing {
    #[prost(message, optional, tag = "1")]
    pub route_request: Option<RouteDiscovery>,
    #[prost(message, optional, tag = "2")]
    pub route_reply: Option<RouteDiscovery>,
    #[prost(uint32, optional, tag = "3")]
    pub error_reason: Option<u32>,
}

/// Quarter decibels; −128 is unknown.
#[derive(Clone, PartialEq, Message)]
pub struct RouteDiscovery {
    #[prost(fixed32, repeated, tag = "1")]
    pub route: Vec<u32>,
    #[prost(int32, repeated, tag = "2")]
    pub snr_towards: Vec<i32>,
    #[prost(fixed32, repeated, tag = "3")]
    pub route_back: Vec<u32>,
    #[prost(int32, repeated, tag = "4")]
    pub snr_back: Vec<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub struct NeighborInfo {
    #[prost(uint32, tag = "1")]
    pub node_id: u32,
    #[prost(message, repeated, tag = "4")]
    pub neighbors: Vec<Neighbor>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub struct Neighbor {
    #[prost(uint32, tag = "1")]
    pub node_id: u32,
    #[prost(float, tag = "2")]
    pub snr: f32,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub struct Telemetry {
    #[prost(fixed32, tag = "1")]
    pub time: u32,
    #[prost(message, optional, tag = "2")]
    pub device: Option<DeviceMetrics>,
    #[prost(message, optional, tag = "3")]
    pub environment: Option<Environment>,
    #[prost(message, optional, tag = "6")]
    pub local: Option<LocalStats>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub struct DeviceMetrics {
    /// Percent; above 100 it stands on mains.
    #[prost(uint32, optional, tag = "1")]
    pub battery_level: Option<u32>,
    #[prost(float, optional, tag = "2")]
    pub voltage: Option<f32>,
    #[prost(float, optional, tag = "3")]
    pub channel_utilization: Option<f32>,
    #[prost(float, optional, tag = "4")]
    pub air_util_tx: Option<f32>,
    #[prost(uint32, optional, tag = "5")]
    pub uptime_seconds: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub struct Environment {
    #[prost(float, optional, tag = "1")]
    pub temperature: Option<f32>,
    #[prost(float, optional, tag = "2")]
    pub relative_humidity: Option<f32>,
    #[prost(float, optional, tag = "3")]
    pub barometric_pressure: Option<f32>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub struct LocalStats {
    #[prost(uint32, tag = "1")]
    pub uptime_seconds: u32,
    #[prost(float, tag = "2")]
    pub channel_utilization: f32,
    #[prost(float, tag = "3")]
    pub air_util_tx: f32,
    #[prost(uint32, tag = "4")]
    pub tx: u32,
    #[prost(uint32, tag = "5")]
    pub rx: u32,
    #[prost(uint32, tag = "6")]
    pub rx_bad: u32,
    #[prost(uint32, tag = "7")]
    pub online: u32,
    #[prost(uint32, tag = "8")]
    pub total: u32,
    #[prost(uint32, tag = "9")]
    pub rx_dupe: u32,
    #[prost(uint32, tag = "10")]
    pub relayed: u32,
    #[prost(uint32, tag = "11")]
    pub relay_canceled: u32,
    #[prost(uint32, tag = "14")]
    pub tx_dropped: u32,
    #[prost(int32, tag = "15")]
    pub noise_floor: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Waypoint {
    #[prost(uint32, tag = "1")]
    pub id: u32,
    #[prost(sfixed32, optional, tag = "2")]
    pub latitude_i: Option<i32>,
    #[prost(sfixed32, optional, tag = "3")]
    pub longitude_i: Option<i32>,
    #[prost(uint32, tag = "4")]
    pub expire: u32,
    #[prost(bytes = "vec", tag = "6")]
    pub name: Vec<u8>,
    #[prost(bytes = "vec", tag = "7")]
    pub description: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct StoreAndForward {
    #[prost(uint32, tag = "1")]
    pub rr: u32,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub text: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Tak {
    /// The words are Unishox2 then, and not read here.
    #[prost(bool, tag = "1")]
    pub is_compressed: bool,
    #[prost(message, optional, tag = "2")]
    pub contact: Option<Contact>,
    #[prost(message, optional, tag = "5")]
    pub pli: Option<Pli>,
    #[prost(message, optional, tag = "6")]
    pub chat: Option<TakChat>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Contact {
    #[prost(bytes = "vec", tag = "1")]
    pub callsign: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub device_callsign: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub struct Pli {
    #[prost(sfixed32, tag = "1")]
    pub latitude_i: i32,
    #[prost(sfixed32, tag = "2")]
    pub longitude_i: i32,
    #[prost(int32, tag = "3")]
    pub altitude: i32,
    #[prost(uint32, tag = "4")]
    pub speed: u32,
    #[prost(uint32, tag = "5")]
    pub course: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct TakChat {
    #[prost(bytes = "vec", tag = "1")]
    pub message: Vec<u8>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub to: Option<Vec<u8>>,
}

/// Only what `explain` names of a management message. Nothing here writes one.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Admin {
    #[prost(fixed32, optional, tag = "43")]
    pub set_time_only: Option<u32>,
}
