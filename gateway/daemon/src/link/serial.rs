use super::pace::Pace;
use super::{End, Line, Transmission};
use crate::config::{Parity, Serial};
use bytes::Bytes;
use nix::errno::Errno;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_serial::{SerialPortBuilderExt, SerialStream};
use yizhan_engine::io::{Input, LinkTrouble, TransmitId, TransmitTrouble};

/// A port that takes no byte for this long will not take the rest either.
const STALL: Duration = Duration::from_secs(5);

const READ_MAX: usize = 4_096;

/// What is being written, kept outside the writing so that it is known when the port dies in the middle.
#[derive(Clone, Copy, Debug)]
struct InFlight {
    id: TransmitId,
    written: usize,
}

/// Opens a serial port.
pub(super) fn open(serial: &Serial) -> Result<SerialStream, LinkTrouble> {
    let kind = std::fs::metadata(&serial.port).map_err(|error| trouble(&error))?.file_type();
    if !kind.is_char_device() {
        return Err(LinkTrouble::NotATty);
    }
    let parity = match serial.parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Odd => tokio_serial::Parity::Odd,
        Parity::Even => tokio_serial::Parity::Even,
    };
    let stop_bits = if serial.stop_bits == 2 { tokio_serial::StopBits::Two } else { tokio_serial::StopBits::One };
    tokio_serial::new(serial.port.to_string_lossy(), serial.baud)
        .parity(parity)
        .stop_bits(stop_bits)
        .exclusive(serial.exclusive)
        .open_native_async()
        .map_err(|error| {
            tracing::debug!(port = %serial.port.display(), %error, "serial port did not open");
            match error.kind() {
                tokio_serial::ErrorKind::Io(kind) => trouble(&io::Error::from(kind)),
                // The crate's word for EBUSY and for a lock that another program holds.
                tokio_serial::ErrorKind::NoDevice => LinkTrouble::Busy,
                _ if error.description == Errno::ENOTTY.desc() => LinkTrouble::NotATty,
                _ if [Errno::ENXIO, Errno::ENODEV, Errno::EIO].iter().any(|e| e.desc() == error.description) => {
                    LinkTrouble::Unplugged
                }
                _ => LinkTrouble::Failed,
            }
        })
}

fn trouble(error: &io::Error) -> LinkTrouble {
    match error.kind() {
        io::ErrorKind::NotFound => LinkTrouble::Unplugged,
        io::ErrorKind::PermissionDenied => LinkTrouble::Denied,
        io::ErrorKind::ResourceBusy => LinkTrouble::Busy,
        // A network's ways to say that the far side is gone.
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::TimedOut => LinkTrouble::Unplugged,
        _ => match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EIO | Errno::ENXIO | Errno::ENODEV) => LinkTrouble::Unplugged,
            Some(Errno::ENOTTY) => LinkTrouble::NotATty,
            _ => LinkTrouble::Failed,
        },
    }
}

/// Reads and writes an open port until it is lost or the station stops.
pub(super) async fn serve<P: AsyncRead + AsyncWrite + Send>(
    port: P,
    pace: Pace,
    line: &Line,
    queue: &mut mpsc::Receiver<Transmission>,
) -> End {
    let (reader, writer) = tokio::io::split(port);
    let mut in_flight = None;
    let end = tokio::select! {
        end = read_all(reader, line) => end,
        end = write_all(writer, pace, line, queue, &mut in_flight) => end,
    };
    if let Some(InFlight { id, written }) = in_flight {
        let why = if written == 0 { TransmitTrouble::NotWritten } else { TransmitTrouble::Unknown };
        line.failed(id, why).await;
    }
    end
}

async fn read_all<R: AsyncRead + Unpin>(mut reader: R, line: &Line) -> End {
    let mut buffer = vec![0; READ_MAX];
    loop {
        match reader.read(&mut buffer).await {
            // Not "nothing yet": the far side is gone, and asking again would spin.
            Ok(0) => return End::Lost(LinkTrouble::Unplugged),
            Ok(length) => {
                let bytes = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
                line.tell(Input::Heard { link: line.id.clone(), from: None, bytes }).await;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                tracing::debug!(link = %line.id, %error, "port read failed");
                return End::Lost(trouble(&error));
            }
        }
    }
}

/// Writes what is queued. A stop is noticed between transmissions, so no frame is cut in half by it.
async fn write_all<W: AsyncWrite + Unpin>(
    mut writer: W,
    mut pace: Pace,
    line: &Line,
    queue: &mut mpsc::Receiver<Transmission>,
    in_flight: &mut Option<InFlight>,
) -> End {
    loop {
        let next = tokio::select! {
            biased;
            () = line.stop.cancelled() => None,
            next = queue.recv() => next,
        };
        let Some(Transmission { id, bytes, .. }) = next else { return End::Stopped };
        *in_flight = Some(InFlight { id, written: 0 });
        match write_one(&mut writer, &mut pace, &bytes, in_flight).await {
            Ok(true) => {
                *in_flight = None;
                line.tell(Input::Transmitted { id }).await;
            }
            Ok(false) => {
                let begun = in_flight.take().is_some_and(|flight| flight.written > 0);
                tracing::warn!(link = %line.id, begun, "端口 {} 秒不收数据，本次发送放弃", STALL.as_secs());
                let why = if begun { TransmitTrouble::Unknown } else { TransmitTrouble::NotWritten };
                line.failed(id, why).await;
            }
            Err(error) => {
                tracing::debug!(link = %line.id, %error, "port write failed");
                return End::Lost(trouble(&error));
            }
        }
    }
}

/// `Ok(false)`: the port stalled. Never flushes: that would wait in the kernel, on a thread that others need.
async fn write_one<W: AsyncWrite + Unpin>(
    writer: &mut W,
    pace: &mut Pace,
    bytes: &[u8],
    in_flight: &mut Option<InFlight>,
) -> io::Result<bool> {
    let mut rest = bytes;
    while !rest.is_empty() {
        tokio::time::sleep_until(pace.room_at()).await;
        let chunk = rest.get(..pace.chunk()).unwrap_or(rest);
        let Ok(written) = tokio::time::timeout(STALL, writer.write(chunk)).await else { return Ok(false) };
        let length = match written {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error),
        };
        pace.took(length);
        if let Some(flight) = in_flight {
            flight.written = flight.written.saturating_add(length);
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(true)
}
