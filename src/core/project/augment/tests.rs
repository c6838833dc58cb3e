//! Every example and every form of text round-trips; errors name the word and help.

use super::*;

#[test]
fn every_kind_round_trips() {
    for (_, example, _) in KINDS {
        let augment: Augment = example.parse().unwrap_or_else(|e| panic!("{example}: {e}"));
        assert_eq!(augment.to_string(), *example);
        assert_eq!(augment.to_string().parse::<Augment>().unwrap(), augment);
    }
}

#[test]
fn other_forms_are_written_in_full() {
    for (text, written) in [
        ("hflip", "hflip p0.5"),
        ("  vflip\tp1 ", "vflip p1"),
        ("grayscale", "grayscale p0.1"),
        (
            "rotate reflect -10..30 bilinear",
            "rotate -10..30 bilinear reflect",
        ),
        ("rotate 18 nearest", "rotate 18"),
        ("scale 0.1", "scale 0.1"),
        ("perspective", "perspective 0.5"),
        (
            "perspective 0.3 nearest p0.25 edge",
            "perspective 0.3 p0.25 nearest edge",
        ),
        ("crop 24x32 wrap pad2", "crop 24x32 pad2 wrap"),
        ("crop 7", "crop 7"),
        ("hue -0.1..0.05", "hue -0.1..0.05"),
        ("blur 3", "blur 3 sigma0.1..2"),
        ("blur 3 sigma1.5", "blur 3 sigma1.5"),
        ("erase", "erase p0.5 area0.02..0.33"),
        ("{apply=['hflip']}", "{ apply = [\"hflip p0.5\"], p = 0.5 }"),
        (
            "{ apply = [{ choice = ['noise 0.1', 'blur 3'] }], p = 1 }",
            "{ apply = [{ choice = [\"noise 0.1\", \"blur 3 sigma0.1..2\"] }], p = 1.0 }",
        ),
    ] {
        let augment: Augment = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(augment.to_string(), written);
        assert_eq!(written.parse::<Augment>().unwrap(), augment, "{text}");
    }
}

#[test]
fn one_number_is_a_distance_as_in_color_jitter() {
    let Augment::Contrast(factor) = "contrast 0.2".parse().unwrap() else {
        panic!("not a contrast")
    };
    assert_eq!(factor.about_one(), [0.8, 1.2]);
    let Augment::Brightness(factor) = "brightness 3".parse().unwrap() else {
        panic!("not a brightness")
    };
    assert_eq!(factor.about_one(), [0.0, 4.0]);
    let Augment::Hue(turns) = "hue 0.05".parse().unwrap() else {
        panic!("not a hue")
    };
    assert_eq!(turns.about_zero(), [-0.05, 0.05]);
}

#[test]
fn errors_point_at_the_word() {
    for (text, place, message, help) in [
        ("", "", "is empty", "hflip p0.5"),
        (
            "hfilp",
            "hfilp",
            "no augmentation `hfilp`",
            "did you mean `hflip`",
        ),
        (
            "RandomHorizontalFlip",
            "RandomHorizontalFlip",
            "no augmentation",
            "it is called `hflip` here",
        ),
        ("apply", "apply", "no augmentation", "write a table"),
        ("hflip p2", "p2", "a number from 0 to 1", "hflip p0.5"),
        (
            "hflip 0.5",
            "0.5",
            "does not belong to `hflip`",
            "hflip p0.5",
        ),
        ("hflip p0.1 p0.2", "p0.2", "given twice", "hflip p0.5"),
        ("rotate", "rotate", "needs a number or a range", "rotate 18"),
        (
            "rotate 20..10",
            "20..10",
            "ends below its start",
            "smaller number first",
        ),
        ("rotate -5", "-5", "from 0 to 360", "rotate 18"),
        (
            "contrast NaN",
            "NaN",
            "must be a number",
            "contrast 0.8..1.2",
        ),
        ("scale 0..2", "0..2", "shrink the image to nothing", "0.01"),
        ("scale 1", "1", "shrink the image to nothing", "0.01"),
        ("blur 4", "4", "must be odd", "write 3 or 5"),
        (
            "blur 3 sigma0",
            "sigma0",
            "must be a number from 0.001",
            "sigma0.1..2",
        ),
        ("crop 0", "0", "from 1 to 4096", "crop 32 pad4"),
        ("crop 2.5", "2.5", "must be a whole number", "crop 32 pad4"),
        ("crop 8x", "8x", "from 1 to 4096", "crop 32 pad4"),
        (
            "mixup 0",
            "0",
            "must be a number above 0, up to",
            "mixup 0.2",
        ),
        (
            "noise 0.1 reflect",
            "reflect",
            "does not belong",
            "noise 0.05",
        ),
        ("hue 0.6", "0.6", "from 0 to 0.5", "hue 0.05"),
    ] {
        let error = text.parse::<Augment>().unwrap_err();
        assert!(error.message.contains(message), "{text}: {}", error.message);
        assert!(error.help.contains(help), "{text}: {}", error.help);
        assert_eq!(&text[error.span.clone()], place, "{text}");
    }
}

#[test]
fn tables_that_mean_nothing_are_refused() {
    let deep = format!("{}\"hflip\"{}", "{ choice = [".repeat(12), "] }".repeat(12));
    for (text, message) in [
        ("{ apply = [] }", "`apply` needs a list"),
        ("{ choice = 'hflip' }", "`choice` needs a list"),
        (
            "{ apply = ['hflip'], choice = ['vflip'] }",
            "either `apply` or `choice`",
        ),
        ("{ choice = ['hflip'], p = 0.5 }", "`p` does not belong"),
        ("{ apply = ['hflip'], p = 1.5 }", "not a probability"),
        ("{ apply = ['mixup 0.2'] }", "mixup blends whole batches"),
        (
            "{ apply = ['hflip', 'hfilp'] }",
            "apply, entry 2: there is no augmentation `hfilp`",
        ),
        ("{ apply = [3] }", "neither text nor a table"),
        ("{ use = ['hflip'] }", "`use` is not known"),
        ("{ apply = ['hflip'", "not a table on one line"),
        (
            "{ choice = ['hflip'] }\nother = 1",
            "not a table on one line",
        ),
        (deep.as_str(), "more than 8 deep"),
    ] {
        let error = text.parse::<Augment>().unwrap_err();
        assert!(error.message.contains(message), "{text}: {}", error.message);
    }
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Holder {
    #[serde(deserialize_with = "list")]
    augment: Vec<Augment>,
}

#[test]
fn lists_round_trip_in_toml_and_json() {
    let augment: Vec<Augment> = KINDS
        .iter()
        .map(|(_, example, _)| example.parse().unwrap())
        .collect();
    let holder = Holder { augment };
    let toml = toml::to_string(&holder).unwrap();
    assert_eq!(toml::from_str::<Holder>(&toml).unwrap(), holder, "{toml}");
    let json = serde_json::to_string(&holder).unwrap();
    assert_eq!(
        serde_json::from_str::<Holder>(&json).unwrap(),
        holder,
        "{json}"
    );
}

#[test]
fn errors_of_a_list_count_its_entries() {
    let read = |text| toml::from_str::<Holder>(text).unwrap_err().to_string();
    assert!(
        read("augment = ['hflip', 'hfilp']")
            .contains("[data] augment, entry 2: there is no augmentation `hfilp`")
    );
    assert!(
        read("augment = ['mixup 0.2', 'hflip', 'mixup 0.3']")
            .contains("entry 3: mixup is given twice")
    );
    assert!(read("augment = ['hflip', 7]").contains("entry 2: `7` is neither text nor a table"));
}
