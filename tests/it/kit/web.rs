//! A server of its own on the loopback address that does as a test says.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    /// The first byte of the `Range` header.
    pub from: Option<usize>,
    pub if_range: Option<String>,
}

/// What the server does.
#[derive(Clone)]
pub enum Reply {
    /// The bytes, from where they are asked for, with this tag.
    Bytes(Vec<u8>, Option<&'static str>),
    /// The whole bytes whatever is asked for.
    NoRange(Vec<u8>),
    /// As `Bytes`, and the connection breaks after so many bytes.
    Breaks(Vec<u8>, Option<&'static str>, usize),
    /// As `Breaks`, but the connection stays open and silent.
    Stalls(Vec<u8>, usize),
    /// A status without a body.
    Status(u16),
    /// To another address.
    Redirect(String),
    /// Slowly: a piece of so many bytes every so often.
    Slow(Vec<u8>, usize, Duration),
}

pub struct Server {
    pub at: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// `reply` gets the request and how many came before it.
    pub fn start(reply: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let (seen, reply) = (asked.clone(), Arc::new(reply));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, reply) = (seen.clone(), reply.clone());
                std::thread::spawn(move || serve(stream, &seen, &*reply));
            }
        });
        Server { at, asked }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<Asked>>, reply: &dyn Fn(&Asked, usize) -> Reply) {
    let Some(asked) = read(&stream) else { return };
    let before = {
        let mut seen = seen.lock().unwrap();
        seen.push(asked.clone());
        seen.len() - 1
    };
    // A client that went away is no failure of the server.
    let _ = answer(&mut stream, &asked, reply(&asked, before));
    let _ = stream.shutdown(Shutdown::Both);
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut asked = Asked {
        path: first.split(' ').nth(1)?.to_owned(),
        from: None,
        if_range: None,
    };
    for line in lines {
        let line = line.ok()?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "range" => {
                asked.from = value
                    .trim()
                    .strip_prefix("bytes=")?
                    .trim_end_matches('-')
                    .parse()
                    .ok()
            }
            "if-range" => asked.if_range = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    Some(asked)
}

fn answer(stream: &mut TcpStream, asked: &Asked, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::Bytes(bytes, tag) => {
            let body = head(stream, asked, &bytes, tag)?;
            stream.write_all(&bytes[body..])
        }
        Reply::NoRange(bytes) => {
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                bytes.len()
            )?;
            stream.write_all(&bytes)
        }
        Reply::Breaks(bytes, tag, after) => {
            let body = head(stream, asked, &bytes, tag)?;
            stream.write_all(&bytes[body..(body + after).min(bytes.len())])
        }
        Reply::Stalls(bytes, after) => {
            let body = head(stream, asked, &bytes, None)?;
            stream.write_all(&bytes[body..(body + after).min(bytes.len())])?;
            stream.flush()?;
            std::thread::sleep(Duration::from_secs(5));
            Ok(())
        }
        Reply::Status(status) => {
            write!(
                stream,
                "HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        }
        Reply::Redirect(to) => {
            write!(
                stream,
                "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        }
        Reply::Slow(bytes, piece, pause) => {
            let body = head(stream, asked, &bytes, None)?;
            for piece in bytes[body..].chunks(piece) {
                stream.write_all(piece)?;
                std::thread::sleep(pause);
            }
            Ok(())
        }
    }
}

/// The headers; gives where the body begins.
fn head(
    stream: &mut TcpStream,
    asked: &Asked,
    bytes: &[u8],
    tag: Option<&str>,
) -> std::io::Result<usize> {
    let tagged = tag.map_or_else(String::new, |tag| format!("ETag: {tag}\r\n"));
    let is_same = asked
        .if_range
        .as_deref()
        .is_none_or(|wanted| Some(wanted) == tag);
    let total = bytes.len();
    match asked.from.filter(|_| is_same) {
        Some(from) if from < total => {
            let (last, length) = (total - 1, total - from);
            write!(
                stream,
                "HTTP/1.1 206 Partial\r\nContent-Range: bytes {from}-{last}/{total}\r\nContent-Length: {length}\r\n{tagged}Connection: close\r\n\r\n"
            )?;
            Ok(from)
        }
        Some(_) => {
            write!(
                stream,
                "HTTP/1.1 416 No\r\nContent-Range: bytes */{total}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )?;
            Ok(total)
        }
        None => {
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n{tagged}Connection: close\r\n\r\n"
            )?;
            Ok(0)
        }
    }
}
