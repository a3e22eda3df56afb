use crate::config::{Log, LogFormat};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// Logs to the standard error. A second start in one process (tests) keeps the first.
pub(super) fn start(log: &Log) {
    let filter = EnvFilter::try_from_env("YIZHAN_LOG").or_else(|_| EnvFilter::try_new(&log.filter)).unwrap_or_default();
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    let _ = match log.format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
