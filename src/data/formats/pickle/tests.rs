//! Pickles that Python wrote, and ones that nobody should write.

use super::Pickle;
use strata_testkit::files::fixture;

fn pixels() -> Vec<u8> {
    (0..2)
        .flat_map(|n| (0..3072).map(move |i| ((7 * n + i / 1024 * 50 + i % 200) % 256) as u8))
        .collect()
}

#[test]
fn every_protocol_gives_the_same_array() {
    let names = [
        "python2",
        "protocol0",
        "protocol1",
        "protocol2",
        "protocol3",
        "protocol4",
        "protocol5",
    ];
    for name in names {
        let bytes = fixture(&format!("cifar10_{name}.pickle"));
        let pickle = Pickle::read(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (array, data) = pickle.array(pickle.get("data").unwrap()).unwrap();
        assert_eq!(
            (array.shape.as_slice(), array.by_column),
            (&[2, 3072][..], false),
            "{name}"
        );
        assert!(data == pixels(), "{name}");
        assert_eq!(
            pickle.numbers(pickle.get("labels").unwrap()),
            Some(vec![6, 9]),
            "{name}"
        );
        assert!(pickle.get("absent").is_none());
    }
}

#[test]
fn arrays_of_numbers_are_labels_too() {
    let bytes = fixture("cifar100.pickle");
    let pickle = Pickle::read(&bytes).unwrap();
    assert_eq!(
        pickle.numbers(pickle.get("fine_labels").unwrap()),
        Some(vec![92, 54])
    );
    assert_eq!(
        pickle.keys().unwrap(),
        ["fine_labels", "coarse_labels", "data"]
    );
}

fn refusal(bytes: &[u8]) -> String {
    Pickle::read(bytes).err().unwrap()
}

#[test]
fn nothing_is_run() {
    let system = refusal(b"cos\nsystem\n(S'echo no'\ntR.");
    assert!(system.contains("os.system"), "{system}");
    let stacked = refusal(b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.");
    assert!(stacked.contains("builtins.eval"), "{stacked}");
    for object in [
        &b"(S'x'\niposix\nsystem\n."[..],
        b"\x80\x02)\x81.",
        b"Pname\n.",
        b"\x82\x01.",
    ] {
        assert!(refusal(object).contains("would build an object"));
    }
    assert!(refusal(b"cnumpy\nload\n.").contains("numpy.load"));
    assert!(refusal(b"cnumpy\ndtype\n(S'O'\nI0\nI1\ntR.").contains("of the type 'O'"));
    assert!(refusal(b"S'x'\n(tR.").contains("called that cannot be"));
}

#[test]
fn broken_programs_are_refused() {
    for bytes in [
        &b""[..],
        b"(",
        b".",
        b"N",
        b"(1.",
        b"t.",
        b"h\x05.",
        b"]K",
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff.",
        b"I5",
    ] {
        refusal(bytes);
    }
    assert!(
        refusal(&[b"N".repeat(super::MOST_STEPS), b".".to_vec()].concat()).contains("more steps")
    );
}

#[test]
fn a_list_in_itself_and_depth_do_no_harm() {
    let knot = Pickle::read(b"]q\x00h\x00a.").unwrap();
    assert!(knot.numbers(knot.top).is_none());
    let deep = [
        b"]".repeat(1 << 20),
        b"a".repeat((1 << 20) - 1),
        b".".to_vec(),
    ]
    .concat();
    assert!(Pickle::read(&deep).is_ok());
}

#[test]
fn one_text_cannot_be_converted_for_ever() {
    let text = [
        b"\x80\x02X\x00\x04\x00\x00".to_vec(),
        b"a".repeat(1024),
        b"q\x00X\x06\x00\x00\x00latin1q\x01".to_vec(),
    ];
    let again = b"c_codecs\nencode\nh\x00h\x01\x86R0".repeat(200);
    assert!(refusal(&[text.concat(), again, b"N.".to_vec()].concat()).contains("over and over"));
}

/// A program that calls for an array of this shape `times` times; every call copies what it is given.
fn arrays(axes: usize, times: usize) -> Vec<u8> {
    let head = b"\x80\x02cnumpy.core.numeric\n_frombuffer\nq\x00cnumpy\ndtype\nU\x02u1\x85Rq\x01U\x01aq\x02U\x01Cq\x04(K\x01";
    let again = b"h\x00(h\x02h\x01h\x03h\x04tR0".repeat(times);
    [&head[..], &b"2".repeat(axes - 1), b"tq\x03", &again, b"}."].concat()
}

#[test]
fn small_programs_take_no_more_memory_than_they_are_long() {
    assert!(Pickle::read(&arrays(4, 1000)).is_ok());
    let start = std::time::Instant::now();
    assert!(refusal(&arrays(100_000, 100_000)).contains("axes"));
    let arguments = [
        b"c__builtin__\nbytes\nq\x00(".to_vec(),
        b"K\x01".repeat(100_000),
        b"tq\x01".to_vec(),
    ]
    .concat();
    let calls = [
        arguments.clone(),
        b"h\x00h\x01R0".repeat(100_000),
        b"N.".to_vec(),
    ]
    .concat();
    assert!(refusal(&calls).contains("where a few are wanted"));
    let states = [
        arguments,
        b"cnumpy\ndtype\nU\x02u1\x85R".to_vec(),
        b"h\x01b".repeat(100_000),
        b".".to_vec(),
    ]
    .concat();
    assert!(refusal(&states).contains("where a few are wanted"));
    // A long text as a name is looked at as far as a name is long.
    let name = [
        b"\x80\x02X\x00\x00\x10\x00".to_vec(),
        b"u".repeat(1 << 20),
        b"q\x00".to_vec(),
    ]
    .concat();
    let types = b"cnumpy\ndtype\nh\x00\x85R0".repeat(1000);
    assert!(refusal(&[name, types].concat()).contains("of the type"));
    assert!(start.elapsed().as_secs() < 2);
}
