//! One try to get one file from one address, from where `NAME.part` ends. The bytes go to the disk as
//! they come. Fails in three ways: worth another try, not worth one, or for good (disk, cancel).

use super::error::DownloadError;
use super::fetch::Options;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

/// Why a try ended without the whole file.
pub(super) enum Failure {
    /// The connection broke or the server is busy: try again.
    Broken(String),
    /// This address will not do.
    Refused(String),
    /// Nothing will do.
    Final(DownloadError),
}

/// What is reported of every piece: bytes of the file that are on the disk. False to stop.
pub(super) type GoOn<'a> = dyn FnMut(u64) -> bool + 'a;

/// A connection's settings.
pub(super) fn agent(options: &Options) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_resolve(Some(options.patience))
        .timeout_connect(Some(options.patience))
        .timeout_send_request(Some(options.patience))
        .timeout_recv_response(Some(options.patience))
        .timeout_per_read(Some(options.patience))
        .max_redirects(8)
        .user_agent(concat!("strata/", env!("CARGO_PKG_VERSION")));
    let config = if options.proxy {
        config
    } else {
        config.proxy(None)
    };
    config.build().into()
}

/// A file on its way, locked so that no two programs write it.
pub(super) struct Part {
    pub path: PathBuf,
    file: File,
    /// Bytes that are in it.
    pub length: u64,
}

impl Part {
    /// Opens `NAME.part`, with what an earlier download left in it.
    pub fn open(path: &Path) -> Result<Part, DownloadError> {
        let failed = |cause| DownloadError::write(path, cause);
        let is_foreign = path.symlink_metadata().is_ok_and(|about| !about.is_file());
        if is_foreign {
            let problem = "it is a link or no file, and no part of a download: move it away";
            return Err(failed(std::io::Error::other(problem)));
        }
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        if let Err(std::fs::TryLockError::WouldBlock) = file.try_lock() {
            return Err(DownloadError::Busy {
                file: path.to_path_buf(),
            });
        }
        let length = file.metadata().map_err(failed)?.len();
        Ok(Part {
            path: path.to_path_buf(),
            file,
            length,
        })
    }

    /// Throws away what is in it.
    pub fn restart(&mut self) -> Result<(), DownloadError> {
        if self.length > 0 {
            self.file
                .set_len(0)
                .map_err(|cause| DownloadError::write(&self.path, cause))?;
            self.length = 0;
        }
        remove_tag(&self.path);
        Ok(())
    }

    fn end(&mut self) -> Result<(), DownloadError> {
        self.file
            .seek(SeekFrom::Start(self.length))
            .map_err(|cause| DownloadError::write(&self.path, cause))?;
        Ok(())
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), DownloadError> {
        self.file
            .write_all(bytes)
            .map_err(|cause| DownloadError::write(&self.path, cause))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// All on the disk and closed, ready for its name.
    pub fn finish(self) -> Result<PathBuf, DownloadError> {
        self.file
            .sync_all()
            .map_err(|cause| DownloadError::write(&self.path, cause))?;
        remove_tag(&self.path);
        Ok(self.path)
    }
}

impl Part {
    /// Ends with what has come so far, for the next time; where nothing has, nothing is left.
    pub fn leave(self) {
        if self.length > 0 {
            return;
        }
        remove_tag(&self.path);
        let Part { path, file, .. } = self;
        drop(file);
        if let Err(error) = std::fs::remove_file(&path) {
            log::warn!("{} could not be removed: {error}", path.display());
        }
    }
}

/// Where the server's name for this state of the file is kept, with the address it is from.
fn tag_file(part: &Path) -> PathBuf {
    part.with_added_extension("etag")
}

/// A tag that stays behind is compared with the server's, so it is at worst useless.
fn remove_tag(part: &Path) {
    let file = tag_file(part);
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            log::warn!("{} could not be removed: {error}", file.display());
        }
        Ok(()) | Err(_) => {}
    }
}

fn tag(part: &Path, address: &str) -> Option<String> {
    let kept = std::fs::read_to_string(tag_file(part)).ok()?;
    let (from, tag) = kept.split_once('\n')?;
    (from == address).then(|| tag.to_owned())
}

