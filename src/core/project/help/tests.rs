use super::*;
use crate::project::data::{DataSpec, Split};
use crate::project::layer::Layer;
use crate::project::size::Axes;
use crate::project::stage::{EarlyStop, Loss, Stage};

fn attribute(attribute: Attribute, layer: &str) -> Option<String> {
    let layer: Layer = layer.parse().unwrap();
    attribute.in_layer(&layer).map(|layer| layer.to_string())
}

#[test]
fn attributes_take_the_place_of_the_one_there_is() {
    let k3 = || Attribute::Kernel(Axes::all(3));
    assert_eq!(
        attribute(k3(), "conv 8 k9 s2").as_deref(),
        Some("conv 8 k3 s2")
    );
    assert_eq!(
        attribute(k3(), "conv 8 s2").as_deref(),
        Some("conv 8 k3 s2")
    );
    let p0 = Attribute::Padding(Axes::all(0));
    assert_eq!(
        attribute(p0, "maxpool 2 @a").as_deref(),
        Some("maxpool 2 p0 @a")
    );
    let none = Attribute::NoOutputPadding;
    assert_eq!(
        attribute(none, "convt 3 k3 s1 op1").as_deref(),
        Some("convt 3 k3 s1")
    );
    assert_eq!(
        attribute(Attribute::Groups(4), "conv 8 g3").as_deref(),
        Some("conv 8 g4")
    );
    assert_eq!(
        attribute(Attribute::Multiplier(1), "dwconv k3 m0").as_deref(),
        Some("dwconv k3 m1")
    );
    assert_eq!(attribute(Attribute::Groups(4), "dense 8"), None);
    assert_eq!(attribute(k3(), "relu"), None);
}

#[test]
fn the_terminal_names_keys_and_the_window_fields() {
    for (help, terminal, window) in [
        (
            Help::insert("flatten").remark(", for a vector of 12"),
            "insert `flatten` before it, for a vector of 12",
            "insert `flatten` before it, for a vector of 12",
        ),
        (
            Help::from(Repair::Data(DataSetting::Range([-1.0, 1.0]))),
            "write range = [-1, 1] under [data]",
            "set range to −1..1",
        ),
        (
            Help::from(Repair::Stage(StageSetting::Loss(Loss::Mse))).or(),
            "or use loss = \"mse\"",
            "or set loss to mse",
        ),
        (
            Help::from(Repair::Stage(StageSetting::Thaw("encoder.9".into()))),
            "take encoder.9 out of freeze",
            "take encoder.9 out of freeze",
        ),
        (
            Help::end(Stack::Head, &["flatten", "dense 10"]).remark(", or with `gap`"),
            "end the head with `flatten` and `dense 10`, or with `gap`",
            "end the head with `flatten` and `dense 10`, or with `gap`",
        ),
        (
            Repair::Mirror.into(),
            "add layers to the decoder that undo the encoder's: strata solve --mirror",
            "add layers to the decoder that undo the encoder's: Mirror, in Output = input",
        ),
        (
            Help::line("rate = 16000").remark(", and every file is brought to it"),
            "write rate = 16000 under [data], and every file is brought to it",
            "set rate to 16000, and every file is brought to it",
        ),
        (
            Help::value("length", "a number from 1 to 99"),
            "write length = N under [data], with a number from 1 to 99",
            "set length to a number from 1 to 99",
        ),
        (Help::without("limit"), "remove limit", "remove limit"),
        (
            Help::note("strata solve", "Output = input"),
            "strata solve",
            "Output = input",
        ),
    ] {
        assert_eq!(help.to_string(), terminal);
        assert_eq!(help.in_window(), window);
    }
}

#[test]
fn what_is_written_reads_back_as_the_setting() {
    let data = DataSpec::default();
    for setting in [
        DataSetting::Range([-1.0, 1.0]),
        DataSetting::NormalizeByTrain,
        DataSetting::Valid(0.2),
        DataSetting::Resize([8, 9]),
        DataSetting::Patch([8, 8]),
        DataSetting::Line("rate = 16000".into()),
    ] {
        let (key, value) = setting.written();
        let read: DataSpec = toml::from_str(&format!("{key} = {}", value.unwrap())).unwrap();
        assert_eq!(read, setting.in_table(&data));
    }
    let limited = DataSetting::Line("limit = 9".into()).in_table(&data);
    assert_eq!(limited.limit, Some(9));
    assert_eq!(DataSetting::Without("limit").in_table(&limited), data);
    let stage = Stage {
        freeze: vec!["encoder".into()],
        ..Stage::default()
    };
    let thawed = StageSetting::Thaw("encoder".into())
        .in_stage(&stage)
        .unwrap();
    assert!(thawed.freeze.is_empty());
    let test = StageSetting::Split(Split::Test).in_stage(&stage).unwrap();
    assert_eq!(test.split, Split::Test);
    let rule: EarlyStop = "valid loss patience=3".parse().unwrap();
    let stop = StageSetting::EarlyStop(rule);
    let written = Help::from(Repair::Stage(stop.clone())).text(Surface::Terminal);
    assert_eq!(written, "use early_stop = \"valid loss patience=3\"");
    assert_eq!(stop.in_stage(&stage), None);
}
