//! Connections that can be made to break: a listener whose sockets a request handler can reset or
//! cut off.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Accepts connections and numbers them.
#[derive(Debug)]
pub(super) struct Listener {
    tcp: TcpListener,
    next: AtomicU64,
}

impl Listener {
    pub(super) fn new(tcp: TcpListener) -> Self {
        Self {
            tcp,
            next: AtomicU64::new(0),
        }
    }
}

impl axum::serve::Listener for Listener {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Stream, SocketAddr) {
        loop {
            match self.tcp.accept().await {
                Ok((tcp, addr)) => {
                    // Answers are one small write each: waiting for more would cost 40 ms.
                    if let Err(error) = tcp.set_nodelay(true) {
                        tracing::debug!(%error, "cannot set TCP_NODELAY");
                    }
                    let connection = Connection {
                        id: self.next.fetch_add(1, Ordering::Relaxed),
                        cut: Arc::default(),
                    };
                    return (Stream { tcp, connection }, addr);
                }
                // Out of file descriptors, most likely: others must close first.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// The handle by which a request handler breaks the connection that its request came on.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) id: u64,
    cut: Arc<Mutex<Cut>>,
}

impl Connection {
    /// The answer is not sent; the client sees a reset.
    pub(super) fn reset(&self) {
        *self.cut.lock().unwrap_or_else(PoisonError::into_inner) = Cut::Reset;
    }

    /// Of the answer only the head and so many bytes of the body are sent.
    pub(super) fn truncate(&self, body_bytes: usize) {
        *self.cut.lock().unwrap_or_else(PoisonError::into_inner) = Cut::InBody(body_bytes);
    }
}

impl Connected<IncomingStream<'_, Listener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        stream.io().connection.clone()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Cut {
    #[default]
    Open,
    Reset,
    /// The head is still to come, then so many bytes.
    InBody(usize),
    /// So many bytes are left.
    Bytes(usize),
}

/// A socket that obeys its [`Connection`].
#[derive(Debug)]
pub(super) struct Stream {
    tcp: TcpStream,
    connection: Connection,
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let cut = Arc::clone(&self.connection.cut);
        let mut cut = cut.lock().unwrap_or_else(PoisonError::into_inner);
        let allowed = match *cut {
            Cut::Open => return Pin::new(&mut self.tcp).poll_write(cx, buf),
            Cut::Reset => {
                // Closing with zero linger sends RST instead of FIN.
                self.tcp.set_zero_linger()?;
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            // The server hands over the head in one piece: it is short.
            Cut::InBody(body) => match buf.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(at) => at + 4 + body,
                None => buf.len() + body,
            },
            Cut::Bytes(left) => left,
        };
        if allowed == 0 {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let part = &buf[..allowed.min(buf.len())];
        let written = std::task::ready!(Pin::new(&mut self.tcp).poll_write(cx, part))?;
        *cut = Cut::Bytes(allowed - written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
