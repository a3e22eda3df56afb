//! What Meshtastic radios speak, as types. Field numbers, wire types, magic bytes and limits are facts of the public
//! interface (firmware 2.6 to 2.8); the declarations are our own and hold only what is read or written here.

mod body;
mod channel;
mod frame;
mod message;
mod raw;

pub use body::{
    Admin, Contact, DeviceMetrics, Environment, LocalStats, Neighbor, NeighborInfo, Pli, Position, RouteDiscovery,
    Routing, StoreAndForward, Tak, TakChat, Telemetry, User, Waypoint,
};
pub use channel::{Channel, ChannelError, nonce};
pub use frame::{FRAME_MAX, HEADER, MAGIC, PAYLOAD_MAX, WAKE, framed, is_wake, payload};
pub use message::{
    ChannelSettings, ChannelSlot, ClientNotification, Config, Data, FileInfo, FromRadio, Heartbeat, LogRecord, Lora,
    MeshPacket, Metadata, ModuleConfig, Mqtt, MqttProxy, MyInfo, NodeInfo, QueueStatus, ServiceEnvelope, ToRadio,
};
pub use raw::{first_field, top_fields};
// For whoever reads or writes these messages outside this crate.
pub use prost::Message;

/// Everybody on a channel.
pub const BROADCAST: u32 = 0xFFFF_FFFF;
/// `want_config_id` of a host that wants no list of the other radios.
pub const WITHOUT_LIST: u32 = 69_420;
/// `want_config_id` of a host that wants that list alone.
pub const LIST_ONLY: u32 = 69_421;

/// Priorities of a packet that are written here.
pub mod priority {
    pub const RELIABLE: u32 = 70;
    pub const ALERT: u32 = 110;
}

/// Port numbers: what the payload of a packet is.
pub mod port {
    pub const TEXT: u32 = 1;
    pub const POSITION: u32 = 3;
    pub const NODE_INFO: u32 = 4;
    pub const ROUTING: u32 = 5;
    pub const ADMIN: u32 = 6;
    pub const COMPRESSED_TEXT: u32 = 7;
    pub const WAYPOINT: u32 = 8;
    pub const DETECTION: u32 = 10;
    pub const ALERT: u32 = 11;
    pub const KEY_VERIFICATION: u32 = 13;
    pub const STORE_FORWARD: u32 = 65;
    pub const RANGE_TEST: u32 = 66;
    pub const TELEMETRY: u32 = 67;
    pub const TRACEROUTE: u32 = 70;
    pub const NEIGHBOR_INFO: u32 = 71;
    pub const TAK: u32 = 72;
    /// The first of the private ports: bytes from station to station.
    pub const PRIVATE: u32 = 256;
}

/// The name of a routing result.
#[must_use]
pub const fn routing_name(code: u32) -> &'static str {
    match code {
        0 => "NONE",
        1 => "NO_ROUTE",
        2 => "GOT_NAK",
        3 => "TIMEOUT",
        4 => "NO_INTERFACE",
        5 => "MAX_RETRANSMIT",
        6 => "NO_CHANNEL",
        7 => "TOO_LARGE",
        8 => "NO_RESPONSE",
        9 => "DUTY_CYCLE_LIMIT",
        32 => "BAD_REQUEST",
        33 => "NOT_AUTHORIZED",
        34 => "PKI_FAILED",
        35 => "PKI_UNKNOWN_PUBKEY",
        36 => "ADMIN_BAD_SESSION_KEY",
        37 => "ADMIN_PUBLIC_KEY_UNAUTHORIZED",
        38 => "RATE_LIMIT_EXCEEDED",
        39 => "PKI_SEND_FAIL_PUBLIC_KEY",
        _ => "UNKNOWN",
    }
}

/// Routing results that a person reads.
pub mod error {
    pub const MAX_RETRANSMIT: u32 = 5;
    pub const TOO_LARGE: u32 = 7;
    pub const BAD_REQUEST: u32 = 32;
    pub const RATE_LIMIT: u32 = 38;
}
