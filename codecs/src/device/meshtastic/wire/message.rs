//! The messages between host and radio, and the packet that they carry.
//!
//! Names may end in the middle of a character, so they are bytes here and words only for a person.

use prost::Message;

/// Host to radio: one of its fields.
#[derive(Clone, PartialEq, Message)]
pub struct ToRadio {
    #[prost(message, optional, tag = "1")]
    pub packet: Option<MeshPacket>,
    #[prost(uint32, optional, tag = "3")]
    pub want_config_id: Option<u32>,
    #[prost(bool, optional, tag = "4")]
    pub disconnect: Option<bool>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub xmodem: Option<Vec<u8>>,
    #[prost(message, optional, tag = "6")]
    pub mqtt: Option<MqttProxy>,
    #[prost(message, optional, tag = "7")]
    pub heartbeat: Option<Heartbeat>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Heartbeat {
    #[prost(uint32, tag = "1")]
    pub nonce: u32,
}

/// Radio to host: a running counter and one of the other fields.
#[derive(Clone, PartialEq, Message)]
pub struct FromRadio {
    #[prost(uint32, tag = "1")]
    pub id: u32,
    #[prost(message, optional, tag = "2")]
    pub packet: Option<MeshPacket>,
    #[prost(message, optional, tag = "3")]
    pub my_info: Option<MyInfo>,
    #[prost(message, optional, tag = "4")]
    pub node_info: Option<NodeInfo>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub config: Option<Vec<u8>>,
    #[prost(message, optional, tag = "6")]
    pub log_record: Option<LogRecord>,
    #[prost(uint32, optional, tag = "7")]
    pub config_complete_id: Option<u32>,
    #[prost(bool, optional, tag = "8")]
    pub rebooted: Option<bool>,
    #[prost(bytes = "vec", optional, tag = "9")]
    pub module_config: Option<Vec<u8>>,
    #[prost(message, optional, tag = "10")]
    pub channel: Option<ChannelSlot>,
    #[prost(message, optional, tag = "11")]
    pub queue_status: Option<QueueStatus>,
    #[prost(message, optional, tag = "13")]
    pub metadata: Option<Metadata>,
    #[prost(message, optional, tag = "14")]
    pub mqtt: Option<MqttProxy>,
    #[prost(message, optional, tag = "15")]
    pub file_info: Option<FileInfo>,
    #[prost(message, optional, tag = "16")]
    pub notification: Option<ClientNotification>,
}

#[derive(Clone, PartialEq, Message)]
pub struct MeshPacket {
    /// 0 from a host: the radio at the cable.
    #[prost(fixed32, tag = "1")]
    pub from: u32,
    #[prost(fixed32, tag = "2")]
    pub to: u32,
    /// The channel's index beside `decoded`, its hash beside `encrypted`.
    #[prost(uint32, tag = "3")]
    pub channel: u32,
    #[prost(message, optional, tag = "4")]
    pub decoded: Option<Data>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub encrypted: Option<Vec<u8>>,
    #[prost(fixed32, tag = "6")]
    pub id: u32,
    #[prost(fixed32, optional, tag = "7")]
    pub rx_time: Option<u32>,
    #[prost(float, tag = "8")]
    pub rx_snr: f32,
    #[prost(uint32, tag = "9")]
    pub hop_limit: u32,
    #[prost(bool, tag = "10")]
    pub want_ack: bool,
    #[prost(uint32, tag = "11")]
    pub priority: u32,
    #[prost(int32, optional, tag = "12")]
    pub rx_rssi: Option<i32>,
    #[prost(bool, tag = "14")]
    pub via_mqtt: bool,
    #[prost(uint32, tag = "15")]
    pub hop_start: u32,
    #[prost(bytes = "vec", tag = "16")]
    pub public_key: Vec<u8>,
    #[prost(bool, tag = "17")]
    pub pki_encrypted: bool,
    #[prost(uint32, tag = "18")]
    pub next_hop: u32,
    #[prost(uint32, tag = "19")]
    pub relay_node: u32,
}

/// What a packet is about.
#[derive(Clone, PartialEq, Message)]
pub struct Data {
    #[prost(uint32, tag = "1")]
    pub portnum: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub payload: Vec<u8>,
    #[prost(bool, tag = "3")]
    pub want_response: bool,
    #[prost(fixed32, tag = "4")]
    pub dest: u32,
    #[prost(fixed32, tag = "5")]
    pub source: u32,
    #[prost(fixed32, tag = "6")]
    pub request_id: u32,
    #[prost(fixed32, tag = "7")]
    pub reply_id: u32,
    #[prost(fixed32, tag = "8")]
    pub emoji: u32,
    #[prost(uint32, optional, tag = "9")]
    pub bitfield: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
pub struct MyInfo {
    #[prost(uint32, tag = "1")]
    pub my_node_num: u32,
    #[prost(uint32, tag = "8")]
    pub reboot_count: u32,
    #[prost(uint32, tag = "11")]
    pub min_app_version: u32,
    #[prost(bytes = "vec", tag = "12")]
    pub device_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "13")]
    pub pio_env: Vec<u8>,
    #[prost(uint32, tag = "15")]
    pub nodedb_count: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct NodeInfo {
    #[prost(uint32, tag = "1")]
    pub num: u32,
    #[prost(message, optional, tag = "2")]
    pub user: Option<super::User>,
    #[prost(message, optional, tag = "3")]
    pub position: Option<super::Position>,
    #[prost(float, tag = "4")]
    pub snr: f32,
    #[prost(fixed32, tag = "5")]
    pub last_heard: u32,
    #[prost(message, optional, tag = "6")]
    pub device_metrics: Option<super::DeviceMetrics>,
    #[prost(uint32, tag = "7")]
    pub channel: u32,
    #[prost(bool, tag = "8")]
    pub via_mqtt: bool,
    #[prost(uint32, optional, tag = "9")]
    pub hops_away: Option<u32>,
}

/// One section; only the section for the air is read further.
#[derive(Clone, PartialEq, Message)]
pub struct Config {
    #[prost(message, optional, tag = "6")]
    pub lora: Option<Lora>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Lora {
    #[prost(bool, tag = "1")]
    pub use_preset: bool,
    #[prost(uint32, tag = "2")]
    pub modem_preset: u32,
    #[prost(uint32, tag = "7")]
    pub region: u32,
    #[prost(uint32, tag = "8")]
    pub hop_limit: u32,
    #[prost(bool, tag = "9")]
    pub tx_enabled: bool,
    #[prost(int32, tag = "10")]
    pub tx_power: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct ModuleConfig {
    #[prost(message, optional, tag = "1")]
    pub mqtt: Option<Mqtt>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Mqtt {
    #[prost(bool, tag = "1")]
    pub enabled: bool,
    #[prost(bytes = "vec", tag = "2")]
    pub address: Vec<u8>,
    #[prost(bool, tag = "5")]
    pub encryption_enabled: bool,
    #[prost(bool, tag = "6")]
    pub json_enabled: bool,
    #[prost(bytes = "vec", tag = "8")]
    pub root: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct LogRecord {
    #[prost(bytes = "vec", tag = "1")]
    pub message: Vec<u8>,
    #[prost(fixed32, tag = "2")]
    pub time: u32,
    #[prost(bytes = "vec", tag = "3")]
    pub source: Vec<u8>,
    #[prost(uint32, tag = "4")]
    pub level: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChannelSlot {
    #[prost(int32, tag = "1")]
    pub index: i32,
    #[prost(message, optional, tag = "2")]
    pub settings: Option<ChannelSettings>,
    #[prost(uint32, tag = "3")]
    pub role: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChannelSettings {
    #[prost(bytes = "vec", tag = "2")]
    pub psk: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub name: Vec<u8>,
    #[prost(fixed32, tag = "4")]
    pub id: u32,
    #[prost(bool, tag = "5")]
    pub uplink_enabled: bool,
    #[prost(bool, tag = "6")]
    pub downlink_enabled: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct QueueStatus {
    #[prost(int32, tag = "1")]
    pub res: i32,
    #[prost(uint32, tag = "2")]
    pub free: u32,
    #[prost(uint32, tag = "3")]
    pub maxlen: u32,
    #[prost(uint32, tag = "4")]
    pub mesh_packet_id: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Metadata {
    #[prost(bytes = "vec", tag = "1")]
    pub firmware_version: Vec<u8>,
    #[prost(uint32, tag = "2")]
    pub device_state_version: u32,
    #[prost(bool, tag = "4")]
    pub has_wifi: bool,
    #[prost(bool, tag = "5")]
    pub has_bluetooth: bool,
    #[prost(bool, tag = "6")]
    pub has_ethernet: bool,
    #[prost(uint32, tag = "7")]
    pub role: u32,
    #[prost(uint32, tag = "9")]
    pub hw_model: u32,
    #[prost(bool, tag = "11")]
    pub has_pkc: bool,
}

/// A radio without a network of its own asks its host to publish this for it.
#[derive(Clone, PartialEq, Message)]
pub struct MqttProxy {
    #[prost(bytes = "vec", tag = "1")]
    pub topic: Vec<u8>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub data: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub text: Option<Vec<u8>>,
    #[prost(bool, tag = "4")]
    pub retained: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct FileInfo {
    #[prost(bytes = "vec", tag = "1")]
    pub file_name: Vec<u8>,
    #[prost(uint32, tag = "2")]
    pub size_bytes: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct ClientNotification {
    #[prost(uint32, optional, tag = "1")]
    pub reply_id: Option<u32>,
    #[prost(fixed32, tag = "2")]
    pub time: u32,
    #[prost(uint32, tag = "3")]
    pub level: u32,
    #[prost(bytes = "vec", tag = "4")]
    pub message: Vec<u8>,
}

/// A packet on its way through a broker.
#[derive(Clone, PartialEq, Message)]
pub struct ServiceEnvelope {
    #[prost(message, optional, tag = "1")]
    pub packet: Option<MeshPacket>,
    #[prost(bytes = "vec", tag = "2")]
    pub channel_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub gateway_id: Vec<u8>,
}
