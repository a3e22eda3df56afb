//! Connections to the API, bounded in number and in silence: whoever opens many and says nothing keeps nobody out for
//! long, and takes no file handles from the ports and the journal.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// Open connections at a time; further ones wait in the system's queue.
const CONNECTIONS_MAX: usize = 256;

/// A connection on which nothing moved for this long is closed. Streams say something every 20 seconds.
const SILENCE_MAX: Duration = Duration::from_secs(75);

/// After a failed accept (no file handles): long enough not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct Bounded {
    listener: TcpListener,
    places: Arc<Semaphore>,
    silence: Duration,
}

/// One connection in its place.
#[derive(Debug)]
pub(super) struct Caller {
    stream: TcpStream,
    silence: Duration,
    deadline: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Bounded {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self { listener, places: Arc::new(Semaphore::new(CONNECTIONS_MAX)), silence: SILENCE_MAX }
    }
}

impl axum::serve::Listener for Bounded {
    type Io = Caller;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Caller, SocketAddr) {
        loop {
            let Ok(place) = self.places.clone().acquire_owned().await else { std::future::pending().await };
            match self.listener.accept().await {
                Ok((stream, from)) => {
                    // Answers and records are small and wanted now.
                    let _ = stream.set_nodelay(true);
                    let deadline = Box::pin(tokio::time::sleep(self.silence));
                    return (Caller { stream, silence: self.silence, deadline, _place: place }, from);
                }
                Err(error) => {
                    tracing::warn!(%error, "接口连接接受失败");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Caller {
    /// Puts the deadline off after something moved, and reports it when nothing did for too long.
    fn moved<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match result {
            Poll::Ready(result) => {
                self.deadline.as_mut().reset(Instant::now() + self.silence);
                Poll::Ready(result)
            }
            Poll::Pending => self.deadline.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into())),
        }
    }
}

impl AsyncRead for Caller {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.moved(context, result)
    }
}

impl AsyncWrite for Caller {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.moved(context, result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::serve::Listener;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_caller_that_says_nothing_is_closed_and_its_place_is_free() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let places = Arc::new(Semaphore::new(1));
        let mut bounded = Bounded { listener, places, silence: Duration::from_millis(50) };
        let mut first = TcpStream::connect(address).await.unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        first.write_all(b"G").await.unwrap();
        let (mut caller, _) = bounded.accept().await;
        assert_eq!(bounded.places.available_permits(), 0);
        assert_eq!(caller.read_u8().await.unwrap(), b'G');
        assert_eq!(caller.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(caller);
        second.write_all(b"H").await.unwrap();
        let (mut caller, _) = bounded.accept().await;
        assert_eq!(caller.read_u8().await.unwrap(), b'H');
    }
}