/// Gets what is missing of a file that has at most `most` bytes.
pub(super) fn attempt(
    agent: &Agent,
    address: &str,
    part: &mut Part,
    most: u64,
    go_on: &mut GoOn,
) -> Result<(), Failure> {
    let response = ask(agent, address, part)?;
    match response.status() {
        StatusCode::OK => part.restart().map_err(Failure::Final)?,
        StatusCode::PARTIAL_CONTENT if starts_at(&response) == Some(part.length) => {}
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
            return whole_or_anew(&response, part);
        }
        status if status.is_server_error() || [408, 429].contains(&status.as_u16()) => {
            return Err(Failure::Broken(format!("the server answers {status}")));
        }
        status => return Err(Failure::Refused(format!("the server answers {status}"))),
    }
    keep_tag(&response, address, part);
    receive(response, part, most, go_on)
}

fn ask(agent: &Agent, address: &str, part: &Part) -> Result<Response<Body>, Failure> {
    let mut request = agent.get(address).header("Accept-Encoding", "identity");
    if part.length > 0 {
        request = request.header("Range", format!("bytes={}-", part.length));
        if let Some(tag) = tag(&part.path, address) {
            request = request.header("If-Range", tag);
        }
    }
    request.call().map_err(|error| match error {
        ureq::Error::Timeout(_) => Failure::Broken("the server does not answer".to_owned()),
        ureq::Error::HostNotFound => {
            Failure::Refused("the address is not found; is there a network?".to_owned())
        }
        ureq::Error::BadUri(_) | ureq::Error::TooManyRedirects | ureq::Error::InvalidProxyUrl => {
            Failure::Refused(error.to_string())
        }
        error => Failure::Broken(error.to_string()),
    })
}

/// The first byte of a partial answer.
fn starts_at(response: &Response<Body>) -> Option<u64> {
    let range = response.headers().get("Content-Range")?.to_str().ok()?;
    range
        .strip_prefix("bytes ")?
        .split('-')
        .next()?
        .trim()
        .parse()
        .ok()
}

/// An answer that does not fit: the part is whole already, or of no use.
fn whole_or_anew(response: &Response<Body>, part: &mut Part) -> Result<(), Failure> {
    let range = response
        .headers()
        .get("Content-Range")
        .and_then(|range| range.to_str().ok());
    let total = range
        .and_then(|range| range.rsplit('/').next())
        .and_then(|total| total.parse::<u64>().ok());
    if response.status() == StatusCode::RANGE_NOT_SATISFIABLE && total == Some(part.length) {
        return Ok(());
    }
    part.restart().map_err(Failure::Final)?;
    Err(Failure::Broken(
        "the file there differs from the part here; it begins anew".to_owned(),
    ))
}

/// A strong tag lets the next try continue with certainty; without one the checksum decides alone.
fn keep_tag(response: &Response<Body>, address: &str, part: &Part) {
    let tag = response
        .headers()
        .get("ETag")
        .and_then(|tag| tag.to_str().ok());
    let Some(tag) = tag.filter(|tag| tag.starts_with('"')) else {
        return;
    };
    let file = tag_file(&part.path);
    // Never through a link that somebody left there.
    remove_tag(&part.path);
    let made = OpenOptions::new().write(true).create_new(true).open(&file);
    let written = made.and_then(|mut made| write!(made, "{address}\n{tag}"));
    if let Err(error) = written {
        let file = file.display();
        log::warn!(
            "{file} could not be written, a resumed download relies on its checksum: {error}"
        );
    }
}

fn receive(
    response: Response<Body>,
    part: &mut Part,
    most: u64,
    go_on: &mut GoOn,
) -> Result<(), Failure> {
    part.end().map_err(Failure::Final)?;
    let mut body = response.into_body().into_reader();
    let mut piece = vec![0; 1 << 16];
    loop {
        if !go_on(part.length) {
            return Err(Failure::Final(DownloadError::Cancelled));
        }
        let read = body.read(&mut piece).map_err(|error| broken(&error))?;
        if read == 0 {
            return Ok(());
        }
        if part.length.saturating_add(read as u64) > most {
            part.restart().map_err(Failure::Final)?;
            return Err(Failure::Refused(format!(
                "the server sends more than the file's {most} bytes"
            )));
        }
        part.add(piece.get(..read).unwrap_or_default())
            .map_err(Failure::Final)?;
    }
}

fn broken(error: &std::io::Error) -> Failure {
    let cause = error
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<ureq::Error>());
    Failure::Broken(match cause {
        Some(ureq::Error::Timeout(_)) => "no more bytes came for a while".to_owned(),
        _ => format!("the connection broke: {error}"),
    })
}
