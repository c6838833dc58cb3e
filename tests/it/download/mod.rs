//! Downloads from a server on the loopback address that breaks, stalls, lies and ignores: what arrives is
//! right, or nothing is there but a part, and the message says what to do.

mod window;

use crate::kit::web::{Reply, Server};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use strata::data::download::{
    Archive, DownloadError, Entry, Fetched, Found, Held, Holds, Options, RemoteFile, Step, Sum,
    Then, Told, fetch, survey,
};
use strata_testkit::files::gzip;

/// 300 kB that no compression and no mix-up of places leaves unseen.
fn bytes() -> Vec<u8> {
    (0..300_000u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect()
}

fn options() -> Options {
    Options {
        patience: Duration::from_millis(400),
        tries: 3,
        pause: Duration::from_millis(20),
        proxy: false,
    }
}

fn file(name: &str, addresses: Vec<String>, bytes: &[u8], then: Then) -> RemoteFile {
    RemoteFile {
        name: name.to_owned(),
        addresses,
        bytes: bytes.len() as u64,
        sum: Sum::of(bytes),
        then,
    }
}

fn entry(file: RemoteFile) -> Entry {
    Entry {
        name: "mnist".to_owned(),
        files: vec![file],
        path: String::new(),
    }
}

fn one(server: &Server) -> Entry {
    entry(file(
        "images.gz",
        vec![format!("{}/images.gz", server.at)],
        &bytes(),
        Then::Keep(1),
    ))
}

fn get(entry: &Entry, folder: &Path) -> Result<Fetched, DownloadError> {
    fetch(entry, folder, &options(), &mut |_| true)
}

fn read(folder: &Path, name: &str) -> Option<Vec<u8>> {
    std::fs::read(folder.join(name)).ok()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_whole_file_arrives_once_with_its_progress() {
    let server = Server::start(|_, _| Reply::Bytes(bytes(), None));
    let folder = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    let fetched = fetch(
        &one(&server),
        folder.path(),
        &options(),
        &mut |told: &Told| {
            seen.push((told.step, told.done, told.total));
            true
        },
    );
    assert_eq!(fetched.unwrap().new, ["images.gz"]);
    assert_eq!(read(folder.path(), "images.gz"), Some(bytes()));
    assert_eq!(names(folder.path()), ["images.gz"], "nothing else is left");
    assert!(seen.contains(&(Step::Downloading, 300_000, 300_000)));
    assert!(seen.contains(&(Step::Checking, 300_000, 300_000)));
    assert!(get(&one(&server), folder.path()).unwrap().new.is_empty());
    assert_eq!(
        server.asked().len(),
        1,
        "what is there is not fetched again"
    );
}

#[test]
fn a_file_that_somebody_unpacked_is_as_good() {
    let server = Server::start(|_, _| Reply::Status(500));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("images"), [0; 17]).unwrap();
    let file = file(
        "images.gz",
        vec![server.at.clone()],
        &bytes(),
        Then::Keep(17),
    );
    assert!(get(&entry(file), folder.path()).unwrap().new.is_empty());
    assert!(server.asked().is_empty());
}

#[test]
fn a_broken_connection_goes_on_where_it_broke() {
    for tag in [Some("\"one\""), None] {
        let server = Server::start(move |_, _| Reply::Breaks(bytes(), tag, 70_000));
        let folder = tempfile::tempdir().unwrap();
        get(&one(&server), folder.path()).unwrap();
        assert_eq!(read(folder.path(), "images.gz"), Some(bytes()));
        let asked = server.asked();
        // More breaks than tries without progress are allowed.
        assert_eq!(
            asked
                .iter()
                .map(|asked| asked.from)
                .collect::<Vec<_>>()
                .len(),
            5,
            "{asked:?}"
        );
        assert_eq!(asked[1].from, Some(70_000));
        assert_eq!(asked[1].if_range.as_deref(), tag);
        assert_eq!(names(folder.path()), ["images.gz"]);
    }
}

#[test]
fn a_file_that_changed_in_between_begins_anew() {
    let server = Server::start(|_, before| match before {
        0 => Reply::Breaks(vec![7; 300_000], Some("\"old\""), 100_000),
        _ => Reply::Bytes(bytes(), Some("\"new\"")),
    });
    let folder = tempfile::tempdir().unwrap();
    get(&one(&server), folder.path()).unwrap();
    assert_eq!(read(folder.path(), "images.gz"), Some(bytes()));
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn a_part_of_other_bytes_without_a_tag_is_found_out_by_the_checksum() {
    let server = Server::start(|_, _| Reply::Bytes(bytes(), None));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("images.gz.part"), [7; 1000]).unwrap();
    get(&one(&server), folder.path()).unwrap();
    assert_eq!(read(folder.path(), "images.gz"), Some(bytes()));
    assert_eq!(
        server
            .asked()
            .iter()
            .map(|asked| asked.from)
            .collect::<Vec<_>>(),
        [Some(1000), None]
    );
}

#[test]
fn a_part_that_is_whole_or_too_long_is_seen_as_such() {
    let folder = tempfile::tempdir().unwrap();
    for (there, asked) in [(bytes(), 1), (vec![7; 300_001], 2)] {
        let server = Server::start(|_, _| Reply::Bytes(bytes(), None));
        std::fs::write(folder.path().join("images.gz.part"), there).unwrap();
        get(&one(&server), folder.path()).unwrap();
        assert_eq!(read(folder.path(), "images.gz"), Some(bytes()));
        assert_eq!(server.asked().len(), asked);
        std::fs::remove_file(folder.path().join("images.gz")).unwrap();
    }
}

#[test]
fn a_server_that_ignores_ranges_begins_anew() {
    let server = Server::start(|_, before| match before {
        0 => Reply::Breaks(bytes(), None, 100_000),
        _ => Reply::NoRange(bytes()),
    });
    let folder = tempfile::tempdir().unwrap();
    get(&one(&server), folder.path()).unwrap();
    assert_eq!(read(folder.path(), "images.gz"), Some(bytes()));
}

#[test]
fn a_silent_server_is_given_up_in_time_and_the_part_kept() {
    let server = Server::start(|asked, _| {
        Reply::Stalls(bytes(), if asked.from.is_some() { 0 } else { 50_000 })
    });
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let error = get(&one(&server), folder.path()).unwrap_err().to_string();
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
    assert!(
        error.contains("no more bytes came") || error.contains("does not answer"),
        "{error}"
    );
    assert_eq!(
        read(folder.path(), "images.gz.part"),
        Some(bytes()[..50_000].to_vec())
    );
}

#[test]
fn a_slow_server_that_keeps_sending_is_waited_for() {
    let server = Server::start(|_, _| Reply::Slow(bytes(), 30_000, Duration::from_millis(100)));
    let folder = tempfile::tempdir().unwrap();
    get(&one(&server), folder.path()).unwrap();
    assert_eq!(read(folder.path(), "images.gz"), Some(bytes()));
}

#[test]
fn wrong_bytes_are_thrown_away_and_the_mirror_serves() {
    let wrong = Server::start(|_, _| Reply::Bytes(vec![1; 300_000], None));
    let right = Server::start(|_, _| Reply::Bytes(bytes(), None));
    let folder = tempfile::tempdir().unwrap();
    let addresses = vec![format!("{}/a", wrong.at), format!("{}/b", right.at)];
    get(
        &entry(file("images.gz", addresses, &bytes(), Then::Keep(1))),
        folder.path(),
    )
    .unwrap();
    assert_eq!(read(folder.path(), "images.gz"), Some(bytes()));
    assert_eq!((wrong.asked().len(), right.asked().len()), (1, 1));
    assert_eq!(
        right.asked()[0].from,
        None,
        "nothing of the wrong bytes is kept"
    );
}

#[test]
fn a_message_names_both_sums_every_address_and_the_steps_by_hand() {
    let wrong = Server::start(|_, _| Reply::Bytes(vec![1; 300_000], None));
    let missing = Server::start(|_, _| Reply::Status(404));
    let folder = tempfile::tempdir().unwrap();
    let addresses = vec![format!("{}/a", wrong.at), format!("{}/b", missing.at)];
    let error = get(
        &entry(file("images.gz", addresses, &bytes(), Then::Keep(1))),
        folder.path(),
    )
    .unwrap_err();
    let text = error.to_string();
    let place = folder.path().join("images.gz").display().to_string();
    let sums = [Sum::of(&bytes()), Sum::of(&[1; 300_000])];
    for part in [
        sums[0].digits(),
        sums[1].digits(),
        &wrong.at,
        &missing.at,
        "404",
        "By hand",
        &place,
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(missing.asked().len(), 1, "404 is not asked again");
    assert_eq!(
        names(folder.path()),
        [""; 0],
        "what came to nothing leaves nothing"
    );
}

#[test]
fn a_busy_server_is_asked_again_and_a_redirect_followed() {
    let there = Server::start(|_, _| Reply::Bytes(bytes(), None));
    let to = format!("{}/there", there.at);
    let server = Server::start(move |_, before| match before {
        0 => Reply::Status(503),
        1 => Reply::Status(500),
        _ => Reply::Redirect(to.clone()),
    });
    let folder = tempfile::tempdir().unwrap();
    get(&one(&server), folder.path()).unwrap();
    assert_eq!(read(folder.path(), "images.gz"), Some(bytes()));
    assert_eq!(there.asked()[0].path, "/there");
}

#[test]
fn a_redirect_in_a_circle_and_a_closed_port_end_with_a_message() {
    let server = Server::start(|_, _| Reply::Redirect("/again".to_owned()));
    let folder = tempfile::tempdir().unwrap();
    assert!(
        get(&one(&server), folder.path())
            .unwrap_err()
            .to_string()
            .contains("redirect")
    );
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let file = file(
        "images.gz",
        vec![format!("http://{closed}/x")],
        &bytes(),
        Then::Keep(1),
    );
    let error = get(&entry(file), folder.path()).unwrap_err().to_string();
    assert!(error.contains("By hand"), "{error}");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_flood_ends_at_the_size_of_the_file() {
    let server = Server::start(|_, _| Reply::Bytes(vec![0; 8_000_000], None));
    let folder = tempfile::tempdir().unwrap();
    let error = get(&one(&server), folder.path()).unwrap_err().to_string();
    assert!(error.contains("more than"), "{error}");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_cancel_keeps_the_part_and_the_next_one_goes_on() {
    let server = Server::start(|_, _| Reply::Slow(bytes(), 50_000, Duration::from_millis(30)));
    let folder = tempfile::tempdir().unwrap();
    let cancelled = fetch(&one(&server), folder.path(), &options(), &mut |told| {
        told.done < 100_000
    });
    assert!(matches!(cancelled, Err(DownloadError::Cancelled)));
    let kept = read(folder.path(), "images.gz.part").unwrap();
    assert!(kept.len() >= 100_000 && bytes().starts_with(&kept));
    assert_eq!(
        survey(&one(&server), folder.path()).files[0].found,
        Found::Part(kept.len() as u64)
    );
    get(&one(&server), folder.path()).unwrap();
    assert_eq!(server.asked()[1].from, Some(kept.len()));
    assert_eq!(read(folder.path(), "images.gz"), Some(bytes()));
}

#[test]
fn a_file_larger_than_the_disk_is_refused_before_the_network_is_asked() {
    let server = Server::start(|_, _| Reply::Bytes(bytes(), None));
    let folder = tempfile::tempdir().unwrap();
    let mut entry = one(&server);
    entry.files[0].bytes = u64::MAX / 2;
    let error = get(&entry, folder.path()).unwrap_err();
    assert!(matches!(error, DownloadError::DiskFull { .. }), "{error}");
    assert!(
        error.to_string().contains("are free") && server.asked().is_empty(),
        "{error}"
    );
}

#[test]
fn two_downloads_of_one_file_do_not_mix() {
    let server = Server::start(|_, _| Reply::Bytes(bytes(), None));
    let folder = tempfile::tempdir().unwrap();
    let other = std::fs::File::create(folder.path().join("images.gz.part")).unwrap();
    other.try_lock().unwrap();
    let error = get(&one(&server), folder.path()).unwrap_err();
    assert!(matches!(error, DownloadError::Busy { .. }), "{error}");
}

/// What somebody put into the folder stays theirs: a right archive is used and kept, a wrong one is set aside, and
/// nothing is written through a link.
#[test]
fn files_of_the_user_are_neither_deleted_nor_written_over() {
    let data = [9; 5000];
    let archive = zipped(&["batches/data.bin"], &data);
    for (there, kept) in [
        (archive.clone(), "data.archive"),
        (b"mine".to_vec(), "data.archive.old1"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("data.archive"), &there).unwrap();
        unpacked(archive.clone(), Archive::Zip, folder.path()).unwrap();
        assert_eq!(read(folder.path(), "batches/data.bin"), Some(data.to_vec()));
        assert_eq!(read(folder.path(), kept), Some(there), "{kept}");
    }
}

#[cfg(unix)]
#[test]
fn a_download_goes_through_no_link() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("thesis"), "mine").unwrap();
    std::os::unix::fs::symlink("thesis", path("images.gz.part")).unwrap();
    let server = Server::start(|_, _| Reply::Bytes(bytes(), Some("\"tag\"")));
    let error = get(&one(&server), folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("images.gz.part") && error.contains("a link"),
        "{error}"
    );
    std::fs::remove_file(path("images.gz.part")).unwrap();
    std::os::unix::fs::symlink("thesis", path("images.gz.part.etag")).unwrap();
    get(&one(&server), folder.path()).unwrap();
    assert_eq!(read(folder.path(), "thesis"), Some(b"mine".to_vec()));
}

/// A tar file by hand: names as they are written, kinds as they are.
fn tar(entries: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, kind, content) in entries {
        let mut head = tar::Header::new_ustar();
        head.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        head.set_entry_type(tar::EntryType::new(*kind));
        head.set_mode(0o644);
        if *kind == b'1' || *kind == b'2' {
            head.set_link_name("/etc/passwd").unwrap();
        }
        head.set_size(content.len() as u64);
        head.set_cksum();
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

fn zipped(names: &[&str], content: &[u8]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for name in names {
        out.start_file(*name, stored).unwrap();
        out.write_all(content).unwrap();
    }
    out.finish().unwrap().into_inner()
}

/// Fetches an archive whose bytes these are, of which `batches/data.bin` with 5000 bytes is expected.
fn unpacked(archive: Vec<u8>, kind: Archive, folder: &Path) -> Result<Fetched, DownloadError> {
    let served = archive.clone();
    let server = Server::start(move |_, _| Reply::Bytes(served.clone(), None));
    let holds = vec![Held {
        path: "batches/data.bin".to_owned(),
        what: Holds::Bytes(5000),
    }];
    let then = Then::Unpack {
        archive: kind,
        holds,
        most_bytes: 20_000,
    };
    get(
        &entry(file(
            "data.archive",
            vec![format!("{}/x", server.at)],
            &archive,
            then,
        )),
        folder,
    )
}

#[test]
fn archives_are_unpacked_into_place_and_recognised_afterwards() {
    let data = [9; 5000];
    let tar = gzip(&tar(&[
        ("batches/", b'5', b""),
        ("batches/data.bin", b'0', &data),
    ]));
    for (archive, kind) in [
        (tar, Archive::TarGz),
        (zipped(&["batches/data.bin"], &data), Archive::Zip),
    ] {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            unpacked(archive.clone(), kind, folder.path())
                .unwrap()
                .new
                .len(),
            1
        );
        assert_eq!(read(folder.path(), "batches/data.bin"), Some(data.to_vec()));
        assert_eq!(names(folder.path()), ["batches"], "the archive is gone");
        assert!(
            unpacked(archive.clone(), kind, folder.path())
                .unwrap()
                .new
                .is_empty()
        );
        // Damage is seen, and what was there is somebody's: it is set aside.
        std::fs::write(folder.path().join("batches/data.bin"), b"short").unwrap();
        let fetched = unpacked(archive, kind, folder.path()).unwrap();
        assert_eq!(fetched.set_aside, [folder.path().join("batches.old1")]);
        assert_eq!(
            read(folder.path(), "batches.old1/data.bin"),
            Some(b"short".to_vec())
        );
        assert_eq!(read(folder.path(), "batches/data.bin"), Some(data.to_vec()));
    }
}

#[test]
fn an_archive_put_there_by_hand_needs_no_network() {
    let archive = gzip(&tar(&[("batches/data.bin", b'0', &[9; 5000])]));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("data.archive"), &archive).unwrap();
    let holds = vec![Held {
        path: "batches/data.bin".to_owned(),
        what: Holds::Bytes(5000),
    }];
    let then = Then::Unpack {
        archive: Archive::TarGz,
        holds,
        most_bytes: 20_000,
    };
    let entry = entry(file("data.archive", Vec::new(), &archive, then));
    assert_eq!(survey(&entry, folder.path()).files[0].found, Found::Packed);
    get(&entry, folder.path()).unwrap();
    assert!(survey(&entry, folder.path()).is_complete());
}

#[test]
fn archives_that_lead_out_link_or_flood_are_refused_whole() {
    let good: (&str, u8, &[u8]) = ("batches/data.bin", b'0', &[9; 5000]);
    let half = gzip(&tar(&[good]));
    let cases = [
        (
            gzip(&tar(&[good, ("../x", b'0', b"x")])),
            Archive::TarGz,
            "leads out",
        ),
        (
            gzip(&tar(&[good, ("a/../../x", b'0', b"x")])),
            Archive::TarGz,
            "leads out",
        ),
        (
            gzip(&tar(&[good, ("/tmp/strata-x", b'0', b"x")])),
            Archive::TarGz,
            "leads out",
        ),
        (
            gzip(&tar(&[good, ("../x/", b'5', b"")])),
            Archive::TarGz,
            "leads out",
        ),
        (
            gzip(&tar(&[good, ("link", b'2', b"")])),
            Archive::TarGz,
            "is a link",
        ),
        (
            gzip(&tar(&[good, ("hard", b'1', b"")])),
            Archive::TarGz,
            "is a link",
        ),
        (
            gzip(&tar(&[good, ("device", b'3', b"")])),
            Archive::TarGz,
            "is a link or a device",
        ),
        (gzip(&tar(&[good, good])), Archive::TarGz, "twice"),
        (
            gzip(&tar(&[good, ("flood", b'0', &[0; 30_000])])),
            Archive::TarGz,
            "more than",
        ),
        (
            gzip(&tar(&[("other", b'0', b"x")])),
            Archive::TarGz,
            "not the archive that was expected",
        ),
        (half[..half.len() / 2].to_vec(), Archive::TarGz, "damaged"),
        (b"no archive at all".to_vec(), Archive::TarGz, "damaged"),
        (b"no archive at all".to_vec(), Archive::Zip, "damaged"),
        (
            zipped(&["batches/data.bin", "../x"], &[9; 5000]),
            Archive::Zip,
            "leads out",
        ),
        (
            zipped(&["batches/data.bin", "..\\x"], &[9; 5000]),
            Archive::Zip,
            "leads out",
        ),
        (
            zipped(&["batches/data.bin", "/tmp/strata-x"], &[9; 5000]),
            Archive::Zip,
            "leads out",
        ),
        (
            zipped(&["batches/data.bin", "a", "b", "c", "d", "e"], &[9; 5000]),
            Archive::Zip,
            "more than",
        ),
    ];
    for (archive, kind, expected) in cases {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("in");
        let error = unpacked(archive, kind, &folder).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
        assert_eq!(
            names(&folder),
            ["data.archive"],
            "nothing is unpacked: {expected}"
        );
        assert_eq!(names(outer.path()), ["in"], "nothing outside: {expected}");
        assert!(!Path::new("/tmp/strata-x").exists());
    }
}
